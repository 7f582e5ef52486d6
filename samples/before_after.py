"""The same recognition three times: the two configurations people write by hand, and speechroute.

Run it inside each state: speechroute emulate --state removed -- python before_after.py
"""

from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import SpeechConfigFactory

WAV = str(Path(__file__).with_name("hello.wav"))
factory = SpeechConfigFactory()
settings = factory.settings
key = settings.key.get_secret_value()
custom_domain = settings.resource.custom_domain
# Only to write the first configuration down: speechroute itself has this from DNS.
region = settings.resource.region or "westeurope"


def before_by_region() -> speechsdk.SpeechConfig:
    return speechsdk.SpeechConfig(subscription=key, region=region)


def before_by_endpoint() -> speechsdk.SpeechConfig:
    return speechsdk.SpeechConfig(subscription=key, endpoint=f"https://{custom_domain}/")


def after() -> speechsdk.SpeechConfig:
    return factory.speech_config()


def recognise(config: speechsdk.SpeechConfig) -> None:
    audio = speechsdk.audio.AudioConfig(filename=WAV)
    result = speechsdk.SpeechRecognizer(config, audio).recognize_once()
    if result.reason == speechsdk.ResultReason.Canceled:
        print("   ", result.cancellation_details.error_details.partition(" Error Details")[0])
    else:
        print("   ", result.text)


def through_the_same_proxy(config: speechsdk.SpeechConfig) -> speechsdk.SpeechConfig:
    """The SDK ignores HTTPS_PROXY and SPEECH_PROXY; only speechroute's config has it set."""
    host = after().get_property(speechsdk.PropertyId.SpeechServiceConnection_ProxyHostName)
    port = after().get_property(speechsdk.PropertyId.SpeechServiceConnection_ProxyPort)
    if host:
        config.set_proxy(host, int(port))
    return config


print("before, by region:")
recognise(through_the_same_proxy(before_by_region()))
print("before, by endpoint:")
recognise(through_the_same_proxy(before_by_endpoint()))
print("after:")
recognise(after())

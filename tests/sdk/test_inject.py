"""Injection into the SDK: which calls take the route, and which are left as they are."""

from __future__ import annotations

import functools
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk
import pytest
from azure.cognitiveservices.speech import SpeechConfig as ImportedBefore
from azure.cognitiveservices.speech.translation import SpeechTranslationConfig
from azure.core.credentials import AccessToken, AzureKeyCredential

from clients import CLIENTS, recognize_once
from places import OLDEST_SDK
from revealed import everything_about
from speechroute import (
    SpeechConfigFactory,
    SpeechSettings,
    extract_from_speechsdk,
    inject_into_speechsdk,
)
from speechroute.emulator import Emulator
from speechroute.errors import DnsUnavailable, SettingsError, UnsupportedSdk

KEY = "0123456789abcdef0123456789abcdef"
OTHER_KEY = "f" * 32
DOMAIN = "my-speech.cognitiveservices.azure.com"
RESOURCE_ID = "/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"
PROPERTIES = {
    "endpoint": speechsdk.PropertyId.SpeechServiceConnection_Endpoint,
    "host": speechsdk.PropertyId.SpeechServiceConnection_Host,
    "region": speechsdk.PropertyId.SpeechServiceConnection_Region,
    "key": speechsdk.PropertyId.SpeechServiceConnection_Key,
    "token": speechsdk.PropertyId.SpeechServiceAuthorization_Token,
    "language": speechsdk.PropertyId.SpeechServiceConnection_RecoLanguage,
    "targets": speechsdk.PropertyId.SpeechServiceConnection_TranslationToLanguages,
    "voice": speechsdk.PropertyId.SpeechServiceConnection_TranslationVoice,
}
PRIVATE = {"endpoint": f"https://{DOMAIN}/"}
REGIONAL = {"region": "westeurope"}
CONSTRUCTORS = speechsdk.SpeechConfig.__init__, SpeechTranslationConfig.__init__


class Credential:
    """A `TokenCredential`."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("a-token", 2**31)


@pytest.fixture(autouse=True)
def _extracted() -> Iterator[None]:
    yield
    extract_from_speechsdk()
    assert (speechsdk.SpeechConfig.__init__, SpeechTranslationConfig.__init__) == CONSTRUCTORS


def inject(**settings: Any) -> SpeechConfigFactory:
    given = {"key": KEY, "endpoint": DOMAIN, "region": "westeurope", "proxy": "none", **settings}
    factory = SpeechConfigFactory(SpeechSettings(**given))
    inject_into_speechsdk(factory)
    return factory


def told(config: Any) -> dict[str, str]:
    """What a config says of its door and what goes with it."""
    said = {name: config.get_property(number) for name, number in PROPERTIES.items()}
    return {name: value for name, value in said.items() if value}


NAMED: dict[str, dict[str, Any]] = {
    "region": {"subscription": KEY, "region": "westeurope"},
    "region in capitals": {"subscription": KEY, "region": "WestEurope"},
    "region with the other key": {"subscription": OTHER_KEY, "region": "westeurope"},
    "key credential": {"key_credential": AzureKeyCredential(KEY), "region": "westeurope"},
    "portal endpoint": {"subscription": KEY, "endpoint": f"https://{DOMAIN}/"},
    "custom domain": {"subscription": KEY, "endpoint": DOMAIN},
    "custom domain in capitals": {"subscription": KEY, "endpoint": f"https://{DOMAIN.upper()}"},
    "resource name": {"subscription": KEY, "endpoint": "my-speech"},
    "wss": {"subscription": KEY, "endpoint": f"wss://{DOMAIN}:443"},
    "Foundry": {"subscription": KEY, "endpoint": "https://my-speech.services.ai.azure.com/"},
    "host": {"subscription": KEY, "host": f"wss://{DOMAIN}"},
    "regional API": {
        "subscription": KEY,
        "endpoint": "https://westeurope.api.cognitive.microsoft.com/",
    },
    "token URL": {
        "subscription": KEY,
        "endpoint": "https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issueToken",
    },
    "regional host": {"subscription": KEY, "host": "wss://westeurope.tts.speech.microsoft.com"},
    "nothing but a key": {"subscription": KEY},
    "nothing but a key credential": {"key_credential": AzureKeyCredential(KEY)},
    "region and endpoint, which the SDK refuses": {
        "subscription": KEY,
        "region": "westeurope",
        "endpoint": f"https://{DOMAIN}/",
    },
    "None for what is not given": {
        "subscription": KEY,
        "region": "westeurope",
        "endpoint": None,
        "host": None,
        "auth_token": None,
    },
}


@pytest.mark.parametrize("kind", [speechsdk.SpeechConfig, SpeechTranslationConfig])
@pytest.mark.parametrize(("answer", "door"), [("yes", PRIVATE), ("no", REGIONAL)])
@pytest.mark.parametrize("call", NAMED)
def test_a_call_that_names_this_resource_takes_the_route(
    call: str, answer: str, door: dict[str, str], kind: Any
) -> None:
    inject(private_endpoint=answer)
    key = OTHER_KEY if "other key" in call else KEY
    assert told(kind(**NAMED[call])) == {**door, "key": key}


def test_positional_arguments_are_the_same_call() -> None:
    inject(private_endpoint="yes")
    assert told(speechsdk.SpeechConfig(KEY, "westeurope")) == {**PRIVATE, "key": KEY}


FULL = "/speech/recognition/conversation/cognitiveservices/v1?language=de-DE&x=%41"


@pytest.mark.parametrize("name", ["endpoint", "host"])
def test_a_full_url_is_converted_with_its_query(name: str) -> None:
    regional, private = (
        f"wss://westeurope.stt.speech.microsoft.com{FULL}",
        f"wss://{DOMAIN}/stt{FULL}",
    )
    for answer, url in (("yes", private), ("no", regional)):
        inject(private_endpoint=answer, language="fr-FR")
        for given in (regional, private):
            config = speechsdk.SpeechConfig(subscription=KEY, **{name: given})
            assert told(config) == {"endpoint": url, "key": KEY, "language": "de-DE"}


LEFT: dict[str, dict[str, Any]] = {
    "another region": {"subscription": KEY, "region": "northeurope"},
    "another resource": {
        "subscription": KEY,
        "endpoint": "https://other.cognitiveservices.azure.com/",
    },
    "the same name in another cloud": {
        "subscription": KEY,
        "endpoint": "https://my-speech.cognitiveservices.azure.us/",
    },
    "container": {"host": "ws://localhost:5000"},
    "another host": {"subscription": KEY, "host": "wss://speech.example.com"},
    "look-alike": {"subscription": KEY, "endpoint": f"https://{DOMAIN}.example.com/"},
    "no TLS": {"subscription": KEY, "endpoint": f"ws://{DOMAIN}/"},
    "another regional host": {
        "subscription": KEY,
        "host": "wss://northeurope.stt.speech.microsoft.com",
    },
    "another region and this endpoint": {
        "subscription": KEY,
        "region": "northeurope",
        "endpoint": f"https://{DOMAIN}/",
    },
    "nothing": {},
    "an empty key": {"subscription": "", "region": "westeurope"},
    "an empty token": {"auth_token": "", "endpoint": f"https://{DOMAIN}/"},
    "two credentials": {
        "subscription": KEY,
        "region": "westeurope",
        "key_credential": AzureKeyCredential(KEY),
    },
    "an unknown argument": {"subscription": KEY, "region": "westeurope", "colour": "red"},
    "no text": {"subscription": KEY, "region": 1},
    "no key credential": {"key_credential": KEY, "endpoint": f"https://{DOMAIN}/"},
}


def outcome(call: Callable[[], Any]) -> Any:
    try:
        return told(call())
    except Exception as error:  # noqa: BLE001  # whatever the SDK raises is compared
        return type(error), str(error)


@pytest.mark.parametrize("kind", [speechsdk.SpeechConfig, SpeechTranslationConfig])
@pytest.mark.parametrize("call", LEFT)
def test_every_other_call_is_left_as_it_is(call: str, kind: Any) -> None:
    bare = outcome(lambda: kind(**LEFT[call]))
    inject(private_endpoint="yes", language="de-DE")
    assert outcome(lambda: kind(**LEFT[call])) == bare


def test_too_many_and_repeated_arguments_are_the_sdks_to_refuse() -> None:
    inject(private_endpoint="yes")
    with pytest.raises(TypeError, match="positional"):
        speechsdk.SpeechConfig(*"123456789")
    with pytest.raises(TypeError, match="multiple values"):
        speechsdk.SpeechConfig(KEY, subscription=KEY)


def test_an_embedded_model_is_left_as_it_is() -> None:
    original = speechsdk.EmbeddedSpeechConfig.__init__
    inject(private_endpoint="yes")
    assert speechsdk.EmbeddedSpeechConfig.__init__ is original


def test_where_no_region_is_known_the_key_tells(caplog: pytest.LogCaptureFixture) -> None:
    given = {"key": KEY, "endpoint": DOMAIN, "private_endpoint": "yes", "proxy": "none"}
    inject_into_speechsdk(SpeechConfigFactory(SpeechSettings(**given)))
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["endpoint"] == PRIVATE["endpoint"]
    assert not caplog.records
    assert told(speechsdk.SpeechConfig(OTHER_KEY, "westeurope"))["region"] == "westeurope"
    (record,) = caplog.records
    assert "SPEECH_REGION" in record.getMessage()
    assert OTHER_KEY not in record.getMessage()
    government = speechsdk.SpeechConfig(KEY, "usgovvirginia")
    assert told(government)["region"] == "usgovvirginia"


def test_a_name_that_was_imported_before_and_a_subclass_are_injected() -> None:
    class Own(speechsdk.SpeechConfig):  # type: ignore[misc]
        def __init__(self, key: str) -> None:
            super().__init__(subscription=key, region="westeurope")

    inject(private_endpoint="yes")
    for config in (ImportedBefore(KEY, "westeurope"), Own(KEY)):
        assert told(config)["endpoint"] == PRIVATE["endpoint"]


def test_the_calls_language_and_targets_are_kept() -> None:
    inject(private_endpoint="yes", language="fr-FR")
    config = SpeechTranslationConfig(
        subscription=KEY,
        region="westeurope",
        target_languages=("de", "it"),
        voice_name="de-DE-KatjaNeural",
        speech_recognition_language="es-ES",
    )
    said = told(config)
    assert (said["targets"], said["voice"]) == ("de,it", "de-DE-KatjaNeural")
    assert said["language"] == "es-ES"
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["language"] == "fr-FR"


def test_the_calls_token_credential_is_kept() -> None:
    credential = Credential()
    settings = {"resource_id": RESOURCE_ID}
    call = {"token_credential": credential, "endpoint": f"https://{DOMAIN}/"}
    inject(private_endpoint="yes", **settings)
    config = speechsdk.SpeechConfig(**call)
    assert told(config) == PRIVATE
    assert config.token_credential is credential
    inject(private_endpoint="no", **settings)
    config = speechsdk.SpeechConfig(**call)
    assert told(config) == {**REGIONAL, "token": f"aad#{RESOURCE_ID}#a-token"}


@pytest.mark.parametrize(
    ("call", "private", "regional"),
    [
        ({"auth_token": "t", "region": "westeurope"}, "t", "t"),
        (
            {"auth_token": f"aad#{RESOURCE_ID}#t", "region": "westeurope"},
            "t",
            f"aad#{RESOURCE_ID}#t",
        ),
        ({"auth_token": "t", "endpoint": DOMAIN}, "t", f"aad#{RESOURCE_ID}#t"),
    ],
    ids=["region", "Entra for the region", "Entra for the endpoint, which the SDK refuses"],
)
def test_a_token_gets_the_form_of_the_door(
    call: dict[str, str], private: str, regional: str
) -> None:
    inject(private_endpoint="yes", resource_id=RESOURCE_ID)
    assert told(speechsdk.SpeechConfig(**call)) == {**PRIVATE, "token": private}
    inject(private_endpoint="no", resource_id=RESOURCE_ID)
    assert told(speechsdk.SpeechConfig(**call)) == {**REGIONAL, "token": regional}


def test_entra_without_the_resource_id_stays_at_the_custom_domain() -> None:
    inject(private_endpoint="no")
    config = speechsdk.SpeechConfig(auth_token="t", endpoint=DOMAIN)
    assert told(config) == {**PRIVATE, "token": "t"}


def test_a_key_in_a_call_wins_over_entra_in_the_settings() -> None:
    given = {"endpoint": DOMAIN, "region": "westeurope", "auth": "entra", "proxy": "none"}
    settings = SpeechSettings(**given, private_endpoint="no")
    inject_into_speechsdk(SpeechConfigFactory(settings, credential=Credential()))
    assert told(speechsdk.SpeechConfig(KEY, "westeurope")) == {**REGIONAL, "key": KEY}


def test_a_call_without_a_credential_gets_one_only_where_a_region_needs_it() -> None:
    call = {"endpoint": f"https://{DOMAIN}/"}
    inject(private_endpoint="yes")
    assert told(speechsdk.SpeechConfig(**call)) == PRIVATE
    inject(private_endpoint="no")
    assert told(speechsdk.SpeechConfig(**call)) == {**REGIONAL, "key": KEY}


def test_configs_with_one_token_credential_share_its_tokens() -> None:
    asked: list[object] = []

    class Counting(Credential):
        def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            asked.append(scopes)
            return super().get_token(*scopes)

    inject(private_endpoint="no", resource_id=RESOURCE_ID)
    credential, before = Counting(), threading.active_count()
    configs = [
        speechsdk.SpeechConfig(token_credential=credential, endpoint=DOMAIN) for _ in range(20)
    ]
    assert {told(config)["token"] for config in configs} == {f"aad#{RESOURCE_ID}#a-token"}
    assert len(asked) == 1
    assert threading.active_count() <= before + 1


class Cloud(NamedTuple):
    domain: str
    region: str
    endpoint: str
    host: str


CLOUDS = {
    "Government": Cloud(
        "my-speech.cognitiveservices.azure.us",
        "usgovvirginia",
        "https://usgovvirginia.api.cognitive.microsoft.us/",
        "wss://usgovvirginia.tts.speech.azure.us",
    ),
    "China": Cloud(
        "my-speech.cognitiveservices.azure.cn",
        "chinanorth3",
        "https://chinanorth3.api.cognitive.azure.cn/",
        "wss://chinanorth3.tts.speech.azure.cn",
    ),
}


@pytest.mark.parametrize("case", CLOUDS)
def test_a_regional_route_in_the_other_clouds_is_the_endpoint_of_the_region(case: str) -> None:
    domain, region, endpoint, host = CLOUDS[case]
    inject(endpoint=domain, region=region, private_endpoint="no")
    calls = ({"region": region}, {"endpoint": f"https://{domain}/"}, {"endpoint": endpoint})
    kinds = (speechsdk.SpeechConfig, speechsdk.translation.SpeechTranslationConfig)
    for call in (*calls, {"host": host}, {}):
        for kind in kinds:
            config = kind(subscription=KEY, **call)
            assert told(config) == {"endpoint": endpoint, "key": KEY}
    without = speechsdk.SpeechConfig(endpoint=endpoint)
    assert told(without) == {"endpoint": endpoint}


def test_a_container_is_named_by_its_host_only() -> None:
    settings = SpeechSettings(endpoint="http://localhost:5000", allow_hosts="localhost", key=KEY)
    inject_into_speechsdk(SpeechConfigFactory(settings))
    for call in ({"host": "http://localhost:5000"}, {"subscription": KEY}):
        assert told(speechsdk.SpeechConfig(**call))["host"] == "http://localhost:5000"
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["region"] == "westeurope"
    other = speechsdk.SpeechConfig(host="http://localhost:5001")
    assert told(other)["host"] == "http://localhost:5001"


def test_it_is_idempotent_and_reversible() -> None:
    extract_from_speechsdk()
    inject(private_endpoint="yes")
    injected = speechsdk.SpeechConfig.__init__
    inject(private_endpoint="no")
    assert speechsdk.SpeechConfig.__init__ is injected
    assert told(speechsdk.SpeechConfig(KEY, "westeurope")) == {**REGIONAL, "key": KEY}
    extract_from_speechsdk()
    extract_from_speechsdk()
    assert (speechsdk.SpeechConfig.__init__, SpeechTranslationConfig.__init__) == CONSTRUCTORS
    config = speechsdk.SpeechConfig(subscription=KEY, endpoint=f"https://{DOMAIN}/")
    assert told(config)["endpoint"] == f"https://{DOMAIN}/"


def test_what_somebody_else_put_over_it_survives(monkeypatch: pytest.MonkeyPatch) -> None:
    inject(private_endpoint="yes")
    beneath, seen = speechsdk.SpeechConfig.__init__, []

    @functools.wraps(beneath)
    def theirs(self: Any, *args: Any, **kwargs: Any) -> None:
        seen.append(kwargs)
        beneath(self, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(speechsdk.SpeechConfig, "__init__", theirs)
        assert told(speechsdk.SpeechConfig(KEY, region="westeurope"))["endpoint"]
        extract_from_speechsdk()
        assert told(speechsdk.SpeechConfig(KEY, region="westeurope"))["region"] == "westeurope"
        assert len(seen) == 2
        inject(private_endpoint="yes")
        assert told(speechsdk.SpeechConfig(KEY, region="westeurope"))["endpoint"]
        assert len(seen) == 3
        extract_from_speechsdk()
        assert speechsdk.SpeechConfig.__init__ is theirs
    assert speechsdk.SpeechConfig.__init__ is beneath  # it comes off now that theirs is gone
    assert told(speechsdk.SpeechConfig(KEY, region="westeurope"))["region"] == "westeurope"
    inject(private_endpoint="yes")
    assert told(speechsdk.SpeechConfig(KEY, region="westeurope"))["endpoint"]


def test_a_patch_that_is_undone_after_the_injection_takes_it_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @functools.wraps(CONSTRUCTORS[0])
    def theirs(*args: Any, **kwargs: Any) -> None:
        CONSTRUCTORS[0](*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(speechsdk.SpeechConfig, "__init__", theirs)
        inject(private_endpoint="yes")
        assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["endpoint"]
    extract_from_speechsdk()
    inject(private_endpoint="yes")
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["endpoint"]


def test_what_restores_an_older_constructor_takes_the_injection_out() -> None:
    inject(private_endpoint="yes")
    speechsdk.SpeechConfig.__init__ = CONSTRUCTORS[0]
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["region"] == "westeurope"
    inject(private_endpoint="yes")
    assert told(speechsdk.SpeechConfig(KEY, "westeurope"))["endpoint"]


def test_a_replacement_that_hides_the_arguments_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def theirs(*args: Any, **kwargs: Any) -> None:
        CONSTRUCTORS[0](*args, **kwargs)

    monkeypatch.setattr(speechsdk.SpeechConfig, "__init__", theirs)
    with pytest.raises(UnsupportedSdk, match="before test_inject replaces the constructor"):
        inject_into_speechsdk(SpeechConfigFactory(SpeechSettings(key=KEY, endpoint=DOMAIN)))
    monkeypatch.undo()


def test_threads_may_inject_extract_and_construct_at_once() -> None:
    settings = {"key": KEY, "endpoint": DOMAIN, "region": "westeurope", "proxy": "none"}
    factory = SpeechConfigFactory(SpeechSettings(**settings, private_endpoint="yes"))
    extract_from_speechsdk()
    doors: set[str] = set()
    errors: list[Exception] = []

    def work(number: int) -> None:
        try:
            for turn in range(50):
                if number % 2:
                    inject_into_speechsdk(factory)
                    doors.add(min(told(speechsdk.SpeechConfig(KEY, "westeurope"))))
                elif turn % 2:
                    extract_from_speechsdk()
                else:
                    speechsdk.SpeechConfig(KEY, "westeurope")
        except Exception as error:  # noqa: BLE001  # of a thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert "endpoint" in doors


def test_configs_of_a_factory_are_not_decided_twice() -> None:
    inject(private_endpoint="yes")
    settings = {"key": KEY, "endpoint": DOMAIN, "region": "westeurope", "proxy": "none"}
    other = SpeechConfigFactory(SpeechSettings(**settings, private_endpoint="no"))
    assert told(other.speech_config()) == {**REGIONAL, "key": KEY}
    assert told(other.translation_config(["de"]))["region"] == "westeurope"


def test_another_constructor_is_refused_by_name_and_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def constructor(self: Any, subscription: str, door: str) -> None:
        """Of an SDK to come."""

    monkeypatch.setattr(SpeechTranslationConfig, "__init__", constructor)
    with pytest.raises(UnsupportedSdk) as caught:
        inject_into_speechsdk(SpeechConfigFactory(SpeechSettings(key=KEY, endpoint=DOMAIN)))
    assert caught.value.version == speechsdk.__version__
    for part in (speechsdk.__version__, "SpeechTranslationConfig", "subscription, door"):
        assert part in str(caught.value)
    assert speechsdk.SpeechConfig.__init__ is CONSTRUCTORS[0]
    monkeypatch.undo()


def test_a_mock_in_place_of_the_class_does_no_harm() -> None:
    code = (
        "from unittest import mock\n"
        "import azure.cognitiveservices.speech as speechsdk\n"
        "from speechroute import SpeechConfigFactory, SpeechSettings\n"
        f"settings = SpeechSettings(key='{KEY}', endpoint='{DOMAIN}', private_endpoint='yes')\n"
        "factory = SpeechConfigFactory(settings)\n"
        "with mock.patch('azure.cognitiveservices.speech.SpeechConfig'):\n"
        "    from speechroute import inject_into_speechsdk\n"
        "    inject_into_speechsdk(factory)\n"
        f"config = speechsdk.SpeechConfig('{KEY}', 'westeurope')\n"
        "endpoint = speechsdk.PropertyId.SpeechServiceConnection_Endpoint\n"
        "print(config.get_property(endpoint))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == f"https://{DOMAIN}/", done.stderr


def test_the_oldest_sdk_is_not_refused() -> None:
    code = (
        "import azure.cognitiveservices.speech as speechsdk, speechroute\n"
        "from speechroute import SpeechConfigFactory, SpeechSettings, inject_into_speechsdk\n"
        f"settings = SpeechSettings(key='{KEY}', endpoint='{DOMAIN}', private_endpoint='yes')\n"
        "inject_into_speechsdk(SpeechConfigFactory(settings))\n"
        f"config = speechsdk.SpeechConfig('{KEY}', 'westeurope')\n"
        "endpoint = speechsdk.PropertyId.SpeechServiceConnection_Endpoint\n"
        "print(speechsdk.__version__, config.get_property(endpoint))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(OLDEST_SDK)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["1.48.2", f"https://{DOMAIN}/"], done.stderr


def test_without_a_factory_the_environment_is_read_at_once(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speechroute._sdk.default._default", [])
    monkeypatch.setenv("SPEECH_ENDPOINT", "no such name")
    with pytest.raises(SettingsError):
        inject_into_speechsdk()
    assert speechsdk.SpeechConfig.__init__ is CONSTRUCTORS[0]


def test_a_route_that_cannot_be_told_is_an_error_without_the_key() -> None:
    inject(dns_servers="127.0.0.1:9", dns_timeout=0.2, proxy="http://127.0.0.1:9")
    with pytest.raises(DnsUnavailable) as caught:
        speechsdk.SpeechConfig(OTHER_KEY, region="westeurope")
    assert OTHER_KEY not in everything_about(caught.value)
    with pytest.raises(DnsUnavailable) as caught:
        speechsdk.SpeechConfig(subscription=OTHER_KEY, region="westeurope")
    assert OTHER_KEY not in everything_about(caught.value)


@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_works_with_a_config_for_the_region(
    client: str, state: str, emulated: Emulator
) -> None:
    emulated.state = state
    inject_into_speechsdk(SpeechConfigFactory())
    kind: Any = speechsdk.SpeechConfig
    if client == "translate":
        kind = functools.partial(SpeechTranslationConfig, target_languages=("de",))
    config = kind(subscription=emulated.key, region=emulated.region)
    config.speech_recognition_language = "en-US"
    got = CLIENTS[client](config)
    assert got.texts, got.error


def test_a_config_that_is_made_later_follows_the_door(emulated: Emulator) -> None:
    factory = SpeechConfigFactory()
    inject_into_speechsdk(factory)
    for state, words in (("vnet", "private endpoint"), ("removed", "regional host")):
        emulated.state = state
        factory.invalidate()
        config = speechsdk.SpeechConfig(emulated.key, emulated.region)
        (text,) = recognize_once(config).texts
        assert words in text

"""The SDK remembers redirects for its process; configs of this library use none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from speechroute import SpeechConfigFactory, extract_from_speechsdk, inject_into_speechsdk
from speechroute._network.learned import shared
from speechroute.emulator import Emulator

PATH = "tts/cognitiveservices/websocket/v1"


@pytest.fixture
def emulator(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A resource of a name of its own, that its DNS says has a private endpoint."""
    name = f"redirects-{abs(hash(request.node.name))}.cognitiveservices.azure.com"
    with Emulator("vnet", custom_domain=name, generation="2026") as emulator:
        for variable, value in emulator.environment_over(os.environ).items():
            monkeypatch.setenv(variable, value)
        shared.forget()
        yield emulator


def speak(config: Any) -> bool:
    result = speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")
    return bool(result.reason == speechsdk.ResultReason.SynthesizingAudioCompleted)


def plain(emulator: Emulator) -> Any:
    config = speechsdk.SpeechConfig(
        subscription=emulator.key, endpoint=f"https://{emulator.custom_domain}/"
    )
    host, port = emulator.proxy_url.removeprefix("http://").split(":")
    config.set_proxy(host, int(port))
    return config


def of_factory(_: Emulator) -> Any:
    return SpeechConfigFactory().speech_config("tts")


def of_full_url(emulator: Emulator) -> Any:
    url = f"wss://{emulator.custom_domain}/{PATH}"
    return SpeechConfigFactory().speech_config("tts", url=url)


def of_translation(_: Emulator) -> Any:
    return SpeechConfigFactory().translation_config(["de"])


def injected(emulator: Emulator) -> Any:
    inject_into_speechsdk(SpeechConfigFactory())
    try:
        return plain(emulator)
    finally:
        extract_from_speechsdk()


@pytest.mark.parametrize("ours", [of_factory, of_full_url, of_translation, injected])
def test_a_private_endpoint_that_is_added_after_a_redirect_is_reached(
    ours: Callable[[Emulator], Any], emulator: Emulator
) -> None:
    emulator.service_state = "removed"
    assert speak(ours(emulator))
    emulator.service_state = "vnet"
    assert not speak(plain(emulator))
    assert speak(ours(emulator))


def test_a_stream_has_such_a_config(emulator: Emulator) -> None:
    configs: list[Any] = []

    def recognizer(config: Any, audio_config: Any) -> Any:
        configs.append(config)
        return speechsdk.SpeechRecognizer(config, audio_config=audio_config)

    with SpeechConfigFactory().recognize_stream(print, recognizer=recognizer):
        pass
    assert configs[0].get_property_by_name("SPEECH-WEBSOCKET_USE_REDIRECT_CACHE") == "false"

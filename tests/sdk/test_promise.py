"""The promise: a call fails for the route's sake only where no door works.

In every generation of the service, in every state of DNS and service, one after the other in one
process. No route is kept, so that each call meets what DNS says in its state.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from places import WAV
from speechroute import SpeechConfigFactory
from speechroute._network.learned import shared
from speechroute.emulator import Emulator, Generation

STATES = {
    "VNet": ("vnet", "vnet"),
    "removed": ("removed", "removed"),
    "DNS says VNet, the service removed": ("vnet", "removed"),
    "VNet again": ("vnet", "vnet"),
    "DNS says removed, the service VNet": ("removed", "vnet"),
    "removed again": ("removed", "removed"),
    "seen from outside": ("proxy", "proxy"),
}
"""What DNS says, and what the service does."""


def recognize(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


def speak(config: Any) -> Any:
    return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")


DONE: dict[Callable[[Any], Any], Any] = {
    recognize: speechsdk.ResultReason.RecognizedSpeech,
    speak: speechsdk.ResultReason.SynthesizingAudioCompleted,
}


@pytest.fixture(params=Generation)
def resource(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """A resource of a name of its own: the SDK remembers redirects of others for its process."""
    name = f"promise-{request.param}.cognitiveservices.azure.com"
    with Emulator(generation=request.param, custom_domain=name, dns_ttl=0) as emulator:
        for variable, value in emulator.environment_over(os.environ).items():
            monkeypatch.setenv(variable, value)
        monkeypatch.setenv("SPEECH_ROUTE_TTL_MIN", "0")
        shared.forget()
        yield emulator


def test_every_call_comes_through_in_every_state(resource: Emulator) -> None:
    factory = SpeechConfigFactory()
    table: dict[str, list[str]] = {}
    # A refused recognition takes a second, a refused synthesis none: each goes first in turn.
    turns: list[tuple[Callable[[Any], Any], ...]] = [(recognize, speak), (speak, recognize)]
    for number, (state, (dns, service)) in enumerate(STATES.items()):
        resource.dns_state, resource.service_state = dns, service
        results = [(operation, factory.run(operation)) for operation in turns[number % 2]]
        results += [(operation, operation(factory.speech_config())) for operation in DONE]
        failures = [
            f"{operation.__name__} {number}: {result.cancellation_details}"
            for number, (operation, result) in enumerate(results)
            if result.reason != DONE[operation]
        ]
        if failures:
            table[state] = failures
    assert table == {}

"""The promise: a call fails for the route's sake only where no door works.

In every generation of the service, in every state of DNS and service, one after the other in one
process. No route is kept, so that each call meets what DNS says in its state.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from emulators import trusted
from places import WAV
from speechroute import SpeechConfigFactory, SpeechSettings
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


def failures_at(resource: Emulator) -> list[str]:
    """The calls that do not come through, in all states one after the other."""
    own = resource.custom_domain, resource.dns_server, resource.proxy_url
    settings = SpeechSettings(
        key=resource.key, endpoint=own[0], dns_servers=own[1], proxy=own[2], route_ttl_min=0
    )
    factory = SpeechConfigFactory(settings)
    failures: list[str] = []
    # A refused recognition takes a second, a refused synthesis none: each goes first in turn.
    turns: list[tuple[Callable[[Any], Any], ...]] = [(recognize, speak), (speak, recognize)]
    for number, (state, (dns, service)) in enumerate(STATES.items()):
        resource.dns_state, resource.service_state = dns, service
        results = [(operation, factory.run(operation)) for operation in turns[number % 2]]
        results += [(operation, operation(factory.speech_config())) for operation in DONE]
        failures += [
            f"{resource.generation}, {state}, {operation.__name__} {number}: "
            f"{result.cancellation_details}"
            for number, (operation, result) in enumerate(results)
            if result.reason != DONE[operation]
        ]
    return failures


def test_every_call_comes_through_in_every_generation_and_state(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        # Names of their own: the SDK remembers redirects for its process.
        names = [(g, f"promise-{g}.cognitiveservices.azure.com") for g in Generation]
        resources = [
            stack.enter_context(Emulator(generation=g, custom_domain=name, dns_ttl=0))
            for g, name in names
        ]
        monkeypatch.setenv("SSL_CERT_FILE", trusted(resources, tmp_path))
        assert list(pool.map(failures_at, resources)) == [[]] * len(names)

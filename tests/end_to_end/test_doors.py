"""Where keys and tokens go while DNS and the service disagree: to the resource's two doors."""

from __future__ import annotations

import itertools
import wave
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk
import dns.message
import pytest

from emulators import trusted
from places import WAV
from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator, Request, _dns
from speechroute.emulator._names import Names

TOKEN = "canary-token-0123456789abcdefghijklmnopqrstuvwxyz"
QUESTION = "GenerateRedirectResponse=true"
SUFFIX = "cognitiveservices.azure.com"
GENERATIONS = ("2024", "2026", "strict")
DISAGREEMENTS = (("vnet", "removed"), ("proxy", "removed"), ("removed", "vnet"))
"""Of DNS and the service. The emulator's service treats ``vnet`` and ``proxy`` alike."""


def recognize(factory: SpeechConfigFactory) -> bool:
    def once(config: Any) -> Any:
        audio = speechsdk.audio.AudioConfig(filename=str(WAV))
        return speechsdk.SpeechRecognizer(config, audio).recognize_once()

    return bool(factory.run(once).reason == speechsdk.ResultReason.RecognizedSpeech)


def speak(factory: SpeechConfigFactory) -> bool:
    done = speechsdk.ResultReason.SynthesizingAudioCompleted
    result = factory.run(lambda c: speechsdk.SpeechSynthesizer(c, None).speak_text("Hi"), "tts")
    return bool(result.reason == done)


def stream(factory: SpeechConfigFactory) -> bool:
    heard: list[Any] = []
    with factory.recognize_stream(heard.append) as stream, wave.open(str(WAV)) as file:
        stream.write(file.readframes(file.getframerate()))
    return bool(heard)


class Seen(NamedTuple):
    """What one emulator saw.

    Attributes:
        worked: by credential and call.
    """

    emulator: Emulator
    worked: dict[tuple[str, str], bool]

    @property
    def with_credential(self) -> list[Request]:
        return [request for request in self.emulator.requests if request.credential != "none"]


def factories(emulator: Emulator) -> dict[str, SpeechConfigFactory]:
    own: dict[str, Any] = {
        "endpoint": emulator.custom_domain,
        "region": emulator.region,
        "dns_servers": emulator.dns_server,
        "proxy": emulator.proxy_url,
        "ask_service": "always",
    }
    by_key = SpeechSettings(key=emulator.key, **own)
    by_token = SpeechSettings(auth="entra", resource_id=emulator.resource_id, **own)
    return {
        "key": SpeechConfigFactory(by_key),
        "token": SpeechConfigFactory(by_token, credential=lambda: TOKEN),
    }


def calls_at(emulator: Emulator, service: str) -> dict[tuple[str, str], bool]:
    """Every call with every credential at once: refused, a recognition takes a second."""
    emulator.tokens.add(TOKEN)
    made = factories(emulator)
    for factory in made.values():
        factory.route()
    emulator.service_state = service
    calls: tuple[Callable[[SpeechConfigFactory], bool], ...] = (recognize, speak, stream)
    with ThreadPoolExecutor() as pool:
        started = {
            (kind, call.__name__): pool.submit(call, factory)
            for (kind, factory), call in itertools.product(made.items(), calls)
        }
    return {one: call.result() for one, call in started.items()}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names that DNS servers of emulators are asked for."""
    names: set[str] = set()
    answer = _dns._answer

    def noting(query: dns.message.Message, *arguments: Any) -> dns.message.Message:
        names.add(query.question[0].name.to_text(omit_final_dot=True).lower())
        return answer(query, *arguments)

    monkeypatch.setattr(_dns, "_answer", noting)
    return names


@pytest.fixture
def everything_seen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[Seen]]:
    """All generations and disagreements side by side, an emulator for each."""
    places = list(itertools.product(GENERATIONS, DISAGREEMENTS))
    with ExitStack() as stack, ThreadPoolExecutor() as pool:
        # Names of their own: the SDK remembers redirects for its process.
        emulators = [
            stack.enter_context(
                Emulator(
                    by_dns,
                    generation=generation,
                    custom_domain=f"doors-{generation}-{by_dns}-{service}.{SUFFIX}",
                )
            )
            for generation, (by_dns, service) in places
        ]
        monkeypatch.setenv("SSL_CERT_FILE", trusted(emulators, tmp_path))
        services = [service for _, (_, service) in places]
        worked = pool.map(calls_at, emulators, services)
        yield [Seen(*one) for one in zip(emulators, worked, strict=True)]


def test_credentials_are_looked_for_at_every_host_and_found_at_the_two_doors_only(
    asked: set[str], everything_seen: list[Seen]
) -> None:
    found: set[str] = set()
    opened: set[str] = set()
    named: set[str] = set()
    for emulator, worked in everything_seen:
        assert all(worked.values()), (emulator.generation, emulator.dns_state, worked)
    for seen in everything_seen:
        emulator = seen.emulator
        own = Names(emulator.custom_domain, emulator.region)
        doors = {own.custom_domain, own.offering_host("stt"), own.offering_host("tts")}
        assert {request.host for request in seen.with_credential} <= doors
        assert {request.credential for request in seen.with_credential} == {"key", "token"}
        assert {tunnel.removesuffix(":443") for tunnel in emulator.tunnels} <= doors
        # What was accepted is *** in them.
        assert not [r for r in emulator.requests if "***" in f"{r.path}?{r.query}"]
        questions = [request for request in emulator.requests if QUESTION in request.query]
        assert {(q.host, q.credential) for q in questions} == {(own.custom_domain, "none")}
        assert [r for r in emulator.requests if r.credential == "none"] == questions
        found |= {request.host for request in seen.with_credential}
        opened |= doors
        named |= {own.custom_domain, own.api_host}
    assert found == opened
    assert asked == named

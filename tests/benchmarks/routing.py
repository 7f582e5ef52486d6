"""What routing costs, each figure a ratio taken in one run: python tests/benchmarks/routing.py."""

from __future__ import annotations

import asyncio
import ipaddress
import multiprocessing
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import dns.message
import dns.query

from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._network.flight import Doubt
from speechroute._network.look import look
from speechroute._network.observe import observe
from speechroute._network.question import Question
from speechroute._network.service import ask_service
from speechroute.emulator import Emulator

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from dns_servers import dns_server, records

_DOMAIN = "my-speech.cognitiveservices.azure.com"
_WAV = str(Path(__file__).parents[2] / "samples" / "hello.wav")
_DELAY_S = 0.02


def _seconds(call: Callable[[], object], count: int = 1) -> float:
    started = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - started) / count


def _private(name: str, **_: Any) -> DnsView:
    """What DNS says of a private endpoint, without asking it."""
    address = (ipaddress.ip_address("10.0.0.4"),)
    return DnsView(Lookup((name,), address, 300, Outcome.ANSWERED))


def _factory(server: str, observing: Any = None) -> SpeechConfigFactory:
    # A named proxy resolves names itself: nothing but the loopback server is asked.
    settings = SpeechSettings(
        _env_file=None,
        key="0" * 32,
        endpoint=_DOMAIN,
        dns_servers=server,
        proxy="http://127.0.0.1:1",
    )
    return SpeechConfigFactory(settings, observe=observing)


def _respond(query: dns.message.Message, tcp: bool) -> bytes:
    threading.Event().wait(_DELAY_S)
    lines = (f"{_DOMAIN}. 300 A 10.0.0.4",) if query.question[0].rdtype.name == "A" else ()
    return records(query, *lines).to_wire()


def warm_call() -> float:
    """`speech_config()` with a fresh route, against constructing the same ``SpeechConfig``.

    The same: with the SDK's cache of redirects off, a fifth of the time.
    """
    key = "0" * 32
    settings = SpeechSettings(_env_file=None, key=key, endpoint=_DOMAIN, proxy="none")
    factory = SpeechConfigFactory(settings, observe=_private)
    endpoint = f"https://{_DOMAIN}/"

    def direct() -> None:
        config = speechsdk.SpeechConfig(endpoint=endpoint, subscription=key)
        config.set_property_by_name("SPEECH-WEBSOCKET_USE_REDIRECT_CACHE", "false")

    routed, by_hand = [], []
    for _ in range(50):
        by_hand.append(_seconds(direct, 1000))
        routed.append(_seconds(factory.speech_config, 1000))
    return min(routed) / min(by_hand)


def _settings(emulator: Emulator) -> tuple[SpeechSettings, tuple[str, int]]:
    """What leads to an emulator, and its proxy as the SDK takes it."""
    os.environ["SSL_CERT_FILE"] = str(emulator.ca_file)
    host, _, port = emulator.proxy_url.removeprefix("http://").partition(":")
    settings = SpeechSettings(
        _env_file=None,
        key=emulator.key,
        endpoint=emulator.custom_domain,
        region=emulator.region,
        dns_servers=emulator.dns_server,
        proxy=emulator.proxy_url,
    )
    return settings, (host, int(port))


def run_that_succeeds() -> float:
    """`run()` of a synthesis over TLS, against the same synthesis with a config made by hand."""

    def speak(config: Any) -> Any:
        result = speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")
        assert result.reason == speechsdk.ResultReason.SynthesizingAudioCompleted
        return result

    with Emulator() as emulator:
        settings, (host, port) = _settings(emulator)
        factory = SpeechConfigFactory(settings)
        endpoint = f"https://{emulator.custom_domain}/"

        def by_hand() -> None:
            config = speechsdk.SpeechConfig(endpoint=endpoint, subscription=emulator.key)
            config.set_proxy(host, port)
            speak(config)

        def routed() -> None:
            factory.run(speak, "tts")

        pairs = [(_seconds(routed), _seconds(by_hand)) for _ in range(201)]
    return float(statistics.median(r for r, _ in pairs) / statistics.median(h for _, h in pairs))


def _recognize(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=_WAV)
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


def _speak(config: Any) -> Any:
    return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")


def recovery(operation: Callable[[Any], Any], *, dns_lags: bool, rounds: int) -> float:
    """A call whose door has moved, against the sum of what it cannot do without.

    That is the SDK's own refusal at the wrong door, one observation after a refusal, and a call at
    the right door, each by itself. The private endpoint is removed, the service is of 2024.
    """
    with Emulator() as emulator:
        settings, (host, port) = _settings(emulator)
        factory = SpeechConfigFactory(settings)

        def by_hand(reason: Any, **door: str) -> None:
            config = speechsdk.SpeechConfig(subscription=emulator.key, **door)
            config.set_proxy(host, port)
            assert operation(config).reason == reason

        def bare() -> None:
            by_hand(speechsdk.ResultReason.Canceled, endpoint=f"https://{emulator.custom_domain}/")
            look(Question.of(settings), observe, ask_service, Doubt.MAY_HAVE_MOVED, is_direct=False)
            by_hand(completed, region=emulator.region)

        def routed() -> None:
            attempt = factory.attempt(operation)
            assert attempt.retried
            assert attempt.error is None

        recovered, parts = [], []
        for _ in range(rounds):
            factory.invalidate()
            emulator.state = "vnet"
            completed = factory.run(operation).reason
            if dns_lags:
                emulator.service_state = "removed"
            else:
                emulator.state = "removed"
            recovered.append(_seconds(routed))
            parts.append(_seconds(bare))
    return statistics.median(recovered) / statistics.median(parts)


def cold_decision(server: str) -> float:
    """A decision with nothing known, against one bare query to the same slow server."""
    host, _, port = server.partition(":")
    query = dns.message.make_query(_DOMAIN, "A")
    cold, bare = [], []
    for _ in range(30):
        bare.append(_seconds(lambda: dns.query.udp(query, host, 5, int(port))))
        factory = _factory(server)
        cold.append(_seconds(factory.route))
    return statistics.median(cold) / statistics.median(bare)


def observations_of_a_thousand(server: str, *, tasks: bool) -> int:
    """How often DNS is asked by 1,000 first calls at once."""
    count = 0

    def counting(name: str, **arguments: Any) -> Any:
        nonlocal count
        count += 1
        return observe(name, **arguments)

    factory = _factory(server, counting)
    if tasks:

        async def together() -> None:
            await asyncio.gather(*(factory.route_async() for _ in range(1000)))

        asyncio.run(together())
    else:
        threads = [threading.Thread(target=factory.route) for _ in range(1000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return count


def _import(statement: str) -> float:
    command = [sys.executable, "-c", statement]
    # With compiled files, as an installed library has them.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return _seconds(lambda: subprocess.call(command, env=environment))


def import_time() -> float:
    """Importing this library, against importing the three that it is made of."""
    parts = "import azure.cognitiveservices.speech, pydantic_settings, dns.resolver"
    # Of the package alone, nothing but its names would be imported.
    whole = "from speechroute import speech_config"
    _import(whole)  # compiles
    pairs = [(_import(whole), _import(parts)) for _ in range(31)]
    ours, theirs = zip(*pairs, strict=True)
    return float(statistics.median(ours) / statistics.median(theirs))


def _serve(pipe: Connection) -> None:
    with dns_server(_respond) as server:
        pipe.send(server)
        pipe.recv()


@contextmanager
def slow_server() -> Iterator[str]:
    """A DNS server in a process of its own, so that it does not share the caller's time."""
    here, there = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(there,))
    process.start()
    yield here.recv()
    here.send("end")
    process.join()


def main() -> None:
    print(f"warm call: {warm_call():.2f} x constructing a SpeechConfig (bound 1.15)")
    print(f"run: {run_that_succeeds():.2f} x the same call with a config made by hand (bound 1.1)")
    for operation, rounds in ((_speak, 31), (_recognize, 5)):
        for dns_lags in (False, True):
            ratio = recovery(operation, dns_lags=dns_lags, rounds=rounds)
            who = "DNS lags" if dns_lags else "DNS has moved too"
            print(
                f"{operation.__name__[1:]} where the door has moved and {who}: {ratio:.2f} x "
                "refusal, observation and call (bound 1.1)"
            )
    with slow_server() as server:
        print(f"cold decision: {cold_decision(server):.2f} x one bare query (bound 1.15)")
        threads = observations_of_a_thousand(server, tasks=False)
        tasks = observations_of_a_thousand(server, tasks=True)
        print(f"1,000 first calls: {threads} observation by threads, {tasks} by tasks (bound 1)")
    print(f"import: {import_time():.2f} x its three dependencies (bound 1.1)")


if __name__ == "__main__":
    main()

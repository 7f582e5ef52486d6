"""Prints what `failure_of` says about each client of the SDK and each failure; run as a program.

Prints one JSON object: the SDK's version, and for each client what was made of each failure.
"""

from __future__ import annotations

import json
import os
import queue
import socket
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from emulators import trusted
from places import WAV
from speechroute._sdk.outcome import failure_of
from speechroute.emulator import Emulator

_PATIENCE_S = 30
_Client = Callable[[Any], Any]
_alive: list[Any] = []
"""Recognizers whose futures are waited for later: without its recognizer a future has no result."""
STATUSES = (400, 401, 403, 404, 429, 500, 503)


def _canceled(client: Any, start: Callable[[], Any]) -> Any:
    events: queue.Queue[Any] = queue.Queue()
    client.canceled.connect(events.put)
    start().get()
    return events.get(timeout=_PATIENCE_S)


def _recognizer(config: Any) -> Any:
    return speechsdk.SpeechRecognizer(config, speechsdk.audio.AudioConfig(filename=str(WAV)))


def recognition(config: Any) -> Any:
    return _recognizer(config).recognize_once()


def future(config: Any) -> Any:
    recognizer = _recognizer(config)
    _alive.append(recognizer)
    return recognizer.recognize_once_async()


def continuous(config: Any) -> Any:
    client = _recognizer(config)
    return _canceled(client, client.start_continuous_recognition_async)


def translation(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    client = speechsdk.translation.TranslationRecognizer(config, audio_config=audio)
    return client.recognize_once()


def transcription(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    client = speechsdk.transcription.ConversationTranscriber(config, audio)
    return _canceled(client, client.start_transcribing_async)


def synthesis(config: Any) -> Any:
    return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")


def synthesis_event(config: Any) -> Any:
    client = speechsdk.SpeechSynthesizer(config, None)
    events: queue.Queue[Any] = queue.Queue()
    client.synthesis_canceled.connect(events.put)
    client.speak_text("Hello")
    return events.get(timeout=_PATIENCE_S)


def audio_stream(config: Any) -> Any:
    # With a name, so that it lives on: without it a refusal is told after 40 s now and then
    # (measured, 1.53).
    synthesizer = speechsdk.SpeechSynthesizer(config, None)
    stream = speechsdk.AudioDataStream(synthesizer.start_speaking_text("Hello"))
    stream.read_data(bytes(1))
    return stream


def voices(config: Any) -> Any:
    return speechsdk.SpeechSynthesizer(config, None).get_voices_async().get()


CLIENTS = (
    recognition,
    future,
    continuous,
    translation,
    transcription,
    synthesis,
    synthesis_event,
    audio_stream,
    voices,
)


AT_ONCE = (synthesis, synthesis_event, audio_stream, voices)


def _config(client: Callable[[Any], Any], endpoint: str, proxy_port: int | None) -> Any:
    kind, more = speechsdk.SpeechConfig, {}
    if client is translation:
        kind, more = speechsdk.translation.SpeechTranslationConfig, {"target_languages": ["de"]}
    config = kind(subscription="0" * 32, endpoint=endpoint, **more)
    if proxy_port is not None:
        config.set_proxy("127.0.0.1", proxy_port)
    return config


def _proxy_port(emulator: Emulator) -> int:
    return int(emulator.proxy_url.rpartition(":")[2])


def _timed_out(outcome: Any) -> bool:
    result = outcome.get() if isinstance(outcome, speechsdk.ResultFuture) else outcome
    details = getattr(getattr(result, "result", result), "cancellation_details", None)
    return details is not None and "timeout" in details.error_details.lower()


def _ask(client: _Client, endpoint: str, port: int | None) -> Any:
    outcome = client(_config(client, endpoint, port))
    if _timed_out(outcome):
        # On a loaded machine the SDK overlooks a failure now and then, and says that no result or
        # no audio came in time (measured, 1.53: 1 call in 5000).
        outcome = client(_config(client, endpoint, port))
    return outcome


def main() -> None:
    said: dict[str, dict[str, str | None]] = {client.__name__: {} for client in CLIENTS}
    # The voices list is asked of port 443 whatever the endpoint (measured).
    others = [client for client in CLIENTS if client is not voices]
    with ExitStack() as stack:
        emulators = [stack.enter_context(Emulator()) for _ in STATUSES]
        folder = stack.enter_context(TemporaryDirectory())
        os.environ["SSL_CERT_FILE"] = trusted(emulators, folder)
        closed = stack.enter_context(socket.socket())
        closed.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can take it
        cases: list[tuple[str, Sequence[_Client], str, int | None]] = [
            ("refused", others, f"https://127.0.0.1:{closed.getsockname()[1]}/", None),
            # A label too long for DNS: it fails as a name that does not exist, and nobody is asked.
            ("unresolved", others, f"https://{'a' * 64}.invalid/", None),
            (
                "no tunnel",
                CLIENTS,
                "https://other.cognitiveservices.azure.com/",
                _proxy_port(emulators[0]),
            ),
        ]
        for status, emulator in zip(STATUSES, emulators, strict=True):
            emulator.fail_with(status)
            endpoint = f"https://{emulator.custom_domain}/"
            cases.append((str(status), CLIENTS, endpoint, _proxy_port(emulator)))
        calls = [
            (failure, client, endpoint, port)
            for failure, clients, endpoint, port in cases
            for client in clients
        ]
        # One after another, as each is told at once: beside others a synthesis that cannot connect
        # is overlooked more often, and it takes the SDK 40 s to say so.
        for failure, client, endpoint, port in calls:
            if client in AT_ONCE:
                said[client.__name__][failure] = failure_of(_ask(client, endpoint, port))
        # Side by side, as each tries again for a second or two.
        with ThreadPoolExecutor(len(calls)) as pool:
            asked = [
                (failure, client, pool.submit(_ask, client, endpoint, port))
                for failure, client, endpoint, port in calls
                if client not in AT_ONCE
            ]
            for failure, client, outcome in asked:
                said[client.__name__][failure] = failure_of(outcome.result())
    json.dump({"version": speechsdk.__version__, "said": said}, sys.stdout)


if __name__ == "__main__":
    main()

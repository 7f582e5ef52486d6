"""Every client of the real Speech SDK, run to its end with a given configuration."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from places import WAV

_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client got: its texts (or what stands for them), or the SDK's error."""

    texts: tuple[str, ...] = ()
    error: str = ""


def until(holds: Callable[[], bool]) -> None:
    """Wait for what nothing tells: the SDK's properties, and requests to the emulator."""
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "what was waited for did not come"
        time.sleep(0.005)


def _audio() -> Any:
    return speechsdk.audio.AudioConfig(filename=str(WAV))


def _of(result: Any, text: Callable[[Any], str]) -> Outcome:
    if result.reason == speechsdk.ResultReason.Canceled:
        return Outcome(error=result.cancellation_details.error_details)
    return Outcome((text(result),))


def _until_canceled(client: Any, results: Any, start: Any, stop: Any) -> Outcome:
    """Run a continuous client until the end of the stream, or an error."""
    texts: list[str] = []
    errors: list[str] = []
    ended = threading.Event()

    def on_result(event: Any) -> None:
        if event.result.text:
            texts.append(event.result.text)

    def on_canceled(event: Any) -> None:
        if event.cancellation_details.reason == speechsdk.CancellationReason.Error:
            errors.append(event.cancellation_details.error_details)
        ended.set()

    results.connect(on_result)
    client.canceled.connect(on_canceled)
    start().get()
    assert ended.wait(_PATIENCE_S), "neither the end of the stream nor an error arrived"
    if not errors:  # after an error there is nothing to stop, and the SDK takes 10 s to find out
        stop().get()
    return Outcome(tuple(texts), errors[0] if errors else "")


def recognize_once(config: Any) -> Outcome:
    return _of(speechsdk.SpeechRecognizer(config, _audio()).recognize_once(), lambda r: r.text)


def recognize_continuously(config: Any) -> Outcome:
    client = speechsdk.SpeechRecognizer(config, _audio())
    return _until_canceled(
        client,
        client.recognized,
        client.start_continuous_recognition_async,
        client.stop_continuous_recognition_async,
    )


def translate(config: Any) -> Outcome:
    client = speechsdk.translation.TranslationRecognizer(config, audio_config=_audio())
    return _of(client.recognize_once(), lambda r: r.translations["de"])


def transcribe_conversation(config: Any) -> Outcome:
    client = speechsdk.transcription.ConversationTranscriber(config, _audio())
    return _until_canceled(
        client, client.transcribed, client.start_transcribing_async, client.stop_transcribing_async
    )


def synthesize(config: Any) -> Outcome:
    result = speechsdk.SpeechSynthesizer(config, None).speak_text("Hello there")
    return _of(result, lambda r: f"{r.audio_duration.total_seconds():.2f} s")


def synthesize_text_stream(config: Any) -> Outcome:
    kind = speechsdk.SpeechSynthesisRequestInputType.TextStream
    request = speechsdk.SpeechSynthesisRequest(input_type=kind)
    synthesizer = speechsdk.SpeechSynthesizer(config, None)
    connection = speechsdk.Connection.from_speech_synthesizer(synthesizer)
    decided = threading.Event()
    connection.connected.connect(lambda _: decided.set())
    synthesizer.synthesis_canceled.connect(lambda _: decided.set())
    future = synthesizer.speak_async(request)
    # Text that is written while the SDK connects can leave it hanging, now and then, without
    # any connection attempt (measured, 1.53, on a loaded machine).
    assert decided.wait(_PATIENCE_S), "neither connected nor failed"
    for piece in ("Hello ", "there"):
        request.input_stream.write(piece)
    request.input_stream.close()
    return _of(future.get(), lambda r: f"{r.audio_duration.total_seconds():.2f} s")


def list_voices(config: Any) -> Outcome:
    # With a name, so that it lives on: the SDK asks the synthesizer for a token meanwhile, and
    # crashes if it is gone (measured, 1.53).
    synthesizer = speechsdk.SpeechSynthesizer(config, None)
    result = synthesizer.get_voices_async().get()
    if result.reason == speechsdk.ResultReason.Canceled:
        return Outcome(error=result.error_details)
    return Outcome(tuple(voice.short_name for voice in result.voices))


CLIENTS: dict[str, Callable[[Any], Outcome]] = {
    client.__name__: client
    for client in (
        recognize_once,
        recognize_continuously,
        translate,
        transcribe_conversation,
        synthesize,
        synthesize_text_stream,
        list_voices,
    )
}

"""`Clients`: each client of the SDK, used once at one door, and what it got in a word."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk

from .._core.clouds import Offering
from .._core.route import Route
from .._settings.model import SpeechSettings
from .config import plan_for, translating
from .credential import Secret
from .outcome import STATUS, failure_of

_HEADER_BYTES = 44
"""Of the RIFF file that a synthesizer makes."""
_NOT_READ_BACK = "not read back"
_LATE = "no answer in time"
_OWN = (
    speechsdk.PropertyId.SpeechServiceConnection_SynthVoice,
    speechsdk.PropertyId.SpeechServiceConnection_EndpointId,
    speechsdk.PropertyId.Speech_LogFilename,
)
"""What settings say of a program's own models and files."""


class Got(NamedTuple):
    """What a client got.

    Attributes:
        text: what was recognised.
        failure: a status of HTTP, or another word for it; empty for a result.
    """

    text: str = ""
    failure: str = ""


class Clients:
    """The clients of one door. Each is used once, blocks, and raises what making a config does.

    Args:
        settings: of the resource; their voice, model and log file are left out.
        secret: what configs authenticate with.
        route: to the door.
        seconds: for a transcription, which the SDK ends by an event.
    """

    def __init__(
        self, settings: SpeechSettings, secret: Secret, route: Route, seconds: float
    ) -> None:
        self._settings, self._secret, self._route = settings, secret, route
        self._seconds = seconds

    def _config(self, offering: Offering, kind: Callable[..., Any] = speechsdk.SpeechConfig) -> Any:
        plan = plan_for(self._settings, offering, None, self._route)
        properties = {name: text for name, text in plan.properties.items() if name not in _OWN}
        return plan._replace(properties=properties).make(kind, self._secret)

    def recognize(self, wav: str) -> Got:
        """Recognise the first phrase of a file."""
        return self._recognize(speechsdk.audio.AudioConfig(filename=wav))

    def _recognize(self, audio: Any) -> Got:
        client = speechsdk.SpeechRecognizer(self._config(Offering.STT), audio)
        return _got(client.recognize_once())

    def translate(self, wav: str) -> Got:
        """Translate the first phrase of a file; the text is what was recognised."""
        config = self._config(Offering.S2S, translating(["de"]))
        audio = speechsdk.audio.AudioConfig(filename=wav)
        client = speechsdk.translation.TranslationRecognizer(config, audio_config=audio)
        return _got(client.recognize_once())

    def transcribe(self, wav: str) -> Got:
        """Transcribe a file as a conversation."""
        audio = speechsdk.audio.AudioConfig(filename=wav)
        client = speechsdk.transcription.ConversationTranscriber(self._config(Offering.STT), audio)
        texts: list[str] = []
        failures: list[str] = []
        ended = threading.Event()

        def canceled(event: Any) -> None:
            if event.cancellation_details.reason == speechsdk.CancellationReason.Error:
                failures.append(_failure(event))
            ended.set()

        client.transcribed.connect(lambda event: texts.append(event.result.text))
        client.canceled.connect(canceled)
        client.start_transcribing_async().get()
        if not ended.wait(self._seconds):
            return Got(failure=_LATE)
        if failures:  # there is nothing to stop, and the SDK takes 10 s to find out
            return Got(failure=failures[0])
        client.stop_transcribing_async().get()
        return Got(" ".join(filter(None, texts)))

    def synthesize(self, text: str) -> Got:
        """Synthesise a text, and recognise what was synthesised, at the same door."""
        synthesizer = speechsdk.SpeechSynthesizer(self._config(Offering.TTS), None)
        result = synthesizer.speak_text(text)
        if failure := _failure(result):
            return Got(failure=failure)
        stream = speechsdk.audio.PushAudioInputStream()
        stream.write(result.audio_data[_HEADER_BYTES:])
        stream.close()
        heard, failure = self._recognize(speechsdk.audio.AudioConfig(stream=stream))
        return Got(heard, _NOT_READ_BACK if failure else "")

    def list_voices(self) -> Got:
        """List the voices."""
        # With a name, so that it lives on: the SDK crashes if it is gone (measured, 1.53).
        synthesizer = speechsdk.SpeechSynthesizer(self._config(Offering.TTS), None)
        return Got(failure=_failure(synthesizer.get_voices_async().get()))


def _got(result: Any) -> Got:
    failure = _failure(result)
    return Got("" if failure else result.text, failure)


def _failure(outcome: Any) -> str:
    """Why there is no result, without the SDK's words, which may hold the URL."""
    result = getattr(outcome, "result", outcome)
    if result.reason != speechsdk.ResultReason.Canceled:
        return ""
    details = getattr(result, "cancellation_details", None) or result
    status = re.match(STATUS, getattr(details, "error_details", None) or "")
    code = getattr(details, "error_code", getattr(details, "code", None))
    return status[1] if status else failure_of(outcome) or str(getattr(code, "name", "canceled"))

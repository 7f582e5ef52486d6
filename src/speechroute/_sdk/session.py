"""`Session`: one recognizer of a stream."""

from __future__ import annotations

import logging
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from .._core.errors import RecognitionCanceled
from .._core.stream import Recovery


class Session:
    """One recognizer of the SDK, from a place in the stream to its end."""

    def __init__(self, recognizer: Any, stream: Any) -> None:
        self.recognizer, self.stream = recognizer, stream
        self.ticks = 0
        """Where its audio begins, from the start of the whole stream."""
        self.recovery: Recovery | None = None
        """What is told once it has connected."""
        self.level = logging.INFO
        """How loud."""
        self.connection = speechsdk.Connection.from_recognizer(recognizer)
        self.has_connected = False
        self._has_audio = False
        transcribes = isinstance(recognizer, speechsdk.transcription.ConversationTranscriber)
        self.finals = recognizer.transcribed if transcribes else recognizer.recognized
        self.partials = recognizer.transcribing if transcribes else recognizer.recognizing
        # Without audio the session only stops; otherwise it is canceled first (measured, 1.53).
        self.endings = recognizer.canceled, recognizer.session_stopped
        verb = "transcribing" if transcribes else "continuous_recognition"
        self.start = getattr(recognizer, f"start_{verb}_async")
        self.stop = getattr(recognizer, f"stop_{verb}_async")

    def release(self) -> None:
        """Break the circles of references, so that the recognizer ends here and now."""
        for signal in (self.finals, self.partials, *self.endings):
            signal.disconnect_all()
        self.connection.connected.disconnect_all()

    def write(self, audio: bytes) -> None:
        """Send it audio."""
        self.stream.write(audio)
        self._has_audio = self._has_audio or bool(audio)

    def finish(self, ending: Any, *, is_closed: bool) -> None:
        """Release it, once it has ended.

        Args:
            ending: an event of the SDK, or what stopped it.
            is_closed: whether its audio has ended.

        Raises:
            RecognitionCanceled: it ended before the audio did.
            BaseException: what stopped it, if it was no event of the SDK.
        """
        self.release()
        details = getattr(ending, "cancellation_details", None)
        if details and details.reason == speechsdk.CancellationReason.Error:
            raise RecognitionCanceled.of(details.code.name, details.error_details)
        if isinstance(ending, BaseException):
            raise ending
        if not details and (self._has_audio or not is_closed):
            why = "something else stopped the recognizer, such as its own stop method."
            raise RecognitionCanceled.of("SessionStopped", why)

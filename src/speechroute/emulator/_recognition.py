"""Speech to text, translation and conversation transcription, without a socket.

Messages in, messages out. Nothing is understood: speech is told from silence by loudness, and
the text of a phrase says which door it came through and how many seconds of audio it took,
unless it was told beforehand.
"""

from __future__ import annotations

import struct
import uuid
import zlib
from array import array
from collections import deque
from collections.abc import Iterator
from itertools import chain
from typing import Any

from ._wire import Message, reply

_TICKS_PER_SECOND = 10_000_000
_FRAME_SECONDS = 0.02
_LOUD = 600
"""Peak-to-peak amplitude of a 16-bit frame above which it counts as speech."""
_PAUSE_SECONDS = 0.5
_INITIAL_SILENCE_SECONDS = 5.0
_RIFF_HEADER_BYTES = 12
_CHUNK = struct.Struct("<4sI")
_FORMAT = struct.Struct("<HHIIHH")
_SAMPLE_BITS = 16
_LOWEST_RATE = 8000


def _ticks(seconds: float) -> int:
    return round(seconds * _TICKS_PER_SECOND)


class _Segmenter:
    """Cuts 16-bit PCM into phrases at pauses; every position is in seconds of this stream."""

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._frame_bytes = 2 * channels * round(sample_rate * _FRAME_SECONDS)
        self._pending = b""
        self._frames = 0
        self._phrase_from = 0
        self._loud_from: int | None = None
        self._loud_to = 0
        self._crc = self._speech_crc = 0

    @property
    def seconds(self) -> float:
        return self._frames * _FRAME_SECONDS

    @property
    def speaking(self) -> bool:
        return self._loud_from is not None

    @property
    def speech(self) -> tuple[float, float]:
        """Offset and duration of the speech in the phrase that is open."""
        start = self._loud_from or 0
        return start * _FRAME_SECONDS, (self._loud_to - start) * _FRAME_SECONDS

    @property
    def speech_crc(self) -> int:
        """CRC-32 of that speech: the same audio has the same one, whatever came before."""
        return self._speech_crc

    def push(self, audio: bytes) -> Iterator[str]:
        """Take audio in; yields ``start``, ``more`` and ``end`` as they happen."""
        data = self._pending + audio
        whole = len(data) // self._frame_bytes * self._frame_bytes
        self._pending = data[whole:]
        for at in range(0, whole, self._frame_bytes):
            samples = array("h", data[at : at + self._frame_bytes])
            self._frames += 1
            self._crc = zlib.crc32(samples, self._crc if self.speaking else 0)
            if max(samples) - min(samples) > _LOUD:
                self._loud_to, self._speech_crc = self._frames, self._crc
                if self._loud_from is None:
                    self._loud_from = self._frames - 1
                    yield "start"
                elif (self._frames - self._loud_from) % round(0.5 / _FRAME_SECONDS) == 0:
                    yield "more"
            elif self.speaking and self._frames - self._loud_to >= _PAUSE_SECONDS / _FRAME_SECONDS:
                yield "end"

    def close_phrase(self) -> float:
        """End the phrase here; returns the seconds of audio since the one before it."""
        taken = (self._frames - self._phrase_from) * _FRAME_SECONDS
        self._phrase_from, self._loud_from = self._frames, None
        return taken


def _open_wav(data: bytes) -> tuple[_Segmenter, bytes]:
    """The segmenter for the RIFF file or stream that begins so, and the audio in this beginning.

    Raises:
        ValueError: it holds no 16-bit PCM of 8 kHz or more.
    """
    wave_format = b""
    at = _RIFF_HEADER_BYTES
    while at + _CHUNK.size <= len(data):
        name, size = _CHUNK.unpack_from(data, at)
        at += _CHUNK.size
        if name == b"fmt ":
            wave_format = data[at : at + _FORMAT.size]
        elif name == b"data" and len(wave_format) == _FORMAT.size:
            _, channels, rate, _, _, bits = _FORMAT.unpack(wave_format)
            if channels and bits == _SAMPLE_BITS and rate >= _LOWEST_RATE:
                # A stream does not know its length, and says 0 (measured, 1.53) or the maximum.
                return _Segmenter(rate, channels), data[at : at + size if size else None]
        at += size + size % 2
    raise ValueError("the emulator hears WAV with 16-bit PCM of 8 kHz or more only")


class RecognitionSession:
    """What one connection of a recognizer gets back.

    Args:
        door: the words for the door that this connection came through.
        texts: the texts of the next phrases, which uses them up; shared among sessions.
    """

    def __init__(self, door: str, texts: deque[str] | None = None) -> None:
        self._door = door
        self._texts = deque[str]() if texts is None else texts
        self._context: dict[str, Any] = {}
        self._segmenter: _Segmenter | None = None
        self._turn = ""
        self._open = False

    def receive(self, message: Message) -> Iterator[Message]:
        """The replies to one message of the client."""
        if message.path == "speech.context":
            self._context = message.json()
        elif message.path == "audio":
            yield from self._audio(message)

    def recognize(self, wav: bytes) -> dict[str, Any]:
        """The first phrase of a whole WAV file, which tells its status.

        Raises:
            ValueError: see `_open_wav`.
        """
        if not wav.startswith(b"RIFF"):
            raise ValueError("the audio is no WAV file, and the emulator hears no other")
        audio = (Message("audio", "1", part, binary=True) for part in (wav, b""))
        replies = chain.from_iterable(map(self.receive, audio))
        phrase: dict[str, Any] = next(r.json() for r in replies if r.path == "speech.phrase")
        return phrase

    def _audio(self, message: Message) -> Iterator[Message]:
        if message.request_id != self._turn:
            self._turn, self._open, self._segmenter = message.request_id, True, None
            yield self._tell("turn.start", {"context": {"serviceTag": uuid.uuid4().hex}})
        if not self._open:
            return
        audio = message.body
        if self._segmenter is None:
            self._segmenter = _Segmenter(16_000, 1)
            if audio.startswith(b"RIFF"):
                self._segmenter, audio = _open_wav(audio)
        if message.body:
            yield from self._heard(self._segmenter, audio)
        else:
            yield from self._end_of_audio(self._segmenter)

    def _heard(self, segmenter: _Segmenter, audio: bytes) -> Iterator[Message]:
        for event in segmenter.push(audio):
            offset, duration = segmenter.speech
            if event == "start":
                yield self._tell("speech.startDetected", {"Offset": _ticks(offset)})
            elif event == "more":
                text = f"{duration:.1f} seconds so far"
                yield self._translated("hypothesis", offset, duration, text, Text=text)
            else:
                yield from self._phrase(segmenter)
                if not self._continuous:
                    yield from self._end_turn()
                    return
        if not self._continuous and self._silent_too_long(segmenter):
            yield from self._nothing_heard(segmenter)

    @property
    def _continuous(self) -> bool:
        mode = str(self._context.get("phraseDetection", {}).get("mode", "interactive"))
        return mode.lower() != "interactive"

    def _silent_too_long(self, segmenter: _Segmenter) -> bool:
        return not segmenter.speaking and segmenter.seconds >= _INITIAL_SILENCE_SECONDS

    def _end_of_audio(self, segmenter: _Segmenter) -> Iterator[Message]:
        if segmenter.speaking:
            yield from self._phrase(segmenter)
        elif not self._continuous:
            yield from self._nothing_heard(segmenter)
            return
        if self._continuous:
            yield self._tell("speech.endDetected", {"Offset": _ticks(segmenter.seconds)})
            yield self._spoken("phrase", segmenter.seconds, 0.0, RecognitionStatus="EndOfDictation")
        yield from self._end_turn()

    def _nothing_heard(self, segmenter: _Segmenter) -> Iterator[Message]:
        status = "InitialSilenceTimeout"
        yield self._spoken("phrase", 0.0, segmenter.seconds, RecognitionStatus=status)
        yield from self._end_turn()

    def _phrase(self, segmenter: _Segmenter) -> Iterator[Message]:
        offset, duration = segmenter.speech
        text = f"{segmenter.close_phrase():.2f} seconds of audio arrived through {self._door}."
        if self._texts:
            text = self._texts.popleft()
        forms = dict.fromkeys(("Lexical", "ITN", "MaskedITN", "Display"), text)
        if not self._continuous:
            # The SDK stops sending audio at this message, whatever the mode (measured, 1.53).
            yield self._tell("speech.endDetected", {"Offset": _ticks(offset + duration)})
        yield self._translated(
            "phrase",
            offset,
            duration,
            text,
            RecognitionStatus="Success",
            DisplayText=text,
            NBest=[{"Confidence": 1.0, **forms}],
            EmulatorSpeechCrc32=segmenter.speech_crc,
        )

    def _translated(
        self, kind: str, offset: float, duration: float, text: str, **fields: object
    ) -> Message:
        if "speakerDiarization" in self._context.get("phraseDetection", {}):
            fields["SpeakerId"] = "Guest-1"
        spoken = self._spoken(kind, offset, duration, **fields)
        languages = self._context.get("translation", {}).get("targetLanguages", ())
        if not languages:
            return spoken
        body = {
            f"Speech{kind.capitalize()}": spoken.json(),
            "TranslationStatus": "Success",
            "Translations": [{"Language": to, "Text": f"[{to}] {text}"} for to in languages],
        }
        return self._tell("translation.response", body)

    def _spoken(self, kind: str, offset: float, duration: float, **fields: object) -> Message:
        body = {
            "Id": uuid.uuid4().hex,
            "Offset": _ticks(offset),
            "Duration": _ticks(duration),
            "Channel": 0,
            **fields,
        }
        return self._tell(f"speech.{kind}", body)

    def _end_turn(self) -> Iterator[Message]:
        self._open = False
        yield self._tell("turn.end", {})

    def _tell(self, path: str, body: object) -> Message:
        return reply(path, self._turn, body)

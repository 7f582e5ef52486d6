"""Text to speech, without a socket: every text becomes a quiet tone as long as the text."""

from __future__ import annotations

import math
import re
import struct
import uuid
import xml.etree.ElementTree as ET
from array import array
from collections.abc import Iterator
from functools import cache

from ._wire import Message, reply

_SECONDS_PER_CHARACTER = 0.06
_TONE_HZ = 440
_AMPLITUDE = 3000
_CHUNK_BYTES = 8192
_RATES = {
    "8khz": 8000,
    "16khz": 16_000,
    "22050hz": 22_050,
    "24khz": 24_000,
    "44100hz": 44_100,
    "48khz": 48_000,
}
_FORMAT = re.compile(rf"(riff|raw)-({'|'.join(_RATES)})-16bit-mono-pcm")


class UnsupportedFormat(ValueError):
    """The client asked for an audio format that the emulator does not make."""


@cache
def _second(rate: int) -> bytes:
    """One second of the tone, which holds a whole number of its periods."""
    step = 2 * math.pi * _TONE_HZ / rate
    return array("h", (round(_AMPLITUDE * math.sin(step * i)) for i in range(rate))).tobytes()


def tone(text: str, audio_format: str) -> bytes:
    """A tone of 60 ms for each character of ``text``.

    Raises:
        UnsupportedFormat: the format is not 16-bit mono PCM, with or without a RIFF header.
    """
    match = _FORMAT.fullmatch(audio_format)
    if match is None:
        raise UnsupportedFormat(
            f"the emulator makes no {audio_format!r}; ask for 16-bit mono PCM, "
            "for example riff-16khz-16bit-mono-pcm"
        )
    container, rate_name = match.groups()
    rate = _RATES[rate_name]
    size = 2 * round(len(text) * _SECONDS_PER_CHARACTER * rate)
    second = _second(rate)
    samples = (second * (size // len(second) + 1))[:size]
    if container == "raw":
        return samples
    return (
        struct.pack(
            "<4sI8sIHHIIHH",
            b"RIFF",
            36 + len(samples),
            b"WAVEfmt ",
            16,
            1,
            1,
            rate,
            2 * rate,
            2,
            16,
        )
        + struct.pack("<4sI", b"data", len(samples))
        + samples
    )


def ssml_text(ssml: bytes) -> str:
    """What SSML says, without its markup.

    Raises:
        ValueError: it is no XML.
    """
    try:
        # Python's expat limits entity expansion; this reads what the own program wrote.
        return "".join(ET.fromstring(ssml).itertext())  # noqa: S314
    except (ET.ParseError, LookupError, ValueError) as error:  # the latter: its encoding
        raise ValueError(f"this is no SSML: {type(error).__name__}: {error}") from None


class SynthesisSession:
    """What one WebSocket connection of a synthesizer gets back."""

    def __init__(self) -> None:
        self._format = "riff-16khz-16bit-mono-pcm"
        self._pieces: list[str] = []

    def receive(self, message: Message) -> Iterator[Message]:
        """The replies to one message of the client.

        Raises:
            UnsupportedFormat: see `tone`.
            ValueError: see `ssml_text`.
        """
        if message.path == "synthesis.context":
            audio = message.json().get("synthesis", {}).get("audio", {})
            self._format = audio.get("outputFormat", self._format)
            self._pieces = []
        elif message.path == "ssml":
            yield from self._speak(message.request_id, ssml_text(message.body))
        elif message.path == "text.piece":
            self._pieces.append(message.body.decode())
        elif message.path == "text.end":
            yield from self._speak(message.request_id, "".join(self._pieces))

    def _speak(self, request_id: str, text: str) -> Iterator[Message]:
        audio = tone(text, self._format)
        stream_id = uuid.uuid4().hex
        context = {"serviceTag": uuid.uuid4().hex}
        yield reply("turn.start", request_id, {"context": context})
        response = {"context": context, "audio": {"type": "inline", "streamId": stream_id}}
        yield reply("response", request_id, response)
        headers = (("X-StreamId", stream_id),)
        for at in range(0, len(audio), _CHUNK_BYTES):
            chunk = audio[at : at + _CHUNK_BYTES]
            yield Message("audio", request_id, chunk, headers, binary=True)
        yield Message("audio", request_id, b"", headers, binary=True)
        yield reply("turn.end", request_id, {})

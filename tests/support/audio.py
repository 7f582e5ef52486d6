"""Audio, and what the emulator hears in it."""

from __future__ import annotations

import json
import struct
from array import array
from collections import deque
from collections.abc import Iterable

from speechroute.emulator._recognition import RecognitionSession
from speechroute.emulator._wire import Message


def pcm(*seconds: tuple[float, bool]) -> bytes:
    """16 kHz PCM: seconds of square wave (True) or silence (False)."""
    samples = array("h")
    for length, loud in seconds:
        level = 5000 if loud else 0
        samples.extend(level if n % 40 < 20 else -level for n in range(round(16_000 * length)))
    return samples.tobytes()


def hear(mode: str, *chunks: bytes, texts: Iterable[str] = ()) -> list[Message]:
    session = RecognitionSession("the door", deque(texts))
    body = json.dumps({"phraseDetection": {"mode": mode}}).encode()
    assert list(session.receive(Message("speech.context", "1", body))) == []
    audio: Iterable[bytes] = (*chunks, b"")
    return [
        reply for c in audio for reply in session.receive(Message("audio", "1", c, binary=True))
    ]


def wav(channels: int, rate: int, bits: int, audio: bytes) -> bytes:
    header = struct.pack(
        "<4sI8sIHHIIHH", b"RIFF", 0, b"WAVEfmt ", 16, 1, channels, rate, 0, 0, bits
    )
    return header + struct.pack("<4sI", b"data", 0) + audio

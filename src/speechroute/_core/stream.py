"""A stream of pushed audio as values: its form, its results and breaks, and what is kept of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from .route import Route

_TICKS_PER_SECOND = 10_000_000
"""The SDK counts in units of 100 ns."""


class StreamResult(NamedTuple):
    """A result of the SDK, at its place in the whole stream.

    Attributes:
        text: what was recognised; empty for a result without a match.
        offset: from the start of the stream, in ticks of 100 ns.
        duration: in ticks of 100 ns.
        result: the SDK's result. Its own ``offset`` and ``json`` count from the last change of
            doors.
    """

    text: str
    offset: int
    duration: int
    result: Any


class Recovery(NamedTuple):
    """One break in the middle of a stream, after which it went on.

    Attributes:
        before: the route that failed.
        after: the route that the stream goes on with; the same if the door was opened again.
        failure: what happened at the door, ``401``, ``403``, ``404`` or ``no connection``.
        replayed_seconds: how much audio was sent again.
        lost_seconds: how much was older than what is kept, and will not be recognised.
    """

    before: Route
    after: Route
    failure: str
    replayed_seconds: float
    lost_seconds: float


class PcmFormat(NamedTuple):
    """How pushed audio is to be read: PCM samples without a header."""

    samples_per_second: int = 16_000
    bits_per_sample: int = 16
    channels: int = 1


class ReplayBuffer:
    """The unrecognised end of a stream, bounded.

    Args:
        samples_per_second: of each channel.
        frame_bytes: bytes of one sample of all channels.
        seconds: what is kept at most; older audio is forgotten.
    """

    def __init__(self, samples_per_second: int, frame_bytes: int, seconds: float) -> None:
        self._rate = samples_per_second
        self._frame_bytes = frame_bytes
        self._limit = round(seconds * samples_per_second) * frame_bytes
        self._audio = bytearray()
        self._start = 0  # bytes from the start of the stream
        self._recognised = 0

    @property
    def audio(self) -> bytes:
        """What is kept."""
        return bytes(self._audio)

    @property
    def ticks(self) -> int:
        """Where it begins, in ticks of 100 ns from the start of the stream."""
        return self._start // self._frame_bytes * _TICKS_PER_SECOND // self._rate

    @property
    def seconds(self) -> float:
        """How much it is."""
        return self._seconds(len(self._audio))

    @property
    def replay(self) -> tuple[float, float]:
        """How much that is, and how much before it was neither recognised nor kept, seconds."""
        return self.seconds, self._seconds(self._start - self._recognised)

    def append(self, audio: bytes) -> None:
        self._audio += audio
        # Whole frames only, so that what is left begins with one.
        excess = -(-max(0, len(self._audio) - self._limit) // self._frame_bytes)
        self._drop(excess * self._frame_bytes)

    def recognised(self, ticks: int) -> None:
        """All audio before this place is recognised."""
        place = ticks * self._rate // _TICKS_PER_SECOND * self._frame_bytes
        self._drop(place - self._start)
        self._recognised = max(self._recognised, min(place, self._start))

    def _drop(self, size: int) -> None:
        dropped = min(max(0, size), len(self._audio) // self._frame_bytes * self._frame_bytes)
        del self._audio[:dropped]
        self._start += dropped

    def _seconds(self, size: int) -> float:
        return size / self._frame_bytes / self._rate

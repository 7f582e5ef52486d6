"""`ReplayBuffer`: the audio of a stream that may have to be sent again."""

from __future__ import annotations

_TICKS_PER_SECOND = 10_000_000
"""The SDK counts in units of 100 ns."""


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

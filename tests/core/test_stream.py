"""What is kept of a stream of pushed audio."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechroute._core.stream import ReplayBuffer

TICKS = 10_000_000
FRAMES = st.sampled_from([1, 2, 4, 6])


@given(
    st.lists(
        st.one_of(st.binary(max_size=50), st.integers(0, 200)),
        max_size=30,
    ),
    FRAMES,
    st.integers(1, 20),
)
def test_the_buffer_keeps_the_unrecognised_end(
    steps: list[bytes | int], frame_bytes: int, kept_frames: int
) -> None:
    rate = 1000
    buffer = ReplayBuffer(rate, frame_bytes, kept_frames / rate)
    whole, recognised = b"", 0
    for step in steps:
        if isinstance(step, bytes):
            whole += step
            buffer.append(step)
        else:
            recognised = max(recognised, step)
            buffer.recognised(step * TICKS // rate)
        start = buffer.ticks * rate // TICKS * frame_bytes
        assert buffer.audio == whole[start:]
        assert len(buffer.audio) <= kept_frames * frame_bytes
        assert buffer.seconds == pytest.approx(len(buffer.audio) / frame_bytes / rate)
        assert start % frame_bytes == 0
        assert buffer.replay[1] >= 0

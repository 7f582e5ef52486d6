"""`boot_time`: the clock of routes, which goes on while the machine sleeps."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

Clock = Callable[[], float]
"""Seconds that never run backwards."""


def _boot_time() -> Clock:
    # ``time.monotonic`` stands still meanwhile on Linux (clock_gettime(2)) and on macOS, where
    # CLOCK_MONOTONIC does not; on Windows it goes on (GetTickCount64).
    name = "CLOCK_MONOTONIC" if sys.platform == "darwin" else "CLOCK_BOOTTIME"
    try:
        clock = partial(time.clock_gettime, getattr(time, name))
        clock()
    except (AttributeError, OSError):  # Windows; an old kernel
        return time.monotonic
    return clock


boot_time = _boot_time()
"""Seconds since the machine was started, those asleep included, where the system tells."""

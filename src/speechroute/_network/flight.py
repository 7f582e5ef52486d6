"""`Flight`: an observation that is under way, and who waits for it; `start` starts it.

Without a lock that the interrupted thread may hold when a signal handler waits in here.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Flight(Generic[T]):
    """An observation that is reserved or under way. Several may start it, one makes it.

    Each step is one of ``list``, which neither a signal nor another thread can cut in two.

    Attributes:
        asked_at: when it was reserved, seconds on the clock of the resolver.
        is_after_refusal: whether a door was refused before.
        is_started: whether a thread was started for it.
    """

    def __init__(self, asked_at: float, *, is_after_refusal: bool) -> None:
        self.asked_at = asked_at
        self.is_after_refusal = is_after_refusal
        self.is_started = False
        self._right_to_begin = [True]
        self._landed: list[T] = []
        self._waiting: list[Callable[[], object]] = []

    def begins(self) -> bool:
        """Whether the caller is the first; the others have nothing to do."""
        try:
            return self._right_to_begin.pop()
        except IndexError:
            return False

    def land(self, outcome: T) -> None:
        """Tell everybody who waits. The first outcome counts."""
        self._landed.append(outcome)
        self._wake()

    def when_landed(self, call: Callable[[], object]) -> None:
        """Call it, perhaps twice, once it has landed, in any thread, or now."""
        self._waiting.append(call)
        if self._landed:
            self._wake()

    def _wake(self) -> None:
        # All, and all again: what interrupted the one that woke them may have been an exception.
        for call in list(self._waiting):
            with suppress(RuntimeError):  # a lock that is released already
                call()

    def outcome(self) -> T:
        """Wait for it."""
        if not self._landed:
            landed = _thread.allocate_lock()  # of this call alone
            landed.acquire()
            self.when_landed(landed.release)
            landed.acquire()
        return self._landed[0]


def start(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a thread for which neither Ctrl-C nor the end of the process waits.

    Not by ``threading.Thread``, which takes a lock of all threads to start one.

    Raises:
        RuntimeError: no thread can be started.
    """
    _thread.start_new_thread(_run, (function, arguments))


def _run(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    if trace := threading.gettrace():
        sys.settrace(trace)  # of a debugger, or of coverage, as in threads of ``threading``
    function(*arguments)

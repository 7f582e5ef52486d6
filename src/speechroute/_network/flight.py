"""`Flight`: an observation that is under way, and who waits for it; `start` and `later` start it.

Without a lock that the interrupted thread may hold when a signal handler waits in here.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from enum import IntEnum
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class Doubt(IntEnum):
    """What a door has answered before an observation."""

    NONE = 0
    REFUSED = 1
    """It has refused."""
    MAY_HAVE_MOVED = 2
    """It has refused, and that may mean the route, whatever DNS says."""


class Flight(Generic[T]):
    """An observation that is reserved or under way. Several may start it, one makes it.

    Each step is one of ``list``, which neither a signal nor another thread can cut in two.

    Attributes:
        asked_at: when it was reserved, seconds on the clock of the resolver.
        doubt: what it is made for.
        is_started: whether a thread was started for it.
    """

    def __init__(self, asked_at: float, doubt: Doubt = Doubt.NONE) -> None:
        self.asked_at = asked_at
        self.doubt = doubt
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


def later(function: Callable[..., T], *arguments: Any, **named: Any) -> Future[T]:
    """What a function returns or raises in a thread of its own; here, if none can be started."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments, **named))
        except BaseException as error:  # noqa: BLE001  # a thread hands on whatever happens
            future.set_exception(error)

    try:
        start(run)
    except RuntimeError:
        run()
    return future


def _run(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    if trace := threading.gettrace():
        sys.settrace(trace)  # of a debugger, or of coverage, as in threads of ``threading``
    function(*arguments)

"""`start`: a thread without the locks that ``threading`` takes to start one.

A signal may interrupt the thread that holds such a lock, and its handler may wait for what is
started here.
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from typing import Any


def start(function: Callable[..., object], *arguments: object) -> None:
    """Call a function in a thread for which neither Ctrl-C nor the end of the process waits.

    Raises:
        RuntimeError: no thread can be started.
    """
    _thread.start_new_thread(_run, (function, arguments))


def _run(function: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    if trace := threading.gettrace():
        sys.settrace(trace)  # of a debugger, or of coverage, as in threads of ``threading``
    function(*arguments)

"""Other programs, run by a command in its own place."""

from __future__ import annotations

import signal
import subprocess

from .console import errors_console

KILLED = 128
"""What a shell adds to the number of the signal that ended a command."""


def run_to_end(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end and return the exit code as a shell does, signals included."""
    waiting: list[int] = []
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    for number in numbers:
        signal.signal(number, lambda received, _: waiting.append(received))
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        return tell_why_not(command, error)
    for number in numbers:
        signal.signal(number, lambda received, _: process.send_signal(received))
    # Ctrl-C reaches the command itself: it is in the terminal's foreground with this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in waiting:
        process.send_signal(number)
    code = process.wait()
    return code if code >= 0 else KILLED - code


def tell_why_not(command: list[str], error: OSError) -> int:
    """Say that a command cannot be run, and return the exit code for it."""
    errors_console.print(f"Cannot run {command[0]}: {error.strerror}", markup=False)
    return 2

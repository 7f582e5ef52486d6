"""What the commands share.

Exit codes: 0 fine, 1 a problem was found, 2 wrong usage or settings.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from .._core.errors import SettingsError, SpeechRouteError, UnsupportedUrl

console = Console(highlight=False)
errors_console = Console(stderr=True, highlight=False)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def print_json(value: Any, indent: int | None = 2) -> None:
    """One JSON document on standard output, never styled or wrapped."""
    typer.echo(json.dumps(value, indent=indent, default=str))


def describe_error(error: SpeechRouteError) -> dict[str, Any]:
    return {"type": type(error).__name__, "message": str(error)}


@contextlib.contextmanager
def reported(as_json: bool, indent: int | None = 2) -> Iterator[None]:
    """Turn this library's errors into output and an exit code."""
    try:
        yield
    except SpeechRouteError as error:
        if as_json:
            print_json({"error": describe_error(error)}, indent)
        else:
            errors_console.print(Text.assemble(("Error: ", "bold red"), str(error)))
        usage = isinstance(error, (SettingsError, UnsupportedUrl))
        raise typer.Exit(2 if usage else 1) from None


def stop_on_signals() -> list[int]:
    """Turn SIGTERM and SIGHUP into KeyboardInterrupt, so that temporary files are removed.

    Returns:
        A list that the numbers of the signals that arrive are added to.
    """
    received: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        received.append(number)
        raise KeyboardInterrupt

    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), stop)
    return received

"""``speechroute run``: an unmodified program whose configs take the route."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._settings.model import SpeechSettings
from .console import JsonFlag, reported
from .processes import run_to_end, tell_why_not

_STARTUP = Path(__file__).with_name("startup")


def run(
    command: Annotated[
        list[str],
        typer.Argument(
            help="What to run; after --. A .py file, -m or -c is run by this Python.",
            metavar="-- COMMAND",
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Run a Python program, and the ones that it starts, whose SpeechConfigs take the route.

    The settings must be there when it starts; each process reads them at its first config. Not
    reached: a Python that was started with -I, -E or -S or without PYTHONPATH, or that lacks
    speechroute.
    """
    with reported(as_json):
        SpeechSettings()  # what cannot work is told now, not by the program
    if command[0] in ("-m", "-c") or command[0].endswith(".py"):
        command = [sys.executable, *command]
    path = os.pathsep.join(filter(None, [str(_STARTUP), os.environ.get("PYTHONPATH")]))
    environment = {**os.environ, "PYTHONPATH": path}
    if os.name == "posix":
        raise typer.Exit(_become(command, environment))
    raise typer.Exit(run_to_end(command, environment))


def _become(command: list[str], environment: dict[str, str]) -> int:
    """Go on as another program, which gets every signal itself; returns if there is none."""
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606
    except OSError as error:
        return tell_why_not(command, error)

"""``speechroute run``: an unmodified program whose configs take the route."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from .._settings import SpeechSettings
from ._app import JsonFlag, app, reported
from ._processes import run_to_end

_STARTUP = Path(__file__).with_name("_startup")


@app.command()
def run(
    command: Annotated[
        list[str],
        typer.Argument(
            help="What to run; after --. A .py file, or -m and a module, by this Python.",
            metavar="-- COMMAND",
        ),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Run a Python program, and the ones that it starts, whose SpeechConfigs take the route.

    Each process reads the settings when it makes its first config. Programs that Python runs with
    -I, -E or -S, and other Pythons without speechroute, are not reached.
    """
    with reported(as_json):
        SpeechSettings()  # what cannot work is told now, not by the program
    if command[0] == "-m" or command[0].endswith(".py"):
        command = [sys.executable, *command]
    path = os.pathsep.join(filter(None, [str(_STARTUP), os.environ.get("PYTHONPATH")]))
    raise typer.Exit(run_to_end(command, {**os.environ, "PYTHONPATH": path}))

"""``speechroute emulate``: Azure Speech on loopback, and a command inside it."""

from __future__ import annotations

import json
import os
import shlex
import sys
import threading
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from .console import JsonFlag, errors_console, print_json, stop_on_signals
from .processes import KILLED, run_to_end

if TYPE_CHECKING:
    from ..emulator import Emulator


class EmulatedState(StrEnum):
    """The states of `speechroute.emulator.State`, without importing it for every command."""

    VNET = "vnet"
    PROXY = "proxy"
    REMOVED = "removed"


class EmulatedGeneration(StrEnum):
    """Those of `speechroute.emulator.Generation`, likewise."""

    Y2024 = "2024"
    Y2026 = "2026"
    STRICT = "strict"


def require_emulator() -> None:
    """Say how to install the emulator where it is not."""
    try:
        import aiohttp  # noqa: F401
        import trustme  # noqa: F401
    except ImportError:
        errors_console.print(
            "This command needs its extra: pip install 'speechroute[emulator]'", markup=False
        )
        raise typer.Exit(2) from None


def emulate(
    command: Annotated[
        list[str] | None, typer.Argument(help="Run this inside; after --.", metavar="-- COMMAND")
    ] = None,
    state: Annotated[EmulatedState, typer.Option(help="The state to start in.")] = (
        EmulatedState.VNET
    ),
    generation: Annotated[
        EmulatedGeneration,
        typer.Option(
            help="Without a private endpoint, the custom domain answers 404 (2024), or leads to "
            "the region (2026), which lets in nobody else (strict)."
        ),
    ] = EmulatedGeneration.Y2024,
    as_json: JsonFlag = False,
) -> None:
    """Run Azure Speech on loopback, and COMMAND inside it under production host names.

    Without COMMAND, prints the environment to set elsewhere and runs until Ctrl-C.
    The state is switched with: curl -X PUT -d removed URL/state
    """
    require_emulator()
    from ..emulator import Emulator

    received = stop_on_signals()
    try:
        with Emulator(state.value, generation=generation.value) as emulator:
            _emulate(emulator, command or [], as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(KILLED + received[0] if command else 0) from None


def _emulate(emulator: Emulator, command: list[str], *, as_json: bool) -> None:
    environment, state, generation = emulator.environment, emulator.state, emulator.generation
    description = {"generation": generation, "state": state, "environment": environment}
    what = f"generation {generation}, state {state}"
    if command:
        if as_json:  # standard output belongs to the command
            typer.echo(json.dumps(description), err=True)
        else:
            _say(f"Emulating Azure Speech, {what}. Switch with:", emulator.proxy_url)
        raise typer.Exit(run_to_end(command, emulator.environment_over(os.environ)))
    if as_json:
        print_json(description)
    else:
        for name, value in environment.items():
            typer.echo(f"export {name}={shlex.quote(value)}")
    sys.stdout.flush()
    _say(f"Emulating, {what}, until Ctrl-C. Switch with:", emulator.proxy_url)
    threading.Event().wait()


def _say(text: str, proxy_url: str) -> None:
    errors_console.print(
        f"{text}\n  curl -X PUT -d removed {proxy_url}/state", markup=False, soft_wrap=True
    )

"""``speechroute emulate``: Azure Speech on loopback, and a command inside it."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import threading
from enum import StrEnum
from typing import Annotated

import typer

from ._app import JsonFlag, app, errors_console, print_json

_OWN_VARIABLES = ("SPEECH_", "AZURE_SPEECH_")
_PROXY_VARIABLES = ("https_proxy", "no_proxy")
_KILLED = 128
"""What a shell adds to the number of the signal that ended a command."""


class EmulatedState(StrEnum):
    """The states of `speechroute.emulator.State`, without importing it for every command."""

    VNET = "vnet"
    PROXY = "proxy"
    REMOVED = "removed"


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


def child_environment(emulated: dict[str, str]) -> dict[str, str]:
    """This environment with the emulator's variables and none of the user's Speech settings."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(_OWN_VARIABLES) and name.lower() not in _PROXY_VARIABLES
    }
    return {**kept, **emulated}


def _run(command: list[str], environment: dict[str, str]) -> int:
    """Run to the end and return the exit code as a shell does, signals included."""
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        errors_console.print(f"Cannot run {command[0]}: {error.strerror}", markup=False)
        return 2
    # Ctrl-C reaches the command itself; what it makes of it is its own affair.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    code = process.wait()
    return code if code >= 0 else _KILLED + -code


@app.command()
def emulate(
    command: Annotated[
        list[str] | None, typer.Argument(help="Run this inside; after --.", metavar="-- COMMAND...")
    ] = None,
    state: Annotated[EmulatedState, typer.Option(help="The state to start in.")] = (
        EmulatedState.VNET
    ),
    as_json: JsonFlag = False,
) -> None:
    """Run Azure Speech on loopback, and COMMAND inside it under production host names.

    Without COMMAND, prints the environment to set elsewhere and runs until Ctrl-C.
    The state is switched with: curl -X PUT -d removed URL/state
    """
    require_emulator()
    from ..emulator import Emulator

    # Before anything is printed: who reads it may send the signal at once.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt), Emulator(state.value) as emulator:
        environment = emulator.environment
        if command:
            _say(f"Emulating Azure Speech, state {state}. Switch with:", emulator.proxy_url)
            raise typer.Exit(_run(command, child_environment(environment)))
        if as_json:
            print_json({"state": state, "environment": environment})
        else:
            for name, value in environment.items():
                typer.echo(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        _say(f"Emulating, state {state}, until Ctrl-C. Switch with:", emulator.proxy_url)
        threading.Event().wait()


def _say(text: str, proxy_url: str) -> None:
    errors_console.print(
        f"{text}\n  curl -X PUT -d removed {proxy_url}/state", markup=False, soft_wrap=True
    )

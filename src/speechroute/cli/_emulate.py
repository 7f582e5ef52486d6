"""``speechroute emulate``: Azure Speech on loopback, and a command inside it."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
from enum import StrEnum
from typing import Annotated

import typer

from ._app import JsonFlag, app, errors_console, print_json

_OWN_VARIABLES = ("SPEECH_", "AZURE_SPEECH_")
_PROXY_VARIABLES = ("https_proxy", "no_proxy")


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


def _wait_for_signal() -> None:
    """Return on Ctrl-C or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return


@app.command(context_settings={"ignore_unknown_options": False})
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

    with Emulator(state.value) as emulator:
        environment = emulator.environment
        if command:
            _say(f"Emulating Azure Speech, state {state}. Switch with:", emulator.proxy_url)
            if as_json:
                errors_console.print_json(data={"state": state, "environment": environment})
            try:
                done = subprocess.run(command, env=child_environment(environment), check=False)
            except OSError as error:
                errors_console.print(f"Cannot run {command[0]}: {error.strerror}", markup=False)
                raise typer.Exit(2) from None
            except KeyboardInterrupt:
                raise typer.Exit(130) from None
            raise typer.Exit(done.returncode if done.returncode >= 0 else 128 - done.returncode)
        if as_json:
            print_json({"state": state, "environment": environment})
        else:
            for name, value in environment.items():
                typer.echo(f"export {name}={shlex.quote(value)}")
        sys.stdout.flush()
        _say(f"Emulating, state {state}, until Ctrl-C. Switch with:", emulator.proxy_url)
        _wait_for_signal()


def _say(text: str, proxy_url: str) -> None:
    errors_console.print(
        f"{text}\n  curl -X PUT -d removed {proxy_url}/state", markup=False, soft_wrap=True
    )

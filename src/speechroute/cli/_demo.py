"""``speechroute demo``: three states, three ways to configure, one real SDK."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import typer
from rich.live import Live
from rich.table import Table

from ._app import JsonFlag, app, console, print_json
from ._emulate import child_environment, require_emulator

_STATES = {
    "vnet": "private endpoint,\nseen from the VNet",
    "proxy": "private endpoint,\nseen from outside",
    "removed": "private endpoints\nremoved",
}
_WAYS = {
    "region": "SpeechConfig(\n  region=...)",
    "endpoint": "SpeechConfig(\n  endpoint=...)",
    "speechroute": "speech_config()\n",
}
_Results = dict[str, dict[str, dict[str, Any]]]


@contextmanager
def _worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A process with the real SDK: the emulator's CA must be set before it starts."""
    command = [sys.executable, "-m", "speechroute.cli._demo_worker"]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=child_environment(environment), stdin=pipe, stdout=pipe, text=True, bufsize=1
    ) as process:
        try:
            yield process
        finally:
            if process.stdin:
                process.stdin.close()


def _ask(process: subprocess.Popen[str], way: str, wav: str) -> dict[str, Any]:
    line = ""
    if process.stdin and process.stdout:
        process.stdin.write(json.dumps({"way": way, "wav": wav}) + "\n")
        line = process.stdout.readline()
    if not line:
        raise typer.Exit(1)
    answer: dict[str, Any] = json.loads(line)
    return answer


def _cell(result: dict[str, Any] | None) -> str:
    if result is None:
        return "..."
    if result["recognised"]:
        return "[green]recognised[/]"
    return f"[red]error {result['status'] or '?'}[/]"


def _table(results: _Results) -> Table:
    table = Table(title="What the real Speech SDK gets", show_lines=True)
    table.add_column("state of the resource")
    for title in _WAYS.values():
        table.add_column(title)
    for state, label in _STATES.items():
        row = results.get(state, {})
        table.add_row(label, *(_cell(row.get(way)) for way in _WAYS))
    return table


def _collect(live: Live | None) -> _Results:
    from ..emulator import Emulator

    results: _Results = {state: {} for state in _STATES}
    wav = as_file(files(__package__) / "question.wav")
    with Emulator() as emulator, _worker(emulator.environment) as process, wav as path:
        for state in _STATES:
            emulator.state = state
            for way in _WAYS:
                results[state][way] = _ask(process, way, str(path))
                if live:
                    live.update(_table(results))
    return results


@app.command()
def demo(as_json: JsonFlag = False) -> None:
    """Recognise a WAV file in all three network states. Needs no Azure account.

    Everything runs on loopback, against the emulator. Beside speechroute's result stands what
    the two configurations that people write by hand get.
    """
    require_emulator()
    if as_json:
        results = _collect(None)
        print_json(results)
    else:
        with Live(_table({}), console=console, auto_refresh=False) as live:
            live.refresh()
            results = _collect(live)
            live.refresh()
        for state in _STATES:
            result = results[state]["speechroute"]
            console.print(f"{state}: {result['text'] or result['error']}", markup=False)
    recognised = sum(row["speechroute"]["recognised"] for row in results.values())
    if not as_json:
        console.print(f"speechroute: {recognised} of {len(_STATES)} states recognised")
    if recognised < len(_STATES):
        raise typer.Exit(1)

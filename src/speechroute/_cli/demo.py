"""``speechroute demo``: two generations, three states, four kinds of config, one real SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from typing import TYPE_CHECKING

import azure.cognitiveservices.speech as speechsdk
import typer
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .._network.proxy import choose_proxy
from .._sdk.factory import SpeechConfigFactory
from .._settings.model import SpeechSettings
from .console import JsonFlag, console, print_json, reported, stop_on_signals
from .emulate import require_emulator

if TYPE_CHECKING:
    from ..emulator import Emulator

_GENERATIONS = {
    "2024": "2024: without a private endpoint the custom domain answers 404",
    "2026": "2026: without a private endpoint the custom domain redirects to the region",
}
_STATES = {
    "removed": "no private endpoint",
    "vnet": "private endpoint,\nseen from the VNet",
    "proxy": "private endpoint,\nseen from outside",
}
"""In the order in which they are tried, so that a redirect comes before a private endpoint."""
_KINDS = {
    "region": "region=...",
    "endpoint": "endpoint=...",
    "speechroute": "speechroute",
    "redirected": "endpoint=...\nredirected\nbefore",
}
_REDIRECTING = ("2026",)
_REDIRECT_CACHE = "SPEECH-WEBSOCKET_USE_REDIRECT_CACHE"


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one kind of config got in one state."""

    recognised: bool
    text: str
    error: str
    status: int | None

    def __str__(self) -> str:
        return "[green]recognised[/]" if self.recognised else f"[red]error {self.status or '?'}[/]"


_Rows = dict[str, dict[str, _Cell]]
"""By state and kind."""


def _kinds(generation: str) -> dict[str, str]:
    """The columns of a generation: only where it redirects can a process have been redirected."""
    is_redirecting = generation in _REDIRECTING
    return {k: title for k, title in _KINDS.items() if is_redirecting or k != "redirected"}


def _static_config(settings: SpeechSettings, kind: str, region: str) -> speechsdk.SpeechConfig:
    """What people write by hand, and the proxy without which nothing is reached here."""
    custom_domain = settings.resource.custom_domain or ""
    door = {"region": region} if kind == "region" else {"endpoint": f"https://{custom_domain}/"}
    config = speechsdk.SpeechConfig(subscription=settings.key.get_secret_value(), **door)
    if kind == "endpoint":  # as in a process that has just started (measured, 1.53)
        config.set_property_by_name(_REDIRECT_CACHE, "false")
    proxy = choose_proxy(settings.proxy.get_secret_value(), custom_domain, is_direct=False).proxy
    if proxy:
        config.set_proxy(proxy.host, proxy.port)
    return config


def _recognise(config: speechsdk.SpeechConfig, wav: str) -> _Cell:
    audio = speechsdk.audio.AudioConfig(filename=wav)
    result = speechsdk.SpeechRecognizer(config, audio).recognize_once()
    recognised = result.reason == speechsdk.ResultReason.RecognizedSpeech
    canceled = result.reason == speechsdk.ResultReason.Canceled
    error = result.cancellation_details.error_details if canceled else ""
    status = re.search(r"\((\d{3})\)", error)
    return _Cell(recognised, result.text, error, int(status[1]) if status else None)


def _run(emulator: Emulator, factory: SpeechConfigFactory, wav: str) -> Iterator[_Rows]:
    """One generation: the rows as far as they are known, first without any."""
    kinds = _kinds(emulator.generation)
    rows: _Rows = {state: {} for state in _STATES}
    yield rows
    for state, row in rows.items():
        emulator.state = state
        factory.invalidate()
        for kind in kinds:
            if kind == "speechroute":
                config = factory.speech_config()
            else:
                config = _static_config(factory.settings, kind, emulator.region)
            row[kind] = _recognise(config, wav)
            yield rows


def _table(generation: str, rows: _Rows) -> Table:
    kinds = _kinds(generation)
    table = Table(title=_GENERATIONS[generation], title_justify="left", show_lines=True)
    table.add_column("resource")
    for title in kinds.values():
        table.add_column(title)
    for state, label in _STATES.items():
        table.add_row(label, *(str(rows[state].get(kind, "...")) for kind in kinds))
    return table


def _collect(*, is_shown: bool) -> dict[str, _Rows]:
    """By generation."""
    from ..emulator import Emulator

    results: dict[str, _Rows] = {}
    wav = as_file(files(__package__) / "question.wav")
    with Emulator() as emulator, wav as path:
        emulated = emulator.environment_over(os.environ)
        os.environ.clear()
        # Read when the SDK connects for the first time (measured, 1.53: SDK-TRUST).
        os.environ.update(emulated)
        factory = SpeechConfigFactory(SpeechSettings(_env_file=None))
        for generation in _GENERATIONS:
            emulator.generation = generation
            shown = Live(console=console, auto_refresh=False) if is_shown else nullcontext()
            with shown as live:
                for rows in _run(emulator, factory, str(path)):
                    results[generation] = rows
                    if live:
                        live.update(_table(generation, rows), refresh=True)
            if is_shown:
                console.print()
    return results


def demo(as_json: JsonFlag = False) -> None:
    """Recognise a WAV file in all network states. Needs no Azure account.

    Everything runs on loopback, against the emulator, in two generations of the service. Beside
    speechroute's result stands what the configurations that people write by hand get.
    """
    require_emulator()
    stop_on_signals()
    with reported(as_json):
        if as_json:
            results = _collect(is_shown=False)
            print_json(
                {
                    generation: {
                        state: {kind: asdict(cell) for kind, cell in row.items()}
                        for state, row in rows.items()
                    }
                    for generation, rows in results.items()
                }
            )
        else:
            console.print(
                "What the real Speech SDK gets with SpeechConfig(region=...), with\n"
                "SpeechConfig(endpoint=...) and with speechroute's speech_config().\n"
            )
            results = _collect(is_shown=True)
            _print_texts(results)
    every = (row["speechroute"] for rows in results.values() for row in rows.values())
    if not all(cell.recognised for cell in every):
        raise typer.Exit(1)


def _print_texts(results: dict[str, _Rows]) -> None:
    console.print(
        "redirected before: in a process that was redirected before the private endpoint\n"
        "was added. The SDK remembers that for seven days, for new configs too.\n\n"
        "What was recognised through speechroute's configurations:"
    )
    cells = {s: [rows[s]["speechroute"] for rows in results.values()] for s in _STATES}
    for state, of_state in cells.items():
        console.print(f"  {state}", markup=False)
        for heard in dict.fromkeys(cell.text or cell.error for cell in of_state):
            console.print(Padding(Text(heard), (0, 0, 0, 4)))
    every = [cell.recognised for of_state in cells.values() for cell in of_state]
    console.print(f"speechroute: {sum(every)} of {len(every)} recognised")

"""``speechroute demo``: three states, three kinds of config, one real SDK."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
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

_STATES = {
    "vnet": "private endpoint,\nseen from the VNet",
    "proxy": "private endpoint,\nseen from outside",
    "removed": "private endpoints\nremoved",
}
_KINDS = {
    "region": "SpeechConfig(\n  region=...)",
    "endpoint": "SpeechConfig(\n  endpoint=...)",
    "speechroute": "speech_config()\n",
}


@dataclass(frozen=True, slots=True)
class _Cell:
    """What one kind of config got in one state."""

    recognised: bool
    text: str
    error: str
    status: int | None

    def __str__(self) -> str:
        return "[green]recognised[/]" if self.recognised else f"[red]error {self.status or '?'}[/]"


_Results = dict[str, dict[str, _Cell]]


def _static_config(settings: SpeechSettings, kind: str, region: str) -> speechsdk.SpeechConfig:
    """What people write by hand, and the proxy without which nothing is reached here."""
    custom_domain = settings.resource.custom_domain or ""
    door = {"region": {"region": region}, "endpoint": {"endpoint": f"https://{custom_domain}/"}}
    config = speechsdk.SpeechConfig(subscription=settings.key.get_secret_value(), **door[kind])
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


def _run(emulator: Emulator, wav: str) -> Iterator[tuple[str, str, _Cell]]:
    """Each cell of the table as it is known: state, kind, outcome."""
    emulated = emulator.environment_over(os.environ)
    os.environ.clear()
    # The SDK reads SSL_CERT_FILE when it connects for the first time (measured, 1.53).
    os.environ.update(emulated)
    settings = SpeechSettings(_env_file=None)
    factory = SpeechConfigFactory(settings)
    for state in _STATES:
        emulator.state = state
        factory.invalidate()
        for kind in _KINDS:
            if kind == "speechroute":
                config = factory.speech_config()
            else:
                config = _static_config(settings, kind, emulator.region)
            yield state, kind, _recognise(config, wav)


def _table(results: _Results) -> Table:
    table = Table(title="What the real Speech SDK gets", show_lines=True)
    table.add_column("state of the resource")
    for title in _KINDS.values():
        table.add_column(title)
    for state, label in _STATES.items():
        row = results[state]
        table.add_row(label, *(str(row.get(kind, "...")) for kind in _KINDS))
    return table


def _collect(live: Live | None) -> _Results:
    from ..emulator import Emulator

    results: _Results = {state: {} for state in _STATES}
    if live:
        live.update(_table(results), refresh=True)
    wav = as_file(files(__package__) / "question.wav")
    with Emulator() as emulator, wav as path:
        for state, kind, cell in _run(emulator, str(path)):
            results[state][kind] = cell
            if live:
                live.update(_table(results), refresh=True)
    return results


def demo(as_json: JsonFlag = False) -> None:
    """Recognise a WAV file in all three network states. Needs no Azure account.

    Everything runs on loopback, against the emulator. Beside speechroute's result stands what
    the two configurations that people write by hand get.
    """
    require_emulator()
    stop_on_signals()
    with reported(as_json):
        if as_json:
            results = _collect(None)
            print_json({s: {w: asdict(c) for w, c in row.items()} for s, row in results.items()})
        else:
            with Live(console=console, auto_refresh=False) as live:
                results = _collect(live)
            _print_texts(results)
    if not all(row["speechroute"].recognised for row in results.values()):
        raise typer.Exit(1)


def _print_texts(results: _Results) -> None:
    console.print("\nWhat was recognised through speechroute's configurations:")
    for state, row in results.items():
        heard = Text(row["speechroute"].text or row["speechroute"].error)
        console.print(f"  {state}", Padding(heard, (0, 0, 0, 4)), sep="\n", markup=False)
    recognised = sum(row["speechroute"].recognised for row in results.values())
    console.print(f"speechroute: {recognised} of {len(results)} states recognised")

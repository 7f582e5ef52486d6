"""``speechroute watch``: the route, live."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import datetime

import typer
from rich.padding import Padding
from rich.text import Text

from .._core.errors import RoutingError
from .._network.question import Kept, Question
from .._network.resolve import resolver_of
from .._network.resolver import RouteResolver
from .._settings.model import SpeechSettings
from .console import JsonFlag, console, errors_console, print_json, reported, stop_on_signals


@dataclass(frozen=True, slots=True)
class _Sight:
    """What one look gave, as far as a change of it is told."""

    route: str | None = None
    region: str | None = None
    row: str | None = None
    is_last_known: bool = False
    error: str | None = None

    def __str__(self) -> str:
        if self.route is None:
            return f"no route, {self.error}"
        seen = ", the last known one" if self.is_last_known else ""
        return f"{self.route}{f' {self.region}' if self.region else ''} ({self.row}){seen}"


def _look(resolver: RouteResolver, question: Question) -> tuple[_Sight, str, float]:
    """What is seen, why, and when to look again."""
    now = resolver.clock()
    try:
        kept = resolver.kept(question, since=now)
    except RoutingError as error:
        return _Sight(error=type(error).__name__), str(error), now + question.ttl_min
    route = kept.route
    sight = _Sight(route.kind, route.region, route.row.id, kept.is_last_known)
    return sight, " ".join((route.reason, *route.warnings)), _look_again(kept, now, question)


def _look_again(kept: Kept, now: float, question: Question) -> float:
    if kept.asked_at < now:  # DNS fails, and the route is not too old
        return now + question.ttl_min
    return kept.usable_until


def _print(before: _Sight | None, now: _Sight, reason: str, *, as_json: bool) -> None:
    at = datetime.now().astimezone()
    if as_json:
        change = {
            "at": at.isoformat(timespec="milliseconds"),
            "before": before and asdict(before),
            "after": asdict(now),
            "reason": reason,
        }
        print_json(change, indent=None)
        return
    style = "bold red" if now.error else "bold green"
    old = f"{before}\n  -> " if before else ""
    console.print(Text.assemble(f"{at:%H:%M:%S}  {old}", (str(now), style)))
    console.print(Padding(Text(reason), (0, 0, 0, 10), expand=False))


def watch(as_json: JsonFlag = False) -> None:
    """Follow the route live, and print each change until Ctrl-C.

    DNS is asked again when its answer expires; SPEECH_ROUTE_TTL_MAX=5 asks more often.
    """
    stop_on_signals()
    try:
        with reported(as_json, indent=None):
            _watch(Question.of(SpeechSettings()), as_json=as_json)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _watch(question: Question, *, as_json: bool) -> None:
    resolver, before = resolver_of(), None
    while True:
        sight, reason, again_at = _look(resolver, question)
        if sight != before:
            _print(before, sight, reason, as_json=as_json)
        if again_at == float("inf"):
            errors_console.print("The settings decide: this route does not change.")
            return
        before = sight
        threading.Event().wait(max(0.0, again_at - resolver.clock()))

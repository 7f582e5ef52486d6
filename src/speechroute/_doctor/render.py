"""The report for people: on a terminal, in a pipe, and as Markdown for a ticket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from .._core.answer import FORBIDDEN, NOT_FOUND, OK, UNAUTHORIZED, Answer
from .._core.clouds import recognise_marker
from .._core.view import Lookup
from .document import door_of, settings_of, sources_of, system_differs
from .facts import ClientDoor, Facts
from .finding import Finding, Severity
from .judge import headline_of

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow", Severity.INFO: "cyan"}
_MEANINGS: dict[int, str] = {
    OK: "accepted",
    UNAUTHORIZED: "there",
    FORBIDDEN: "not from here",
    NOT_FOUND: "no door",
}
_WIDE = 1000


def report(facts: Facts, findings: list[Finding]) -> Group:
    """The whole report. Says by words what it says by colours."""
    style = _STYLES[findings[0].severity] if findings else "bold green"
    parts: list[RenderableType] = [Text(headline_of(findings, facts), style=style)]
    for part in (_settings, _dns, _decision, _doors, _key):
        parts += part(facts)
    if findings:
        parts.append(_heading("Advice", facts))
        parts += [_indented(_advice(finding), below=1) for finding in findings]
    if not facts.is_complete:
        parts.append(Text("Broken off: the rest was not looked at.", style="yellow"))
    return Group(*parts)


def _indented(part: RenderableType, below: int = 0) -> Padding:
    return Padding(part, (0, 0, below, 2), expand=False)


def _heading(title: str, facts: Facts, step: str = "") -> Text:
    seconds = facts.steps.get(step)
    took = "" if seconds is None else f"  {seconds:.2f} s"
    return Text.assemble("\n", (title, "bold"), (took, "dim"))


def _settings(facts: Facts) -> Iterator[RenderableType]:
    if facts.settings:
        yield _heading("Settings", facts, "settings")
        said = settings_of(facts.settings)
        yield _pairs({name: value for name, value in said.items() if value not in (None, [])})
        yield _heading("Sources", facts)
        sources = sources_of(facts.settings).items()
        given = {name: source for name, source in sources if source != "default"}
        yield _pairs({**given, "all others": "default"})


def _pairs(pairs: dict[str, Any]) -> RenderableType:
    width = max(map(len, pairs)) + 2
    lines = []
    for name, value in pairs.items():
        shown = ", ".join(value) if isinstance(value, list) else str(value)
        lines.append(Text(f"{name:<{width}}{shown}", overflow="fold"))
    return _indented(Group(*lines))


def _dns(facts: Facts) -> Iterator[RenderableType]:
    if facts.view:
        yield _heading("DNS", facts, "DNS")
        yield _indented(_tree(facts.view.dns, facts))
        if facts.view.system:
            yield _indented(_system(facts, facts.view.system))
        if facts.service:
            door = door_of(facts.service)
            told = facts.service.seen + (f": {door}" if door else "")
            yield _indented(Text(f"service: {told}", overflow="fold"))


def _tree(lookup: Lookup, facts: Facts) -> Tree:
    ttls = dict(enumerate(lookup.ttls))
    tree = at = Tree("", hide_root=True)
    for number, name in enumerate(lookup.chain):
        marker = recognise_marker(name)
        told = Text(name, overflow="fold")
        if number in ttls:
            told.append(f"  {ttls[number]} s", "dim")
        if marker:
            told.append(f"  {marker.kind}", "bold" if number == facts.decided_by else "")
        if number == facts.decided_by:
            told.append("  <- decides", "bold")
        at = at.add(told)
    for address in lookup.addresses:
        at.add(Text(str(address)))
    if not lookup.addresses:
        at.add(Text(lookup.failure or str(lookup.outcome), style="red"))
    return tree


def _system(facts: Facts, system: Lookup) -> Text:
    said = ", ".join(map(str, system.addresses)) or system.failure or system.outcome
    differs = system_differs(facts)
    verdict = ("differs", "bold yellow") if differs else ("the same", "")
    return Text.assemble(f"the operating system says {said}: ", verdict)


def _decision(facts: Facts) -> Iterator[RenderableType]:
    row = f" ({facts.row.id})" if facts.row else ""
    if facts.error or facts.route:
        yield _heading("Decision", facts)
    if facts.error:
        yield _indented(Text(f"none{row}", style="bold red"))
        yield _indented(Text(str(facts.error)))
    if facts.route:
        yield _indented(Text(f"{facts.route.kind}{row}", style="bold"))
        yield _indented(Text(facts.route.reason))
        for warning in facts.route.warnings:
            yield _indented(Text(f"Warning: {warning}", style="yellow"))


def _doors(facts: Facts) -> Iterator[RenderableType]:
    if not facts.doors:
        return
    yield _heading("Doors", facts, "doors")
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column()
    table.add_column(overflow="fold")
    for door in facts.doors:
        answer = facts.answers.get(door.url)
        url = f"{door.url}{'  ' if door.url and door.note else ''}{door.note and f'({door.note})'}"
        table.add_row(door.client, _status(answer), Text(url))
    if facts.private_door and facts.route:
        table.add_row(
            "other door", _status(facts.private_door), Text(f"wss://{facts.route.custom_domain}/")
        )
    yield _indented(table)
    yield Text("")
    seen = {}
    for door in facts.doors:
        host = urlsplit(door.url).hostname
        if host and host not in seen:
            seen[host] = _host(host, door, facts.answers.get(door.url))
    yield _indented(Group(*seen.values()))


def _status(answer: Answer | None) -> Text:
    if answer is None:
        return Text("")
    is_there = answer.status in (OK, UNAUTHORIZED)
    return Text(_told(answer), style="" if is_there else "yellow")


def _host(host: str, door: ClientDoor, answer: Answer | None) -> Text:
    """How one gets to a host, and what was found there."""
    way = f"through the proxy {door.proxy}" if door.proxy else "no proxy"
    told = Text.assemble((host, "bold"), f": {way} ({door.proxy_reason})", overflow="fold")
    if answer and answer.address:
        told.append(f", {answer.address}, {sum(answer.seconds):.2f} s")
    if answer and answer.certificate:
        certificate = answer.certificate
        told.append(f", TLS by {certificate.issuer} until {certificate.expires:%Y-%m-%d}")
    return told


def _told(answer: Answer) -> str:
    """What a request got, in a few words."""
    if answer.failure:
        return f"{answer.stage} failed: {answer.failure}"
    meaning = _MEANINGS.get(answer.status or 0, "")
    if answer.leads_to:
        meaning = f"leads to {answer.leads_to}"
    return f"{answer.status} {meaning}".strip()


def _key(facts: Facts) -> Iterator[RenderableType]:
    if facts.key_answers:
        yield _heading("Key", facts, "key")
        refused = UNAUTHORIZED
        yield _pairs(
            {
                host: "401 refused" if answer.status == refused else _told(answer)
                for host, answer in facts.key_answers.items()
            }
        )


def _advice(finding: Finding) -> Text:
    told = Text.assemble(
        (f"{finding.id} {finding.severity}", _STYLES[finding.severity]),
        (f"  {finding.title}", "bold"),
        f"\n{finding.cause}\n{finding.remedy}",
    )
    if finding.fixed_by:
        told.append(f"\nFixed by: {finding.fixed_by}", "dim")
    if finding.command:
        told.append(f"\n{finding.command}")
    told.append(f"\nMore: speechroute check --explain {finding.id}", "dim")
    return told


def plain(facts: Facts, findings: list[Finding]) -> str:
    """The report for pipes: URLs and commands stay whole."""
    console = Console(width=_WIDE, no_color=True, force_terminal=False, highlight=False)
    with console.capture() as captured:
        console.print(report(facts, findings))
    return "\n".join(line.rstrip() for line in captured.get().splitlines())


def markdown(facts: Facts, findings: list[Finding]) -> str:
    """The report for a ticket."""
    table = ""
    if findings:
        rows = [(f.id, f.severity, f.title, f.cause, f.remedy) for f in findings]
        head = [("id", "severity", "finding", "cause", "remedy"), ("---",) * 5]
        cells = [[cell.replace("|", "\\|") for cell in row] for row in [*head, *rows]]
        table = "\n".join(f"| {' | '.join(row)} |" for row in cells) + "\n\n"
    return (
        f"### speechroute check: {headline_of(findings, facts)}\n\n{table}"
        "<details><summary>All that was seen</summary>\n\n"
        f"````text\n{plain(facts, findings)}\n````\n\n</details>"
    )

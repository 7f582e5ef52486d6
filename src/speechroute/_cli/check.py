"""``speechroute check``: what is wrong between a program and its Speech resource, and the way out.

Exit codes: 0 sound, 1 a finding of severity error, 2 settings that cannot work, 130 Ctrl-C.
"""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markdown import Markdown

from .._core.clouds import Offering
from .._doctor.catalogue import catalogue
from .._doctor.document import document_of
from .._doctor.facts import Facts
from .._doctor.finding import Severity
from .._doctor.judge import findings_of
from .._doctor.look import Looking
from .._doctor.render import markdown, plain, report
from . import INTERRUPTED
from .console import JsonFlag, console, errors_console, print_json

_BUDGET_S = 15.0


def _explain(number: str) -> None:
    section = catalogue().get(number.upper())
    if section is None:
        known = ", ".join(catalogue())
        errors_console.print(f"There is no finding {number}; there are {known}.", markup=False)
        raise typer.Exit(2)
    if console.is_terminal:
        console.print(Markdown(str(section)))
    else:
        typer.echo(section)


def _begin(step: str) -> None:
    errors_console.print(f"{step} ...", end="", style="dim", markup=False)


def _end(_: str, seconds: float) -> None:
    errors_console.print(f" {seconds:.2f} s", style="dim", markup=False)


def check(
    probe: Annotated[
        bool, typer.Option("--probe", help="Connect to each door and ask once without a key.")
    ] = False,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Also ask for the list of voices with the key.")
    ] = False,
    offering: Annotated[
        Offering, typer.Option(help="What the program is for; matters for full URLs.")
    ] = Offering.STT,
    budget: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds for everything.")
    ] = _BUDGET_S,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="Print all about a finding, e.g. SR101.")
    ] = None,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown for a ticket.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Show settings, DNS, the service's word, the route, each URL, what is wrong and what to do."""
    if explain is not None:
        _explain(explain)
        return
    if as_json and as_markdown:
        raise typer.BadParameter("choose one of --json and --markdown")
    facts = Facts(offering=offering)
    is_quiet = (as_json or as_markdown) and not errors_console.is_terminal
    begin, end = (_begin, _end) if not is_quiet else (lambda _: None, lambda *_: None)
    Looking(facts, budget, begin, end).run(probes=probe, with_key=with_key)
    findings = findings_of(facts)
    worst = findings[0].severity if findings else None
    code = 1 if worst is Severity.ERROR else 0
    if facts.problems:
        code = 2
    if not facts.is_complete:
        code = INTERRUPTED
    if as_json:
        print_json(document_of(facts, findings, code))
    elif as_markdown:
        typer.echo(markdown(facts, findings))
    elif console.is_terminal:
        console.print(report(facts, findings))
    else:
        typer.echo(plain(facts, findings))
    raise typer.Exit(code)

"""``speechroute witness``: the claims that this library rests on, tried at one's own resource.

Exit codes: 0 nothing was refuted, 1 something was, 2 settings that cannot work, 130 Ctrl-C.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Annotated

import typer

from .._doctor.witness.hearing import Hearing
from .._doctor.witness.judges import Judgement
from .._doctor.witness.report import document_of, markdown, report
from .._doctor.witness.requests import Speech
from .._doctor.witness.trials import judged
from .._settings.model import SpeechSettings
from . import INTERRUPTED
from .console import JsonFlag, console, errors_console, print_json, reported

_WORDS = "What is the weather like today?"
"""Of ``question.wav``."""
_BUDGET_S = 110.0
_TIMES = 10
"""That a resource hears the question at most, both doors and what is read back together."""


def _ask_first(settings: SpeechSettings, speech: Speech, budget: float) -> None:
    credential = "Microsoft Entra ID" if settings.is_entra else "key"
    seconds = speech.seconds * _TIMES
    errors_console.print(
        f"This tries what speechroute claims of Azure, at {settings.resource.custom_domain} "
        f"and its region, with your {credential}: some 40 requests, {seconds:.0f} seconds of audio "
        f"to recognise and {len(_WORDS) * 4} characters to synthesise, which are charged as all "
        f"use of the resource is. It takes {budget:.0f} seconds at most, changes nothing in "
        "Azure, and reports neither the resource's name nor a secret.",
        markup=False,
    )
    typer.confirm("Begin?", abort=True, err=True)


def witness(
    yes: Annotated[bool, typer.Option("--yes", help="Begin without asking.")] = False,
    budget: Annotated[
        float, typer.Option(min=1, max=120, help="Seconds for everything.")
    ] = _BUDGET_S,
    as_markdown: Annotated[
        bool, typer.Option("--markdown", help="Print Markdown for an issue report.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Try what is claimed of Azure at your own resource: through both doors, with every client.

    Prints a table of claims and what was seen of each. The report names no resource and holds no
    secret, so that you can pass it on.
    """
    if as_json and as_markdown:
        raise typer.BadParameter("choose one of --json and --markdown")
    with reported(as_json), as_file(files(__package__) / "question.wav") as path:
        settings = SpeechSettings()
        speech = Speech(str(path), path.read_bytes(), _WORDS)
        hearing = Hearing(settings, speech, budget)
        if not yes:
            _ask_first(settings, speech, budget)
        with errors_console.status("") as status:
            seen = hearing.run(status.update)
    judgements = judged(seen)
    if as_json:
        print_json(document_of(seen, judgements))
    elif as_markdown:
        typer.echo(markdown(seen, judgements))
    else:
        console.print(report(seen, judgements))
    is_refuted = any(each.judgement is Judgement.REFUTED for each in judgements)
    raise typer.Exit((1 if is_refuted else 0) if seen.is_complete else INTERRUPTED)

"""What a witness has seen, for people and for machines. Nothing in it names the resource."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from ..document import dns_of, door_of
from .anonymous import LABEL
from .judges import Judgement
from .testimony import Reply, Testimony
from .trials import Judged, generations_of

VERSION = 1
"""Of the form. A new field keeps it; one that goes or changes its meaning raises it."""
_SDK = "azure-cognitiveservices-speech"
Json = dict[str, Any]
_STYLES = {
    Judgement.CONFIRMED: "green",
    Judgement.REFUTED: "bold red",
    Judgement.UNCLEAR: "yellow",
    Judgement.OTHER_GENERATION: "cyan",
    Judgement.NOT_TRIED: "dim",
}
_STATES = {True: "a private endpoint", False: "no private endpoint", None: "unknown"}


def document_of(seen: Testimony, judgements: list[Judged]) -> Json:
    """The report as one JSON document, from which it can be judged and decided again."""
    service = seen.view.service
    return {
        "version": VERSION,
        "speechroute": version("speechroute"),
        "sdk": version(_SDK),
        "date": _today(),
        "complete": seen.is_complete,
        "resource": {
            "custom_domain": f"{LABEL}.{seen.suffix}",
            "cloud": seen.cloud,
            "region": seen.region,
            "auth": seen.auth,
            "told": seen.told,
            "has_private_endpoint": seen.has_private_endpoint,
            "generations": generations_of(judgements),
        },
        "dns": dns_of(seen.view),
        "decision": {"row": seen.row.id, "kind": seen.decision},
        "service": service
        and {"seen": service.seen, "door": door_of(service), "region": service.region},
        "key_form": seen.has_key_form,
        "issuers": list(seen.issuers),
        "replies": [
            {"door": door, "asked": asked, **_reply(reply)}
            for (door, asked), reply in seen.replies.items()
        ],
        "skipped": dict(seen.skipped),
        "claims": [
            {
                "id": claim.id,
                "claim": claim.claim,
                "standing": claim.standing,
                "source": claim.source,
                "seen": told,
                "verdict": judgement,
            }
            for claim, judgement, told in judgements
        ],
    }


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _reply(reply: Reply) -> Json:
    leads = reply.leads._asdict() if reply.leads else None
    return {"status": reply.status, "note": reply.note, "leads": leads}


def headline_of(seen: Testimony, judgements: list[Judged]) -> str:
    """What was found out of the resource, in a sentence."""
    generations = generations_of(judgements)
    of = f", and answers as generation {' or '.join(generations)}" if generations else ""
    says = "SPEECH_PRIVATE_ENDPOINT says that the" if seen.told is not None else "The"
    return f"{says} resource has {_STATES[seen.has_private_endpoint]}{of}."


def _notes(seen: Testimony, judgements: list[Judged]) -> Iterator[str]:
    """What there is to say beside the table."""
    for door, why in seen.skipped.items():
        yield f"Not everything was asked at the {door}: {why}."
    if {seen.said_by_dns, seen.said_by_doors} == {True, False}:
        yield "DNS and the doors disagree: one of them lags behind a change."
    if not seen.is_complete:
        yield "Broken off: the rest was not asked."
    for claim, judgement, _ in judgements:
        if judgement is Judgement.REFUTED:
            yield f"Refuted: {claim.id}. {claim.claim}"
    untried = Counter(each.seen for each in judgements if each.judgement is Judgement.NOT_TRIED)
    yield f"Not tried: {', '.join(f'{count} {why}' for why, count in untried.items())}."
    counts = Counter(judged.judgement for judged in judgements)
    yield f"{', '.join(f'{counts[each]} {each}' for each in Judgement)}."


def _rows(judgements: list[Judged]) -> list[Judged]:
    return [each for each in judgements if each.judgement is not Judgement.NOT_TRIED]


def report(seen: Testimony, judgements: list[Judged]) -> Group:
    """For a terminal of 80 columns. Says by words what it says by colours."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("claim", no_wrap=True)
    for title in ("standing", "seen", "verdict"):
        table.add_column(title)
    for claim, judgement, told in _rows(judgements):
        table.add_row(claim.id, claim.standing, told, Text(judgement, _STYLES[judgement]))
    headline = Text(headline_of(seen, judgements), "bold")
    return Group(headline, table, *map(Text, _notes(seen, judgements)))


def markdown(seen: Testimony, judgements: list[Judged]) -> str:
    """For an issue report."""
    rows = "\n".join(
        f"| `{claim.id}` {claim.claim} | {claim.standing} | {told} | {judgement} |"
        for claim, judgement, told in _rows(judgements)
    )
    where = ", ".join((seen.region or "region unknown", f"{seen.cloud} cloud", seen.suffix))
    return (
        f"## Witness of {_today()}\n\n{headline_of(seen, judgements)} {where}, {seen.auth}, "
        f"speechroute {version('speechroute')}, SDK {version(_SDK)}.\n\n"
        f"| claim | standing | seen | verdict |\n|---|---|---|---|\n{rows}\n\n"
        + "\n".join(f"- {note}" for note in _notes(seen, judgements))
    )

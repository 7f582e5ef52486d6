"""Reports of ``speechroute witness --json``, read again."""

from __future__ import annotations

from typing import Any

from lookups import lookup_from
from speechroute._core.service import ServiceAnswer
from speechroute._core.verdict import Decision, Row
from speechroute._core.view import DnsView, Lookup
from speechroute._doctor.witness.testimony import Asked, DoorKind, Leads, Reply, Testimony
from speechroute._doctor.witness.trials import judged
from speechroute._network.question import Question, decided
from speechroute._settings.model import SpeechSettings

_DECISIONS = {"region": Decision.REGIONAL, "custom domain": Decision.PRIVATE_ENDPOINT, None: None}


def view_from(document: dict[str, Any]) -> DnsView:
    def lookup(name: str) -> Lookup | None:
        return dns[name] and lookup_from(dns[name])

    dns, told = document["dns"], document["service"]
    return DnsView(
        lookup_from(dns["custom_domain"]),
        system=lookup("system"),
        region_api=lookup("region_api"),
        region_system=lookup("region_system"),
        service=ServiceAnswer(_DECISIONS[told["door"]], told["region"], told["seen"]),
    )


def testimony_from(document: dict[str, Any]) -> Testimony:
    resource, decision = document["resource"], document["decision"]
    return Testimony(
        cloud=resource["cloud"],
        suffix=resource["custom_domain"].partition(".")[2],
        auth=resource["auth"],
        told=resource["told"],
        region=resource["region"],
        view=view_from(document),
        row=next(row for row in Row if row.id == decision["row"]),
        decision=Decision(decision["kind"]),
        has_key_form=document["key_form"],
        issuers=tuple(document["issuers"]),
        replies={
            (DoorKind(reply["door"]), Asked(reply["asked"])): Reply(
                reply["status"], reply["note"], Leads(**reply["leads"]) if reply["leads"] else None
            )
            for reply in document["replies"]
        },
        skipped={DoorKind(door): why for door, why in document["skipped"].items()},
        is_complete=document["complete"],
    )


def is_judged_again(document: dict[str, Any]) -> Testimony:
    """Decide and judge a report again, as it was decided and judged. What was seen comes back."""
    seen = testimony_from(document)
    verdicts = {claim.id: verdict for claim, verdict, _ in judged(seen)}
    for claim in document["claims"]:
        assert verdicts[claim["id"]] == claim["verdict"], claim["id"]
    resource = document["resource"]
    settings = SpeechSettings(
        endpoint=resource["custom_domain"], key="0" * 32, region=resource["region"]
    )
    verdict = decided(Question.of(settings), seen.view._replace(service=None))
    assert (verdict.row, verdict.decision) == (seen.row, seen.decision)
    return seen


def leads_to_a_door_that_served(seen: Testimony) -> bool:
    """Whether a decision by DNS alone does, or, where it does not tell, one door served."""
    said = (True, False) if seen.said_by_dns is None else (seen.said_by_dns,)
    doors = [DoorKind.CUSTOM_DOMAIN if private else DoorKind.REGION for private in said]
    asked = (Asked.UPGRADE, Asked.NAMED)
    return any(seen.reply(door, each).is_served for door in doors for each in asked)

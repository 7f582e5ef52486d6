"""Reports of ``speechroute witness --json``, read again."""

from __future__ import annotations

from typing import Any

from lookups import lookup_from
from speechroute._core.service import ServiceAnswer
from speechroute._core.verdict import Decision, Row
from speechroute._core.view import DnsView
from speechroute._doctor.witness.testimony import Asked, DoorKind, Leads, Reply, Testimony
from speechroute._doctor.witness.trials import judged
from speechroute._network.question import Question, decided
from speechroute._settings.model import SpeechSettings

_DECISIONS = {"region": Decision.REGIONAL, "custom domain": Decision.PRIVATE_ENDPOINT, None: None}


def view_from(document: dict[str, Any]) -> DnsView:
    dns = document["dns"]
    lookups = {
        name: dns[name] and lookup_from(dns[name])
        for name in ("system", "region_api", "region_system")
    }
    told = document["service"]
    service = ServiceAnswer(_DECISIONS[told["door"]], told["region"], told["seen"])
    return DnsView(lookup_from(dns["custom_domain"]), **lookups, service=service)


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


def check(document: dict[str, Any]) -> None:
    """Decide and judge a report again, as it was decided and judged.

    And where DNS and the doors agree, the decision leads to a door that served.
    """
    seen = testimony_from(document)
    told = [(claim["id"], claim["verdict"], claim["seen"]) for claim in document["claims"]]
    assert [(claim.id, verdict, words) for claim, verdict, words in judged(seen)] == told
    resource = document["resource"]
    settings = SpeechSettings(
        endpoint=resource["custom_domain"], key="0" * 32, region=resource["region"]
    )
    verdict = decided(Question.of(settings), seen.view._replace(service=None))
    assert (verdict.row, verdict.decision) == (seen.row, seen.decision)
    if {seen.said_by_dns, seen.said_by_doors} in ({True}, {False}):
        is_private = verdict.decision is Decision.PRIVATE_ENDPOINT
        door = DoorKind.CUSTOM_DOMAIN if is_private else DoorKind.REGION
        served = [seen.reply(door, asked).is_served for asked in (Asked.UPGRADE, Asked.NAMED)]
        assert any(served)

"""What must not count for or against a claim."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from speechroute._core.service import ServiceAnswer
from speechroute._core.verdict import Decision, Row
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._doctor.witness.testimony import CLIENTS, REST, Asked, DoorKind, Reply
from speechroute._doctor.witness.testimony import Testimony as Seen
from speechroute._doctor.witness.trials import TRIALS, generations_of, judged

AT, AWAY = DoorKind.CUSTOM_DOMAIN, DoorKind.REGION
EVERYTHING = (Asked.UPGRADE, Asked.TOKEN, *REST, *CLIENTS)
NAME, SUFFIX = "resource", "cognitiveservices.azure.com"
LANDS = {
    Decision.REGIONAL: (Row.REGIONAL, "westeurope.api.cognitive.microsoft.com", "20.1.2.3"),
    Decision.PRIVATE_ENDPOINT: (Row.PRIVATE_ADDRESS, f"{NAME}.privatelink.{SUFFIX}", "10.0.0.1"),
    Decision.ERROR: (Row.UNDECIDED, "name-1.invalid", "20.1.2.3"),
}


def seen_at(at: Reply, away: Reply, decision: Decision) -> Seen:
    """Of a resource whose doors answer everything with a credential alike."""
    replies = {(AT, asked): at for asked in (*EVERYTHING, Asked.MODELS)}
    replies |= {(AWAY, asked): away for asked in (*EVERYTHING, Asked.NAMED)}
    replies[AT, Asked.KEYLESS] = at
    row, *name, address = LANDS[decision]
    lookup = Lookup((f"{NAME}.{SUFFIX}", *name), (ip_address(address),), 5, Outcome.ANSWERED)
    view = DnsView(lookup, service=ServiceAnswer(None, None, "no answer"))
    return Seen("public", SUFFIX, "key", None, "westeurope", view, row, decision, True, (), replies)


@pytest.mark.parametrize("decision", [Decision.REGIONAL, Decision.PRIVATE_ENDPOINT])
@pytest.mark.parametrize("reply", [Reply(401), Reply(403), Reply(429), Reply(503), Reply(None)])
def test_who_gets_nothing_anywhere_refutes_nothing(reply: Reply, decision: Decision) -> None:
    """A wrong key, a network that is shut out, a quota, an outage, and nobody there."""
    seen = seen_at(reply, reply, decision)
    told = judged(seen)
    assert {each.judgement for each in told} <= {"unclear", "not tried", "confirmed"}
    confirmed = {each.claim.id for each in told if each.judgement == "confirmed"}
    of_private_endpoint = {401: {"AZ-KEYLESS"}, 403: {"AZ-TOKEN-ALL-NETWORKS"}}
    expected = of_private_endpoint.get(reply.status or 0, set())
    if decision is Decision.REGIONAL:
        assert confirmed == {"AZ-DNS-REGION"}
    else:
        assert confirmed == {"AZ-DNS-PRIVATE-LINK", *expected}
    assert generations_of(told) == []


def test_other_words_are_no_proof() -> None:
    seen = seen_at(Reply(404), Reply(200, "with other words"), Decision.REGIONAL)
    told = {claim.id: judgement for claim, judgement, _ in judged(seen)}
    assert told["AZ-REGION-WITH-CUSTOM-DOMAIN"] == "unclear"


@pytest.mark.parametrize(
    ("at", "away", "said", "expected"),
    [
        (Reply(101), Reply(401), Decision.REGIONAL, True),
        (Reply(404), Reply(101), Decision.PRIVATE_ENDPOINT, False),
        (Reply(101), Reply(101), Decision.PRIVATE_ENDPOINT, True),
        (Reply(101), Reply(101), Decision.REGIONAL, False),
        (Reply(404), Reply(401), Decision.ERROR, None),
    ],
)
def test_doors_tell_the_state_where_they_differ_and_dns_where_not(
    at: Reply, away: Reply, said: Decision, expected: bool | None
) -> None:
    seen = seen_at(at, away, said)
    assert seen.has_private_endpoint is expected
    assert replace(seen, told=not expected).has_private_endpoint is not expected


def test_dns_that_lags_behind_refutes_nothing_of_dns() -> None:
    seen = seen_at(Reply(404), Reply(101), Decision.PRIVATE_ENDPOINT)
    told = {claim.id: judgement for claim, judgement, _ in judged(seen)}
    assert told["AZ-DNS-REGION"] == "unclear"
    assert told["AZ-404-AFTER-REMOVAL"] == "confirmed"


def test_what_is_tried_is_in_the_ledger() -> None:
    seen = seen_at(Reply(404), Reply(101), Decision.REGIONAL)
    assert {claim.id for claim, _, _ in judged(seen)} == set(TRIALS)

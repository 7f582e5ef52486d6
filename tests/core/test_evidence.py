"""What a door or the service answered, beside what DNS says, with plain values."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from real_dns import CUSTOM_DOMAIN as C
from real_dns import GATEWAY
from real_dns import PRIVATE_LINK as LINK
from real_dns import VNET_PROXY as PROXY
from speechroute import RouteKind
from speechroute._core.choices import PrivateEndpoint, WhenUndecided
from speechroute._core.classify import classify
from speechroute._core.evidence import Evidence, Prior, supposed, weighed
from speechroute._core.refusal import Refusal, refused
from speechroute._core.resource import Resource
from speechroute._core.route import Route
from speechroute._core.service import ServiceAnswer
from speechroute._core.verdict import Decision, Row, Verdict
from speechroute._core.view import DnsView, Lookup, Outcome

PRIVATE, REGIONAL = Decision.PRIVATE_ENDPOINT, Decision.REGIONAL
RESOURCE = Resource(C, None)


def answered(*chain: str, address: str = "13.69.67.71") -> DnsView:
    found = (ipaddress.ip_address(address),)
    return DnsView(Lookup((C, *chain), found, 60, Outcome.ANSWERED))


def failed(outcome: Outcome, *chain: str) -> DnsView:
    return DnsView(Lookup((C, *chain), (), None, outcome, "SERVFAIL"))


VIEWS = {
    "VNet": answered(LINK, address="172.28.0.10"),
    "outside": answered(LINK, *PROXY),
    "removed": answered(*GATEWAY),
    "removed elsewhere": answered("eastus.api.cognitive.microsoft.com"),
    "flattened": answered(),
    "fake address": answered(address="198.18.0.7"),
    "record missing": failed(Outcome.NAME_MISSING, LINK),
    "other cloud": answered("chinaeast2.api.cognitive.azure.cn"),
    "missing": failed(Outcome.NAME_MISSING),
    "failed": failed(Outcome.FAILED),
}


def prior(view: str) -> Prior | None:
    return Prior.of(classify(VIEWS[view], RESOURCE))


def evidence(
    decision: Decision, under: str, *, region: str | None = "westeurope", is_of_call: bool = True
) -> Evidence:
    return Evidence(decision, region, "So it was.", 0.0, prior(under), None, is_of_call)


def decide(view: str, known: Evidence, resource: Resource = RESOURCE) -> Verdict:
    return classify(VIEWS[view], resource, evidence=known)


@pytest.mark.parametrize("is_of_call", [True, False])
@pytest.mark.parametrize(
    ("view", "decision"),
    [
        ("VNet", REGIONAL),
        ("outside", REGIONAL),
        ("removed", PRIVATE),
        ("flattened", REGIONAL),
        ("fake address", PRIVATE),
        ("missing", PRIVATE),
        ("failed", REGIONAL),
    ],
)
def test_evidence_outranks_dns(view: str, decision: Decision, is_of_call: bool) -> None:
    verdict = decide(view, evidence(decision, view, is_of_call=is_of_call))
    assert verdict.row is (Row.OTHER_DOOR if is_of_call else Row.SERVICE)
    assert verdict.decision is decision
    assert verdict.error is None
    assert verdict.region == "westeurope"
    assert "So it was." in verdict.reason
    assert any("must not leave the private network" in told for told in verdict.warnings) is (
        view == "VNet"
    )


def test_evidence_that_agrees_tells_the_region_at_most() -> None:
    by_dns = classify(VIEWS["VNet"], RESOURCE)
    assert decide("VNet", evidence(PRIVATE, "VNet")) == by_dns._replace(region="westeurope")


@pytest.mark.parametrize(
    ("before", "after"),
    [("VNet", "outside"), ("removed", "removed elsewhere"), ("flattened", "removed")],
)
def test_evidence_ends_where_the_verdict_of_dns_changes(before: str, after: str) -> None:
    opposite = REGIONAL if classify(VIEWS[after], RESOURCE).decision is PRIVATE else PRIVATE
    known = evidence(opposite, before)
    assert decide(after, known) == classify(VIEWS[after], RESOURCE)
    assert weighed(known, prior(after), None, 1.0, None) is None


def test_records_rotate_and_dns_may_fail_without_an_end_of_evidence() -> None:
    known = evidence(REGIONAL, "VNet")
    rotated = answered(LINK, address="172.28.0.11")
    assert classify(rotated, RESOURCE, evidence=known).row is Row.OTHER_DOOR
    assert decide("failed", known).decision is REGIONAL
    assert weighed(known, prior("VNet"), None, 1.0, None) is known


@pytest.mark.parametrize("decision", [PRIVATE, REGIONAL])
@pytest.mark.parametrize("view", ["other cloud", "record missing"])
def test_no_evidence_outranks_what_leaves_no_way(view: str, decision: Decision) -> None:
    verdict = decide(view, evidence(decision, view))
    assert verdict.error is not None
    assert verdict.reason == classify(VIEWS[view], RESOURCE).reason


def test_a_region_that_nobody_tells_leaves_the_door_of_dns() -> None:
    verdict = decide("VNet", evidence(REGIONAL, "VNet", region=None))
    assert (verdict.row, verdict.decision) == (Row.PRIVATE_ADDRESS, PRIVATE)
    assert "set SPEECH_REGION" in verdict.warnings[-1]
    known = evidence(REGIONAL, "VNet", region=None)
    assert decide("VNet", known, Resource(C, "westeurope")).decision is REGIONAL


def test_what_is_told_takes_the_region_alone() -> None:
    known = evidence(PRIVATE, "failed")
    verdict = classify(VIEWS["failed"], RESOURCE, told=PrivateEndpoint.NO, evidence=known)
    assert (verdict.row, verdict.region, verdict.error) == (Row.TOLD_NO, "westeurope", None)


def said(decision: Decision | None, region: str | None = None) -> ServiceAnswer:
    return ServiceAnswer(decision, region, "404")


def test_the_service_is_believed_until_a_refusal_after_it() -> None:
    under = prior("removed")
    first = weighed(None, under, said(PRIVATE), 1.0, None)
    assert first is not None
    assert (first.decision, first.at, first.is_of_call) == (PRIVATE, 1.0, False)
    assert weighed(first, under, said(PRIVATE), 2.0, None) is first
    assert weighed(first, under, said(None), 2.0, None) is first  # no answer is no "no"
    changed = weighed(first, under, said(REGIONAL), 2.0, "westeurope")
    assert changed is not None
    assert (changed.decision, changed.region) == (REGIONAL, "westeurope")
    by_call = Evidence(REGIONAL, "westeurope", "A call.", 3.0, under, PRIVATE, is_of_call=True)
    assert weighed(by_call, under, said(PRIVATE), 4.0, None) is by_call  # that is no news
    again = weighed(by_call, under, said(REGIONAL), 4.0, None)
    assert again == by_call._replace(service=REGIONAL)
    news = weighed(again, under, said(PRIVATE), 5.0, None)
    assert news is not None
    assert not news.is_of_call


def route(
    view: str, resource: Resource = RESOURCE, told: PrivateEndpoint = PrivateEndpoint.AUTO
) -> Route:
    return Route.of(classify(VIEWS[view], resource, told=told), resource, VIEWS[view], 0.0)


@pytest.mark.parametrize("failure", ["401", "403", "404", "no connection"])
@pytest.mark.parametrize("view", ["VNet", "outside", "removed"])
def test_which_refusals_lead_to_the_other_door(view: str, failure: str) -> None:
    refused = route(view)
    other = supposed(failure, refused, prior(view), None, "westeurope")
    if refused.kind is RouteKind.REGIONAL:
        assert other is not None
        assert other.decision is PRIVATE
    elif failure in ("404", "no connection"):
        assert other is not None
        assert (other.decision, other.region) == (REGIONAL, "westeurope")
        verdict = classify(VIEWS[view], RESOURCE, evidence=other)
        assert (verdict.row, verdict.decision) == (Row.OTHER_DOOR, REGIONAL)
    else:
        assert other is None


def test_there_is_no_other_door_where_none_is_known_or_the_answer_is_told() -> None:
    assert supposed("404", route("VNet"), prior("VNet"), None, None) is None
    told = route("removed", Resource(C, "westeurope"), told=PrivateEndpoint.NO)
    assert supposed("401", told, None, None, "westeurope") is None


def test_an_error_names_the_other_door_also_where_the_key_has_changed_before() -> None:
    """Three refusals: two at one door, with two keys, and one at the other."""
    at_region, at_custom_domain = route("removed"), route("VNet")
    refusals = [
        Refusal("401", at_region),
        Refusal("403", replace(at_region)),
        Refusal("404", at_custom_domain),
    ]
    error = refused(refusals, is_paused=False)
    assert (error.failure, error.other, error.behind) == ("401", "404", "")
    assert "check the key and the region" in str(error)


@given(
    st.sampled_from(sorted(VIEWS)),
    st.sampled_from(sorted(VIEWS)),
    st.sampled_from([PRIVATE, REGIONAL]),
    st.sampled_from([None, "westeurope", "chinaeast2"]),
    st.sampled_from(WhenUndecided),
    st.booleans(),
)
def test_evidence_never_takes_a_way_from_dns_nor_leads_to_another_cloud(
    view: str,
    under: str,
    decision: Decision,
    region: str | None,
    policy: WhenUndecided,
    is_of_call: bool,
) -> None:
    known = evidence(decision, under, region=region, is_of_call=is_of_call)
    by_dns = classify(VIEWS[view], RESOURCE, when_undecided=policy)
    verdict = classify(VIEWS[view], RESOURCE, when_undecided=policy, evidence=known)
    assert verdict.error is None or by_dns.error is not None
    assert (verdict.decision is Decision.ERROR) == (verdict.error is not None)
    if verdict.row is not by_dns.row:
        assert (verdict.row, verdict.decision) in (
            (Row.OTHER_DOOR, decision),
            (Row.SERVICE, decision),
        )

"""Every row of the decision table, with plain values."""

from __future__ import annotations

import ipaddress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readme import table
from real_dns import CUSTOM_DOMAIN as C
from real_dns import GATEWAY
from real_dns import PRIVATE_LINK as LINK
from real_dns import VNET_PROXY as PROXY
from speechroute._core.addresses import is_private
from speechroute._core.choices import PrivateEndpoint, WhenUndecided
from speechroute._core.classify import classify, without_dns
from speechroute._core.resource import Resource
from speechroute._core.route import Route
from speechroute._core.verdict import Decision, Row, Verdict
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute.emulator._names import Names, State
from speechroute.errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    RouteUndecided,
)

RESOURCE = Resource(C, None)
PUBLIC, PRIVATE = "13.69.67.71", "172.28.0.10"
GOVERNMENT = "my-speech.cognitiveservices.azure.us"


def answered(*chain: str, addresses: tuple[str, ...] = (PUBLIC,), ttl: int = 60) -> Lookup:
    found = tuple(map(ipaddress.ip_address, addresses))
    return Lookup(chain, found, ttl, Outcome.ANSWERED)


def system(*addresses: str) -> Lookup:
    return answered(C, addresses=addresses)


def failed(outcome: Outcome, *chain: str, failure: str = "") -> Lookup:
    return Lookup(chain, (), None, outcome, failure)


def decide(view: DnsView, resource: Resource = RESOURCE) -> Verdict:
    return classify(view, resource)


CLOUDS = {
    "my-speech.services.ai.azure.com": "swedencentral",
    "my-speech.cognitiveservices.azure.us": "usgovvirginia",
    "my-speech.cognitiveservices.azure.cn": "chinanorth3",
}
ROWS = {"vnet": Row.PRIVATE_ADDRESS, "proxy": Row.VNET_PROXY, "removed": Row.REGIONAL}


@pytest.mark.parametrize(("custom_domain", "region"), CLOUDS.items())
@pytest.mark.parametrize("state", ROWS)
def test_other_clouds_and_foundry_domains_are_decided_alike(
    state: str, custom_domain: str, region: str
) -> None:
    found = Names(custom_domain, region).chain(custom_domain, State(state))
    assert found is not None
    names, address = found
    verdict = decide(DnsView(answered(*names, addresses=(address,))), Resource(custom_domain, None))
    assert verdict.row is ROWS[state]
    assert verdict.region == (None if state == "vnet" else region)


PRIVATE_CASES = {
    "private endpoint in the VNet": (
        DnsView(answered(C, LINK, addresses=(PRIVATE,))),
        Row.PRIVATE_ADDRESS,
    ),
    "own DNS server, no alias": (
        DnsView(answered(C, addresses=("10.1.2.3",))),
        Row.PRIVATE_ADDRESS,
    ),
    "carrier-grade address": (DnsView(answered(C, addresses=("100.64.0.1",))), Row.PRIVATE_ADDRESS),
    "unique local IPv6": (DnsView(answered(C, addresses=("fd00::1",))), Row.PRIVATE_ADDRESS),
    "mapped IPv6": (DnsView(answered(C, addresses=("::ffff:10.0.0.1",))), Row.PRIVATE_ADDRESS),
    "local tunnel": (DnsView(answered(C, addresses=("127.0.0.1",))), Row.PRIVATE_ADDRESS),
    "private and public addresses": (
        DnsView(answered(C, LINK, addresses=(PUBLIC, PRIVATE))),
        Row.PRIVATE_ADDRESS,
    ),
    "private endpoint from outside": (DnsView(answered(C, LINK, *PROXY)), Row.VNET_PROXY),
    "VNet service endpoint, no privatelink": (DnsView(answered(C, *PROXY)), Row.VNET_PROXY),
    "privatelink with a public address": (DnsView(answered(C, LINK)), Row.PRIVATE_LINK),
    "DNS64 form of a private address": (
        DnsView(answered(C, LINK, addresses=("64:ff9b::ac1c:a",))),
        Row.PRIVATE_ADDRESS,
    ),
    "system with the DNS64 form alone": (
        DnsView(answered(C, LINK, addresses=(PRIVATE,)), system("64:ff9b::ac1c:a")),
        Row.PRIVATE_ADDRESS,
    ),
    "VNet proxy behind an egress proxy": (
        DnsView(answered(C, LINK, *PROXY, addresses=(PRIVATE,))),
        Row.VNET_PROXY,
    ),
    "hosts file, the region found by the search list": (
        DnsView(
            failed(Outcome.NAME_MISSING, C),
            system(PRIVATE),
            region_system=answered(GATEWAY[0], f"{GATEWAY[0]}.corp.example", addresses=(PRIVATE,)),
        ),
        Row.SYSTEM_PRIVATE,
    ),
    "hosts file, another line for the region": (
        DnsView(answered(C, *GATEWAY), system(PRIVATE), region_system=system(PUBLIC)),
        Row.SYSTEM_PRIVATE,
    ),
    "hosts file over public DNS": (
        DnsView(answered(C, *GATEWAY), system(PRIVATE)),
        Row.SYSTEM_PRIVATE,
    ),
    "VPN resolves what DNS does not": (
        DnsView(failed(Outcome.NAME_MISSING, C), system(PRIVATE)),
        Row.SYSTEM_PRIVATE,
    ),
    "hosts file while DNS is down": (
        DnsView(failed(Outcome.FAILED, C, failure="timed out"), system(PRIVATE)),
        Row.SYSTEM_PRIVATE,
    ),
}
REGIONAL_CASES = {
    "private endpoints removed": DnsView(answered(C, *GATEWAY)),
    "removed, alias left behind": DnsView(answered(C, LINK, *GATEWAY)),
    "only the gateway is known": DnsView(answered(C, GATEWAY[4])),
    "egress proxy": DnsView(answered(C, *GATEWAY, addresses=("10.9.9.9",))),
    "sinkhole": DnsView(answered(C, LINK, *GATEWAY, addresses=("127.0.0.1",))),
    "carrier-grade translation": DnsView(answered(C, *GATEWAY, addresses=("100.64.0.9",))),
    "egress proxy of the system alone": DnsView(
        answered(C, *GATEWAY), system("10.9.9.9"), region_system=system("10.9.9.8")
    ),
}


@pytest.mark.parametrize("case", PRIVATE_CASES)
def test_a_private_endpoint_is_seen(case: str) -> None:
    view, row = PRIVATE_CASES[case]
    verdict = decide(view)
    assert (verdict.row, verdict.decision) == (row, Decision.PRIVATE_ENDPOINT)
    assert verdict.reason.startswith((C, "The operating system"))
    assert verdict.error is None


@pytest.mark.parametrize("case", REGIONAL_CASES)
def test_the_regional_api_host_means_regional_and_tells_the_region(case: str) -> None:
    verdict = decide(REGIONAL_CASES[case])
    assert (verdict.row, verdict.decision) == (Row.REGIONAL, Decision.REGIONAL)
    assert verdict.region == "westeurope"


def test_the_proxy_state_tells_the_region_too() -> None:
    assert decide(DnsView(answered(C, LINK, *PROXY))).region == "westeurope"


def test_mixed_addresses_carry_a_warning() -> None:
    view, _ = PRIVATE_CASES["private and public addresses"]
    assert "private and public" in decide(view).warnings[0]


def test_public_dns_with_a_private_system_view_carries_a_warning() -> None:
    view, _ = PRIVATE_CASES["hosts file over public DNS"]
    assert PUBLIC in decide(view).warnings[0]
    assert "a proxy answers for all" in decide(view).warnings[0]
    view, _ = PRIVATE_CASES["hosts file, another line for the region"]
    assert "a proxy" not in decide(view).warnings[0]


def test_private_dns_with_a_public_system_view_goes_where_the_system_says() -> None:
    view = DnsView(answered(C, LINK, addresses=(PRIVATE,)), system(PUBLIC))
    verdict = decide(view)
    assert verdict.row is Row.PRIVATE_LINK
    assert PUBLIC in verdict.warnings[0]


def test_a_system_that_cannot_resolve_the_name_is_a_warning() -> None:
    view = DnsView(answered(C, *GATEWAY), failed(Outcome.NAME_MISSING, C))
    assert "does not resolve" in decide(view).warnings[0]


def test_a_system_that_agrees_is_no_warning_and_one_that_could_not_be_asked_is_one() -> None:
    assert decide(DnsView(answered(C, *GATEWAY), system(PUBLIC))).warnings == ()
    silent = failed(Outcome.FAILED, C, failure="no answer within 1.0 s")
    (warning,) = decide(DnsView(answered(C, *GATEWAY), silent)).warnings
    assert "could not be asked (no answer within 1.0 s)" in warning


def test_a_region_that_could_not_be_looked_up_is_no_no() -> None:
    resource = Resource(C, "westeurope")
    silent = failed(Outcome.FAILED, GATEWAY[0], failure="timed out")
    verdict = classify(DnsView(answered(C), None, silent), resource)
    assert isinstance(verdict.error, DnsUnavailable)
    assert verdict.error.custom_domain == C
    policy = WhenUndecided.PRIVATE
    chosen = classify(DnsView(answered(C), None, silent), resource, when_undecided=policy)
    assert (chosen.row, chosen.decision) == (Row.UNDECIDED, Decision.PRIVATE_ENDPOINT)
    assert "timed out" in chosen.warnings[-1]


def test_a_flattened_chain_is_compared_with_the_regions_addresses() -> None:
    resource = Resource(C, "westeurope")
    region_api = answered(*GATEWAY, addresses=("13.93.122.1", PUBLIC))
    verdict = classify(DnsView(answered(C), None, region_api), resource)
    assert (verdict.row, verdict.region) == (Row.SAME_AS_REGION, "westeurope")
    (warning,) = verdict.warnings
    assert "a private endpoint: if calls are refused there" in warning
    elsewhere = answered(*GATEWAY, addresses=("13.93.122.1",))
    assert classify(DnsView(answered(C), None, elsewhere), resource).row is Row.UNDECIDED


def test_an_egress_proxy_has_the_regions_address_too_private_or_not() -> None:
    resource, proxy = Resource(C, "westeurope"), answered(C, addresses=("10.9.9.9",))
    verdict = classify(DnsView(proxy, None, proxy), resource)
    assert (verdict.row, verdict.warnings) == (Row.SAME_AS_REGION, ())
    by_system = DnsView(
        failed(Outcome.FAILED, C), system("10.9.9.9"), region_system=system("10.9.9.9")
    )
    assert classify(by_system, resource).row is Row.SAME_AS_REGION
    by_region = DnsView(answered(C, *GATEWAY), system("10.9.9.9"), proxy)
    assert classify(by_region, resource).row is Row.REGIONAL
    elsewhere = answered(GATEWAY[0], addresses=("10.9.9.8",))
    assert classify(DnsView(proxy, None, elsewhere), resource).warnings == ()
    (warning,) = decide(DnsView(proxy)).warnings
    assert "set SPEECH_REGION" in warning
    closed = failed(Outcome.NAME_MISSING, GATEWAY[0])
    (warning,) = classify(DnsView(proxy, None, closed), resource).warnings
    assert f"as {GATEWAY[0]} has none" in warning
    assert "SPEECH_REGION" not in warning


@pytest.mark.parametrize("case", ["egress proxy", "sinkhole", "carrier-grade translation"])
def test_a_private_address_behind_a_name_that_is_none_of_a_private_endpoint_is_doubtful(
    case: str,
) -> None:
    view = REGIONAL_CASES[case]
    (warning,) = decide(view).warnings
    assert warning.startswith(f"{view.dns.addresses[0]} is a private address")
    assert not Route.of(decide(view), RESOURCE, view, 0).is_direct


def test_a_public_address_at_privatelink_has_two_causes_and_a_way_past_a_proxy() -> None:
    view = DnsView(answered(C, LINK))
    (warning,) = decide(view).warnings
    assert "NO_PROXY" in warning
    assert "no private zone is linked" in warning
    assert not Route.of(decide(view), RESOURCE, view, 0).is_direct


@pytest.mark.parametrize(
    ("custom_domain", "region", "chain", "clouds"),
    [
        (GOVERNMENT, "usgovvirginia", GATEWAY, ("government", "public")),
        (GOVERNMENT, None, GATEWAY, ("government", "public")),
        (GOVERNMENT, None, (GATEWAY[1],), ("government", "public")),
        (GOVERNMENT, None, (LINK,), ("government", "public")),
        (GOVERNMENT, None, PROXY, ("government", "public")),
        (C, "westeurope", ("chinanorth3.api.cognitive.azure.cn",), ("public", "china")),
        (C, None, (*GATEWAY, "usgovvirginia.api.cognitive.microsoft.us"), ("public", "government")),
    ],
)
def test_a_name_of_another_cloud_is_an_error_that_names_both(
    custom_domain: str, region: str | None, chain: tuple[str, ...], clouds: tuple[str, str]
) -> None:
    resource = Resource(custom_domain, region)
    for address in (PUBLIC, PRIVATE):
        view = DnsView(answered(custom_domain, *chain, addresses=(address,)))
        verdict = decide(view, resource)
        assert (verdict.row, verdict.decided_by) == (Row.OTHER_CLOUD, len(chain))
        with pytest.raises(RouteUndecided) as raised:
            Route.of(verdict, resource, view, 0)
        own, other = clouds
        assert f"of the {own} cloud" in str(raised.value)
        assert f"of the {other} cloud" in str(raised.value)
    told = classify(view, resource, told=PrivateEndpoint.NO)
    assert (told.row, told.region) in ((Row.OTHER_CLOUD, None), (Row.TOLD_NO, "westeurope"))


def test_a_region_of_government_has_its_documented_name_in_a_route() -> None:
    view = DnsView(answered(GOVERNMENT, "virginia.api.cognitive.microsoft.us"))
    for region in (None, "usgovvirginia"):
        resource = Resource(GOVERNMENT, region)
        route = Route.of(decide(view, resource), resource, view, 0)
        assert (route.row, route.region, route.warnings) == (Row.REGIONAL, "usgovvirginia", ())


def test_a_route_refuses_a_region_of_another_cloud_wherever_it_comes_from() -> None:
    verdict = Verdict(Row.REGIONAL, Decision.REGIONAL, "By hand.", "westeurope")
    with pytest.raises(RouteUndecided, match=r"of the public cloud.*in the government cloud"):
        Route.of(verdict, Resource(GOVERNMENT, None), None, 0)
    route = Route.of(verdict, RESOURCE, None, 0)
    with pytest.raises(RouteUndecided, match="china"):
        replace(route, region="chinanorth3")


def test_the_name_that_decided_is_told_and_no_other() -> None:
    assert decide(DnsView(answered(C, LINK, *GATEWAY))).decided_by == 1 + len(GATEWAY)
    assert decide(DnsView(answered(C, LINK, addresses=(PRIVATE,)))).decided_by == 1
    assert decide(DnsView(answered(C, *GATEWAY), system(PRIVATE))).decided_by is None
    assert decide(DnsView(answered(C, addresses=(PRIVATE,)))).decided_by is None


def test_a_name_found_in_the_search_list_is_another_host() -> None:
    found = Lookup((C, f"{C}.corp.example"), system(PRIVATE).addresses, None, Outcome.ANSWERED)
    verdict = decide(DnsView(failed(Outcome.NAME_MISSING, C), found))
    assert isinstance(verdict.error, CustomDomainNotFound)
    assert f"only as {C}.corp.example, by its search list" in str(verdict.error)
    verdict = decide(DnsView(answered(C, *GATEWAY), found))
    assert verdict.row is Row.REGIONAL
    assert "search list" in verdict.warnings[0]


@pytest.mark.parametrize(
    ("policy", "decision"),
    [
        (WhenUndecided.PRIVATE, Decision.PRIVATE_ENDPOINT),
        (WhenUndecided.REGIONAL, Decision.REGIONAL),
    ],
)
def test_the_policy_chooses_where_dns_does_not_tell(
    policy: WhenUndecided, decision: Decision
) -> None:
    verdict = classify(DnsView(answered(C)), RESOURCE, when_undecided=policy)
    assert (verdict.row, verdict.decision) == (Row.UNDECIDED, decision)
    assert f"SPEECH_WHEN_UNDECIDED={policy}" in verdict.reason


def test_undecided_is_an_error_unless_told_otherwise() -> None:
    verdict = decide(DnsView(answered(C)))
    assert isinstance(verdict.error, RouteUndecided)
    assert "SPEECH_PRIVATE_ENDPOINT" in str(verdict.error)


@pytest.mark.parametrize(
    ("lookup", "row", "error", "match"),
    [
        pytest.param(
            failed(Outcome.NAME_MISSING, C),
            Row.CUSTOM_DOMAIN_MISSING,
            CustomDomainNotFound,
            "check the spelling",
            id="custom domain missing",
        ),
        pytest.param(
            failed(Outcome.NAME_MISSING, C, LINK),
            Row.PRIVATE_RECORD_MISSING,
            PrivateDnsRecordMissing,
            r"add an A record for my-speech to the zone privatelink\.cognitiveservices\.azure\.com",
            id="zone linked, record missing",
        ),
        pytest.param(
            failed(Outcome.NO_ADDRESS, C, LINK),
            Row.PRIVATE_RECORD_MISSING,
            PrivateDnsRecordMissing,
            r"add an A record.*rebind protection.*SPEECH_DNS_SERVERS",
            id="zone linked, record without address",
        ),
        pytest.param(
            failed(Outcome.NAME_MISSING, C, "gone.example.net"),
            Row.DNS_UNAVAILABLE,
            DnsUnavailable,
            "gone.example.net: name missing",
            id="alias to nowhere",
        ),
        pytest.param(
            failed(Outcome.NAME_MISSING, C, LINK, PROXY[0]),
            Row.DNS_UNAVAILABLE,
            DnsUnavailable,
            "westeurope.prod.vnet.*name missing",
            id="VNet proxy missing behind privatelink",
        ),
        pytest.param(
            failed(Outcome.FAILED, C, failure="10.0.0.4:53 answered SERVFAIL"),
            Row.DNS_UNAVAILABLE,
            DnsUnavailable,
            "SERVFAIL.*unknown: check the DNS servers",
            id="SERVFAIL",
        ),
        pytest.param(
            failed(Outcome.FAILED, C, LINK, C, failure="its aliases run in a loop"),
            Row.DNS_UNAVAILABLE,
            DnsUnavailable,
            "loop",
            id="loop",
        ),
        pytest.param(
            failed(Outcome.NO_ADDRESS, C),
            Row.DNS_UNAVAILABLE,
            DnsUnavailable,
            "no address.*rebind protection",
            id="no address at all",
        ),
    ],
)
def test_no_answer_is_an_error_that_says_what_to_do(
    lookup: Lookup, row: Row, error: type[Exception], match: str
) -> None:
    verdict = decide(DnsView(lookup))
    assert (verdict.row, verdict.decision) == (row, Decision.ERROR)
    with pytest.raises(error, match=match) as raised:
        Route.of(verdict, RESOURCE, None, 0)
    assert raised.value.custom_domain == C  # type: ignore[attr-defined]


def test_without_a_custom_domain_nothing_is_asked() -> None:
    verdict = without_dns(Resource(None, "westeurope"), PrivateEndpoint.AUTO)
    assert verdict is not None
    assert (verdict.row, verdict.decision) == (Row.NO_CUSTOM_DOMAIN, Decision.REGIONAL)


def test_a_user_who_knows_is_believed_without_asking() -> None:
    yes = without_dns(RESOURCE, PrivateEndpoint.YES)
    no = without_dns(Resource(C, "westeurope"), PrivateEndpoint.NO)
    assert yes is not None
    assert no is not None
    assert (yes.row, yes.decision) == (Row.TOLD_YES, Decision.PRIVATE_ENDPOINT)
    assert (no.row, no.decision) == (Row.TOLD_NO, Decision.REGIONAL)


def test_no_without_a_region_takes_only_the_region_from_dns() -> None:
    assert without_dns(RESOURCE, PrivateEndpoint.NO) is None
    view = DnsView(answered(C, LINK, *PROXY))
    verdict = classify(view, RESOURCE, told=PrivateEndpoint.NO)
    assert (verdict.row, verdict.region) == (Row.TOLD_NO, "westeurope")


def test_no_without_a_region_says_why_dns_could_not_tell_it() -> None:
    for system_says in (None, system(PRIVATE)):
        view = DnsView(failed(Outcome.FAILED, C, failure="timed out"), system_says)
        verdict = classify(view, RESOURCE, told=PrivateEndpoint.NO)
        assert isinstance(verdict.error, DnsUnavailable)
        assert "timed out" in str(verdict.error)
        assert str(verdict.error).endswith("Or set SPEECH_REGION: then nothing is asked of DNS.")


def test_the_reason_names_the_addresses_that_decided() -> None:
    view = DnsView(answered(C, LINK, addresses=(PRIVATE,)), system(PUBLIC))
    assert f"({PUBLIC})" in decide(view).reason
    assert PRIVATE not in decide(view).reason


def test_auto_with_a_custom_domain_needs_dns() -> None:
    assert without_dns(RESOURCE, PrivateEndpoint.AUTO) is None


@pytest.mark.parametrize("address", ["192.0.2.1", "198.51.100.7", "2001:db8::1", "169.254.1.1"])
def test_reserved_ranges_that_no_private_endpoint_has_are_not_private(address: str) -> None:
    assert not is_private(ipaddress.ip_address(address))


_names = st.sampled_from(
    [C, LINK, *PROXY, *GATEWAY, "unknown.example.net", "usgovvirginia.api.cognitive.microsoft.us"]
)
_addresses = st.ip_addresses().map(str)


@given(
    chain=st.lists(_names, max_size=8),
    addresses=st.lists(_addresses, max_size=4),
    system_addresses=st.none() | st.lists(_addresses, max_size=3),
    outcome=st.sampled_from(Outcome),
    region=st.sampled_from([None, "westeurope", "northeurope"]),
    told=st.sampled_from([PrivateEndpoint.AUTO, PrivateEndpoint.NO]),
    policy=st.sampled_from(WhenUndecided),
)
def test_every_set_of_facts_gives_one_verdict_and_errors_only_with_an_error(
    chain: list[str],
    addresses: list[str],
    system_addresses: list[str] | None,
    outcome: Outcome,
    region: str | None,
    told: PrivateEndpoint,
    policy: WhenUndecided,
) -> None:
    found = addresses if outcome is Outcome.ANSWERED else []
    if not found and outcome is Outcome.ANSWERED:
        outcome = Outcome.NO_ADDRESS
    dns = Lookup((C, *chain), tuple(map(ipaddress.ip_address, found)), 1, outcome, "")
    view = DnsView(dns, None if system_addresses is None else system(*system_addresses))
    verdict = classify(view, Resource(C, region), told=told, when_undecided=policy)
    assert (verdict.decision is Decision.ERROR) == (verdict.error is not None)
    assert C in str(verdict.error or C)
    assert verdict.reason.endswith((".", "chose."))
    assert told is PrivateEndpoint.AUTO or verdict.decision is not Decision.PRIVATE_ENDPOINT
    shuffled = Lookup(dns.chain, dns.addresses[::-1], 1, outcome, "")
    again = classify(
        DnsView(shuffled, view.system), Resource(C, region), told=told, when_undecided=policy
    )
    assert again.row is verdict.row


def test_the_readme_has_exactly_the_rows_of_the_code() -> None:
    rows = {row[0].strip("`"): row[1] for row in table("How it decides")}
    assert rows == {row.id: row.value for row in Row}

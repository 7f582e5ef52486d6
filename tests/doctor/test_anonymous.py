"""What a witness tells of DNS: nobody's names and addresses, and the same decision."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lookups import observation_from
from places import ROOT
from speechroute._core.addresses import IPAddress, is_private
from speechroute._core.classify import classify
from speechroute._core.service import ServiceAnswer
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._doctor.witness.anonymous import Anonymous

OBSERVATIONS = json.loads((ROOT / "tests" / "core" / "public_dns.json").read_text())
NAME = "contoso-7.cognitiveservices.azure.com"
OF_RESOURCE = "resource.cognitiveservices.azure.com"
ANY_ADDRESS = st.one_of(
    st.ip_addresses(),
    st.ip_addresses(network="172.16.0.0/12"),
    st.ip_addresses(network="64:ff9b::/96"),
    st.ip_addresses(network="::ffff:0:0/96"),
)


def answered(*chain: str, addresses: tuple[IPAddress, ...] = ()) -> Lookup:
    return Lookup(chain, addresses, 5, Outcome.ANSWERED)


@pytest.mark.parametrize("seen", OBSERVATIONS, ids=[o["id"] for o in OBSERVATIONS])
def test_what_was_seen_is_decided_as_before(seen: dict[str, Any]) -> None:
    view, resource = observation_from(seen)
    told = Anonymous(seen["chain"][0]).view(view)
    again = classify(told, resource._replace(custom_domain=told.dns.chain[0]))
    before = classify(view, resource)
    assert again[:2] == before[:2]
    assert (again.region, again.decided_by) == (before.region, before.decided_by)
    assert seen["chain"][0].partition(".")[0] not in str(told)


@given(addresses=st.lists(ANY_ADDRESS, min_size=1, max_size=5, unique=True))
def test_an_address_becomes_another_of_its_class_and_the_same_one_everywhere(
    addresses: list[IPAddress],
) -> None:
    anonymous = Anonymous(NAME)
    view = DnsView(
        answered(NAME, addresses=tuple(addresses)),
        region_api=answered("westeurope.api.cognitive.microsoft.com", addresses=(addresses[-1],)),
    )
    told = anonymous.view(view)
    assert list(map(is_private, told.dns.addresses)) == list(map(is_private, addresses))
    assert [a.version for a in told.dns.addresses] == [a.version for a in addresses]
    assert len({*told.dns.addresses}) == len(addresses)
    assert told.region_api is not None
    assert told.region_api.addresses == told.dns.addresses[-1:]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (NAME, OF_RESOURCE),
        (NAME.upper() + ".", OF_RESOURCE),
        (
            "contoso-7.privatelink.cognitiveservices.azure.com",
            "resource.privatelink.cognitiveservices.azure.com",
        ),
        (
            "other.privatelink.cognitiveservices.azure.com",
            "name-1.privatelink.cognitiveservices.azure.com",
        ),
        ("westeurope.api.cognitive.microsoft.com", "westeurope.api.cognitive.microsoft.com"),
        (
            "vnetproxyv1-weu-prod.westeurope.cloudapp.azure.com",
            "vnetproxyv1-weu-prod.westeurope.cloudapp.azure.com",
        ),
        ("cognitive-contoso-7.azure-api.net", "cognitive-resource.azure-api.net"),
        ("dns.contoso.example", "name-1.invalid"),
        ("contoso-7.trafficmanager.net", "name-1.invalid"),
    ],
)
def test_azures_own_names_stay_and_others_go(name: str, expected: str) -> None:
    told = Anonymous(NAME).view(DnsView(answered(NAME, name)))
    assert told.dns.chain == (OF_RESOURCE, expected)


def test_a_name_that_a_search_list_found_is_still_one() -> None:
    found = answered("contoso-7", "contoso-7.corp.example")
    told = Anonymous(NAME).view(DnsView(answered(NAME), system=found))
    assert told.is_searched
    assert "corp" not in str(told)


def test_words_of_others_are_left_out() -> None:
    failed = Lookup((NAME,), (), None, Outcome.FAILED, "10.1.2.3 said nothing")
    service = ServiceAnswer(None, None, "no answer: not valid for contoso-7.example", 0.5)
    told = Anonymous(NAME).view(DnsView(failed, service=service))
    assert told.dns == Lookup((OF_RESOURCE,), (), None, Outcome.FAILED)
    assert told.service == ServiceAnswer(None, None, "no answer", 0.5)

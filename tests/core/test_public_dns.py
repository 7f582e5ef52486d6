"""What public posts show of real DNS, each with what it must decide. None may be silently wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lookups import lookup_from, observation_from
from speechroute._core.classify import classify
from speechroute._core.verdict import Decision, Verdict
from speechroute._core.view import Lookup, Outcome

OBSERVATIONS: list[dict[str, Any]] = json.loads(
    Path(__file__).with_name("public_dns.json").read_text(encoding="utf-8")
)
DOORS = {Decision.PRIVATE_ENDPOINT: "custom domain", Decision.REGIONAL: "region"}
each = pytest.mark.parametrize("seen", OBSERVATIONS, ids=[o["id"] for o in OBSERVATIONS])


def decide(seen: dict[str, Any]) -> Verdict:
    return classify(*observation_from(seen))


@each
def test_an_observation_decides_what_it_says(seen: dict[str, Any]) -> None:
    verdict = decide(seen)
    decided = {"row": verdict.row.id, "decision": verdict.decision, "region": verdict.region}
    assert decided == seen["decides"]


@each
def test_no_route_leads_to_another_door_than_the_one_that_works(seen: dict[str, Any]) -> None:
    door = DOORS.get(decide(seen).decision)
    assert seen["works"] in (None, *DOORS.values())
    assert None in (door, seen["works"]) or door == seen["works"]


@each
def test_an_observation_names_its_source(seen: dict[str, Any]) -> None:
    assert seen["source"].strip()
    assert seen["note"].strip()


def test_every_observation_is_told_apart() -> None:
    assert len({seen["id"] for seen in OBSERVATIONS}) == len(OBSERVATIONS)


def test_a_lookup_of_check_reads_as_it_was() -> None:
    of_check = {
        "chain": [
            {"name": "a.example", "ttl": 60, "marker": None},
            {"name": "b.example", "ttl": None, "marker": None},
        ],
        "addresses": [],
        "outcome": "name missing",
        "failure": "",
    }
    chain = ("a.example", "b.example")
    assert lookup_from(of_check) == Lookup(chain, (), 60, Outcome.NAME_MISSING, "", (60,))

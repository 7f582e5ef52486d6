"""The ledger of claims, held against the code, the findings and the README that name them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from places import ROOT
from speechroute._doctor.catalogue import catalogue
from speechroute._doctor.ledger import Claim, Standing, ledger
from speechroute.emulator._service import Generation

PACKAGE = ROOT / "src" / "speechroute"
WITNESSES = PACKAGE / "_doctor" / "witness"
"""Try claims, and rest on none."""
ID = re.compile(r"\b(?:AZ|SDK)-[A-Z0-9-]*[A-Z0-9]\b")
SOURCE = {
    Standing.DOCUMENTED: r"\b20\d\d\b|\bdate unknown\b",
    Standing.MEASURED: r"\b1\.\d+\b",
    Standing.REPORTED: r"\b20\d\d-\d\d\b",
    Standing.ASSUMED: r"\w",
}
"""What the source of a claim has, by its standing."""


def unknown_in(text: str) -> set[str]:
    return set(ID.findall(text)) - ledger().keys()


def pages() -> list[Path]:
    """Where ids may stand."""
    kinds = (".py", ".md", ".toml")
    return [ROOT / "README.md", *(file for file in PACKAGE.rglob("*") if file.suffix in kinds)]


def rest_on(id_: str) -> set[str]:
    """The files of the package that name a claim because they rest on it."""
    return {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if WITNESSES not in file.parents and id_ in ID.findall(file.read_text("utf-8"))
    }


def test_every_id_that_stands_anywhere_is_one_of_the_ledger() -> None:
    assert len(pages()) > len(list(PACKAGE.rglob("*.py")))
    for page in pages():
        assert not unknown_in(page.read_text("utf-8")), page.relative_to(ROOT)


def test_an_unknown_id_is_found() -> None:
    known = next(iter(ledger()))
    assert unknown_in(f"(assumed: AZ-NO-SUCH-CLAIM), {known}; SDK-1.") == {
        "AZ-NO-SUCH-CLAIM",
        "SDK-1",
    }


def test_the_ids_of_the_ledger_are_found_whole() -> None:
    assert ID.findall(" ".join(ledger())) == list(ledger())


@pytest.mark.parametrize("claim", ledger().values(), ids=list(ledger()))
def test_each_claim_is_named_where_it_says_that_the_code_rests_on_it(claim: Claim) -> None:
    assert rest_on(claim.id) == set(claim.rests_on)
    assert list(claim.rests_on) == sorted(set(claim.rests_on))
    assert claim.rests_on or any(claim.id in section.rests_on for section in catalogue().values())


@pytest.mark.parametrize("number", catalogue())
def test_each_finding_names_what_it_rests_on(number: str) -> None:
    named = catalogue()[number].rests_on
    assert named
    assert set(named) <= ledger().keys()
    assert len(named) == len(set(named))
    assert f"\n\nRests on: {', '.join(named)}\n\n**Seen.**" in str(catalogue()[number])


@pytest.mark.parametrize("claim", ledger().values(), ids=list(ledger()))
def test_each_claim_is_a_short_sentence_with_a_source(claim: Claim) -> None:
    assert re.fullmatch(r"[A-Z0-9].*\.", claim.claim)
    assert not re.search(r"[.!?] [A-Z]", claim.claim)
    assert len(claim.claim) <= 96
    assert re.search(SOURCE[claim.standing], claim.source)
    assert set(claim.generations) <= set(Generation)

"""The claims about Azure and the SDK that the code rests on: ``claims.toml``, by id."""

from __future__ import annotations

import tomllib
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import NamedTuple


class Standing(StrEnum):
    """How well a claim is known."""

    DOCUMENTED = "documented"
    MEASURED = "measured"
    REPORTED = "reported"
    ASSUMED = "assumed"


class Claim(NamedTuple):
    """One claim.

    Attributes:
        claim: one sentence.
        standing: how well it is known.
        source: title and date, the SDK's version, a project, or what it is assumed from.
        rests_on: the files of the package that would be wrong where it is.
        generations: of the service, to which it belongs; empty: all.
    """

    id: str
    claim: str
    standing: Standing
    source: str
    rests_on: tuple[str, ...]
    generations: tuple[str, ...] = ()


@cache
def ledger() -> dict[str, Claim]:
    """Every claim, in the order of the file."""
    page = files(__package__).joinpath("claims.toml").read_text(encoding="utf-8")
    return {
        number: Claim(
            number,
            told["claim"],
            Standing(told["standing"]),
            told["source"],
            tuple(told["rests_on"]),
            tuple(told.get("generations", ())),
        )
        for number, told in tomllib.loads(page).items()
    }

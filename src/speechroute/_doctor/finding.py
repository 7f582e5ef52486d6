"""`Finding`: one thing that is wrong, or good to know."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .._core.verdict import Row
from .catalogue import catalogue
from .evidence import has_override
from .facts import Facts

BY = {
    **dict.fromkeys(
        (
            Row.PRIVATE_ADDRESS,
            Row.PRIVATE_LINK,
            Row.VNET_PROXY,
            Row.REGIONAL,
            Row.SAME_AS_REGION,
        ),
        "DNS",
    ),
    Row.SYSTEM_PRIVATE: "The operating system",
}
"""Who decided, by row of the decision table, where it was not a setting."""


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(NamedTuple):
    """Something that is wrong, or good to know.

    Attributes:
        id: stable, of the catalogue.
        cause: one sentence.
        remedy: one sentence.
    """

    id: str
    severity: Severity
    cause: str
    remedy: str
    command: str = ""

    @property
    def title(self) -> str:
        return catalogue()[self.id].title

    @property
    def fixed_by(self) -> str:
        return catalogue()[self.id].fixed_by

    @property
    def rests_on(self) -> tuple[str, ...]:
        return catalogue()[self.id].rests_on


def who(facts: Facts) -> str:
    """Who decided on the route, or would have, had the service not been asked."""
    row = facts.outweighed.row if facts.outweighed else facts.row
    return BY.get(row, "A setting") if row else "A setting"


def source_of_addresses(facts: Facts) -> str:
    """Who gave the addresses of the custom domain."""
    is_known = facts.view is not None and bool(facts.view.dns.addresses)
    return "DNS" if is_known and not has_override(facts) else BY[Row.SYSTEM_PRIVATE]


def wrong_region(configured: str, real: str, by: str) -> Finding:
    return Finding(
        "SR202",
        Severity.ERROR,
        f"SPEECH_REGION is {configured}, {by} {real}.",
        f"Set SPEECH_REGION={real}, or take it out.",
    )

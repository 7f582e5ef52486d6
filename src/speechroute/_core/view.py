"""What was seen of a name: by DNS, and by the operating system."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .addresses import IPAddress


class Outcome(StrEnum):
    """How a lookup ended. "Could not ask" (``failed``) is never "no"."""

    ANSWERED = "answered"
    NO_ADDRESS = "no address"
    NAME_MISSING = "name missing"
    FAILED = "failed"


class Lookup(NamedTuple):
    """What was found for one name.

    Attributes:
        chain: the names from the one asked to where it lands, lower case, no trailing dots.
        addresses: where it lands.
        ttl: the smallest time to live on the chain, seconds; None where nothing was found.
        outcome: how it ended; for ``name missing`` the last name of the chain is the missing one.
        failure: what went wrong, in words, where something did.
        ttls: the time to live of each step that was found: of each name's alias, seconds, and of
            the addresses.
    """

    chain: tuple[str, ...]
    addresses: tuple[IPAddress, ...]
    ttl: int | None
    outcome: Outcome
    failure: str = ""
    ttls: tuple[int, ...] = ()


class DnsView(NamedTuple):
    """One observation: the facts that a decision is made from.

    Attributes:
        dns: what the DNS servers said about the custom domain.
        system: what ``getaddrinfo`` said about it; None where that was not asked.
        region_api: what DNS said about the region's API host; None where no region is known.
        seconds: how long the observation took.
    """

    dns: Lookup
    system: Lookup | None = None
    region_api: Lookup | None = None
    seconds: float = 0.0

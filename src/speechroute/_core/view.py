"""What was seen of a name: by DNS, by the operating system, and by the service."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .addresses import IPAddress, is_private
from .service import ServiceAnswer


class Outcome(StrEnum):
    """How a lookup ended. "Could not ask" (``failed``) is never "no"."""

    ANSWERED = "answered"
    NO_ADDRESS = "no address"
    NAME_MISSING = "name missing"
    FAILED = "failed"


NOT_ASKED = "this process could not ask: no thread or socket is left"
"""What the failure of a lookup begins with that no server is to blame for."""


class Lookup(NamedTuple):
    """What was found for one name.

    Attributes:
        chain: the names from the one asked to where it lands, lower case, no trailing dots; of
            the system's resolver the first and, if it told another, the last.
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

    @property
    def is_searched(self) -> bool:
        """Whether the system found the name only under a domain of its search list."""
        return self.chain[-1].startswith(f"{self.chain[0]}.")


class DnsView(NamedTuple):
    """One observation: the facts that a decision is made from.

    Attributes:
        dns: what the DNS servers said about the custom domain.
        system: what ``getaddrinfo`` said about it; None where that was not asked.
        region_api: what DNS said about the region's API host; None where no region is known.
        seconds: how long the observation took.
        region_system: what ``getaddrinfo`` said about the region's API host; None where that was
            not asked, as wherever the system agrees with DNS.
        service: what the service said at the custom domain; None where it was not asked.
    """

    dns: Lookup
    system: Lookup | None = None
    region_api: Lookup | None = None
    seconds: float = 0.0
    region_system: Lookup | None = None
    service: ServiceAnswer | None = None

    @property
    def is_searched(self) -> bool:
        """Whether the system found the custom domain only by its search list."""
        return self.system is not None and self.system.is_searched

    @property
    def system_addresses(self) -> tuple[IPAddress, ...]:
        """Where the system says that the custom domain is: the SDK connects there."""
        return self.system.addresses if self.system and not self.is_searched else ()

    @property
    def is_overridden(self) -> bool:
        """Whether the system alone gives a private address, and for this name alone."""
        system = self.system_addresses
        if not any(map(is_private, system)) or any(map(is_private, self.dns.addresses)):
            return False
        if self.region_api and {*system} & {*self.region_api.addresses}:
            return False
        of_region = self.region_system
        if of_region is None or of_region.is_searched:
            return True
        return not any(map(is_private, of_region.addresses))

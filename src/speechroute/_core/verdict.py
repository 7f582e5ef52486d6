"""`Verdict`: what an observation means for the route, and the rows of the decision table.

Source of the rows: "Use Speech service through a private endpoint" (Microsoft Learn,
2024-09-24), documented (AZ-DNS-PRIVATE-LINK, AZ-DNS-VNET-PROXY, AZ-DNS-REGION), unless a row says
otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .errors import SpeechRouteError


class Row(StrEnum):
    """The rows of the decision table. The text is what a row sees."""

    OTHER_HOST = "SPEECH_ENDPOINT is a host of SPEECH_ALLOW_HOSTS"
    NO_CUSTOM_DOMAIN = "no custom domain is configured"
    TOLD_YES = "SPEECH_PRIVATE_ENDPOINT=yes"
    TOLD_NO = "SPEECH_PRIVATE_ENDPOINT=no"
    SYSTEM_PRIVATE = "the operating system gives a private address where DNS does not"
    OTHER_CLOUD = "the last known name is of another cloud than the resource"
    REGIONAL = "the last known name is the regional API host or its gateway"
    VNET_PROXY = "the last known name is the VNet proxy"
    SAME_AS_REGION = "no known name, the address is one of the region's API host"
    PRIVATE_ADDRESS = "the last known name is privatelink, or none, the address is private"
    PRIVATE_LINK = "the last known name is privatelink, the address is public"
    UNDECIDED = "no known name, any other public address"
    CUSTOM_DOMAIN_MISSING = "the custom domain does not exist"
    PRIVATE_RECORD_MISSING = "the name behind privatelink does not exist, or has no address"
    DNS_UNAVAILABLE = "DNS fails, or gives no usable answer"
    SERVICE = "the service, asked, says where: in doubt, or SPEECH_ASK_SERVICE=always"
    OTHER_DOOR = "a call was refused where all this leads, and came through at the other door"

    @property
    def id(self) -> str:
        return self.name.lower().replace("_", "-")

    @property
    def is_direct(self) -> bool:
        """Whether the custom domain is in this network."""
        return self in (Row.PRIVATE_ADDRESS, Row.SYSTEM_PRIVATE)


class Decision(StrEnum):
    """What a verdict says."""

    PRIVATE_ENDPOINT = "private endpoint"
    REGIONAL = "regional"
    OTHER_HOST = "other host"
    ERROR = "error"


class Verdict(NamedTuple):
    """A decision with its reason.

    Attributes:
        row: the row of the decision table that applied.
        decision: the kind of route, or that there is none.
        reason: one sentence.
        region: the region that DNS told, if it did.
        warnings: what the user should know although there is a route.
        error: set where the decision is an error.
        decided_by: place on the chain of the name that decided, if one did.
    """

    row: Row
    decision: Decision
    reason: str
    region: str | None = None
    warnings: tuple[str, ...] = ()
    error: SpeechRouteError | None = None
    decided_by: int | None = None

"""What was seen at the doors of a resource. Plain values, of which none names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from ..._core.addresses import is_private
from ..._core.answer import FORBIDDEN, OK, UNAUTHORIZED
from ..._core.verdict import Decision, Row
from ..._core.view import DnsView

SWITCHING = 101
"""The status of HTTP of an upgrade that was let in."""
OTHER = "another"
"""A name that is none of those expected."""
_SERVED = (SWITCHING, OK)
_SHUT = (UNAUTHORIZED, FORBIDDEN)


class DoorKind(StrEnum):
    """Where something was asked."""

    CUSTOM_DOMAIN = "custom domain"
    REGION = "region"


class Asked(StrEnum):
    """What was asked: by a client of the SDK, or by plain HTTPS."""

    UPGRADE = "upgrade"
    KEYLESS = "upgrade without credential"
    NAMED = "upgrade that names the custom domain"
    MODELS = "REST models"
    TOKEN = "REST token"  # noqa: S105  # what is asked for
    REST_VOICES = "REST voices"
    REST_SPEECH = "REST speech"
    SHORT_AUDIO = "REST short audio"
    RECOGNITION = "recognition"
    TRANSLATION = "translation"
    TRANSCRIPTION = "transcription"
    SYNTHESIS = "synthesis"
    VOICES = "voices list"


SOCKETS = (Asked.RECOGNITION, Asked.TRANSLATION, Asked.TRANSCRIPTION, Asked.SYNTHESIS)
"""The clients of the SDK that open WebSockets."""
CLIENTS = (*SOCKETS, Asked.VOICES)
REST = (Asked.SHORT_AUDIO, Asked.REST_SPEECH, Asked.REST_VOICES)
"""The REST APIs of offerings."""


class Leads(NamedTuple):
    """Where a redirect leads to.

    Attributes:
        to_region: whether it is a regional host of the resource's cloud and, where it is known,
            region, and of the offering that was asked for.
        keeps_path: whether the path is the same, the offering before it aside.
        names_custom_domain: whether the query does.
    """

    to_region: bool
    keeps_path: bool
    names_custom_domain: bool


class Reply(NamedTuple):
    """What one question got.

    Attributes:
        status: of HTTP; 200 of a client of the SDK that got its result; None for no answer.
        note: what else there is to say, in words of our own.
        leads: set for a redirect.
    """

    status: int | None
    note: str = ""
    leads: Leads | None = None

    @property
    def is_served(self) -> bool:
        return self.status in _SERVED and not self.note

    @property
    def is_shut_out(self) -> bool:
        """Whether the credential was refused, or the network."""
        return self.status in _SHUT

    def __str__(self) -> str:
        if self.is_served:
            return "works"
        return " ".join(str(part) for part in (self.status, self.note) if part) or "nothing"


@dataclass(slots=True)
class Testimony:
    """What was seen of one resource.

    Attributes:
        cloud: of the resource.
        suffix: what follows the resource's label in its custom domain.
        auth: ``key`` or ``entra``.
        told: what SPEECH_PRIVATE_ENDPOINT says; None for ``auto``.
        region: from the settings, DNS or the service.
        view: what DNS, the system and the service said.
        row, decision: what DNS would decide by itself.
        has_key_form: whether the key has the form of one; None where there is no key.
        issuers: the organisations that signed the doors' certificates, those of others as
            ``another``.
        replies: by door and what was asked.
        skipped: why a door was not tried, or what else was not asked there.
        is_complete: whether nothing was broken off.
    """

    cloud: str
    suffix: str
    auth: str
    told: bool | None
    region: str | None
    view: DnsView
    row: Row
    decision: Decision
    has_key_form: bool | None = None
    issuers: tuple[str, ...] = ()
    replies: dict[tuple[DoorKind, Asked], Reply] = field(default_factory=dict)
    skipped: dict[DoorKind, str] = field(default_factory=dict)
    is_complete: bool = False

    def reply(self, door: DoorKind, asked: Asked) -> Reply:
        return self.replies.get((door, asked), Reply(None))

    @property
    def leads_on(self) -> Leads | None:
        """Where the custom domain leads an upgrade with the credential, if it does."""
        return self.reply(DoorKind.CUSTOM_DOMAIN, Asked.UPGRADE).leads

    @property
    def is_credential_good(self) -> bool:
        """Whether anything let the credential in."""
        return any(
            reply.is_served for (_, asked), reply in self.replies.items() if asked != Asked.KEYLESS
        )

    @property
    def said_by_dns(self) -> bool | None:
        """Whether there is a private endpoint, by DNS; None where it does not tell."""
        if self.row is Row.UNDECIDED or self.decision is Decision.ERROR:
            return None
        return self.decision is Decision.PRIVATE_ENDPOINT

    @property
    def said_by_doors(self) -> bool | None:
        """The same by the doors: those of which one serves, and the other does not."""
        at = self.reply(DoorKind.CUSTOM_DOMAIN, Asked.UPGRADE)
        away = self.reply(DoorKind.REGION, Asked.UPGRADE)
        if at.leads and at.leads.to_region:
            return False
        if away.is_served and not at.is_served and at.status is not None:
            return False
        return True if at.is_served and away.is_shut_out else None

    @property
    def has_private_endpoint(self) -> bool | None:
        """By the settings, or the doors, or DNS; None where nothing tells."""
        for said in (self.told, self.said_by_doors, self.said_by_dns):
            if said is not None:
                return said
        return None

    @property
    def is_seen_from_outside(self) -> bool:
        """Whether the custom domain has public addresses alone."""
        addresses = self.view.system_addresses or self.view.dns.addresses
        return bool(addresses) and not any(map(is_private, addresses))

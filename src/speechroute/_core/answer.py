"""What one request to one door got."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlsplit

OK, UNAUTHORIZED, FORBIDDEN, NOT_FOUND, THROTTLED, SERVER_ERROR = 200, 401, 403, 404, 429, 500
"""Statuses of HTTP that mean something here."""


class Stage(StrEnum):
    """How far a connection came."""

    PROXY = "proxy"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that a door showed.

    Attributes:
        issuer: who signed it, in words.
        organization: the issuer's organisation.
        expires: until when it is valid.
        distrust: why it is not trusted here, in OpenSSL's words; empty if it is.
        distrust_code: OpenSSL's number for that.
    """

    issuer: str
    organization: str
    expires: datetime
    distrust: str = ""
    distrust_code: int = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request to one door got.

    Attributes:
        stage: how far it came.
        failure: why it came no further; empty if it got a status.
        address: where it connected to, a proxy included.
        seconds: how long that took, to connect, for TLS and for the answer.
        status: the HTTP status.
        location: the URL that a redirect leads to, as the peer wrote it.
        skew: seconds by which the service's clock is ahead of this one.
    """

    stage: Stage
    failure: str = ""
    address: str = ""
    seconds: tuple[float, ...] = ()
    certificate: Certificate | None = None
    status: int | None = None
    location: str = field(default="", repr=False)
    skew: float | None = None

    @property
    def leads_to(self) -> str:
        """The host that a redirect leads to; empty if it is none."""
        try:
            return urlsplit(self.location).hostname or ""
        except ValueError:
            return ""

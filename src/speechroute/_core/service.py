"""What the service's answer to the keyless question means for the route.

The question, a GET with ``GenerateRedirectResponse=true`` at the custom domain, and 200 with a URL
for "go there": public code of Microsoft's JavaScript SDK, since 2025-05 (AZ-ORACLE-KEYLESS). A
redirect in its place: reported (AZ-REDIRECT-TARGET). What the other statuses mean: assumed, from
the article of 2024-09-24 (404: AZ-ORACLE-404; 400, 401 and 426: AZ-PE-QUESTION).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from .answer import NOT_FOUND, OK, UNAUTHORIZED
from .clouds import Cloud, recognise_host
from .verdict import Decision

_REDIRECTS = frozenset({301, 302, 307, 308})
_OF_CUSTOM_DOMAIN = frozenset({400, UNAUTHORIZED, 426})
"""The door is there, and wants a credential or an upgrade."""
_URL = r"(?:https|wss)://(?P<host>[a-z0-9.-]+)(?::443)?(?:[/?#][\x21-\x7e]*)?"
"""No user info and no other port. All of it is looked at, though the host alone is used."""


class ServiceAnswer(NamedTuple):
    """What the service said of a custom domain.

    Attributes:
        decision: regional, private endpoint (the custom domain answers itself), or None for no
            answer.
        region: the one that the answer names, if it does.
        seen: what was seen, in words of our own; of a peer's there is a region's name at most.
        seconds: how long that took.
    """

    decision: Decision | None
    region: str | None
    seen: str
    seconds: float = 0.0


def no_answer(why: str) -> ServiceAnswer:
    return ServiceAnswer(None, None, f"no answer: {why}")


def read_answer(status: int, location: str, body: bytes, cloud: Cloud) -> ServiceAnswer:
    """What an answer means. Whatever it holds, it raises nothing.

    Args:
        status: of HTTP.
        location: the header ``Location``; empty if there is none.
        body: all of it: UTF-8, with or without the quotes of JSON.
        cloud: of the resource; hosts of others are not believed.
    """
    if status == NOT_FOUND:
        return ServiceAnswer(Decision.REGIONAL, None, f"{status}")
    if status in _OF_CUSTOM_DOMAIN:
        return ServiceAnswer(Decision.PRIVATE_ENDPOINT, None, f"{status}")
    if status != OK and status not in _REDIRECTS:
        return no_answer(f"{status}")
    region = _region_in(_text(body) if status == OK else location, cloud)
    if region is None:
        return no_answer(f"{status} without a Speech URL of this cloud")
    return ServiceAnswer(Decision.REGIONAL, region, f"{status} with a URL of {region}")


def _text(body: bytes) -> str:
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        return ""
    return text[1:-1] if text[:1] == text[-1:] == '"' else text


def _region_in(url: str, cloud: Cloud) -> str | None:
    match = re.fullmatch(_URL, url, re.ASCII | re.IGNORECASE)
    host = recognise_host(match["host"]) if match else None
    return host.region if host and host.cloud is cloud else None

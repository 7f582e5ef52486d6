"""`Resource`: which Speech resource the user means, from an endpoint in any form people have."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit

from . import urls
from .addresses import is_loopback
from .clouds import Cloud, Offering, cloud_of_region, is_of_azure_speech, recognise_host
from .errors import UnsupportedUrl

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DEFAULT_PORT = ":443"
_HOST = re.compile(r"[a-z0-9.-]+|[0-9a-f:.]+")
_TLS_SCHEMES = frozenset({"https", "wss"})
_PLAIN_SCHEMES = frozenset({"http", "ws"})


class Resource(NamedTuple):
    """A Speech resource as far as the settings tell. At least one of the names is set.

    Attributes:
        other_host: URL of a host that is none of Azure's, such as that of a Speech container.
    """

    custom_domain: str | None
    region: str | None
    other_host: str | None = None

    @property
    def cloud(self) -> Cloud:
        host = recognise_host(self.custom_domain or "")
        return host.cloud if host else cloud_of_region(self.region or "")


class Endpoint(NamedTuple):
    """What an endpoint tells: one of the two names, and the full URL if it was one."""

    custom_domain: str | None
    region: str | None
    url: str | None
    offering: Offering | None = None


def parse_other_host(text: str, allowed: tuple[str, ...]) -> str | None:
    """The URL of a host that is allowed beside Azure's, or None if it is none of them.

    A host of Azure Speech is never one, whatever is allowed: it would lose its route.

    Args:
        text: a host name, or a URL without a path.
        allowed: host names; those with a dot also stand for the names under them.

    Raises:
        UnsupportedUrl: the host is allowed, and its URL has a form that cannot be used.
        ValueError: this is no URL at all.
    """
    parts = urlsplit(text if "://" in text else f"https://{text}")
    host = parts.hostname or ""
    if not _HOST.fullmatch(host) or "@" in parts.netloc or is_of_azure_speech(host):
        return None
    if not any(host == name or ("." in name and host.endswith(f".{name}")) for name in allowed):
        return None
    if parts.scheme not in (_PLAIN_SCHEMES | _TLS_SCHEMES if is_loopback(host) else _TLS_SCHEMES):
        raise UnsupportedUrl.of("scheme", parts.scheme, "https or wss (http and ws on loopback)")
    if parts.username or parts.password or parts.query or parts.path.strip("/"):
        raise UnsupportedUrl.of("form", text, "a host without user, path and query")
    if parts.port == 0:
        raise UnsupportedUrl.of("port", "0", "another one")
    return f"{parts.scheme}://{parts.netloc}"


def parse_endpoint(text: str, region: str | None) -> Endpoint:
    """Read an endpoint: a resource name, a host name, or a URL with or without a path.

    Args:
        text: for example ``my-speech``, ``my-speech.cognitiveservices.azure.com``,
            ``https://westeurope.api.cognitive.microsoft.com/`` or a full connection URL.
        region: tells the cloud of a resource name alone.

    Raises:
        UnsupportedUrl: it is none of these.
    """
    name = text.lower().removesuffix("/")
    if _NAME.fullmatch(name):
        text = f"{name}.{cloud_of_region(region or '').custom_domain_suffixes[0]}"
    if "://" not in text:
        text = f"https://{text}"
    parsed = urls.parse(text)
    if parsed.host is None:
        raise UnsupportedUrl.of("host", "localhost", "a host of Azure Speech")
    is_full = parsed.offering is not None and parsed.path.strip("/") != ""
    if not is_full and parsed.port not in ("", _DEFAULT_PORT):
        raise UnsupportedUrl.of("port", parsed.port[1:], "443")
    url = text if is_full else None
    return Endpoint(parsed.host.custom_domain, parsed.host.region, url, parsed.offering)

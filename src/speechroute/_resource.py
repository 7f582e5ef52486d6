"""`Resource`: which Speech resource the user means, from an endpoint in any form people have."""

from __future__ import annotations

import re
from typing import NamedTuple

from . import urls
from ._clouds import Cloud, cloud_of_region, recognise_host
from .errors import UnsupportedUrl

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_DEFAULT_PORT = ":443"


class Resource(NamedTuple):
    """A Speech resource as far as the settings tell. At least one of the two names is set."""

    custom_domain: str | None
    region: str | None

    @property
    def cloud(self) -> Cloud:
        host = recognise_host(self.custom_domain or "")
        return host.cloud if host else cloud_of_region(self.region or "")


class Endpoint(NamedTuple):
    """What an endpoint tells: one of the two names, and the full URL if it was one."""

    custom_domain: str | None
    region: str | None
    url: str | None


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
    return Endpoint(parsed.host.custom_domain, parsed.host.region, text if is_full else None)

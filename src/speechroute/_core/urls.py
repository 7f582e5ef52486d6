"""Any Azure Speech URL, turned into the one that works through the other door.

Contract: pure text in, text out. Path and query come back byte for byte, except that the
offering moves between host and path. Source of the rule: "Use Speech service through a private
endpoint", section "Construct endpoint URL" (Microsoft Learn, 2024-09-24, documented:
AZ-OFFERING-PATHS); which URLs newer SDKs open: measured with azure-cognitiveservices-speech 1.53
(SDK-PATHS).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import parse_qs

from .clouds import REGION, Cloud, Host, Offering, cloud_of_region, normalise_host, recognise_host
from .errors import UnsupportedUrl
from .forgetting import forgetting

__all__ = ["to_private", "to_regional"]

_PARTS = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)"
    r"(?P<path>[^?#]*)(?P<query>(?:\?[^#]*)?)(?P<fragment>(?:#.*)?)"
)
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_AUTHORITY = re.compile(r"(?P<host>[^:@\[\]]+)(?P<port>(?::[0-9]{1,5})?)")
_MAX_PORT = 65535
_SCHEMES = {"https": "https", "wss": "wss"}
_LOOPBACK = "localhost"
_LOOPBACK_SCHEMES = {**_SCHEMES, "http": "https", "ws": "wss"}
"""Schemes, and what becomes of them: Azure is only ever reached over TLS."""
OFFERING_PATH = re.compile(rf"/({'|'.join(Offering)})(?=/|$)")
SDK_STT, SDK_TTS = "/stt/speech/universal/v2", "/tts/cognitiveservices/websocket/v1"
SDK_PATHS = frozenset({SDK_STT, SDK_TTS})
"""Paths that SDK 1.43 and newer open on regional hosts too, offering included (measured)."""
_API_PATH = re.compile(
    r"/(speechtotext|texttospeech|sts|customvoice|avatar|videotranslation)(?=/|$)"
)
_DEPLOYMENT = re.compile(r"[?&]deploymentId=")
"""A custom voice: SDKs with a region open its text-to-speech path on the voice host (measured)."""

SERVED_BY: Mapping[Offering, frozenset[Offering]] = {
    Offering.STT: frozenset({Offering.STT}),
    Offering.TTS: frozenset({Offering.TTS, Offering.VOICE}),
    Offering.S2S: frozenset({Offering.S2S, Offering.STT}),
    Offering.VOICE: frozenset({Offering.VOICE, Offering.TTS}),
    Offering.CONVAI: frozenset({Offering.CONVAI, Offering.STT}),
    Offering.COMMANDS: frozenset({Offering.COMMANDS}),
}
"""Offerings whose URLs serve a client: newer SDKs translate and transcribe conversations at
``stt``, and reach custom voices under ``tts`` (measured, 1.53: SDK-PATHS). The SDK
opens those of any (measured, 1.53: SDK-FULL-URL)."""
SPOKEN = SERVED_BY[Offering.TTS]
"""Offerings of synthesis."""


class SpeechUrl(NamedTuple):
    """A URL of Azure Speech in its parts. ``port`` and ``query`` hold their ``:`` and ``?``.

    ``host`` is None for ``localhost``, a tunnel to some resource.
    """

    scheme: str
    host: Host | None
    port: str
    path: str
    query: str

    @property
    def offering(self) -> Offering | None:
        """The offering: the path's, else the host's; None for the other APIs."""
        match = OFFERING_PATH.match(self.path)
        if match:
            return Offering(match[1])
        return self.host.offering if self.host else None

    def values(self, parameter: str) -> list[str]:
        """The values of a query parameter, decoded."""
        return parse_qs(self.query[1:], keep_blank_values=True).get(parameter, [])

    def at(self, host: str, path: str) -> str:
        """The URL elsewhere; a tunnel's port is no part of it."""
        return f"{self.scheme}://{host}{self.port if self.host else ''}{path}{self.query}"


def api_of(path: str) -> str:
    """The API of a path that is part of no offering, such as ``speechtotext``, or nothing."""
    match = _API_PATH.match(path)
    return match[1] if match else ""


def parse(url: str) -> SpeechUrl:
    """Take a URL apart.

    Raises:
        UnsupportedUrl: it is no URL of Azure Speech; names the part that was not understood.
    """
    match = _PARTS.fullmatch(url)
    if match is None or not _VISIBLE_ASCII.fullmatch(url):
        raise UnsupportedUrl.of(
            "text", "no URL", "a form like https://HOST/PATH, other characters percent-encoded"
        )
    authority = _AUTHORITY.fullmatch(match["authority"])
    name = authority["host"] if authority else ""
    is_loopback = normalise_host(name) == _LOOPBACK
    schemes = _LOOPBACK_SCHEMES if is_loopback else _SCHEMES
    scheme = match["scheme"].lower()
    if scheme not in schemes:
        expected = "https or wss (http and ws only for localhost)"
        raise UnsupportedUrl.of("scheme", repr(scheme), expected)
    if "@" in match["authority"]:
        raise UnsupportedUrl.of("user info", "not empty", "none: a key never belongs in a URL")
    if match["fragment"]:
        raise UnsupportedUrl.of("fragment", "not empty", "none")
    host = recognise_host(name)
    if authority is None or (host is None and not is_loopback):
        raise UnsupportedUrl.of(
            "host",
            repr(match["authority"]),
            "NAME.cognitiveservices.azure.com, REGION.OFFERING.speech.microsoft.com or "
            "REGION.api.cognitive.microsoft.com (or their forms in Azure Government and China)",
        )
    port = authority["port"]
    if port and not 0 < int(port[1:]) <= _MAX_PORT:
        raise UnsupportedUrl.of("port", port[1:], f"a number from 1 to {_MAX_PORT}")
    return SpeechUrl(schemes[scheme], host, port, match["path"], match["query"])


def language_in(url: str | None) -> str | None:
    """The language in a URL's query."""
    found = parse(url).values("language") if url else []
    return found[0] if found else None


def _check_path(url: SpeechUrl) -> None:
    """Refuse what no host serves, above all a custom domain's path without its offering."""
    is_root = url.path in ("", "/") and url.scheme == "https"
    if url.offering is None and not api_of(url.path) and not is_root:
        raise UnsupportedUrl.of(
            "path",
            repr(url.path),
            f"an offering first ({', '.join(Offering)}), or an API like speechtotext",
        )


def _check_cloud(url: SpeechUrl, cloud: Cloud, target: str) -> None:
    if url.host and url.host.cloud is not cloud:
        raise UnsupportedUrl.of(
            "cloud", repr(url.host.cloud.name), f"{cloud.name!r}, which {target} belongs to"
        )


@forgetting
def to_private(url: str, custom_domain: str) -> str:
    """The URL that reaches the same operation through a resource's custom domain.

    Args:
        url: a regional or custom-domain URL, ``https`` or ``wss``; or one of a tunnel at
            ``localhost`` (also ``http`` or ``ws``), whose port is left out.
        custom_domain: for example ``my-speech.cognitiveservices.azure.com``.

    Returns:
        The converted URL. One that is already in this form comes back unchanged.

    Raises:
        UnsupportedUrl: ``url`` is no URL of Azure Speech or of another cloud, or
            ``custom_domain`` is none.

    Example:
        >>> to_private(
        ...     "wss://westeurope.tts.speech.microsoft.com/cognitiveservices/websocket/v1",
        ...     "my-speech.cognitiveservices.azure.com",
        ... )
        'wss://my-speech.cognitiveservices.azure.com/tts/cognitiveservices/websocket/v1'
    """
    target = recognise_host(custom_domain)
    if target is None or target.custom_domain is None:
        raise UnsupportedUrl.of(
            "custom domain",
            repr(custom_domain),
            "a name like my-speech.cognitiveservices.azure.com",
        )
    parsed = parse(url)
    _check_cloud(parsed, target.cloud, target.custom_domain)
    _check_path(parsed)
    path = parsed.path
    if parsed.host and parsed.host.offering and not OFFERING_PATH.match(path):
        path = f"/{parsed.host.offering}{path}"
    return parsed.at(target.custom_domain, path)


@forgetting
def to_regional(url: str, region: str) -> str:
    """The URL that reaches the same operation through a region's hosts.

    Args:
        url: a custom-domain or regional URL, ``https`` or ``wss``; or one of a tunnel at
            ``localhost`` (also ``http`` or ``ws``), whose port is left out.
        region: for example ``westeurope``.

    Returns:
        The converted URL. One that is already in this form comes back unchanged.

    Raises:
        UnsupportedUrl: ``url`` is no URL of Azure Speech or of another cloud than ``region``,
            or ``region`` is no region's name.

    Example:
        >>> to_regional(
        ...     "https://my-speech.cognitiveservices.azure.com/tts/cognitiveservices/voices/list",
        ...     "westeurope",
        ... )
        'https://westeurope.tts.speech.microsoft.com/cognitiveservices/voices/list'
    """
    if not region.isascii() or not REGION.fullmatch(region.lower()):
        raise UnsupportedUrl.of("region", repr(region), "a short name like westeurope")
    region = region.lower()
    parsed = parse(url)
    cloud = cloud_of_region(region)
    _check_cloud(parsed, cloud, region)
    _check_path(parsed)
    path, offering = parsed.path, parsed.offering
    if offering is None:
        return parsed.at(cloud.api_host(region), path)
    if parsed.host and parsed.host.offering:
        return parsed.at(cloud.offering_host(region, parsed.host.offering), path)
    if path in SDK_PATHS:
        if offering is Offering.TTS and _DEPLOYMENT.search(parsed.query):
            offering = Offering.VOICE
    else:
        path = path.removeprefix(f"/{offering}")
    return parsed.at(cloud.offering_host(region, offering), path)

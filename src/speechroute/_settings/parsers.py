"""How settings are read: from what people write to what the library uses.

Contract: pure. A parser returns its value or raises `BadValue`.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from .._core.choices import PrivateEndpoint
from .._core.clouds import REGION
from .._core.errors import UnsupportedUrl
from .._core.masking import is_key_like, mask
from .._core.resource import Endpoint, parse_endpoint, parse_other_host
from .problems import BadValue

MAX_DNS_TIMEOUT_S = 60.0
_DAY_S = 86_400
_MAX_PORT = 65535
_QUOTES = tuple("\"'\u201c\u201d\u201e\u201f\u2018\u2019\u201a\u201b\u00ab\u00bb\u2039\u203a")
IN_QUOTES = "a value in quotes"


def shown(text: str) -> str:
    """A value as an error may show it: nothing that could be a secret."""
    head, separator, rest = text.partition("://")
    if not separator:
        head, rest = "", text
    _, at, rest = rest.rpartition("@")
    rest, question_mark, _ = rest.partition("?")
    masked = f"{head}{separator}{'***@' if at else ''}{rest}"
    return repr(mask(masked) + ("?..." if question_mark else ""))


def revealed(value: object) -> object:
    """A value out of what hides it from tracebacks."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def _unquoted(value: str, expected: str) -> str:
    """A text without the space around it. Quotes there are no part of any value."""
    text = value.strip()
    if text[:1] in _QUOTES or text[-1:] in _QUOTES:
        raise BadValue(IN_QUOTES, expected, "take the quotes out: docker --env-file keeps them")
    return text


def _text(given: object, expected: str) -> str:
    value = revealed(given)
    if not isinstance(value, str):
        raise BadValue(f"a {type(value).__name__}", expected, "give it as text")
    text = _unquoted(value, expected)
    if is_key_like(text):
        raise BadValue("something like a key", expected, "a key belongs in SPEECH_KEY only")
    return text


def key(value: object) -> SecretStr:
    """A resource key: visible ASCII, without the newline that files end with.

    Every request needs one, or a token (documented, 2024-09-23: AZ-CREDENTIAL).
    """
    text, expected = revealed(value), "a resource key"
    remedy = "copy a key from the resource's page 'Keys and Endpoint' in the Azure portal"
    if text is None:
        remedy = f"{remedy}, or set SPEECH_AUTH=entra to go without"
        raise BadValue("not set", expected, remedy, "key")
    if not isinstance(text, str):
        raise BadValue(f"a {type(text).__name__}", expected, remedy)
    if not text.strip():
        raise BadValue("empty", expected, remedy, "key")
    text = _unquoted(text, expected)
    if not re.fullmatch(r"[!-~]+", text):
        raise BadValue("a value with spaces or other than ASCII", expected, remedy)
    return SecretStr(text)


_VAULT = r"(?i)https://[a-z0-9-]+\.vault\.(?:azure\.net|usgovcloudapi\.net|azure\.cn)"


def key_vault(value: object) -> str:
    """The URL of an Azure Key Vault."""
    expected = "a URL like https://my-vault.vault.azure.net/"
    text = _text(value, expected).removesuffix("/")
    if not re.fullmatch(_VAULT, text):
        remedy = "copy 'Vault URI' from the vault's page in the Azure portal"
        raise BadValue(shown(text), expected, remedy)
    return text


_RESOURCE_ID = (
    r"(?i)/subscriptions/[\w-]+/resourceGroups/[^/\s]+/providers/Microsoft\.CognitiveServices"
    r"/accounts/[\w.-]+"
)


def resource_id(value: object) -> str:
    """The id of a Speech or Foundry resource."""
    expected = "/subscriptions/.../providers/Microsoft.CognitiveServices/accounts/..."
    text = _text(value, expected).removesuffix("/")
    if not re.fullmatch(_RESOURCE_ID, text):
        remedy = "copy 'Resource ID' from the resource's page 'Properties' in the Azure portal"
        raise BadValue(shown(text), expected, remedy)
    return text


def region(value: object) -> str:
    """A region's short name, in lower case."""
    expected = "a region's short name like westeurope"
    text = _text(value, expected)
    if not text.isascii() or not REGION.fullmatch(text := text.lower()):
        remedy = "take 'Location/Region' from the resource's page in the portal"
        raise BadValue(shown(text), expected, remedy)
    return text


def choice(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    """A parser for one of a few words."""
    expected = "one of " + ", ".join(kind)

    def parse(value: object) -> StrEnum:
        text = _text(value, expected).lower()
        if text not in list(kind):
            raise BadValue(shown(text), expected, "use one of these words")
        return kind(text)

    return parse


def private_endpoint(value: object) -> StrEnum:
    """``auto``, ``yes`` or ``no``; a bool means one of the latter."""
    if isinstance(value, bool):
        return PrivateEndpoint.YES if value else PrivateEndpoint.NO
    return choice(PrivateEndpoint)(value)


def timeout(value: object) -> float:
    """Seconds, more than 0 and at most 60."""
    expected = f"seconds, more than 0 and at most {MAX_DNS_TIMEOUT_S:g}"
    return _seconds(value, lambda seconds: 0 < seconds <= MAX_DNS_TIMEOUT_S, expected, 5)


def duration(value: object) -> float:
    """Seconds, 0 or more and at most a day."""
    expected = f"seconds, 0 or more and at most {_DAY_S}"
    return _seconds(value, lambda seconds: 0 <= seconds <= _DAY_S, expected, 300)


def _seconds(value: object, fits: Callable[[float], bool], expected: str, example: float) -> float:
    value = revealed(value)
    if isinstance(value, str):
        value = _text(value, expected)
    try:
        seconds = float(value)  # type: ignore[arg-type]  # what float() refuses is the point
    except (TypeError, ValueError, OverflowError):
        seconds = math.nan
    if not fits(seconds):
        found = shown(value) if isinstance(value, str) else shown(str(value))[1:-1]
        raise BadValue(found, expected, f"use e.g. {example:g}")
    return seconds


def dns_servers(value: object) -> tuple[str, ...]:
    """Addresses with ports, from text with commas or spaces, or from a list."""
    expected = "addresses like 10.0.0.4, 10.0.0.4:5353 or [fd00::4]:53, separated by commas"
    return tuple(_dns_server(item, expected) for item in _items(value, expected))


def _items(given: object, expected: str) -> list[str]:
    value = revealed(given)
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip(" ,"))
    if not isinstance(value, (list, tuple)):
        raise BadValue(f"a {type(value).__name__}", expected, "give it as text or a list")
    return [_text(item, expected) for item in value]


_ADDRESS = r"\[(?P<v6>[^\]]+)\](?::(?P<p6>\d{1,5}))?|(?P<v4>[^:]+)(?::(?P<p4>\d{1,5}))?"


def _dns_server(text: str, expected: str) -> str:
    match = re.fullmatch(_ADDRESS, text)
    address, port = text, "53"
    if match:
        address, port = match["v6"] or match["v4"], match["p6"] or match["p4"] or port
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or not 0 < int(port) <= _MAX_PORT:
        raise BadValue(shown(text), expected, "use the server's IP address, not its name")
    return f"[{parsed}]:{port}" if isinstance(parsed, ipaddress.IPv6Address) else f"{parsed}:{port}"


def split_proxy(url: str) -> SplitResult | None:
    """A proxy URL in its parts; None if it is not ``http://[user[:password]@]host:port``."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and parts.hostname and parts.port
    except ValueError:
        return None
    return parts if usable and parts.path in ("", "/") and not parts.query else None


def proxy(value: object) -> SecretStr:
    """``env``, ``none`` or a URL; a secret, because a URL may hold credentials."""
    expected = "env, none or a URL like http://proxy.example:8080"
    text = _text(value, expected)
    if text.lower() in ("env", "none"):
        return SecretStr(text.lower())
    if split_proxy(text) is None:
        remedy = "the SDK speaks HTTP to a proxy: host and port are needed"
        raise BadValue(shown(text), expected, remedy)
    return SecretStr(text)


def endpoint_in(text: str, region: str | None = None) -> Endpoint:
    """What an endpoint says; see `parse_endpoint`."""
    try:
        return parse_endpoint(text, region)
    except UnsupportedUrl as error:
        part, expected = error.part, error.expected
    remedy = f"its {part} was not understood; copy the endpoint from the Azure portal"
    if part == "host":
        remedy += ", or name a host of your own in SPEECH_ALLOW_HOSTS"
    raise BadValue(shown(text), expected, remedy, "host" if part == "host" else "")


def allow_hosts(value: object) -> tuple[str, ...]:
    """Host names, from text with commas or spaces, or from a list."""
    expected = "host names like speech.example.com or localhost, separated by commas"
    return tuple(_host_name(item, expected) for item in _items(value, expected))


def _host_name(text: str, expected: str) -> str:
    name = text.lower().removeprefix("*.").strip("[].")
    if not re.fullmatch(r"[a-z0-9:]([a-z0-9.:-]*[a-z0-9])?", name):
        raise BadValue(shown(text), expected, "leave out scheme, port and path")
    return name


def other_host(text: str | None, allowed: tuple[str, ...]) -> str | None:
    """The URL of a host beside Azure's; see `parse_other_host`."""
    if not text or not allowed:
        return None
    try:
        return parse_other_host(text, allowed)
    except UnsupportedUrl as error:
        part, expected = error.part, error.expected
    except ValueError:
        part, expected = "form", "a host name or a URL"
    raise BadValue(shown(text), expected, f"correct its {part}, so that no key goes astray")


def endpoint(value: object, allowed: tuple[str, ...]) -> str:
    """A resource name, a host name or a URL of the resource, or another host that is allowed."""
    text = _text(value, "a resource name, a host name or a URL of the resource")
    if other_host(text, allowed) is None:
        endpoint_in(text)
    return text


def full_url(value: object) -> str:
    """A connection URL with the path of one offering."""
    expected = "a URL with the path of one offering"
    text = _text(value, expected)
    if endpoint_in(text).url is None:
        remedy = "put an endpoint without such a path into SPEECH_ENDPOINT"
        raise BadValue(shown(text), expected, remedy)
    return text


def path(value: object) -> Path:
    """The path of a file."""
    return value if isinstance(value, Path) else Path(_text(value, "the path of a file"))


def word(value: object) -> str:
    """Text without spaces."""
    text = _text(value, "text without spaces")
    if not re.fullmatch(r"[!-~]+", text):
        raise BadValue(shown(text), "text without spaces", "see the SDK's documentation of it")
    return text

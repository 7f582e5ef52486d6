"""What no text of this library shows: anything that could be a key.

Contract: pure, and linear in the length of the text.
"""

from __future__ import annotations

import re

# Not compiled here, which most programs never need: it is half a millisecond of the import.
_OPAQUE = r"[0-9A-Za-z+/=_]{24,}"
"""Runs of characters that no error shows, because they could be part of a key."""
_TELLTALE = r"(?i)key|token|secret|passw|signature|authorization|credential|^(?:auth|code|pwd|sig)$"
_KEY = r"(?:[0-9a-fA-F]{32}|[0-9A-Za-z]{84})"
"""Resource keys: 32 hexadecimal digits, newer ones 84 characters (assumed: AZ-KEY-FORM)."""
_LONE_SECRET = (
    rf"(?:(?<![0-9A-Za-z])|(?<=%[0-9A-Fa-f]{{2}}))(?:{_KEY}(?![0-9A-Za-z])|eyJ[\w-]+\.[\w.-]+)"
)
"""A key or a JSON web token, also behind a percent-encoded character."""


def is_key_like(text: str) -> bool:
    """Whether a text has the form of a resource key."""
    return re.fullmatch(_KEY, text) is not None


def mask(text: str) -> str:
    """A text without its long opaque runs, for error messages."""
    return re.sub(_OPAQUE, "***", text)


def mask_tokens(text: str) -> str:
    """A text without anything that could be a token: for what others have written."""
    return re.sub(r"[\w.+/=~-]{32,}", "***", mask(text))


def mask_url(url: str) -> str:
    """A URL without user info, values of parameters that hold secrets, and keys anywhere."""
    base, question_mark, query = url.partition("?")
    scheme, separator, rest = base.partition("://")
    authority, slash, path = rest.partition("/")
    _, at, host = authority.rpartition("@")
    base = f"{scheme}{separator}{'***@' if at else ''}{host}{slash}{path}"
    shown = (
        f"{name}=***" if equals and re.search(_TELLTALE, name) else f"{name}{equals}{value}"
        for name, equals, value in (part.partition("=") for part in query.split("&"))
    )
    return re.sub(_LONE_SECRET, "***", f"{base}{question_mark}{'&'.join(shown)}")

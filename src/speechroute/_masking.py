"""What no text of this library shows: anything that could be a key.

Contract: pure.
"""

from __future__ import annotations

import re

_OPAQUE = re.compile(r"[0-9A-Za-z+/=_]{24,}")
"""Runs of characters that no error shows, because they could be part of a key."""
_SECRET_PARAMETER = re.compile(
    r"([?&][^=&]*(?:key|token|secret|password|sig|authorization)[^=&]*=)[^&]+", re.IGNORECASE
)
_KEY = r"(?:[0-9a-fA-F]{32}|[0-9A-Za-z]{84})"
"""Resource keys: 32 hexadecimal digits, newer ones 84 characters (assumed)."""
_LONE_KEY = re.compile(rf"(?<![0-9A-Za-z]){_KEY}(?![0-9A-Za-z])")


def is_key_like(text: str) -> bool:
    """Whether a text has the form of a resource key."""
    return _LONE_KEY.fullmatch(text) is not None


def mask(text: str) -> str:
    """A text without its long opaque runs, for error messages."""
    return _OPAQUE.sub("***", text)


def mask_url(url: str) -> str:
    """A URL without the values of parameters that hold secrets, and without keys anywhere."""
    return _LONE_KEY.sub("***", _SECRET_PARAMETER.sub(r"\1***", url))

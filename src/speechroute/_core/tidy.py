"""`tidy`: a cache that cannot grow for ever."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

LIMIT = 512
"""Entries. A program has few resources; one that makes settings for each call has no use for old
ones."""


def tidy(cache: MutableMapping[Any, Any]) -> None:
    """Drop the older half of what is more than `LIMIT`, without a lock."""
    if len(cache) > LIMIT:
        for key in tuple(cache)[: LIMIT // 2]:
            cache.pop(key, None)

"""`tidy`: a cache that cannot grow for ever."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any, TypeVar

K = TypeVar("K")

LIMIT = 512
"""Entries. A program has few resources; one that makes settings for each call has no use for old
ones."""


def tidy(cache: MutableMapping[K, Any], is_spared: Callable[[K], bool] = lambda _: False) -> None:
    """Drop the older half of what is more than `LIMIT`, without a lock."""
    if len(cache) > LIMIT:
        for key in list(cache)[: LIMIT // 2]:
            if not is_spared(key):
                cache.pop(key, None)

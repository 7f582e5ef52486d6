"""Any Azure Speech URL, turned into the one that works through the other door."""

from ._core.urls import to_private, to_regional

__all__ = ["to_private", "to_regional"]

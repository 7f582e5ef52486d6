"""Continuous recognition of a push stream that outlives a moved door."""

from ._core.stream import PcmFormat, Recovery, StreamResult
from ._sdk.stream import StreamRecognition

__all__ = ["PcmFormat", "Recovery", "StreamRecognition", "StreamResult"]

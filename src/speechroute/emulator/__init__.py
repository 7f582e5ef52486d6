"""Azure Speech on loopback: DNS, front doors and a CONNECT proxy, in three network states."""

from ._doors import Request
from ._emulator import Emulator
from ._names import State
from ._service import Generation

__all__ = ["Emulator", "Generation", "Request", "State"]

"""Doors on loopback that keep whoever asks waiting."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable

Speak = Callable[[socket.socket], None]
"""What a door does with a connection. It ends with `OSError` where the other side has gone."""


def drips(text: bytes) -> Speak:
    """Sends this, and then a byte at a time for a minute: no single wait is a long one."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(text)
        for _ in range(6000):
            connection.sendall(b"0")
            time.sleep(0.01)

    return speak


def goes_on(text: bytes, again: bytes) -> Speak:
    """Sends this, and then the other without end."""

    def speak(connection: socket.socket) -> None:
        connection.sendall(text)
        for _ in itertools.repeat(None):
            connection.sendall(again)

    return speak


def waits(connection: socket.socket) -> None:
    """Says nothing until the other side has gone."""
    while connection.recv(65536):
        pass

"""`Line`: a connection to a host, past a proxy or through one, that ends when its time is up.

A socket's own timeout is for one read: who sends a byte at a time is never late for it.
"""

from __future__ import annotations

import base64
import contextlib
import errno
import http.client
import io
import math
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any, cast

from .._core.answer import OK
from .proxy import Proxy

_STEP_S = 5.0
"""Seconds for a connection: the time of three attempts of the system (RFC 6298)."""
_UNRESOLVED = "the name does not resolve"


class TooLong(http.client.HTTPException):
    """An answer has more bytes than are read."""


class Line:
    """A connection to one host, for one request. To be closed.

    All methods raise `OSError` (`TimeoutError` at the deadline) and `http.client.HTTPException`
    for what the network does; `words` tells why.

    Args:
        host: a name or an address.
        port: of TCP.
        proxy: leads there.
        deadline: on the monotonic clock. It holds for everything but ``getaddrinfo``.

    Attributes:
        address: where it connected to, or last tried to.
        is_open: whether the host is reached, through the proxy if there is one.
    """

    def __init__(self, host: str, port: int, proxy: Proxy | None, deadline: float) -> None:
        self.address = ""
        self.is_open = False
        self._host, self._port = host, port
        self._proxy, self._deadline = proxy, deadline
        self._exit = contextlib.ExitStack()
        self._connection: socket.socket

    def close(self) -> None:
        self._exit.close()

    def open(self) -> None:
        """Connect, through the proxy if there is one. Only that one sees its credentials."""
        if self._proxy:
            self._connect(self._proxy.host, self._proxy.port)
            self._tunnel(self._proxy)
        else:
            self._connect(self._host, self._port)
        self.is_open = True

    def secure(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        """TLS over what is open."""
        # The timeout of a handshake is one for all of it.
        self._connection.settimeout(self._left(_STEP_S))
        secured = context.wrap_socket(self._connection, server_hostname=self._host)
        self._connection = self._exit.enter_context(secured)
        return secured

    def request(
        self,
        method: str,
        target: str,
        headers: Mapping[str, str],
        *,
        body: bytes | None = None,
        seconds: float = math.inf,
        most: float = math.inf,
    ) -> http.client.HTTPResponse:
        """Ask once.

        Args:
            method: of HTTP, as the next three.
            target: path and query.
            headers: beside those that HTTP needs.
            body: nothing if None.
            seconds: for the answer, if the deadline is later.
            most: bytes of the answer that are read, head and body; more are `TooLong`.
        """
        until = time.monotonic() + self._left(seconds)
        self._connection.settimeout(self._left(seconds))
        client = http.client.HTTPConnection(self._host, http.client.HTTP_PORT)
        client.sock = self._connection
        client.request(method, target, body, headers)
        heard = _Heard(self._connection, until, most)
        response = http.client.HTTPResponse(cast("socket.socket", heard), method=method)
        try:
            response.begin()
        except (LookupError, TypeError, ValueError) as error:
            # Python's parser of headers fails at some values of Content-Type (measured, 3.11).
            raise http.client.HTTPException from error
        return response

    def _left(self, most: float) -> float:
        return min(most, _left_until(self._deadline))

    def _connect(self, host: str, port: int) -> None:
        """To the first address that answers; as ``socket.create_connection``, but tells which."""
        failure: OSError | None = None
        for *family, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self.address = str(address[0])
            self._connection = self._exit.enter_context(socket.socket(*family))
            self._connection.settimeout(self._left(_STEP_S))
            try:
                self._connection.connect(address)
            except OSError as error:
                failure = error
            else:
                return
        raise failure or socket.gaierror(_UNRESOLVED)

    def _tunnel(self, proxy: Proxy) -> None:
        target = f"{self._host}:{self._port}"
        headers = {"Host": target}
        if proxy.username:
            credentials = f"{proxy.username}:{proxy.password or ''}".encode()
            headers["Proxy-Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        status = self.request("CONNECT", target, headers, seconds=_STEP_S).status
        if status != OK:
            raise OSError(errno.EPROTO, f"status {status}")


class _Heard(io.RawIOBase):
    """What comes over a connection until a deadline; as much of a socket as a response reads."""

    def __init__(self, connection: socket.socket, deadline: float, most: float) -> None:
        self._connection, self._deadline, self._left = connection, deadline, most

    def makefile(self, _: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise TooLong
        self._connection.settimeout(_left_until(self._deadline))
        count = self._connection.recv_into(buffer, int(min(len(buffer), self._left)))
        self._left -= count
        return count


def _left_until(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def words(error: Exception) -> str:
    """Why it went wrong, in words of our own: what a peer says may hold what it was sent."""
    if isinstance(error, http.client.HTTPException):
        return f"no usable HTTP ({type(error).__name__})"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    if isinstance(error, socket.gaierror):
        return _UNRESOLVED
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({error.reason or type(error).__name__})"
    if isinstance(error, ConnectionError):
        return "cut off"
    return getattr(error, "strerror", None) or type(error).__name__

"""One request to a door: TCP, TLS and HTTP, through the proxy that the SDK gets.

Nothing is sent over a connection whose certificate is not trusted.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import socket
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from .._core.answer import Answer, Certificate, Stage
from .proxy import Proxy

_CONNECT_S = 5.0
"""Seconds for a connection: the time of three attempts of the system (RFC 6298)."""
_SHORTEST_S = 0.05
_LONGEST = 60
"""Characters of a name that somebody else has chosen."""
_UNRESOLVED = "the name does not resolve"
_UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": base64.b64encode(b"speechroutecheck").decode(),
    "Sec-WebSocket-Protocol": "USP",
}


def ask(
    url: str,
    proxy: Proxy | None,
    deadline: float,
    *,
    method: str = "GET",
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Ask for a URL once. Raises nothing for what the network does.

    Args:
        url: ``https`` or ``wss``, or on loopback ``http`` or ``ws``; WebSockets are upgrades.
        proxy: leads there.
        deadline: on the monotonic clock.
        method: of HTTP.
        headers: more of them.
    """
    attempt = _Attempt(url, proxy, deadline)
    failure = ""
    try:
        attempt.run(method, headers or {})
    except (OSError, http.client.HTTPException) as error:
        failure = _words(error)
    finally:
        attempt.close()
    return attempt.answer(failure)


def _words(error: Exception) -> str:
    """Why it went wrong, in words of our own: what a peer says may hold what it was sent."""
    tunnel = re.match(r"Tunnel connection failed: (\d{3})\b", str(error))
    if tunnel:
        return f"status {tunnel[1]}"
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


class _Attempt:
    def __init__(self, url: str, proxy: Proxy | None, deadline: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme in ("https", "wss")
        self._port = parts.port or (443 if self._is_tls else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._upgrade = _UPGRADE if parts.scheme in ("wss", "ws") else {}
        self._proxy, self._deadline = proxy, deadline
        self._stage = Stage.TCP
        self._address = self._location = ""
        self._seconds: list[float] = []
        self._certificate: Certificate | None = None
        self._status: int | None = None
        self._skew: float | None = None
        self._exit = contextlib.ExitStack()
        self._started = time.monotonic()

    def close(self) -> None:
        self._exit.close()

    def answer(self, failure: str) -> Answer:
        if not failure and self._certificate and self._certificate.distrust:
            failure = self._certificate.distrust
        return Answer(
            self._stage,
            failure,
            self._address,
            tuple(self._seconds),
            self._certificate,
            self._status,
            self._location,
            self._skew,
        )

    def run(self, method: str, headers: Mapping[str, str]) -> None:
        connection = self._connect()
        self._lap()
        if self._is_tls:
            self._stage = Stage.TLS
            connection = self._secure(connection)
            self._lap()
            if self._certificate and self._certificate.distrust:
                return
        self._stage = Stage.HTTP
        self._request(connection, method, headers)
        self._lap()

    def _lap(self) -> None:
        now = time.monotonic()
        self._seconds.append(round(now - self._started, 4))
        self._started = now

    def _left(self, most: float = _CONNECT_S) -> float:
        return max(_SHORTEST_S, min(most, self._deadline - time.monotonic()))

    def _connect(self) -> socket.socket:
        if self._proxy is None:
            return self._connect_to(self._host, self._port)
        self._stage, self._address = Stage.PROXY, self._proxy.host
        proxy = http.client.HTTPConnection(self._proxy.host, self._proxy.port, timeout=self._left())
        self._exit.callback(proxy.close)
        credentials = f"{self._proxy.username}:{self._proxy.password or ''}".encode()
        basic = {"Proxy-Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
        proxy.set_tunnel(self._host, self._port, basic if self._proxy.username else {})
        proxy.connect()
        return proxy.sock

    def _connect_to(self, host: str, port: int) -> socket.socket:
        """To the first address that answers; as ``socket.create_connection``, but tells which."""
        failure: OSError | None = None
        for *family, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            self._address = str(address[0])
            connection = self._exit.enter_context(socket.socket(*family))
            connection.settimeout(self._left())
            try:
                connection.connect(address)
            except OSError as error:
                failure = error
            else:
                return connection
        raise failure or socket.gaierror(_UNRESOLVED)

    def _secure(self, connection: socket.socket) -> ssl.SSLSocket:
        context = ssl.create_default_context()
        try:
            secured = context.wrap_socket(connection, server_hostname=self._host)
        except ssl.SSLCertVerificationError as error:
            distrust = error.verify_message, error.verify_code
        else:
            self._certificate = _certificate(secured)
            return self._exit.enter_context(secured)
        # Once more, to read who signed what is not trusted. Nothing is sent over it.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        secured = context.wrap_socket(self._connect(), server_hostname=self._host)
        self._stage = Stage.TLS
        self._certificate = _certificate(secured, *distrust)
        return self._exit.enter_context(secured)

    def _request(self, connection: socket.socket, method: str, headers: Mapping[str, str]) -> None:
        client = http.client.HTTPConnection(self._host)
        client.sock = connection
        connection.settimeout(self._left(self._deadline))
        body = b"" if method == "POST" else None
        client.request(method, self._target, body, {**self._upgrade, **headers})
        response = client.getresponse()
        self._status = response.status
        with contextlib.suppress(ValueError):
            self._location = urlsplit(response.headers.get("Location", "")).hostname or ""
        with contextlib.suppress(TypeError, ValueError, OverflowError):
            there = parsedate_to_datetime(response.headers["Date"])
            self._skew = round((there - datetime.now(UTC)).total_seconds(), 1)


def _certificate(connection: ssl.SSLSocket, distrust: str = "", code: int = 0) -> Certificate:
    # Here: the other commands need not wait for it.
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    shown = x509.load_der_x509_certificate(connection.getpeercert(binary_form=True) or b"")

    def named(oid: x509.ObjectIdentifier) -> str:
        found = shown.issuer.get_attributes_for_oid(oid)
        # Whoever made the certificate wrote this.
        return re.sub(r"[^\w .,&()'-]", "?", str(found[0].value))[:_LONGEST] if found else ""

    organization = named(NameOID.ORGANIZATION_NAME)
    issuer = ", ".join(filter(None, (named(NameOID.COMMON_NAME), organization)))
    return Certificate(issuer, organization, shown.not_valid_after_utc, distrust, code)

"""One request to a door: TCP, TLS and HTTP, through the proxy that the SDK gets.

Nothing is sent over a connection whose certificate is not trusted.
"""

from __future__ import annotations

import base64
import contextlib
import http.client
import re
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from .._core.answer import Answer, Certificate, Stage
from .line import Line, words
from .proxy import Proxy

_LONGEST = 60
"""Characters of a name that somebody else has chosen."""
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
    body: bytes = b"",
) -> Answer:
    """Ask for a URL once. Raises nothing for what the network does.

    Args:
        url: ``https`` or ``wss``, or on loopback ``http`` or ``ws``; WebSockets are upgrades.
        proxy: leads there.
        deadline: on the monotonic clock.
        method: of HTTP.
        headers: more of them.
        body: of a POST.
    """
    attempt = _Attempt(url, proxy, deadline)
    failure = ""
    try:
        attempt.run(method, headers or {}, body)
    except (OSError, http.client.HTTPException) as error:
        failure = words(error)
    finally:
        attempt.close()
    return attempt.answer(failure)


class _Attempt:
    def __init__(self, url: str, proxy: Proxy | None, deadline: float) -> None:
        parts = urlsplit(url)
        self._is_tls = parts.scheme in ("https", "wss")
        port = parts.port or (443 if self._is_tls else 80)
        self._target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._upgrade = _UPGRADE if parts.scheme in ("wss", "ws") else {}
        self._proxy = proxy
        self._line = Line(parts.hostname or "", port, proxy, deadline)
        self._stage = Stage.PROXY if proxy else Stage.TCP
        self._location = ""
        self._seconds: list[float] = []
        self._certificate: Certificate | None = None
        self._status: int | None = None
        self._skew: float | None = None
        self._started = time.monotonic()

    def close(self) -> None:
        self._line.close()

    def answer(self, failure: str) -> Answer:
        if not failure and self._certificate and self._certificate.distrust:
            failure = self._certificate.distrust
        return Answer(
            self._stage,
            failure,
            self._proxy.host if self._proxy else self._line.address,
            tuple(self._seconds),
            self._certificate,
            self._status,
            self._location,
            self._skew,
        )

    def run(self, method: str, headers: Mapping[str, str], body: bytes) -> None:
        self._line.open()
        self._lap()
        if self._is_tls:
            self._stage = Stage.TLS
            self._certificate = self._secure()
            self._lap()
            if self._certificate.distrust:
                return
        self._stage = Stage.HTTP
        self._request(method, headers, body if method == "POST" else None)
        self._lap()

    def _lap(self) -> None:
        now = time.monotonic()
        self._seconds.append(round(now - self._started, 4))
        self._started = now

    def _secure(self) -> Certificate:
        context = ssl.create_default_context()
        try:
            return _certificate(self._line.secure(context))
        except ssl.SSLCertVerificationError as error:
            distrust = error.verify_message, error.verify_code
        # Once more, to read who signed what is not trusted. Nothing is sent over it.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self._line.open()
        return _certificate(self._line.secure(context), *distrust)

    def _request(self, method: str, headers: Mapping[str, str], body: bytes | None) -> None:
        response = self._line.request(method, self._target, {**self._upgrade, **headers}, body=body)
        self._status = response.status
        self._location = response.headers.get("Location", "")
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

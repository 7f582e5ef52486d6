"""The front doors: HTTPS and WebSockets under the host names of a resource."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate
from pathlib import Path
from typing import cast

import trustme
from aiohttp import WSCloseCode, WSMsgType, web

from ._recognition import RecognitionSession
from ._rest import answer
from ._service import KEY_HEADER, TTS_SOCKET_PATH, Service, host_of, upgrades
from ._synthesis import SynthesisSession
from ._wire import decode

_UNLIMITED = 0
"""For bodies and messages: a minute of audio is longer than aiohttp's limit."""
_CLOSE_REASON_BYTES = 120
"""A close frame's reason fits 123 bytes (RFC 6455)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that reached a front door. Holds the kind of credential, never the secret.

    The key and the tokens that were accepted at the time are ``***`` in path and query.
    """

    host: str
    path: str
    query: str
    credential: str
    """``key``, ``token`` or ``none``."""
    status: int
    at: float
    """Seconds on the monotonic clock."""


def tls_context(
    hosts: list[str], ca_file: Path, issuer: str, expires: datetime | None
) -> ssl.SSLContext:
    """A certificate for the hosts, of an authority that is made here and written to ``ca_file``."""
    authority = trustme.CA(organization_name=issuer, organization_unit_name="speechroute emulator")
    authority.cert_pem.write_to_path(str(ca_file))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*hosts, not_after=expires).configure_cert(context)
    return context


class FrontDoors:
    """One TLS server for every host name of a resource, which answers as its `Service` does."""

    def __init__(
        self,
        service: Service,
        record: Callable[[Request], None],
        *,
        clock_skew: Callable[[], float],
        texts: deque[str],
    ) -> None:
        self._service = service
        self._clock_skew = clock_skew
        self._record = record
        self._texts = texts
        self._runner: web.AppRunner | None = None
        self._loop = asyncio.get_running_loop()
        self._connected: dict[asyncio.Transport, bool] = {}

    async def start(self, address: str, port: int, context: ssl.SSLContext) -> int:
        """Listen with TLS; returns the port."""
        app = web.Application(client_max_size=_UNLIMITED)
        app.router.add_route("*", "/{path:.*}", self._handle)
        app.on_response_prepare.append(self._date)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port, ssl_context=context).start()
        return int(self._runner.addresses[0][1])

    async def _date(self, _: web.Request, response: web.StreamResponse) -> None:
        response.headers["Date"] = formatdate(time.time() + self._clock_skew(), usegmt=True)

    async def stop(self) -> None:
        if self._runner:
            await self._runner.cleanup()

    def cut_wrong(self) -> None:
        """Break off connections through doors that the state has closed (assumed: AZ-CUT-OFF)."""

        def cut() -> None:
            for transport, is_private_door in self._connected.items():
                if is_private_door != self._service.state.has_private_endpoint:
                    transport.abort()

        self._loop.call_soon_threadsafe(cut)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        admitted = self._service.admit(request)
        if isinstance(admitted, str) and not upgrades(request):
            region, issue = self._service.names.region, self._service.secrets.issue
            admitted = await answer(request, admitted, region, self._recognition(request), issue)
        credential = "none"
        if request.headers.get(KEY_HEADER):  # beside a token the SDK may send an empty one
            credential = "key"
        elif request.headers.get("Authorization", "").startswith("Bearer "):
            credential = "token"
        # As it arrived: the parsed URL is normalised.
        path, _, query = map(self._service.secrets.mask, request.raw_path.partition("?"))
        status = 101 if isinstance(admitted, str) else admitted.status
        self._record(Request(host_of(request), path, query, credential, status, time.monotonic()))
        return await self._converse(request, admitted) if isinstance(admitted, str) else admitted

    def _recognition(self, request: web.Request) -> RecognitionSession:
        kind = "private endpoint" if self._service.is_private_door(request) else "regional host"
        return RecognitionSession(f"the {kind} {host_of(request)}", self._texts)

    async def _converse(self, request: web.Request, path: str) -> web.StreamResponse:
        session = SynthesisSession() if path == TTS_SOCKET_PATH else self._recognition(request)
        socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=_UNLIMITED)
        transport = cast("asyncio.Transport", request.transport)
        self._connected[transport] = self._service.is_private_door(request)
        try:
            await socket.prepare(request)
            async for frame in socket:
                if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                    break
                for message in session.receive(decode(frame.data)):
                    data = message.encode()
                    await (
                        socket.send_bytes(data)
                        if isinstance(data, bytes)
                        else socket.send_str(data)
                    )
        except (ConnectionError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001  # whatever a client sends, it is told
            reason = f"{type(error).__name__}: {error}".encode()[:_CLOSE_REASON_BYTES]
            await socket.close(code=WSCloseCode.INVALID_TEXT, message=reason)
        finally:
            del self._connected[transport]
        return socket

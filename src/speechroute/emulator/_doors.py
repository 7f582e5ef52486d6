"""The front doors: HTTPS and WebSockets that behave by host name and state."""

from __future__ import annotations

import asyncio
import re
import ssl
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import cast
from urllib.parse import unquote

from aiohttp import WSCloseCode, WSMsgType, web

from ._names import OFFERINGS, Names, State
from ._recognition import RecognitionSession
from ._rest import RECOGNITION_PATHS, SPEAK_PATH, VOICES_PATH, answer, refuse
from ._synthesis import SynthesisSession
from ._wire import decode

KEY_HEADER = "Ocp-Apim-Subscription-Key"
_TTS_SOCKET_PATH = "/cognitiveservices/websocket/v1"
_SOCKET_PATHS = {
    "stt": RECOGNITION_PATHS | {"/speech/universal/v2"},
    "s2s": frozenset({"/speech/translation/cognitiveservices/v1"}),
    "tts": frozenset({_TTS_SOCKET_PATH}),
    "voice": frozenset({_TTS_SOCKET_PATH}),
}
"""What each offering serves at its regional host; at the custom domain behind ``/{offering}``."""
_REST_PATHS = {
    "stt": RECOGNITION_PATHS,
    "tts": frozenset({VOICES_PATH, SPEAK_PATH}),
    "voice": frozenset({SPEAK_PATH}),
}
"""The same for requests that do not upgrade."""
_PREFIXED_TOO = {
    "stt": frozenset({"/stt/speech/universal/v2"}),
    "tts": frozenset({"/tts/cognitiveservices/websocket/v1"}),
    "voice": frozenset({"/tts/cognitiveservices/websocket/v1"}),
}
"""What newer SDKs open at regional hosts (measured, 1.53)."""

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


@dataclass(slots=True)
class Secrets:
    """What opens the doors."""

    key: str
    resource_id: str
    tokens: set[str] = field(default_factory=set)

    def open(self, request: web.Request, *, is_regional: bool) -> bool:
        """Whether a request has the key, or a token in the form that the door takes.

        A region takes a token together with the resource's id (documented), and after a redirect
        without (assumed).
        """
        if request.headers.get(KEY_HEADER) == self.key:
            return True
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if is_regional:
            token = token.removeprefix(f"aad#{self.resource_id}#")
        return scheme == "Bearer" and token in self.tokens

    def mask(self, text: str) -> str:
        """Part of a URL with ``***`` for every secret, in whatever way it is percent-encoded."""
        # The longest first: one may be part of another.
        for secret in sorted((self.key, *self.tokens), key=len, reverse=True):
            if secret in unquote(text):
                spellings = (
                    f"(?:{re.escape(letter)}|(?i:{''.join(f'%{b:02x}' for b in letter.encode())}))"
                    for letter in secret
                )
                text = re.sub("".join(spellings), "***", text)
        return text


def _upgrades(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


class FrontDoors:
    """One TLS server for every host name of a resource.

    The custom domain serves ``/{offering}/...`` only while the resource has a private endpoint
    and answers 404 afterwards; regional hosts answer 401 while it has one and work afterwards;
    a wrong key is 401 everywhere (documented, Microsoft Learn, 2024-09-24).
    """

    def __init__(
        self,
        names: Names,
        secrets: Secrets,
        state: Callable[[], State],
        record: Callable[[Request], None],
        *,
        refusal: Callable[[str], int | None],
        clock_skew: Callable[[], float],
        texts: deque[str],
        redirects: bool,
    ) -> None:
        self._names = names
        self._secrets = secrets
        self._redirects = redirects
        self._state = state
        self._refusal = refusal
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
        """Break off the connections through doors that the state has closed (assumed)."""

        def cut() -> None:
            for transport, is_private_door in self._connected.items():
                if is_private_door != self._state().has_private_endpoint:
                    transport.abort()

        self._loop.call_soon_threadsafe(cut)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        admitted = self._admit(request)
        if isinstance(admitted, str) and not _upgrades(request):
            region = self._names.region
            admitted = await answer(request, admitted, region, self._recognition(request))
        credential = "none"
        if request.headers.get(KEY_HEADER):  # beside a token the SDK may send an empty one
            credential = "key"
        elif request.headers.get("Authorization", "").startswith("Bearer "):
            credential = "token"
        # As it arrived: the parsed URL is normalised.
        path, _, query = map(self._secrets.mask, request.raw_path.partition("?"))
        status = 101 if isinstance(admitted, str) else admitted.status
        self._record(
            Request(self._host(request), path, query, credential, status, time.monotonic())
        )
        return await self._converse(request, admitted) if isinstance(admitted, str) else admitted

    @staticmethod
    def _host(request: web.Request) -> str:
        return request.host.rsplit(":", 1)[0].lower()

    def _is_private_door(self, request: web.Request) -> bool:
        return self._host(request) == self._names.custom_domain

    def _served(self, request: web.Request) -> str | None:
        """The path of a request, without the offering; None if nothing is served there."""
        path = request.path
        offering = self._names.offering_of(self._host(request))
        if offering is None:
            offering, _, path = path.removeprefix("/").partition("/")
            path = f"/{path}"
        elif path in _PREFIXED_TOO.get(offering, ()):
            path = path.removeprefix("/stt").removeprefix("/tts")
        paths = _SOCKET_PATHS if _upgrades(request) else _REST_PATHS
        return path if path in paths.get(offering, ()) else None

    def _redirect(self, request: web.Request) -> web.Response:
        offering, _, path = str(request.rel_url).lstrip("/").partition("/")
        host = self._names.offering_host(offering)
        # The SDK follows an upgrade to wss only (measured, 1.53), and puts the offering into the
        # path there too. No REST API does (documented).
        is_socket = _upgrades(request)
        target = f"wss://{host}{request.rel_url}" if is_socket else f"https://{host}/{path}"
        return web.Response(status=307, headers={"Location": target})

    def _admit(self, request: web.Request) -> web.Response | str:
        """A refusal, or the path that the request is let in to, without the offering."""
        host = self._host(request)
        if host not in self._names.hosts:
            return refuse(404, f"the emulator has no front door {host}")
        refusal = self._refusal(host)
        if refusal is not None:
            return refuse(refusal, "the emulator was told to answer so")
        is_private_door = self._is_private_door(request)
        has_private_endpoint = self._state().has_private_endpoint
        asks_offering = request.path.lstrip("/").partition("/")[0] in OFFERINGS
        if is_private_door and asks_offering and not has_private_endpoint:
            if self._redirects:
                return self._redirect(request)
            return refuse(404, "the resource has no private endpoint")
        is_wrong_door = not is_private_door and has_private_endpoint
        if not self._secrets.open(request, is_regional=not is_private_door) or is_wrong_door:
            return refuse(401, "wrong key, or the wrong endpoint for this resource")
        path = self._served(request)
        return refuse(404, "no such path") if path is None else path

    def _recognition(self, request: web.Request) -> RecognitionSession:
        kind = "private endpoint" if self._is_private_door(request) else "regional host"
        return RecognitionSession(f"the {kind} {self._host(request)}", self._texts)

    async def _converse(self, request: web.Request, path: str) -> web.StreamResponse:
        session = SynthesisSession() if path == _TTS_SOCKET_PATH else self._recognition(request)
        socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=_UNLIMITED)
        transport = cast("asyncio.Transport", request.transport)
        self._connected[transport] = self._is_private_door(request)
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

"""The front doors: HTTPS and WebSockets that behave by host name and state."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from aiohttp import WSCloseCode, WSMsgType, web

from ._names import OFFERINGS, Names, State
from ._recognition import RecognitionSession
from ._synthesis import SynthesisSession
from ._wire import decode

KEY_HEADER = "Ocp-Apim-Subscription-Key"
_STT_PATHS = frozenset(
    {
        "/speech/universal/v2",
        *(
            f"/speech/recognition/{mode}/cognitiveservices/v1"
            for mode in ("interactive", "conversation", "dictation")
        ),
    }
)
_TTS_PATHS = frozenset({"/cognitiveservices/websocket/v1"})
_VOICES_PATH = "/cognitiveservices/voices/list"
_PATHS = {
    "stt": _STT_PATHS,
    "s2s": frozenset({"/speech/translation/cognitiveservices/v1"}),
    "tts": _TTS_PATHS | {_VOICES_PATH},
    "voice": _TTS_PATHS,
}
"""What each offering serves at its regional host; at the custom domain behind ``/{offering}``."""
_PREFIXED_TOO = {
    "stt": frozenset({"/stt/speech/universal/v2"}),
    "tts": frozenset({"/tts/cognitiveservices/websocket/v1"}),
    "voice": frozenset({"/tts/cognitiveservices/websocket/v1"}),
}
"""What newer SDKs open at regional hosts (measured, 1.53)."""

_CLOSE_REASON_BYTES = 120
"""A close frame's reason fits 123 bytes (RFC 6455)."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request that reached a front door. Holds the kind of credential, never the secret."""

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


def _error(status: int, message: str) -> web.Response:
    error = {"code": str(status), "message": message}
    return web.json_response({"error": error}, status=status)


def _upgrades(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _voice(region: str, short_name: str, gender: str, local_name: str) -> dict[str, Any]:
    locale = short_name.rsplit("-", 1)[0]
    return {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({locale}, {local_name}Neural)",
        "DisplayName": local_name,
        "LocalName": local_name,
        "ShortName": short_name,
        "Gender": gender,
        "Locale": locale,
        "LocaleName": f"{locale} as spoken by the emulator in {region}",
        "SampleRateHertz": "24000",
        "VoiceType": "Neural",
        "Status": "GA",
        "WordsPerMinute": "150",
    }


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
        failure: Callable[[], int | None],
        record: Callable[[Request], None],
        *,
        redirects: bool,
    ) -> None:
        self._names = names
        self._secrets = secrets
        self._redirects = redirects
        self._state = state
        self._failure = failure
        self._record = record
        self._runner: web.AppRunner | None = None
        self._loop = asyncio.get_running_loop()
        self._connected: dict[asyncio.Transport, bool] = {}

    async def start(self, address: str, port: int, context: ssl.SSLContext) -> int:
        """Listen with TLS; returns the port."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port, ssl_context=context).start()
        return int(self._runner.addresses[0][1])

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
        response, status = self._admit(request)
        credential = "none"
        if request.headers.get(KEY_HEADER):  # beside a token the SDK may send an empty one
            credential = "key"
        elif request.headers.get("Authorization", "").startswith("Bearer "):
            credential = "token"
        # As it arrived: the parsed URL is normalised.
        path, _, query = request.raw_path.partition("?")
        self._record(
            Request(self._host(request), path, query, credential, status, time.monotonic())
        )
        if response is not None:
            return response
        return await self._serve(request)

    @staticmethod
    def _host(request: web.Request) -> str:
        return request.host.rsplit(":", 1)[0].lower()

    def _is_private_door(self, request: web.Request) -> bool:
        return self._host(request) == self._names.custom_domain

    def _operation(self, request: web.Request) -> tuple[str, str] | None:
        """Offering and path of a request, without the offering; None if nothing is served there."""
        path = request.path
        offering = self._names.offering_of(self._host(request))
        if offering is None:
            offering, _, path = path.removeprefix("/").partition("/")
            path = f"/{path}"
        elif path in _PREFIXED_TOO.get(offering, ()):
            return offering, path.removeprefix("/stt").removeprefix("/tts")
        return (offering, path) if path in _PATHS.get(offering, ()) else None

    def _redirect(self, request: web.Request) -> web.Response:
        offering = request.path.lstrip("/").partition("/")[0]
        # The SDK follows an upgrade to wss only (measured, 1.53).
        scheme = "wss" if _upgrades(request) else "https"
        target = f"{scheme}://{self._names.offering_host(offering)}{request.rel_url}"
        return web.Response(status=307, headers={"Location": target})

    def _admit(self, request: web.Request) -> tuple[web.Response | None, int]:
        """An error response, or None and the status that the request will get."""
        host = self._host(request)
        if host not in self._names.hosts:
            return _error(404, f"the emulator has no front door {host}"), 404
        failure = self._failure()
        if failure is not None:
            return _error(failure, "the emulator was told to fail"), failure
        is_private_door = self._is_private_door(request)
        has_private_endpoint = self._state().has_private_endpoint
        asks_offering = request.path.lstrip("/").partition("/")[0] in OFFERINGS
        if is_private_door and asks_offering and not has_private_endpoint:
            if self._redirects:
                return self._redirect(request), 307
            return _error(404, "the resource has no private endpoint"), 404
        is_wrong_door = not is_private_door and has_private_endpoint
        if not self._secrets.open(request, is_regional=not is_private_door) or is_wrong_door:
            return _error(401, "wrong key, or the wrong endpoint for this resource"), 401
        operation = self._operation(request)
        upgrades = _upgrades(request)
        if operation is None or upgrades == (operation[1] == _VOICES_PATH):
            return _error(404, "no such path"), 404
        return None, 101 if upgrades else 200

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if not _upgrades(request):
            return web.json_response(
                [
                    _voice(self._names.region, "en-US-AvaNeural", "Female", "Ava"),
                    _voice(self._names.region, "de-DE-KatjaNeural", "Female", "Katja"),
                ]
            )
        host = self._host(request)
        kind = "private endpoint" if host == self._names.custom_domain else "regional host"
        operation = self._operation(request)
        speaks = operation is not None and operation[1] in _TTS_PATHS
        session = SynthesisSession() if speaks else RecognitionSession(f"the {kind} {host}")
        socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=0)
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

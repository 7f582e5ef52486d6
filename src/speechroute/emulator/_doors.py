"""The front doors: HTTPS and WebSockets that behave by host name and state."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import WSMsgType, web

from ._names import OFFERINGS, Names, State
from ._recognition import RecognitionSession
from ._synthesis import SynthesisSession, UnsupportedFormat
from ._wire import decode

KEY_HEADER = "Ocp-Apim-Subscription-Key"


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


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


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
        key: str,
        state: Callable[[], State],
        record: Callable[[Request], None],
    ) -> None:
        self._names = names
        self._key = key
        self._state = state
        self._record = record
        self._runner: web.AppRunner | None = None

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

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        response, status = self._admit(request)
        credential = "none"
        if KEY_HEADER in request.headers:
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

    def _offering(self, request: web.Request) -> str | None:
        """The offering that a request asks for, by host or by first path segment."""
        by_host = self._names.offering_of(self._host(request))
        if by_host:
            return by_host
        first = request.path.strip("/").partition("/")[0]
        return first if first in OFFERINGS else None

    def _admit(self, request: web.Request) -> tuple[web.Response | None, int]:
        """An error response, or None and the status that the request will get."""
        host = self._host(request)
        if host not in self._names.hosts:
            return _error(404, "404", f"the emulator has no front door {host}"), 404
        private_door = host == self._names.custom_domain
        offering = self._offering(request)
        if private_door and offering and not self._state().has_private_endpoint:
            return _error(404, "404", "the resource has no private endpoint"), 404
        key_accepted = request.headers.get(KEY_HEADER) == self._key
        regional_while_private = not private_door and self._state().has_private_endpoint
        if not key_accepted or regional_while_private:
            return _error(401, "401", "wrong key, or the wrong endpoint for this resource"), 401
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return (None, 101) if offering else (_error(404, "404", "no such path"), 404)
        if request.path.endswith("/cognitiveservices/voices/list") and offering == "tts":
            return None, 200
        return _error(404, "404", "no such path"), 404

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return web.json_response(
                [
                    _voice(self._names.region, "en-US-AvaNeural", "Female", "Ava"),
                    _voice(self._names.region, "de-DE-KatjaNeural", "Female", "Katja"),
                ]
            )
        host = self._host(request)
        kind = "private endpoint" if host == self._names.custom_domain else "regional host"
        speaks = "/tts/" in request.path or self._offering(request) in ("tts", "voice")
        session = SynthesisSession() if speaks else RecognitionSession(f"the {kind} {host}")
        socket = web.WebSocketResponse(protocols=("USP",), max_msg_size=0)
        await socket.prepare(request)
        try:
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
        except UnsupportedFormat as error:
            await socket.close(code=1007, message=str(error).encode()[:120])
        except ValueError as error:
            await socket.close(code=1002, message=str(error).encode()[:120])
        except (ConnectionError, asyncio.CancelledError):
            pass
        return socket

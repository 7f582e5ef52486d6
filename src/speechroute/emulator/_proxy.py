"""A CONNECT proxy that leads production host names to the front doors, and a switch.

The switch is plain HTTP on the same port: ``GET /state`` tells the state, ``PUT /state`` with a
body of ``vnet``, ``proxy`` or ``removed`` changes it; ``/dns_state`` and ``/service_state`` are
the same for one part of it.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import cast

from ._names import Names, State

_PARTS = ("state", "dns_state", "service_state")


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


def _response(status: str, body: str = "") -> bytes:
    content = body.encode()
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(content)}\r\nConnection: close\r\n\r\n"
    return head.encode() + content


class ConnectProxy:
    """Tunnels ``CONNECT host:443`` to the front doors; 502 for every other host or port."""

    def __init__(
        self,
        names: Names,
        doors: tuple[str, int],
        get_state: Callable[[str], State],
        set_state: Callable[[str, State], None],
        record: Callable[[str], None],
    ) -> None:
        self._names = names
        self._doors = doors
        self._get_state = get_state
        self._set_state = set_state
        self._record = record
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> int:
        """Listen; returns the port."""
        self._server = await asyncio.start_server(self._serve, address, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open.add(task)
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            if method == "CONNECT":
                await self._tunnel(target, reader, writer)
            else:
                writer.write(await self._switch(method, target, head, reader))
                await writer.drain()
        except (
            ValueError,
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionError,
            asyncio.CancelledError,
        ):
            pass  # the client broke off or sent no HTTP, or the emulator stops
        finally:
            writer.close()
            self._open.discard(task)

    async def _tunnel(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._record(target)
        host, _, port = target.rpartition(":")
        if host.lower() not in self._names.hosts or port != "443":
            writer.write(_response("502 Bad Gateway", f"the emulator has no {target}\n"))
            await writer.drain()
            return
        door_reader, door_writer = await asyncio.open_connection(*self._doors)
        writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        try:
            await asyncio.gather(_pump(reader, door_writer), _pump(door_reader, writer))
        finally:
            door_writer.close()

    async def _switch(
        self, method: str, target: str, head: str, reader: asyncio.StreamReader
    ) -> bytes:
        part = target.removeprefix("http://").partition("/")[2]
        if part not in _PARTS:
            return _response("404 Not Found", f"GET or PUT one of: /{', /'.join(_PARTS)}\n")
        if method == "PUT":
            lengths = [
                line.partition(":")[2]
                for line in head.split("\r\n")
                if line.lower().startswith("content-length:")
            ]
            body = (await reader.readexactly(int(lengths[0]) if lengths else 0)).decode().strip()
            if body not in list(State):
                return _response("400 Bad Request", f"send one of: {', '.join(State)}\n")
            self._set_state(part, State(body))
        return _response("200 OK", f"{self._get_state(part)}\n")

"""A DNS server for one emulated resource, on UDP and TCP."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from ._names import Names, State

_NEGATIVE_SOA = "ns.invalid. hostmaster.invalid. 1 3600 600 86400 {ttl}"


Overlay = Mapping[str, tuple[str, ...]]
"""For a name: the names that follow it, and at the end its address, if it has one."""


def _found(asked: str, names: Names, state: State, over: Overlay) -> tuple[list[str], str] | None:
    """The names of a chain and its address, which is empty where the last name does not exist."""
    if asked not in over:
        found = names.chain(asked, state)
        return found and (list(found[0]), found[1])
    chain = [asked, *over[asked]]
    has_address = len(chain) > 1 and chain[-1].replace(".", "").isdecimal()
    return chain, chain.pop() if has_address else ""


def _answer(
    query: dns.message.Message, names: Names, state: State, ttl: int, over: Overlay
) -> dns.message.Message:
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    asked = question.name.to_text(omit_final_dot=True).lower()
    zones = (z for z in names.zones if asked == z or asked.endswith("." + z))
    zone = next(zones, asked if asked in over else None)
    if zone is None:
        response.set_rcode(dns.rcode.REFUSED)
        return response
    found = _found(asked, names, state, over)
    if found is None:
        if asked != zone:
            response.set_rcode(dns.rcode.NXDOMAIN)
    else:
        chain, address = found
        if question.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA):
            # Names come back with the spelling of the question, as real servers echo it.
            owners = [question.name, *(dns.name.from_text(name) for name in chain[1:])]
            response.answer += [
                dns.rrset.from_text(owner, ttl, "IN", "CNAME", target.to_text())
                for owner, target in pairwise(owners)
            ]
            if not address:
                response.set_rcode(dns.rcode.NXDOMAIN)
            elif question.rdtype == dns.rdatatype.A:
                response.answer.append(dns.rrset.from_text(owners[-1], ttl, "IN", "A", address))
                return response
    soa = _NEGATIVE_SOA.format(ttl=ttl)
    response.authority.append(dns.rrset.from_text(zone + ".", ttl, "IN", "SOA", soa))
    return response


class DnsServer:
    """Answers A and AAAA for the names of one resource; REFUSED for every other zone."""

    def __init__(self, names: Names, state: Callable[[], State], ttl: int, over: Overlay) -> None:
        self._names = names
        self._state = state
        self._ttl = ttl
        self._over = over
        self._udp: asyncio.DatagramTransport | None = None
        self._tcp: asyncio.Server | None = None
        self._open: set[asyncio.Task[None]] = set()

    async def start(self, address: str, port: int) -> int:
        """Listen on one port number, UDP and TCP; returns it (``port`` 0: any that is free)."""
        loop = asyncio.get_running_loop()
        for _ in range(20):
            self._tcp = await asyncio.start_server(self._serve_tcp, address, port)
            bound = int(self._tcp.sockets[0].getsockname()[1])
            try:
                self._udp, _ = await loop.create_datagram_endpoint(
                    lambda: _UdpProtocol(self.respond), (address, bound), family=socket.AF_INET
                )
            except OSError:
                self._tcp.close()
                if port:
                    raise
            else:
                return bound
        raise OSError(f"no port on {address} is free for both UDP and TCP; free some and try again")

    async def stop(self) -> None:
        if self._udp:
            self._udp.close()
        if self._tcp:
            self._tcp.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    def respond(self, wire: bytes) -> bytes | None:
        """The reply to one message; None for what is no query, as a real server drops it."""
        try:
            query = dns.message.from_wire(wire)
        except (dns.exception.DNSException, ValueError):
            return None
        if query.flags & dns.flags.QR or len(query.question) != 1:
            return None
        return _answer(query, self._names, self._state(), self._ttl, self._over).to_wire()

    async def _serve_tcp(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._open.add(task)
        try:
            while True:
                length = int.from_bytes(await reader.readexactly(2), "big")
                reply = self.respond(await reader.readexactly(length))
                if reply is None:
                    break
                writer.write(len(reply).to_bytes(2, "big") + reply)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self._open.discard(task)


class _UdpProtocol(asyncio.DatagramProtocol):
    def __init__(self, respond: Callable[[bytes], bytes | None]) -> None:
        self._respond = respond

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Not isinstance: before Python 3.12 asyncio's own transport does not inherit from it.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        reply = self._respond(data)
        if reply is not None:
            self._transport.sendto(reply, addr)

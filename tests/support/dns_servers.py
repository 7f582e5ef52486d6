"""DNS servers for tests: one function from query to reply, on UDP and TCP of one loopback port."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dns.message
import dns.rrset

Respond = Callable[[dns.message.Message, bool], bytes | None]
"""From a query, and whether it came over TCP, to the reply; None: none is sent."""


def records(query: dns.message.Message, *lines: str) -> dns.message.Message:
    """A reply with one answer record a line: ``name ttl type value``."""
    reply = dns.message.make_response(query, recursion_available=True)
    for line in lines:
        name, ttl, kind, value = line.split(" ", 3)
        reply.answer.append(dns.rrset.from_text(name, int(ttl), "IN", kind, value))
    return reply


@contextmanager
def dns_server(respond: Respond) -> Iterator[str]:
    """Serve; yields ``address:port``."""

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            wire, sock = self.request
            reply = respond(dns.message.from_wire(wire), False)
            if reply is not None:
                sock.sendto(reply, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            length = int.from_bytes(self.rfile.read(2), "big")
            reply = respond(dns.message.from_wire(self.rfile.read(length)), True)
            if reply is not None:
                self.wfile.write(len(reply).to_bytes(2, "big") + reply)

    servers: list[Any] = []
    while not servers:
        udp = socketserver.ThreadingUDPServer(("127.0.0.1", 0), Udp)
        port = udp.server_address[1]
        try:
            servers = [udp, socketserver.ThreadingTCPServer(("127.0.0.1", port), Tcp)]
        except OSError:  # that number is taken for TCP
            udp.server_close()
    for server in servers:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def silent_port() -> socket.socket:
    """A bound UDP socket that never answers."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock

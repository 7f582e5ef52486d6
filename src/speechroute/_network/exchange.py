"""`exchange()`: one question to one DNS server."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial

import dns.exception
import dns.message
import dns.query

_ATTEMPT_S = 2.0
"""Seconds to wait for one server before asking the next; within the budget all are asked again."""
_EDNS_PAYLOAD = 1232
"""Bytes that fit an unfragmented packet (DNS flag day 2020)."""
FAILURES = dns.exception.DNSException, OSError, EOFError
"""What `exchange` may raise."""


def exchange(query: dns.message.Message, server: str, deadline: float) -> dns.message.Message:
    """Ask over UDP, and where the answer was cut off, over TCP, or with EDNS.

    EDNS comes last: servers that fail at it (RFC 6891 section 7) answer the system, which does not
    use it unless told to (resolv.conf(5), edns0).
    """
    host, _, port = server.rpartition(":")
    where = host.strip("[]")
    udp = partial(
        dns.query.udp,
        where=where,
        port=int(port),
        ignore_unexpected=True,
        ignore_errors=True,
        raise_on_truncation=True,
    )

    def left() -> float:
        return min(_ATTEMPT_S, max(0.001, deadline - time.monotonic()))

    with suppress(dns.message.Truncated):
        return udp(query, timeout=left())
    try:
        return dns.query.tcp(query, where, left(), int(port))
    except FAILURES:
        asked = query.question[0]
        larger = dns.message.make_query(asked.name, asked.rdtype, payload=_EDNS_PAYLOAD)
        with suppress(*FAILURES):
            return udp(larger, timeout=left())
        raise

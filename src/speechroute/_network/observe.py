"""`observe()`: what DNS and the operating system say about a name. Looks, and judges nothing.

The only part that asks DNS, with `exchange`. Blocking, in daemon threads side by side:
``getaddrinfo`` cannot be cancelled, and one that hangs must hold up neither the answer nor the end
of the process.
"""

from __future__ import annotations

import ipaddress
import os
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.resolver

from .._core.addresses import is_private
from .._core.clouds import api_host_in, normalise_host
from .._core.view import NOT_ASKED, DnsView, Lookup, Outcome
from .exchange import FAILURES, exchange
from .flight import start
from .system import OWN_LIMITS, GetAddrInfo, failed, search_list, system_lookup, system_servers

_GRACE_S = 1.0
"""Seconds that AAAA and the system's resolver get once the IPv4 address is known: a server that
drops AAAA queries, or a system that hangs, would otherwise cost the whole budget every time."""
_RESERVE = 0.05
"""Share of the budget kept back, so that a lookup that runs out of time can still say so."""


class Observe(Protocol):
    """The form of `observe`, for passing another one to `SpeechConfigFactory`."""

    def __call__(
        self,
        name: str,
        *,
        region_api_host: str | None,
        servers: Sequence[str],
        timeout: float,
        ask_system: bool,
    ) -> DnsView: ...


def observe(
    name: str,
    *,
    region_api_host: str | None = None,
    servers: Sequence[str] = (),
    timeout: float = 5.0,
    ask_system: bool = True,
    getaddrinfo: GetAddrInfo = socket.getaddrinfo,
) -> DnsView:
    """Look a custom domain up: A and AAAA by DNS, and ``getaddrinfo``, side by side.

    Args:
        name: the custom domain.
        region_api_host: also look up this host, to compare addresses with.
        servers: DNS servers, ``ip:port`` or ``[ip]:port``; default: the system's.
        timeout: seconds for everything together.
        ask_system: whether to call ``getaddrinfo``, which is where the SDK connects to. Without
            meaning where a proxy resolves the names.
        getaddrinfo: what to call for it.

    Returns:
        What was seen, failures included. Raises nothing for what the network does.
    """
    started = time.monotonic()
    deadline = started + timeout
    asking_ends = deadline - _RESERVE * timeout
    name = normalise_host(name)
    chosen = tuple(servers) or system_servers()
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    asked = [_start(_ask, name, kind, chosen, asking_ends) for kind in kinds]
    region_asked = [
        _start(_ask, region_api_host, kind, chosen, asking_ends)
        for kind in kinds
        if region_api_host is not None
    ]
    system = _start_system(name, getaddrinfo) if ask_system else None

    wait([asked[0], *region_asked], max(0.0, deadline - time.monotonic()))
    if asked[0].done() and asked[0].result().outcome is Outcome.ANSWERED:
        deadline = min(deadline, time.monotonic() + _GRACE_S)
    wait([asked[1], *([system] if system else [])], max(0.0, deadline - time.monotonic()))

    def result(future: Future[Lookup], subject: str) -> Lookup:
        if future.done():
            return future.result()
        return failed(subject, f"no answer within {time.monotonic() - started:.1f} s")

    told = _merge(*(result(future, name) for future in asked))
    seen = result(system, name) if system else None
    region_seen = None
    if seen and any(map(is_private, {*seen.addresses} - {*told.addresses})):
        if told.outcome is Outcome.NAME_MISSING:
            seen = _as_searched(seen, asking_ends)
        # Does the system say so of this name alone, or of all of Azure's?
        host = region_api_host or api_host_in(told.chain)
        if host:
            future = _start_system(host, getaddrinfo)
            wait([future], max(0.0, deadline - time.monotonic()))
            region_seen = result(future, host)
            if told.outcome is Outcome.NAME_MISSING:
                region_seen = _as_searched(region_seen, asking_ends)
    return DnsView(
        told,
        seen,
        _merge(*(result(future, region_api_host) for future in region_asked))
        if region_api_host
        else None,
        time.monotonic() - started,
        region_seen,
    )


def _as_searched(seen: Lookup, deadline: float) -> Lookup:
    """What the system said, with the name in its search list under which DNS knows the address."""
    servers = system_servers()
    for domain in search_list():
        name = f"{seen.chain[0]}.{normalise_host(domain)}"
        for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
            if {*_ask(name, kind, servers, deadline).addresses} & {*seen.addresses}:
                return seen._replace(chain=(seen.chain[0], name))
    return seen


def _start(function: Callable[..., Lookup], *arguments: object) -> Future[Lookup]:
    future: Future[Lookup] = Future()

    def run() -> None:
        try:
            future.set_result(function(*arguments))
        except BaseException as error:  # noqa: BLE001  # a thread hands on whatever happens
            future.set_exception(error)

    try:
        start(run)
    except RuntimeError as error:
        future.set_result(failed(str(arguments[0]), f"{NOT_ASKED} ({error})"))
    return future


_system_lookups: dict[tuple[str, GetAddrInfo], Future[Lookup]] = {}
"""Calls of ``getaddrinfo`` under way: one that hangs is waited for again, not joined by another,
so that the threads that hang do not add up."""


def _start_system(name: str, getaddrinfo: GetAddrInfo) -> Future[Lookup]:
    running = _system_lookups.get((name, getaddrinfo))
    if running is None or running.done():
        running = _system_lookups[name, getaddrinfo] = _start(system_lookup, name, getaddrinfo)
        running.add_done_callback(lambda _: _system_lookups.pop((name, getaddrinfo), None))
    return running


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_system_lookups.clear)


def _ask(
    name: str, kind: dns.rdatatype.RdataType, servers: Sequence[str], deadline: float
) -> Lookup:
    """Ask the servers in turn until one gives a usable answer or the time is up."""
    try:
        query = dns.message.make_query(name, kind)
    except dns.exception.DNSException as error:
        return failed(name, f"not a name that DNS can be asked for: {type(error).__name__}")
    failures: dict[str, str] = {}
    live = list(servers)
    while live:
        for server in tuple(live):
            if time.monotonic() >= deadline:
                live.clear()
                break
            try:
                response = exchange(query, server, deadline)
            except dns.exception.Timeout:
                failures[server] = "did not answer in time"
                continue
            except FAILURES as error:
                if isinstance(error, OSError) and error.errno in OWN_LIMITS:
                    return failed(name, f"{NOT_ASKED} ({error.strerror})")
                failures[server] = f"sent no usable answer ({type(error).__name__})"
                live.remove(server)
                continue
            if _is_lame(response):
                failures[server] = "sent neither an answer nor a denial, and offers no recursion"
            elif response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
                return _read(response, name, kind)
            else:
                failures[server] = f"answered {dns.rcode.to_text(response.rcode())}"
            live.remove(server)
    told = "; ".join(f"{server} {failure}" for server, failure in failures.items())
    return failed(name, told or ("no time was left to ask" if servers else NOT_ASKED))


def _is_lame(response: dns.message.Message) -> bool:
    """Whether a server says no more than whom else to ask, if that. The system asks the next."""
    return (
        response.rcode() == dns.rcode.NOERROR
        and not response.answer
        and not response.flags & (dns.flags.AA | dns.flags.RA)
        and not any(records.rdtype == dns.rdatatype.SOA for records in response.authority)
    )


def _read(response: dns.message.Message, name: str, kind: dns.rdatatype.RdataType) -> Lookup:
    """Follow the aliases in an answer. Own code: dnspython gives up after 16 of them."""
    chain = [name]
    ttls: list[int] = []
    current = dns.name.from_text(name)
    while True:
        addresses = response.get_rrset(response.answer, current, dns.rdataclass.IN, kind)
        if addresses:
            ttls.append(addresses.ttl)
            found = tuple(ipaddress.ip_address(record.address) for record in addresses)
            return Lookup(tuple(chain), found, min(ttls), Outcome.ANSWERED, ttls=tuple(ttls))
        alias = response.get_rrset(response.answer, current, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if not alias:
            break
        ttls.append(alias.ttl)
        current = alias[0].target
        chain.append(normalise_host(current.to_text()))
        if chain[-1] in chain[:-1]:
            return Lookup(tuple(chain), (), None, Outcome.FAILED, "its aliases run in a loop")
    missing = response.rcode() == dns.rcode.NXDOMAIN
    outcome = Outcome.NAME_MISSING if missing else Outcome.NO_ADDRESS
    return Lookup(tuple(chain), (), min(ttls, default=None), outcome, ttls=tuple(ttls))


def _merge(v4: Lookup, v6: Lookup) -> Lookup:
    """One lookup out of those for A and AAAA."""
    if v4.addresses and v6.addresses and v4.chain == v6.chain:
        ttls = tuple(map(min, v4.ttls, v6.ttls))
        addresses = v4.addresses + v6.addresses
        return Lookup(v4.chain, addresses, min(ttls, default=None), Outcome.ANSWERED, ttls=ttls)
    if v4.addresses or v6.addresses:
        return v4 if v4.addresses else v6
    # A failure for AAAA may hide an address. Otherwise the outcome for A holds, above all its
    # failure: that some servers deny a name for AAAA alone proves nothing.
    is_hidden = v4.outcome is Outcome.NO_ADDRESS and v6.outcome is Outcome.FAILED
    return v6 if is_hidden else v4

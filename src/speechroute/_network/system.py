"""What the operating system says of names: whom it asks, under which domains, and its answer."""

from __future__ import annotations

import errno
import ipaddress
import os
import re
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import dns.exception
import dns.resolver

from .._core.clouds import normalise_host
from .._core.view import Lookup, Outcome

OWN_LIMITS = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Of this process or machine, which no server is to blame for."""
GetAddrInfo = Callable[[str, int, int, int, int, int], Sequence[tuple[Any, ...]]]
"""The form of ``socket.getaddrinfo``: host, port, family, type, protocol and flags."""
_RESOLV_CONF = "/etc/resolv.conf"
_THIS_MACHINE = "127.0.0.1:53"


def failed(name: str, failure: str) -> Lookup:
    """A lookup that gave no answer."""
    return Lookup((name,), (), None, Outcome.FAILED, failure)


def system_servers(file: str = _RESOLV_CONF) -> tuple[str, ...]:
    """Whom the system asks: where it names nobody, this machine (resolv.conf(5)).

    As in glibc, a line without an address and a file that cannot be read count as not there. Empty
    if this process could not look.
    """
    try:
        named = _named(file, "nameserver", "nameservers")
    except OSError as error:
        return () if error.errno in OWN_LIMITS else (_THIS_MACHINE,)
    servers = []
    for address in (word for value in named for word in value.split()[:1]):
        with suppress(ValueError):
            is_v6 = ipaddress.ip_address(address).version == 6  # noqa: PLR2004
            servers.append(f"[{address}]:53" if is_v6 else f"{address}:53")
    return tuple(servers) or (_THIS_MACHINE,)


def search_list(file: str = _RESOLV_CONF) -> list[str]:
    """The domains under which the system looks for a name too."""
    with suppress(OSError):
        named = _named(file, "(?:search|domain)", "search")
        return named if os.name == "nt" else " ".join(named[-1:]).split()
    return []


def _named(file: str, keyword: str, attribute: str) -> list[str]:
    """The values of each such line, or what dnspython finds in the registry of Windows."""
    if os.name == "nt":
        with suppress(dns.exception.DNSException, ValueError):
            return list(map(str, getattr(dns.resolver.Resolver(), attribute)))
        return []
    text = Path(file).read_text("utf-8", "replace")
    return [line.strip() for line in re.findall(rf"^{keyword}[ \t]+(.+)", text, re.MULTILINE)]


def system_lookup(name: str, getaddrinfo: GetAddrInfo) -> Lookup:
    try:
        entries = getaddrinfo(
            name, 443, socket.AF_UNSPEC, socket.SOCK_STREAM, 0, socket.AI_CANONNAME
        )
    except socket.gaierror as error:
        missing = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", None))
        outcome = Outcome.NAME_MISSING if missing else Outcome.FAILED
        return Lookup((name,), (), None, outcome, error.strerror or str(error))
    except Exception as error:  # noqa: BLE001  # libraries replace getaddrinfo by their own
        return failed(name, f"getaddrinfo failed: {type(error).__name__}: {error}")
    # A scope such as "%eth0" belongs to a link-local address and is no part of it.
    texts = dict.fromkeys(re.sub("%.*", "", str(entry[4][0])) for entry in entries)
    addresses = tuple(ipaddress.ip_address(text) for text in texts)
    outcome = Outcome.ANSWERED if addresses else Outcome.NO_ADDRESS
    # Where a search list found the name, this is its whole name (glibc: measured, 2.36).
    found = next((normalise_host(str(entry[3])) for entry in entries if entry[3]), name)
    return Lookup(tuple(dict.fromkeys((name, found))), addresses, None, outcome)

"""What an address or a host tells by itself: whose network it is in."""

from __future__ import annotations

import ipaddress

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_PRIVATE_NETWORKS = tuple(
    ipaddress.ip_network(network)
    for network in (
        "10.0.0.0/8",  # RFC 1918
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",  # RFC 6598
        "fc00::/7",  # RFC 4193
        "127.0.0.0/8",  # loopback: a local tunnel
        "::1/128",
    )
)

_DNS64 = ipaddress.IPv6Network("64:ff9b::/96")
"""Where a resolver of a network with IPv6 alone puts IPv4 addresses (RFC 6052)."""
_IPV4_BITS = 0xFFFFFFFF


def is_private(address: IPAddress) -> bool:
    """Whether a private endpoint can have this address, in IPv4 or in a form of it in IPv6.

    Not ``address.is_private``, which also covers documentation and other reserved ranges.
    """
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            address = address.ipv4_mapped
        elif address in _DNS64:
            address = ipaddress.IPv4Address(int(address) & _IPV4_BITS)
    return any(
        address in network for network in _PRIVATE_NETWORKS if network.version == address.version
    )


def is_loopback(host: str) -> bool:
    """Whether a host name or address is this machine's own, as far as the name tells."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"

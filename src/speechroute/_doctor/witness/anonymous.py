"""What DNS said of a resource, without what tells which one; decided as before. Pure."""

from __future__ import annotations

import ipaddress

from ..._core.addresses import IPAddress
from ..._core.clouds import normalise_host, recognise_host, recognise_marker
from ..._core.service import ServiceAnswer
from ..._core.view import DnsView, Lookup

LABEL = "resource"
"""What a resource is called in a report."""
_PRIVATE_LINK = "privatelink."
_PUBLIC = "192.0.2.0/24", "2001:db8::/32"
"""For documentation (RFC 5737, RFC 3849): nobody's, and none that counts as private."""
_CLASSES = (
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "198.18.0.0/15",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
)
"""Networks that mean something: an address of one becomes another one of it."""
_INSIDE = "::ffff:0:0/96", "64:ff9b::/96"
"""Networks of IPv6 with an address of IPv4 in each address."""
_IPV4_BITS = 0xFFFFFFFF
_IPV6 = 6


class Anonymous:
    """Names and addresses instead of those of one resource, the same for the same.

    Args:
        custom_domain: of the resource.
    """

    def __init__(self, custom_domain: str) -> None:
        self._label = normalise_host(custom_domain).partition(".")[0]
        self._names = {self._label: LABEL}
        self._addresses: dict[IPAddress, IPAddress] = {}

    def view(self, view: DnsView) -> DnsView:
        """What was seen, without words of anybody else."""

        def of(lookup: Lookup | None) -> Lookup | None:
            return lookup and self._lookup(lookup)

        service = view.service
        if service and service.decision is None and not service.seen.startswith("not asked"):
            service = ServiceAnswer(None, None, "no answer", service.seconds)
        return DnsView(
            self._lookup(view.dns),
            of(view.system),
            of(view.region_api),
            view.seconds,
            of(view.region_system),
            service,
        )

    def _lookup(self, lookup: Lookup) -> Lookup:
        chain = tuple(map(self._name, lookup.chain))
        if lookup.is_searched:
            chain = chain[0], f"{chain[0]}.searched.invalid"
        addresses = tuple(map(self._address, lookup.addresses))
        return lookup._replace(chain=chain, addresses=addresses, failure="")

    def _name(self, name: str) -> str:
        """Azure's own names stay, but for those of resources; others become numbers."""
        name = normalise_host(name)
        label, _, rest = name.partition(".")
        of_resource = recognise_host(f"{LABEL}.{rest.removeprefix(_PRIVATE_LINK)}")
        if of_resource and of_resource.custom_domain:
            return f"{self._number(label)}.{rest}"
        host, marker = recognise_host(name), recognise_marker(name)
        if host and host.region:
            return name
        if marker is None:
            return f"{self._number(name)}.invalid"
        # Where the resource's label is a part of Azure's own word, that stays.
        without = f"{label.replace(self._label, LABEL)}.{rest}"
        return without if recognise_marker(without) == marker else name

    def _number(self, name: str) -> str:
        return self._names.setdefault(name, f"name-{len(self._names)}")

    def _address(self, address: IPAddress) -> IPAddress:
        if address not in self._addresses:
            self._addresses[address] = self._another(address)
        return self._addresses[address]

    def _another(self, address: IPAddress) -> IPAddress:
        number = len(self._addresses) + 1
        for network in map(ipaddress.ip_network, _INSIDE):
            if address in network:
                inside = self._address(ipaddress.IPv4Address(int(address) & _IPV4_BITS))
                return ipaddress.IPv6Address(int(network[0]) + int(inside))
        public = ipaddress.ip_network(_PUBLIC[address.version == _IPV6])
        classes = map(ipaddress.ip_network, _CLASSES)
        network = next((each for each in classes if address in each), public)
        return network[min(number, network.num_addresses - 1)]

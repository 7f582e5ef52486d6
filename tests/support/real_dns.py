"""BIND and Unbound on loopback, as the public DNS and a network's own resolver.

Three BINDs play the authoritative servers: of the custom domains, of everything else that is
public, and of the private zone. No one of them can hand out a whole chain. Unbound follows the
aliases from zone to zone, as Azure's resolver does, with a private zone laid over the public one
where the scene has it.
"""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode

CUSTOM_DOMAIN = "my-speech.cognitiveservices.azure.com"
PRIVATE_LINK = "my-speech.privatelink.cognitiveservices.azure.com"
VNET_PROXY = (
    "westeurope.prod.vnet.cog.trafficmanager.net",
    "vnetproxyv1-weu-prod.westeurope.cloudapp.azure.com",
)
GATEWAY = (
    "westeurope.api.cognitive.microsoft.com",
    "cognitiveweprod.trafficmanager.net",
    "cognitiveweprod.azure-api.net",
    "apimgmttmdjylckcx6clmh2isu2wr38uqzm63s8n4ub2y3e6xs.trafficmanager.net",
    "cognitiveweprod-westeurope-01.regional.azure-api.net",
    "apimgmthskquihpkz6d90kmhvnabrx3ms3pdubscpdfk1tsx3a.cloudapp.net",
)
_CUSTOM_DOMAIN_ZONES = (
    "cognitiveservices.azure.com",
    "services.ai.azure.com",
    "cognitiveservices.azure.us",
    "cognitiveservices.azure.cn",
)
_ZONES = (
    *_CUSTOM_DOMAIN_ZONES,
    "privatelink.cognitiveservices.azure.com",
    "trafficmanager.net",
    "cloudapp.azure.com",
    "api.cognitive.microsoft.com",
    "azure-api.net",
    "cloudapp.net",
    "api.cognitive.microsoft.us",
    "api.cognitive.azure.cn",
    "privatelink.services.ai.azure.com",
    "corp.example",
)
_PRIVATE_ZONE = "privatelink.cognitiveservices.azure.com"
_READY_S = 30
_TRY_S = 0.05


def chain(*names: str, address: str) -> tuple[str, ...]:
    """The records of a chain of aliases that ends at an address."""
    aliases = (f"{a}. 60 IN CNAME {b}." for a, b in pairwise(names))
    kind = "AAAA" if ":" in address else "A"
    return (*aliases, f"{names[-1]}. 60 IN {kind} {address}")


@dataclass(frozen=True)
class Scene:
    """What the public DNS says, and what a private zone of the network says over it.

    Attributes:
        public: records of the public zones.
        private: records of the private zone; None: the network has none.
        row: the id of the row of the decision table that must decide.
        region: set as SPEECH_REGION.
        custom_domain: the resource that is asked for.
        hosts: lines of the hosts file, where the system's resolver is asked.
        resolv_conf: what that reads.
        protection: private networks that the network's resolver strips from its answers.
    """

    row: str
    public: tuple[str, ...] = ()
    private: tuple[str, ...] | None = None
    region: str = ""
    custom_domain: str = CUSTOM_DOMAIN
    hosts: tuple[str, ...] = field(default=())
    resolv_conf: str = "nameserver 127.0.0.1\n"
    protection: tuple[str, ...] = ()


_REMOVED = chain(CUSTOM_DOMAIN, *GATEWAY, address="13.93.122.1")
_OUTSIDE = chain(CUSTOM_DOMAIN, PRIVATE_LINK, *VNET_PROXY, address="13.69.67.71")
_LEFT_BEHIND = chain(CUSTOM_DOMAIN, PRIVATE_LINK, *GATEWAY, address="13.93.122.1")
SCENES = {
    "private endpoint in the VNet": Scene(
        "private-address", _OUTSIDE, chain(PRIVATE_LINK, address="172.28.0.10")
    ),
    "private endpoint over IPv6": Scene(
        "private-address", _OUTSIDE, chain(PRIVATE_LINK, address="fd00::10")
    ),
    "private endpoint from outside": Scene("vnet-proxy", _OUTSIDE),
    "VNet service endpoint": Scene(
        "vnet-proxy", chain(CUSTOM_DOMAIN, *VNET_PROXY, address="13.69.67.71")
    ),
    "private endpoints removed": Scene("regional", _REMOVED),
    "alias left behind": Scene("regional", _LEFT_BEHIND),
    "own DNS server": Scene("private-address", chain(CUSTOM_DOMAIN, address="10.1.2.3")),
    "flattened, same as the region": Scene(
        "same-as-region",
        (*chain(CUSTOM_DOMAIN, address="13.93.122.1"), *chain(*GATEWAY, address="13.93.122.1")),
        region="westeurope",
    ),
    "flattened": Scene("undecided", chain(CUSTOM_DOMAIN, address="203.0.113.9")),
    "private and public addresses": Scene(
        "private-address",
        _OUTSIDE,
        (*chain(PRIVATE_LINK, address="172.28.0.10"), *chain(PRIVATE_LINK, address="13.69.67.71")),
    ),
    "dual stack": Scene(
        "private-address",
        _OUTSIDE,
        (*chain(PRIVATE_LINK, address="172.28.0.10"), *chain(PRIVATE_LINK, address="fd00::10")),
    ),
    "capitals and a loop": Scene(
        "dns-unavailable",
        (
            f"{CUSTOM_DOMAIN.upper()}. 60 IN CNAME LOOP.TrafficManager.net.",
            f"loop.trafficmanager.net. 60 IN CNAME {CUSTOM_DOMAIN}.",
        ),
    ),
    "capitals": Scene("regional", tuple(line.replace("west", "West") for line in _REMOVED)),
    "long chain": Scene(
        "regional",
        chain(
            CUSTOM_DOMAIN,
            *(f"hop{number}.trafficmanager.net" for number in range(6)),
            GATEWAY[0],
            address="13.93.122.1",
        ),
    ),
    "Foundry domain": Scene(
        "private-address",
        chain(
            "my-speech.services.ai.azure.com",
            "my-speech.privatelink.services.ai.azure.com",
            address="172.28.0.10",
        ),
        custom_domain="my-speech.services.ai.azure.com",
    ),
    "Azure Government, removed": Scene(
        "regional",
        chain(
            "my-speech.cognitiveservices.azure.us",
            "usgovvirginia.api.cognitive.microsoft.us",
            address="13.93.122.1",
        ),
        custom_domain="my-speech.cognitiveservices.azure.us",
    ),
    "Azure in China, removed": Scene(
        "regional",
        chain(
            "my-speech.cognitiveservices.azure.cn",
            "chinanorth3.api.cognitive.azure.cn",
            address="13.93.122.1",
        ),
        custom_domain="my-speech.cognitiveservices.azure.cn",
    ),
    "another cloud": Scene(
        "other-cloud",
        chain("my-speech.cognitiveservices.azure.us", *GATEWAY, address="13.93.122.1"),
        region="usgovvirginia",
        custom_domain="my-speech.cognitiveservices.azure.us",
    ),
    "egress proxy behind the region": Scene(
        "regional", chain(CUSTOM_DOMAIN, *GATEWAY, address="10.9.9.9")
    ),
    "egress proxy, flattened": Scene(
        "same-as-region",
        (*chain(CUSTOM_DOMAIN, address="10.9.9.9"), *chain(GATEWAY[0], address="10.9.9.9")),
        region="westeurope",
    ),
    "privatelink with a public address": Scene(
        "private-link", _OUTSIDE, chain(PRIVATE_LINK, address="203.0.113.9")
    ),
    "rebind protection": Scene(
        "private-record-missing",
        _OUTSIDE,
        chain(PRIVATE_LINK, address="172.28.0.10"),
        protection=("172.16.0.0/12",),
    ),
    "zone linked, record missing": Scene(
        "private-record-missing", _OUTSIDE, chain("other." + _PRIVATE_ZONE, address="10.0.0.9")
    ),
    "custom domain missing": Scene(
        "custom-domain-missing", chain("other." + _ZONES[0], address="13.93.122.1")
    ),
}
SYSTEM_SCENES = {
    "hosts file": Scene(
        "system-private", _REMOVED, region="westeurope", hosts=(f"10.7.7.7 {CUSTOM_DOMAIN}",)
    ),
    "egress proxy in the hosts file": Scene(
        "regional",
        _REMOVED,
        hosts=(f"10.7.7.7 {CUSTOM_DOMAIN} {GATEWAY[0]}",),
    ),
    "wildcard in a search domain that is an alias": Scene(
        "custom-domain-missing",
        (
            "*.corp.example. 60 IN CNAME portal.corp.example.",
            "portal.corp.example. 60 IN A 10.7.7.7",
        ),
        resolv_conf="nameserver 127.0.0.1\nsearch other.example corp.example\n",
    ),
    "wildcard in a search domain": Scene(
        "custom-domain-missing",
        chain("*.corp.example", address="10.7.7.7"),
        resolv_conf="nameserver 127.0.0.1\nsearch corp.example\n",
    ),
    "no server named": Scene("regional", _REMOVED, resolv_conf="search example.com\n"),
    "no server that is an address": Scene("regional", _REMOVED, resolv_conf="nameserver foo\n"),
}


def _zone_of(owner: str) -> str:
    """The most specific zone that a record belongs to."""
    name = owner.removesuffix(".").lower()
    found = [zone for zone in _ZONES if name == zone or name.endswith("." + zone)]
    return max(found, key=len)


def _zone_file(folder: Path, name: str, records: list[str]) -> Path:
    head = [
        "$TTL 60",
        "@ IN SOA ns.invalid. host.invalid. 1 3600 600 86400 60",
        "@ IN NS ns.invalid.",
    ]
    file = folder / name
    file.write_text("\n".join([*head, *records, ""]))
    return file


def _bind_config(folder: Path, zones: tuple[str, ...], records: tuple[str, ...], port: int) -> str:
    text = f"""
options {{
    directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
    listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
    recursion no; dnssec-validation no; empty-zones-enable no; notify no;
}};
controls {{ }};
"""
    for zone in zones:
        own = [record for record in records if _zone_of(record.split()[0]) == zone]
        file = _zone_file(folder, f"{zone}.zone", own)
        text += f'zone "{zone}" {{ type primary; file "{file}"; }};\n'
    return text


def _unbound_config(
    folder: Path, port: int, servers: dict[str, int], protection: tuple[str, ...]
) -> str:
    protected = "\n    ".join(f"private-address: {network}" for network in protection)
    text = f"""
server:
    directory: "{folder}"
    pidfile: "{folder}/unbound.pid"
    chroot: ""
    username: ""
    use-syslog: no
    interface: 127.0.0.1
    port: {port}
    do-ip6: no
    do-not-query-localhost: no
    module-config: "iterator"
    cache-max-ttl: 0
    cache-max-negative-ttl: 0
    {protected}
remote-control:
    control-enable: no
"""
    for zone, bind_port in servers.items():
        text += f"""
stub-zone:
    name: "{zone}"
    stub-addr: 127.0.0.1@{bind_port}
"""
    return text


def _free_port() -> int:
    """A port free for UDP and TCP, below those that the system gives to outgoing connections."""
    while True:
        port = random.randrange(20_000, 32_000)
        with ExitStack() as stack, suppress(OSError):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                sock = stack.enter_context(socket.socket(socket.AF_INET, kind))
                sock.bind(("127.0.0.1", port))
            return port


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[None]:
    program = shutil.which(command[0], path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert program, f"{command[0]} is not installed: run sh .ci/setup dev as root"
    with log.open("wb") as out:
        process = subprocess.Popen([program, *command[1:]], stdout=out, stderr=out)
    try:
        yield
    finally:
        process.terminate()
        process.wait(_READY_S)


def _wait_until_it_answers(address: str, port: int, name: str, log: Path) -> None:
    """A server that is still starting leaves UDP unanswered: each try waits for the next."""
    query = dns.message.make_query(name, "SOA")
    answer = None
    for _ in range(round(_READY_S / _TRY_S)):
        try:
            answer = dns.query.udp(query, address, _TRY_S, port, ignore_errors=True)
        except (OSError, dns.exception.DNSException):
            continue
        if answer.rcode() == dns.rcode.NOERROR:
            return
    raise TimeoutError(f"the DNS server did not start ({answer}): {log.read_text()}")


@contextmanager
def resolver(scene: Scene, folder: Path, port: int = 0) -> Iterator[str]:
    """Run a scene; yields ``address:port`` of the network's resolver."""
    port = port or _free_port()
    others = tuple(zone for zone in _ZONES if zone not in _CUSTOM_DOMAIN_ZONES)
    authorities = [(_CUSTOM_DOMAIN_ZONES, scene.public), (others, scene.public)]
    if scene.private is not None:
        authorities.append(((_PRIVATE_ZONE,), scene.private))
    servers: dict[str, int] = {}
    starting: list[tuple[int, str, Path]] = []
    with ExitStack() as stack:
        for zones, records in authorities:
            bind_port = _free_port()
            home = folder / str(bind_port)
            home.mkdir()
            config, log = home / "named.conf", home / "named.log"
            config.write_text(_bind_config(home, zones, records, bind_port))
            command = ["named", "-g", "-n", "1", "-c", str(config)]
            stack.enter_context(_running(command, log))
            starting.append((bind_port, zones[0], log))
            servers.update(dict.fromkeys(zones, bind_port))
        for bind_port, zone, log in starting:  # before Unbound, which remembers who is silent
            _wait_until_it_answers("127.0.0.1", bind_port, zone, log)
        config, log = folder / "unbound.conf", folder / "unbound.log"
        config.write_text(_unbound_config(folder, port, servers, scene.protection))
        stack.enter_context(_running(["unbound", "-d", "-c", str(config)], log))
        _wait_until_it_answers("127.0.0.1", port, _ZONES[0], log)
        yield f"127.0.0.1:{port}"

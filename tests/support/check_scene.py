"""Runs inside ``unshare -n -m``: ``speechroute check`` where addresses lead nowhere.

python check_scene.py SCENE ARGUMENTS: prints what the command printed, and ends as it did.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import NamedTuple

from namespace import bind_over, bring_up_loopback
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS


class Network(NamedTuple):
    """What is there: addresses, a line of the hosts file, and the two halves of the state.

    Attributes:
        doors: where the emulator listens.
        nameserver: of the system's resolver.
        swallows: whether connections to the private address get no answer.
    """

    addresses: tuple[str, ...]
    hosts: str = ""
    dns_state: str = "vnet"
    service_state: str = "vnet"
    doors: str = "0.0.0.0"
    nameserver: str = "127.0.0.1"
    swallows: bool = False


EVERYWHERE = (PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)
NETWORKS = {
    "sound": Network(EVERYWHERE),
    "stale record": Network((GATEWAY_ADDRESS,), service_state="removed"),
    "black hole": Network(EVERYWHERE, doors="127.0.0.1", swallows=True),
    "no way": Network((GATEWAY_ADDRESS,)),
    "firewall": Network((), dns_state="removed", service_state="removed"),
    "nowhere": Network(()),
    "other resolver, no way out": Network((), nameserver="127.0.0.2"),
    "public hosts file": Network(EVERYWHERE, f"{VNET_PROXY_ADDRESS} {{}}"),
    "hosts file, late DNS": Network(EVERYWHERE, f"{PRIVATE_ADDRESS} {{}}", "proxy", "removed"),
    "late DNS": Network(EVERYWHERE, service_state="removed"),
    "other resolver": Network(EVERYWHERE, nameserver="127.0.0.2"),
    "old hosts file": Network(EVERYWHERE, f"{PRIVATE_ADDRESS} {{}}", "removed", "removed"),
    "hosts file": Network(EVERYWHERE, f"{PRIVATE_ADDRESS} {{}}", "removed", "vnet"),
}


@contextlib.contextmanager
def _black_hole() -> Iterator[None]:
    """Lets connections to the private address wait: its queue is full, so more are dropped."""
    address = PRIVATE_ADDRESS, 443
    with contextlib.ExitStack() as stack:
        stack.enter_context(socket.create_server(address, backlog=0))
        for _ in range(2):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(address)
        yield


def main() -> None:
    network = NETWORKS[sys.argv[1]]
    bring_up_loopback(*network.addresses)
    with contextlib.ExitStack() as stack:
        if network.swallows:
            stack.enter_context(_black_hole())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        bind_over("/etc/resolv.conf", f"nameserver {network.nameserver}\n", folder)
        with Emulator(address=network.doors, dns_port=53, https_port=443) as emulator:
            hosts = network.hosts.format(emulator.custom_domain)
            bind_over("/etc/hosts", f"127.0.0.1 localhost\n{hosts}\n", folder)
            emulator.dns_state = network.dns_state
            emulator.service_state = network.service_state
            environment = {
                **os.environ,
                "SPEECH_KEY": emulator.key,
                "SPEECH_ENDPOINT": emulator.custom_domain,
                "SPEECH_REGION": emulator.region,
                "SPEECH_DNS_SERVERS": "127.0.0.1",
                "SSL_CERT_FILE": str(emulator.ca_file),
                **{name: text for name, text in os.environ.items() if name.startswith("SPEECH_")},
            }
            command = [sys.executable, "-m", "speechroute", "check", *sys.argv[2:]]
            code = subprocess.run(command, env=environment, timeout=60).returncode
    sys.exit(code)


if __name__ == "__main__":
    main()

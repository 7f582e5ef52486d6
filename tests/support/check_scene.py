"""``speechroute check`` where addresses lead nowhere, in a network namespace that this makes.

python check_scene.py NETWORK ARGUMENTS: prints what the command printed, and ends as it did.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from command_fork import become_speechroute
from namespace import bind_over, bring_up_loopback
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS

_CLONE_NEWNS, _CLONE_NEWUSER, _CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000  # linux/sched.h
_MS_REC, _MS_PRIVATE = 0x4000, 0x40000  # linux/mount.h
_PATIENCE_S = 60


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


SILENT = "127.0.0.2\noptions timeout:1 attempts:1"
"""Answers come from 127.0.0.1, so nobody takes them; the system gives up after a second."""
EVERYWHERE = (PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)
NETWORKS = {
    "sound": Network(EVERYWHERE),
    "stale record": Network((GATEWAY_ADDRESS,), service_state="removed"),
    "black hole": Network(EVERYWHERE, doors="127.0.0.1", swallows=True),
    "no way": Network((GATEWAY_ADDRESS,)),
    "firewall": Network((), dns_state="removed", service_state="removed"),
    "nowhere": Network(()),
    "other resolver, no way out": Network((), nameserver=SILENT),
    "public hosts file": Network(EVERYWHERE, f"{VNET_PROXY_ADDRESS} {{}}"),
    "hosts file, late DNS": Network(EVERYWHERE, f"{PRIVATE_ADDRESS} {{}}", "proxy", "removed"),
    "late DNS": Network(EVERYWHERE, service_state="removed"),
    "other resolver": Network(EVERYWHERE, nameserver=SILENT),
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


def _enter_namespaces() -> None:
    """What ``unshare -n -m`` does, and ``unshare -r -n -m`` for others than root."""
    libc, user, group = ctypes.CDLL(None, use_errno=True), os.geteuid(), os.getegid()
    wanted = _CLONE_NEWNET | _CLONE_NEWNS | (_CLONE_NEWUSER if user else 0)
    if libc.unshare(wanted):
        raise OSError(ctypes.get_errno(), "unshare")
    if user:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
    if libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None):
        raise OSError(ctypes.get_errno(), "mount")


def main() -> None:
    network = NETWORKS[sys.argv[1]]
    _enter_namespaces()
    bring_up_loopback(*network.addresses)
    reader, writer = map(os.fdopen, os.pipe(), "rw")
    command = os.fork()  # before the emulator has threads
    if not command:
        writer.close()
        signal.alarm(_PATIENCE_S)
        os.environ.update(json.load(reader))
        become_speechroute("check", *sys.argv[2:])
    with contextlib.ExitStack() as stack:
        if network.swallows:
            stack.enter_context(_black_hole())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        bind_over("/etc/resolv.conf", f"nameserver {network.nameserver}\n", folder)
        emulator = stack.enter_context(Emulator(address=network.doors, dns_port=53, https_port=443))
        hosts = network.hosts.format(emulator.custom_domain)
        bind_over("/etc/hosts", f"127.0.0.1 localhost\n{hosts}\n", folder)
        emulator.dns_state = network.dns_state
        emulator.service_state = network.service_state
        environment = {
            "SPEECH_KEY": emulator.key,
            "SPEECH_ENDPOINT": emulator.custom_domain,
            "SPEECH_REGION": emulator.region,
            "SPEECH_DNS_SERVERS": "127.0.0.1",
            "SSL_CERT_FILE": str(emulator.ca_file),
            **{name: text for name, text in os.environ.items() if name.startswith("SPEECH_")},
        }
        with writer:
            json.dump(environment, writer)
        code = os.waitstatus_to_exitcode(os.waitpid(command, 0)[1])
    sys.exit(code)


if __name__ == "__main__":
    main()

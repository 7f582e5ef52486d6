"""Runs inside ``unshare -n -m``: recognises a file in every state with nothing but system DNS.

Ports 53 and 443, the system's own resolver, production host names; no proxy, and no setting
beyond key and endpoint. Prints one JSON object: state to what the sample printed.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS

_SIOCSIFADDR, _SIOCSIFFLAGS = 0x8916, 0x8914  # linux/sockios.h
_IFF_UP = 1


def _interface_request(request: int, name: str, value: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        fcntl.ioctl(sock, request, struct.pack("16s", name.encode()) + value.ljust(24, b"\0"))


def _bring_up_loopback() -> None:
    _interface_request(_SIOCSIFFLAGS, "lo", struct.pack("h", _IFF_UP))
    for number, address in enumerate((PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)):
        value = struct.pack("HH4s", socket.AF_INET, 0, socket.inet_aton(address))
        _interface_request(_SIOCSIFADDR, f"lo:{number}", value)


def _bind_over(path: str, text: str, folder: str) -> None:
    file = Path(folder) / Path(path).name
    file.write_text(text)
    subprocess.run(["mount", "--bind", str(file), path], check=True)


def _recognise(emulator: Emulator, sample: str) -> str:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment = {
        **kept,
        "SPEECH_KEY": emulator.key,
        "SPEECH_ENDPOINT": emulator.custom_domain,
        "SSL_CERT_FILE": str(emulator.ca_file),
    }
    done = subprocess.run(
        [sys.executable, sample], env=environment, capture_output=True, text=True, timeout=60
    )
    return (done.stdout + done.stderr).strip()


def main() -> None:
    _bring_up_loopback()
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        _bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)
        _bind_over("/etc/hosts", "127.0.0.1 localhost\n", folder)
        with Emulator(address="0.0.0.0", dns_port=53, https_port=443) as emulator:
            for state in ("vnet", "proxy", "removed"):
                emulator.state = state
                results[state] = _recognise(emulator, sys.argv[1])
    print(json.dumps(results))


if __name__ == "__main__":
    main()

"""Runs inside ``unshare -n -m``: recognises a file in every state with nothing but system DNS.

Ports 53 and 443, the system's own resolver, production host names; no proxy, and no setting
beyond key and endpoint. Prints one JSON object: state to what the sample printed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile

from namespace import bind_over, bring_up_loopback
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS


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
    bring_up_loopback(PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)
        bind_over("/etc/hosts", "127.0.0.1 localhost\n", folder)
        with Emulator(address="0.0.0.0", dns_port=53, https_port=443) as emulator:
            for state in ("vnet", "proxy", "removed"):
                emulator.state = state
                results[state] = _recognise(emulator, sys.argv[1])
    print(json.dumps(results))


if __name__ == "__main__":
    main()

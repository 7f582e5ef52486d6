"""Runs inside ``unshare -n -m``: each kind of credential on each route, without a proxy.

Prints one JSON object: the tunnels, and for each state and kind the clients' errors and which
credentials reached the doors.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile

from namespace import bind_over, bring_up_loopback
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS
from token_service import token_service


def main() -> None:
    bring_up_loopback(PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)
    results: dict[str, dict[str, dict[str, object]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)
        bind_over("/etc/hosts", "127.0.0.1 localhost\n", folder)
        with (
            Emulator(address="0.0.0.0", dns_port=53, https_port=443) as emulator,
            token_service(emulator.tokens) as service,
        ):
            os.environ.update(service.environment)
            os.environ["SSL_CERT_FILE"] = str(emulator.ca_file)
            os.environ["SPEECH_ENDPOINT"] = emulator.custom_domain
            os.environ["SPEECH_RESOURCE_ID"] = emulator.resource_id
            from credentials import KINDS, ask_every_client

            for state in ("vnet", "removed"):
                results[state] = {}
                for kind in KINDS:
                    outcomes, requests = ask_every_client(kind, state, emulator)
                    results[state][kind] = {
                        "errors": {client: outcome.error for client, outcome in outcomes.items()},
                        "credentials": sorted({request.credential for request in requests}),
                        "all asked": len(requests) >= len(outcomes),
                    }
            tunnels = list(emulator.tunnels)
    json.dump({"tunnels": tunnels, "results": results}, sys.stdout)


if __name__ == "__main__":
    main()

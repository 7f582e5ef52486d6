"""Runs inside ``unshare -n -m``: what is decided with the system's resolver in one scene.

Prints one JSON object: the row and what the system's resolver said, or the error.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from namespace import bind_over, bring_up_loopback
from real_dns import SCENES, SYSTEM_SCENES, resolver
from speechroute import SpeechRouteError, SpeechSettings, resolve


def main() -> None:
    scene = {**SCENES, **SYSTEM_SCENES}[sys.argv[1]]
    bring_up_loopback()
    with tempfile.TemporaryDirectory() as folder:
        bind_over("/etc/resolv.conf", scene.resolv_conf, folder)
        bind_over("/etc/hosts", "\n".join(["127.0.0.1 localhost", *scene.hosts, ""]), folder)
        servers = Path(folder) / "servers"
        servers.mkdir()
        with resolver(scene, servers, port=53):
            settings = SpeechSettings(
                key="any", endpoint=scene.custom_domain, region=scene.region or None
            )
            try:
                route = resolve(settings)
            except SpeechRouteError as error:
                print(json.dumps({"error": type(error).__name__}))
                return
    system = route.evidence.system if route.evidence else None
    addresses = [str(address) for address in system.addresses] if system else []
    print(json.dumps({"row": route.row.id, "system": addresses}))


if __name__ == "__main__":
    main()

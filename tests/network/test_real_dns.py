"""Each DNS state with real servers: BIND and Unbound, asked directly and as the system's own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from places import SUPPORT
from real_dns import SCENES, SYSTEM_SCENES, resolver
from speechroute import SpeechSettings, resolve
from speechroute.errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    RouteUndecided,
)
from unshare import UNSHARE, needs_namespaces

ERRORS = {
    "undecided": RouteUndecided,
    "other-cloud": RouteUndecided,
    "private-record-missing": PrivateDnsRecordMissing,
    "custom-domain-missing": CustomDomainNotFound,
    "dns-unavailable": DnsUnavailable,
}


@pytest.mark.parametrize("name", SCENES)
def test_the_right_row_decides_with_named_servers(name: str, tmp_path: Path) -> None:
    scene = SCENES[name]
    with resolver(scene, tmp_path) as server:
        settings = SpeechSettings(
            key="any",
            endpoint=scene.custom_domain,
            region=scene.region or None,
            dns_servers=server,
            # A named proxy resolves the names itself, so nothing else is asked here.
            proxy="http://127.0.0.1:1",
        )
        if scene.row in ERRORS:
            with pytest.raises(ERRORS[scene.row]):
                resolve(settings)
        else:
            assert resolve(settings).row.id == scene.row


@needs_namespaces
@pytest.mark.parametrize("name", [*SCENES, *SYSTEM_SCENES])
def test_the_right_row_decides_with_the_systems_resolver(name: str) -> None:
    script = str(SUPPORT / "namespace_dns.py")
    done = subprocess.run(
        [*UNSHARE, sys.executable, script, name], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    scene = {**SCENES, **SYSTEM_SCENES}[name]
    if scene.row in ERRORS:
        assert document == {"error": ERRORS[scene.row].__name__}
    else:
        assert document["row"] == scene.row
        assert document["system"] != []

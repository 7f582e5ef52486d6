"""End to end with the system's own resolver and ports 53 and 443, in a network namespace."""

from __future__ import annotations

import json
import subprocess
import sys

from places import SUPPORT, WAV
from unshare import UNSHARE, needs_namespaces


@needs_namespaces
def test_key_and_endpoint_are_enough_with_system_dns_and_no_proxy() -> None:
    sample = WAV.with_name("recognize_file.py")
    command = [*UNSHARE, sys.executable, str(SUPPORT / "namespace_scene.py"), str(sample)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    heard = json.loads(done.stdout)
    private = "the private endpoint my-private-link-speech.cognitiveservices.azure.com."
    assert heard["vnet"].endswith(private)
    assert heard["proxy"].endswith(private)
    assert heard["removed"].endswith("the regional host westeurope.stt.speech.microsoft.com.")

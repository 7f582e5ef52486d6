"""Runs inside ``unshare -n -m``: one framework's sample in every state, and what it gets by hand.

Ports 53 and 443, the system's own resolver, production host names; no proxy. Prints one JSON
object: the versions of the framework's packages; for each state what the sample printed and what
it asked for; the same with a wrong key; and the same for the framework without speechroute,
configured for one door as its documentation says, in the state where the other one is right.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from namespace import bind_over, bring_up_loopback
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, PRIVATE_ADDRESS, VNET_PROXY_ADDRESS

HERE = Path(__file__).parent
SAMPLES = HERE.parents[1] / "samples" / "frameworks"


class Framework(NamedTuple):
    """What a sample is about.

    Attributes:
        packages: the names of the distributions.
        functions: of the sample; each takes the framework's arguments.
        by_region: those for a resource without private endpoints, as documented.
        by_domain: those for one with private endpoints, if the framework knows of such.
    """

    packages: tuple[str, ...]
    functions: tuple[str, ...]
    by_region: dict[str, str]
    by_domain: dict[str, str]


LIVEKIT, PIPECAT = ("livekit-agents", "livekit-plugins-azure"), ("pipecat-ai",)
FRAMEWORKS = {
    "livekit_stt": Framework(
        LIVEKIT,
        ("recognise",),
        {"speech_key": "{key}", "speech_region": "{region}"},
        {"speech_key": "{key}", "speech_endpoint": "https://{domain}/"},
    ),
    "livekit_tts": Framework(
        LIVEKIT,
        ("speak",),
        {"speech_key": "{key}", "speech_region": "{region}"},
        {
            "speech_key": "{key}",
            "speech_endpoint": "https://{domain}/tts/cognitiveservices/v1",
        },
    ),
    "pipecat_stt": Framework(
        PIPECAT,
        ("recognise",),
        {"api_key": "{key}", "region": "{region}"},
        {"api_key": "{key}", "private_endpoint": "https://{domain}/"},
    ),
    "pipecat_tts": Framework(
        PIPECAT,
        ("speak",),
        {"api_key": "{key}", "region": "{region}"},
        {"api_key": "{key}", "private_endpoint": "https://{domain}/"},
    ),
    "langchain_azure_ai_tools": Framework(
        ("langchain-azure-ai",),
        ("speak", "recognise"),
        {"credential": "{key}", "endpoint": "https://{region}.api.cognitive.microsoft.com/"},
        {"credential": "{key}", "endpoint": "https://{domain}/"},
    ),
    "langchain_community_tools": Framework(
        ("langchain-community",),
        ("speak", "recognise"),
        {"azure_ai_services_key": "{key}", "azure_ai_services_region": "{region}"},
        {},
    ),
}


def _run(emulator: Emulator, *command: str, **environment: str) -> dict[str, Any]:
    before = len(emulator.requests)
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    return {
        "code": done.returncode,
        "printed": done.stdout,
        "errors": done.stderr,
        "asked": [(each.host, each.path, each.status) for each in emulator.requests[before:]],
    }


def _scene(name: str, emulator: Emulator) -> dict[str, Any]:
    framework, sample = FRAMEWORKS[name], str(SAMPLES / f"{name}.py")
    settings = {
        "SPEECH_KEY": emulator.key,
        "SPEECH_ENDPOINT": emulator.custom_domain,
        "SPEECH_REGION": emulator.region,
    }
    states = {}
    for state in ("vnet", "proxy", "removed"):
        emulator.state = state
        states[state] = _run(emulator, sample, **settings)
    refused = _run(emulator, sample, **{**settings, "SPEECH_KEY": "wrong"})
    names = {"key": emulator.key, "region": emulator.region, "domain": emulator.custom_domain}
    by_hand: dict[str, dict[str, Any]] = {"vnet": {}, "removed": {}}
    for state, given in (("vnet", framework.by_region), ("removed", framework.by_domain)):
        emulator.state = state
        arguments = json.dumps({name: value.format(**names) for name, value in given.items()})
        for function in framework.functions if given else ():
            script = str(HERE / "frameworks_by_hand.py")
            by_hand[state][function] = _run(emulator, script, sample, function, arguments)
    return {
        "versions": {each: importlib.metadata.version(each) for each in framework.packages},
        "states": states,
        "refused": refused,
        "by_hand": by_hand,
    }


def main() -> None:
    bring_up_loopback(PRIVATE_ADDRESS, VNET_PROXY_ADDRESS, GATEWAY_ADDRESS)
    with tempfile.TemporaryDirectory() as folder:
        bind_over("/etc/resolv.conf", "nameserver 127.0.0.1\n", folder)
        bind_over("/etc/hosts", "127.0.0.1 localhost\n", folder)
        with Emulator(address="0.0.0.0", dns_port=53, https_port=443) as emulator:
            os.environ["SSL_CERT_FILE"] = str(emulator.ca_file)
            results = _scene(sys.argv[1], emulator)
    json.dump(results, sys.stdout)


if __name__ == "__main__":
    main()

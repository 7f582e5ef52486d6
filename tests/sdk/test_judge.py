"""The SDK as the judge: what it opens with a region and with an endpoint are each other's URLs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest

from places import OLDEST_SDK, SUPPORT
from sdk_urls import ID
from sdks import SDKS, floor
from speechroute import Offering, SpeechConfigFactory, SpeechSettings, urls
from speechroute._doctor.doors import doors_of
from speechroute.emulator import Emulator

REGION = "westeurope"
WEBSOCKET_CLIENTS = (
    "recognize_once",
    "continuous",
    "dictation",
    "auto_detect",
    "source_language",
    "endpoint_id",
    "pronunciation",
    "translation",
    "transcription",
    "synthesis",
    "custom_voice",
    "text_stream",
)


def run(sdk: str, emulator: Emulator, configs: dict[str, dict[str, str]]) -> dict[str, list[str]]:
    """What each client of one SDK opens; nothing leaves the emulator."""
    environment = {**os.environ, **emulator.environment}
    if sdk == "oldest":
        assert OLDEST_SDK.is_dir(), "the oldest SDK is not there: run sh .ci/setup dev"
        environment["PYTHONPATH"] = str(OLDEST_SDK)
    port = emulator.proxy_url.rpartition(":")[2]
    with TemporaryDirectory() as folder:
        command = [sys.executable, str(SUPPORT / "sdk_urls.py")]
        done = subprocess.run(
            [*command, folder, port, json.dumps(configs)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=110,
        )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    if sdk == "oldest":
        assert document["version"] == floor()
    opened: dict[str, list[str]] = document["opened"]
    return opened


def for_every_offering(**door: str) -> dict[str, dict[str, str]]:
    return dict.fromkeys(Offering, door)


@pytest.fixture(scope="module")
def verdicts(session_emulator: Emulator) -> Any:
    """What each SDK opens by region and by endpoint: asked once, side by side."""
    session_emulator.state = "vnet"
    doors = {
        "region": {"region": REGION},
        "endpoint": {"endpoint": f"https://{session_emulator.custom_domain}/"},
    }
    with ThreadPoolExecutor() as pool:
        opened = {
            (sdk, door): pool.submit(run, sdk, session_emulator, for_every_offering(**doors[door]))
            for sdk in SDKS
            for door in doors
        }
    return lambda sdk, door: opened[sdk, door].result()


@pytest.mark.parametrize("client", WEBSOCKET_CLIENTS)
@pytest.mark.parametrize("sdk", SDKS)
def test_converting_what_a_region_opens_gives_what_the_endpoint_opens_and_back(
    sdk: str, client: str, verdicts: Any, session_emulator: Emulator
) -> None:
    (regional,) = verdicts(sdk, "region")[client]
    (private,) = verdicts(sdk, "endpoint")[client]
    assert urls.to_private(regional, session_emulator.custom_domain) == private
    assert urls.to_regional(private, REGION) == regional
    assert urls.to_private(private, session_emulator.custom_domain) == private
    assert urls.to_regional(regional, REGION) == regional


def test_every_client_of_the_script_is_judged(verdicts: Any) -> None:
    opened = verdicts("newest", "region")
    assert set(opened) == {*WEBSOCKET_CLIENTS, "voices_list"}


class Cloud(NamedTuple):
    custom_domain: str
    region: str
    api: str


CLOUDS = {
    "government": Cloud(
        "my-speech.cognitiveservices.azure.us",
        "usgovvirginia",
        "api.cognitive.microsoft.us",
    ),
    "china": Cloud(
        "my-speech.cognitiveservices.azure.cn",
        "chinanorth3",
        "api.cognitive.azure.cn",
    ),
}
TOLD_BY_CHECK = {
    "recognition": "recognize_once",
    "translation": "translation",
    "transcription": "transcription",
    "synthesis": "synthesis",
    "custom voice": "custom_voice",
}


def hosts(opened: dict[str, list[str]], emulator: Emulator) -> dict[str, set[str]]:
    """The hosts of each client, from the SDK's log; of the voices list, from the proxy."""
    found = {
        client: {url.split("/")[2].partition(":")[0] for url in opened[client]}
        for client in WEBSOCKET_CLIENTS
    }
    tunnels = [target.rpartition(":")[0] for target in emulator.tunnels]
    return {**found, "voices_list": {tunnels[-1]}}


@pytest.mark.parametrize("cloud", CLOUDS)
def test_in_other_clouds_every_client_opens_the_right_cloud_with_speechroute_only(
    cloud: str,
) -> None:
    custom_domain, region, api = CLOUDS[cloud]
    make = partial(Emulator, custom_domain=custom_domain, region=region)
    with make("removed") as emulator:
        settings = SpeechSettings(
            key=emulator.key,
            endpoint=custom_domain,
            dns_servers=emulator.dns_server,
            proxy=emulator.proxy_url,
        )
        factory = SpeechConfigFactory(settings)
        route = factory.route()
        assert (route.region, route.cloud) == (region, cloud)
        emulator.state = "vnet"
        factory.invalidate()
        private = factory.route().sdk_kwargs("stt")

    def opened(
        sdk: str, state: str, configs: dict[str, dict[str, str]]
    ) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
        with make(state) as emulator:
            urls_of = run(sdk, emulator, configs)
            return urls_of, hosts(urls_of, emulator)

    regional = {offering: route.sdk_kwargs(offering) for offering in Offering}
    with ThreadPoolExecutor() as pool:
        (found, right), (found_by_oldest, _), (_, through_custom_domain), (_, by_hand) = pool.map(
            opened,
            ("newest", "oldest", "newest", "newest"),
            ("removed", "removed", "vnet", "vnet"),
            (
                regional,
                regional,
                for_every_offering(**private),
                for_every_offering(region=region),
            ),
        )
    assert right == {client: {f"{region}.{api}"} for client in right}
    assert found == found_by_oldest
    told = {door.client: door.url for door in doors_of(route, settings)}
    for client, opening in TOLD_BY_CHECK.items():
        assert [told[client].replace("DEPLOYMENT", ID)] == [
            url.replace(":443/", "/") for url in found[opening]
        ]
    assert urlsplit(told["voices list"]).hostname == f"{region}.{api}"
    assert set().union(*through_custom_domain.values()) == {custom_domain}
    wrong = {c for c, found in by_hand.items() if any("microsoft.com" in host for host in found)}
    # Measured, 1.53: the region table knows no Government, and only part of China.
    assert wrong == (set(by_hand) if cloud == "government" else {"transcription", "voices_list"})

"""Which proxy a connection goes through, why, and what DNS knows behind one."""

from __future__ import annotations

import json
import os
import socket
from functools import partial
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from clients import CLIENTS
from commands import run
from speechroute import SpeechConfigFactory
from speechroute._network.observe import observe
from speechroute._network.proxy import choose_proxy
from speechroute.emulator import Emulator
from speechroute.errors import CustomDomainNotFound, DnsUnavailable, RoutingError

HOST = "westeurope.stt.speech.microsoft.com"


UNKNOWN = """
import socket
def getaddrinfo(*_, **__):
    raise socket.gaierror(socket.EAI_NONAME, "nobody is asked")
socket.getaddrinfo = getaddrinfo
"""


def _unknown(*_: object) -> list[tuple[Any, ...]]:
    raise socket.gaierror(socket.EAI_NONAME, "nobody is asked")


# Behind a proxy of the environment the system's resolver is asked too, which is not on loopback.
Factory = partial(SpeechConfigFactory, observe=partial(observe, getaddrinfo=_unknown))


@pytest.fixture
def behind_a_proxy(emulated: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Emulator:
    """The emulator as the proxy of the environment, as companies set it."""
    (tmp_path / "sitecustomize.py").write_text(UNKNOWN)
    path = os.pathsep.join(filter(None, [str(tmp_path), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)
    monkeypatch.delenv("SPEECH_PROXY")
    monkeypatch.setenv("HTTPS_PROXY", emulated.proxy_url)
    return emulated


@pytest.mark.parametrize("state", ["proxy", "removed"])
def test_what_lies_outside_is_reached_through_the_proxy_of_the_environment(
    state: str, behind_a_proxy: Emulator
) -> None:
    behind_a_proxy.state = state
    before = len(behind_a_proxy.tunnels)
    assert CLIENTS["recognize_once"](Factory().speech_config()).error == ""
    assert len(behind_a_proxy.tunnels) > before


def test_a_private_address_is_reached_without_it(behind_a_proxy: Emulator) -> None:
    host = speechsdk.PropertyId.SpeechServiceConnection_ProxyHostName
    assert Factory().speech_config().get_property(host) == ""
    outright = Factory().speech_config(proxy=behind_a_proxy.proxy_url)
    assert outright.get_property(host) == "127.0.0.1"


@pytest.mark.parametrize(
    ("setting", "environment", "is_direct", "expected"),
    [
        ("none", {"HTTPS_PROXY": "http://p:1"}, False, (None, "SPEECH_PROXY=none")),
        ("http://q:2", {"HTTPS_PROXY": "http://p:1"}, True, ("q:2", "SPEECH_PROXY names it")),
        ("env", {}, False, (None, "HTTPS_PROXY is not set")),
        ("env", {"HTTPS_PROXY": "http://me:s3cret@p:1"}, False, ("p:1", "HTTPS_PROXY names it")),
        (
            "env",
            {"HTTPS_PROXY": "http://p:1"},
            True,
            (None, "the host is in this network, HTTPS_PROXY leads out of it"),
        ),
        (
            "env",
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".microsoft.com"},
            False,
            (None, "NO_PROXY covers the host"),
        ),
        (
            "env",
            {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"},
            False,
            (None, "NO_PROXY covers the host"),
        ),
    ],
)
def test_each_choice_has_its_reason(
    setting: str,
    environment: dict[str, str],
    is_direct: bool,
    expected: tuple[str | None, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    proxy, reason = choose_proxy(setting, HOST, is_direct=is_direct)
    assert (proxy and str(proxy), reason) == expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1"])
def test_no_proxy_gets_what_is_meant_for_this_machine(host: str) -> None:
    choice = choose_proxy("http://proxy.example:8080", host, is_direct=False)
    assert choice == (None, "the host is this machine")


@pytest.mark.parametrize("state", ["vnet", "removed"])
def test_check_says_which_proxy_is_used_and_why(state: str, behind_a_proxy: Emulator) -> None:
    behind_a_proxy.state = state
    proxy = behind_a_proxy.proxy_url.removeprefix("http://")
    expected = {
        "vnet": "none (the host is in this network, HTTPS_PROXY leads out of it)",
        "removed": f"{proxy} (HTTPS_PROXY names it)",
    }[state]
    doors = json.loads(run("check", "--json").stdout)["doors"]
    assert {f"{door['proxy'] or 'none'} ({door['proxy_reason']})" for door in doors} == {expected}
    way = expected.replace("none", "no proxy") if state == "vnet" else f"proxy {expected}"
    assert way in run("check").stdout


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"SPEECH_ENDPOINT": "no-such-name"}, CustomDomainNotFound),
        ({"SPEECH_DNS_SERVERS": "127.0.0.1:9", "SPEECH_DNS_TIMEOUT": "0.3"}, DnsUnavailable),
    ],
)
def test_where_only_the_proxy_knows_public_names_the_way_out_is_told(
    variables: dict[str, str],
    error: type[RoutingError],
    behind_a_proxy: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(error) as caught:
        Factory().route()
    assert "SPEECH_PRIVATE_ENDPOINT=no and SPEECH_REGION" in str(caught.value)
    assert caught.value.name
    monkeypatch.setenv("SPEECH_PROXY", "none")
    with pytest.raises(error) as caught:
        Factory().route()
    assert "A proxy is set" not in str(caught.value)

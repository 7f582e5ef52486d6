"""The proxy on the way to a door."""

from __future__ import annotations

import pytest

from speechroute._network.proxy import Proxy, choose_proxy, resolves_names
from speechroute.errors import SettingsError

HOST = "westeurope.stt.speech.microsoft.com"


def choose(setting: str, *, host: str = HOST, is_direct: bool = False) -> Proxy | None:
    return choose_proxy(setting, host, is_direct=is_direct).proxy


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy"])
def test_the_proxy_of_the_environment_is_used(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert choose("env") is None
    monkeypatch.setenv(variable, "http://proxy.example:8080")
    assert choose("env") == Proxy("proxy.example", 8080)


def test_a_proxy_for_plain_http_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:8080")
    assert choose("env") is None


def test_the_environment_may_leave_out_the_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "me:pw@proxy.example:8080")
    assert choose("env") == Proxy("proxy.example", 8080, "me", "pw")


NO_PROXY = {
    "suffix": ("speech.microsoft.com", True),
    "suffix-with-dot": (".speech.microsoft.com", True),
    "host": (HOST, True),
    "one-of-several": ("localhost, speech.microsoft.com", True),
    "all": ("*", True),
    "other-suffix": ("cognitiveservices.azure.com", False),
    "part-of-a-label": ("peech.microsoft.com", False),
    "empty": ("", False),
}


@pytest.mark.parametrize(("no_proxy", "passed_by"), NO_PROXY.values(), ids=NO_PROXY)
def test_the_environment_may_name_hosts_without_proxy(
    monkeypatch: pytest.MonkeyPatch, no_proxy: str, passed_by: bool
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", no_proxy)
    assert (choose("env") is None) is passed_by


def test_a_direct_route_passes_the_proxy_of_the_environment_by(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    assert choose("env", is_direct=True) is None


def test_a_proxy_named_outright_is_used_on_any_route(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv("NO_PROXY", "*")
    for is_direct in (False, True):
        found = choose("http://other.example:3128", is_direct=is_direct)
        assert found == Proxy("other.example", 3128)


def test_none_is_none_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    assert choose("none") is None


CREDENTIALS = {
    "both": ("http://me:pw@proxy:1", Proxy("proxy", 1, "me", "pw")),
    "user-only": ("http://me@proxy:1", Proxy("proxy", 1, "me", None)),
    "empty-password": ("http://me:@proxy:1", Proxy("proxy", 1, "me", None)),
    "percent-encoded": (
        "http://corp%5Cme:p%40ss%3Aw%2Frd%25@proxy:1",
        Proxy("proxy", 1, "corp\\me", "p@ss:w/rd%"),
    ),
    "not-ascii": ("http://m%C3%BC:%C3%A4@proxy:1", Proxy("proxy", 1, "mü", "ä")),
    "plus-is-no-space": ("http://a+b:c+d@proxy:1", Proxy("proxy", 1, "a+b", "c+d")),
    "ipv6": ("http://me:pw@[fd00::8]:3128", Proxy("fd00::8", 3128, "me", "pw")),
    "slash": ("http://me:pw@proxy:1/", Proxy("proxy", 1, "me", "pw")),
}


@pytest.mark.parametrize("from_environment", [False, True], ids=["setting", "environment"])
@pytest.mark.parametrize(("url", "proxy"), CREDENTIALS.values(), ids=CREDENTIALS)
def test_credentials_are_taken_out_of_the_url(
    monkeypatch: pytest.MonkeyPatch, url: str, proxy: Proxy, from_environment: bool
) -> None:
    if from_environment:
        monkeypatch.setenv("HTTPS_PROXY", url)
    assert choose("env" if from_environment else url) == proxy


def test_a_proxy_does_not_show_its_password() -> None:
    proxy = choose("http://me:s3cret@proxy:1")
    assert proxy is not None
    assert proxy.password == "s3cret"
    assert "s3cret" not in repr(proxy)


UNUSABLE = {
    "https": "https://me:s3cret@proxy.example:443",
    "socks": "socks5://me:s3cret@proxy.example:1080",
    "no-port": "http://me:s3cret@proxy.example",
    "no-host": "http://me:s3cret@:8080",
    "port-out-of-range": "http://me:s3cret@proxy.example:65536",
    "path": "http://me:s3cret@proxy.example:8080/path",
    "word": "s3cret",
}
unusable = pytest.mark.parametrize("url", UNUSABLE.values(), ids=UNUSABLE)


@unusable
def test_a_proxy_that_the_sdk_cannot_use_is_a_problem_of_the_environment(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    match = "HTTPS_PROXY is .*, expected .*http://proxy.example:8080.*set SPEECH_PROXY"
    with pytest.raises(SettingsError, match=match) as caught:
        choose("env")
    assert [problem.variable for problem in caught.value.problems] == ["HTTPS_PROXY"]
    assert "s3cret" not in str(caught.value)


@unusable
def test_a_proxy_that_is_not_needed_is_no_problem(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", url)
    assert choose("none") is None
    assert choose("env", is_direct=True) is None
    monkeypatch.setenv("NO_PROXY", "speech.microsoft.com")
    assert choose("env") is None


@pytest.mark.parametrize(
    ("setting", "does"),
    [("env", False), ("none", False), ("http://proxy.example:8080", True)],
    ids=["env", "none", "url"],
)
def test_only_a_proxy_named_outright_resolves_names(setting: str, does: bool) -> None:
    assert resolves_names(setting) is does

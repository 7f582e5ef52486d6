"""One canary key, searched for wherever text or bytes of this library come out."""

from __future__ import annotations

import io
import json
import logging
import pickle
import subprocess
from collections.abc import Callable, Iterator

import pytest

from forks import FORKS
from places import SPEECHROUTE
from revealed import everything_about
from speechroute import SpeechConfigFactory, SpeechRouteError, SpeechSettings, urls
from speechroute.emulator import Emulator
from speechroute.errors import SettingsError, UnsupportedUrl

KEY = "canary0123456789abcdef0123456789"
C = "my-speech.cognitiveservices.azure.com"


BAD_SETTINGS = {
    "key in the endpoint": {"key": KEY, "endpoint": KEY},
    "key in the region": {"key": KEY, "region": KEY},
    "key in a choice": {"key": KEY, "endpoint": C, "private_endpoint": KEY},
    "key in the user info": {"key": KEY, "endpoint": f"https://{KEY}@{C}/"},
    "key in the query": {"key": KEY, "url": f"https://example.com/?subscription-key={KEY}"},
    "key in the path": {"key": KEY, "url": f"https://example.com/{KEY}"},
    "key as host": {"key": KEY, "endpoint": f"https://{KEY}/"},
    "key in the timeout": {"key": KEY, "endpoint": C, "dns_timeout": KEY},
    "key in the servers": {"key": KEY, "endpoint": C, "dns_servers": f"10.0.0.1,{KEY}"},
    "key in the proxy": {"key": KEY, "endpoint": C, "proxy": f"socks5://u:{KEY}@h:1"},
    "another setting is wrong": {"key": KEY, "endpoint": C, "region": "west.europe"},
    "key with a space": {"key": f"{KEY} {KEY}", "endpoint": C},
    "contradiction": {"key": KEY, "endpoint": C, "region": "usgovvirginia"},
    "two names too many": {"key": KEY, "endpoint": C, "url": f"wss://x.{C}/stt/y"},
}


@pytest.mark.parametrize("case", BAD_SETTINGS)
def test_no_settings_error_holds_the_key(case: str) -> None:
    with pytest.raises(SpeechRouteError) as raised:
        SpeechSettings(**BAD_SETTINGS[case])
    assert KEY not in everything_about(raised.value)
    assert KEY.encode() not in pickle.dumps(raised.value)
    assert pickle.loads(pickle.dumps(raised.value)).problems == raised.value.problems  # type: ignore[attr-defined]


def routing_failures(emulator: Emulator) -> Iterator[Callable[[], object]]:
    base = {"key": KEY, "dns_servers": emulator.dns_server, "proxy": emulator.proxy_url}
    missing = SpeechConfigFactory(SpeechSettings(**base, endpoint="no-such-resource"))
    yield missing.speech_config
    dead = SpeechConfigFactory(
        SpeechSettings(**{**base, "dns_servers": "127.0.0.1:1"}, endpoint=C, dns_timeout=0.2)
    )
    yield dead.translation_config
    stt = SpeechConfigFactory(SpeechSettings(**base, endpoint=f"wss://{C}/stt/speech/x"))
    yield lambda: stt.speech_config("tts")
    yield lambda: stt.speech_config(region="west.europe")
    yield lambda: stt.speech_config(url="https://example.com/")


def other_failures() -> Iterator[Callable[[], object]]:
    factory = SpeechConfigFactory(SpeechSettings(key=KEY, region="westeurope", proxy="env"))
    yield lambda: factory.translation_config("de")
    yield lambda: factory.translation_config(5)  # type: ignore[arg-type]
    yield lambda: factory.translation_config([1])  # type: ignore[list-item]
    yield lambda: factory.speech_config("speech")
    yield lambda: factory.speech_config(langauge="de-DE")
    yield lambda: SpeechSettings(key=KEY, kye=KEY)


def test_no_other_failure_holds_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = list(other_failures())
    for call in failures:
        with pytest.raises((TypeError, ValueError)) as raised:
            call()
        assert KEY not in everything_about(raised.value)
    monkeypatch.setenv("HTTPS_PROXY", f"socks5://me:{KEY}@proxy.example:1")
    factory = SpeechConfigFactory(SpeechSettings(key=KEY, region="westeurope"))
    with pytest.raises(SettingsError, match="HTTPS_PROXY") as raised_too:
        factory.speech_config()
    assert KEY not in everything_about(raised_too.value)


@pytest.mark.parametrize(
    ("convert", "url", "target"),
    [
        (urls.to_private, f"https://{KEY}/", C),
        (urls.to_private, f"https://{C}/stt/x", KEY),
        (urls.to_regional, f"https://{C}/stt/x", f"{KEY}+"),
        (urls.to_regional, f"https://me:{KEY}@{C}/stt/x", "westeurope"),
    ],
)
def test_no_error_of_a_url_repeats_a_key_in_it(
    convert: Callable[[str, str], str], url: str, target: str
) -> None:
    with pytest.raises(UnsupportedUrl) as raised:
        convert(url, target)
    assert KEY not in f"{raised.value!r} {vars(raised.value)}"


def test_no_error_of_the_factory_holds_the_key(emulator: Emulator) -> None:
    count = 0
    for call in routing_failures(emulator):
        with pytest.raises(SpeechRouteError) as raised:
            call()
        assert KEY not in everything_about(raised.value)
        assert KEY.encode() not in pickle.dumps(raised.value)
        count += 1
    assert count == 5


def test_nothing_that_is_made_shows_the_key(emulator: Emulator) -> None:
    settings = SpeechSettings(
        key=KEY,
        endpoint=emulator.custom_domain,
        dns_servers=emulator.dns_server,
        proxy="http://me:canary-password@127.0.0.1:1",
    )
    factory = SpeechConfigFactory(settings)
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    level = logging.getLogger().level
    logging.getLogger().setLevel(logging.DEBUG)
    try:
        config = factory.speech_config()
        route = factory.route()
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(level)
    assert config.subscription_key == KEY
    shown = [repr(thing) + str(thing) for thing in (settings, factory, route, config)]
    shown += [settings.model_dump_json(), log.getvalue()]
    dumped = [pickle.dumps(thing) for thing in (settings, factory, route)]
    for secret in (KEY, "canary-password"):
        assert secret not in "".join(shown)
        assert all(secret.encode() not in data for data in dumped)


COMMANDS = (
    ["check"],
    ["check", "--json"],
    ["url", f"https://{C}/tts/x", "--json"],
    ["demo", "--json"],
)
Outputs = dict[tuple[str, bool], subprocess.CompletedProcess[str]]


def outputs_of_all(environment: dict[str, str]) -> Outputs:
    """Side by side: a demo takes 3 seconds, and does nothing in most of them."""
    cases = {
        (" ".join(arguments), wrong): (
            [SPEECHROUTE, *arguments],
            {**environment, "SPEECH_KEY": KEY, **({"SPEECH_REGION": KEY} if wrong else {})},
        )
        for arguments in COMMANDS
        for wrong in (False, True)
    }
    return dict(zip(cases, FORKS.run_all(cases.values()), strict=True))


@pytest.fixture(scope="module")
def outputs() -> Outputs:
    return {}


@pytest.mark.parametrize(
    "arguments", COMMANDS, ids=lambda arguments: " ".join(arguments[:1] + arguments[2:])
)
@pytest.mark.parametrize("wrong", [False, True], ids=["sound", "broken"])
def test_no_command_prints_the_key(
    arguments: list[str], wrong: bool, emulator: Emulator, outputs: Outputs
) -> None:
    if not outputs:
        outputs.update(outputs_of_all(emulator.environment))
    done = outputs[" ".join(arguments), wrong]
    assert KEY not in done.stdout + done.stderr
    if "--json" in arguments:
        json.loads(done.stdout)

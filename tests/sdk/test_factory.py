"""The factory: what it asks, what it keeps, and what it hands to the SDK."""

from __future__ import annotations

import asyncio
import inspect
import ipaddress
import os
import pickle
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings, resolve
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute.emulator import Emulator
from speechroute.errors import DnsUnavailable, SettingsError

C = "my-speech.cognitiveservices.azure.com"
KEY = "canary-key"
PROPERTY = speechsdk.PropertyId


@dataclass
class Observer:
    """Stands for the network: says what it is told to, and counts."""

    addresses: tuple[str, ...] = ("10.0.0.4",)
    ttl: int = 60
    failure: str = ""
    asked: list[dict[str, object]] = field(default_factory=list)

    def __call__(
        self,
        name: str,
        *,
        region_api_host: str | None,
        servers: Sequence[str],
        timeout: float,
        ask_system: bool,
    ) -> DnsView:
        self.asked.append(
            {"name": name, "region_api_host": region_api_host, "ask_system": ask_system}
        )
        if self.failure:
            return DnsView(Lookup((name,), (), None, Outcome.FAILED, self.failure))
        found = tuple(map(ipaddress.ip_address, self.addresses))
        return DnsView(Lookup((name,), found, self.ttl, Outcome.ANSWERED))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def settings(**values: object) -> SpeechSettings:
    return SpeechSettings(**{"key": KEY, "endpoint": C, "proxy": "none", **values})


def make(observer: Observer, clock: Clock | None = None, **values: Any) -> SpeechConfigFactory:
    return SpeechConfigFactory(settings(**values), observe=observer, clock=clock)


def test_a_private_route_gives_the_endpoint() -> None:
    config = make(Observer()).speech_config()
    assert config.get_property(PROPERTY.SpeechServiceConnection_Endpoint) == f"https://{C}/"
    assert config.get_property(PROPERTY.SpeechServiceConnection_Region) == ""
    assert config.subscription_key == KEY


def test_a_regional_route_gives_the_region() -> None:
    config = make(Observer(), private_endpoint="no", region="westeurope").speech_config()
    assert config.region == "westeurope"
    assert config.get_property(PROPERTY.SpeechServiceConnection_Endpoint) == ""


def test_settings_are_passed_on_to_the_config(tmp_path: object) -> None:
    factory = make(
        Observer(),
        language="de-DE",
        voice="de-DE-KatjaNeural",
        endpoint_id="abc",
        log_file=f"{tmp_path}/sdk.log",
        proxy="http://me:p%40ss@proxy.example:8080",
    )
    config = factory.speech_config()
    assert config.speech_recognition_language == "de-DE"
    assert config.speech_synthesis_language == "de-DE"
    assert config.speech_synthesis_voice_name == "de-DE-KatjaNeural"
    assert config.endpoint_id == "abc"
    assert config.get_property(PROPERTY.Speech_LogFilename) == f"{tmp_path}/sdk.log"
    expected = {
        PROPERTY.SpeechServiceConnection_ProxyHostName: "proxy.example",
        PROPERTY.SpeechServiceConnection_ProxyPort: "8080",
        PROPERTY.SpeechServiceConnection_ProxyUserName: "me",
        PROPERTY.SpeechServiceConnection_ProxyPassword: "p@ss",
    }
    assert {name: config.get_property(name) for name in expected} == expected


def test_nothing_is_passed_on_that_is_not_set() -> None:
    config = make(Observer()).speech_config()
    assert config.speech_recognition_language == ""
    assert config.speech_synthesis_voice_name == ""
    assert config.get_property(PROPERTY.SpeechServiceConnection_ProxyHostName) == ""


def test_translation_config_is_a_real_one_with_its_languages() -> None:
    config = make(Observer()).translation_config(["de", "fr"])
    assert isinstance(config, speechsdk.translation.SpeechTranslationConfig)
    assert tuple(config.target_languages) == ("de", "fr")
    assert config.get_property(PROPERTY.SpeechServiceConnection_Endpoint) == f"https://{C}/"


def test_a_full_url_in_the_endpoint_is_converted_for_the_route() -> None:
    url = f"wss://{C}/stt/speech/universal/v2?language=en-US"
    config = make(Observer(), endpoint=url).speech_config()
    assert config.get_property(PROPERTY.SpeechServiceConnection_Endpoint) == url
    regional = make(Observer(), endpoint=url, private_endpoint="no", region="westeurope")
    endpoint = regional.speech_config().get_property(PROPERTY.SpeechServiceConnection_Endpoint)
    expected = "wss://westeurope.stt.speech.microsoft.com/stt/speech/universal/v2?language=en-US"
    assert endpoint == expected


def test_a_url_of_another_offering_is_refused_before_anything_is_asked() -> None:
    observer = Observer()
    factory = make(observer, url=f"wss://{C}/stt/speech/universal/v2")
    with pytest.raises(SettingsError, match="SPEECH_URL is a URL of stt, expected a URL of tts"):
        factory.speech_config("tts")
    assert observer.asked == []


def test_a_url_given_for_a_call_is_as_good_as_the_setting() -> None:
    observer = Observer()
    factory = make(observer, endpoint=None, region="westeurope")
    config = factory.speech_config(url=f"wss://{C}/stt/speech/universal/v2")
    assert observer.asked[0]["name"] == C
    endpoint = config.get_property(PROPERTY.SpeechServiceConnection_Endpoint)
    assert endpoint == f"wss://{C}/stt/speech/universal/v2"


def test_overrides_hold_for_one_call() -> None:
    factory = make(Observer())
    assert factory.speech_config(language="fr-FR").speech_recognition_language == "fr-FR"
    assert factory.speech_config().speech_recognition_language == ""
    assert factory.route(private_endpoint="no", region="westus").kind is RouteKind.REGIONAL
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT


def test_an_override_that_does_not_exist_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="no setting 'langauge'"):
        make(Observer()).speech_config(langauge="fr-FR")


def test_invalidate_makes_the_next_call_look_again() -> None:
    observer = Observer()
    factory = make(observer)
    factory.route()
    factory.invalidate()
    factory.route()
    assert len(observer.asked) == 2


class Gate(Observer):
    """An observer that waits until it is let through."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self.entered, self.leave = threading.Semaphore(0), threading.Event()

    def __call__(self, name: str, **arguments: Any) -> DnsView:
        self.entered.release()
        assert self.leave.wait(30)
        return super().__call__(name, **arguments)


def in_threads(count: int, call: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_another_resource_does_not_wait() -> None:
    gate = Gate()
    factory = make(gate)
    threads = in_threads(1, factory.route)
    assert gate.entered.acquire(timeout=30)
    assert factory.route(private_endpoint="yes").kind is RouteKind.PRIVATE_ENDPOINT
    gate.leave.set()
    threads[0].join()


def test_a_route_that_was_invalidated_while_it_was_looked_for_is_not_kept() -> None:
    gate = Gate()
    factory = make(gate)
    threads = in_threads(1, factory.route)
    assert gate.entered.acquire(timeout=30)
    factory.invalidate()
    gate.leave.set()
    threads[0].join()
    factory.route()
    assert len(gate.asked) == 2


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_forked_during_an_observation_observes_for_itself() -> None:
    gate = Gate()
    factory = make(gate)
    threads = in_threads(1, factory.route)
    assert gate.entered.acquire(timeout=30)
    child = os.fork()
    if child == 0:
        gate.leave.set()
        os._exit(0 if factory.route().kind is RouteKind.PRIVATE_ENDPOINT else 1)
    _, status = os.waitpid(child, 0)
    gate.leave.set()
    threads[0].join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_failing_dns_is_an_error_and_is_asked_again() -> None:
    observer = Observer(failure="timed out")
    factory = make(observer)
    with pytest.raises(DnsUnavailable, match="timed out"):
        factory.speech_config()
    observer.failure = ""
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"endpoint": None, "region": "westeurope"}, id="no custom domain"),
        pytest.param({"private_endpoint": "yes"}, id="told yes"),
        pytest.param({"private_endpoint": "no", "region": "westeurope"}, id="told no"),
    ],
)
def test_nothing_is_asked_where_the_settings_decide(values: dict[str, Any]) -> None:
    observer = Observer()
    make(observer, **values).route()
    assert observer.asked == []


def test_the_system_is_not_asked_where_a_named_proxy_resolves_names() -> None:
    asked, not_asked = Observer(), Observer()
    make(asked, proxy="env").route()
    make(not_asked, proxy="http://proxy.example:8080").route()
    assert asked.asked[0]["ask_system"] is True
    assert not_asked.asked[0]["ask_system"] is False


def test_a_known_region_is_looked_up_for_comparison() -> None:
    observer = Observer()
    make(observer, region="westeurope").route()
    assert observer.asked[0]["region_api_host"] == "westeurope.api.cognitive.microsoft.com"


@pytest.mark.parametrize(
    ("endpoint", "region", "host"),
    [
        (
            "my.cognitiveservices.azure.us",
            "usgovvirginia",
            "usgovvirginia.api.cognitive.microsoft.us",
        ),
        ("my.cognitiveservices.azure.cn", "chinanorth3", "chinanorth3.api.cognitive.azure.cn"),
    ],
)
def test_regional_routes_of_other_clouds_are_the_endpoint_of_the_region(
    endpoint: str, region: str, host: str
) -> None:
    factory = make(Observer(), endpoint=endpoint, region=region, private_endpoint="no")
    for config in (
        factory.speech_config(),
        factory.speech_config("tts"),
        factory.translation_config(["de"]),
    ):
        found = config.get_property(PROPERTY.SpeechServiceConnection_Endpoint)
        assert found == f"https://{host}/"


def test_the_proxy_is_chosen_for_the_host_that_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:8080")
    monkeypatch.setenv(
        "NO_PROXY", "westeurope.stt.speech.microsoft.com,usgovvirginia.api.cognitive.microsoft.us"
    )
    host = PROPERTY.SpeechServiceConnection_ProxyHostName
    values: dict[str, Any] = {"private_endpoint": "no", "proxy": "env"}
    public = SpeechConfigFactory(settings(region="westeurope", **values), observe=Observer())
    assert public.speech_config("tts").get_property(host) == "proxy.example"
    assert public.speech_config("stt").get_property(host) == ""
    domain = "my.cognitiveservices.azure.us"
    values |= {"endpoint": domain, "region": "usgovvirginia"}
    government = SpeechConfigFactory(settings(**values), observe=Observer())
    assert government.translation_config(["de"]).get_property(host) == ""


def test_a_pickled_factory_observes_anew_with_the_key_of_its_new_place(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    factory = SpeechConfigFactory(SpeechSettings(key=KEY))
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
    data = pickle.dumps(factory)
    assert KEY.encode() not in data
    emulator.state = "removed"
    copy = pickle.loads(data)
    assert copy.route().kind is RouteKind.REGIONAL
    assert copy.speech_config().subscription_key == emulator.key


def test_resolve_reads_the_environment_and_asks_dns(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    emulator.state = "removed"
    route = resolve()
    assert (route.kind, route.region) == (RouteKind.REGIONAL, "westeurope")
    assert route.evidence is not None
    assert len(route.evidence.dns.chain) == 7


AS_TEXT = {
    "allow_hosts": "localhost, *.Example.com",
    "auth": "Key",
    "resource_id": "/subscriptions/0/resourceGroups/g"
    "/providers/Microsoft.CognitiveServices/accounts/a",
    "key_file": "key-in-a-file",
    "key_vault": "https://my-vault.vault.azure.net/",
    "key": f" {KEY} ",
    "endpoint": f"https://{C}/",
    "url": f"wss://{C}/stt/speech/universal/v2?language=de-DE",
    "region": "WestEurope",
    "private_endpoint": "Yes",
    "when_undecided": "Private",
    "ask_service": "Never",
    "language": "de-DE",
    "voice": "de-DE-KatjaNeural",
    "endpoint_id": "5f1c9f9e-7d34-4a1c-8f21-6a0a2b0c7c11",
    "log_file": "sdk.log",
    "proxy": "none",
    "dns_servers": "10.0.0.4, [fd00::4]:5353",
    "dns_timeout": "1.5",
    "route_ttl_min": "0",
    "route_ttl_max": "600",
    "route_stale": "1.5",
}


async def itself(config: Any) -> Any:
    return config


METHODS: dict[str, Callable[[SpeechConfigFactory, dict[str, Any]], Any]] = {
    "route": lambda f, said: f.route(**said),
    "route_async": lambda f, said: asyncio.run(f.route_async(**said)),
    "speech_config": lambda f, said: f.speech_config(**said),
    "speech_config_async": lambda f, said: asyncio.run(f.speech_config_async(**said)),
    "translation_config": lambda f, said: f.translation_config(["de"], **said),
    "translation_config_async": lambda f, said: asyncio.run(
        f.translation_config_async(["de"], **said)
    ),
    "run": lambda f, said: f.run(lambda config: config, **said),
    "run_async": lambda f, said: asyncio.run(f.run_async(itself, **said)),
    "attempt": lambda f, said: f.attempt(lambda config: config, **said).result,
    "attempt_async": lambda f, said: asyncio.run(f.attempt_async(itself, **said)).result,
    "recognize_stream": lambda f, said: f.recognize_stream(print, **said),
}


def test_the_texts_here_are_of_every_setting_and_the_methods_all_that_take_overrides() -> None:
    assert set(AS_TEXT) == set(SpeechSettings.model_fields)
    takes = {
        name
        for name, method in vars(SpeechConfigFactory).items()
        if not name.startswith("_")
        and callable(method)
        and any(p.kind is p.VAR_KEYWORD for p in inspect.signature(method).parameters.values())
    }
    assert set(METHODS) == takes


@pytest.mark.parametrize("method", METHODS)
def test_every_method_takes_every_setting_as_text(method: str, tmp_path: Path) -> None:
    (tmp_path / "key-in-a-file").write_text(KEY)
    plain = type(METHODS[method](make(Observer()), {}))
    for name, text in AS_TEXT.items():
        given = METHODS[method](make(Observer()), {name: text})
        assert type(given) is plain, name
        if isinstance(given, speechsdk.SpeechConfig):
            assert given.subscription_key == KEY
    together = {name: text for name, text in AS_TEXT.items() if name != "key_file"}
    assert type(METHODS[method](make(Observer()), together)) is plain

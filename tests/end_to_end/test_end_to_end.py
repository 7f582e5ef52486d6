"""The real SDK against the emulator, each client in each state, and what static configs get."""

from __future__ import annotations

import re
import wave
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

import azure.cognitiveservices.speech as speechsdk
import pytest

from clients import CLIENTS, Outcome, recognize_continuously
from places import WAV
from speechroute import SpeechConfigFactory, speech_config, translation_config
from speechroute.emulator import Emulator
from speechroute.errors import SettingsError

STATES = ("vnet", "proxy", "removed")
Outcomes = dict[str, Future[Outcome]]
DOORS = {
    "vnet": "my-private-link-speech.cognitiveservices.azure.com",
    "proxy": "my-private-link-speech.cognitiveservices.azure.com",
    "removed": "westeurope.",
}


@pytest.fixture(autouse=True)
def _inside_the_emulator(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)


def _routed(client: str, factory: SpeechConfigFactory) -> Any:
    if client == "translate":
        return factory.translation_config(["de"], language="en-US")
    return factory.speech_config(
        "stt" if "synth" not in client and "voice" not in client else "tts"
    )


def _static(client: str, emulator: Emulator, **door: str) -> Any:
    if client == "translate":
        config = speechsdk.translation.SpeechTranslationConfig(
            subscription=emulator.key, target_languages=("de",), **door
        )
    else:
        config = speechsdk.SpeechConfig(subscription=emulator.key, **door)
    host, _, port = emulator.proxy_url.removeprefix("http://").partition(":")
    config.set_proxy(host, int(port))
    return config


def _check_content(client: str, outcome: Outcome, door: str) -> None:
    assert outcome.error == ""
    if "synth" in client:
        assert outcome.texts == ("0.66 s",)
    elif client == "list_voices":
        assert outcome.texts == ("en-US-AvaNeural", "de-DE-KatjaNeural")
    else:
        assert outcome.texts
        assert all(door in text for text in outcome.texts)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("state", STATES)
def test_key_and_endpoint_are_enough_for_every_client_in_every_state(
    state: str, client: str, emulator: Emulator
) -> None:
    emulator.state = state
    before = len(emulator.requests)
    outcome = CLIENTS[client](_routed(client, SpeechConfigFactory()))
    _check_content(client, outcome, DOORS[state])
    requests = emulator.requests[before:]
    assert {request.status for request in requests} <= {101, 200}
    assert all(request.host.startswith(DOORS[state]) for request in requests)
    assert {request.credential for request in requests} == {"key"}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("state", ["vnet", "proxy"])
def test_static_region_config_gets_401_while_there_is_a_private_endpoint(
    state: str, client: str, emulator: Emulator
) -> None:
    emulator.state = state
    outcome = CLIENTS[client](_static(client, emulator, region=emulator.region))
    assert outcome.texts == ()
    assert "Authentication error (401)" in outcome.error


def _all_clients(config_for: Callable[[str], Any]) -> Outcomes:
    """What each gets, side by side: they wait more than they do, at a 404 for a second."""
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        return {name: pool.submit(run, config_for(name)) for name, run in CLIENTS.items()}


@pytest.fixture(scope="module")
def outcomes() -> dict[str, Outcomes]:
    return {}


@pytest.mark.parametrize("client", CLIENTS)
def test_static_endpoint_config_gets_404_once_private_endpoints_are_removed(
    client: str, emulator: Emulator, outcomes: dict[str, Outcomes]
) -> None:
    emulator.state = "removed"
    if "endpoint" not in outcomes:
        endpoint = f"https://{emulator.custom_domain}/"
        outcomes["endpoint"] = _all_clients(lambda name: _static(name, emulator, endpoint=endpoint))
    outcome = outcomes["endpoint"][client].result()
    assert outcome.texts == ()
    assert "Internal service error (404)" in outcome.error


@pytest.mark.parametrize("state", STATES)
def test_a_wrong_key_is_401_at_every_door(
    state: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.state = state
    monkeypatch.setenv("SPEECH_KEY", "wrong")
    outcome = CLIENTS["recognize_once"](SpeechConfigFactory().speech_config())
    assert "Authentication error (401)" in outcome.error


def test_the_texts_account_for_all_of_the_audio() -> None:
    outcome = recognize_continuously(SpeechConfigFactory().speech_config())
    with wave.open(str(WAV)) as file:
        seconds = file.getnframes() / file.getframerate()
    arrived = [re.match(r"[\d.]+", text) for text in outcome.texts]
    assert len(arrived) == 3
    assert sum(float(match[0]) for match in arrived if match) == pytest.approx(seconds, abs=0.05)


def test_one_factory_follows_the_state_when_its_route_is_invalidated(emulator: Emulator) -> None:
    factory = SpeechConfigFactory()
    kinds = []
    for state in (*STATES, "vnet"):
        emulator.state = state
        factory.invalidate()
        kinds.append(str(factory.route().kind))
        assert CLIENTS["recognize_once"](factory.speech_config()).error == ""
    assert kinds == ["private endpoint", "private endpoint", "regional", "private endpoint"]


def test_module_level_functions_use_the_environment(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speechroute._sdk.default._default", [])
    monkeypatch.setenv("SPEECH_LANGUAGE", "en-US")
    emulator.state = "removed"
    _check_content("recognize_once", CLIENTS["recognize_once"](speech_config()), DOORS["removed"])
    outcome = CLIENTS["translate"](translation_config(["de"]))
    _check_content("translate", outcome, "[de] ")


@pytest.mark.parametrize("state", STATES)
def test_a_full_url_is_converted_and_its_query_arrives(state: str, emulator: Emulator) -> None:
    emulator.state = state
    path = "/speech/recognition/conversation/cognitiveservices/v1"
    url = f"wss://westeurope.stt.speech.microsoft.com{path}?language=en-US&x=%20a&x=B%2Fc"
    outcome = CLIENTS["recognize_once"](SpeechConfigFactory().speech_config(url=url))
    _check_content("recognize_once", outcome, DOORS[state])
    request = emulator.requests[-1]
    assert request.path == (path if state == "removed" else f"/stt{path}")
    assert parse_qsl(request.query)[:3] == [("language", "en-US"), ("x", " a"), ("x", "B/c")]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("state", ["vnet", "removed"])
def test_every_client_works_in_azure_government(
    state: str, client: str, monkeypatch: pytest.MonkeyPatch, outcomes: dict[str, Outcomes]
) -> None:
    domain = "my-speech.cognitiveservices.azure.us"
    if f"government {state}" not in outcomes:
        with Emulator(state, custom_domain=domain, region="usgovvirginia") as emulator:
            for name, value in emulator.environment.items():
                monkeypatch.setenv(name, value)
            outcomes[f"government {state}"] = _all_clients(
                lambda name: _routed(name, SpeechConfigFactory())
            )
    outcome = outcomes[f"government {state}"][client].result()
    _check_content(client, outcome, domain if state == "vnet" else "usgovvirginia.")


STANDARD = "wss://westeurope.stt.speech.microsoft.com/stt/speech/universal/v2"
PRIVATE = "wss://my-private-link-speech.cognitiveservices.azure.com/stt/speech/universal/v2"


@pytest.mark.parametrize("written", [STANDARD, PRIVATE], ids=["standard", "private"])
@pytest.mark.parametrize("state", STATES)
def test_speech_url_in_either_form_is_converted_and_its_language_wins(
    state: str, written: str, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.state = state
    query = "language=de-DE&format=detailed&x=%41"
    monkeypatch.setenv("SPEECH_URL", f"{written}?{query}")
    monkeypatch.setenv("SPEECH_LANGUAGE", "en-US")
    factory = SpeechConfigFactory()
    assert (
        "language=de-DE, SPEECH_LANGUAGE says en-US: the URL wins" in factory.route().warnings[-1]
    )
    config = factory.speech_config()
    assert config.speech_recognition_language == "de-DE"
    _check_content("recognize_once", CLIENTS["recognize_once"](config), DOORS[state])
    request = emulator.requests[-1]
    assert request.path == "/stt/speech/universal/v2"
    # Handed to the SDK byte for byte; the SDK's recognizers write the query anew (measured, 1.53).
    endpoint = config.get_property(speechsdk.PropertyId.SpeechServiceConnection_Endpoint)
    assert endpoint.partition("?")[2] == query
    assert set(parse_qsl(query)) <= set(parse_qsl(request.query))


def test_a_language_that_does_not_contradict_is_no_warning(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPEECH_URL", f"{STANDARD}?language=de-DE")
    assert SpeechConfigFactory().route().warnings == ()
    monkeypatch.setenv("SPEECH_LANGUAGE", "de-de")
    assert SpeechConfigFactory().route().warnings == ()


def test_a_url_of_another_offering_is_refused_before_any_connection(emulator: Emulator) -> None:
    before = len(emulator.requests), len(emulator.tunnels)
    with pytest.raises(SettingsError, match="a URL of stt, expected a URL of tts"):
        SpeechConfigFactory().speech_config("tts", url=STANDARD)
    assert (len(emulator.requests), len(emulator.tunnels)) == before

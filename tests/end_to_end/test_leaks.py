"""One canary key and one canary token, searched for in all that each public call gives out."""

from __future__ import annotations

import asyncio
import copy
import gc
import inspect
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk
import pytest
from azure.core.credentials import AzureKeyCredential

import speechroute
from forks import FORKS
from places import SPEECHROUTE, WAV
from revealed import everything_about
from speechroute import SpeechConfigFactory, SpeechRouteError, SpeechSettings, errors, urls
from speechroute.emulator import Emulator

KEY = "canary0123456789abcdef0123456789"
TOKEN = "canary-token-0123456789abcdefghijklmnopqrstuvwxyz"
PASSWORD = "canary-password"
SECRETS = (KEY, TOKEN, PASSWORD)
FULL = "wss://my-private-link-speech.cognitiveservices.azure.com/stt/speech/universal/v2"


def broken(*_: object) -> str:
    raise LookupError(f"no token, but {TOKEN}")


def recognize(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


async def recognize_async(config: Any) -> Any:
    return await asyncio.to_thread(recognize, config)


class Place:
    """Where calls are made: a factory with one kind of secret, and the emulator."""

    def __init__(self, kind: str, emulator: Emulator) -> None:
        rid = emulator.resource_id
        made = {
            "key": lambda: SpeechConfigFactory(SpeechSettings(key=KEY)),
            "key credential": lambda: SpeechConfigFactory(credential=AzureKeyCredential(KEY)),
            "token": lambda: SpeechConfigFactory(
                SpeechSettings(auth="entra", resource_id=rid), credential=lambda: TOKEN
            ),
            "broken": lambda: SpeechConfigFactory(
                SpeechSettings(auth="entra", resource_id=rid), credential=broken
            ),
        }
        self.factory = made[kind]()
        self.emulator = emulator

    def injected(self) -> Any:
        speechroute.inject_into_speechsdk(self.factory)
        try:
            return speechsdk.SpeechConfig(KEY, region=self.emulator.region)
        finally:
            speechroute.extract_from_speechsdk()

    def stream(self) -> Any:
        with self.factory.recognize_stream(lambda _: None) as stream:
            stream.write(bytes(3200))
        return stream.recoveries


CALLS: dict[str, Callable[[Place], Any]] = {
    "factory.settings": lambda place: place.factory.settings,
    "factory.route": lambda place: place.factory.route(),
    "factory.route_async": lambda place: asyncio.run(place.factory.route_async()),
    "factory.invalidate": lambda place: place.factory.invalidate(),
    "factory.speech_config": lambda place: place.factory.speech_config(),
    "factory.speech_config_async": lambda place: asyncio.run(
        place.factory.speech_config_async("tts")
    ),
    "factory.translation_config": lambda place: place.factory.translation_config(["de"]),
    "factory.translation_config_async": lambda place: asyncio.run(
        place.factory.translation_config_async(["de"])
    ),
    "factory.run": lambda place: place.factory.run(recognize),
    "factory.run_async": lambda place: asyncio.run(place.factory.run_async(recognize_async)),
    "factory.attempt": lambda place: place.factory.attempt(recognize),
    "factory.attempt_async": lambda place: asyncio.run(
        place.factory.attempt_async(recognize_async)
    ),
    "factory.recognize_stream": Place.stream,
    "factory.keep_fresh": lambda place: place.factory.keep_fresh(place.factory.speech_config()),
    "inject_into_speechsdk": Place.injected,
    "extract_from_speechsdk": lambda _: speechroute.extract_from_speechsdk(),
    "resolve": lambda place: speechroute.resolve(place.factory.settings),
    "resolve_async": lambda place: asyncio.run(speechroute.resolve_async(place.factory.settings)),
    "speech_config": lambda _: speechroute.speech_config(key=KEY),
    "translation_config": lambda _: speechroute.translation_config(["de"], key=KEY),
    "urls": lambda _: urls.to_private(f"{FULL}?subscription-key={KEY}", KEY),
}
PROCESS_WIDE = {"inject_into_speechsdk", "extract_from_speechsdk"}
STATES: dict[str, dict[str, str]] = {
    "works": {},
    "refused": {},
    "name does not exist": {"SPEECH_ENDPOINT": "no-such-name"},
    "DNS fails": {"SPEECH_DNS_SERVERS": "127.0.0.1:9", "SPEECH_DNS_TIMEOUT": "0.1"},
    "settings are wrong": {"SPEECH_REGION": KEY},
    "behind a proxy": {"SPEECH_PROXY": f"http://me:{PASSWORD}@127.0.0.1:9"},
}


def test_no_public_call_is_forgotten() -> None:
    factory = {
        f"factory.{name}"
        for name, _ in inspect.getmembers(SpeechConfigFactory)
        if not name.startswith("_")
    }
    functions = {
        name
        for name in speechroute.__all__
        if inspect.isroutine(getattr(speechroute, name)) or name == "urls"
    }
    assert factory | functions == set(CALLS)


@pytest.fixture(scope="module")
def canary_emulator() -> Iterator[Emulator]:
    with Emulator("removed", key=KEY) as emulator:
        emulator.tokens.add(TOKEN)
        yield emulator


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """What every logger says, at DEBUG, those of Azure's libraries included."""
    text, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(text), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield text
    finally:
        root.removeHandler(handler)
        root.setLevel(level)


def shown(value: Any) -> str:
    """All the texts and bytes that a value gives out by itself."""
    texts = [str(value), repr(value), f"{getattr(value, '__dict__', '')}"]
    if not type(value).__module__.startswith("azure."):
        texts.append(pickle.dumps(value).decode("latin-1")) if not _holds_sdk(value) else None
    return "\n".join(texts)


def _holds_sdk(value: Any) -> bool:
    return type(getattr(value, "result", None)).__module__.startswith("azure.")


def outcome(call: str, kind: str, emulator: Emulator) -> list[str]:
    """What a call gives to who makes it."""
    try:
        return [shown(CALLS[call](Place(kind, emulator)))]
    except (SpeechRouteError, TypeError, ValueError) as error:
        given = [everything_about(error), *traceback.format_exception(error)]
        if isinstance(error, SpeechRouteError):
            given += [repr(copy.copy(error)), pickle.dumps(error).decode("latin-1")]
        return given


class Given(NamedTuple):
    """What all calls with one kind of secret gave out in one state.

    Attributes:
        outcomes: of each call.
        beside: what went to loggers, standard output and error, and the SDK's log.
    """

    outcomes: dict[str, Future[list[str]]]
    beside: list[str]


def side_by_side(
    kind: str, state: str, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> Given:
    """Make all calls at once: the SDK takes a second for each that is refused."""
    emulator.state = "removed"
    if state == "refused":
        emulator.dns_state = "vnet"
    sdk_log = Path("sdk.log").absolute()
    environment = {**emulator.environment, "SPEECH_LOG_FILE": str(sdk_log), **STATES[state]}
    outcomes: dict[str, Future[list[str]]] = {}
    with pytest.MonkeyPatch.context() as patch, logged() as log:
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setattr("speechroute._sdk.default._default", [])
        for calls, workers in ((CALLS.keys() - PROCESS_WIDE, len(CALLS)), (PROCESS_WIDE, 1)):
            with ThreadPoolExecutor(workers) as pool:
                outcomes |= {call: pool.submit(outcome, call, kind, emulator) for call in calls}
        gc.collect()
    output = capfd.readouterr()
    said_by_sdk = sdk_log.read_text(errors="replace") if sdk_log.exists() else ""
    return Given(outcomes, [log.getvalue(), output.out, output.err, said_by_sdk])


@pytest.fixture(scope="module")
def given() -> dict[tuple[str, str], Given]:
    """By kind and state."""
    return {}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", ["key", "key credential", "token", "broken"])
def test_no_public_call_gives_a_secret_out(
    kind: str,
    state: str,
    call: str,
    given: dict[tuple[str, str], Given],
    canary_emulator: Emulator,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if (kind, state) not in given:
        given[kind, state] = side_by_side(kind, state, canary_emulator, capfd)
    outcomes, beside = given[kind, state]
    for text in (*outcomes[call].result(), *beside):
        assert all(secret not in text for secret in SECRETS), text


def test_each_error_class_was_seen_by_these_tests(canary_emulator: Emulator) -> None:
    """So that the list of states is not one that no error comes out of."""
    classes = {
        value
        for value in vars(errors).values()
        if isinstance(value, type)
        and issubclass(value, SpeechRouteError)
        and not value.__subclasses__()
    }
    seen = {type(error) for error in one_of_each(canary_emulator)}
    assert classes == seen


def one_of_each(emulator: Emulator) -> Iterator[SpeechRouteError]:
    """One error of each class, each with the secret as near as it can come."""

    def raised(call: Callable[[], Any]) -> SpeechRouteError:
        with pytest.raises(SpeechRouteError) as caught:
            call()
        return caught.value

    custom_domain = emulator.custom_domain
    yield raised(lambda: SpeechSettings(key=KEY, region=KEY))
    yield raised(lambda: urls.to_regional(f"https://{KEY}/", "westeurope"))
    yield errors.CustomDomainNotFound.of("x", custom_domain=custom_domain)
    yield errors.PrivateDnsRecordMissing.of("x", custom_domain=custom_domain)
    yield errors.DnsUnavailable.of("x", custom_domain=custom_domain)
    yield errors.RouteUndecided.of("x", custom_domain=custom_domain)
    yield errors.RouteRefused.of("x", behind="dns", failure="404")
    yield errors.RecognitionCanceled.of("BadRequest", "x")
    yield errors.TokenUnavailable.of(f"got {TOKEN}")
    yield errors.UnsupportedSdk.of("1.53.0", "SpeechConfig", "subscription")


def test_no_error_class_gives_a_secret_out(canary_emulator: Emulator) -> None:
    for error in one_of_each(canary_emulator):
        text = everything_about(error) + pickle.dumps(error).decode("latin-1")
        assert all(secret not in text for secret in SECRETS), text


ARGUMENTS: dict[str, Callable[[SpeechConfigFactory], Any]] = {
    "credential": lambda _: SpeechConfigFactory(credential=KEY),
    "override": lambda f: f.settings.override(key=KEY, region="bad region"),
    "unknown override": lambda f: f.settings.override(key=KEY, kye=1),
    "run, key": lambda f: f.run(recognize, key=KEY, region="bad region"),
    "run, url": lambda f: f.run(recognize, url=f"https://u:{KEY}@x.com/?key={KEY}"),
    "attempt, endpoint": lambda f: f.attempt(recognize, endpoint=f"https://x:{KEY}@foo.com"),
    "stream, url": lambda f: f.recognize_stream(print, url=f"https://x.com/?key={KEY}"),
    "run_async, url": lambda f: asyncio.run(
        f.run_async(recognize_async, url=f"https://x.com/?key={KEY}")
    ),
    "Route.url": lambda f: f.route().url(f"https://x.com/?key={KEY}"),
    "Route.rest_url": lambda f: f.route().rest_url("tts", f"a path?key={KEY}"),
    "token": lambda _: SpeechConfigFactory(
        SpeechSettings._exactly(
            {"auth": "entra", "region": "westeurope", "resource_id": RESOURCE_ID}
        ),
        credential=lambda: (_ for _ in ()).throw(
            LookupError("refused eyJhbGciOi-JIUzI1NiJ9.eyJzdWIiOiJj-canary.c2lnbmF0dXJl-x")
        ),
    ).speech_config(),
}
RESOURCE_ID = "/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a"


@pytest.mark.parametrize("case", ARGUMENTS)
def test_no_argument_stays_in_the_frames_of_an_error(
    case: str, canary_emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    canary_emulator.state = "removed"
    for name, value in canary_emulator.environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises((SpeechRouteError, TypeError, ValueError)) as caught:
        ARGUMENTS[case](SpeechConfigFactory())
    text = everything_about(caught.value)
    assert KEY not in text
    assert "eyJzdWIi" not in text


COMMANDS = (
    ["check", "--probe", "--with-key"],
    ["check", "--probe", "--with-key", "--json"],
    ["check", "--probe", "--with-key", "--markdown"],
    ["url", FULL],
    ["log", str(WAV)],
    ["watch", "--json"],
    ["emulate", "--json", "--", "true"],
    ["run", "--json", "--", "true"],
    ["demo", "--json"],
    ["witness", "--yes"],
    ["witness", "--yes", "--json"],
    ["witness", "--yes", "--markdown"],
)


CRASH = """
import speechroute._network.resolver as resolver, speechroute.emulator as emulator
import speechroute._doctor.witness.hearing as hearing
def crash(*_, **__): raise RuntimeError('unexpected')
resolver.RouteResolver.kept = emulator.Emulator.__enter__ = hearing.observe = crash
"""


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("crash", [False, True], ids=["runs", "crashes"])
def test_no_command_gives_a_secret_out(
    command: list[str], crash: bool, canary_emulator: Emulator
) -> None:
    """A crash is an error that nobody expected, from the first thing that a command looks at."""
    # A witness takes 1 s for each client that is refused.
    canary_emulator.state = "vnet" if command[0] == "witness" else "removed"
    program = Path("program.py")
    program.write_text(f"{CRASH if crash else ''}\nfrom speechroute._cli import main; main()")
    environment = {
        **canary_emulator.environment,
        "SPEECH_KEY": KEY,
        "SPEECH_PRIVATE_ENDPOINT": "yes",
        "HTTPS_PROXY": f"http://me:{PASSWORD}@127.0.0.1:9",
    }
    done = FORKS.run(program, *command, environment=environment)
    output = done.stdout + done.stderr
    assert crash is ("RuntimeError: unexpected" in output) or command[0] in ("log", "run", "url")
    assert all(secret not in output for secret in SECRETS)
    assert Path(SPEECHROUTE).exists()

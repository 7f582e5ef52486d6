"""One retry through the door that DNS tells after a failure, and who is behind where none helps."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, assert_type, cast

import azure.cognitiveservices.speech as speechsdk
import pytest

from places import OLDEST_SDK, SUPPORT, WAV
from sdk_failures import CLIENTS, STATUSES, audio_stream
from sdks import SDKS, floor
from speechroute import Attempt, RouteKind, SpeechConfigFactory, SpeechRouteError, SpeechSettings
from speechroute._network.observe import Observe, observe
from speechroute._sdk.outcome import failure_of
from speechroute.emulator import Emulator
from speechroute.errors import CustomDomainNotFound, RouteRefused

PRIVATE, REGIONAL = RouteKind.PRIVATE_ENDPOINT, RouteKind.REGIONAL
MOVED = {"401": "401", "403": "403", "404": "404"}
UNREACHED = dict.fromkeys(("refused", "unresolved", "no tunnel"), "no connection")


# Where any call will do, tests speak: refused, that takes 0.03 s, while a recognition tries four
# times in a second.


def recognize(config: Any) -> speechsdk.SpeechRecognitionResult:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


def speak(config: Any) -> speechsdk.SpeechSynthesisResult:
    return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")


def is_canceled(result: Any) -> bool:
    return bool(result.reason == speechsdk.ResultReason.Canceled)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def factory(emulated: Emulator, clock: Clock) -> SpeechConfigFactory:
    return SpeechConfigFactory(SpeechSettings(route_ttl_min=1), clock=clock)


def refusal(attempt: Attempt[Any]) -> RouteRefused:
    """The error of an attempt that the service refused, twice or without another way."""
    assert is_canceled(attempt.result)
    assert isinstance(attempt.error, RouteRefused)
    assert str(attempt.error) in attempt.reason
    return attempt.error


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sdk", SDKS)
def test_what_each_client_says_about_each_failure(sdk: str) -> None:
    environment = dict(os.environ)
    if sdk == "oldest":
        environment["PYTHONPATH"] = str(OLDEST_SDK)
    done = subprocess.run(
        [sys.executable, str(SUPPORT / "sdk_failures.py")],
        env=environment,
        capture_output=True,
        text=True,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["version"] == floor()) is (sdk == "oldest")
    expected = {**{str(status): None for status in STATUSES}, **MOVED, **UNREACHED}
    said = document["said"]
    assert set(said) == {client.__name__ for client in CLIENTS}
    assert len(said["voices"]) == len(expected) - 2
    for outcomes in said.values():
        assert outcomes == {failure: expected[failure] for failure in outcomes}


def test_what_is_no_failure_of_the_door(emulated: Emulator) -> None:
    config = SpeechConfigFactory().speech_config()
    assert failure_of(recognize(config)) is None
    silence = speechsdk.audio.PushAudioInputStream()
    silence.write(bytes(16_000 * 2 * 6))
    silence.close()
    audio = speechsdk.audio.AudioConfig(stream=silence)
    no_match = speechsdk.SpeechRecognizer(config, audio).recognize_once()
    assert no_match.reason == speechsdk.ResultReason.NoMatch
    assert failure_of(no_match) is None
    for value in (None, "WebSocket upgrade failed: Internal service error (404)", object()):
        assert failure_of(value) is None


def test_a_call_that_works_is_made_once(factory: SpeechConfigFactory, emulated: Emulator) -> None:
    configs: list[Any] = []

    def operation(config: Any) -> str:
        configs.append(config)
        return str(recognize(config).text)

    text = factory.run(operation)
    assert_type(text, str)
    assert "private endpoint" in text
    assert len(configs) == 1
    attempt = factory.attempt(operation)
    assert_type(attempt, Attempt[str])
    assert (attempt.failure, attempt.retried, attempt.error) == (None, False, None)
    assert attempt.route.kind is PRIVATE


@pytest.mark.parametrize(
    ("before", "after", "failure"),
    [("vnet", "removed", "404"), ("proxy", "removed", "404"), ("removed", "vnet", "401")],
)
@pytest.mark.parametrize("operation", [recognize, speak])
def test_the_first_failing_call_is_answered_through_the_other_door(
    before: str,
    after: str,
    failure: str,
    operation: Callable[[Any], Any],
    factory: SpeechConfigFactory,
    emulated: Emulator,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "speechroute")
    emulated.state = before
    assert not is_canceled(factory.run(operation))
    emulated.state = after
    attempt = factory.attempt(operation)
    assert not is_canceled(attempt.result)
    assert (attempt.failure, attempt.retried, attempt.error) == (failure, True, None)
    assert attempt.route.kind is (REGIONAL if after == "removed" else PRIVATE)
    assert f"answered {failure}, so the call was made again" in attempt.reason
    assert attempt.reason in caplog.text
    # The next call needs no second try, the cached config included.
    assert not is_canceled(operation(factory.speech_config()))
    assert factory.attempt(operation).failure is None


def test_translation_gets_its_own_config_both_times(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    def translate(config: Any) -> Any:
        audio = speechsdk.audio.AudioConfig(filename=str(WAV))
        client = speechsdk.translation.TranslationRecognizer(config, audio_config=audio)
        return client.recognize_once()

    factory.route()
    emulated.state = "removed"
    attempt = factory.attempt(translate, target_languages=["de"], language="en-US")
    assert attempt.retried
    assert "westeurope" in attempt.result.translations["de"]
    voices = factory.run(lambda c: speechsdk.SpeechSynthesizer(c, None).get_voices_async().get())
    assert voices.reason == speechsdk.ResultReason.VoicesListRetrieved


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "proxy")])
def test_the_service_moves_first(
    before: str,
    after: str,
    factory: SpeechConfigFactory,
    emulated: Emulator,
    caplog: pytest.LogCaptureFixture,
    clock: Clock,
) -> None:
    emulated.state = before
    factory.run(speak)
    emulated.service_state = after
    calls = len(emulated.requests)
    attempt = factory.attempt(speak)
    assert refusal(attempt).behind == "dns"
    assert "DNS is behind" in attempt.reason
    assert not attempt.retried
    assert len({request.host for request in emulated.requests[calls:]}) == 1
    factory.run(speak)
    assert caplog.text.count("DNS is behind") == 1  # told once, until a call comes through
    emulated.dns_state = after
    clock.now += 1
    assert factory.attempt(speak).retried
    assert factory.attempt(speak).failure is None


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "proxy")])
def test_dns_moves_first(
    before: str, after: str, factory: SpeechConfigFactory, emulated: Emulator, clock: Clock
) -> None:
    emulated.state = before
    factory.run(speak)
    emulated.dns_state = after
    assert factory.attempt(speak).failure is None  # the cached route is still right
    clock.now += 10
    attempt = factory.attempt(speak)
    assert refusal(attempt).behind == "service"
    assert "the service is behind" in attempt.reason
    assert not attempt.retried
    emulated.service_state = after
    assert factory.attempt(speak).failure is None


def test_flapping_costs_one_retry_each_time_and_never_a_second(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    for state in ("removed", "vnet", "removed", "proxy", "vnet"):
        emulated.state = state
        attempt = factory.attempt(speak)
        assert attempt.error is None
        assert not is_canceled(attempt.result)
    calls: list[Any] = []

    def flap(config: Any) -> Any:
        """The doors move under each call."""
        calls.append(config)
        emulated.state = "vnet" if emulated.state == "removed" else "removed"
        return speak(config)

    attempt = factory.attempt(flap)
    assert len(calls) == 2
    assert attempt.retried
    assert is_canceled(attempt.result)
    assert isinstance(attempt.error, RouteRefused)


def test_without_a_call_that_worked_nobody_is_blamed(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.service_state = "removed"
    error = refusal(factory.attempt(speak))
    assert (error.behind, error.failure) == ("", "404")
    assert "No call has worked yet" in str(error)


def test_what_only_looks_like_a_success_blames_nobody(
    factory: SpeechConfigFactory, emulated: Emulator, clock: Clock
) -> None:
    emulated.fail_with(500)
    factory.run(speak)
    emulated.fail_with(None)
    emulated.service_state = "removed"
    assert factory.run(lambda config: recognize(config).text) == ""
    assert refusal(factory.attempt(speak)).behind == ""
    emulated.state = "removed"
    clock.now += 1
    assert not is_canceled(factory.run(speak))
    assert refusal(factory.attempt(speak, key="0" * 32)).behind == ""


def test_a_speech_that_has_only_begun_blames_nobody(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    synthesizers: list[Any] = []

    def begin(config: Any) -> Any:
        synthesizers.append(speechsdk.SpeechSynthesizer(config, None))
        return synthesizers[-1].start_speaking_text("Hello")

    emulated.state = "removed"
    begun = factory.run(begin, key="0" * 32)
    assert begun.reason == speechsdk.ResultReason.SynthesizingAudioStarted
    assert refusal(factory.attempt(speak, key="0" * 32)).behind == ""


def test_an_audio_stream_is_judged_as_a_result_is(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    factory.route()
    emulated.state = "removed"
    attempt = factory.attempt(audio_stream)
    assert (attempt.failure, attempt.retried, attempt.error) == ("404", True, None)
    assert attempt.result.read_data(bytes(8)) == 8
    emulated.service_state = "proxy"
    attempt = factory.attempt(audio_stream)
    assert attempt.result.status == speechsdk.StreamStatus.Canceled
    assert isinstance(attempt.error, RouteRefused)
    assert (attempt.error.failure, attempt.error.behind) == ("401", "dns")


@pytest.mark.parametrize(
    ("state", "told", "remedy"),
    [("removed", "yes", "unset SPEECH_PRIVATE_ENDPOINT"), ("vnet", "no", "so that DNS is asked")],
)
def test_settings_that_decide_are_named(
    state: str, told: str, remedy: str, emulated: Emulator
) -> None:
    emulated.state = state
    factory = SpeechConfigFactory(SpeechSettings(private_endpoint=told, region="westeurope"))
    error = refusal(factory.attempt(speak))
    assert error.behind == "settings"
    assert remedy in str(error)


def test_a_region_alone_is_told_to_name_the_custom_domain(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPEECH_ENDPOINT")
    monkeypatch.setenv("SPEECH_REGION", emulated.region)
    error = refusal(SpeechConfigFactory().attempt(speak))
    assert (error.behind, error.failure) == ("settings", "401")
    assert "set SPEECH_ENDPOINT to the custom domain" in str(error)


@pytest.mark.parametrize("status", [400, 429, 500, 503])
def test_other_failures_ask_nobody(
    status: int, factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    route = factory.route()
    emulated.dns_state = "removed"
    emulated.fail_with(status)
    attempt = factory.attempt(speak)
    assert is_canceled(attempt.result)
    assert (attempt.failure, attempt.retried, attempt.error) == (None, False, None)
    assert factory.route() == route


def test_dns_that_fails_then_is_no_answer(emulated: Emulator, clock: Clock) -> None:
    servers = [emulated.dns_server]

    def sometimes(name: str, **arguments: Any) -> Any:
        patience = arguments["timeout"] if servers == [emulated.dns_server] else 0.2
        return observe(name, **{**arguments, "servers": tuple(servers), "timeout": patience})

    factory = SpeechConfigFactory(
        SpeechSettings(route_ttl_min=1), observe=cast("Observe", sometimes), clock=clock
    )
    factory.run(speak)
    emulated.state = "removed"
    servers[0] = "127.0.0.1:9"
    error = refusal(factory.attempt(speak))
    assert error.behind == "dns"
    assert "DNS fails now" in str(error)
    servers[0] = emulated.dns_server
    clock.now += 1
    assert factory.attempt(speak).retried


def test_a_name_that_is_gone_ends_the_search(emulated: Emulator) -> None:
    names = [emulated.custom_domain]

    def elsewhere(_: str, **arguments: Any) -> Any:
        return observe(names[0], **arguments)

    factory = SpeechConfigFactory(observe=cast("Observe", elsewhere))
    factory.run(speak)
    emulated.service_state = "removed"
    names[0] = "gone.cognitiveservices.azure.com"
    attempt = factory.attempt(speak)
    assert is_canceled(attempt.result)
    assert isinstance(attempt.error, CustomDomainNotFound)
    assert (attempt.failure, attempt.retried) == ("404", False)
    assert "there is no other route" in attempt.reason


def test_what_the_operation_raises_is_not_touched(factory: SpeechConfigFactory) -> None:
    def broken(_: Any) -> None:
        raise LookupError("mine")

    with pytest.raises(LookupError, match="mine"):
        factory.run(broken)


def test_the_twins_for_asyncio_do_the_same(
    factory: SpeechConfigFactory, emulated: Emulator, clock: Clock
) -> None:
    async def speak_async(config: Any) -> Any:
        return await asyncio.to_thread(speak, config)

    async def scene() -> None:
        assert not is_canceled(await factory.run_async(speak_async))
        emulated.service_state = "removed"
        attempt = await factory.attempt_async(speak_async)
        assert refusal(attempt).behind == "dns"
        emulated.dns_state = "removed"
        clock.now += 1
        results = await asyncio.gather(*(factory.attempt_async(speak_async) for _ in range(3)))
        assert not any(is_canceled(attempt.result) for attempt in results)
        assert {attempt.route.kind for attempt in results} == {REGIONAL}
        emulated.fail_with(403)
        attempt = await factory.attempt_async(speak_async)
        assert refusal(attempt).failure == "403"
        recognizers: list[Any] = []

        async def future(config: Any) -> Any:
            audio = speechsdk.audio.AudioConfig(filename=str(WAV))
            recognizers.append(speechsdk.SpeechRecognizer(config, audio))
            return recognizers[-1].recognize_once_async()

        assert (await factory.attempt_async(future)).failure == "403"

    asyncio.run(scene())


def test_errors_of_a_recovery_hold_no_key(
    factory: SpeechConfigFactory, emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    factory.run(speak)
    emulated.service_state = "removed"
    attempt = factory.attempt(speak)
    assert isinstance(attempt.error, SpeechRouteError)
    assert emulated.key not in repr((attempt, attempt.error.__dict__, attempt.reason)) + caplog.text


def test_a_recognition_that_only_times_out_had_no_connection() -> None:
    """What the SDK says so now and then comes too seldom to be waited for (measured, 1.53.0)."""
    details = SimpleNamespace(
        code=speechsdk.CancellationErrorCode.ServiceTimeout,
        error_details="Timeout: no recognition result received",
    )
    result = SimpleNamespace(reason=speechsdk.ResultReason.Canceled, cancellation_details=details)
    assert failure_of(result) == "no connection"
    details.error_details = "Timeout: something else"
    assert failure_of(result) is None


def test_a_canceled_result_that_says_no_more_is_no_failure_of_the_door() -> None:
    # The emulator speaks no translations, and only the SDK makes such a result.
    result = object.__new__(speechsdk.translation.TranslationSynthesisResult)
    result._reason = speechsdk.ResultReason.Canceled
    assert failure_of(result) is None
    for details in (SimpleNamespace(), SimpleNamespace(code=None, error_details=None)):
        canceled = SimpleNamespace(reason=result.reason, cancellation_details=details)
        assert failure_of(canceled) is None

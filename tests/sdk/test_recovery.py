"""One retry through the door that DNS tells after a failure, or through the other one."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any, assert_type, cast

import azure.cognitiveservices.speech as speechsdk
import pytest

from places import OLDEST_SDK, SUPPORT, WAV
from sdk_failures import CLIENTS, STATUSES, audio_stream
from sdks import SDKS, floor
from speechroute import Attempt, RouteKind, SpeechConfigFactory, SpeechRouteError, SpeechSettings
from speechroute._core.verdict import Row
from speechroute._network.observe import Observe, observe
from speechroute._sdk.outcome import failure_of
from speechroute.emulator import Emulator, Generation
from speechroute.errors import CustomDomainNotFound, PrivateDnsRecordMissing, RouteRefused

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


def voices(config: Any) -> Any:
    # Held: what nobody holds is freed while the SDK asks.
    synthesizer = speechsdk.SpeechSynthesizer(config, None)
    return synthesizer.get_voices_async().get()


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
    settings = SpeechSettings(route_ttl_min=1, region=emulated.region)
    return SpeechConfigFactory(settings, clock=clock)


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
    assert factory.run(voices).reason == speechsdk.ResultReason.VoicesListRetrieved


def calls_of(emulator: Emulator) -> list[str]:
    """The hosts that were asked with a credential."""
    return [request.host for request in emulator.requests if request.credential != "none"]


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "proxy")])
def test_the_service_moves_first(
    before: str,
    after: str,
    factory: SpeechConfigFactory,
    emulated: Emulator,
    caplog: pytest.LogCaptureFixture,
    clock: Clock,
) -> None:
    caplog.set_level(logging.INFO, "speechroute")
    emulated.state = before
    factory.run(speak)
    emulated.service_state = after
    attempt = factory.attempt(speak)
    assert not is_canceled(attempt.result)
    assert (attempt.retried, attempt.error) == (True, None)
    assert attempt.route.kind is (REGIONAL if after == "removed" else PRIVATE)
    leaves = "DNS gives a private address, which is left for the region"
    assert any(leaves in told for told in attempt.route.warnings) is (before == "vnet")
    level = logging.WARNING if before == "vnet" else logging.INFO
    told = [r.levelno for r in caplog.records if r.getMessage().startswith("Recovered")]
    assert told == [level]
    # It is remembered, for kept configs too, until DNS says otherwise.
    clock.now += 10
    assert not is_canceled(speak(factory.speech_config()))
    assert factory.attempt(speak).failure is None
    emulated.dns_state = after
    clock.now += 10
    assert factory.attempt(speak).failure is None
    assert factory.route().row not in (Row.OTHER_DOOR, Row.SERVICE)


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "proxy")])
def test_dns_moves_first(
    before: str, after: str, factory: SpeechConfigFactory, emulated: Emulator, clock: Clock
) -> None:
    emulated.state = before
    factory.run(speak)
    emulated.dns_state = after
    assert factory.attempt(speak).failure is None  # the cached route is still right
    clock.now += 10
    for retried in (True, False):
        attempt = factory.attempt(speak)
        assert (attempt.retried, attempt.error) == (retried, None)
        assert not is_canceled(attempt.result)
    emulated.service_state = after
    for retried in (True, False):
        attempt = factory.attempt(speak)
        assert (attempt.retried, attempt.error) == (retried, None)
        assert not is_canceled(attempt.result)


def test_where_both_doors_refuse_no_second_call_is_made_for_a_while(
    factory: SpeechConfigFactory,
    emulated: Emulator,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    emulated.state = "removed"

    def calls(key: str = "0" * 32) -> int:
        results: list[Any] = []

        def operation(config: Any) -> Any:
            results.append(speak(config))
            return results[-1]

        attempt = factory.attempt(operation, key=key)
        assert attempt.result is results[0]
        assert attempt.route.kind is REGIONAL
        assert attempt.retried is (len(results) == 2)
        error = refusal(attempt)
        assert (error.failure, error.other) == ("401", "404" if attempt.retried else "")
        said = "check the key and the region" if attempt.retried else "refused a moment ago"
        assert said in str(error)
        return len(results)

    assert [calls(), calls(), calls()] == [2, 1, 1]
    assert caplog.text.count("Not recovered") == 2
    assert calls("1" * 32) == 2  # another credential is another matter
    clock.now += 1.5
    assert [calls(), calls()] == [2, 1]
    emulated.dns_state = "proxy"
    clock.now += 10
    assert not is_canceled(factory.run(speak))
    route = factory.route()
    assert route.kind is REGIONAL
    assert route.row in (Row.OTHER_DOOR, Row.SERVICE)


@pytest.mark.parametrize("status", [401, 403])
def test_what_the_custom_domain_says_of_a_key_moves_nowhere(
    status: int, factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.fail_with(status)
    before = len(emulated.requests)
    attempt = factory.attempt(speak)
    assert refusal(attempt).failure == str(status)
    assert not attempt.retried
    assert calls_of(emulated)[-1] == emulated.custom_domain
    asked = emulated.requests[before:]
    assert not any("GenerateRedirectResponse" in request.query for request in asked)


def test_a_refusal_proves_nothing_until_the_same_key_comes_through(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.state = "removed"
    factory.attempt(speak, key="0" * 32)
    assert factory.route().row is Row.REGIONAL
    assert factory.attempt(speak).failure is None


def test_an_operation_that_no_door_serves_holds_up_no_other(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    """In the strict generation, nobody tells the region's voices the custom domain."""
    emulated.generation = Generation("strict")
    emulated.state = "removed"
    try:
        assert refusal(factory.attempt(partial(voices))).other
        assert not factory.attempt(partial(voices)).retried
        assert not is_canceled(factory.run(partial(speak)))
    finally:
        emulated.generation = Generation("2024")


def test_dns_that_comes_to_tell_the_region_is_looked_at_soon(
    emulated: Emulator, clock: Clock
) -> None:
    factory = SpeechConfigFactory(SpeechSettings(), clock=clock)
    factory.run(speak)
    emulated.service_state = "removed"
    clock.now += 0.1
    assert "set SPEECH_REGION" in str(refusal(factory.attempt(speak)))
    emulated.dns_state = "removed"
    clock.now += 0.6
    assert not is_canceled(factory.run(speak))


def test_a_private_record_that_is_gone_leads_to_the_region(emulated: Emulator) -> None:
    """The private endpoint was removed, and its record; the zone serves another resource."""
    link = emulated.custom_domain.replace(".", ".privatelink.", 1)
    factory = SpeechConfigFactory(SpeechSettings(region=emulated.region, ask_service="never"))
    factory.run(speak)
    emulated.service_state = "removed"
    emulated.dns_answers[emulated.custom_domain] = (link,)
    try:
        attempt = factory.attempt(speak)
        assert not is_canceled(attempt.result)
        assert attempt.retried
        with pytest.raises(PrivateDnsRecordMissing):
            SpeechConfigFactory(SpeechSettings(region=emulated.region, language="de-DE")).route()
    finally:
        emulated.dns_answers.clear()


def test_a_region_once_told_is_known_whatever_else_is_set(emulated: Emulator) -> None:
    emulated.state = "removed"
    SpeechConfigFactory(SpeechSettings(route_ttl_min=0)).run(speak)
    emulated.dns_state = "vnet"
    factory = SpeechConfigFactory(SpeechSettings(route_ttl_min=0, route_stale=100))
    assert factory.attempt(speak).retried
    assert not is_canceled(factory.run(speak, dns_timeout=4))


def test_both_refuse_where_dns_has_moved_too(
    factory: SpeechConfigFactory, emulated: Emulator, clock: Clock
) -> None:
    factory.route()
    clock.now += 0.1
    emulated.state = "removed"
    emulated.fail_with(404)
    assert factory.attempt(speak).retried
    clock.now += 0.1
    assert not factory.attempt(speak).retried


def test_a_call_proves_nothing_after_all_was_forgotten(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    factory.route()
    emulated.service_state = "removed"

    def forgetting(config: Any) -> Any:
        result = speak(config)
        factory.invalidate()
        return result

    assert factory.attempt(forgetting).retried
    assert factory.route().kind is PRIVATE


def test_evidence_is_shared_and_forgotten(emulated: Emulator) -> None:
    factories = [SpeechConfigFactory(SpeechSettings(region=emulated.region)) for _ in range(2)]
    alone = SpeechConfigFactory(SpeechSettings(region=emulated.region), observe=observe)
    for factory in (*factories, alone):
        assert factory.route().kind is PRIVATE
    emulated.service_state = "removed"
    assert factories[0].attempt(speak).retried
    assert [factory.route().kind for factory in (*factories, alone)] == [REGIONAL] * 2 + [PRIVATE]
    assert pickle.loads(pickle.dumps(factories[0])).route().kind is REGIONAL  # it is this process
    child = os.fork()
    if child == 0:
        os._exit(factories[1].route().kind is not REGIONAL)
    assert os.waitpid(child, 0)[1] == 0
    factories[1].invalidate()
    assert factories[0].route().kind is PRIVATE


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
    assert refusal(attempt).other


def test_what_only_looks_like_a_success_proves_nothing(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    """Throttled at the other door, or what is no result of the SDK."""
    emulated.service_state = "removed"
    dns_alone = factory.route()

    def throttled(config: Any) -> Any:
        result = speak(config)
        emulated.fail_with(429)
        return result

    attempt = factory.attempt(throttled)
    assert (attempt.retried, attempt.error) == (True, None)
    assert is_canceled(attempt.result)
    factory.invalidate()
    emulated.fail_with(None)
    assert factory.run(lambda config: recognize(config).text) == ""
    assert factory.route().row is dns_alone.row


def test_a_speech_that_has_only_begun_proves_nothing(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    synthesizers: list[Any] = []

    def begin(config: Any) -> Any:
        synthesizers.append(speechsdk.SpeechSynthesizer(config, None))
        return synthesizers[-1].start_speaking_text("Hello")

    emulated.state = "removed"
    begun = factory.attempt(begin, key="0" * 32)
    assert begun.result.reason == speechsdk.ResultReason.SynthesizingAudioStarted
    assert (begun.failure, begun.retried) == (None, False)


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
    assert (attempt.failure, attempt.retried, attempt.error) == ("401", True, None)
    emulated.fail_with(404)
    attempt = factory.attempt(audio_stream)
    assert attempt.result.status == speechsdk.StreamStatus.Canceled
    assert isinstance(attempt.error, RouteRefused)


@pytest.mark.parametrize(("state", "told"), [("removed", "yes"), ("vnet", "no")])
def test_settings_that_decide_are_final_and_named(
    state: str, told: str, emulated: Emulator
) -> None:
    emulated.state = state
    settings = SpeechSettings(private_endpoint=told, region="westeurope", ask_service="always")
    before = len(emulated.requests)
    attempt = SpeechConfigFactory(settings).attempt(speak)
    assert not attempt.retried
    error = refusal(attempt)
    assert error.behind == "settings"
    assert f"SPEECH_PRIVATE_ENDPOINT={told} says so, and no other door is tried" in str(error)
    hosts = {request.host for request in emulated.requests[before:]}
    assert hosts == {attempt.route.host("tts")}


def test_a_region_alone_is_told_to_name_the_custom_domain(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPEECH_ENDPOINT")
    monkeypatch.setenv("SPEECH_REGION", emulated.region)
    error = refusal(SpeechConfigFactory().attempt(speak))
    assert (error.behind, error.failure) == ("settings", "401")
    assert "Set SPEECH_ENDPOINT to the custom domain" in str(error)


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


def test_dns_that_fails_then_changes_nothing(emulated: Emulator, clock: Clock) -> None:
    servers = [emulated.dns_server]

    def sometimes(name: str, **arguments: Any) -> Any:
        patience = arguments["timeout"] if servers == [emulated.dns_server] else 0.2
        return observe(name, **{**arguments, "servers": tuple(servers), "timeout": patience})

    factory = SpeechConfigFactory(
        SpeechSettings(route_ttl_min=1, region=emulated.region),
        observe=cast("Observe", sometimes),
        clock=clock,
    )
    factory.run(speak)
    emulated.state = "removed"
    servers[0] = "127.0.0.1:9"
    assert factory.attempt(speak).retried
    clock.now += 10
    assert factory.attempt(speak).failure is None
    servers[0] = emulated.dns_server
    clock.now += 10
    assert factory.attempt(speak).failure is None
    assert factory.route().row is Row.REGIONAL


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
        results = await asyncio.gather(*(factory.attempt_async(speak_async) for _ in range(3)))
        assert not any(is_canceled(attempt.result) for attempt in results)
        assert {attempt.route.kind for attempt in results} == {REGIONAL}
        emulated.dns_state = "removed"
        clock.now += 10
        assert (await factory.attempt_async(speak_async)).failure is None
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
    emulated.fail_with(404)
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


@pytest.mark.parametrize(
    ("dns_state", "operation", "offering"),
    [("vnet", speak, "tts"), ("removed", speak, "tts"), ("removed", recognize, "stt")],
)
def test_a_token_without_a_resource_id_finds_the_region_where_the_custom_domain_refuses(
    dns_state: str, operation: Callable[[Any], Any], offering: str, emulated: Emulator
) -> None:
    emulated.state = "removed"
    emulated.dns_state = dns_state
    emulated.tokens.add("a-token")
    settings = SpeechSettings(auth="entra", region=emulated.region)
    factory = SpeechConfigFactory(settings, credential=lambda: "a-token")
    attempt = factory.attempt(operation, offering)
    assert not is_canceled(attempt.result)
    assert (attempt.failure, attempt.retried) == ("404", True)
    assert attempt.route.names_custom_domain
    query = [r.query for r in emulated.requests if r.status == 101][-1]
    assert f"Ocp-Apim-Custom-Domain-Name={emulated.custom_domain}" in query
    assert factory.attempt(operation, offering).failure is None  # it is remembered
    emulated.state = "proxy"
    moved = factory.attempt(operation, offering)
    assert not is_canceled(moved.result)
    assert moved.route.is_at_custom_domain


def test_a_token_without_a_resource_id_goes_back_where_the_answer_is_told(
    emulated: Emulator,
) -> None:
    emulated.state = "removed"
    emulated.tokens.add("a-token")
    settings = SpeechSettings(auth="entra", region=emulated.region, private_endpoint="no")
    factory = SpeechConfigFactory(settings, credential=lambda: "a-token")
    for state in ("removed", "vnet", "removed"):
        emulated.state = state
        attempt = factory.attempt(speak, "tts")
        assert not is_canceled(attempt.result)
        assert attempt.retried

"""When routes are looked up, kept, refreshed and outlive DNS; with threads, tasks and forks."""

from __future__ import annotations

import _thread
import asyncio
import gc
import ipaddress
import logging
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import dns.message
import dns.rcode
import pytest

from clients import until
from dns_servers import dns_server, records
from speechroute import Route, RouteKind, SpeechConfigFactory, SpeechSettings, resolve_async
from speechroute._core import tidy
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._network.clock import _boot_time, boot_time
from speechroute._network.flight import Doubt
from speechroute._network.question import Kept, Question
from speechroute._sdk.default import default_factory
from speechroute.emulator import Emulator
from speechroute.errors import CustomDomainNotFound, DnsUnavailable
from unshare import UNSHARE, needs_namespaces

C = "my-speech.cognitiveservices.azure.com"
PRIVATE = ("10.0.0.4",)
LINK = "my-speech.privatelink.cognitiveservices.azure.com"
RESOURCE_ID = "/subscriptions/0/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a{}"
GATEWAY = "westeurope.api.cognitive.microsoft.com"


@dataclass
class Network:
    """Stands for the network: says what it is told to, counts, and can be held up."""

    addresses: tuple[str, ...] = PRIVATE
    chain: tuple[str, ...] = (C, LINK)
    ttl: int = 100
    failure: str = ""
    outcome: Outcome = Outcome.FAILED
    count: int = 0
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    pass_on: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.pass_on.set()

    def __call__(self, name: str, **_: Any) -> DnsView:
        self.count += 1
        self.entered.release()
        assert self.pass_on.wait(60)
        if self.failure:
            return DnsView(Lookup((name,), (), None, self.outcome, self.failure))
        found = tuple(map(ipaddress.ip_address, self.addresses))
        return DnsView(Lookup(self.chain, found, self.ttl, Outcome.ANSWERED))

    def is_removed(self) -> None:
        self.addresses, self.chain = ("13.93.122.1",), (C, GATEWAY)

    def wait_until_asked(self) -> None:
        assert self.entered.acquire(timeout=60)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(network: Network, clock: Clock | None = None, **values: Any) -> SpeechConfigFactory:
    settings = SpeechSettings(**{"key": "any", "endpoint": C, "proxy": "none", **values})
    return SpeechConfigFactory(settings, observe=network, clock=clock)


def until_landed(factory: SpeechConfigFactory) -> None:
    """Wait for the observations that are under way."""
    until(lambda: not factory._resolver._memory.flights)


def in_threads(count: int, call: Callable[[], object]) -> list[threading.Thread]:
    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    return threads


def test_a_late_call_gets_the_route_at_once_and_the_next_one_is_looked_for() -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.route()
    network.is_removed()
    network.pass_on.clear()
    network.entered = threading.Semaphore(0)
    clock.now += 81
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
    assert factory.speech_config().region == ""
    network.wait_until_asked()
    network.pass_on.set()
    until_landed(factory)
    assert network.count == 2
    assert factory.route().kind is RouteKind.REGIONAL
    assert factory.speech_config().region == "westeurope"


def test_an_early_call_looks_for_nothing() -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.route()
    clock.now += 79
    factory.route()
    until_landed(factory)
    assert network.count == 1


def test_a_config_that_was_being_made_while_routes_were_invalidated_is_not_repeated() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)
    threads = in_threads(1, factory.speech_config)
    network.wait_until_asked()
    factory.invalidate()
    network.pass_on.set()
    threads[0].join()
    network.is_removed()
    assert factory.speech_config().region == "westeurope"


def test_no_route_is_used_after_its_time() -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.speech_config()
    network.is_removed()
    clock.now += 100
    assert factory.speech_config().region == "westeurope"


@pytest.mark.parametrize(
    ("ttl", "bounds", "kept"),
    [
        (60, {}, 60),
        (0, {}, 5),
        (86_400, {}, 300),
        (0, {"route_ttl_min": 0}, 0),
        (9, {"route_ttl_max": 7}, 7),
    ],
)
def test_a_route_lives_as_long_as_its_answers_within_the_bounds(
    ttl: int, bounds: dict[str, float], kept: float
) -> None:
    clock = Clock()
    route = make(Network(ttl=ttl), clock, **bounds).route()
    assert (route.expires_at, route.expires_in) == (clock.now + kept, kept)


def test_the_last_known_route_outlives_a_failing_dns_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock, route_stale=50)
    factory.route()
    network.failure = "timed out"
    clock.now += 100
    route = factory.route()
    assert route.kind is RouteKind.PRIVATE_ENDPOINT
    assert len(route.warnings) == 1
    assert "last known route" in route.warnings[0]
    assert "timed out" in route.warnings[0]
    assert factory.speech_config().region == ""
    asked = network.count
    clock.now += 4
    factory.route()
    assert network.count == asked
    network.pass_on.clear()
    clock.now += 1
    assert len(factory.route().warnings) == 1  # at once, while DNS is asked again
    network.pass_on.set()
    until_landed(factory)
    assert network.count == asked + 1
    clock.now += 44
    assert len(factory.route().warnings) == 1
    until_landed(factory)
    clock.now += 1
    with pytest.raises(DnsUnavailable, match="timed out"):
        factory.route()
    until_landed(factory)

    def told() -> list[str]:
        return [r.levelname for r in tuple(caplog.records) if "last known" in r.getMessage()]

    until(lambda: bool(told()))
    assert told() == ["WARNING"]


@pytest.mark.parametrize("stale", [0, 3])
def test_no_route_is_used_longer_than_it_may_be_stale(stale: int) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock, route_stale=stale, route_ttl_min=60)
    factory.route()
    network.failure = "timed out"
    clock.now += 81
    assert factory.route().warnings == ()
    until_landed(factory)
    clock.now += 18
    assert factory.route().warnings == ()
    until_landed(factory)
    clock.now += 1 + stale
    with pytest.raises(DnsUnavailable):
        factory.route()


def _answer(query: dns.message.Message) -> dns.message.Message:
    return records(query, f"{C}. 60 CNAME {LINK}.", f"{LINK}. 60 A 10.0.0.4")


def _refuse(query: dns.message.Message) -> dns.message.Message:
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.SERVFAIL)
    return reply


def _loop(query: dns.message.Message) -> dns.message.Message:
    return records(query, f"{C}. 60 CNAME {C}.")


@pytest.mark.parametrize("trouble", [_refuse, _loop, None], ids=["SERVFAIL", "loop", "silence"])
def test_the_last_known_route_survives_a_real_server_in_trouble(
    trouble: Callable[[dns.message.Message], dns.message.Message] | None,
) -> None:
    behaviour: list[Callable[[dns.message.Message], dns.message.Message] | None] = [_answer]

    def respond(query: dns.message.Message, tcp: bool) -> bytes | None:
        return behaviour[0](query).to_wire() if behaviour[0] else None

    clock = Clock()
    with dns_server(respond) as server:
        settings = SpeechSettings(
            key="any", endpoint=C, proxy="http://127.0.0.1:1", dns_servers=server, dns_timeout=0.5
        )
        factory = SpeechConfigFactory(settings, clock=clock)
        assert factory.route().warnings == ()
        behaviour[0] = trouble
        clock.now += 60
        route = factory.route()
    assert route.kind is RouteKind.PRIVATE_ENDPOINT
    assert "last known route" in route.warnings[0]


def test_a_dns_that_recovers_ends_the_warning() -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.route()
    network.failure = "timed out"
    clock.now += 100
    assert factory.route().warnings
    network.failure = ""
    clock.now += 5
    factory.route()
    until_landed(factory)
    assert factory.route().warnings == ()


def test_an_answer_is_believed_where_a_failure_is_not() -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.route()
    network.failure, network.outcome = "no such name", Outcome.NAME_MISSING
    clock.now += 81
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
    until_landed(factory)
    for _ in range(2):
        with pytest.raises(CustomDomainNotFound):
            factory.route()
    network.failure, network.outcome = "timed out", Outcome.FAILED
    with pytest.raises(DnsUnavailable):
        factory.route()


def test_a_first_failure_has_nothing_to_fall_back_on() -> None:
    with pytest.raises(DnsUnavailable):
        make(Network(failure="timed out")).route()


def test_each_change_is_one_line_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="speechroute")
    network, clock = Network(), Clock()
    factory = make(network, clock, key="canary0123456789")
    for _ in range(3):
        factory.route()
        clock.now += 100
    factory.invalidate()
    network.is_removed()
    factory.route()
    until(lambda: caplog.text.count("Observed") == 4 and "regional" in caplog.text)
    told = [r.getMessage() for r in caplog.records if r.levelname == "INFO"]
    assert [text.split(". ")[0] for text in told] == ["Route: private endpoint", "Route: regional"]
    evidence = [
        r.getMessage()
        for r in caplog.records
        if r.levelname == "DEBUG" and "Observed" in r.getMessage()
    ]
    assert len(evidence) == 4
    assert f"{C} > {GATEWAY} > 13.93.122.1" in evidence[-1]
    assert "canary" not in caplog.text


def test_a_thousand_threads_at_once_cause_one_observation() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)
    kinds: list[RouteKind] = []
    threads = in_threads(1000, lambda: kinds.append(factory.route().kind))
    network.wait_until_asked()
    network.pass_on.set()
    for thread in threads:
        thread.join()
    assert network.count == 1
    assert kinds == [RouteKind.PRIVATE_ENDPOINT] * 1000


def test_a_thousand_tasks_and_some_threads_and_loops_cause_one_observation() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)
    kinds: list[RouteKind] = []

    async def tasks(count: int) -> None:
        routes = await asyncio.gather(*(factory.route_async() for _ in range(count)))
        kinds.extend(route.kind for route in routes)

    threads = in_threads(2, lambda: asyncio.run(tasks(500)))
    threads += in_threads(10, lambda: kinds.append(factory.route().kind))
    network.wait_until_asked()
    network.pass_on.set()
    for thread in threads:
        thread.join()
    assert network.count == 1
    assert len(kinds) == 1010


def test_waiting_does_not_block_the_event_loop() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)

    async def scenario() -> None:
        waiting = asyncio.ensure_future(factory.speech_config_async())
        await asyncio.to_thread(network.wait_until_asked)
        assert not waiting.done()
        network.pass_on.set()
        assert (await waiting).region == ""

    asyncio.run(scenario())


def test_a_cancelled_task_takes_nobody_with_it() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)

    async def scenario() -> None:
        first = asyncio.ensure_future(factory.route_async())
        second = asyncio.ensure_future(factory.route_async())
        await asyncio.to_thread(network.wait_until_asked)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        network.pass_on.set()
        assert (await second).kind is RouteKind.PRIVATE_ENDPOINT

    asyncio.run(scenario())
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
    assert network.count == 1


def test_async_calls_raise_what_sync_calls_raise() -> None:
    factory = make(Network(failure="timed out"))
    with pytest.raises(DnsUnavailable, match="timed out"):
        asyncio.run(factory.translation_config_async(["de"]))


def test_every_async_twin_gives_what_its_sync_one_gives(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    factory = SpeechConfigFactory()

    async def scenario() -> None:
        assert (await resolve_async()).kind is factory.route().kind
        assert await factory.route_async() == factory.route()
        config = await factory.speech_config_async("tts", voice="de-DE-KatjaNeural")
        assert config.speech_synthesis_voice_name == "de-DE-KatjaNeural"
        translation = await factory.translation_config_async(["de", "fr"])
        assert tuple(translation.target_languages) == ("de", "fr")
        endpoint = speechsdk.PropertyId.SpeechServiceConnection_Endpoint
        for made in (config, translation):
            assert made.get_property(endpoint) == f"https://{emulator.custom_domain}/"

    asyncio.run(scenario())


def test_a_caller_that_gives_up_is_no_failure_of_the_others() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)
    kinds: list[RouteKind] = []
    threads = in_threads(1, lambda: kinds.append(factory.route().kind))
    network.wait_until_asked()

    async def impatient() -> None:
        await asyncio.wait_for(factory.route_async(), 0.01)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    network.pass_on.set()
    threads[0].join()
    assert kinds == [RouteKind.PRIVATE_ENDPOINT]


def _route_in_another_process(factory: SpeechConfigFactory) -> str:
    return str(factory.route().kind)


def test_an_observation_that_breaks_off_is_told_to_who_waits_and_the_next_one_works() -> None:
    network = Network()

    def break_off(name: str, **_: Any) -> DnsView:
        raise asyncio.CancelledError

    settings = SpeechSettings(key="any", endpoint=C, proxy="none")
    factory = SpeechConfigFactory(settings, observe=break_off)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="broke off"):
            factory.route()
    factory._resolver._observe = network
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT


def test_a_refresh_that_breaks_off_costs_no_valid_route() -> None:
    clock = Clock()
    factory = make(Network(), clock)
    factory.route()

    def break_off(name: str, **_: Any) -> DnsView:
        raise ZeroDivisionError

    factory._resolver._observe = break_off
    clock.now += 81
    for _ in range(2):
        assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
        until_landed(factory)


class Meddler(logging.Handler):
    """A handler that asks for a route itself, and fails."""

    factory: SpeechConfigFactory | None = None

    def emit(self, record: logging.LogRecord) -> None:
        if self.factory:
            self.factory.route()

    def filter(self, record: logging.LogRecord) -> bool:
        self.emit(record)
        return True


def test_a_handler_of_the_log_may_ask_for_a_route() -> None:
    factory, handler = make(Network()), Meddler()
    handler.factory = factory
    logger = logging.getLogger("speechroute")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
        until_landed(factory)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def test_each_who_waits_raises_an_error_of_its_own() -> None:
    network = Network(failure="timed out")
    network.pass_on.clear()
    factory = make(network)
    errors: list[DnsUnavailable] = []

    def call() -> None:
        try:
            factory.route()
        except DnsUnavailable as error:
            errors.append(error)

    threads = in_threads(20, call)
    network.wait_until_asked()
    network.pass_on.set()
    for thread in threads:
        thread.join()
    assert len({id(error) for error in errors}) == 20
    assert {str(error) for error in errors} == {str(errors[0])}
    assert errors[0].custom_domain == C


def test_a_process_without_threads_left_still_has_its_route(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.route()

    def refuse(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    clock.now += 81
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", refuse)
        assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
        clock.now += 19
        route = factory.route()
        assert "no thread or socket is left (can't start new thread)" in route.warnings[0]
        with pytest.raises(DnsUnavailable, match="no thread or socket is left"):
            factory.route(dns_timeout=1)
    clock.now += 5
    factory.route()
    until_landed(factory)
    assert factory.route().warnings == ()
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT


def test_a_thousand_first_calls_of_the_module_share_one_factory(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("speechroute._sdk.default._default", [])
    ready = threading.Barrier(100)
    factories: list[SpeechConfigFactory] = []

    def call() -> None:
        ready.wait()
        factories.append(default_factory())

    for thread in in_threads(100, call):
        thread.join()
    assert len({id(factory) for factory in factories}) == 1


def test_a_spawned_process_observes_for_itself(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    factory = SpeechConfigFactory()
    assert factory.route().kind is RouteKind.PRIVATE_ENDPOINT
    emulator.state = "removed"
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(_route_in_another_process, (factory,)) == "regional"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_keeps_the_known_route_and_finds_new_ones() -> None:
    network = Network()
    factory = make(network)
    factory.route()
    child = os.fork()
    if child == 0:
        known = network.count
        factory.route()
        unchanged = network.count == known
        factory.invalidate()
        found = factory.route().kind is RouteKind.PRIVATE_ENDPOINT
        os._exit(0 if unchanged and found and network.count == known + 1 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_those_who_want_a_newer_answer_share_the_next_observation() -> None:
    network = Network()
    network.pass_on.clear()
    factory = make(network)
    question = Question.of(factory.settings)
    resolver = factory._resolver
    found: list[Kept] = []
    first = in_threads(5, lambda: found.append(resolver.kept(question)))
    network.wait_until_asked()
    network.is_removed()
    asked = resolver.clock()
    (flight,) = resolver._memory.flights.values()
    newer = in_threads(100, lambda: found.append(resolver.kept(question, since=resolver.clock())))
    until(lambda: len(flight._waiting) >= 105)
    network.pass_on.set()
    for thread in first + newer:
        thread.join(60)
    assert network.count == 2
    assert sum(kept.asked_at > asked for kept in found) >= 100
    assert len(found) == 105


@pytest.mark.parametrize("failure", ["", "timed out"], ids=["DNS answers", "DNS fails"])
def test_after_a_refusal_that_changed_nothing_the_next_look_waits(failure: str) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock, route_ttl_min=5)
    resolver, question = factory._resolver, Question.of(factory.settings)
    resolver.kept(question)
    network.failure = failure

    def refused() -> Kept:
        clock.now += 0.01
        return resolver.kept(question, since=clock.now, doubt=Doubt.REFUSED)

    assert (refused().asked_at == clock.now) is not bool(failure)
    for thread in in_threads(100, refused):
        thread.join(60)
    assert network.count == 2
    clock.now += 5
    refused()
    assert network.count == 3
    resolver.kept(question, since=clock.now)  # who asks for another reason gets an answer
    assert network.count == 4
    network.failure = ""
    network.is_removed()
    clock.now += 5
    assert refused().route.kind is RouteKind.REGIONAL
    before = network.count
    assert refused().route.kind is RouteKind.REGIONAL
    assert network.count == before + 1  # the last look changed something


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> int:
    """A small one of what is kept."""
    monkeypatch.setattr(tidy, "LIMIT", 8)
    return 8


def test_the_factorys_own_route_makes_room_for_no_other(limit: int) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    factory.attempt(lambda _: None)
    for number in range(2 * limit):
        factory.attempt(lambda _: None, route_stale=number)
    network.failure = "timed out"
    clock.now += 100
    assert "last known route" in factory.route().warnings[0]


def test_an_observation_that_cannot_be_kept_is_told_to_who_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda raised: told.append(raised.exc_type))

    class Changing(dict[Any, Any]):
        """As one is that another thread changes in a collection of garbage."""

        def copy(self) -> Any:
            raise RuntimeError("dictionary changed size during iteration")

    factory = make(Network())
    factory._resolver._memory.kept = Changing()
    route = in_time(factory.route)
    assert isinstance(route, Route)
    until(lambda: told == [RuntimeError])
    assert not factory._resolver._memory.flights
    assert factory.route() == route


def in_time(call: Callable[[], object]) -> object:
    """What a call returned or raised; fails if it hangs."""
    outcomes: list[object] = []

    def run() -> None:
        try:
            outcomes.append(call())
        except BaseException as error:  # noqa: BLE001
            outcomes.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(30)
    assert outcomes, "it hangs"
    return outcomes[0]


def test_what_is_kept_is_bounded_and_what_has_expired_is_dropped(limit: int) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    caches: Any = (
        factory._resolver._memory.kept,
        factory._resolver._told,
        factory._maker._histories,
        factory._maker.tokens,
    )
    for number in range(3 * limit):
        factory.route(dns_timeout=1 + number / 1e4)
        factory.attempt(lambda _: None, route_stale=number)
        factory.attempt(lambda _: None, key=f"key-{number}")
        factory.speech_config(auth="entra", key=None, resource_id=RESOURCE_ID.format(number))
    assert all(limit // 2 <= len(cache) <= limit + 1 for cache in caches)
    clock.now += 1e6
    factory.route()
    assert len(caches[0]) == 1


def test_a_newer_answer_that_dns_refuses_is_the_old_one(caplog: pytest.LogCaptureFixture) -> None:
    network, clock = Network(), Clock()
    factory = make(network, clock)
    question = Question.of(factory.settings)
    kept = factory._resolver.kept(question)
    network.failure = "no answer"
    clock.now += 1
    assert factory._resolver.kept(question, since=clock.now).asked_at == kept.asked_at
    assert network.count == 2
    network.failure = ""
    network.is_removed()
    clock.now += 1
    renewed = factory._resolver.kept(question, since=clock.now)
    assert (renewed.asked_at, renewed.route.kind) == (clock.now, RouteKind.REGIONAL)
    assert factory.route().kind is RouteKind.REGIONAL


def test_settings_that_decide_are_never_too_old() -> None:
    network = Network()
    factory = make(network, private_endpoint="yes")
    kept = factory._resolver.kept(Question.of(factory.settings), since=time.monotonic())
    assert kept.route.kind is RouteKind.PRIVATE_ENDPOINT
    assert network.count == 0


def test_a_hanging_lookup_does_not_hold_up_the_end_of_the_process() -> None:
    code = f"""
import socket, threading
from functools import partial
from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute._network.observe import observe

silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
silent.bind(("127.0.0.1", 0))
hang = partial(observe, getaddrinfo=lambda *_: threading.Event().wait())
settings = SpeechSettings(
    key="any", endpoint="{C}", proxy="none", dns_timeout=60,
    dns_servers=f"127.0.0.1:{{silent.getsockname()[1]}}",
)
factory = SpeechConfigFactory(settings, observe=hang)
threading.Thread(target=factory.route, daemon=True).start()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr


def test_a_factory_that_is_gone_leaves_nothing_behind() -> None:
    import weakref

    factory = make(Network())
    factory.route()
    until_landed(factory)
    gone = weakref.ref(factory._resolver)
    del factory
    gc.collect()
    assert gone() is None


@needs_namespaces
def test_routes_grow_old_while_the_machine_sleeps() -> None:
    """A machine that slept for a day, as far as its clocks tell."""
    code = (
        "import time; from speechroute import SpeechConfigFactory, SpeechSettings\n"
        "factory = SpeechConfigFactory(SpeechSettings(key='any', endpoint='x'))\n"
        "print(factory._resolver.clock() - time.monotonic())"
    )
    slept = [*UNSHARE, "--time", "--boottime", "86400", sys.executable, "-c", code]
    done = subprocess.run(slept, capture_output=True, text=True, timeout=50)
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) > 86_000


def test_where_the_system_has_no_such_clock_another_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _boot_time()() == pytest.approx(boot_time(), abs=60)
    monkeypatch.delattr(time, "clock_gettime")
    assert _boot_time() is time.monotonic

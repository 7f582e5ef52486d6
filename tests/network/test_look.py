"""Who is asked for a route: DNS, and the service where DNS leaves a doubt."""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import pytest

from clients import until
from places import WAV
from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings
from speechroute._core.service import ServiceAnswer, no_answer
from speechroute._core.verdict import Decision, Row
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._network.flight import Doubt
from speechroute._network.proxy import Proxy
from speechroute._network.question import Question
from speechroute._network.resolver import RouteResolver
from speechroute.emulator import Emulator, Generation
from speechroute.errors import CustomDomainNotFound, RouteUndecided

C = "my-speech.cognitiveservices.azure.com"
LINK = "my-speech.privatelink.cognitiveservices.azure.com"
GATEWAY = "westeurope.api.cognitive.microsoft.com"
UNNAMED_GATEWAY = "cognitiveweprod.azure-api.net"


def answered(*chain: str, address: str = "13.69.67.71") -> Lookup:
    return Lookup((C, *chain), (ipaddress.ip_address(address),), 60, Outcome.ANSWERED)


SETTLED = {
    "VNet": answered(LINK, address="10.0.0.4"),
    "outside": answered(LINK, "westeurope.prod.vnet.cog.trafficmanager.net"),
    "removed": answered(GATEWAY),
}
IN_DOUBT = {
    "flattened": answered(),
    "fake address": answered(address="198.18.0.7"),
    "failed": Lookup((C,), (), None, Outcome.FAILED, "SERVFAIL"),
    "region unknown": answered(UNNAMED_GATEWAY),
}
REGION = ServiceAnswer(Decision.REGIONAL, "westeurope", "200 with a URL of westeurope")


class Service:
    """Stands for the service: counts, and tells what it was asked through."""

    def __init__(self, answer: ServiceAnswer = REGION) -> None:
        self.answer = answer
        self.proxies: list[Proxy | None] = []
        self.before: Callable[[], object] = lambda: None

    def __call__(
        self, custom_domain: str, cloud: Any, proxy: Proxy | None, deadline: float
    ) -> ServiceAnswer:
        assert custom_domain == C
        self.proxies.append(proxy)
        self.before()
        return self.answer


@pytest.fixture
def service() -> Service:
    return Service()


def resolver_of(lookup: Lookup, service: Service, **settings: Any) -> tuple[RouteResolver, Any]:
    given = {"key": "0" * 32, "endpoint": C, **settings}
    resolver = RouteResolver(lambda *_, **__: DnsView(lookup), ask=service)
    return resolver, Question.of(SpeechSettings(**given))


@pytest.mark.parametrize("lookup", SETTLED.values(), ids=SETTLED)
def test_in_a_settled_state_nobody_is_asked(lookup: Lookup, service: Service) -> None:
    resolver, question = resolver_of(lookup, service)
    kept = resolver.kept(question)
    resolver.kept(question, kept.asked_at, doubt=Doubt.REFUSED)  # which is about the key
    assert service.proxies == []


@pytest.mark.parametrize("lookup", IN_DOUBT.values(), ids=IN_DOUBT)
def test_in_doubt_the_service_is_asked_once_and_believed(lookup: Lookup, service: Service) -> None:
    resolver, question = resolver_of(lookup, service)
    route = resolver.kept(question).route
    assert (route.kind, route.region) == (RouteKind.REGIONAL, "westeurope")
    assert route.row is (Row.REGIONAL if lookup is IN_DOUBT["region unknown"] else Row.SERVICE)
    assert service.proxies == [None]


def test_a_refusal_that_may_mean_the_route_asks(service: Service) -> None:
    resolver, question = resolver_of(SETTLED["VNet"], service)
    assert resolver.kept(question).route.kind is RouteKind.PRIVATE_ENDPOINT
    kept = resolver.kept(question, resolver.clock(), doubt=Doubt.MAY_HAVE_MOVED)
    assert (kept.route.row, kept.route.region) == (Row.SERVICE, "westeurope")
    assert service.proxies == [None]


@pytest.mark.parametrize(
    ("policy", "lookup", "count"),
    [("always", SETTLED["VNet"], 1), ("never", IN_DOUBT["flattened"], 0)],
)
def test_people_say_when_it_is_asked(
    policy: str, lookup: Lookup, count: int, service: Service
) -> None:
    choices = {"ask_service": policy, "when_undecided": "private"}
    resolver, question = resolver_of(lookup, service, **choices)
    route = resolver.kept(question).route
    assert route.row is (Row.SERVICE if count else Row.UNDECIDED)
    assert len(service.proxies) == count


def test_no_answer_leaves_it_to_the_settings(service: Service) -> None:
    service.answer = no_answer("503")
    resolver, question = resolver_of(IN_DOUBT["flattened"], service)
    with pytest.raises(RouteUndecided, match="set SPEECH_PRIVATE_ENDPOINT"):
        resolver.kept(question)
    resolver, question = resolver_of(IN_DOUBT["flattened"], service, when_undecided="private")
    assert resolver.kept(question).route.row is Row.UNDECIDED


def test_no_answer_later_is_no_other_answer(service: Service) -> None:
    resolver, question = resolver_of(IN_DOUBT["flattened"], service)
    resolver.kept(question)
    service.answer = no_answer("503")
    kept = resolver.kept(question, resolver.clock())
    assert (kept.route.row, len(service.proxies)) == (Row.SERVICE, 2)


def test_the_proxy_of_the_environment_leads_there_but_not_into_this_network(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    for lookup in (SETTLED["VNet"], SETTLED["removed"]):
        resolver, question = resolver_of(lookup, service, ask_service="always")
        resolver.kept(question)
    assert service.proxies == [None, Proxy("127.0.0.1", 3128)]
    monkeypatch.setenv("HTTPS_PROXY", "socks5://127.0.0.1:3128")  # told where a config is made
    service.answer = no_answer("not to be asked")
    resolver, question = resolver_of(SETTLED["removed"], service, ask_service="always")
    assert resolver.kept(question).route.row is Row.REGIONAL
    assert len(service.proxies) == 2


@pytest.fixture
def silent(service: Service) -> Iterator[Service]:
    """A service that says nothing until the test is over."""
    over = threading.Event()
    service.before = over.wait
    yield service
    over.set()


def test_a_service_that_keeps_silent_costs_the_budget_at_most(silent: Service) -> None:
    resolver, question = resolver_of(
        IN_DOUBT["flattened"], silent, dns_timeout=0.2, when_undecided="regional", region="eastus"
    )
    kept = resolver.kept(question)
    assert (kept.route.row, kept.route.region) == (Row.UNDECIDED, "eastus")
    assert resolver.clock() - kept.asked_at < 5


def test_dns_that_keeps_silent_leaves_the_service_time(service: Service) -> None:
    is_asked = threading.Event()
    service.before = is_asked.set

    def silent(name: str, **arguments: Any) -> DnsView:
        assert is_asked.wait(60)
        return DnsView(IN_DOUBT["failed"])

    resolver = RouteResolver(silent, ask=service)
    settings = SpeechSettings(key="0" * 32, endpoint=C, dns_timeout=0.2)
    assert resolver.kept(Question.of(settings)).route.row is Row.SERVICE


def spoken(factory: SpeechConfigFactory) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    result = factory.run(lambda c: speechsdk.SpeechRecognizer(c, audio).recognize_once())
    return result.reason


@pytest.mark.parametrize("state", ["vnet", "removed"])
def test_where_only_the_proxy_knows_names_no_setting_is_needed(
    state: str, emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """DNS denies the name; the service is asked through the proxy, before any error."""
    caplog.set_level(logging.DEBUG, "speechroute")
    emulated.state = state
    emulated.dns_answers[emulated.custom_domain] = ("nowhere.example",)
    emulated.generation = Generation("2026")
    factory = SpeechConfigFactory()
    try:
        assert spoken(factory) == speechsdk.ResultReason.RecognizedSpeech
        assert factory.route().row is Row.SERVICE
        asked = [r for r in emulated.requests if "GenerateRedirectResponse" in r.query]
        assert asked
        assert {request.credential for request in asked} == {"none"}
    finally:
        emulated.dns_answers.clear()
        emulated.generation = Generation("2024")


class Changing:
    """What DNS says now, and the clock."""

    def __init__(self, lookup: Lookup) -> None:
        self.lookup, self.now = lookup, 1000.0

    def __call__(self, *_: Any, **__: Any) -> DnsView:
        return DnsView(self.lookup)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def changing(service: Service) -> tuple[Changing, RouteResolver, Question]:
    dns = Changing(SETTLED["VNet"])
    settings = SpeechSettings(key="0" * 32, endpoint=C)
    return dns, RouteResolver(dns, dns.clock, service), Question.of(settings)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (ServiceAnswer(Decision.PRIVATE_ENDPOINT, None, "401"), RouteKind.PRIVATE_ENDPOINT),
        (ServiceAnswer(Decision.REGIONAL, None, "404"), RouteKind.PRIVATE_ENDPOINT),
        (REGION, RouteKind.REGIONAL),
    ],
    ids=["custom domain", "region unknown", "region"],
)
def test_dns_that_fails_changes_nothing_but_what_the_service_says(
    answer: ServiceAnswer,
    kind: RouteKind,
    changing: tuple[Changing, RouteResolver, Question],
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    dns, resolver, question = changing
    assert resolver.kept(question).route.is_direct
    dns.lookup, service.answer = IN_DOUBT["failed"], answer
    for _ in range(2):
        dns.now += 400
        kept = resolver.kept(question, dns.now - 1)
        assert (kept.route.kind, kept.is_last_known) == (kind, True)
        assert kept.route.is_direct is (kind is RouteKind.PRIVATE_ENDPOINT)
    assert None in service.proxies  # into this network past the proxy of the environment
    left = any("left for the region" in told for told in kept.route.warnings)
    assert left is (kind is RouteKind.REGIONAL)


def test_a_private_address_that_is_left_is_a_warning(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    resolver, question = resolver_of(SETTLED["VNet"], service, ask_service="always")
    assert "left for the region" in resolver.kept(question).route.warnings[-1]

    def told() -> list[int]:
        return [r.levelno for r in caplog.records if r.getMessage().startswith("Route:")]

    until(lambda: bool(told()))  # who waits for a route does not wait for the log
    assert told() == [logging.WARNING]


def test_a_region_that_is_told_later_is_taken(
    changing: tuple[Changing, RouteResolver, Question], service: Service
) -> None:
    dns, resolver, question = changing
    dns.lookup = IN_DOUBT["flattened"]
    service.answer = ServiceAnswer(Decision.REGIONAL, None, "404")
    with pytest.raises(RouteUndecided, match="set SPEECH_REGION"):
        resolver.kept(question)
    service.answer = REGION
    dns.now += 1
    assert resolver.kept(question).route.region == "westeurope"


def test_a_refusal_of_the_key_holds_up_no_look_for_the_route(
    changing: tuple[Changing, RouteResolver, Question],
) -> None:
    dns, resolver, question = changing
    resolver.kept(question)
    dns.now += 1
    resolver.kept(question, dns.now - 0.5, doubt=Doubt.REFUSED)
    dns.lookup = SETTLED["removed"]
    dns.now += 0.1
    resolver.kept(question, dns.now, doubt=Doubt.REFUSED)  # is held up
    assert resolver.kept(question).route.kind is RouteKind.PRIVATE_ENDPOINT
    kept = resolver.kept(question, dns.now, doubt=Doubt.MAY_HAVE_MOVED)
    assert kept.route.kind is RouteKind.REGIONAL


def test_without_a_proxy_a_name_that_does_not_exist_is_not_asked_about(service: Service) -> None:
    resolver, question = resolver_of(Lookup((C,), (), None, Outcome.NAME_MISSING), service)
    with pytest.raises(CustomDomainNotFound):
        resolver.kept(question)
    assert service.proxies == []

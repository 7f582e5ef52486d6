"""The steps of a check, in order, each within what is left of the budget."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, wait
from functools import partial
from importlib.metadata import requires, version
from typing import Any
from urllib.parse import urlsplit

from .._core import urls
from .._core.answer import NOT_FOUND, UNAUTHORIZED, Answer, Stage
from .._core.choices import PrivateEndpoint
from .._core.classify import classify, without_dns
from .._core.clouds import CLOUDS, Offering, cloud_of_region, recognise_host
from .._core.errors import (
    CustomDomainNotFound,
    Problem,
    RoutingError,
    SettingsError,
    TokenUnavailable,
)
from .._core.route import NAMES_CUSTOM_DOMAIN, Route, RouteKind
from .._core.verdict import Row, Verdict
from .._core.view import DnsView, Outcome
from .._network.observe import observe
from .._network.probe import ask
from .._network.question import Question, decided
from .._network.resolve import with_settings
from .._network.resolver import RouteResolver
from .._sdk.token import TokenSource
from .._sdk.tokens import Tokens
from .._settings.model import SpeechSettings
from .asking import LATE, Asking
from .doors import VOICES, doors_of, proxy_for
from .evidence import does_lead_on
from .facts import Facts

_SDK = "azure-cognitiveservices-speech"
_KEY_HEADER = "Ocp-Apim-Subscription-Key"
_LEAST_S = 0.1
_PATIENCE_S = 1.0
"""For the service, which is asked all the time, once everything else was looked at."""
_RESERVE_S = 0.2
"""Kept back of the budget, so that a request that runs out of time can still say so."""


class Looking:
    """One check.

    Args:
        facts: what is seen is added to it.
        budget: seconds for everything.
        begin: told the name of each step.
        end: told it again, and how long the step took, seconds.
    """

    def __init__(
        self,
        facts: Facts,
        budget: float,
        begin: Callable[[str], None],
        end: Callable[[str, float], None],
    ) -> None:
        self._facts, self._begin, self._end = facts, begin, end
        self._deadline = time.monotonic() + budget
        self._asking: Asking | None = None

    def run(self, *, probes: bool, with_key: bool) -> None:
        """Look at everything; what Ctrl-C leaves out is empty."""
        facts = self._facts
        with contextlib.suppress(KeyboardInterrupt):
            with self._step("settings"):
                self._settings()
            if facts.settings is not None:
                with self._step("DNS"):
                    self._route(facts.settings)
                self._look_at_doors(facts.settings, probes=probes, with_key=with_key)
            facts.is_complete = True
        if self._asking is not None and facts.service is None:
            facts.service = self._asking.answer()

    def _look_at_doors(self, settings: SpeechSettings, *, probes: bool, with_key: bool) -> None:
        facts, route = self._facts, self._facts.route
        if route is not None:
            try:
                facts.doors = doors_of(route, settings)
            except SettingsError as error:  # a proxy of the environment that cannot be used
                facts.problems = error.problems
            if facts.doors and (probes or with_key):
                with self._step("doors"):
                    self._probe(route, settings)
        if self._asking is not None:
            with self._step("service"):
                facts.service = self._asking.answer(min(_PATIENCE_S, self._left())) or LATE
        if route is not None and facts.doors and with_key:
            with self._step("key"):
                self._try_key(route, settings)

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.monotonic()
        self._begin(name)
        try:
            yield
        finally:
            seconds = time.monotonic() - started
            self._facts.steps[name] = round(seconds, 3)
            self._end(name, seconds)

    def _left(self) -> float:
        return max(_LEAST_S, self._deadline - time.monotonic())

    def _settings(self) -> None:
        self._facts.sdk_version = version(_SDK)
        floors = (text.partition(">=")[2] for text in requires("speechroute") or () if _SDK in text)
        self._facts.sdk_floor = next(floors, "")
        found: dict[str, Any] = {}
        try:
            self._together({"settings": SpeechSettings}, found)  # a vault may hang
        except SettingsError as error:
            self._facts.problems = error.problems
            return
        self._facts.settings = found.get("settings")
        if not found:
            late = "no answer in time", "a vault that answers"
            remedy = "see whether this network reaches it, or set SPEECH_KEY"
            self._facts.problems = (Problem("SPEECH_KEY_VAULT", *late, remedy),)

    def _route(self, settings: SpeechSettings) -> None:
        seen: list[DnsView] = []

        def remember(name: str, **options: Any) -> DnsView:
            seen.append(observe(name, **options))
            return seen[0]

        settings = settings.override(dns_timeout=min(settings.dns_timeout, self._left()))
        facts, question = self._facts, Question.of(settings)
        if question.resource.custom_domain:
            self._asking = Asking(question, time.monotonic() + settings.dns_timeout)
        resolver = RouteResolver(remember, ask=self._asking)
        try:
            kept = resolver.kept(question)
        except RoutingError as error:
            facts.error = error
        else:
            facts.route = with_settings(kept, settings, resolver.clock())
        verdict = without_dns(question.resource, question.told)
        facts.row = verdict.row if verdict else None
        is_told = question.told is not PrivateEndpoint.AUTO
        if is_told and question.resource.custom_domain and not seen:
            seconds = min(settings.dns_timeout, self._left() / 3)  # the doors matter more
            anyway = question._replace(told=PrivateEndpoint.AUTO, dns_timeout=seconds)
            with contextlib.suppress(RoutingError):
                RouteResolver(remember).kept(anyway)
        if seen:
            evidence = resolver.learned.evidence(question)
            self._read(seen[0], question, verdict or decided(question, seen[0], evidence))
        is_told_yes = facts.row is Row.TOLD_YES
        failed = facts.dns_says.error if facts.dns_says and is_told_yes else facts.error
        if isinstance(failed, CustomDomainNotFound):
            facts.elsewhere = self._in_other_clouds(failed.custom_domain, settings)

    def _read(self, view: DnsView, question: Question, verdict: Verdict) -> None:
        """What DNS says by itself, beside the verdict."""
        facts, by_dns = self._facts, decided(question, view)
        if question.told is not PrivateEndpoint.AUTO:
            # By itself: where the system says something else, that is another finding.
            facts.dns_says = by_dns = classify(view._replace(system=None), question.resource)
        elif verdict.row is Row.SERVICE:
            facts.outweighed = by_dns
        facts.view, facts.row, facts.decided_by = view, verdict.row, verdict.decided_by
        facts.dns_region = by_dns.region
        if self._asking is not None:
            is_direct = any(each.row.is_direct for each in (verdict, by_dns))
            self._asking.begin(is_direct=is_direct)

    def _in_other_clouds(self, custom_domain: str, settings: SpeechSettings) -> tuple[str, ...]:
        """The custom domains of the same name in the other clouds that exist."""
        label, host = custom_domain.partition(".")[0], recognise_host(custom_domain)
        names = [
            f"{label}.{cloud.custom_domain_suffixes[0]}"
            for cloud in CLOUDS
            if host and cloud is not host.cloud
        ]

        def exists(name: str) -> bool:
            timeout = min(settings.dns_timeout, self._left())
            view = observe(name, servers=settings.dns_servers, timeout=timeout, ask_system=False)
            return view.dns.outcome is Outcome.ANSWERED

        found: dict[str, bool] = {}
        self._together({name: partial(exists, name) for name in names}, found)
        return tuple(name for name in names if found.get(name))

    def _together(self, calls: Mapping[str, Callable[[], Any]], found: dict[str, Any]) -> None:
        """Add what calls return that run side by side; not what takes too long, or Ctrl-C ends."""
        futures: dict[str, Future[Any]] = {name: Future() for name in calls}

        def run(name: str) -> None:
            try:
                futures[name].set_result(calls[name]())
            except BaseException as error:  # noqa: BLE001  # a thread hands on whatever happens
                futures[name].set_exception(error)

        for name in calls:
            # Daemons: a lookup of the system cannot be cancelled.
            threading.Thread(target=run, args=(name,), daemon=True).start()
        try:
            wait(futures.values(), self._left())
        finally:
            for name, future in futures.items():
                if future.done():
                    found[name] = future.result()

    def _ask(self, url: str, route: Route, settings: SpeechSettings, **more: Any) -> Answer:
        try:
            proxy = proxy_for(url, route, settings).proxy
            return ask(url, proxy, self._deadline - _RESERVE_S, **more)
        except Exception as error:  # noqa: BLE001  # one odd door must not cost the report
            return Answer(Stage.HTTP, f"the request failed ({type(error).__name__})")

    def _probe(self, route: Route, settings: SpeechSettings) -> None:
        facts = self._facts
        calls = {
            door.url: partial(
                self._ask,
                door.url,
                route,
                settings,
                method="POST" if door.client == "token" else "GET",
            )
            for door in facts.doors
            if door.url
        }
        other = ""
        if not route.is_at_custom_domain and route.custom_domain:
            other = f"wss://{route.custom_domain}{urls.SDK_STT}"
            calls[other] = partial(self._ask, other, route, settings)
        try:
            self._together(calls, facts.answers)
            for url in calls.keys() - facts.answers.keys():
                facts.answers[url] = Answer(Stage.HTTP, "no answer in time")
        finally:
            facts.private_door = facts.answers.pop(other, None)

    def _try_key(self, route: Route, settings: SpeechSettings) -> None:
        facts = self._facts
        voices = [door.url for door in facts.doors if door.client == "voices list"]
        if not voices:
            return
        host = urlsplit(voices[0]).netloc
        self._ask_with_key(host, voices[0], route, settings)
        answer = facts.key_answers.get(host)
        if answer is None:
            return
        if answer.status not in (UNAUTHORIZED, NOT_FOUND, None) or settings.is_entra:
            return
        # Does another region, or the region, take it?
        region = facts.dns_region or route.region or (facts.service and facts.service.region)
        is_there = region == route.region and route.kind is RouteKind.REGIONAL
        url = voices[0]
        if region and not is_there:
            host = cloud_of_region(region).offering_host(region, Offering.TTS)
            url = f"https://{host}/{VOICES}"
            self._ask_with_key(host, url, route, settings)
        if facts.key_answers[host].status == UNAUTHORIZED and does_lead_on(facts):
            # Perhaps only from those whom the custom domain leads there (assumed: AZ-REGION-NAMED).
            url += f"?{NAMES_CUSTOM_DOMAIN}={route.custom_domain}"
            facts.key_as_redirected = self._with_key_in_time(url, route, settings)

    def _ask_with_key(self, host: str, url: str, route: Route, settings: SpeechSettings) -> None:
        try:
            answer = self._with_key_in_time(url, route, settings)
        except TokenUnavailable as error:
            self._facts.no_token = str(error).partition("\n")[0]
            return
        self._facts.key_answers[host] = answer

    def _with_key_in_time(self, url: str, route: Route, settings: SpeechSettings) -> Answer:
        found: dict[str, Answer] = {}
        # A credential may hang as long as it likes.
        self._together({url: partial(self._with_key, url, route, settings)}, found)
        return found.get(url, Answer(Stage.HTTP, "no answer in time"))

    def _with_key(self, url: str, route: Route, settings: SpeechSettings) -> Answer:
        headers = {_KEY_HEADER: settings.key.get_secret_value()}
        if settings.is_entra:
            cloud = settings.resource.cloud
            if route.is_at_custom_domain:
                token = TokenSource(None, cloud).ask().token
            else:
                token = Tokens(None, cloud, settings.resource_id).authorization()
            headers = {"Authorization": f"Bearer {token}"}
        return self._ask(url, route, settings, headers=headers)

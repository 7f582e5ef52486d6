"""`RouteResolver`: routes, kept for as long as DNS allows and looked up once."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import NamedTuple

from ._dns import DnsView, Lookup, Observe, observe
from ._proxy import environment_proxy, resolves_names
from ._resource import Resource
from ._route import Route, RouteKind
from ._settings import SpeechSettings
from ._values import PrivateEndpoint, WhenUndecided
from ._verdict import Row, classify, without_dns
from .errors import DnsUnavailable, RoutingError, SpeechRouteError

_log = logging.getLogger("speechroute")
# Nothing on standard error unless the program sets up logging.
_log.addHandler(logging.NullHandler())

_REFRESH_SHARE = 0.8
"""Share of a route's life after which a call looks for the next one in the background, so that
no call has to wait while calls keep coming."""

Clock = Callable[[], float]


class Question(NamedTuple):
    """What a route depends on: two settings with the same question share one answer."""

    resource: Resource
    told: PrivateEndpoint
    when_undecided: WhenUndecided
    dns_servers: tuple[str, ...]
    dns_timeout: float
    ask_system: bool
    is_proxied: bool
    ttl_min: float
    ttl_max: float
    stale: float

    @classmethod
    def of(cls, settings: SpeechSettings) -> Question:
        return cls(
            settings.resource,
            settings.private_endpoint,
            settings.when_undecided,
            settings.dns_servers,
            settings.dns_timeout,
            ask_system=not resolves_names(settings.proxy.get_secret_value()),
            is_proxied=settings.proxy.get_secret_value() != "none",
            ttl_min=settings.route_ttl_min,
            ttl_max=settings.route_ttl_max,
            stale=settings.route_stale,
        )


class Kept(NamedTuple):
    """A route in the cache.

    Attributes:
        route: the route.
        asked_at: when its observation began; infinity where the settings decide.
        refresh_at: when a call starts to look for the next one.
        usable_until: when calls wait for the next one.
        good_until: how long it may be used if DNS fails from then on.
        is_last_known: DNS failed, and this is what it said before.
    """

    route: Route
    asked_at: float
    refresh_at: float
    usable_until: float
    good_until: float
    is_last_known: bool = False


class _Flight(NamedTuple):
    """An observation that is under way."""

    asked_at: float
    landing: Future[Kept | BaseException]


_ALWAYS = float("-inf")
_FOREVER = float("inf")


class RouteResolver:
    """Answers questions for routes from a cache, and observes where it has no fresh answer.

    One observation at a time for each question, whatever the number of threads, tasks and event
    loops: who comes while it runs waits for it and shares its outcome. It runs in a daemon
    thread, so that neither Ctrl-C nor the end of the process waits for it. After ``fork`` the
    child observes for itself.

    A call late in a route's life gets that route at once, and starts the next observation. If
    DNS fails, the last known route is used for ``stale`` seconds more, with a warning, and DNS
    is asked again in the background. An answer that leaves no way is no failure: it is raised.

    Args:
        observe: looks at DNS; default: `speechroute._dns.observe`.
        clock: seconds that never run backwards; default: ``time.monotonic``.
    """

    def __init__(self, observe: Observe = observe, clock: Clock = time.monotonic) -> None:
        self._observe = observe
        self.clock = clock
        self._kept: dict[Question, Kept] = {}
        self._told: dict[Question, tuple[str, str | None, bool]] = {}
        self._reset()
        _resolvers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Question, _Flight] = {}
        self._queued: dict[Question, Future[Kept | BaseException]] = {}

    def kept(self, question: Question, since: float = _ALWAYS) -> Kept:
        """The route that is valid now, and until when it may be used without asking again.

        Args:
            question: what is asked.
            since: observations that began before are too old, seconds on `clock`. If DNS fails,
                the answer may be older nevertheless, as its ``asked_at`` tells.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        kept = self._usable(question, since)
        return kept or _kept_of(self._flight(question, since).result())

    async def kept_async(self, question: Question, since: float = _ALWAYS) -> Kept:
        """As `kept`, without blocking the event loop. Cancelling it cancels no observation."""
        kept = self._usable(question, since)
        if kept is None:
            kept = _kept_of(await asyncio.wrap_future(self._flight(question, since)))
        return kept

    def invalidate(self) -> None:
        """Forget every route, so that the next call looks again."""
        with self._lock:
            self._kept.clear()
            self._flights.clear()

    def _usable(self, question: Question, since: float) -> Kept | None:
        """A route that needs no waiting: known, or decided by the settings alone."""
        kept = self._kept.get(question)
        if kept is None:
            verdict = without_dns(question.resource, question.told)
            if verdict is None:
                return None
            route = Route.of(verdict, question.resource, None, _FOREVER)
            kept = self._kept[question] = Kept(route, _FOREVER, _FOREVER, _FOREVER, _FOREVER)
            self._tell(question, route)
        now = self.clock()
        if now >= kept.usable_until or kept.asked_at <= since:
            return None
        if now >= kept.refresh_at:
            # A process that is out of threads still has a route.
            with contextlib.suppress(RuntimeError):
                self._flight(question, since)
        return kept

    def _flight(self, question: Question, since: float) -> Future[Kept | BaseException]:
        """The observation that is under way, the next one if that is too old, or a new one."""
        with self._lock:
            flight = self._flights.get(question)
            if flight is not None and flight.asked_at > since:
                return flight.landing
            if question in self._queued:
                return self._queued[question]
            landing: Future[Kept | BaseException] = Future()
            # Many wait for it: none of them may cancel it.
            landing.set_running_or_notify_cancel()
            if flight is not None:
                self._queued[question] = landing
                return landing
            kept, now = self._kept.get(question), self.clock()
            if kept is not None and now < kept.refresh_at and kept.asked_at > since:
                # It landed between the caller's look at the cache and this one.
                landing.set_result(kept)
                return landing
            flight = _Flight(now, landing)
            self._launch(question, flight)
            self._flights[question] = flight
            return landing

    def _launch(self, question: Question, flight: _Flight) -> None:
        thread = threading.Thread(
            target=self._fly, args=(question, flight), name="speechroute-resolver", daemon=True
        )
        thread.start()

    def _fly(self, question: Question, flight: _Flight) -> None:
        """Observe, and tell everybody who waits, whatever happens."""
        outcome: Kept | BaseException
        try:
            outcome = self._find(question, flight.asked_at)
        except DnsUnavailable as error:
            outcome = self._last_known(question, error) or error
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            outcome = error
        before = following = None
        with self._lock:
            # Not so if the routes were invalidated while this one was looked for.
            if self._flights.get(question) is flight:
                del self._flights[question]
                before = self._kept.get(question)
                if isinstance(outcome, Kept):
                    self._kept[question] = outcome
                elif isinstance(outcome, SpeechRouteError):
                    # An answer that leaves no way, or a last known route that is too old.
                    self._kept.pop(question, None)
            if question in self._queued:
                following = _Flight(self.clock(), self._queued.pop(question))
                self._flights[question] = following
        flight.landing.set_result(outcome)
        if following:
            try:
                self._launch(question, following)
            except RuntimeError:  # out of threads: this one is free
                self._fly(question, following)
        # Last, and without the lock: a handler of the log may take long, fail, or ask for a route.
        self._report(question, outcome, before)

    def _report(
        self, question: Question, outcome: Kept | BaseException, before: Kept | None
    ) -> None:
        """What is new, in the log."""
        if not isinstance(outcome, Kept):
            _log.warning("No route: %s", outcome)
        elif not outcome.is_last_known:
            self._tell(question, outcome.route)
        elif before is None or not before.is_last_known:
            _log.warning("Using the last known route: %s", outcome.route.warnings[-1])

    def _last_known(self, question: Question, error: DnsUnavailable) -> Kept | None:
        """The last known route, if it is not too old."""
        kept, now = self._kept.get(question), self.clock()
        if kept is None or now >= kept.good_until:
            return None
        again_at = now + question.ttl_min
        if now < kept.usable_until and not kept.is_last_known:
            return kept._replace(refresh_at=min(again_at, kept.usable_until))
        told = kept.route.warnings[:-1] if kept.is_last_known else kept.route.warnings
        warning = f"DNS fails, so this is the last known route. {error}"
        route = replace(kept.route, warnings=(*told, warning), expires_at=again_at)
        until = kept.good_until
        again_at = min(again_at, until)
        return Kept(route, kept.asked_at, again_at, until, until, is_last_known=True)

    def _tell(self, question: Question, route: Route) -> None:
        """One line in the log where the route changes."""
        now = str(route.kind), route.region, route.is_direct
        if self._told.get(question) != now:
            self._told[question] = now
            _log.info("Route: %s. %s", route.kind, route.reason)

    def _find(self, question: Question, asked_at: float) -> Kept:
        resource = question.resource
        region = resource.region
        view = self._observe(
            resource.custom_domain or "",
            region_api_host=resource.cloud.api_host(region) if region else None,
            servers=question.dns_servers,
            timeout=question.dns_timeout,
            ask_system=question.ask_system,
        )
        _log_evidence(view)
        verdict = classify(
            view, resource, told=question.told, when_undecided=question.when_undecided
        )
        if verdict.row in _OF_PROXY_ONLY_NETWORKS and _leads_out(question):
            verdict = verdict._replace(error=_with_hint(verdict.error))
        ttl = 0 if view.dns.ttl is None else view.dns.ttl
        life = min(max(ttl, question.ttl_min), question.ttl_max)
        now = self.clock()
        route = Route.of(verdict, resource, view, now + life)
        until = now + life
        refresh_at = now + life * _REFRESH_SHARE
        return Kept(route, asked_at, refresh_at, until, until + question.stale)


_OF_PROXY_ONLY_NETWORKS = (Row.CUSTOM_DOMAIN_MISSING, Row.DNS_UNAVAILABLE)


def _leads_out(question: Question) -> bool:
    """Whether a proxy leads out of a network whose DNS may not know public names."""
    return question.is_proxied and (not question.ask_system or bool(environment_proxy()))


def _with_hint(error: SpeechRouteError | None) -> SpeechRouteError | None:
    if not isinstance(error, RoutingError):
        return error
    return type(error).of(
        f"{error} A proxy is set: where only the proxy resolves public names, DNS cannot tell the "
        "route. Then set SPEECH_PRIVATE_ENDPOINT=yes, or SPEECH_PRIVATE_ENDPOINT=no and "
        "SPEECH_REGION.",
        custom_domain=error.custom_domain,
        name=error.name,
    )


def _kept_of(outcome: Kept | BaseException) -> Kept:
    """What an observation gave, or a copy of its error: each who waited raises one of its own."""
    if isinstance(outcome, SpeechRouteError):
        raise copy.copy(outcome)
    if not isinstance(outcome, Kept):
        message = f"the observation broke off: {outcome!r}"
        raise RuntimeError(message) from outcome  # noqa: TRY004  # no type of an argument
    return outcome


def _log_evidence(view: DnsView) -> None:
    if not _log.isEnabledFor(logging.DEBUG):
        return

    def told(lookup: Lookup | None) -> str:
        if lookup is None:
            return "not asked"
        found = ", ".join(map(str, lookup.addresses)) or lookup.failure or lookup.outcome
        return f"{' > '.join(lookup.chain)} > {found}"

    _log.debug(
        "Observed in %.3f s: DNS %s; system %s; region %s",
        view.seconds,
        told(view.dns),
        told(view.system),
        told(view.region_api),
    )


_resolvers: weakref.WeakSet[RouteResolver] = weakref.WeakSet()


def _reset_after_fork() -> None:
    """Locks and flights of the parent's threads would never be released in the child."""
    for resolver in _resolvers:
        resolver._reset()  # noqa: SLF001  # this module's


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)


def with_settings(route: Route, settings: SpeechSettings) -> Route:
    """The route as these settings use it, with what they say that DNS does not know."""
    told = []
    wins, loses = settings.url_language, settings.language
    if wins and loses and wins.lower() != loses.lower():
        told.append(
            f"The URL says language={wins}, SPEECH_LANGUAGE says {loses}: the URL wins. Take the "
            "language out of one of the two."
        )
    needs_custom_domain = (
        settings.is_entra
        and settings.resource_id is None
        and route.kind is RouteKind.REGIONAL
        and route.custom_domain is not None
    )
    if needs_custom_domain:
        told.append(
            "Microsoft Entra ID works through a region only with SPEECH_RESOURCE_ID, which is not "
            "set: the endpoint of the custom domain is used. If that answers 404, set it."
        )
    if not told:
        return route
    return replace(
        route, warnings=(*route.warnings, *told), needs_custom_domain=needs_custom_domain
    )


def resolve(settings: SpeechSettings | None = None) -> Route:
    """The route that is valid now, observed anew and without the SDK.

    Asks DNS for at most ``dns_timeout`` seconds.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.

    Raises:
        SettingsError: the settings cannot work.
        RoutingError: DNS gave no route; its four children say why.
    """
    settings = settings or SpeechSettings()
    return with_settings(RouteResolver().kept(Question.of(settings)).route, settings)


async def resolve_async(settings: SpeechSettings | None = None) -> Route:
    """As `resolve`, without blocking the event loop.

    Raises:
        SettingsError, RoutingError: as `resolve` does.
    """
    settings = settings or SpeechSettings()
    kept = await RouteResolver().kept_async(Question.of(settings))
    return with_settings(kept.route, settings)

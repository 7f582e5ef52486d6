"""`RouteResolver`: routes, kept for as long as DNS allows and looked up once."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace

from ._dns import Observe, observe
from ._proxy import resolves_names
from ._resource import Resource
from ._route import Route
from ._settings import SpeechSettings
from ._values import PrivateEndpoint, WhenUndecided
from ._verdict import classify, without_dns

TTL_MIN_S, TTL_MAX_S = 5.0, 300.0
"""Bounds on how long a route is kept, seconds: a time to live of 0 would ask DNS at every call,
and one of a day would outlast the removal of a private endpoint."""

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Question:
    """What a route depends on: two settings with the same question share one answer."""

    resource: Resource
    told: PrivateEndpoint
    when_undecided: WhenUndecided
    dns_servers: tuple[str, ...]
    dns_timeout: float
    ask_system: bool

    @classmethod
    def of(cls, settings: SpeechSettings) -> Question:
        return cls(
            settings.resource,
            settings.private_endpoint,
            settings.when_undecided,
            settings.dns_servers,
            settings.dns_timeout,
            ask_system=not resolves_names(settings.proxy.get_secret_value()),
        )


class RouteResolver:
    """Answers questions for routes from a cache, and observes where it has no fresh answer.

    One observation at a time for each question, whatever the number of threads: who comes while
    it runs waits for it and shares its outcome. After ``fork`` the child observes for itself.

    Args:
        observe: looks at DNS; default: `speechroute._dns.observe`.
        clock: seconds that never run backwards; default: ``time.monotonic``.
    """

    def __init__(self, observe: Observe = observe, clock: Clock = time.monotonic) -> None:
        self._observe = observe
        self.clock = clock
        self._routes: dict[Question, Route] = {}
        self._reset()
        _resolvers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Question, Future[Route]] = {}

    def route_for(self, settings: SpeechSettings) -> Route:
        """The route that is valid now, with what these settings have to be warned of.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        route = self.route(Question.of(settings))
        wins, loses = settings.url_language, settings.language
        if wins and loses and wins.lower() != loses.lower():
            warning = (
                f"The URL says language={wins}, SPEECH_LANGUAGE says {loses}: the URL wins. Take "
                "the language out of one of the two."
            )
            return replace(route, warnings=(*route.warnings, warning))
        return route

    def route(self, question: Question) -> Route:
        """The route that is valid now.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        route = self._routes.get(question)
        if route is not None and self.clock() < route.expires_at:
            return route
        with self._lock:
            flight = self._flights.get(question)
            is_pilot = flight is None
            if flight is None:
                flight = self._flights[question] = Future()
        if is_pilot:
            self._fly(question, flight)
        return flight.result()

    def _fly(self, question: Question, flight: Future[Route]) -> None:
        """Observe, and tell everybody who waits."""
        try:
            route = self._find(question)
        except BaseException as error:
            self._land(question, flight)
            flight.set_exception(error)
            if not isinstance(error, Exception):
                raise
        else:
            self._land(question, flight, route)
            flight.set_result(route)

    def _land(self, question: Question, flight: Future[Route], route: Route | None = None) -> None:
        """Keep the route, unless it was invalidated while it was looked for."""
        with self._lock:
            if self._flights.get(question) is flight:
                del self._flights[question]
                if route is not None:
                    self._routes[question] = route

    def invalidate(self) -> None:
        """Forget every route, so that the next call looks again."""
        with self._lock:
            self._routes.clear()
            self._flights.clear()

    def _find(self, question: Question) -> Route:
        resource = question.resource
        verdict = without_dns(resource, question.told)
        if verdict is not None:
            return Route.of(verdict, resource, None, float("inf"))
        region = resource.region
        view = self._observe(
            resource.custom_domain or "",
            region_api_host=resource.cloud.api_host(region) if region else None,
            servers=question.dns_servers,
            timeout=question.dns_timeout,
            ask_system=question.ask_system,
        )
        verdict = classify(
            view, resource, told=question.told, when_undecided=question.when_undecided
        )
        ttl = TTL_MIN_S if view.dns.ttl is None else view.dns.ttl
        kept = min(max(ttl, TTL_MIN_S), TTL_MAX_S)
        return Route.of(verdict, resource, view, self.clock() + kept)


_resolvers: weakref.WeakSet[RouteResolver] = weakref.WeakSet()


def _reset_after_fork() -> None:
    """Locks and flights of the parent's threads would never be released in the child."""
    for resolver in _resolvers:
        resolver._reset()  # noqa: SLF001  # this module's


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)


def resolve(settings: SpeechSettings | None = None) -> Route:
    """The route that is valid now, observed anew and without the SDK.

    Asks DNS for at most ``dns_timeout`` seconds.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.

    Raises:
        SettingsError: the settings cannot work.
        RoutingError: DNS gave no route; its four children say why.
    """
    return RouteResolver().route_for(settings or SpeechSettings())

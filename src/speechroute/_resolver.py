"""`RouteResolver`: routes, kept for as long as DNS allows and looked up once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

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

    Args:
        observe: looks at DNS; default: `speechroute._dns.observe`.
        clock: seconds that never run backwards; default: ``time.monotonic``.
    """

    def __init__(self, observe: Observe = observe, clock: Clock = time.monotonic) -> None:
        self._observe = observe
        self.clock = clock
        self._lock = threading.Lock()
        self._routes: dict[Question, Route] = {}

    def route(self, question: Question) -> Route:
        """The route that is valid now.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        with self._lock:
            route = self._routes.get(question)
            if route is None or self.clock() >= route.expires_at:
                route = self._routes[question] = self._find(question)
            return route

    def invalidate(self) -> None:
        """Forget every route, so that the next call looks again."""
        with self._lock:
            self._routes.clear()

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


def resolve(settings: SpeechSettings | None = None) -> Route:
    """The route that is valid now, observed anew and without the SDK.

    Asks DNS for at most ``dns_timeout`` seconds.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.

    Raises:
        SettingsError: the settings cannot work.
        RoutingError: DNS gave no route; its four children say why.
    """
    return RouteResolver().route(Question.of(settings or SpeechSettings()))

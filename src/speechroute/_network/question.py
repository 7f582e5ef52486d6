"""`Question`: what a route depends on; and its answers, each with the times of its life."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

from .._core.choices import PrivateEndpoint, WhenUndecided
from .._core.classify import classify, without_dns
from .._core.errors import DnsUnavailable, RoutingError, SpeechRouteError
from .._core.resource import Resource
from .._core.route import Route
from .._core.verdict import Row
from .._core.view import DnsView, Lookup
from .._settings.model import SpeechSettings
from .observe import Observe
from .proxy import environment_proxy, resolves_names

_log = logging.getLogger("speechroute")
# Nothing on standard error unless the program sets up logging.
_log.addHandler(logging.NullHandler())

_REFRESH_SHARE = 0.8
"""Share of a route's life after which a call looks for the next one in the background, so that
no call has to wait while calls keep coming."""
_FOREVER = float("inf")

_NEVER = float("-inf")


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
        is_confirmed: whether DNS answered when it was last asked.
        vain_until: until when a refusal is no reason to look again, because a look after one
            changed nothing.
    """

    route: Route
    asked_at: float
    refresh_at: float
    usable_until: float
    good_until: float
    is_last_known: bool = False
    is_confirmed: bool = True
    vain_until: float = _NEVER

    @property
    def way(self) -> tuple[str, str | None, bool]:
        """What a change of is a change of the route."""
        return str(self.route.kind), self.route.region, self.route.is_direct

    def after(self, before: Kept | None, vain_until: float) -> Kept:
        """This one, found after another: what was found in vain stays so."""
        if before is None or before.way != self.way:
            return self
        return self._replace(vain_until=max(before.vain_until, vain_until))

    def handed_on(self, now: float) -> Route:
        """The route, with how long it is good for from now on."""
        return replace(self.route, expires_in=max(0.0, self.route.expires_at - now))


def settled(question: Question) -> Kept | None:
    """The answer that the settings give alone, or None if somebody has to be asked."""
    verdict = without_dns(question.resource, question.told)
    if verdict is None:
        return None
    route = Route.of(verdict, question.resource, None, _FOREVER)
    return Kept(route, _FOREVER, _FOREVER, _FOREVER, _FOREVER)


def look(question: Question, observe: Observe) -> DnsView:
    """What is seen of it. Raises nothing for what the network does."""
    resource = question.resource
    region = resource.region
    return observe(
        resource.custom_domain or "",
        region_api_host=resource.cloud.api_host(region) if region else None,
        servers=question.dns_servers,
        timeout=question.dns_timeout,
        ask_system=question.ask_system,
    )


def answer(question: Question, view: DnsView, asked_at: float, now: float) -> Kept:
    """The answer that an observation gives.

    Raises:
        RoutingError: it gives none, and why.
    """
    resource = question.resource
    verdict = classify(view, resource, told=question.told, when_undecided=question.when_undecided)
    if verdict.row in _OF_PROXY_ONLY_NETWORKS and _leads_out(question):
        verdict = verdict._replace(error=_with_hint(verdict.error))
    ttl = 0 if view.dns.ttl is None else view.dns.ttl
    life = min(max(ttl, question.ttl_min), question.ttl_max)
    route = Route.of(verdict, resource, view, now + life)
    until = now + life
    refresh_at = now + life * _REFRESH_SHARE
    return Kept(route, asked_at, refresh_at, until, until + question.stale)


def last_known(question: Question, kept: Kept, now: float, error: BaseException) -> Kept | None:
    """The answer that an earlier one gives where an observation fails, if it is not too old."""
    if now >= kept.good_until:
        return None
    again_at = now + question.ttl_min
    if now < kept.usable_until and not kept.is_last_known:
        refresh_at = min(again_at, kept.usable_until)
        return kept._replace(refresh_at=refresh_at, is_confirmed=False)
    told = kept.route.warnings[:-1] if kept.is_last_known else kept.route.warnings
    why = str(error) if isinstance(error, DnsUnavailable) else type(error).__name__
    warning = f"DNS fails, so this is the last known route. {why}"
    route = replace(kept.route, warnings=(*told, warning), expires_at=again_at)
    until = kept.good_until
    again_at = min(again_at, until)
    return Kept(
        route, kept.asked_at, again_at, until, until, is_last_known=True, is_confirmed=False
    )


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


def evidence_in(view: DnsView) -> str:
    """What was seen, in one line."""

    def told(lookup: Lookup | None) -> str:
        if lookup is None:
            return "not asked"
        found = ", ".join(map(str, lookup.addresses)) or lookup.failure or lookup.outcome
        return f"{' > '.join(lookup.chain)} > {found}"

    return (
        f"Observed in {view.seconds:.3f} s: DNS {told(view.dns)}; system {told(view.system)}; "
        f"region {told(view.region_api)}"
    )

"""`Question`: what a route depends on; and its answers, each with the times of its life."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import NamedTuple

from pydantic import SecretStr

from .._core.choices import AskService, PrivateEndpoint, WhenUndecided
from .._core.classify import classify, without_dns
from .._core.errors import DnsUnavailable, RoutingError, SpeechRouteError
from .._core.evidence import Evidence, Prior
from .._core.resource import Resource
from .._core.route import Route, RouteKind
from .._core.verdict import Row, Verdict
from .._core.view import DnsView, Lookup
from .._settings.model import SpeechSettings
from .flight import Doubt
from .proxy import is_of_environment, resolves_names

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
    proxy: SecretStr
    ask_service: AskService
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
            settings.proxy,
            settings.ask_service,
            ttl_min=settings.route_ttl_min,
            ttl_max=settings.route_ttl_max,
            stale=settings.route_stale,
        )

    @property
    def ask_system(self) -> bool:
        """Whether this system resolves the names, not a proxy that was named outright."""
        return not resolves_names(self.proxy.get_secret_value())

    @property
    def leads_out(self) -> bool:
        """Whether a proxy leads out of a network whose DNS may not know public names."""
        return not self.ask_system or is_of_environment(self.proxy.get_secret_value())


class Kept(NamedTuple):
    """A route in the cache.

    Attributes:
        route: the route.
        prior: what DNS says by itself, if it was asked and did.
        evidence: what was known beside that when the route was decided.
        asked_at: when its observation began; infinity where the settings decide.
        refresh_at: when a call starts to look for the next one.
        usable_until: when calls wait for the next one.
        good_until: how long it may be used if DNS fails from then on.
        is_last_known: DNS failed, and this is what it said before.
        vain_until: until when a refusal is no reason to look again, because a look after one
            changed nothing.
        vain_for: for which doubts.
    """

    route: Route
    asked_at: float
    refresh_at: float
    usable_until: float
    good_until: float
    is_last_known: bool = False
    vain_until: float = _NEVER
    vain_for: Doubt = Doubt.NONE
    prior: Prior | None = None
    evidence: Evidence | None = None

    @property
    def way(self) -> tuple[str, str | None, bool]:
        """What a change of is a change of the route."""
        return str(self.route.kind), self.route.region, self.route.is_direct

    @property
    def is_by_call(self) -> bool:
        """Whether the custom domain has refused what the region then let through."""
        evidence = self.evidence
        counts = evidence is not None and evidence.counts_under(self.prior)
        return counts and evidence is not None and evidence.is_of_region_by_call

    @property
    def leaves_private_network(self) -> bool:
        """Whether DNS gives a private address, and the region is the door nevertheless."""
        is_regional = self.route.kind is RouteKind.REGIONAL
        return is_regional and self.prior is not None and self.prior.is_direct

    def after(self, before: Kept | None, vain_until: float, doubt: Doubt) -> Kept:
        """This one, found after another: what was found in vain stays so."""
        if before is None or before.way != self.way:
            return self
        if not doubt:
            vain_until, doubt = before.vain_until, before.vain_for
        return self._replace(vain_until=vain_until, vain_for=doubt)

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


def decided(question: Question, view: DnsView, evidence: Evidence | None = None) -> Verdict:
    """What was seen means so."""
    verdict = classify(
        view,
        question.resource,
        told=question.told,
        when_undecided=question.when_undecided,
        evidence=evidence,
    )
    if verdict.row in _OF_PROXY_ONLY_NETWORKS and question.leads_out:
        verdict = verdict._replace(error=_with_hint(verdict.error))
    return verdict


def answer(
    question: Question,
    view: DnsView,
    prior: Prior | None,
    evidence: Evidence | None,
    asked_at: float,
    now: float,
) -> Kept:
    """The answer that an observation gives, with what is known beside it.

    Raises:
        RoutingError: it gives none, and why.
    """
    ttl = 0 if view.dns.ttl is None else view.dns.ttl
    life = min(max(ttl, question.ttl_min), question.ttl_max)
    until = now + life
    route = Route.of(decided(question, view, evidence), question.resource, view, until)
    refresh_at = now + life * _REFRESH_SHARE
    good_until = until + question.stale
    return Kept(route, asked_at, refresh_at, until, good_until, prior=prior, evidence=evidence)


def anew(question: Question, kept: Kept, evidence: Evidence | None) -> Kept:
    """An answer decided once more, after something was learned.

    Raises:
        RoutingError: there is none any more, and why.
    """
    before = kept.route
    if before.evidence is None:
        return kept._replace(evidence=evidence)
    verdict = decided(question, before.evidence, evidence)
    route = Route.of(verdict, question.resource, before.evidence, before.expires_at)
    if kept.is_last_known:
        route = replace(route, warnings=(*route.warnings, before.warnings[-1]))
    return kept._replace(route=route, evidence=evidence)


def last_known(question: Question, kept: Kept, now: float, error: BaseException) -> Kept | None:
    """The answer that an earlier one gives where an observation fails, if it is not too old."""
    if now >= kept.good_until:
        return None
    again_at = now + question.ttl_min
    if now < kept.usable_until and not kept.is_last_known:
        refresh_at = min(again_at, kept.usable_until)
        return kept._replace(refresh_at=refresh_at)
    told = kept.route.warnings[:-1] if kept.is_last_known else kept.route.warnings
    why = str(error) if isinstance(error, DnsUnavailable) else type(error).__name__
    warning = f"DNS fails, so this is the last known route. {why}"
    route = replace(kept.route, warnings=(*told, warning), expires_at=again_at)
    until = kept.good_until
    again_at = min(again_at, until)
    return kept._replace(
        route=route,
        refresh_at=again_at,
        usable_until=until,
        good_until=until,
        is_last_known=True,
        vain_until=_NEVER,
    )


_OF_PROXY_ONLY_NETWORKS = (Row.CUSTOM_DOMAIN_MISSING, Row.DNS_UNAVAILABLE)


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

    service = view.service.seen if view.service else "not asked"
    return (
        f"Observed in {view.seconds:.3f} s: DNS {told(view.dns)}; system {told(view.system)}; "
        f"region {told(view.region_api)}; service {service}"
    )

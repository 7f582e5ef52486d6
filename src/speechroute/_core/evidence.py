"""`Evidence`: what a door or the service answered, which outranks what DNS says.

Contract: pure. DNS lags behind the service (documented, 2024-09-24: AZ-DNS-LAGS), and its rules are
those of one generation of it; what a door answered is so.
"""

from __future__ import annotations

from typing import NamedTuple

from .refusal import NOT_CONNECTED, Door, seen
from .resource import Resource
from .route import Route
from .service import ServiceAnswer
from .verdict import Decision, Row, Verdict


class Prior(NamedTuple):
    """DNS's own verdict, as far as a change of it is one: its records rotate."""

    decision: Decision
    region: str | None
    is_direct: bool

    @classmethod
    def of(cls, verdict: Verdict) -> Prior | None:
        """None where DNS failed, which changes nothing."""
        if verdict.row is Row.DNS_UNAVAILABLE:
            return None
        return cls(verdict.decision, verdict.region, verdict.row.is_direct)


class Evidence(NamedTuple):
    """Which door works.

    Attributes:
        decision: the custom domain (``PRIVATE_ENDPOINT``) or the region (``REGIONAL``).
        region: of the latter.
        seen: what tells so, one sentence.
        at: when, seconds on the clock of the resolver.
        under: what DNS said then, if it said anything: this counts until it says otherwise.
        service: what the service had said by then, if it was asked: so long it is not news.
        is_of_call: whether a call came through, after the other door had refused it.
    """

    decision: Decision
    region: str | None
    seen: str
    at: float
    under: Prior | None
    service: Decision | None
    is_of_call: bool

    @property
    def is_of_region_by_call(self) -> bool:
        """Whether the custom domain has refused what the region let through."""
        return self.is_of_call and self.decision is Decision.REGIONAL

    def counts_under(self, prior: Prior | None) -> bool:
        """Whether DNS's verdict is still the same, as far as it tells."""
        return prior is None or prior == self.under


def weighed(
    known: Evidence | None,
    prior: Prior | None,
    service: ServiceAnswer | None,
    at: float,
    region: str | None,
) -> Evidence | None:
    """What counts after an observation.

    Args:
        known: what counted before.
        prior: what DNS says by itself; where it fails, what it said last.
        service: what the service answered, if it was asked.
        at: when the observation began.
        region: the resource's region, if it was ever told.
    """
    if known and not known.counts_under(prior):
        known = None
    said = service.decision if service else None
    region = (service and service.region) or region
    if known and known.region is None and region:
        known = known._replace(region=region)  # told since
    if service is None or said is None or (known and said is known.service):
        return known
    if known and said is known.decision:
        return known._replace(service=said)
    told = f"The service, asked at the custom domain, says {service.seen}."
    return Evidence(said, region, told, at, prior, said, is_of_call=False)


def may_mean_route(failure: str, route: Route) -> bool:
    """Whether what happened at a door may mean that another one is right.

    Custom domain: 404 or no connection may; 401 and 403 mean the credential. Region: 401, 403,
    404 or no connection may (401 and 404 documented, 2024-09-24: AZ-PE-REGION-401,
    AZ-404-AFTER-REMOVAL; the rest assumed).
    """
    return not route.is_at_custom_domain or failure in ("404", NOT_CONNECTED)


def supposed(
    failure: str,
    route: Route,
    prior: Prior | None,
    known: Evidence | None,
    region: str | None,
) -> Evidence | None:
    """What it would prove if a call came through at the other door; None if there is no other.

    Args:
        failure: what happened at the door of ``route``.
        route: where the call was refused.
        prior: what DNS says by itself now.
        known: what counts now.
        region: the resource's region, if it was ever told.
    """
    # Both doors of a token without a resource id are those of what was told.
    is_for_token = route.needs_custom_domain or route.names_custom_domain
    is_told = route.row in (Row.TOLD_YES, Row.TOLD_NO) and not is_for_token
    if is_told or route.custom_domain is None or not may_mean_route(failure, route):
        return None
    service = known.service if known else None
    region = route.region or region
    if not route.is_at_custom_domain:
        let_in = Door.of_custom_domain(route.custom_domain)
        decision = Decision.PRIVATE_ENDPOINT
    elif region:
        let_in = Door.of_region(region)
        decision = Decision.REGIONAL
    else:
        return None
    told = f"{seen(failure, route)}, and {let_in.name} let the same credential through."
    return Evidence(decision, region, told, 0.0, prior, service, is_of_call=True)


def outweighed(by_dns: Verdict, evidence: Evidence | None, resource: Resource) -> Verdict:
    """The verdict of DNS and evidence together."""
    if evidence is None or by_dns.row in (Row.OTHER_CLOUD, Row.PRIVATE_RECORD_MISSING):
        return by_dns
    if not evidence.counts_under(Prior.of(by_dns)):
        return by_dns
    region = by_dns.region or evidence.region
    if by_dns.decision is evidence.decision and by_dns.row is not Row.UNDECIDED:
        return by_dns._replace(region=region)
    warnings = by_dns.warnings
    is_nowhere = evidence.decision is Decision.REGIONAL and not (region or resource.region)
    if is_nowhere and by_dns.error is None:
        warnings += (f"{evidence.seen} Which region that is, nobody tells: set SPEECH_REGION.",)
        return by_dns._replace(warnings=warnings)
    row = Row.OTHER_DOOR if evidence.is_of_call else Row.SERVICE
    if by_dns.row.is_direct:
        warnings += (
            (
                "DNS gives a private address, which is left for the region: set "
                "SPEECH_PRIVATE_ENDPOINT=yes if this must not leave the private network."
            ),
        )
    reason = f"{evidence.seen} DNS by itself: {by_dns.reason}"
    return Verdict(row, evidence.decision, reason, region, warnings)

"""`classify()`: what an observation means for the route.

Contract: pure. Facts in, `Verdict` out; no sockets, no clock, no environment. Each verdict
is a row of the decision table with an id, and exactly one row applies.

Source of the rows: "Use Speech service through a private endpoint" (Microsoft Learn,
2024-09-24), documented, unless a row says otherwise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .addresses import IPAddress, is_private
from .choices import PrivateEndpoint, WhenUndecided
from .clouds import MarkerKind, private_link_zone, recognise_marker
from .errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    RouteUndecided,
    SpeechRouteError,
)
from .resource import Resource
from .view import DnsView, Lookup, Outcome


class Row(StrEnum):
    """The rows of the decision table. The text is what a row sees."""

    OTHER_HOST = "SPEECH_ENDPOINT is a host of SPEECH_ALLOW_HOSTS"
    NO_CUSTOM_DOMAIN = "no custom domain is configured"
    TOLD_YES = "SPEECH_PRIVATE_ENDPOINT=yes"
    TOLD_NO = "SPEECH_PRIVATE_ENDPOINT=no"
    PRIVATE_ADDRESS = "the custom domain lands on a private address"
    SYSTEM_PRIVATE = "the operating system gives a private address where DNS does not"
    VNET_PROXY = "the last known name is privatelink or the VNet proxy, the address is public"
    REGIONAL = "the last known name is the regional API host or its gateway"
    SAME_AS_REGION = "no known name, the address is one of the region's API host"
    UNDECIDED = "no known name, any other public address"
    CUSTOM_DOMAIN_MISSING = "the custom domain does not exist"
    PRIVATE_RECORD_MISSING = "the name behind privatelink does not exist"
    DNS_UNAVAILABLE = "DNS fails, or gives no usable answer"

    @property
    def id(self) -> str:
        return self.name.lower().replace("_", "-")


class Decision(StrEnum):
    """What a verdict says."""

    PRIVATE_ENDPOINT = "private endpoint"
    REGIONAL = "regional"
    OTHER_HOST = "other host"
    ERROR = "error"


class Verdict(NamedTuple):
    """A decision with its reason.

    Attributes:
        row: the row of the decision table that applied.
        decision: the kind of route, or that there is none.
        reason: one sentence.
        region: the region that DNS told, if it did.
        warnings: what the user should know although there is a route.
        error: set where the decision is an error.
    """

    row: Row
    decision: Decision
    reason: str
    region: str | None = None
    warnings: tuple[str, ...] = ()
    error: SpeechRouteError | None = None


def without_dns(resource: Resource, told: PrivateEndpoint) -> Verdict | None:
    """The verdict that needs no observation, or None if one is needed."""
    if resource.other_host is not None:
        reason = "SPEECH_ENDPOINT is a host of SPEECH_ALLOW_HOSTS, so there is nothing to decide."
        return Verdict(Row.OTHER_HOST, Decision.OTHER_HOST, reason)
    if resource.custom_domain is None:
        reason = "No custom domain is configured, so the resource is reached through its region."
        return Verdict(Row.NO_CUSTOM_DOMAIN, Decision.REGIONAL, reason)
    if told is PrivateEndpoint.YES:
        reason = "SPEECH_PRIVATE_ENDPOINT=yes says that the resource has a private endpoint."
        return Verdict(Row.TOLD_YES, Decision.PRIVATE_ENDPOINT, reason)
    if told is PrivateEndpoint.NO and resource.region is not None:
        return _told_no(None)
    return None


def _told_no(region: str | None) -> Verdict:
    reason = "SPEECH_PRIVATE_ENDPOINT=no says that the resource has no private endpoint."
    return Verdict(Row.TOLD_NO, Decision.REGIONAL, reason, region)


def classify(
    view: DnsView,
    resource: Resource,
    *,
    told: PrivateEndpoint = PrivateEndpoint.AUTO,
    when_undecided: WhenUndecided = WhenUndecided.ERROR,
) -> Verdict:
    """Decide from what was seen.

    Args:
        view: the observation of ``resource.custom_domain``.
        resource: what the user said; must have a custom domain.
        told: ``no`` takes only the region from the observation.
        when_undecided: what to do where the observation does not tell.

    Returns:
        The verdict; a failure is a verdict too, with an error in it.
    """
    markers = [marker for name in view.dns.chain if (marker := recognise_marker(name))]
    region = next((marker.region for marker in reversed(markers) if marker.region), None)
    if told is PrivateEndpoint.NO and (region or view.dns.outcome is Outcome.ANSWERED):
        return _told_no(region)
    system = view.system.addresses if view.system else ()
    if any(map(is_private, view.dns.addresses)) and not (
        system and not any(map(is_private, system))
    ):
        return _private_address(view, system)
    if any(map(is_private, system)):
        return _system_private(view, system)
    if view.dns.outcome is not Outcome.ANSWERED:
        return _unanswered(view.dns, view.dns.chain[0])
    warnings = _disagreement(view)
    last = markers[-1] if markers else None
    addresses = system or view.dns.addresses
    landed = f"{resource.custom_domain} lands on {_landing(view.dns, addresses)}"
    if last is not None and last.kind is MarkerKind.REGIONAL:
        reason = f"{landed}, behind the regional API host: the resource has no private endpoint."
        return Verdict(Row.REGIONAL, Decision.REGIONAL, reason, region, warnings)
    if last is not None:
        reason = (
            f"{landed}, behind a {last.kind} name: it has a private endpoint, seen from outside."
        )
        return Verdict(Row.VNET_PROXY, Decision.PRIVATE_ENDPOINT, reason, region, warnings)
    if view.region_api and set(addresses) & set(view.region_api.addresses):
        reason = f"{landed}, an address of the API host of {resource.region}: no private endpoint."
        return Verdict(Row.SAME_AS_REGION, Decision.REGIONAL, reason, resource.region, warnings)
    if view.region_api and view.region_api.outcome is Outcome.FAILED:
        if when_undecided is WhenUndecided.ERROR:
            return _unanswered(view.region_api, resource.custom_domain or "")
        warnings += (f"The region's API host could not be looked up: {view.region_api.failure}.",)
    return _undecided(landed, view.dns, when_undecided, warnings)


def _landing(lookup: Lookup, addresses: tuple[IPAddress, ...]) -> str:
    return f"{lookup.chain[-1]} ({', '.join(map(str, addresses))})"


def _private_address(view: DnsView, system: tuple[IPAddress, ...]) -> Verdict:
    addresses = system or view.dns.addresses
    warnings: tuple[str, ...] = ()
    if not all(map(is_private, addresses)):
        shown = ", ".join(map(str, addresses))
        warnings = (f"The addresses are private and public ({shown}): the SDK may try either.",)
    reason = (
        f"{view.dns.chain[0]} lands on the private address {next(filter(is_private, addresses))}: "
        "it has a private endpoint in this network."
    )
    return Verdict(Row.PRIVATE_ADDRESS, Decision.PRIVATE_ENDPOINT, reason, None, warnings)


def _system_private(view: DnsView, system: tuple[IPAddress, ...]) -> Verdict:
    said = ", ".join(map(str, view.dns.addresses)) or view.dns.failure or view.dns.outcome
    reason = (
        f"The operating system resolves {view.dns.chain[0]} to the private address "
        f"{next(filter(is_private, system))} (hosts file or VPN), and the SDK connects there."
    )
    warning = f"DNS says otherwise: {said}."
    return Verdict(Row.SYSTEM_PRIVATE, Decision.PRIVATE_ENDPOINT, reason, None, (warning,))


def _disagreement(view: DnsView) -> tuple[str, ...]:
    if view.system is None or set(view.system.addresses) & set(view.dns.addresses):
        return ()
    if view.system.addresses:
        there = ", ".join(map(str, view.system.addresses))
        return (f"The operating system gives another address than DNS: {there}.",)
    if view.system.outcome is Outcome.FAILED:
        unseen = "so a hosts file or VPN that says otherwise would not be seen"
        failure = view.system.failure
        return (f"The operating system's resolver could not be asked ({failure}), {unseen}.",)
    if view.system.outcome is Outcome.NAME_MISSING:
        return (
            (
                "The operating system does not resolve the name although DNS does, so the SDK may "
                "fail to connect: compare its resolver settings with SPEECH_DNS_SERVERS."
            ),
        )
    return ()


def _undecided(
    landed: str, lookup: Lookup, policy: WhenUndecided, warnings: tuple[str, ...]
) -> Verdict:
    seen = f"{landed}, which no known name explains"
    if policy is WhenUndecided.ERROR:
        error = RouteUndecided.of(
            f"{seen} (a DNS proxy may have removed the aliases), so it cannot be told whether the "
            "resource has a private endpoint: set SPEECH_PRIVATE_ENDPOINT=yes or no, set "
            "SPEECH_REGION so that addresses can be compared, or choose a default with "
            "SPEECH_WHEN_UNDECIDED.",
            custom_domain=lookup.chain[0],
            name=lookup.chain[-1],
        )
        return Verdict(Row.UNDECIDED, Decision.ERROR, f"{seen}.", None, warnings, error)
    decision = Decision(
        {"private": Decision.PRIVATE_ENDPOINT, "regional": Decision.REGIONAL}[policy]
    )
    reason = f"{seen}; SPEECH_WHEN_UNDECIDED={policy} chose."
    return Verdict(Row.UNDECIDED, decision, reason, None, warnings)


def _unanswered(lookup: Lookup, asked: str) -> Verdict:
    last = lookup.chain[-1]
    marker = recognise_marker(last)
    lacks_record = marker is not None and marker.kind is MarkerKind.PRIVATE_LINK
    error: SpeechRouteError
    if lookup.outcome is Outcome.NAME_MISSING and len(lookup.chain) == 1:
        row = Row.CUSTOM_DOMAIN_MISSING
        reason = f"{asked} does not exist in DNS."
        error = CustomDomainNotFound.of(
            f"{reason} Without it there is no way to the resource: check the spelling in "
            "SPEECH_ENDPOINT, and that the resource exists and has this custom domain "
            "(Azure portal, the resource's page 'Keys and Endpoint').",
            custom_domain=asked,
        )
    elif lacks_record and lookup.outcome in (Outcome.NAME_MISSING, Outcome.NO_ADDRESS):
        row = Row.PRIVATE_RECORD_MISSING
        zone = private_link_zone(asked)
        reason = f"{asked} is an alias of {last}, which has no address here."
        error = PrivateDnsRecordMissing.of(
            f"{reason} This network is linked to a private DNS zone {zone} that lacks the "
            f"resource, so no way works: add an A record for {last.partition('.')[0]} to the zone "
            f"{zone}, pointing at the private endpoint, or enable fallback to internet "
            "(NxDomainRedirect) on the zone's link.",
            custom_domain=asked,
            name=last,
        )
    else:
        row = Row.DNS_UNAVAILABLE
        what = lookup.failure or f"{last}: {lookup.outcome}"
        reason = f"DNS gave no usable answer for {lookup.chain[0]}: {what}."
        error = DnsUnavailable.of(
            f"{reason} Whether {asked} has a private endpoint is therefore unknown: check the DNS "
            "servers (SPEECH_DNS_SERVERS), or set SPEECH_PRIVATE_ENDPOINT=yes or no and "
            "SPEECH_REGION to go on without DNS.",
            custom_domain=asked,
            name=last,
        )
    return Verdict(row, Decision.ERROR, reason, None, (), error)

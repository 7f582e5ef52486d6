"""`classify()`: from an observation, and what doors have answered, to a verdict.

Contract: pure. Facts in, `Verdict` out; no sockets, no clock, no environment. Each verdict is a
row of the decision table, and exactly one row applies.
"""

from __future__ import annotations

from .addresses import IPAddress, is_private
from .choices import PrivateEndpoint, WhenUndecided
from .clouds import Marker, MarkerKind, recognise_marker
from .errors import RouteUndecided, RoutingError
from .evidence import Evidence, outweighed
from .resource import Resource
from .unanswered import found_by_search, unanswered
from .verdict import Decision, Row, Verdict
from .view import DnsView, Lookup, Outcome


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
    evidence: Evidence | None = None,
) -> Verdict:
    """Decide from what was seen.

    Args:
        view: the observation of ``resource.custom_domain``.
        resource: what the user said; must have a custom domain.
        told: ``no`` takes only the region from what was seen.
        when_undecided: what to do where nothing tells.
        evidence: what a door or the service answered: outranks DNS where it counts.

    Returns:
        The verdict; a failure is a verdict too, with an error in it.
    """
    if told is PrivateEndpoint.NO:
        return _regional_by_word(view, resource, evidence.region if evidence else None)
    return outweighed(_by_dns(view, resource, when_undecided), evidence, resource)


def _by_dns(view: DnsView, resource: Resource, when_undecided: WhenUndecided) -> Verdict:
    """What DNS and the operating system say by themselves."""
    region, at, last = _read(view, resource)
    if view.is_overridden:
        return _system_private(view)
    of_region = (
        address
        for said in (view.region_api, view.region_system)
        if said
        for address in said.addresses
    )
    addresses = view.system_addresses or view.dns.addresses
    is_of_region = last is None and bool({*addresses} & {*of_region})
    is_failed = view.dns.outcome is not Outcome.ANSWERED
    if is_failed and not (is_of_region and view.dns.outcome is Outcome.FAILED):
        return unanswered(view, view.dns, view.dns.chain[0])
    warnings = _disagreement(view)
    landed = f"{resource.custom_domain} lands on {_landing(view.dns, addresses)}"
    if is_of_region:
        reason = f"{landed}, an address of the API host of {resource.region}: no private endpoint."
        warnings += _of_a_gateway(addresses)
        return Verdict(Row.SAME_AS_REGION, Decision.REGIONAL, reason, resource.region, warnings)
    if last:
        return _by_name(view, resource, last, region, addresses)._replace(decided_by=at)
    if any(map(is_private, addresses)):
        return _private_address(view, addresses, warnings + _incomparable(view.region_api))
    if view.region_api and view.region_api.outcome is Outcome.FAILED:
        if when_undecided is WhenUndecided.ERROR:
            return unanswered(view, view.region_api, resource.custom_domain or "")
        warnings += (f"The region's API host could not be looked up: {view.region_api.failure}.",)
    return _undecided(landed, view.dns, when_undecided, warnings)


def _read(view: DnsView, resource: Resource) -> tuple[str | None, int | None, Marker | None]:
    """The region that the chain tells; place and meaning of its last known name."""
    known = {at: m for at, name in enumerate(view.dns.chain) if (m := recognise_marker(name))}
    own = [marker for marker in known.values() if marker.cloud is resource.cloud]
    region = next((marker.region for marker in reversed(own) if marker.region), None)
    return region, *max(known.items(), default=(None, None))


def _regional_by_word(view: DnsView, resource: Resource, told: str | None) -> Verdict:
    """What SPEECH_PRIVATE_ENDPOINT=no means, where only the region is wanted."""
    region, _, last = _read(view, resource)
    region = region or told  # by the service
    if region is None and view.dns.outcome is not Outcome.ANSWERED:
        verdict = unanswered(view, view.dns, view.dns.chain[0])
        if isinstance(verdict.error, RoutingError):
            by_region = f"{verdict.error} Or set SPEECH_REGION: then nothing is asked of DNS."
            name = verdict.error.name
            error = type(verdict.error).of(by_region, custom_domain=view.dns.chain[0], name=name)
            verdict = verdict._replace(error=error)
        return verdict
    if region is None and last and last.cloud is not resource.cloud:
        return _other_cloud(view.dns, resource, last)
    return _told_no(region)


def _incomparable(region_api: Lookup | None) -> tuple[str, ...]:
    """What is left in doubt where a private address is explained by no name."""
    if region_api and region_api.addresses:
        return ()
    lacks, remedy = "without SPEECH_REGION", "SPEECH_REGION, or "
    if region_api:
        lacks, remedy = f"as {region_api.chain[0]} has none", ""
    return (
        (
            f"No known name explains this address, and {lacks} it cannot be compared with that of "
            "the region: where a proxy or a filter answers for Azure's names, set "
            f"{remedy}SPEECH_PRIVATE_ENDPOINT=no."
        ),
    )


def _of_a_gateway(addresses: tuple[IPAddress, ...]) -> tuple[str, ...]:
    """What the address of the region's gateway leaves open: public posts show it for both."""
    if any(map(is_private, addresses)):
        return ()
    return (
        (
            "The same gateway may answer for resources with a private endpoint: if calls are "
            "refused there, set SPEECH_PRIVATE_ENDPOINT=yes."
        ),
    )


def _by_name(
    view: DnsView,
    resource: Resource,
    last: Marker,
    region: str | None,
    addresses: tuple[IPAddress, ...],
) -> Verdict:
    """What the last known name says.

    Documented, 2024-09-24: AZ-DNS-PRIVATE-LINK, AZ-DNS-VNET-PROXY, AZ-DNS-REGION.
    """
    warnings = _disagreement(view)
    landed = f"{resource.custom_domain} lands on {_landing(view.dns, addresses)}"
    if last.cloud is not resource.cloud:
        return _other_cloud(view.dns, resource, last)
    private = next(filter(is_private, addresses), None)
    if last.kind is MarkerKind.PRIVATE_LINK:
        if private:
            return _private_address(view, addresses, warnings)
        reason = f"{landed}, at a {last.kind} name: it has a private endpoint."
        warnings += (
            (
                f"{view.dns.chain[-1]} has an address of no private network. Either the private "
                "endpoint has it here, and a proxy would be in the way: set NO_PROXY or "
                "SPEECH_PROXY=none; or no private zone is linked to this network, and the "
                "resource may refuse it."
            ),
        )
        return Verdict(Row.PRIVATE_LINK, Decision.PRIVATE_ENDPOINT, reason, region, warnings)
    if private:
        warnings += (
            (
                f"{private} is a private address, and the name before it none of a private "
                "endpoint: a proxy or a filter answers for Azure's names here."
            ),
        )
    if last.kind is MarkerKind.REGIONAL:
        reason = f"{landed}, behind the regional API host: the resource has no private endpoint."
        return Verdict(Row.REGIONAL, Decision.REGIONAL, reason, region, warnings)
    reason = f"{landed}, behind a {last.kind} name: it has a private endpoint, seen from outside."
    return Verdict(Row.VNET_PROXY, Decision.PRIVATE_ENDPOINT, reason, region, warnings)


def _other_cloud(lookup: Lookup, resource: Resource, last: Marker) -> Verdict:
    reason = (
        f"{resource.custom_domain} is a name of the {resource.cloud.name} cloud, and DNS leads it "
        f"to {lookup.chain[-1]}, of the {last.cloud.name} cloud."
    )
    error = RouteUndecided.of(
        f"{reason} No credential crosses clouds, so there is no route: correct the DNS record or "
        "the server that answers so (SPEECH_DNS_SERVERS), or SPEECH_ENDPOINT.",
        custom_domain=lookup.chain[0],
        name=lookup.chain[-1],
    )
    return Verdict(Row.OTHER_CLOUD, Decision.ERROR, reason, error=error)


def _landing(lookup: Lookup, addresses: tuple[IPAddress, ...]) -> str:
    return f"{lookup.chain[-1]} ({', '.join(map(str, addresses))})"


def _private_address(
    view: DnsView, addresses: tuple[IPAddress, ...], warnings: tuple[str, ...]
) -> Verdict:
    if not all(map(is_private, addresses)):
        shown = ", ".join(map(str, addresses))
        warnings += (f"The addresses are private and public ({shown}): the SDK may try either.",)
    reason = (
        f"{view.dns.chain[0]} lands on the private address {next(filter(is_private, addresses))}: "
        "it has a private endpoint in this network."
    )
    return Verdict(Row.PRIVATE_ADDRESS, Decision.PRIVATE_ENDPOINT, reason, None, warnings)


def _system_private(view: DnsView) -> Verdict:
    """The SDK connects where the system says (measured, 1.53: SDK-SYSTEM-RESOLVER)."""
    said = ", ".join(map(str, view.dns.addresses)) or view.dns.failure or view.dns.outcome
    reason = (
        f"The operating system resolves {view.dns.chain[0]} to the private address "
        f"{next(filter(is_private, view.system_addresses))} (hosts file or VPN), and the SDK "
        "connects there."
    )
    warning = f"DNS says otherwise: {said}."
    if view.region_system is None or view.region_system.outcome is Outcome.FAILED:
        warning += (
            " Whether it gives the region's API host such an address too is not known: where a "
            "proxy answers for all of Azure's names, set SPEECH_PRIVATE_ENDPOINT=no."
        )
    return Verdict(Row.SYSTEM_PRIVATE, Decision.PRIVATE_ENDPOINT, reason, None, (warning,))


def _disagreement(view: DnsView) -> tuple[str, ...]:
    if view.system is None or set(view.system.addresses) & set(view.dns.addresses):
        return ()
    if view.is_searched:
        return (found_by_search(view),)
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

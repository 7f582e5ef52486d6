"""`classify()`: from an observation to a verdict.

Contract: pure. Facts in, `Verdict` out; no sockets, no clock, no environment. Each verdict is a
row of the decision table, and exactly one row applies.
"""

from __future__ import annotations

from .addresses import IPAddress, is_private
from .choices import PrivateEndpoint, WhenUndecided
from .clouds import Marker, MarkerKind, private_link_zone, recognise_marker
from .errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    RouteUndecided,
    SpeechRouteError,
)
from .resource import Resource
from .verdict import Decision, Row, Verdict
from .view import NOT_ASKED, DnsView, Lookup, Outcome


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
    known = {at: m for at, name in enumerate(view.dns.chain) if (m := recognise_marker(name))}
    own = [marker for marker in known.values() if marker.cloud is resource.cloud]
    region = next((marker.region for marker in reversed(own) if marker.region), None)
    is_answered = view.dns.outcome is Outcome.ANSWERED
    if told is PrivateEndpoint.NO and (region or is_answered):
        return _told_no(region)
    if view.is_overridden:
        return _system_private(view)
    of_region = (
        address
        for said in (view.region_api, view.region_system)
        if said
        for address in said.addresses
    )
    addresses = view.system_addresses or view.dns.addresses
    is_of_region = not known and bool({*addresses} & {*of_region})
    if not is_answered and not (is_of_region and view.dns.outcome is Outcome.FAILED):
        return _unanswered(view, view.dns, view.dns.chain[0])
    warnings = _disagreement(view)
    landed = f"{resource.custom_domain} lands on {_landing(view.dns, addresses)}"
    if is_of_region:
        reason = f"{landed}, an address of the API host of {resource.region}: no private endpoint."
        return Verdict(Row.SAME_AS_REGION, Decision.REGIONAL, reason, resource.region, warnings)
    if known:
        at, last = max(known.items())
        return _by_name(view, resource, last, region, addresses)._replace(decided_by=at)
    if any(map(is_private, addresses)):
        if not (view.region_api and view.region_api.addresses):
            warnings += (_INCOMPARABLE,)
        return _private_address(view, addresses, warnings)
    if view.region_api and view.region_api.outcome is Outcome.FAILED:
        if when_undecided is WhenUndecided.ERROR:
            return _unanswered(view, view.region_api, resource.custom_domain or "")
        warnings += (f"The region's API host could not be looked up: {view.region_api.failure}.",)
    return _undecided(landed, view.dns, when_undecided, warnings)


_INCOMPARABLE = (
    "No known name explains this address, and without SPEECH_REGION it cannot be compared with "
    "that of the region: where a proxy or a filter answers for Azure's names, set SPEECH_REGION, "
    "or SPEECH_PRIVATE_ENDPOINT=no."
)


def _by_name(
    view: DnsView,
    resource: Resource,
    last: Marker,
    region: str | None,
    addresses: tuple[IPAddress, ...],
) -> Verdict:
    """What the last known name says."""
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
    said = ", ".join(map(str, view.dns.addresses)) or view.dns.failure or view.dns.outcome
    reason = (
        f"The operating system resolves {view.dns.chain[0]} to the private address "
        f"{next(filter(is_private, view.system_addresses))} (hosts file or VPN), and the SDK "
        "connects there."
    )
    warning = f"DNS says otherwise: {said}."
    return Verdict(Row.SYSTEM_PRIVATE, Decision.PRIVATE_ENDPOINT, reason, None, (warning,))


def _disagreement(view: DnsView) -> tuple[str, ...]:
    if view.system is None or set(view.system.addresses) & set(view.dns.addresses):
        return ()
    if view.is_searched:
        return (_found_by_search(view),)
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


def _found_by_search(view: DnsView) -> str:
    found = view.system.chain[-1] if view.system else ""
    return (
        f"The operating system resolves it only as {found}, by its search list, which is another "
        "host."
    )


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


def _unanswered(view: DnsView, lookup: Lookup, asked: str) -> Verdict:
    last = lookup.chain[-1]
    marker = recognise_marker(last)
    lacks_record = marker is not None and marker.kind is MarkerKind.PRIVATE_LINK
    error: SpeechRouteError
    if lookup.outcome is Outcome.NAME_MISSING and len(lookup.chain) == 1:
        row = Row.CUSTOM_DOMAIN_MISSING
        reason = f"{asked} does not exist in DNS."
        if view.is_searched:
            reason += f" {_found_by_search(view)}"
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
        lacks = f"a private DNS zone {zone} that is linked to this network lacks the resource"
        add = (
            f"add an A record for {last.partition('.')[0]} to the zone {zone}, pointing at the "
            "private endpoint, or enable fallback to internet (NxDomainRedirect) on the zone's link"
        )
        cause = f"So {lacks}, and no way works: {add}."
        if lookup.outcome is Outcome.NO_ADDRESS:
            cause = (
                f"Either {lacks}: {add}. Or the DNS server strips private addresses from its "
                f"answers (rebind protection): exempt {zone} from it, or ask another server "
                "(SPEECH_DNS_SERVERS)."
            )
        error = PrivateDnsRecordMissing.of(
            f"{reason} {cause}",
            custom_domain=asked,
            name=last,
        )
    else:
        row = Row.DNS_UNAVAILABLE
        what = lookup.failure or f"{last}: {lookup.outcome}"
        reason = f"DNS gave no usable answer for {lookup.chain[0]}: {what}."
        check = "check the DNS servers (SPEECH_DNS_SERVERS)"
        if what.startswith(NOT_ASKED):
            reason = f"DNS was not asked for {lookup.chain[0]}: {what}."
            check = "raise the limits of this process (ulimit -n, ulimit -u)"
        error = DnsUnavailable.of(
            f"{reason} Whether {asked} has a private endpoint is therefore unknown: {check}, or "
            "set SPEECH_PRIVATE_ENDPOINT=yes or no and SPEECH_REGION to go on without DNS.",
            custom_domain=asked,
            name=last,
        )
    return Verdict(row, Decision.ERROR, reason, None, (), error)

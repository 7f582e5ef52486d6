"""`unanswered()`: what it means that DNS gave no address, and what to do."""

from __future__ import annotations

from .clouds import MarkerKind, private_link_zone, recognise_marker
from .errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    SpeechRouteError,
)
from .verdict import Decision, Row, Verdict
from .view import NOT_ASKED, DnsView, Lookup, Outcome

REBIND = "a DNS server strips private addresses from its answers (rebind protection)"


def unanswered(view: DnsView, lookup: Lookup, asked: str) -> Verdict:
    """The verdict where a lookup of a view gave no address.

    Args:
        view: what was seen.
        lookup: the one that failed.
        asked: the custom domain.
    """
    last = lookup.chain[-1]
    marker = recognise_marker(last)
    lacks_record = marker is not None and marker.kind is MarkerKind.PRIVATE_LINK
    error: SpeechRouteError
    if lookup.outcome is Outcome.NAME_MISSING and len(lookup.chain) == 1:
        row = Row.CUSTOM_DOMAIN_MISSING
        reason = f"{asked} does not exist in DNS."
        if view.is_searched:
            reason += f" {found_by_search(view)}"
        error = CustomDomainNotFound.of(
            f"{reason} Without it there is no way to the resource: check the spelling in "
            "SPEECH_ENDPOINT, and that the resource exists and has this custom domain "
            "(Azure portal, the resource's page 'Keys and Endpoint').",
            custom_domain=asked,
        )
    elif lacks_record and lookup.outcome in (Outcome.NAME_MISSING, Outcome.NO_ADDRESS):
        # The zone answers for all names under it (documented, 2026: AZ-ZONE-ANSWERS-ALONE).
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
                f"Either {lacks}: {add}. Or {REBIND}: exempt {zone} from it, or ask another server "
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
        elif lookup.outcome is Outcome.NO_ADDRESS:
            check += f", and whether {REBIND}"
        error = DnsUnavailable.of(
            f"{reason} Whether {asked} has a private endpoint is therefore unknown: {check}, or "
            "set SPEECH_PRIVATE_ENDPOINT=yes or no and SPEECH_REGION to go on without DNS.",
            custom_domain=asked,
            name=last,
        )
    return Verdict(row, Decision.ERROR, reason, None, (), error)


def found_by_search(view: DnsView) -> str:
    """What the search list of the system did."""
    found = view.system.chain[-1] if view.system else ""
    return (
        f"The operating system resolves it only as {found}, by its search list, which is another "
        "host."
    )

"""Findings where SPEECH_PRIVATE_ENDPOINT decided, and DNS was asked all the same."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from .._core.choices import PrivateEndpoint
from .._core.errors import RoutingError
from .._core.verdict import Decision
from .._settings.model import SpeechSettings
from .evidence import (
    CustomDomain,
    at_custom_domain,
    do_both_doors_work,
    has_private_endpoint,
    is_at_wrong_door,
    is_key_refused_at_region,
)
from .facts import Facts
from .finding import Finding, Severity
from .of_names import of_error

_DECISIONS = {
    PrivateEndpoint.YES: Decision.PRIVATE_ENDPOINT,
    PrivateEndpoint.NO: Decision.REGIONAL,
}


def of_setting(facts: Facts, settings: SpeechSettings) -> Iterator[Finding]:
    says = facts.dns_says
    if says is None:
        return
    if isinstance(says.error, RoutingError):
        yield from _of_missing_name(says.error, facts)
    elif says.decision != _DECISIONS[settings.private_endpoint]:
        yield _disagreement(facts, settings)


def _of_missing_name(error: RoutingError, facts: Facts) -> Iterator[Finding]:
    """Where the SDK itself has to resolve the custom domain, and nobody does."""
    route, view = facts.route, facts.view
    lookups = (view.dns, view.system) if view else ()
    if route is None or any(lookup.addresses for lookup in lookups if lookup):
        return
    at_name = [
        door
        for door in facts.doors
        if urlsplit(door.url).hostname == route.custom_domain and not door.proxy
    ]
    if route.is_at_custom_domain and at_name:
        yield from of_error(error, facts)
    elif any(door.url in facts.answers for door in at_name):
        for finding in of_error(error, facts):
            yield finding._replace(severity=Severity.WARNING)


def _disagreement(facts: Facts, settings: SpeechSettings) -> Finding:
    severity, remedy = Severity.WARNING, "Take the setting out."
    says_yes = settings.private_endpoint is PrivateEndpoint.YES
    cause = (
        f"SPEECH_PRIVATE_ENDPOINT={settings.private_endpoint} decides, but DNS says that "
        f"{settings.resource.custom_domain} has {'no' if says_yes else 'a'} private endpoint"
    )
    real = has_private_endpoint(facts)
    if real is says_yes:
        severity = Severity.INFO
        cause += "; the service agrees with the setting"
        remedy = "Take the setting out when DNS has followed: until then no change is noticed."
    elif real is not None:
        severity = Severity.ERROR if is_at_wrong_door(facts) else Severity.WARNING
        cause += ", and so does the service"
        if at_custom_domain(facts) is CustomDomain.LEADS_ON and not do_both_doors_work(facts):
            remedy = (
                "Take the setting out, unless the region refuses the key: the custom domain leads "
                "on to it, and works. check --with-key tells."
            )
    elif is_key_refused_at_region(facts):
        severity = Severity.ERROR
        cause += ", and the region refuses the key, as it does then"
        remedy = "Take the setting out; if it is right after all, replace the key."
    else:
        remedy = (
            "If DNS is right, take the setting out; check --probe --with-key tells who is right, "
            "where the service answers."
        )
    return Finding("SR206", severity, f"{cause}.", remedy)

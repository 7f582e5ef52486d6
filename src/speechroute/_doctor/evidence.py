"""What the answers of the doors and of the service prove about the resource."""

from __future__ import annotations

from enum import StrEnum

from .._core.answer import NOT_FOUND, OK, UNAUTHORIZED, Answer, Stage
from .._core.clouds import Offering, recognise_host
from .._core.route import RouteKind
from .._core.verdict import Decision
from .._core.view import Outcome
from .facts import Facts

_FOLLOWED = frozenset({301, 307, 308})
"""Redirects that the SDK follows (measured, 1.53: SDK-FOLLOWS-REDIRECTS)."""
OPTIONAL = frozenset({"batch REST", "token", "custom voice"})
"""Clients that may be refused for other reasons: access to tokens, a custom voice without its id.
The custom domain answers the first two without a private endpoint too (documented, 2024-09;
batch REST: AZ-REST-CUSTOM-DOMAIN)."""


_CLIENTS = {
    Offering.STT: ("recognition", "transcription"),
    Offering.S2S: ("translation",),
    Offering.TTS: ("synthesis", "voices list"),
    Offering.VOICE: ("custom voice",),
    Offering.CONVAI: ("transcription",),
    Offering.COMMANDS: ("recognition", "synthesis"),
}
"""Clients that a program for an offering needs; "every client" is for hosts of one's own."""


def is_needed(client: str, facts: Facts) -> bool:
    """Whether a program with the offering of the check uses this client."""
    return client == "every client" or client in _CLIENTS[facts.offering]


def is_own_host(facts: Facts) -> bool:
    """Whether the door is a host beside Azure's."""
    return facts.route is not None and facts.route.kind is RouteKind.OTHER_HOST


def leads_to_region(answer: Answer) -> bool:
    host = recognise_host(answer.leads_to)
    return answer.status in _FOLLOWED and host is not None and host.region is not None


def answers_of_clients(facts: Facts) -> dict[str, Answer]:
    """What each client got that came as far as an answer."""
    return {
        door.client: answer
        for door in facts.doors
        if (answer := facts.answers.get(door.url)) and answer.stage is Stage.HTTP
    }


def has_override(facts: Facts) -> bool:
    """Whether the operating system gives a private address that DNS, which answers, does not."""
    view = facts.view
    return view is not None and view.is_overridden and view.dns.outcome is not Outcome.FAILED


class CustomDomain(StrEnum):
    """What becomes of who comes to the custom domain, without a key (assumed: AZ-KEYLESS)."""

    SERVES = "serves"
    """401: there is a private endpoint (assumed)."""
    REFUSES = "refuses"
    """404: there is none (assumed), and the region is the way."""
    LEADS_ON = "leads on"
    """There is none (documented, 2026-03: AZ-REDIRECT), and the custom domain is a way anyway."""


def at_custom_domain(facts: Facts) -> CustomDomain | None:
    """What the doors answered there, or else what the service said; None if nothing tells."""
    answers = _answers_at_custom_domain(facts)
    if any(map(leads_to_region, answers)):
        return CustomDomain.LEADS_ON
    statuses = {answer.status for answer in answers}
    if statuses == {UNAUTHORIZED}:
        return CustomDomain.SERVES
    if statuses == {NOT_FOUND}:
        return CustomDomain.REFUSES
    service = facts.service
    if service is None or service.decision is None:
        return None
    if service.decision is Decision.PRIVATE_ENDPOINT:
        return CustomDomain.SERVES
    return CustomDomain.LEADS_ON if service.region else CustomDomain.REFUSES


def has_private_endpoint(facts: Facts) -> bool | None:
    """Whether the service answers as it does for a resource that has one; None if it did not tell.

    The region refuses the key of a resource with one (documented, 2024-09: AZ-PE-REGION-401).
    """
    told = at_custom_domain(facts)
    if told is not None:
        return told is CustomDomain.SERVES
    if facts.route is None or _key_status(facts) != OK:
        return None
    return facts.route.is_at_custom_domain


def is_at_wrong_door(facts: Facts) -> bool:
    """Whether the service does not serve the program where the route leads."""
    route = facts.route
    if route is None:
        return False
    if route.kind is RouteKind.PRIVATE_ENDPOINT:
        return at_custom_domain(facts) is CustomDomain.REFUSES
    is_there = route.kind is RouteKind.REGIONAL and not route.is_at_custom_domain
    is_refused = _key_status(facts) != OK
    return is_there and is_refused and at_custom_domain(facts) is CustomDomain.SERVES


def does_lead_on(facts: Facts) -> bool:
    """Whether the custom domain leads to the region."""
    service = facts.service
    is_named = service is not None and service.region is not None
    return is_named or any(map(leads_to_region, _answers_at_custom_domain(facts)))


def do_both_doors_work(facts: Facts) -> bool:
    """Whether that is sure: one redirects to the other, and that one takes the key."""
    is_taken = any(
        answer.status == OK and (at := recognise_host(host)) and at.region
        for host, answer in facts.key_answers.items()
    )
    return is_taken and any(map(leads_to_region, _answers_at_custom_domain(facts)))


def is_key_refused_at_region(facts: Facts) -> bool:
    is_regional = facts.route is not None and not facts.route.is_at_custom_domain
    return is_regional and _key_status(facts) == UNAUTHORIZED


def _answers_at_custom_domain(facts: Facts) -> list[Answer]:
    route = facts.route
    if route is None or route.kind is RouteKind.OTHER_HOST:
        return []
    if not route.is_at_custom_domain:
        return [facts.private_door] if facts.private_door else []
    answers = answers_of_clients(facts)
    return [answer for client, answer in answers.items() if client not in OPTIONAL]


def _key_status(facts: Facts) -> int | None:
    """What the key got at the door of the route. Of tokens, nothing is documented."""
    if facts.settings is not None and facts.settings.is_entra:
        return None
    return next((answer.status for answer in facts.key_answers.values()), None)

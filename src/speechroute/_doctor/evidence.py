"""What the answers of the doors prove about the resource."""

from __future__ import annotations

from .._core.answer import NOT_FOUND, OK, UNAUTHORIZED, Answer, Stage
from .._core.clouds import Offering, recognise_host
from .._core.route import RouteKind
from .._core.view import Outcome
from .facts import Facts

_FOLLOWED = frozenset({301, 307, 308})
"""Redirects that the SDK follows (measured, 1.53)."""
OPTIONAL = frozenset({"batch REST", "token", "custom voice"})
"""Clients that may be refused for other reasons: access to tokens, a custom voice without its id.
The custom domain answers the first two without a private endpoint too (documented, 2024-09)."""


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
    host = recognise_host(answer.location)
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


def has_private_endpoint(facts: Facts) -> bool | None:
    """Whether the service answers as it does for a resource that has one; None if it did not tell.

    Without a key, the custom domain answers 401 with a private endpoint and 404 without (assumed);
    the region refuses the key of a resource with one (documented, 2024-09).
    """
    answers = _answers_at_custom_domain(facts)
    if any(map(leads_to_region, answers)):
        return False
    statuses = {answer.status for answer in answers}
    if statuses == {UNAUTHORIZED}:
        return True
    if statuses == {NOT_FOUND}:
        return False
    if facts.route is None or _key_status(facts) != OK:
        return None
    return facts.route.is_at_custom_domain


def is_at_wrong_door(facts: Facts) -> bool:
    """Whether the service does not serve the program where the route leads."""
    route = facts.route
    statuses = {answer.status for answer in _answers_at_custom_domain(facts)}
    if route is None:
        return False
    if route.kind is RouteKind.PRIVATE_ENDPOINT:
        return statuses == {NOT_FOUND}
    return not route.is_at_custom_domain and statuses == {UNAUTHORIZED}


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

"""What the answers of the doors prove about the resource."""

from __future__ import annotations

from http import HTTPStatus

from ..._clouds import recognise_host
from ..._route import RouteKind
from ..._verdict import Decision
from .facts import Answer, Facts, Stage

_FOLLOWED = frozenset({301, 307, 308})
"""Redirects that the SDK follows (measured, 1.53)."""
OPTIONAL = frozenset({"batch REST", "token", "custom voice"})
"""Clients that may be refused for other reasons: access to tokens, a custom voice without its id.
The custom domain answers the first two without a private endpoint too (documented, 2024-09)."""


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


def has_private_endpoint(facts: Facts) -> bool | None:
    """Whether the service answers as it does for a resource that has one; None if it did not tell.

    Without a key, the custom domain answers 401 with a private endpoint and 404 without (assumed);
    the region refuses the key of a resource with one (documented, 2024-09).
    """
    route = facts.route
    if route is None or route.kind is RouteKind.OTHER_HOST:
        return None
    if route.is_at_custom_domain:
        answers = answers_of_clients(facts)
        seen = [answer for client, answer in answers.items() if client not in OPTIONAL]
    else:
        seen = [facts.private_door] if facts.private_door else []
    if any(map(leads_to_region, seen)):
        return False
    statuses = {answer.status for answer in seen}
    if statuses == {HTTPStatus.UNAUTHORIZED}:
        return True
    if statuses == {HTTPStatus.NOT_FOUND}:
        return False
    return route.is_at_custom_domain if _key_status(facts) == HTTPStatus.OK else None


def is_refused_as_private(facts: Facts) -> bool:
    """Whether the region refused the key of a resource that has a private endpoint, as DNS says."""
    says, route = facts.dns_says, facts.route
    return (
        says is not None
        and says.decision is Decision.PRIVATE_ENDPOINT
        and route is not None
        and not route.is_at_custom_domain
        and _key_status(facts) == HTTPStatus.UNAUTHORIZED
        and has_private_endpoint(facts) is None
    )


def _key_status(facts: Facts) -> int | None:
    """What the key got at the door of the route."""
    return next((answer.status for answer in facts.key_answers.values()), None)

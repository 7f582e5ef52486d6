"""What it means that a door refuses: `refused` says who is behind, and what to do."""

from __future__ import annotations

from typing import NamedTuple

from .errors import RouteRefused
from .route import Route, RouteKind
from .verdict import Row


class Door(NamedTuple):
    """What tells a route from another to the service: two routes may share a door."""

    kind: RouteKind
    name: str

    @classmethod
    def of(cls, route: Route) -> Door:
        if route.other_host is not None:
            return cls(route.kind, f"the host {route.other_host}")
        if route.is_at_custom_domain:
            return cls(route.kind, f"the custom domain {route.custom_domain}")
        return cls(route.kind, f"the region {route.region}")


def seen(failure: str, route: Route) -> str:
    door = Door.of(route).name
    if failure == "no connection":
        return f"No connection to {door} came about"
    return f"{door[0].upper()}{door[1:]} answered {failure}"


def refused(failure: str, route: Route, worked: Door | None, *, is_fresh: bool) -> RouteRefused:
    """Why a route that DNS or the settings tell does not work, and who is behind.

    Args:
        failure: what happened at its door.
        route: the route that failed, as it was observed after that.
        worked: the last door of this resource that worked in this process.
        is_fresh: False if DNS failed when the route was observed.
    """
    remedy, behind = _remedy(failure, route, worked, is_fresh=is_fresh)
    says = "the settings say" if route.evidence is None else "DNS says"
    message = f"{seen(failure, route)}, but {says} {route.kind}. {route.reason} {remedy}"
    return RouteRefused.of(message, behind=behind, failure=failure)


def _remedy(failure: str, route: Route, worked: Door | None, *, is_fresh: bool) -> tuple[str, str]:
    """What to do, and who is behind."""
    by_kind = {RouteKind.PRIVATE_ENDPOINT: _AS_REMOVED, RouteKind.REGIONAL: _AS_ADDED}
    meaning = by_kind.get(route.kind, {}).get(failure)
    if meaning is None:
        return "Check the key, the network and the resource: speechroute check.", ""
    if route.row in _OF_SETTINGS:
        return f"{meaning}: {_OF_SETTINGS[route.row]}.", "settings"
    if not is_fresh:
        return f"{meaning}; DNS fails now, so this route is the last known one.", "dns"
    if worked is None:
        return (
            f"{meaning}. No call has worked yet that could tell whether DNS or the service is "
            "behind: try again later, check the key, or set SPEECH_PRIVATE_ENDPOINT."
        ), ""
    if worked == Door.of(route):
        return (
            f"{meaning}. This way worked before with this key, so the service has changed and DNS "
            "is behind: try again when it has followed, or set SPEECH_PRIVATE_ENDPOINT."
        ), "dns"
    return (
        f"{meaning}. Before, {worked.name} worked, so DNS has changed and the service is behind: "
        "try again when it has followed."
    ), "service"


_AS_REMOVED = {"404": "So answers a resource without private endpoints"}
_AS_ADDED = dict.fromkeys(
    ("401", "403"), "So answers a resource with a private endpoint, and any for a wrong key"
)
_OF_SETTINGS = {
    Row.TOLD_YES: "unset SPEECH_PRIVATE_ENDPOINT, so that DNS is asked",
    Row.TOLD_NO: "unset SPEECH_PRIVATE_ENDPOINT, so that DNS is asked",
    Row.NO_CUSTOM_DOMAIN: "set SPEECH_ENDPOINT to the custom domain, so that DNS is asked",
    Row.UNDECIDED: "set SPEECH_WHEN_UNDECIDED or SPEECH_PRIVATE_ENDPOINT to the other",
}

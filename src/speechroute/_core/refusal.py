"""What it means that a door refuses: `refused` says why, and what to do."""

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
            return cls.of_custom_domain(route.custom_domain)
        return cls.of_region(route.region)

    @classmethod
    def of_custom_domain(cls, custom_domain: str | None) -> Door:
        return cls(RouteKind.PRIVATE_ENDPOINT, f"the custom domain {custom_domain}")

    @classmethod
    def of_region(cls, region: str | None) -> Door:
        return cls(RouteKind.REGIONAL, f"the region {region}")


def seen(failure: str, route: Route) -> str:
    door = Door.of(route).name
    if failure == NOT_CONNECTED:
        return f"No connection to {door} came about"
    return f"{door[0].upper()}{door[1:]} answered {failure}"


NOT_CONNECTED = "no connection"


class Refusal(NamedTuple):
    """What happened at the door of a route: ``401``, ``403``, ``404`` or ``no connection``."""

    failure: str
    route: Route


def refused(refusals: list[Refusal], *, is_paused: bool) -> RouteRefused:
    """Why a call came through at no door, and what to do.

    Args:
        refusals: the doors that were tried, in order.
        is_paused: whether the other door was not tried because it refused a moment ago.
    """
    first, route = refusals[0], refusals[-1].route
    at = {refusal.route.is_at_custom_domain: refusal for refusal in refusals}
    if len(at) > 1:
        tried = " ".join(f"{seen(*refusal)}." for refusal in refusals)
        meaning = _of_both(at[True].failure, at[False].failure)
        other = at[not first.route.is_at_custom_domain].failure
        return RouteRefused.of(f"{tried} {meaning}", failure=first.failure, other=other)
    says = "the settings say" if route.evidence is None else "DNS says"
    if route.row in (Row.OTHER_DOOR, Row.SERVICE):
        says = "what was answered before says"
    remedy, is_by_settings = _remedy(refusals[-1], is_paused=is_paused)
    message = f"{seen(*refusals[-1])}, but {says} {route.kind}. {route.reason} {remedy}"
    behind = "settings" if is_by_settings else ""
    return RouteRefused.of(message, failure=first.failure, behind=behind)


def _remedy(refusal: Refusal, *, is_paused: bool) -> tuple[str, bool]:
    """What to do where one door was tried, and whether a setting has to change for that."""
    failure, route = refusal
    meaning = (_AT_CUSTOM_DOMAIN if route.is_at_custom_domain else _AT_REGION).get(failure, "")
    if route.row in _OF_SETTINGS:
        return f"{meaning} {_OF_SETTINGS[route.row]}".lstrip(), True
    if is_paused:
        return f"{meaning} The other door refused a moment ago: try again later.".lstrip(), False
    if route.is_at_custom_domain and failure in ("404", NOT_CONNECTED):
        needs = "The other door is the region, which nobody tells here: set SPEECH_REGION."
        return f"{meaning} {needs}".lstrip(), True
    check = "Check the key, the network and the resource: speechroute check."
    return f"{meaning} {check}".lstrip(), False


def _of_both(at_custom_domain: str, at_region: str) -> str:
    """What the answers of both doors mean together."""
    if at_custom_domain == at_region == NOT_CONNECTED:
        return "So the network or a proxy is in the way: speechroute check tells where."
    if at_custom_domain == "401":
        return "So the credential is not valid for this resource: check the key, or the token."
    if at_custom_domain == "403":
        return (
            "So the resource does not let this network in, or not this identity: its public access "
            "may be off, and its private endpoint must be reached by its private address."
        )
    if at_custom_domain == "404":
        return (
            "So the resource has no private endpoint, and its region does not take this "
            "credential: check the key and the region. Or a change is under way, and DNS and the "
            "service are both in motion: try again."
        )
    return (
        "So the resource has a private endpoint that cannot be reached from here, or the "
        "credential is not valid: check the network and the key (speechroute check)."
    )


_AT_CUSTOM_DOMAIN = {
    "401": "So the credential is not valid for this resource.",
    "403": "So the resource does not let this network, or this identity, in.",
    "404": "So answers a resource without private endpoints.",
}
"""401: AZ-CREDENTIAL. 403: AZ-PUBLIC-ACCESS-403. 404: AZ-404-AFTER-REMOVAL. All documented."""
_AT_REGION = dict.fromkeys(
    ("401", "403"), "So answers a resource with a private endpoint, and any for a wrong key."
)
"""401 is documented (2024-09-24: AZ-PE-REGION-401), 403 assumed."""
_OF_SETTINGS = {
    Row.TOLD_YES: "SPEECH_PRIVATE_ENDPOINT=yes says so, and no other door is tried: unset it.",
    Row.TOLD_NO: "SPEECH_PRIVATE_ENDPOINT=no says so, and no other door is tried: unset it.",
    Row.NO_CUSTOM_DOMAIN: "Set SPEECH_ENDPOINT to the custom domain, so that there is another.",
}

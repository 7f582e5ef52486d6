"""Which outcomes of the Speech SDK mean that the door may have moved, and one retry.

The SDK retries by itself before it gives up, but always at the same door.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

import azure.cognitiveservices.speech as speechsdk

from ._resolver import Clock
from ._route import Route, RouteKind
from ._verdict import Row
from .errors import RouteRefused, SpeechRouteError

_log = logging.getLogger("speechroute")

T = TypeVar("T")

_CODES_WITH_STATUS = (
    speechsdk.CancellationErrorCode.AuthenticationFailure,
    speechsdk.CancellationErrorCode.Forbidden,
    speechsdk.CancellationErrorCode.ServiceError,
)
_MOVED = ("401", "403", "404")
_STATUS = r"(?:WebSocket upgrade|Get voices list) failed: [^(]*\((\d{3})\)"
_NOT_CONNECTED = (
    "Connection failed (no connection to the remote host)",
    "WebSocket operation failed. Internal error: 3. Error details: WS_ERROR_UNDERLYING_IO_ERROR",
    "Error in sending a http request. Details: Failed with error: HTTPAPI_OPEN_REQUEST_FAILED",
)
"""Name not resolved, refused, unreachable, broken off, or no tunnel opened by the proxy. Taken
together, because the number that follows is a line of the SDK's source where it is no errno: for
the tunnel 713 in 1.48.2 and 801 in 1.53.0 (measured)."""
_NO_RESULT = "Timeout: no recognition result received"
"""What ``recognize_once`` says of a refused connection now and then, after less than a second and
on a loaded machine (measured, 1.53.0); its code is ``ServiceTimeout``."""


def failure_of(outcome: Any) -> str | None:
    """What happened at the door, if an outcome means that it may have moved.

    ``401``, ``403`` or ``404`` at the upgrade, or ``no connection``. Code first, text second
    (measured, 1.48.2 and 1.53.0). Never for throttling, errors of the service, bad requests, an
    end of the stream, or a result without a match.

    Args:
        outcome: a result of recognition, translation, transcription or synthesis, a voices list,
            a ``canceled`` event, or a future of the SDK, which is waited for; anything else is no
            failure.
    """
    result = _result_of(outcome)
    if getattr(result, "reason", None) != speechsdk.ResultReason.Canceled:
        return None
    details = getattr(result, "cancellation_details", None)
    if details is None:  # a voices list has a text and no code
        code, text = None, result.error_details
    else:
        code = details.error_code if hasattr(details, "error_code") else details.code
        text = details.error_details
    codes = speechsdk.CancellationErrorCode
    if code in (None, codes.ConnectionFailure) and text.startswith(_NOT_CONNECTED):
        return "no connection"
    if code is codes.ServiceTimeout and text.startswith(_NO_RESULT):
        return "no connection"
    status = re.match(_STATUS, text)
    if status and status[1] in _MOVED and code in (None, *_CODES_WITH_STATUS):
        return status[1]
    return None


def has_worked(outcome: Any) -> bool:
    """Whether an outcome is a result of the SDK that a door has let through."""
    reason = getattr(_result_of(outcome), "reason", None)
    return isinstance(reason, speechsdk.ResultReason) and reason != speechsdk.ResultReason.Canceled


def _result_of(outcome: Any) -> Any:
    """The result that is in an event or a future."""
    if isinstance(outcome, speechsdk.ResultFuture):
        outcome = outcome.get()
    return getattr(outcome, "result", outcome)


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


class History:
    """What calls have seen at one resource: the last door that worked, and what was told since."""

    def __init__(self) -> None:
        self._last: tuple[float, Door | None] = float("-inf"), None
        self._told: set[str] = set()

    @property
    def worked(self) -> Door | None:
        return self._last[1]

    def note(self, began: float, route: Route) -> None:
        """A call that began then came through: calls that began later know better."""
        if began >= self._last[0]:
            self._last = began, Door.of(route)
            self._told.clear()

    def tell(self, message: str) -> None:
        """Log what failed, once until a call comes through."""
        if message not in self._told:
            self._told.add(message)
            _log.warning("Not recovered: %s", message)


class Opened(NamedTuple):
    """A config, and the route that it is made for.

    Attributes:
        at: when it was made, seconds on the opener's clock.
        is_fresh: whether the route was observed when it was asked for; False if DNS failed then.
        fingerprint: tells keys apart, and nothing else about them.
    """

    config: Any
    route: Route
    at: float
    is_fresh: bool
    fingerprint: int


class Opener(NamedTuple):
    """Makes configs of one kind for one resource.

    Attributes:
        open: a config for a route observed since a moment, seconds on ``clock``; raises
            `RoutingError`.
        open_async: the same, without blocking the event loop.
        history: what worked at this resource.
        clock: that of the route's times.
        pause: between two looks at a route that does not change, seconds.
        keep_fresh: supplies a client with new tokens, if it needs any; returns it.
    """

    open: Callable[[float], Opened]
    open_async: Callable[[float], Awaitable[Opened]]
    history: History
    clock: Clock
    pause: float
    keep_fresh: Callable[[Any], Any]


ANY_TIME = float("-inf")


class Attempt(NamedTuple, Generic[T]):
    """What `SpeechConfigFactory.attempt` did.

    Attributes:
        result: what the operation returned, the second time if it ran twice.
        route: the route that gave this result.
        failure: what happened at the first door, ``401``, ``403``, ``404`` or ``no connection``;
            None if nothing did.
        retried: whether the operation ran a second time, through another route.
        reason: what was done and why, one or two sentences.
        error: why the result is a failure of the route: `RouteRefused`, or the `RoutingError` of
            the observation that followed it; None where the result is no such failure.
    """

    result: T
    route: Route
    failure: str | None = None
    retried: bool = False
    reason: str = "The first call was not refused."
    error: SpeechRouteError | None = None


def attempt(opener: Opener, operation: Callable[[Any], T]) -> Attempt[T]:
    """Call an operation, and once more if its door has moved."""
    first = opener.open(ANY_TIME)
    tried = Attempt(operation(first.config), first.route)
    failure = failure_of(tried.result)
    if failure is None:
        return _through(opener, tried, first)
    try:
        second = opener.open(opener.clock())
    except SpeechRouteError as error:
        return _unobserved(opener, tried, failure, error)
    if not is_other(first, second):
        return _unmoved(opener, tried, failure, second)
    return _again(opener, tried, failure, second, operation(second.config))


async def attempt_async(opener: Opener, operation: Callable[[Any], Awaitable[T]]) -> Attempt[T]:
    """As `attempt`, for an operation that is awaited."""
    first = await opener.open_async(ANY_TIME)
    tried = Attempt(await _finished(operation(first.config)), first.route)
    failure = failure_of(tried.result)
    if failure is None:
        return _through(opener, tried, first)
    try:
        second = await opener.open_async(opener.clock())
    except SpeechRouteError as error:
        return _unobserved(opener, tried, failure, error)
    if not is_other(first, second):
        return _unmoved(opener, tried, failure, second)
    return _again(opener, tried, failure, second, await _finished(operation(second.config)))


async def _finished(operation: Awaitable[T]) -> T:
    """What an operation returned; a future of the SDK is waited for outside the event loop."""
    result = await operation
    if isinstance(result, speechsdk.ResultFuture):
        await asyncio.to_thread(result.get)
    return result


def _through(opener: Opener, tried: Attempt[T], opened: Opened) -> Attempt[T]:
    if has_worked(tried.result):
        opener.history.note(opened.at, opened.route)
    return tried


def _unobserved(
    opener: Opener, tried: Attempt[T], failure: str, error: SpeechRouteError
) -> Attempt[T]:
    reason = f"{seen(failure, tried.route)}, and there is no other route: {error}"
    opener.history.tell(reason)
    return tried._replace(failure=failure, reason=reason, error=error)


def _unmoved(opener: Opener, tried: Attempt[T], failure: str, second: Opened) -> Attempt[T]:
    error = refused(failure, second, opener.history.worked)
    opener.history.tell(str(error))
    return tried._replace(failure=failure, reason=str(error), error=error)


def _again(
    opener: Opener, tried: Attempt[T], failure: str, second: Opened, result: T
) -> Attempt[T]:
    again = failure_of(result)
    changed = "" if Door.of(tried.route) != Door.of(second.route) else " The key has changed."
    reason = (
        f"{seen(failure, tried.route)}, so the call was made again.{changed} {second.route.reason}"
    )
    if again is None:
        _log.info("Recovered: %s", reason)
        if has_worked(result):
            opener.history.note(second.at, second.route)
        return Attempt(result, second.route, failure, retried=True, reason=reason)
    error = refused(again, second, opener.history.worked)
    opener.history.tell(str(error))
    return Attempt(result, second.route, failure, True, f"{reason} {error}", error)


def is_other(before: Opened, after: Opened) -> bool:
    """Whether a new config goes another way, or with another key."""
    return _way(before) != _way(after)


def _way(opened: Opened) -> tuple[Door, bool, int]:
    return Door.of(opened.route), opened.route.is_direct, opened.fingerprint


def seen(failure: str, route: Route) -> str:
    door = Door.of(route).name
    if failure == "no connection":
        return f"No connection to {door} came about"
    return f"{door[0].upper()}{door[1:]} answered {failure}"


def refused(failure: str, opened: Opened, worked: Door | None) -> RouteRefused:
    """Why a route that DNS or the settings tell does not work, and who is behind.

    Args:
        failure: from `failure_of`.
        opened: the route that failed, as it was observed after that.
        worked: the last door of this resource that worked in this process.
    """
    route = opened.route
    remedy, behind = _remedy(failure, opened, worked)
    says = "the settings say" if route.evidence is None else "DNS says"
    message = f"{seen(failure, route)}, but {says} {route.kind}. {route.reason} {remedy}"
    return RouteRefused.of(message, behind=behind, failure=failure)


def _remedy(failure: str, opened: Opened, worked: Door | None) -> tuple[str, str]:
    """What to do, and who is behind."""
    route = opened.route
    by_kind = {RouteKind.PRIVATE_ENDPOINT: _AS_REMOVED, RouteKind.REGIONAL: _AS_ADDED}
    meaning = by_kind.get(route.kind, {}).get(failure)
    if meaning is None:
        return "Check the key, the network and the resource: speechroute check.", ""
    if route.row in _OF_SETTINGS:
        return f"{meaning}: {_OF_SETTINGS[route.row]}.", "settings"
    if not opened.is_fresh:
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

"""`attempt`: one call, and one more if its door has moved."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

import azure.cognitiveservices.speech as speechsdk

from .._core.errors import RouteRefused, SpeechRouteError
from .._core.refusal import Door, refused, seen
from .._core.route import Route
from .._network.clock import Clock
from .outcome import failure_of, has_worked

_log = logging.getLogger("speechroute")

T = TypeVar("T")


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
        is_fresh: False if DNS failed when it was last asked.
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
        open: a config for a route observed since a moment, seconds on ``clock``, and after a
            failure at a door that was opened before; raises `RoutingError`.
        open_async: the same, without blocking the event loop.
        history: what worked at this resource.
        clock: that of the route's times.
        pause: between two looks at a route that does not change, seconds.
        keep_fresh: supplies a client with new tokens, if it needs any; returns it.
    """

    open: Callable[..., Opened]
    open_async: Callable[..., Awaitable[Opened]]
    history: History
    clock: Clock
    pause: float
    keep_fresh: Callable[[Any], Any]

    def refused(self, failure: str, opened: Opened) -> RouteRefused:
        """Why a door that was opened does not work."""
        return refused(failure, opened.route, self.history.worked, is_fresh=opened.is_fresh)


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
    first = opener.open()
    tried = Attempt(operation(first.config), first.route)
    failure = failure_of(tried.result)
    if failure is None:
        return _through(opener, tried, first)
    try:
        second = opener.open(opener.clock(), failure, first)
    except SpeechRouteError as error:
        return _unobserved(opener, tried, failure, error)
    if not is_other(first, second):
        return _unmoved(opener, tried, failure, second)
    return _again(opener, tried, failure, second, operation(second.config))


async def attempt_async(opener: Opener, operation: Callable[[Any], Awaitable[T]]) -> Attempt[T]:
    """As `attempt`, for an operation that is awaited."""
    first = await opener.open_async()
    tried = Attempt(await _finished(operation(first.config)), first.route)
    failure = failure_of(tried.result)
    if failure is None:
        return _through(opener, tried, first)
    try:
        second = await opener.open_async(opener.clock(), failure, first)
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
    error = opener.refused(failure, second)
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
    error = opener.refused(again, second)
    opener.history.tell(str(error))
    return Attempt(result, second.route, failure, True, f"{reason} {error}", error)


def is_other(before: Opened, after: Opened) -> bool:
    """Whether a new config leads to another door, by another way or with another key."""
    return _way(before) != _way(after)


def _way(opened: Opened) -> tuple[Door, bool, int]:
    return *way_of(opened.route), opened.fingerprint


def way_of(route: Route) -> tuple[Door, bool]:
    """Which door a route leads to, and whether past a proxy."""
    return Door.of(route), route.is_direct

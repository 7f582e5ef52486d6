"""`attempt`: one call, and one more where its door has moved, or the other one may be right."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Generic, NamedTuple, TypeVar

import azure.cognitiveservices.speech as speechsdk

from .._core.errors import SpeechRouteError
from .._core.refusal import Door, seen
from .._core.route import Route
from .opener import Opened, Opener, Refused, level_of
from .outcome import failure_of, has_worked, kind_of

_log = logging.getLogger("speechroute")

T = TypeVar("T")


class Attempt(NamedTuple, Generic[T]):
    """What `SpeechConfigFactory.attempt` did.

    Attributes:
        result: what the operation returned: the second time if that came through, else the first.
        route: the route that gave this result.
        failure: what happened at the first door, ``401``, ``403``, ``404`` or ``no connection``;
            None if nothing did.
        retried: whether the operation ran a second time, through another route.
        reason: what was done and why, one or two sentences.
        error: why the result is a failure of the route: `RouteRefused`, which names the answers of
            both doors, or the `RoutingError` of the observation that followed; None where the
            result is no such failure.
    """

    result: T
    route: Route
    failure: str | None = None
    retried: bool = False
    reason: str = "The first call was not refused."
    error: SpeechRouteError | None = None


def attempt(opener: Opener, operation: Callable[[Any], T]) -> Attempt[T]:
    """Call an operation, and again at another door where one refuses."""
    opened: Opened | None = opener.open()
    tried: list[Attempt[T]] = []
    refusals: list[Refused] = []
    while opened is not None:
        result = operation(opened.config)
        failure = failure_of(result)
        if failure is None:
            return _through(opener, opened, result, refusals)
        tried.append(Attempt(result, opened.route))
        refusals.append(Refused(opened, failure, opener.clock(), kind_of(result)))
        try:
            opened = opener.after(refusals)
        except SpeechRouteError as error:
            return _unobserved(opener, tried[0], refusals, error)
    return _refused(opener, tried[0], refusals)


async def attempt_async(opener: Opener, operation: Callable[[Any], Awaitable[T]]) -> Attempt[T]:
    """As `attempt`, for an operation that is awaited."""
    opened: Opened | None = await opener.open_async()
    tried: list[Attempt[T]] = []
    refusals: list[Refused] = []
    while opened is not None:
        result = await _finished(operation(opened.config))
        failure = failure_of(result)
        if failure is None:
            return _through(opener, opened, result, refusals)
        tried.append(Attempt(result, opened.route))
        refusals.append(Refused(opened, failure, opener.clock(), kind_of(result)))
        try:
            opened = await opener.after_async(refusals)
        except SpeechRouteError as error:
            return _unobserved(opener, tried[0], refusals, error)
    return _refused(opener, tried[0], refusals)


async def _finished(operation: Awaitable[T]) -> T:
    """What an operation returned; a future of the SDK is waited for outside the event loop."""
    result = await operation
    if isinstance(result, speechsdk.ResultFuture):
        await asyncio.to_thread(result.get)
    return result


def _through(opener: Opener, opened: Opened, result: T, refusals: list[Refused]) -> Attempt[T]:
    if has_worked(result):
        opener.came_through(opened, refusals)
    if not refusals:
        return Attempt(result, opened.route)
    reason = _again(refusals, opened)
    _log.log(level_of(refusals, opened), "Recovered: %s", reason)
    return Attempt(result, opened.route, refusals[0].failure, retried=True, reason=reason)


def _again(refusals: list[Refused], opened: Opened) -> str:
    """That a call was made again, and why there."""
    last = refusals[-1]
    is_same = Door.of(last.opened.route) == Door.of(opened.route)
    changed = " The key has changed." if is_same and last.opened.way != opened.way else ""
    failed = seen(last.failure, last.opened.route)
    return f"{failed}, so the call was made again.{changed} {opened.route.reason}"


def _unobserved(
    opener: Opener, first: Attempt[T], refusals: list[Refused], error: SpeechRouteError
) -> Attempt[T]:
    failure = refusals[0].failure
    reason = f"{seen(failure, first.route)}, and there is no other route: {error}"
    opener.history.tell(reason)
    return first._replace(failure=failure, retried=len(refusals) > 1, reason=reason, error=error)


def _refused(opener: Opener, first: Attempt[T], refusals: list[Refused]) -> Attempt[T]:
    error = opener.refused(refusals)
    opener.history.tell(str(error))
    failure, retried = refusals[0].failure, len(refusals) > 1
    return first._replace(failure=failure, retried=retried, reason=str(error), error=error)

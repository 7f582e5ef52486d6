"""`forgetting`: errors that are raised without what their function was called with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from .errors import SpeechRouteError

P = ParamSpec("P")
T = TypeVar("T")

_TOLD = (SpeechRouteError, TypeError, ValueError, RuntimeError)


def forgetting(function: Callable[P, T]) -> Callable[P, T]:
    """Raises the errors of a function without frames that hold its arguments.

    Tools that show the locals of a traceback would show keys that were passed.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except _TOLD as error:
            failure = error.with_traceback(None)
        del args
        kwargs.clear()
        raise failure

    return call


def forgetting_async(
    function: Callable[P, Coroutine[Any, Any, T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """As `forgetting`, for a coroutine function."""

    @wraps(function)
    async def call(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await function(*args, **kwargs)
        except _TOLD as error:
            failure = error.with_traceback(None)
        del args
        kwargs.clear()
        raise failure

    return call

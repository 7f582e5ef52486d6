"""`RouteResolver`: routes, kept for as long as DNS allows and looked up once."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import threading
import time
import weakref
from concurrent.futures import Future
from typing import NamedTuple

from .._core.errors import DnsUnavailable, SpeechRouteError
from .._core.route import Route
from .observe import Observe, observe
from .question import Clock, Kept, Question, last_known, look, settled

_log = logging.getLogger("speechroute")


class _Flight(NamedTuple):
    """An observation that is under way."""

    asked_at: float
    landing: Future[Kept | BaseException]


_ALWAYS = float("-inf")


class RouteResolver:
    """Answers questions for routes from a cache, and observes where it has no fresh answer.

    One observation at a time for each question, whatever the number of threads, tasks and event
    loops: who comes while it runs waits for it and shares its outcome. It runs in a daemon
    thread, so that neither Ctrl-C nor the end of the process waits for it. After ``fork`` the
    child observes for itself.

    A call late in a route's life gets that route at once, and starts the next observation. If
    DNS fails, the last known route is used for ``stale`` seconds more, with a warning, and DNS
    is asked again in the background. An answer that leaves no way is no failure: it is raised.

    Args:
        observe: looks at DNS; default: `observe`.
        clock: seconds that never run backwards; default: ``time.monotonic``.
    """

    def __init__(self, observe: Observe = observe, clock: Clock = time.monotonic) -> None:
        self._observe = observe
        self.clock = clock
        self._kept: dict[Question, Kept] = {}
        self._told: dict[Question, tuple[str, str | None, bool]] = {}
        self._reset()
        _resolvers.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._flights: dict[Question, _Flight] = {}
        self._queued: dict[Question, Future[Kept | BaseException]] = {}

    def kept(self, question: Question, since: float = _ALWAYS) -> Kept:
        """The route that is valid now, and until when it may be used without asking again.

        Args:
            question: what is asked.
            since: observations that began before are too old, seconds on `clock`. If DNS fails,
                the answer may be older nevertheless, as its ``asked_at`` tells.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        kept = self._usable(question, since)
        return kept or _kept_of(self._flight(question, since).result())

    async def kept_async(self, question: Question, since: float = _ALWAYS) -> Kept:
        """As `kept`, without blocking the event loop. Cancelling it cancels no observation."""
        kept = self._usable(question, since)
        if kept is None:
            kept = _kept_of(await asyncio.wrap_future(self._flight(question, since)))
        return kept

    def invalidate(self) -> None:
        """Forget every route, so that the next call looks again."""
        with self._lock:
            self._kept.clear()
            self._flights.clear()

    def _usable(self, question: Question, since: float) -> Kept | None:
        """A route that needs no waiting: known, or decided by the settings alone."""
        kept = self._kept.get(question)
        if kept is None:
            kept = settled(question)
            if kept is None:
                return None
            self._kept[question] = kept
            self._tell(question, kept.route)
        now = self.clock()
        if now >= kept.usable_until or kept.asked_at <= since:
            return None
        if now >= kept.refresh_at:
            # A process that is out of threads still has a route.
            with contextlib.suppress(RuntimeError):
                self._flight(question, since)
        return kept

    def _flight(self, question: Question, since: float) -> Future[Kept | BaseException]:
        """The observation that is under way, the next one if that is too old, or a new one."""
        with self._lock:
            flight = self._flights.get(question)
            if flight is not None and flight.asked_at > since:
                return flight.landing
            if question in self._queued:
                return self._queued[question]
            landing: Future[Kept | BaseException] = Future()
            # Many wait for it: none of them may cancel it.
            landing.set_running_or_notify_cancel()
            if flight is not None:
                self._queued[question] = landing
                return landing
            kept, now = self._kept.get(question), self.clock()
            if kept is not None and now < kept.refresh_at and kept.asked_at > since:
                # It landed between the caller's look at the cache and this one.
                landing.set_result(kept)
                return landing
            flight = _Flight(now, landing)
            self._launch(question, flight)
            self._flights[question] = flight
            return landing

    def _launch(self, question: Question, flight: _Flight) -> None:
        thread = threading.Thread(
            target=self._fly, args=(question, flight), name="speechroute-resolver", daemon=True
        )
        thread.start()

    def _fly(self, question: Question, flight: _Flight) -> None:
        """Observe, and tell everybody who waits, whatever happens."""
        outcome: Kept | BaseException
        try:
            outcome = look(question, flight.asked_at, self._observe, self.clock)
        except DnsUnavailable as error:
            known = self._kept.get(question)
            outcome = (known and last_known(question, known, self.clock(), error)) or error
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            outcome = error
        before = following = None
        with self._lock:
            # Not so if the routes were invalidated while this one was looked for.
            if self._flights.get(question) is flight:
                del self._flights[question]
                before = self._kept.get(question)
                if isinstance(outcome, Kept):
                    self._kept[question] = outcome
                elif isinstance(outcome, SpeechRouteError):
                    # An answer that leaves no way, or a last known route that is too old.
                    self._kept.pop(question, None)
            if question in self._queued:
                following = _Flight(self.clock(), self._queued.pop(question))
                self._flights[question] = following
        flight.landing.set_result(outcome)
        if following:
            try:
                self._launch(question, following)
            except RuntimeError:  # out of threads: this one is free
                self._fly(question, following)
        # Last, and without the lock: a handler of the log may take long, fail, or ask for a route.
        self._report(question, outcome, before)

    def _report(
        self, question: Question, outcome: Kept | BaseException, before: Kept | None
    ) -> None:
        """What is new, in the log."""
        if not isinstance(outcome, Kept):
            _log.warning("No route: %s", outcome)
        elif not outcome.is_last_known:
            self._tell(question, outcome.route)
        elif before is None or not before.is_last_known:
            _log.warning("Using the last known route: %s", outcome.route.warnings[-1])

    def _tell(self, question: Question, route: Route) -> None:
        """One line in the log where the route changes."""
        now = str(route.kind), route.region, route.is_direct
        if self._told.get(question) != now:
            self._told[question] = now
            _log.info("Route: %s. %s", route.kind, route.reason)


def _kept_of(outcome: Kept | BaseException) -> Kept:
    """What an observation gave, or a copy of its error: each who waited raises one of its own."""
    if isinstance(outcome, SpeechRouteError):
        raise copy.copy(outcome)
    if not isinstance(outcome, Kept):
        message = f"the observation broke off: {outcome!r}"
        raise RuntimeError(message) from outcome  # noqa: TRY004  # no type of an argument
    return outcome


_resolvers: weakref.WeakSet[RouteResolver] = weakref.WeakSet()


def _reset_after_fork() -> None:
    """Locks and flights of the parent's threads would never be released in the child."""
    for resolver in _resolvers:
        resolver._reset()  # noqa: SLF001  # this module's


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)

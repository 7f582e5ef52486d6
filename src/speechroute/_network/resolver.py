"""`RouteResolver`: routes, kept for as long as DNS allows and looked up once."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import os
import weakref
from functools import partial

from .._core.errors import DnsUnavailable, SpeechRouteError
from .._core.tidy import tidy
from .._core.view import NOT_ASKED, DnsView, Lookup, Outcome
from .clock import Clock, boot_time
from .flight import Doubt, Flight, start
from .learned import Learned
from .look import Ask, look
from .observe import Observe, observe
from .question import Kept, Question, anew, evidence_in, settled

_log = logging.getLogger("speechroute")


_ALWAYS = float("-inf")
_Landing = Kept | BaseException | None
"""What an observation gave; None where a fork has ended it."""


class _Memory:
    """What is known and what is looked for.

    Replaced as a whole, so that an observation that began before is told to nobody who comes
    after.
    """

    def __init__(self, kept: dict[Question, Kept] | None = None) -> None:
        self.kept = kept or {}
        self.flights: dict[Question, Flight[_Landing]] = {}


class RouteResolver:
    """Answers questions for routes from a cache, and observes where it has no fresh answer.

    One observation at a time for each question, whatever the number of threads, tasks and event
    loops: who comes while it runs waits for it and shares its outcome. It runs in a thread of its
    own, so that neither Ctrl-C nor the end of the process waits for it. After ``fork`` the child
    observes for itself. No lock is held: a signal handler may ask for a route at any moment.

    A call late in a route's life gets that route at once, and starts the next observation. If
    DNS fails, the last known route is used for ``stale`` seconds more, with a warning, and DNS
    is asked again in the background. An answer that leaves no way is no failure: it is raised.

    Args:
        observe: looks at DNS; default: `observe`.
        clock: seconds that never run backwards; default: `boot_time`.
        ask: asks the service where the question allows it; default: nobody does.
        learned: what doors have answered; default: nothing, and nobody else knows it.

    Attributes:
        own: the question whose answer is never dropped to make room for others.
    """

    def __init__(
        self,
        observe: Observe = observe,
        clock: Clock = boot_time,
        ask: Ask | None = None,
        learned: Learned | None = None,
    ) -> None:
        self._observe, self._ask = observe, ask
        self.clock = clock
        self.learned = learned or Learned()
        self.own: Question | None = None
        self._memory = _Memory()
        self._told: dict[Question, tuple[str, str | None, bool]] = {}
        _resolvers.add(self)

    def _reset(self) -> None:
        """After ``fork``: the threads of the parent are gone, and those who waited ask anew."""
        memory, self._memory = self._memory, _Memory(self._memory.kept)
        for flight in memory.flights.values():
            flight.land(None)

    def kept(
        self, question: Question, since: float = _ALWAYS, *, doubt: Doubt = Doubt.NONE
    ) -> Kept:
        """The route that is valid now, and until when it may be used without asking again.

        Args:
            question: what is asked.
            since: observations that began before are too old, seconds on `clock`. If DNS fails,
                the answer may be older nevertheless, as its ``asked_at`` tells.
            doubt: whether a door was refused then: if the last look after a refusal changed
                nothing, the next one waits for ``ttl_min`` seconds, whoever asks.

        Raises:
            SpeechRouteError: there is none, and why.
        """
        while True:
            kept = self._usable(question, since, doubt)
            if kept is not None:
                return kept
            flight, is_own = self._under_way(question, since, doubt)
            outcome = flight.outcome()
            if outcome is not None and (is_own or flight.asked_at > since):
                return _raised_or(outcome)

    async def kept_async(
        self, question: Question, since: float = _ALWAYS, *, doubt: Doubt = Doubt.NONE
    ) -> Kept:
        """As `kept`, without blocking the event loop. Cancelling it cancels no observation."""
        while True:
            kept = self._usable(question, since, doubt)
            if kept is not None:
                return kept
            flight, is_own = self._under_way(question, since, doubt)
            loop = asyncio.get_running_loop()
            landed = loop.create_future()
            flight.when_landed(partial(_wake, loop, landed))
            await landed
            outcome = flight.outcome()
            if outcome is not None and (is_own or flight.asked_at > since):
                return _raised_or(outcome)

    def invalidate(self) -> None:
        """Forget every route and all evidence, so that the next call looks again."""
        self._memory = _Memory()
        self.learned.forget()

    def _usable(self, question: Question, since: float, doubt: Doubt) -> Kept | None:
        """A route that needs no waiting: known, or decided by the settings alone."""
        memory = self._memory
        kept = memory.kept.get(question)
        if kept is None:
            kept = settled(question)
            if kept is None:
                return None
            self._tell(question, kept)
        now = self.clock()
        if now >= kept.usable_until:
            return None
        is_vain = doubt and doubt <= kept.vain_for and now < kept.vain_until
        if kept.asked_at <= since and not is_vain:
            return None
        evidence = self.learned.evidence(question)
        if evidence is not kept.evidence:
            try:
                kept = memory.kept[question] = anew(question, kept, evidence)
            except SpeechRouteError:  # it was forgotten, and nothing else told a route
                memory.kept.pop(question, None)
                return None
            self._tell(question, kept)
        if now >= kept.refresh_at:
            self._under_way(question, since, doubt)
        return kept

    def _under_way(
        self, question: Question, since: float, doubt: Doubt
    ) -> tuple[Flight[_Landing], bool]:
        """The observation that is under way, or a new one; and whether it is new."""
        memory = self._memory
        now = self.clock()
        flight = memory.flights.get(question)
        own = None
        if flight is None:
            own = Flight[_Landing](now, doubt)
            flight = memory.flights.setdefault(question, own)
            kept = memory.kept.get(question)
            if flight is own and kept and now < kept.refresh_at and kept.asked_at > since:
                # Another one landed between the caller's look at the cache and this one.
                memory.flights.pop(question, None)
                flight.land(kept)
                return flight, True
        if not flight.is_started:
            # Whoever reserved it may have been interrupted before this, by the caller perhaps.
            try:
                start(self._fly, memory, question, flight)
            except RuntimeError as error:
                self._complete(memory, question, flight, partial(_unasked, error))
            flight.is_started = True
        return flight, flight is own

    def _fly(self, memory: _Memory, question: Question, flight: Flight[_Landing]) -> None:
        if flight.begins():
            self._complete(memory, question, flight, self._observe)

    def _complete(
        self, memory: _Memory, question: Question, flight: Flight[_Landing], observe: Observe
    ) -> None:
        """Observe, and tell everybody who waits, whatever happens."""
        view = None
        before = memory.kept.get(question)
        outcome: Kept | BaseException
        ask = self._ask if observe is self._observe else None
        epoch, is_direct = self.learned.epoch, before is not None and before.route.is_direct
        try:
            view = look(question, observe, ask, flight.doubt, is_direct=is_direct)
            times = flight.asked_at, self.clock()
            outcome = self.learned.answer(question, view, before, epoch, *times)
        except BaseException as error:  # noqa: BLE001  # raised again where it is waited for
            outcome = error
        before = memory.kept.get(question)
        try:
            outcome = self._kept_of(memory, question, flight, outcome)
        finally:
            memory.flights.pop(question, None)
            flight.land(outcome)
        # Last: a handler of the log may take long, fail, or ask for a route.
        self._report(question, view, outcome, before)

    def _kept_of(
        self,
        memory: _Memory,
        question: Question,
        flight: Flight[_Landing],
        outcome: Kept | BaseException,
    ) -> Kept | BaseException:
        """Keep what an observation gave, or what is known where it failed."""
        before, now = memory.kept.get(question), self.clock()
        is_answer = isinstance(outcome, SpeechRouteError) and not isinstance(
            outcome, DnsUnavailable
        )
        if isinstance(outcome, BaseException) and before is not None and not is_answer:
            outcome = self.learned.last_known(question, before, now, outcome) or outcome
        if isinstance(outcome, Kept):
            vain_until = flight.asked_at + self.learned.pause(question, flight.doubt)
            outcome = outcome.after(before, vain_until, flight.doubt)
            memory.kept[question] = outcome
            for known, kept in memory.kept.copy().items():
                if now >= kept.good_until:
                    memory.kept.pop(known, None)
            tidy(memory.kept, lambda known: known == self.own)
        elif isinstance(outcome, SpeechRouteError):
            # An answer that leaves no way, or a last known route that is too old.
            memory.kept.pop(question, None)
        return outcome

    def _report(
        self,
        question: Question,
        view: DnsView | None,
        outcome: Kept | BaseException,
        before: Kept | None,
    ) -> None:
        """What is new, in the log."""
        if view and _log.isEnabledFor(logging.DEBUG):
            _log.debug("%s", evidence_in(view))
        if not isinstance(outcome, Kept):
            _log.warning("No route: %s", outcome)
        elif not outcome.is_last_known:
            self._tell(question, outcome)
        elif before is None or not before.is_last_known:
            _log.warning("Using the last known route: %s", outcome.route.warnings[-1])

    def _tell(self, question: Question, kept: Kept) -> None:
        """One line in the log where the route changes."""
        if self._told.get(question) != kept.way:
            self._told[question] = kept.way
            tidy(self._told)
            level = logging.WARNING if kept.leaves_private_network else logging.INFO
            _log.log(level, "Route: %s. %s", kept.route.kind, kept.route.reason)


def _wake(loop: asyncio.AbstractEventLoop, landed: asyncio.Future[None]) -> None:
    def wake() -> None:
        if not landed.done():
            landed.set_result(None)

    with contextlib.suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(wake)


def _unasked(why: RuntimeError, name: str, **_: object) -> DnsView:
    """What is seen where not even a thread can be started."""
    return DnsView(Lookup((name,), (), None, Outcome.FAILED, f"{NOT_ASKED} ({why})"))


def _raised_or(outcome: Kept | BaseException) -> Kept:
    """What an observation gave, or a copy of its error: each who waited raises one of its own."""
    if isinstance(outcome, SpeechRouteError):
        raise copy.copy(outcome)
    if not isinstance(outcome, Kept):
        message = f"the observation broke off: {outcome!r}"
        raise RuntimeError(message) from outcome  # noqa: TRY004  # no type of an argument
    return outcome


_resolvers: weakref.WeakSet[RouteResolver] = weakref.WeakSet()


def _reset_after_fork() -> None:
    """What the threads of the parent were looking for would never land in the child."""
    for resolver in _resolvers:
        resolver._reset()  # noqa: SLF001  # this module's


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)

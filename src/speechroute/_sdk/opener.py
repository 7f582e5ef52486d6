"""`Opener`: the doors of one call, one after the other, and what it proves that one lets it in."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from .._core.clouds import Offering
from .._core.errors import CustomDomainNotFound, DnsUnavailable, RouteRefused, RoutingError
from .._core.evidence import Evidence, Prior, may_mean_route, supposed
from .._core.refusal import Door, Refusal, refused
from .._core.route import Route
from .._network.flight import Doubt
from .._network.question import Kept, Question, anew
from .._network.resolve import with_settings
from .._network.resolver import RouteResolver
from .._settings.key_vault import VaultKey
from .._settings.model import SpeechSettings
from .config import plan_for
from .credential import Secret, fingerprint_of
from .outcome import REFUSED
from .tokens import Tokens

_log = logging.getLogger("speechroute")

T = TypeVar("T")

_LEAST_PAUSE_S = 0.5
"""Without a route nothing else slows the looks; with one the SDK takes 1 s to be refused (measured,
1.53), so that a shorter pause hardly finds a door any sooner."""
_LONG_AGO = float("-inf")


class _Vain(NamedTuple):
    """Both doors have refused: until when no second call is made, if nothing changes."""

    until: float
    prior: Prior | None
    evidence: Evidence | None


class History:
    """What calls with one credential have seen at one resource."""

    def __init__(self) -> None:
        self._last = _LONG_AGO
        self._told: set[str] = set()
        # By kind: one may be refused where another is served, such as a list of voices.
        self._vain: dict[type, _Vain] = {}

    def came_through(self, began: float) -> None:
        """A call that began then did: calls that began later know better."""
        if began >= self._last:
            self._last = began
            self._vain.clear()
            self._told.clear()

    def both_refused(self, kind: type, kept: Kept, until: float) -> None:
        self._vain[kind] = _Vain(until, kept.prior, kept.evidence)

    def is_vain(self, kind: type, kept: Kept, now: float) -> bool:
        """Whether the other door refused a moment ago, and nothing has changed since."""
        vain = self._vain.get(kind, _Vain(_LONG_AGO, None, None))
        return now < vain.until and (kept.prior, kept.evidence) == (vain.prior, vain.evidence)

    def tell(self, message: str) -> None:
        """Log what failed, once until a call comes through."""
        if message not in self._told:
            self._told.add(message)
            _log.warning("Not recovered: %s", message)


class Opened(NamedTuple):
    """A config, and the route that it is made for.

    Attributes:
        at: when it was made, seconds on the opener's clock.
        kept: the answer that the route is of.
        fingerprint: tells keys apart, and nothing else about them.
        epoch: of what was learned before it was opened.
        supposes: what it proves if a call comes through: that this door is right, not the other.
    """

    config: Any
    route: Route
    at: float
    kept: Kept
    fingerprint: int
    epoch: object
    supposes: Evidence | None = None

    @property
    def way(self) -> tuple[Door, bool, int]:
        """Door, whether past a proxy, and key: another one is worth another call."""
        return *way_of(self.route), self.fingerprint


class Refused(NamedTuple):
    """An opened door that let a call not through.

    Attributes:
        at: when that was known, seconds on the opener's clock.
        kind: of what told so.
    """

    opened: Opened
    failure: str
    at: float
    kind: type


class Opener:
    """Makes configs of one kind for one resource.

    Args:
        resolver: knows the routes.
        settings: of this call.
        offering: what the configs are for.
        kind: makes them.
        secret: what they authenticate with.
        history: what calls with it have seen.
        changed: called when a route may have changed.
        renew: called with the fingerprint of a key that a door refused which has not moved.
    """

    def __init__(
        self,
        resolver: RouteResolver,
        settings: SpeechSettings,
        offering: Offering | str,
        kind: Callable[..., Any],
        secret: Secret,
        history: History,
        *,
        changed: Callable[[], None],
        renew: Callable[[int], None],
    ) -> None:
        self._resolver, self._settings = resolver, settings
        self._offering, self._kind, self._secret = offering, kind, secret
        self.history = history
        self._changed, self._renew = changed, renew
        self.clock = resolver.clock
        self._question = Question.of(settings)
        self.pause = max(settings.route_ttl_min, _LEAST_PAUSE_S)
        """Between two looks at a route that does not change, seconds."""

    def open(self) -> Opened:
        """A config for the route of the moment.

        Raises:
            RoutingError: there is none.
        """
        return self._first(self._resolver.kept(self._question))

    async def open_async(self) -> Opened:
        """As `open`, without blocking the event loop."""
        return await self._in_time(self._first, await self._resolver.kept_async(self._question))

    def after(self, refusals: list[Refused]) -> Opened | None:
        """A config for the door to try after those that refused, or None if there is none.

        The one of a route observed since the first refusal, or else the other one.

        Raises:
            RoutingError: there is no route any more, and the other door is none either.
        """
        since, doubt = refusals[0].at, self._doubt_after(refusals)
        try:
            kept = self._resolver.kept(self._question, since, doubt=doubt)
        except RoutingError as error:
            return self._unobserved(error, refusals)
        return self._following(kept, refusals)

    async def after_async(self, refusals: list[Refused]) -> Opened | None:
        """As `after`, without blocking the event loop."""
        since, doubt = refusals[0].at, self._doubt_after(refusals)
        try:
            kept = await self._resolver.kept_async(self._question, since, doubt=doubt)
        except RoutingError as error:
            return await self._in_time(self._unobserved, error, refusals)
        return await self._in_time(self._following, kept, refusals)

    def once_more(self, refusals: list[Refused]) -> tuple[Opened, list[Refused]]:
        """A door to try a while after all have refused, and those refusals that still count.

        Raises:
            RoutingError: there is no route now.
        """
        last = refusals[-1]._replace(at=self.clock())
        opened = self.after([last]) or self.open()
        return opened, [last] if opened.supposes else []

    def came_through(self, opened: Opened, refusals: list[Refused]) -> None:
        """Take note of a call that came through, after others with this credential or none."""
        self.history.came_through(opened.at)
        keys = {refusal.opened.fingerprint for refusal in refusals}
        if opened.supposes and opened.fingerprint in keys:
            evidence = opened.supposes._replace(at=opened.at)
            self._resolver.learned.learn(self._question, evidence, opened.epoch)

    def refused(self, refusals: list[Refused]) -> RouteRefused:
        """Why no door that was tried works. No other one is tried again for a while."""
        last, _, _, kind = refusals[-1]
        is_paused = self.history.is_vain(kind, last.kept, self.clock())
        if _doors_of(refusals) > 1:
            self.history.both_refused(kind, last.kept, self.clock() + self._settings.route_ttl_min)
        told = [Refusal(refusal.failure, refusal.opened.route) for refusal in refusals]
        return refused(told, is_paused=is_paused)

    def keep_fresh(self, client: Any) -> Any:
        """Supply a client with new tokens, if it needs any; returns it."""
        return self._secret.keep_fresh(client) if isinstance(self._secret, Tokens) else client

    def _made(self, kept: Kept, route: Route, supposes: Evidence | None = None) -> Opened:
        # Before the config is made: if the key changes meanwhile, the next one differs.
        fingerprint, epoch = fingerprint_of(self._secret), self._resolver.learned.epoch
        url = self._settings.url_for(self._offering)
        plan = plan_for(self._settings, self._offering, url, route)
        config = plan.make(self._kind, self._secret)
        return Opened(config, route, self.clock(), kept, fingerprint, epoch, supposes)

    def _first(self, kept: Kept) -> Opened:
        return self._made(kept, with_settings(kept, self._settings, self.clock()))

    def _following(self, kept: Kept, refusals: list[Refused]) -> Opened | None:
        self._changed()
        if _doors_of(refusals) > 1:
            return None  # both were tried
        before, failure, _, kind = refusals[-1]
        now = self.clock()
        route = with_settings(kept, self._settings, now)
        if failure == REFUSED and way_of(before.route) == way_of(route):
            self._renew(before.fingerprint)
        tried = {refusal.opened.way for refusal in refusals}
        if (*way_of(route), fingerprint_of(self._secret)) not in tried:
            return self._made(kept, route)
        region = self._resolver.learned.region(self._question)
        supposes = supposed(failure, before.route, kept.prior, kept.evidence, region)
        if supposes is None or self.history.is_vain(kind, kept, now):
            return None
        other = anew(self._question, kept, supposes)
        return self._made(kept, with_settings(other, self._settings, now), supposes)

    def _unobserved(self, error: RoutingError, refusals: list[Refused]) -> Opened | None:
        """The other door, where the look after a refusal told no route."""
        if isinstance(error, CustomDomainNotFound):
            raise error
        opened = self._following(refusals[0].opened.kept, refusals)
        if isinstance(error, DnsUnavailable):
            return opened  # which changes nothing
        if opened is None or opened.route.is_at_custom_domain:
            raise error  # perhaps it leads to another cloud
        return opened

    @staticmethod
    def _doubt_after(refusals: list[Refused]) -> Doubt:
        opened, failure, *_ = refusals[-1]
        is_of_route = may_mean_route(failure, opened.route)
        return Doubt.MAY_HAVE_MOVED if is_of_route else Doubt.REFUSED

    async def _in_time(self, make: Callable[..., T], *arguments: Any) -> T:
        if isinstance(self._secret, (Tokens, VaultKey)):  # which may be asked over the network
            return await asyncio.to_thread(make, *arguments)
        return make(*arguments)


def _doors_of(refusals: list[Refused]) -> int:
    return len({Door.of(refusal.opened.route) for refusal in refusals})


def level_of(refusals: list[Refused], opened: Opened) -> int:
    """How loud a recovery is told: leaving the private network is worth a warning."""
    leaves = any(refusal.opened.route.is_direct for refusal in refusals)
    return logging.WARNING if leaves and not opened.route.is_at_custom_domain else logging.INFO


def way_of(route: Route) -> tuple[Door, bool]:
    """Which door a route leads to, and whether past a proxy."""
    return Door.of(route), route.is_direct

"""`Learned`: what the doors of each resource have answered in this process."""

from __future__ import annotations

import logging

from .._core.errors import SpeechRouteError
from .._core.evidence import Evidence, Prior, weighed
from .._core.tidy import tidy
from .._core.verdict import Row
from .._core.view import DnsView
from .flight import Doubt
from .question import Kept, Question, anew, answer, decided, last_known

_log = logging.getLogger("speechroute")

_SHORT_PAUSE_S = 0.5


class Learned:
    """Evidence by question, and regions by custom domain. Without locks: all steps are atomic.

    Attributes:
        version: another object after each change.
        epoch: another object after everything was forgotten: what began before is not learned.
    """

    def __init__(self) -> None:
        self.version = self.epoch = object()
        self._evidence: dict[Question, Evidence] = {}
        self._regions: dict[str | None, str] = {}

    def evidence(self, question: Question) -> Evidence | None:
        return self._evidence.get(question)

    def region(self, question: Question) -> str | None:
        """The region that anybody has told of this resource, which does not move."""
        return self._regions.get(question.resource.custom_domain)

    def pause(self, question: Question, doubt: Doubt) -> float:
        """Between two looks after refusals that change nothing, seconds."""
        is_known = question.resource.region or self.region(question) or doubt is Doubt.REFUSED
        # There is no other door without it, and DNS may come to tell it.
        return question.ttl_min if is_known else min(question.ttl_min, _SHORT_PAUSE_S)

    def learn(self, question: Question, evidence: Evidence | None, epoch: object) -> None:
        """From now on this counts, unless something newer does."""
        known = self._evidence.get(question)
        is_older = evidence is not None and known is not None and known.at > evidence.at
        if epoch is not self.epoch or evidence == known or is_older:
            return
        others = self._evidence.copy()
        others.pop(question, None)
        if evidence is not None:
            others[question] = evidence  # the last to be dropped
            tidy(others)
            _log.info("Evidence: %s", evidence.seen)
        self._evidence = others
        self.version = object()

    def answer(
        self,
        question: Question,
        view: DnsView,
        before: Kept | None,
        epoch: object,
        asked_at: float,
        now: float,
    ) -> Kept:
        """What an observation gives, together with what is known, and what it adds to that.

        Raises:
            RoutingError: no route, and why.
        """
        by_dns = decided(question, view)
        prior = Prior.of(by_dns) or (before and before.prior)
        known = self.evidence(question)
        self._note_region(question, view.service and view.service.region)
        evidence = weighed(known, prior, view.service, asked_at, self.region(question))
        if evidence is not known and self.evidence(question) is known:
            self.learn(question, evidence, epoch)
        if by_dns.row is Row.DNS_UNAVAILABLE and by_dns.error and before and before.prior:
            raise by_dns.error  # the last known route has more to go by
        kept = answer(question, view, prior, evidence, asked_at, now)
        self._note_region(question, kept.route.region)
        return kept

    def last_known(
        self, question: Question, kept: Kept, now: float, error: BaseException
    ) -> Kept | None:
        """The answer where an observation fails, with what is known beside it."""
        known = last_known(question, kept, now, error)
        if known is None:
            return None
        try:
            return anew(question, known, self.evidence(question))
        except SpeechRouteError:  # there was more to go by
            return known

    def forget(self) -> None:
        """Everything: the next calls rely on DNS again."""
        self._evidence, self._regions = {}, {}
        self.version = self.epoch = object()

    def _note_region(self, question: Question, region: str | None) -> None:
        if region is not None:
            self._regions[question.resource.custom_domain] = region
            tidy(self._regions)


shared = Learned()
"""Of all factories that look at the network themselves. A child of ``fork`` keeps it."""

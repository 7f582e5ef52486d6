"""`Learned`: what the doors of each resource have answered in this process."""

from __future__ import annotations

import logging

from .._core.evidence import Evidence, Prior, weighed
from .._core.tidy import tidy
from .._core.view import DnsView
from .question import Kept, Question, answer, decided

_log = logging.getLogger("speechroute")


class Learned:
    """Evidence and regions, by question. Without locks: each step is one of ``dict``.

    Attributes:
        version: another object after each change.
    """

    def __init__(self) -> None:
        self.version = object()
        self._evidence: dict[Question, Evidence] = {}
        self._regions: dict[Question, str] = {}

    def evidence(self, question: Question) -> Evidence | None:
        return self._evidence.get(question)

    def region(self, question: Question) -> str | None:
        """The region that anybody has told of this resource, which does not move."""
        return self._regions.get(question)

    def learn(self, question: Question, evidence: Evidence | None) -> None:
        """From now on this counts, unless something newer does."""
        known = self._evidence.get(question)
        if evidence == known or (evidence and known and known.at > evidence.at):
            return
        if evidence is None:
            self._evidence.pop(question, None)
        else:
            self._evidence[question] = evidence
            tidy(self._evidence)
        self.version = object()
        if evidence:
            _log.info("Evidence: %s", evidence.seen)

    def answer(
        self, question: Question, view: DnsView, before: Kept | None, asked_at: float, now: float
    ) -> Kept:
        """What an observation gives, together with what is known, and what it adds to that.

        Raises:
            RoutingError: no route, and why.
        """
        prior = Prior.of(decided(question, view)) or (before and before.prior)
        known = self.evidence(question)
        self._note_region(question, view.service and view.service.region)
        evidence = weighed(known, prior, view.service, asked_at, self.region(question))
        if evidence is not known and self.evidence(question) is known:
            self.learn(question, evidence)
        kept = answer(question, view, prior, evidence, asked_at, now)
        self._note_region(question, kept.route.region)
        return kept

    def forget(self) -> None:
        """Everything: the next calls rely on DNS again."""
        self._evidence, self._regions = {}, {}
        self.version = object()

    def _note_region(self, question: Question, region: str | None) -> None:
        if region is not None:
            self._regions[question] = region
            tidy(self._regions)


shared = Learned()
"""Of all factories that look at the network themselves. A child of ``fork`` keeps it."""

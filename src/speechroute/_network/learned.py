"""`Learned`: what the doors of each resource have answered in this process."""

from __future__ import annotations

from .._core.evidence import Evidence
from .._core.tidy import tidy
from .question import Question


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

    def note_region(self, question: Question, region: str | None) -> None:
        if region is not None:
            self._regions[question] = region
            tidy(self._regions)

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

    def forget(self) -> None:
        """Everything: the next calls rely on DNS again."""
        self._evidence, self._regions = {}, {}
        self.version = object()


shared = Learned()
"""Of all factories that look at the network themselves. A child of ``fork`` keeps it."""

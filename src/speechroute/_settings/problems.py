"""What can be wrong with settings: one value, or several together. Safe to show."""

from __future__ import annotations

from typing import Any

from .._core.errors import Problem


class BadValue(ValueError):
    """A value that a setting cannot have."""

    def __init__(self, found: str, expected: str, remedy: str, about: str = "") -> None:
        super().__init__(expected)
        self.found, self.expected, self.remedy, self.about = found, expected, remedy, about


class Contradiction(ValueError):
    """Settings that cannot go together. Takes the arguments of `Problem`."""

    def __init__(self, *problem: str) -> None:
        self.problem = Problem(*problem)
        super().__init__(str(self.problem))


def problem_of(detail: Any) -> Problem:
    """One problem out of one entry of pydantic's error list, which holds no input."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, Contradiction):
        return cause.problem
    field = str(detail["loc"][0]) if detail["loc"] else ""
    variable = field if field.startswith("SPEECH_") else f"SPEECH_{field.upper()}"
    # Every field has a parser of its own, which raises nothing else.
    return Problem(variable, cause.found, cause.expected, cause.remedy, cause.about)

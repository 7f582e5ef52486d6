"""The findings that there are: the sections of ``findings.md``, by id."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import NamedTuple

_SECTION = re.compile(
    r"^## (?P<id>SR\d{3}) (?P<title>.+)\n+"
    r"Severity: (?P<severity>.+)\n+"
    r"Fixed by: (?P<fixed_by>(?:.+\n)+)\n"
    r"Rests on: (?P<rests_on>(?:.+\n)+)\n"
    r"(?P<text>(?:(?!^## ).*\n?)*)",
    re.MULTILINE,
)
_COMMAND = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Section(NamedTuple):
    """One finding's page.

    Attributes:
        severity: in words, where it depends.
        rests_on: ids of claims in the ledger.
        text: Markdown.
        command: of the Azure CLI, with placeholders in capitals; empty if there is none.
    """

    id: str
    title: str
    severity: str
    fixed_by: str
    rests_on: tuple[str, ...]
    text: str
    command: str

    def __str__(self) -> str:
        """The page as it stands in the file."""
        return (
            f"## {self.id} {self.title}\n\n"
            f"Severity: {self.severity}\n\nFixed by: {self.fixed_by}\n\n"
            f"Rests on: {', '.join(self.rests_on)}\n\n{self.text}"
        )


@cache
def catalogue() -> dict[str, Section]:
    """Every section, in the order of the file."""
    page = files(__package__).joinpath("findings.md").read_text(encoding="utf-8")
    sections = {}
    for match in _SECTION.finditer(page):
        text = match["text"].strip()
        command = _COMMAND.search(text)
        sections[match["id"]] = Section(
            match["id"],
            match["title"],
            match["severity"],
            " ".join(match["fixed_by"].split()),
            tuple(match["rests_on"].replace(",", " ").split()),
            text,
            command[1].strip() if command else "",
        )
    return sections

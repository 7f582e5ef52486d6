"""The README, taken apart."""

from __future__ import annotations

import re

from places import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", README, flags=re.MULTILINE | re.DOTALL)


def table(heading: str, number: int = 0) -> list[list[str]]:
    """The rows of a table under a heading, cell by cell."""
    section = README.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    tables = re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    rows = [line.strip("|").split("|") for line in tables[number].splitlines()]
    return [[cell.strip() for cell in row] for row in rows[2:]]

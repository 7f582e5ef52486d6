"""The four places that settings are read from, for tests to fill."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from speechroute import SpeechSettings

STRONGEST_FIRST = ("argument", "environment", "dotenv", "secret")
SPELLINGS = ("SPEECH_", "AZURE_SPEECH_")


class Place(NamedTuple):
    """A source, and how names are spelled there. Arguments are spelled in one way only."""

    source: str
    spelling: str = "SPEECH_"

    def __str__(self) -> str:
        return self.source if self.source == "argument" else f"{self.source}-{self.spelling}"


PLACES = (
    Place("argument"),
    *(Place(source, spelling) for source in STRONGEST_FIRST[1:] for spelling in SPELLINGS),
)


class Sources:
    """Arguments, environment, ``.env`` and secrets files of one test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self._monkeypatch = monkeypatch
        self._arguments: dict[str, str] = {}
        self._lines: list[str] = []
        self._dotenv = directory / ".env"
        self.secrets = directory / "secrets"
        self.secrets.mkdir()

    def give(self, place: Place, field: str, value: str) -> None:
        source, name = place.source, f"{place.spelling}{field.upper()}"
        if source == "argument":
            self._arguments[field] = value
        elif source == "environment":
            self._monkeypatch.setenv(name, value)
        elif source == "dotenv":
            self._lines.append(f"{name}={value}\n")
            self._dotenv.write_text("".join(self._lines), encoding="utf-8")
        else:
            (self.secrets / name).write_text(f"{value}\n", encoding="utf-8")

    def read(self, **arguments: object) -> SpeechSettings:
        """The settings that the sources give, with more arguments."""
        return SpeechSettings(_secrets_dir=self.secrets, **arguments, **self._arguments)

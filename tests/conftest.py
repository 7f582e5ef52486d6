"""Fixtures for all tests: an environment without anybody's settings, and an emulator."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from forks import FORKS
from speechroute._network.learned import shared
from speechroute.emulator import Emulator

pytest_plugins = ["pytester"]

_PREFIXES = ("SPEECH_", "AZURE_SPEECH_")
_PROXIES = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in tuple(os.environ):
        if name.upper().startswith(_PREFIXES) or name.upper() in _PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session", autouse=True)
def _end_forks() -> Iterator[None]:
    yield
    FORKS.end()


@pytest.fixture(scope="session")
def session_emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def emulator(session_emulator: Emulator) -> Emulator:
    session_emulator.state = "vnet"
    return session_emulator


@pytest.fixture
def emulated(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    """The emulator, with its environment set here."""
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    shared.forget()
    yield emulator
    emulator.fail_with(None)

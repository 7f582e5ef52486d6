"""A key file during its rotation: what it says is read again until it is a key."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from speechroute import SpeechSettings

FIRST, SECOND = "a" * 32, "b" * 32


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "key"
    write(file, FIRST.encode())
    return file


def write(file: Path, content: bytes) -> None:
    """In place, at one and the same time: only the size may differ."""
    file.write_bytes(content)
    os.utime(file, (1_000_000_000, 1_000_000_000))


def settings_of(file: Path) -> SpeechSettings:
    settings = SpeechSettings(key_file=file, region="westeurope")
    assert key_of(settings) == FIRST
    return settings


def key_of(settings: SpeechSettings) -> str:
    return settings.key.get_secret_value()


@pytest.mark.parametrize(
    "content",
    [b"\n" * 33, b"two words".ljust(33, b"!"), b"\xff" * 33],
    ids=["empty", "words", "bytes"],
)
def test_a_file_without_a_key_for_a_moment_is_read_again(content: bytes, file: Path) -> None:
    settings = settings_of(file)
    write(file, content)
    assert key_of(settings) == key_of(settings) == FIRST
    write(file, f"{SECOND}\n".encode())
    assert key_of(settings) == SECOND


def during_the_read(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], object]) -> None:
    """Let something happen once, between the look at the file and its reading."""
    read_text, pending = Path.read_text, [happens]

    def read(path: Path, *args: Any, **kwargs: Any) -> str:
        if pending:
            pending.pop()()
        return read_text(path, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", read)


@pytest.mark.parametrize("is_directory", [False, True], ids=["nothing", "directory"])
def test_a_file_that_is_away_just_when_it_is_read_is_read_again(
    is_directory: bool, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, away = settings_of(file), file.with_name("away")
    write(file, f"{SECOND}\n".encode())

    def move() -> None:
        file.rename(away)
        if is_directory:
            file.mkdir()

    during_the_read(monkeypatch, move)
    assert key_of(settings) == FIRST
    if is_directory:
        file.rmdir()
    away.rename(file)
    assert key_of(settings) == SECOND


def test_a_file_that_is_replaced_when_it_is_read_is_read_again(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, new = settings_of(file), file.with_name("new")
    write(file, b"\n" * 33)
    write(new, f"{SECOND}\n".encode())
    during_the_read(monkeypatch, lambda: write(file, b" " * 33))
    assert key_of(settings) == FIRST
    during_the_read(monkeypatch, lambda: new.rename(file))
    assert key_of(settings) == SECOND


def test_a_file_that_stays_as_it_is_is_read_once(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(file)
    during_the_read(monkeypatch, lambda: pytest.fail("it was read again"))
    assert key_of(settings) == FIRST

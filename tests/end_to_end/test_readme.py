"""The README, held against the code."""

from __future__ import annotations

import re

import pytest

from places import ROOT
from readme import BLOCKS, README, table
from speechroute import SpeechSettings, errors, extract_from_speechsdk
from speechroute._doctor.ledger import ledger
from speechroute._doctor.witness.trials import TRIALS
from speechroute.emulator import Emulator


def variables() -> set[str]:
    return {f"SPEECH_{name.upper()}" for name in SpeechSettings.model_fields}


def test_the_first_example_is_early_and_short() -> None:
    assert README.index("```python") < README.index("\n".join(README.splitlines()[25:27]))
    assert len(BLOCKS[0].splitlines()) <= 12


def test_the_first_example_runs(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(ROOT / "samples")
    exec(compile(BLOCKS[0], "README.md", "exec"), {})
    assert "seconds of audio arrived through the private endpoint" in capfd.readouterr().out


@pytest.mark.parametrize("number", range(1, len(BLOCKS)))
def test_the_other_examples_run(
    number: int, emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SPEECH_PRIVATE_ENDPOINT", "yes")
    monkeypatch.chdir(ROOT / "samples")
    monkeypatch.setattr("speechroute._sdk.default._default", [])
    names: dict[str, object] = {}
    exec(compile(BLOCKS[number], "README.md", "exec"), names)
    extract_from_speechsdk()
    code, _, printed = BLOCKS[number].partition("\n# '")
    if printed:
        expression = code.split("\n\n", 1)[1]
        assert eval(expression, names) == printed.strip().strip("'")


def test_every_setting_is_in_the_table_and_in_the_example_file() -> None:
    assert {row[0].strip("`") for row in table("Settings")} == variables()
    example = (ROOT / ".env.example").read_text()
    assert set(re.findall(r"^(\w+)=", example, flags=re.MULTILINE)) == variables()


def test_the_defaults_in_the_table_are_those_of_the_code() -> None:
    written = {row[0].strip("`"): row[2].strip("`") for row in table("Settings")}
    for name in (
        "private_endpoint",
        "when_undecided",
        "ask_service",
        "dns_timeout",
        "route_ttl_min",
        "route_ttl_max",
        "route_stale",
    ):
        default = SpeechSettings.model_fields[name].default
        text = f"{default:g}" if isinstance(default, float) else str(default)
        assert written[f"SPEECH_{name.upper()}"] == text


def test_every_error_is_in_the_table() -> None:
    concrete = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type)
        and issubclass(value, errors.SpeechRouteError)
        and not value.__subclasses__()
    }
    assert {row[0].strip("`") for row in table("Errors")} == concrete


def test_every_command_is_in_the_table() -> None:
    from speechroute._cli.app import app

    commands = {
        command.name or command.callback.__name__
        for command in app.registered_commands
        if command.callback
    }
    written = {row[0].strip("`").split()[1] for row in table("Commands")}
    assert written == commands


def test_what_is_known_is_what_the_ledger_says_and_a_witness_tries() -> None:
    claims = [claim for number, claim in ledger().items() if number in TRIALS]
    assert table("What is known") == [
        [f"`{each.id}`", each.claim, ", ".join(each.generations) or "all", each.standing]
        for each in claims
    ]

"""Quotes around a value, as ``docker --env-file`` keeps them and documents paste them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from commands import forked
from sources import Place, Sources
from speechroute import SpeechSettings
from speechroute.errors import Problem, SettingsError

KEY = "0123456789abcdef0123456789abcdef"
QUOTED = {
    "double": '"{}"',
    "single": "'{}'",
    "lone-leading": '"{}',
    "lone-trailing": "{}'",
    "space-around": ' "{}" ',
    "typographic": "\u201c{}\u201d",
    "typographic-single": "\u2018{}\u2019",
    "german": "\u201e{}\u201c",
    "french": "\u00ab{}\u00bb",
}
VALUES = {
    "allow_hosts": "localhost",
    "endpoint": "my-speech.cognitiveservices.azure.com",
    "auth": "key",
    "resource_id": "/subscriptions/x/resourceGroups/x/providers/Microsoft.CognitiveServices/x",
    "key_file": "key",
    "key_vault": "https://my-vault.vault.azure.net/",
    "key": KEY,
    "url": "wss://my-speech.cognitiveservices.azure.com/stt/speech/universal/v2?language=en-US",
    "region": "westeurope",
    "private_endpoint": "auto",
    "when_undecided": "error",
    "ask_service": "never",
    "language": "de-DE",
    "voice": "de-DE-KatjaNeural",
    "endpoint_id": "5f1c9f9e-7d34-4a1c-8f21-6a0a2b0c7c11",
    "log_file": "sdk.log",
    "proxy": "http://me:s3cret@proxy.example:8080",
    "dns_servers": "10.0.0.4",
    "dns_timeout": "5",
    "route_ttl_min": "5",
    "route_ttl_max": "300",
    "route_stale": "3600",
}


def problems(**arguments: Any) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError, match="take the quotes out: docker --env-file") as caught:
        SpeechSettings(**arguments)
    return caught.value.problems


def in_quotes(problem: Problem) -> bool:
    return (problem.found, KEY in f"{problem}") == ("a value in quotes", False)


def test_the_table_here_names_every_setting() -> None:
    assert set(VALUES) == set(SpeechSettings.model_fields)


@pytest.mark.parametrize("form", QUOTED.values(), ids=QUOTED)
@pytest.mark.parametrize("field", VALUES)
def test_quotes_around_a_value_are_one_problem_that_says_so(
    field: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {} if field in {"key", "key_file", "key_vault"} else {"key": KEY}
    monkeypatch.setenv(f"SPEECH_{field.upper()}", form.format(VALUES[field]))
    others = {"region": "westeurope"} if field in {"key", "key_file"} else {}
    found = [problem for problem in problems(**key, **others) if problem.about != "key"]
    assert [(problem.variable, in_quotes(problem)) for problem in found] == [
        (f"SPEECH_{field.upper()}", True)
    ]


@pytest.mark.parametrize("field", ["allow_hosts", "dns_servers"])
@pytest.mark.parametrize("form", ['10.0.0.4, "10.0.0.5"', '"10.0.0.4,10.0.0.5"', ["'10.0.0.4'"]])
def test_quotes_in_a_list_are_a_problem(field: str, form: object) -> None:
    (problem,) = problems(key=KEY, region="westeurope", **{field: form})
    assert in_quotes(problem)


def test_a_key_file_in_quotes_says_so(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f'"{KEY}"\n')
    with pytest.raises(SettingsError, match="SPEECH_KEY_FILE is a file with a value in quotes"):
        SpeechSettings(key_file=tmp_path / "key", region="westeurope")


def test_quotes_that_dotenv_takes_off_do_not_matter(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    sources = Sources(monkeypatch, tmp_path)
    sources.give(Place("dotenv"), "key", f'"{KEY}"')
    sources.give(Place("dotenv"), "region", "'westeurope'")
    settings = sources.read()
    assert (settings.key.get_secret_value(), settings.region) == (KEY, "westeurope")


def test_a_quote_inside_a_value_is_a_part_of_it() -> None:
    assert SpeechSettings(key="a'b", region="westeurope", voice='x"y').voice == 'x"y'


def test_check_does_not_call_a_key_in_quotes_sound() -> None:
    environment = {"SPEECH_KEY": f'"{KEY}"', "SPEECH_REGION": "westeurope"}
    done = forked("check", "--probe", "--json", environment=environment)
    (problem,) = json.loads(done.stdout)["problems"]
    assert (done.returncode, problem["found"]) == (2, "a value in quotes")
    assert KEY not in done.stdout + done.stderr

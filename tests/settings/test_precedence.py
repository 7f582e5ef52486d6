"""Which of two sources of a setting wins."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from sources import PLACES, STRONGEST_FIRST, Place, Sources
from speechroute import SpeechSettings


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sources:
    return Sources(monkeypatch, tmp_path)


# A setting for each way of validating, with two values and what is read from each.
VALUES = {
    "key": ("strong-key", "weak-key"),
    "region": ("westeurope", "northeurope"),
    "endpoint": ("strong", "weak"),
    "private_endpoint": ("no", "auto"),
    "language": ("de-DE", "fr-FR"),
    "proxy": ("none", "http://proxy.example:8080"),
    "dns_servers": ("10.0.0.4:53", "10.0.0.5:53"),
    "dns_timeout": ("1.5", "2.5"),
}


PAIRS = [pair for pair in combinations(PLACES, 2) if pair[0].source != pair[1].source]
pairs = pytest.mark.parametrize(
    ("strong", "weak"), PAIRS, ids=[f"{strong}-over-{weak}" for strong, weak in PAIRS]
)
fields = pytest.mark.parametrize("field", VALUES)


def text(settings: SpeechSettings, field: str) -> str:
    """A setting as it would be written."""
    if field == "key":
        return settings.key.get_secret_value()
    if field == "proxy":
        return settings.proxy.get_secret_value()
    if field == "dns_servers":
        return ",".join(settings.dns_servers)
    return str(getattr(settings, field))


def read(sources: Sources, field: str) -> str:
    """The setting, with what else is needed given in the weakest way."""
    for name, value in (("key", "any-key"), ("region", "eastus")):
        if name != field:
            sources.give(Place("secret"), name, value)
    return text(sources.read(), field)


@fields
@pairs
def test_the_stronger_source_wins(sources: Sources, strong: Place, weak: Place, field: str) -> None:
    sources.give(strong, field, VALUES[field][0])
    sources.give(weak, field, VALUES[field][1])
    assert read(sources, field) == VALUES[field][0]


@fields
@pairs
def test_an_empty_value_in_the_stronger_source_counts_as_not_set(
    sources: Sources, strong: Place, weak: Place, field: str
) -> None:
    sources.give(strong, field, "")
    sources.give(weak, field, VALUES[field][1])
    assert read(sources, field) == VALUES[field][1]


@fields
@pairs
def test_an_empty_value_in_the_weaker_source_changes_nothing(
    sources: Sources, strong: Place, weak: Place, field: str
) -> None:
    sources.give(strong, field, VALUES[field][0])
    sources.give(weak, field, "")
    assert read(sources, field) == VALUES[field][0]


@pytest.mark.parametrize("source", STRONGEST_FIRST)
def test_an_empty_value_alone_leaves_the_default(sources: Sources, source: str) -> None:
    for field in ("endpoint", "language", "private_endpoint", "dns_servers", "dns_timeout"):
        sources.give(Place(source), field, "")
    settings = sources.read(key="any-key", region="westeurope")
    assert settings == SpeechSettings(key="any-key", region="westeurope")


@fields
@pytest.mark.parametrize("source", STRONGEST_FIRST[1:])
def test_in_one_source_the_shorter_spelling_wins(sources: Sources, source: str, field: str) -> None:
    sources.give(Place(source, "AZURE_SPEECH_"), field, VALUES[field][1])
    sources.give(Place(source, "SPEECH_"), field, VALUES[field][0])
    assert read(sources, field) == VALUES[field][0]


@fields
@pytest.mark.parametrize("source", STRONGEST_FIRST[1:])
def test_in_one_source_an_empty_shorter_spelling_counts_as_not_set(
    sources: Sources, source: str, field: str
) -> None:
    sources.give(Place(source, "SPEECH_"), field, "")
    sources.give(Place(source, "AZURE_SPEECH_"), field, VALUES[field][1])
    assert read(sources, field) == VALUES[field][1]


KEY_NAMES = ("SPEECH_KEY", "AZURE_SPEECH_KEY", "SPEECH_API_KEY", "AZURE_SPEECH_API_KEY")


@pytest.mark.parametrize(
    ("first", "second"),
    list(combinations(KEY_NAMES, 2)),
    ids=[f"{a}-over-{b}" for a, b in combinations(KEY_NAMES, 2)],
)
def test_the_names_of_the_key_have_an_order(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    monkeypatch.setenv(first, "first")
    monkeypatch.setenv(second, "second")
    assert text(SpeechSettings(region="westeurope"), "key") == "first"
    monkeypatch.delenv(first)
    assert text(SpeechSettings(region="westeurope"), "key") == "second"


@pytest.mark.parametrize("name", KEY_NAMES)
def test_every_name_of_the_key_in_the_environment_wins_over_every_name_in_a_file(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "from-environment")
    for other in KEY_NAMES:
        sources.give(Place("dotenv", ""), other, "from-dotenv")
        sources.give(Place("secret", ""), other, "from-secret")
    assert text(sources.read(region="westeurope"), "key") == "from-environment"


def test_none_as_argument_counts_as_not_given(sources: Sources) -> None:
    sources.give(Place("environment"), "region", "westeurope")
    assert sources.read(key="any-key", region=None).region == "westeurope"


def test_sources_add_up(sources: Sources) -> None:
    sources.give(Place("argument"), "language", "de-DE")
    sources.give(Place("environment"), "endpoint", "my-speech")
    sources.give(Place("dotenv", "AZURE_SPEECH_"), "region", "westeurope")
    sources.give(Place("secret"), "key", "any-key")
    settings = sources.read()
    assert (settings.language, settings.endpoint) == ("de-DE", "my-speech")
    assert (settings.region, settings.key.get_secret_value()) == ("westeurope", "any-key")

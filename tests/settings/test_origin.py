"""Where a setting is from, and what a ``.env`` may not decide: where keys go, what is replaced."""

from __future__ import annotations

import json
import os
import pickle
import re
import threading
from importlib.resources import files
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk
import jsonschema
import pydantic_settings.sources.utils
import pytest
from azure.core.credentials import AzureKeyCredential
from pydantic import BaseModel

from commands import forked
from sources import PLACES, Place, Sources
from speechroute import SpeechConfigFactory, SpeechSettings, inject_into_speechsdk
from speechroute._sdk.inject import injection
from speechroute.errors import SettingsError

KEY = "0123456789abcdef0123456789abcdef"
THEIRS = "fedcba9876543210fedcba9876543210"
HOST = "https://speech.example.com"
DOTENV = Place("dotenv")
KEY_NAMES = ("SPEECH_KEY", "AZURE_SPEECH_KEY", "SPEECH_API_KEY", "AZURE_SPEECH_API_KEY")
ASTRAY = "SPEECH_ALLOW_HOSTS is set in .env, and the key comes from {}"


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sources:
    return Sources(monkeypatch, tmp_path)


@pytest.fixture
def outside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is none of the ``.env``'s."""
    return tmp_path_factory.mktemp("outside")


def allow(sources: Sources, place: Place = DOTENV) -> None:
    sources.give(place, "allow_hosts", "speech.example.com")
    sources.give(DOTENV, "endpoint", HOST)


def key_file(folder: Path, name: str = "key") -> Path:
    (folder / name).write_text(f"{KEY}\n")
    return folder / name


def refused(call: Any, comes_from: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(ASTRAY.format(comes_from))) as caught:
        call()
    assert not re.search(f"{KEY}|{THEIRS}", str(caught.value))
    assert {problem.variable for problem in caught.value.problems} == {"SPEECH_ALLOW_HOSTS"}


def reaches(settings: SpeechSettings, key: str) -> None:
    assert (settings.resource.other_host, settings.key.get_secret_value()) == (HOST, key)


# Where the key goes

ELSEWHERE = {
    Place("argument"): "an argument",
    Place("environment"): "the environment (SPEECH_KEY)",
    Place("environment", "AZURE_SPEECH_"): "the environment (AZURE_SPEECH_KEY)",
    Place("secret"): "a secrets file",
    Place("secret", "AZURE_SPEECH_"): "a secrets file",
}


@pytest.mark.parametrize("spelling", ["SPEECH_", "AZURE_SPEECH_"])
@pytest.mark.parametrize("place", ELSEWHERE, ids=str)
def test_a_dotenv_file_sends_no_key_of_another_place_to_its_host(
    sources: Sources, place: Place, spelling: str
) -> None:
    allow(sources, Place("dotenv", spelling))
    sources.give(place, "key", KEY)
    refused(sources.read, ELSEWHERE[place])


@pytest.mark.parametrize("place", ELSEWHERE, ids=str)
def test_a_key_of_another_place_wins_over_that_of_the_dotenv_file_and_is_not_sent(
    sources: Sources, place: Place
) -> None:
    allow(sources)
    sources.give(DOTENV, "key", THEIRS)
    sources.give(place, "key", KEY)
    if place.source == "secret":
        reaches(sources.read(), THEIRS)
    else:
        refused(sources.read, ELSEWHERE[place])


@pytest.mark.parametrize("place", [place for place in PLACES if place.source != "dotenv"], ids=str)
def test_a_host_that_another_place_allows_gets_every_key(sources: Sources, place: Place) -> None:
    allow(sources, place)
    sources.give(Place("environment"), "key", KEY)
    reaches(sources.read(), KEY)


@pytest.mark.parametrize("name", KEY_NAMES)
def test_a_dotenv_file_sends_its_own_key(sources: Sources, name: str) -> None:
    allow(sources)
    sources.give(Place("dotenv", ""), name, KEY)
    sources.give(Place("environment"), "key", "")
    reaches(sources.read(), KEY)
    reaches(sources.read().override(language="de-DE"), KEY)


@pytest.mark.parametrize("text", ["${A_TOKEN}", "${A_TOKEN}x", '"${NO_TOKEN:-}${A_TOKEN}"'])
def test_a_variable_that_a_dotenv_file_puts_into_its_key_is_of_the_environment(
    text: str, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", KEY)
    allow(sources)
    sources.give(DOTENV, "key", text)
    refused(sources.read, "the environment")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("proxy", "http://u:${A_TOKEN}@127.0.0.1:8080"),
        ("proxy", "http://${A_TOKEN}.example.com:8080"),
        ("endpoint", "x-${A_NAME}"),
        ("voice", "${A_NAME}"),
        ("dns_servers", "${AN_ADDRESS}"),
        ("region", "${A_NAME}"),
    ],
)
def test_a_dotenv_file_leads_no_variable_of_the_environment_anywhere(
    field: str, text: str, sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_TOKEN", KEY)
    monkeypatch.setenv("A_NAME", "secret")
    monkeypatch.setenv("AN_ADDRESS", "10.1.2.3")
    sources.give(Place("environment"), "key", THEIRS)
    if field != "endpoint":
        sources.give(Place("environment"), "endpoint", "my-speech")
    sources.give(DOTENV, field, text)
    variable = f"SPEECH_{field.upper()} is filled in by .env with a variable of the environment"
    with pytest.raises(SettingsError, match=variable) as caught:
        sources.read()
    assert not re.search(f"{KEY}|secret|10.1.2.3", str(caught.value))


OWN = {
    "a variable of its own": 'RES=my-res\nSPEECH_ENDPOINT="${RES}.cognitiveservices.azure.com"',
    "one by another": "A=my\nB=${A}-res\nSPEECH_ENDPOINT=${B}",
    "none, and a default": "SPEECH_ENDPOINT=my-res${NOT_THERE:-}${NOT_THERE_EITHER}",
    "an escape": "SPEECH_ENDPOINT=my-res\nSPEECH_PROXY='http://u:p\\'w@proxy.example:8080'",
    "lines": 'SPEECH_ENDPOINT=my-res\nSPEECH_DNS_SERVERS="10.0.0.4\\n10.0.0.5"',
    "export": "export SPEECH_ENDPOINT='my-res' # a comment",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("text", OWN.values(), ids=OWN)
def test_what_a_dotenv_file_says_by_itself_is_its_own(
    text: str, encoding: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.env").write_text(f"SPEECH_KEY={KEY}\n{text}\n", encoding=encoding)
    settings = SpeechSettings(_env_file=tmp_path / "own.env", _env_file_encoding=encoding)
    assert (settings.resource.custom_domain or "").startswith("my-res.")
    assert settings.origin_of("endpoint").file == tmp_path / "own.env"
    assert settings.origin_of("key").file == tmp_path / "own.env"


def test_a_variable_defined_later_is_of_the_environment(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_NAME", "secret")
    sources.give(Place("environment"), "key", KEY)
    Path(".env").write_text("SPEECH_ENDPOINT=x-${A_NAME}\nA_NAME=own\n")
    with pytest.raises(SettingsError, match=r"filled in by \.env"):
        sources.read()


@pytest.mark.skipif(
    not hasattr(pydantic_settings.sources.utils, "_resolve_config_file"),
    reason="this pydantic-settings reads no pipes",
)
def test_a_pipe_is_read_once(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    (tmp_path / "a.env").write_text("SPEECH_REGION=westeurope\n")
    text = f"SPEECH_KEY={KEY}\nSPEECH_LANGUAGE=de-DE\n"
    writing = threading.Thread(target=pipe.write_text, args=(text,))
    writing.start()
    settings = SpeechSettings(_env_file=(tmp_path / "a.env", pipe))
    writing.join()
    assert (settings.region, settings.language) == ("westeurope", "de-DE")
    assert settings.origin_of("key").source == "environment"  # what it held, nobody can tell


@pytest.mark.parametrize("text", ["${A_FOLDER}/report", "{}/rep${NOT_THERE}ort"])
def test_a_variable_leads_no_log_over_another_file(
    text: str, sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    monkeypatch.setenv("A_FOLDER", str(outside))
    (outside / "report").write_text("of this morning")
    sources.give(Place("environment"), "key", KEY)
    sources.give(Place("environment"), "region", "westeurope")
    sources.give(DOTENV, "log_file", text.replace("{}", str(outside), 1))
    with pytest.raises(SettingsError, match="exists outside its folder"):
        sources.read()


def test_paths_in_a_dotenv_file_may_begin_with_a_variable(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    monkeypatch.setenv("A_FOLDER", str(outside))
    key_file(outside)
    sources.give(Place("environment"), "endpoint", "my-speech")
    sources.give(DOTENV, "key_file", "${A_FOLDER}/key")
    sources.give(DOTENV, "log_file", "${A_FOLDER}/sdk.log")
    settings = sources.read()
    assert settings.key.get_secret_value() == KEY
    assert settings.log_path == outside / "sdk.log"


def test_of_several_dotenv_files_each_has_its_own_say(tmp_path: Path, outside: Path) -> None:
    first, second = tmp_path / "a.env", outside / "b.env"
    first.write_text(f"SPEECH_KEY={THEIRS}\nSPEECH_LANGUAGE=de-DE\nSPEECH_VOICE=a\n")
    second.write_text(f"SPEECH_KEY={KEY}\nSPEECH_ENDPOINT={HOST}\nSPEECH_VOICE=b\n")
    allows = "SPEECH_ALLOW_HOSTS=speech.example.com\n"
    second.write_text(second.read_text() + allows)
    settings = SpeechSettings(_env_file=(str(first), second))
    reaches(settings, KEY)
    assert (settings.language, settings.voice) == ("de-DE", "b")
    second.write_text(second.read_text().replace(allows, ""))
    first.write_text(first.read_text() + allows)
    refused(lambda: SpeechSettings(_env_file=(str(first), second)), "the .env")


def test_a_variable_of_the_dotenv_file_itself_is_its_own(sources: Sources) -> None:
    allow(sources)
    sources.give(Place("dotenv", ""), "mine", KEY)
    sources.give(DOTENV, "key", "${MINE}")
    reaches(sources.read(), KEY)


def test_a_dotenv_file_does_not_say_itself_where_settings_are_from(sources: Sources) -> None:
    allow(sources)
    sources.give(Place("dotenv", ""), "_origins", "allow_hosts")
    reaches(sources.read(), "")
    sources.give(Place("environment"), "key", KEY)
    refused(sources.read, "the environment (SPEECH_KEY)")


def test_an_empty_allow_list_of_the_environment_does_not_vouch_for_that_of_the_dotenv_file(
    sources: Sources,
) -> None:
    allow(sources)
    sources.give(Place("environment"), "allow_hosts", "")
    sources.give(Place("environment"), "key", KEY)
    refused(sources.read, "the environment (SPEECH_KEY)")


def test_without_any_key_a_dotenv_file_may_allow_a_container(sources: Sources) -> None:
    allow(sources)
    reaches(sources.read(), "")


def test_azures_hosts_get_every_key_whatever_a_dotenv_file_allows(
    sources: Sources, outside: Path
) -> None:
    sources.give(DOTENV, "allow_hosts", "speech.example.com, azure.com")
    sources.give(DOTENV, "endpoint", "my-speech.cognitiveservices.azure.com")
    sources.give(DOTENV, "key_file", str(key_file(outside)))
    assert sources.read().key.get_secret_value() == KEY
    sources.give(Place("environment"), "key", THEIRS)
    assert sources.read().key.get_secret_value() == THEIRS


def test_a_key_file_in_the_folder_of_its_dotenv_file_is_its_own(
    sources: Sources, tmp_path: Path
) -> None:
    allow(sources)
    (tmp_path / "keys").mkdir()
    key_file(tmp_path / "keys")
    sources.give(DOTENV, "key_file", "keys/key")
    settings = sources.read()
    reaches(settings, KEY)
    reaches(settings.override(language="de-DE"), KEY)
    reaches(pickle.loads(pickle.dumps(settings)), KEY)


def test_a_link_that_leads_back_into_the_folder_is_in_it(
    sources: Sources, tmp_path: Path, outside: Path
) -> None:
    allow(sources)
    (outside / "link").symlink_to(key_file(tmp_path))
    sources.give(DOTENV, "key_file", str(outside / "link"))
    reaches(sources.read(), KEY)


@pytest.mark.parametrize("way", ["plain", "dots", "link", "linked folder"])
def test_a_key_file_outside_the_folder_of_its_dotenv_file_is_not_its_own(
    way: str, sources: Sources, tmp_path: Path, outside: Path
) -> None:
    allow(sources)
    file = key_file(outside)
    (tmp_path / "link").symlink_to(outside if way == "linked folder" else file)
    name = {
        "plain": str(file),
        "dots": os.path.relpath(file, tmp_path),
        "link": "link",
        "linked folder": "link/key",
    }[way]
    sources.give(Place("dotenv", "AZURE_SPEECH_"), "key_file", name)
    refused(sources.read, "a file outside its folder")


@pytest.mark.parametrize(
    ("place", "comes_from"),
    [
        (Place("argument"), "an argument"),
        (Place("environment", "AZURE_SPEECH_"), "the environment (AZURE_SPEECH_KEY_FILE)"),
    ],
    ids=str,
)
def test_a_key_file_that_another_place_names_is_not_the_dotenv_files(
    place: Place, comes_from: str, sources: Sources, tmp_path: Path
) -> None:
    allow(sources)
    sources.give(DOTENV, "key", THEIRS)
    sources.give(place, "key_file", str(key_file(tmp_path)))
    refused(sources.read, comes_from)


def test_a_program_that_leaves_the_folder_keeps_its_key_file(
    sources: Sources, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(sources)
    sources.give(DOTENV, "key_file", key_file(tmp_path).name)
    settings = sources.read()
    (outside / "key").write_text(THEIRS)
    monkeypatch.chdir(outside)
    reaches(settings, KEY)


# The same later

OVERRIDES = {
    "key": {"key": THEIRS},
    "key and host": {"key": THEIRS, "endpoint": HOST},
    "file": {"key_file": "key"},
}


@pytest.mark.parametrize("changes", OVERRIDES.values(), ids=OVERRIDES)
@pytest.mark.parametrize("is_keyless", [False, True], ids=["with-key", "keyless"])
def test_an_override_sends_no_other_key_to_the_host_of_a_dotenv_file(
    changes: dict[str, str], is_keyless: bool, sources: Sources, tmp_path: Path
) -> None:
    key_file(tmp_path)
    allow(sources)
    if not is_keyless:
        sources.give(DOTENV, "key", KEY)
    settings = sources.read()
    refused(lambda: settings.override(**changes), "an argument")
    factory = SpeechConfigFactory(settings)
    refused(lambda: factory.speech_config(**changes), "an argument")
    refused(lambda: factory.route(**changes), "an argument")
    reaches(settings.override(allow_hosts="speech.example.com", key=THEIRS), THEIRS)


def test_an_override_sends_no_key_to_a_host_that_was_not_used_before(sources: Sources) -> None:
    sources.give(DOTENV, "allow_hosts", "speech.example.com")
    sources.give(Place("environment"), "key", KEY)
    settings = sources.read(endpoint="my-speech")
    refused(lambda: settings.override(endpoint=HOST), "the environment (SPEECH_KEY)")
    settings = settings.override(language="de-DE")
    refused(lambda: settings.override(endpoint=HOST), "the environment (SPEECH_KEY)")


def test_a_credential_is_not_of_the_dotenv_file(sources: Sources) -> None:
    allow(sources)
    credential = AzureKeyCredential(THEIRS)
    refused(lambda: SpeechConfigFactory(credential=credential), "an argument")
    settings = sources.read()
    refused(lambda: SpeechConfigFactory(settings, credential=credential), "an argument")


def test_a_config_that_names_no_door_is_not_led_to_the_host_of_a_dotenv_file(
    sources: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    allow(sources)
    sources.give(DOTENV, "key", KEY)
    monkeypatch.setattr(injection, "was_asked", False)
    inject_into_speechsdk(SpeechConfigFactory(sources.read()))
    try:
        for credential in ({"subscription": THEIRS}, {"auth_token": "a-token"}):
            with pytest.raises(ValueError, match=r"cannot construct|must be given"):
                speechsdk.SpeechConfig(**credential)
        for call in ({"subscription": KEY}, {"subscription": THEIRS, "host": HOST}):
            host = speechsdk.PropertyId.SpeechServiceConnection_Host
            assert speechsdk.SpeechConfig(**call).get_property(host) == HOST
    finally:
        injection.take_out()


# On another machine


def elsewhere(sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path) -> SpeechSettings:
    """The settings, pickled here, read in another folder."""
    data = pickle.dumps(sources.read())
    monkeypatch.chdir(outside)
    settings = pickle.loads(data)
    assert isinstance(settings, SpeechSettings)
    return settings


def test_where_it_is_unpickled_the_dotenv_file_of_there_decides(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    allow(sources)
    sources.give(DOTENV, "key", KEY)
    data = pickle.dumps(sources.read())
    reaches(pickle.loads(data), KEY)
    there = f"SPEECH_ALLOW_HOSTS=speech.example.com\nSPEECH_KEY={THEIRS}\n"
    (outside / ".env").write_text(there)
    reaches(elsewhere(sources, monkeypatch, outside), THEIRS)
    monkeypatch.setenv("SPEECH_KEY", KEY)
    refused(lambda: pickle.loads(data), "the environment (SPEECH_KEY)")


@pytest.mark.parametrize("has_key", [True, False], ids=["with-key", "keyless"])
def test_a_key_of_there_is_not_sent_to_a_host_that_a_dotenv_file_allowed_here(
    has_key: bool, sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    allow(sources)
    if has_key:
        sources.give(DOTENV, "key", KEY)
    (outside / ".env").write_text(f"SPEECH_KEY={THEIRS}\n")
    with pytest.raises(SettingsError, match="or name a host of your own in SPEECH_ALLOW_HOSTS"):
        elsewhere(sources, monkeypatch, outside)


def test_a_pickle_remembers_which_places_its_settings_are_from(
    sources: Sources, monkeypatch: pytest.MonkeyPatch, outside: Path
) -> None:
    sources.give(Place("environment"), "key", KEY)
    sources.give(DOTENV, "endpoint", "my-speech")
    sources.give(DOTENV, "log_file", "sdk.log")
    settings = elsewhere(sources, monkeypatch, outside)
    told = {field: str(settings.origin_of(field)) for field in ("key", "endpoint", "voice")}
    assert told == {"key": "environment (SPEECH_KEY)", "endpoint": ".env", "voice": "default"}
    assert settings.log_file is None


# What a log file replaces

NOTES = "notes\n" * 100


def with_log(sources: Sources, file: Path | str, place: Place = DOTENV) -> SpeechSettings:
    sources.give(place, "log_file", str(file))
    return sources.read(key=KEY, region="westeurope")


def write_log(settings: SpeechSettings) -> None:
    """Let the SDK open its log."""
    config = SpeechConfigFactory(settings).speech_config()
    stream = speechsdk.audio.AudioConfig(stream=speechsdk.audio.PushAudioInputStream())
    speechsdk.SpeechRecognizer(config, stream)


def test_a_dotenv_file_replaces_nothing_outside_its_folder(sources: Sources, outside: Path) -> None:
    notes = outside / "notes.txt"
    notes.write_text(NOTES)
    with pytest.raises(SettingsError, match=r"SPEECH_LOG_FILE is .* in \.env, which exists outsid"):
        with_log(sources, notes)
    notes.write_text("")
    write_log(with_log(sources, notes))
    assert notes.read_bytes().startswith(b"[")


def test_a_log_of_the_sdk_may_be_replaced_wherever_it_is(sources: Sources, outside: Path) -> None:
    settings = with_log(sources, outside / "sdk.log")
    write_log(settings)
    assert (outside / "sdk.log").stat().st_size
    write_log(settings.override(language="de-DE"))


@pytest.mark.parametrize("place", [place for place in PLACES if place.source != "dotenv"], ids=str)
def test_the_log_file_of_another_place_may_be_anywhere(
    place: Place, sources: Sources, outside: Path
) -> None:
    (outside / "notes.txt").write_text(NOTES)
    assert with_log(sources, outside / "notes.txt", place).log_file == outside / "notes.txt"


def test_a_file_that_appears_after_the_settings_were_made_is_not_replaced(
    sources: Sources, outside: Path
) -> None:
    report = outside / "report.txt"
    sources.give(Place("environment"), "key", KEY)
    sources.give(Place("environment"), "region", "westeurope")
    sources.give(DOTENV, "log_file", str(report))
    factory = SpeechConfigFactory(sources.read())
    report.write_text("of this morning")
    with pytest.raises(SettingsError, match="exists outside its folder and is no log"):
        factory.speech_config()
    assert report.read_text() == "of this morning"


def test_in_its_folder_a_dotenv_file_may_replace_what_it_wants(
    sources: Sources, tmp_path: Path, outside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "notes.txt").write_text(NOTES)
    (outside / "notes.txt").write_text(NOTES)
    settings = with_log(sources, "notes.txt")
    monkeypatch.chdir(outside)
    write_log(settings)
    assert (tmp_path / "notes.txt").read_text() != NOTES
    assert (outside / "notes.txt").read_text() == NOTES


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("dots", "exists outside its folder"),
        ("link", "exists outside its folder"),
        ("folder", "exists outside its folder"),
        ("pipe", "exists outside its folder"),
        ("dangling", "is a link to somewhere outside its folder"),
        ("dangling, outside", "is a link to somewhere outside its folder"),
        ("linked folder", "is a link to somewhere outside its folder"),
        ("circle", "cannot be looked at"),
    ],
)
def test_no_way_out_of_the_folder_replaces_or_makes_a_file(
    way: str, message: str, sources: Sources, tmp_path: Path, outside: Path
) -> None:
    (outside / "notes.txt").write_text(NOTES)
    os.mkfifo(outside / "pipe")
    (tmp_path / "link").symlink_to(outside / "notes.txt")
    (tmp_path / "dangling").symlink_to(outside / "new")
    (outside / "dangling").symlink_to(outside / "new")
    (tmp_path / "linked").symlink_to(outside)
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    name = {
        "dots": os.path.relpath(outside / "notes.txt", tmp_path),
        "link": "link",
        "folder": str(outside),
        "pipe": str(outside / "pipe"),
        "dangling": "dangling",
        "dangling, outside": str(outside / "dangling"),
        "linked folder": "linked/new",
        "circle": "circle",
    }[way]
    with pytest.raises(SettingsError, match=message) as caught:
        with_log(sources, name)
    assert [problem.variable for problem in caught.value.problems] == ["SPEECH_LOG_FILE"]
    assert not (outside / "new").exists()


# What is told of it

FIELDS = {"endpoint": "my-speech", "language": "de-DE", "dns_timeout": "3", "proxy": "none"}
TOLD = {
    "argument": "argument",
    "environment": "environment ({}{})",
    "dotenv": ".env",
    "secret": "secrets file",
}


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_each_setting_knows_where_it_is_from(sources: Sources, place: Place, field: str) -> None:
    sources.give(Place("environment"), "key", KEY)  # which a pickle reads again
    sources.give(place, field, FIELDS[field])
    settings = sources.read(region="westeurope")
    expected = TOLD[place.source].format(place.spelling, field.upper())
    for told in (settings, settings.override(voice="x"), pickle.loads(pickle.dumps(settings))):
        assert str(told.origin_of(field)) == expected
        assert str(told.origin_of("route_stale")) == "default"
    assert str(settings.override(**{field: FIELDS[field]}).origin_of(field)) == "argument"


def test_the_same_settings_are_equal_wherever_they_come_from(sources: Sources) -> None:
    sources.give(Place("environment"), "key", KEY)
    sources.give(DOTENV, "region", "westeurope")
    assert sources.read() == SpeechSettings(key=KEY, region="westeurope")


def test_settings_may_be_a_part_of_another_model(sources: Sources) -> None:
    class Program(BaseModel):
        speech: SpeechSettings

    sources.give(DOTENV, "region", "westeurope")
    program = Program(speech=sources.read(key=KEY))
    assert str(program.speech.origin_of("region")) == ".env"
    assert Program.model_validate({"speech": {"key": KEY, "region": "westeurope"}}) == program


@pytest.mark.parametrize("form", [(), ("--markdown",), ("--json",)], ids=["text", "md", "json"])
def test_check_tells_the_source_of_each_setting(form: tuple[str, ...], tmp_path: Path) -> None:
    key_file(tmp_path)
    (tmp_path / ".env").write_text(
        "SPEECH_ALLOW_HOSTS=localhost\nAZURE_SPEECH_KEY_FILE=key\nSPEECH_LANGUAGE=de-DE\n"
    )
    environment = {
        "AZURE_SPEECH_ENDPOINT": "http://localhost:5000",
        "SPEECH_LANGUAGE": "",
        "SPEECH_VOICE": "x",
    }
    done = forked("check", *form, environment=environment)
    expected = {
        "endpoint": "environment (AZURE_SPEECH_ENDPOINT)",
        "key": ".env",
        "key_file": ".env",
        "allow_hosts": ".env",
        "language": ".env",
        "voice": "environment (SPEECH_VOICE)",
    }
    if form == ("--json",):
        document = json.loads(done.stdout)
        schema = json.loads(files("speechroute._doctor").joinpath("schema.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(document)
        others = dict.fromkeys(set(SpeechSettings.model_fields) - expected.keys(), "default")
        assert document["sources"] == {**expected, **others}
        return
    told = done.stdout.partition("Sources")[2].partition("\n\n")[0]
    lines = [line.split(maxsplit=1) for line in told.strip().splitlines()]
    assert {name: source.strip() for name, source in lines if name != "all"} == expected
    assert "all others   default" in told


def test_check_names_both_sources_of_a_key_that_would_go_astray() -> None:
    Path(".env").write_text(f"SPEECH_ALLOW_HOSTS=speech.example.com\nSPEECH_ENDPOINT={HOST}\n")
    done = forked("check", "--json", environment={"SPEECH_KEY": KEY})
    document = json.loads(done.stdout)
    (problem,) = document["problems"]
    assert (done.returncode, document["sources"]) == (2, None)
    assert problem["found"] == "set in .env, and the key comes from the environment (SPEECH_KEY)"
    assert KEY not in done.stdout + done.stderr

"""The commands, run as a person runs them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from clients import CLIENTS
from commands import forked, run, started
from speechroute import SpeechConfigFactory
from speechroute.emulator import Emulator

STANDARD = "wss://westeurope.stt.speech.microsoft.com/stt/speech/universal/v2?language=en-US"
PRIVATE = "wss://my-private-link-speech.cognitiveservices.azure.com/stt/speech/universal/v2?language=en-US"


@pytest.mark.parametrize(
    ("state", "kind", "row", "opened"),
    [
        ("vnet", "private endpoint", "private-address", "wss://my-private-link-speech.cogn"),
        ("proxy", "private endpoint", "vnet-proxy", "wss://my-private-link-speech.cogn"),
        ("removed", "regional", "regional", "wss://westeurope.stt.speech.microsoft.com"),
    ],
)
def test_check_tells_route_reason_and_urls(
    emulator: Emulator, state: str, kind: str, row: str, opened: str
) -> None:
    emulator.state = state
    done = forked("check", environment=emulator.environment)
    assert done.returncode == 0, done.stderr
    assert kind in done.stdout
    assert opened in done.stdout
    assert emulator.key not in done.stdout + done.stderr
    as_json = json.loads(forked("check", "--json", environment=emulator.environment).stdout)
    assert (as_json["decision"]["kind"], as_json["decision"]["row"]) == (kind, row)
    assert as_json["dns"]["custom_domain"]["chain"][0]["name"] == emulator.custom_domain
    assert as_json["doors"][0]["url"].startswith(opened)
    assert as_json["settings"]["key"] == "***"


@pytest.mark.parametrize("state", ["vnet", "removed"])
@pytest.mark.parametrize(
    "more",
    [{}, {"SPEECH_ENDPOINT_ID": "a b"}, {"SPEECH_LANGUAGE": "de-DE"}],
    ids=["default", "model", "language"],
)
def test_the_urls_that_check_tells_are_those_that_the_sdk_opens(
    state: str, more: dict[str, str], emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.state = state
    for name, value in {**emulator.environment, **more}.items():
        monkeypatch.setenv(name, value.replace(" ", "-"))
    doors = json.loads(forked("check", "--json").stdout)["doors"]
    told = {door["client"]: door["url"] for door in doors}
    factory = SpeechConfigFactory()
    has_voice = "SPEECH_ENDPOINT_ID" in more
    for client, name in (
        ("recognize_once", "recognition"),
        ("translate", "translation"),
        ("transcribe_conversation", "transcription"),
        ("synthesize", "custom voice" if has_voice else "synthesis"),
        *(() if has_voice else (("list_voices", "voices list"),)),
    ):
        is_translation = client == "translate"
        CLIENTS[client](
            factory.translation_config(["de"], language="en-US")
            if is_translation
            else factory.speech_config()
        )
        request = emulator.requests[-1]
        opened = f"{request.host}{request.path}" + (f"?{request.query}" if request.query else "")
        assert told[name].partition("://")[2] == opened


def test_check_shows_the_hosts_of_a_regional_route_in_china() -> None:
    environment = {
        "SPEECH_KEY": "k",
        "SPEECH_ENDPOINT": "my.cognitiveservices.azure.cn",
        "SPEECH_REGION": "chinanorth3",
        "SPEECH_PRIVATE_ENDPOINT": "no",
        "SPEECH_DNS_SERVERS": "127.0.0.1:9",
        "SPEECH_DNS_TIMEOUT": "0.5",
        "SPEECH_PROXY": "http://127.0.0.1:9",
    }
    done = forked("check", environment=environment)
    host = "chinanorth3.api.cognitive.azure.cn"
    assert f"wss://{host}/stt/speech/universal/v2\n" in done.stdout
    assert f"wss://{host}/tts/cognitiveservices/websocket/v1\n" in done.stdout
    assert f"https://{host}/tts/cognitiveservices/voices/list\n" in done.stdout
    assert "SR502 info" in done.stdout


def test_check_with_a_contradicting_region_warns(emulator: Emulator) -> None:
    emulator.state = "removed"
    done = forked("check", environment={**emulator.environment, "SPEECH_REGION": "northeurope"})
    assert done.returncode == 1
    assert "Warning: SPEECH_REGION says northeurope, DNS says westeurope" in done.stdout
    assert "SR202 error" in done.stdout


def test_check_of_a_full_url_shows_its_conversion(emulator: Emulator) -> None:
    done = forked("check", environment={**emulator.environment, "SPEECH_URL": STANDARD})
    assert PRIVATE in done.stdout.replace("\n", "")


def test_a_missing_resource_is_a_problem_found(emulator: Emulator) -> None:
    environment = {**emulator.environment, "SPEECH_ENDPOINT": "no-such-resource"}
    done = forked("check", environment=environment)
    assert done.returncode == 1
    assert "Check the spelling" in done.stdout
    as_json = forked("check", "--json", environment=environment)
    assert as_json.returncode == 1
    document = json.loads(as_json.stdout)
    assert document["decision"]["error"] == "CustomDomainNotFound"
    assert document["doors"] == []


def test_bad_settings_are_exit_code_2_with_and_without_json() -> None:
    command = ("url", STANDARD)
    done = forked(*command)
    assert done.returncode == 2
    assert "SPEECH_KEY is not set" in done.stderr
    as_json = forked(*command, "--json")
    assert as_json.returncode == 2
    assert json.loads(as_json.stdout)["error"]["type"] == "SettingsError"


def test_url_converts_for_the_route(emulator: Emulator) -> None:
    done = run("url", STANDARD, environment=emulator.environment)
    assert (done.returncode, done.stdout) == (0, PRIVATE + "\n")
    emulator.state = "removed"
    as_json = forked("url", PRIVATE, "--json", environment=emulator.environment)
    assert json.loads(as_json.stdout) == {"url": PRIVATE, "converted": STANDARD}


def test_url_converts_to_a_fixed_form_without_settings() -> None:
    domain = "my-private-link-speech.cognitiveservices.azure.com"
    to_private = forked("url", STANDARD, "--to", "private", "--custom-domain", domain)
    assert to_private.stdout == PRIVATE + "\n"
    to_regional = forked("url", PRIVATE, "--to", "regional", "--region", "westeurope")
    assert to_regional.stdout == STANDARD + "\n"


def test_url_takes_names_from_settings_or_dns(emulator: Emulator) -> None:
    assert forked("url", STANDARD, "--to", "private", environment=emulator.environment).stdout == (
        PRIVATE + "\n"
    )
    emulator.state = "proxy"
    assert forked("url", PRIVATE, "--to", "regional", environment=emulator.environment).stdout == (
        STANDARD + "\n"
    )


def test_url_without_the_name_it_needs_is_a_usage_error(emulator: Emulator) -> None:
    no_domain = {"SPEECH_KEY": "k", "SPEECH_REGION": "westeurope"}
    done = forked("url", STANDARD, "--to", "private", environment=no_domain)
    assert done.returncode == 2
    assert "SPEECH_ENDPOINT" in done.stderr
    done = forked("url", PRIVATE, "--to", "regional", environment=emulator.environment)
    assert done.returncode == 2
    assert "SPEECH_REGION" in done.stderr


def test_a_url_that_is_none_is_exit_code_2() -> None:
    done = forked("url", "https://example.com/", "--to", "regional", "--region", "westeurope")
    assert done.returncode == 2
    assert "the host of the URL is 'example.com'" in " ".join(done.stderr.split())


def test_emulate_runs_a_command_inside_and_passes_its_exit_code_on(tmp_path: Path) -> None:
    code = "import os, sys; print(sorted(n for n in os.environ if 'SPEECH' in n)); sys.exit(7)"
    done = run(
        "emulate", "--state", "removed", "--generation", "2026", "--", sys.executable, "-c", code,
        environment={"AZURE_SPEECH_KEY": "my-own-key", "no_proxy": "*"},
    )  # fmt: skip
    assert done.returncode == 7
    assert "AZURE_SPEECH_KEY" not in done.stdout
    assert "SPEECH_ENDPOINT" in done.stdout
    assert "generation 2026, state removed" in done.stderr


def test_emulate_says_what_it_cannot_run_and_how_a_command_was_killed() -> None:
    done = forked("emulate", "--", "/no/such/command")
    assert done.returncode == 2
    assert "Cannot run /no/such/command" in done.stderr
    killed = forked("emulate", "--json", "--", "sh", "-c", "kill -9 $$")
    assert killed.returncode == 128 + 9


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_emulate_alone_prints_the_environment_and_ends_cleanly(number: signal.Signals) -> None:
    with started("emulate", "--json") as process:
        assert process.stderr is not None
        while "curl" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(number)
        stdout, stderr = process.communicate(timeout=30)
    assert process.returncode == 0, stderr
    document = json.loads(stdout)
    assert (document["generation"], document["state"]) == ("2024", "vnet")
    assert not Path(document["environment"]["SSL_CERT_FILE"]).exists()


def test_ctrl_c_while_it_starts_shows_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("import signal; print('here', flush=True); signal.pause()")
    with started("check", environment={"PYTHONPATH": str(tmp_path)}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130


def test_the_emulators_environment_can_be_used_from_another_process() -> None:
    with started("emulate") as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(6)]
        found = dict(re.findall(r"^export (\w+)=(.*)$", "".join(lines), flags=re.MULTILINE))
        request = urllib.request.Request(
            f"{found['SPEECH_PROXY']}/state", data=b"removed", method="PUT"
        )
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        assert opener.open(request).read() == b"removed\n"
        done = forked("check", "--json", environment=found)
        assert json.loads(done.stdout)["decision"]["kind"] == "regional"
        process.send_signal(signal.SIGINT)
        process.wait(30)


WITH_PRIVATE_ENDPOINT = {"region": 401, "endpoint": None, "speechroute": None}
REDIRECTED_BEFORE = {**WITH_PRIVATE_ENDPOINT, "redirected": 401}
EXPECTED = {
    "2024": {
        "removed": {"region": None, "endpoint": 404, "speechroute": None},
        "vnet": WITH_PRIVATE_ENDPOINT,
        "proxy": WITH_PRIVATE_ENDPOINT,
    },
    "2026": {
        "removed": dict.fromkeys(REDIRECTED_BEFORE),
        "vnet": REDIRECTED_BEFORE,
        "proxy": REDIRECTED_BEFORE,
    },
}


def test_demo_shows_speechroute_right_everywhere_and_the_static_ones_failing() -> None:
    with ThreadPoolExecutor() as pool:
        as_json = pool.submit(forked, "demo", "--json")
        done = run("demo", environment={"SPEECH_REGION": "not.a.region"})
        results = json.loads(as_json.result().stdout)
    got = {
        generation: {
            state: {kind: cell["status"] for kind, cell in row.items()}
            for state, row in rows.items()
        }
        for generation, rows in results.items()
    }
    assert got == EXPECTED
    cells = [cell for rows in results.values() for row in rows.values() for cell in row.values()]
    assert all(cell["recognised"] == (cell["status"] is None) for cell in cells)
    assert done.returncode == 0, done.stderr
    assert "speechroute: 6 of 6 recognised" in done.stdout
    assert (done.stdout.count("error 401"), done.stdout.count("error 404")) == (6, 1)
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_the_command_without_its_extra_says_how_to_install_it() -> None:
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'typer' else find(name, *a)\n"
        "from speechroute._cli import main; main()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == (
        "The speechroute command needs its extra: pip install 'speechroute[cli]'\n"
    )


@pytest.mark.parametrize("command", ["demo", "emulate"])
def test_a_command_without_the_emulator_extra_says_how_to_install_it(
    command: str, tmp_path: Path
) -> None:
    (tmp_path / "trustme.py").write_text("raise ImportError('hidden for this test')")
    done = run(command, environment={"PYTHONPATH": str(tmp_path)})
    assert done.returncode == 2
    assert "pip install 'speechroute[emulator]'" in done.stderr


def test_help_names_every_command() -> None:
    done = run("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("check", "url", "log", "emulate", "demo"))


def test_an_error_is_readable_at_80_columns() -> None:
    environment = {"SPEECH_KEY": "k", "SPEECH_ENDPOINT": "https://example.com"}
    done = forked("url", STANDARD, environment=environment)
    assert done.stderr.startswith("Error: SPEECH_ENDPOINT is")
    assert max(map(len, done.stderr.splitlines())) <= 80


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
@pytest.mark.parametrize("moment", ["early", "late"])
def test_a_signal_reaches_the_command_and_leaves_nothing_behind(
    number: signal.Signals, moment: str, tmp_path: Path
) -> None:
    code = "import os, signal, time; print(os.getpid(), flush=True); signal.pause()"
    command = "emulate", "--", sys.executable, "-c", code
    with started(*command, environment={"TMPDIR": str(tmp_path)}) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        if moment == "early":
            while "curl" not in process.stderr.readline():
                assert process.poll() is None
        else:
            process.stdout.readline()
        if number is signal.SIGINT:
            os.killpg(process.pid, number)  # as a terminal sends it
        else:
            process.send_signal(number)
        stdout, _ = process.communicate(timeout=30)
    assert process.returncode in (128 + number, 1 if number is signal.SIGINT else 128 + number)
    for pid in map(int, stdout.split()):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert list(tmp_path.iterdir()) == []


def test_emulate_with_json_and_a_command_describes_itself_on_standard_error() -> None:
    done = forked("emulate", "--json", "--", sys.executable, "-c", "print('mine')")
    assert done.stdout == "mine\n"
    assert json.loads(done.stderr)["state"] == "vnet"

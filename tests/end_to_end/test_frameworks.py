"""Frameworks that build Azure Speech clients of their own: the samples for them, in every state.

They run in a virtual environment of their own, because of their size and their pins.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import wave
from pathlib import Path
from typing import Any

import pytest

from frameworks_scene import FRAMEWORKS, SAMPLES
from places import ROOT, SUPPORT, WAV
from readme import table
from speechroute.emulator import Emulator
from unshare import UNSHARE, needs_namespaces

PYTHON = ROOT / ".venv" / "frameworks" / "bin" / "python"
DOMAIN = "my-private-link-speech.cognitiveservices.azure.com"
DOORS = {
    "vnet": f"the private endpoint {DOMAIN}",
    "proxy": f"the private endpoint {DOMAIN}",
    "removed": "the regional host westeurope.stt.speech.microsoft.com",
}
OFFERINGS = {"recognise": "stt", "speak": "tts"}
TELLS_NO_ERROR = {
    "livekit_stt": {"recognise"},  # only in a warning, if the audio has ended before
    "langchain_azure_ai_tools": {"recognise"},
    "langchain_community_tools": {"recognise"},
}

pytestmark = [pytest.mark.frameworks, pytest.mark.timeout(400)]


def hosts(run: dict[str, Any]) -> set[str]:
    return {host for host, _, _ in run["asked"]}


def statuses(run: dict[str, Any]) -> set[int]:
    return {status for _, _, status in run["asked"]}


@pytest.fixture(scope="module", params=FRAMEWORKS)
def scene(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What `frameworks_scene` tells of one framework, and its name."""
    assert PYTHON.exists(), "the frameworks are not there: run sh .ci/setup frameworks"
    command = [*UNSHARE, str(PYTHON), str(SUPPORT / "frameworks_scene.py"), request.param]
    done = subprocess.run(command, capture_output=True, text=True, timeout=380)
    assert done.returncode == 0, done.stderr
    return {"name": request.param, **json.loads(done.stdout)}


def test_no_sample_is_forgotten() -> None:
    samples = {file.name for file in SAMPLES.glob("*.py")}
    assert samples == {*(f"{name}.py" for name in FRAMEWORKS), "dask_folder.py"}
    assert samples == {row[2].strip("`") for row in table("Frameworks", 0)}


@needs_namespaces
def test_a_framework_gets_the_right_door_in_every_state(scene: dict[str, Any]) -> None:
    functions = FRAMEWORKS[scene["name"]].functions
    regional = {f"westeurope.{OFFERINGS[each]}.speech.microsoft.com" for each in functions}
    assert scene["states"].keys() == DOORS.keys()
    for state, run in scene["states"].items():
        assert run["code"] == 0, run["errors"]
        assert hosts(run) == (regional if state == "removed" else {DOMAIN})
        assert statuses(run) <= {101, 200}
        if "speak" in functions:
            assert run["printed"].startswith("1.56 seconds\n")
        if "recognise" in functions:
            assert f"seconds of audio arrived through {DOORS[state]}." in run["printed"]


@needs_namespaces
def test_a_sample_fails_with_the_error_of_the_service(scene: dict[str, Any]) -> None:
    run = scene["refused"]
    assert run["code"] == 1
    assert run["printed"] == ""
    assert "401" in run["errors"]
    assert statuses(run) == {401}


@needs_namespaces
def test_one_door_by_hand_is_the_wrong_one_in_another_state(scene: dict[str, Any]) -> None:
    framework = FRAMEWORKS[scene["name"]]
    expected = {"vnet": (framework.by_region, 401), "removed": (framework.by_domain, 404)}
    for state, (arguments, status) in expected.items():
        runs = scene["by_hand"][state]
        assert runs.keys() == ({*framework.functions} if arguments else set())
        for function, run in runs.items():
            assert statuses(run) == {status}, function
            assert run["printed"].strip() == ""
            if function not in TELLS_NO_ERROR.get(scene["name"], ()):
                assert run["code"] == 1
                assert str(status) in run["errors"]
            elif scene["name"].startswith("langchain"):
                assert run["code"] == 0


@pytest.mark.parametrize("name", ["livekit_stt", "pipecat_stt", "pipecat_tts"])
def test_one_door_by_hand_is_enough_under_speechroute_run(name: str, emulator: Emulator) -> None:
    """By region, in a network where the region refuses, behind a proxy that the SDK ignores."""
    framework = FRAMEWORKS[name]
    names = {"key": emulator.key, "region": emulator.region}
    given = {each: value.format(**names) for each, value in framework.by_region.items()}
    by_hand = str(SUPPORT / "frameworks_by_hand.py")
    command = [by_hand, str(SAMPLES / f"{name}.py"), framework.functions[0], json.dumps(given)]
    done = subprocess.run(
        [str(PYTHON), "-m", "speechroute", "run", "--", *command],
        env={**os.environ, **emulator.environment, "SPEECH_REGION": emulator.region},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    expected = "1.56" if "tts" in name else f"seconds of audio arrived through {DOORS['vnet']}."
    assert expected in done.stdout


def by_hand(
    emulator: Emulator, name: str, given: dict[str, str], **more: str
) -> subprocess.CompletedProcess[str]:
    function = FRAMEWORKS[name].functions[0]
    script = [str(SUPPORT / "frameworks_by_hand.py"), str(SAMPLES / f"{name}.py"), function]
    return subprocess.run(
        [str(PYTHON), *script, json.dumps(given)],
        env={**os.environ, **emulator.environment, **more},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_variables_that_livekit_reads_otherwise(emulator: Emulator) -> None:
    """Its TTS takes AZURE_SPEECH_ENDPOINT for the whole URL; its STT adds AZURE_SPEECH_HOST."""
    url = f"https://{DOMAIN}/tts/cognitiveservices/v1"
    given = {"speech_key": emulator.key}
    done = by_hand(emulator, "livekit_tts", given, AZURE_SPEECH_ENDPOINT=url)
    assert done.stdout == "1.56\n", done.stderr
    given["speech_region"] = emulator.region
    done = by_hand(emulator, "livekit_stt", given, AZURE_SPEECH_HOST="wss://localhost")
    assert done.returncode == 1
    assert "both region and endpoint or host" in done.stderr


def test_pipecat_takes_no_host() -> None:
    code = (
        "from inspect import signature\n"
        "from pipecat.services.azure.stt import AzureSTTService\n"
        "from pipecat.services.azure.tts import AzureTTSService\n"
        "for service in (AzureSTTService, AzureTTSService):\n"
        "    names = signature(service.__init__).parameters\n"
        "    assert {'region', 'private_endpoint'} <= names.keys() and 'host' not in names\n"
    )
    done = subprocess.run([str(PYTHON), "-c", code], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr


@needs_namespaces
def test_the_readme_names_a_version_that_is_not_newer(scene: dict[str, Any]) -> None:
    rows = {name: row[1] for row in table("Frameworks", 1) for name in row[0].split(", ")}
    for package, version in scene["versions"].items():
        assert numbers(rows[f"`{package}`"]) <= numbers(version)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(4):
        shutil.copy(WAV, folder / f"{number}.wav")
    (folder / "broken.wav").write_text("no audio")
    return folder


def transcribe(emulator: Emulator, folder: Path) -> subprocess.CompletedProcess[str]:
    assert PYTHON.exists(), "the frameworks are not there: run sh .ci/setup frameworks"
    return subprocess.run(
        [str(PYTHON), str(SAMPLES / "dask_folder.py"), str(folder), "--workers", "2"],
        env={**os.environ, **emulator.environment},
        capture_output=True,
        text=True,
        timeout=180,
    )


def test_workers_of_dask_find_the_door_of_the_moment(emulator: Emulator, folder: Path) -> None:
    for state, door in DOORS.items():
        emulator.state = state
        done = transcribe(emulator, folder)
        lines = done.stdout.splitlines()
        assert [line.partition(":")[0] for line in lines] == [f"{n}.wav" for n in range(4)]
        assert all(line.count(f"seconds of audio arrived through {door}.") == 3 for line in lines)
        assert all(f"worker {number}: " in done.stderr for number in range(2))


def test_broken_files_are_reported_and_the_others_are_transcribed(
    emulator: Emulator, folder: Path
) -> None:
    with wave.open(str(folder / "silent.wav"), "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
    done = transcribe(emulator, folder)
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 4
    assert len(re.findall(r"^[1-6]/6 \w+\.wav, worker [01]: ", done.stderr, re.MULTILINE)) == 6
    failed = r"worker [01]: failed: "
    assert re.search(rf"broken\.wav, {failed}.*SPXERR_INVALID_HEADER", done.stderr), done.stderr
    assert re.search(rf"silent\.wav, {failed}the file holds no audio", done.stderr), done.stderr


def test_a_refusal_is_reported_for_each_file(emulator: Emulator, folder: Path) -> None:
    emulator.fail_with(401)
    try:
        done = transcribe(emulator, folder)
    finally:
        emulator.fail_with(None)
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(re.findall(r"failed: .*\(401\)", done.stderr)) == 4


def test_a_folder_without_failures_ends_with_0(emulator: Emulator, folder: Path) -> None:
    (folder / "broken.wav").unlink()
    assert transcribe(emulator, folder).returncode == 0

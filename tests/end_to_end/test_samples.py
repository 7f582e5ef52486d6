"""Every sample, unchanged, in every state."""

from __future__ import annotations

import os
import subprocess
import sys
import wave

import pytest

from forks import FORKS
from places import SAMPLES
from speechroute.emulator import Emulator

EXPECTED = {
    "before_after.py": "after:",
    "list_voices_rest.py": "en-US-AvaNeural Female",
    "recognize_continuous.py": "seconds of audio arrived",
    "recognize_file.py": "seconds of audio arrived",
    "recognize_stream.py": "  3.60 s  1.78 seconds of audio arrived",
    "recover.py": "The first call was not refused.",
    "synthesize.py": "synthesized.wav: 1.56 seconds",
    "transcribe_conversation.py": "Guest-1: ",
    "translate.py": "fr: [fr] ",
}


def test_no_sample_is_forgotten() -> None:
    assert {file.name for file in SAMPLES.glob("*.py")} == set(EXPECTED)


@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
@pytest.mark.parametrize("sample", EXPECTED)
def test_a_sample_runs_in_every_state(sample: str, state: str, emulator: Emulator) -> None:
    emulator.state = state
    if state == "vnet":  # once for each sample, nothing is imported beforehand
        done = subprocess.run(
            [sys.executable, str(SAMPLES / sample)],
            env={**os.environ, **emulator.environment},
            capture_output=True,
            text=True,
            timeout=100,
        )
    else:
        done = FORKS.run(SAMPLES / sample, environment=emulator.environment)
    assert done.returncode == 0, done.stderr
    assert EXPECTED[sample] in done.stdout


@pytest.mark.parametrize("sample", sorted(set(EXPECTED) - {"before_after.py"}))
def test_a_sample_fails_loudly_with_a_wrong_key(sample: str, emulator: Emulator) -> None:
    environment = {**emulator.environment, "SPEECH_KEY": "wrong"}
    done = FORKS.run(SAMPLES / sample, environment=environment)
    assert done.returncode != 0
    assert "401" in done.stderr


@pytest.mark.parametrize("sample", ["recognize_continuous.py", "transcribe_conversation.py"])
def test_a_file_without_audio_ends_too(sample: str, emulator: Emulator) -> None:
    with wave.open("empty.wav", "wb") as wav:
        wav.setparams((1, 2, 16_000, 0, "NONE", ""))
    done = FORKS.run(SAMPLES / sample, "empty.wav", environment=emulator.environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_before_and_after_differ_where_the_article_says(emulator: Emulator) -> None:
    outputs = {}
    for state in ("vnet", "removed"):
        emulator.state = state
        done = FORKS.run(SAMPLES / "before_after.py", environment=emulator.environment)
        outputs[state] = done.stdout.splitlines()
    assert "(401)" in outputs["vnet"][1]
    assert "(404)" in outputs["removed"][3]
    for state, lines in outputs.items():
        failing = sum("WebSocket upgrade failed" in line for line in lines)
        assert failing == 1, state

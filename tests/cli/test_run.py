"""``speechroute run``: programs that know nothing of speechroute, and processes of theirs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import pytest

from commands import forked, started
from places import SPEECHROUTE, WAV
from speechroute.emulator import Emulator

STARTUP = str(files("speechroute._cli") / "startup")
PROGRAM = f"""
import os, sys
from azure.cognitiveservices.speech import SpeechConfig, SpeechRecognizer, audio

def recognize():
    config = SpeechConfig(subscription=os.environ["SPEECH_KEY"], region="westeurope")
    recognizer = SpeechRecognizer(config, audio.AudioConfig(filename={str(WAV)!r}))
    return recognizer.recognize_once()

if __name__ == "__main__":
    assert not [module for module in sys.modules if module.startswith("speechroute")]
    assert {STARTUP!r} not in sys.path
    result = recognize()
    print(result.text or result.cancellation_details.error_details, *sys.argv[1:])
"""
MAKES_A_CONFIG = """
import azure.cognitiveservices.speech as speechsdk
config = speechsdk.SpeechConfig(subscription="0" * 32, region="westeurope")
print(config.get_property(speechsdk.PropertyId.SpeechServiceConnection_Endpoint))
"""
SETTINGS = {
    "SPEECH_KEY": "0" * 32,
    "SPEECH_ENDPOINT": "my-speech",
    "SPEECH_REGION": "westeurope",
    "SPEECH_PRIVATE_ENDPOINT": "yes",
}
ENDPOINT = "https://my-speech.cognitiveservices.azure.com/"


def run(
    *command: str, environment: Mapping[str, str], by: tuple[str, ...] = (SPEECHROUTE,)
) -> subprocess.CompletedProcess[str]:
    if by == (SPEECHROUTE,):
        return forked("run", "--", *command, environment=environment)
    return subprocess.run(
        [*by, "run", "--", *command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=100,
    )


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM)
    return file


@pytest.mark.parametrize(
    ("state", "door"),
    [("vnet", "private endpoint"), ("proxy", "private endpoint"), ("removed", "regional host")],
)
def test_an_unmodified_program_takes_the_route_in_every_state(
    state: str, door: str, program: Path, emulator: Emulator
) -> None:
    emulator.state = state
    done = run(str(program), "one", "--two", environment=emulator.environment)
    assert door in done.stdout, done.stderr
    assert done.stdout.endswith("one --two\n")


@pytest.mark.parametrize("by", [(SPEECHROUTE,), (sys.executable, "-m", "speechroute")])
@pytest.mark.parametrize(
    "command",
    [
        ("program.py",),
        ("-m", "program"),
        ("-c", "import program"),
        (sys.executable, "program.py"),
        ("sh", "-c", "./script"),
    ],
    ids=["file", "module", "code", "python", "script in a shell"],
)
def test_it_takes_what_a_shell_takes(
    command: tuple[str, ...], by: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(MAKES_A_CONFIG)
    script = tmp_path / "script"
    script.write_text(f"#!{sys.executable}\n{MAKES_A_CONFIG}")
    script.chmod(0o700)
    done = run(*command, environment=SETTINGS, by=by)
    assert (done.stdout, done.stderr, done.returncode) == (f"{ENDPOINT}\n", "", 0)


PROGRAMS = {
    "a process that is spawned": (
        "import multiprocessing as m\n"
        "from child import make\n"
        "if __name__ == '__main__':\n"
        "    context = m.get_context('spawn')\n"
        "    with context.Pool(1) as pool:\n"
        "        pool.apply(make)\n"
    ),
    "a program that uses speechroute too": (
        "from speechroute import speech_config\n"
        "from child import make\n"
        "speech_config(private_endpoint='no')\n"
        "make()\n"
    ),
    "a program that injects too": (
        "from speechroute import inject_into_speechsdk\n"
        "from child import make\n"
        "inject_into_speechsdk()\n"
        "make()\n"
    ),
    "a program that looks whether the SDK is there": (
        "import importlib.util\n"
        "assert importlib.util.find_spec('azure.cognitiveservices.speech')\n"
        "from child import make\n"
        "make()\n"
    ),
    "a program in which somebody else is there first": (
        "import functools\n"
        "from azure.cognitiveservices.speech import SpeechConfig\n"
        "from child import make\n"
        "beneath, seen = SpeechConfig.__init__, []\n"
        "def construct(*args, **kwargs):\n"
        "    seen.append(args)\n"
        "    beneath(*args, **kwargs)\n"
        "SpeechConfig.__init__ = construct\n"
        "make()\n"
        "assert len(seen) == 1\n"
    ),
    "the first config in a signal during the first config": (
        "import signal, sys\n"
        "from child import make\n"
        "import azure.cognitiveservices.speech\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'speechroute._sdk.inject':\n"
        "            sys.meta_path.remove(self)\n"
        "            signal.raise_signal(signal.SIGUSR1)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "signal.signal(signal.SIGUSR1, lambda *_: make())\n"
        "make()\n"
    ),
    "threads at once": (
        "import azure.cognitiveservices.speech, threading\n"
        "from child import make\n"
        "barrier = threading.Barrier(8)\n"
        "def work():\n"
        "    barrier.wait()\n"
        "    make()\n"
        "threads = [threading.Thread(target=work) for _ in range(8)]\n"
        "[thread.start() for thread in threads]\n"
        "[thread.join() for thread in threads]\n"
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_it_reaches(program: str, tmp_path: Path) -> None:
    body = MAKES_A_CONFIG.strip().replace("\n", "\n    ")
    (tmp_path / "child.py").write_text(f"def make():\n    {body}\n")
    (tmp_path / "program.py").write_text(PROGRAMS[program])
    done = run("program.py", environment=SETTINGS)
    assert done.returncode == 0, done.stderr
    times = 8 if "threads" in program else 2 if "signal" in program else 1
    assert done.stdout.count(ENDPOINT) == times, done.stdout


def test_extracting_undoes_it_before_and_after_the_first_config(tmp_path: Path) -> None:
    undone = "import speechroute\nspeechroute.extract_from_speechsdk()\n"
    done_again = "speechroute.inject_into_speechsdk()\n"
    make = MAKES_A_CONFIG.partition("speechsdk\n")[2]
    program = tmp_path / "program.py"
    program.write_text(MAKES_A_CONFIG + undone + make + done_again + make)
    assert run("program.py", environment=SETTINGS).stdout == f"{ENDPOINT}\n\n{ENDPOINT}\n"
    program.write_text(undone + MAKES_A_CONFIG + done_again + make + undone + make)
    assert run("program.py", environment=SETTINGS).stdout == f"\n{ENDPOINT}\n\n"


@pytest.mark.parametrize("setting", ["SPEECH_REGION", "SPEECH_DNS_SERVERS"])
def test_a_first_config_that_fails_leaves_no_key_in_its_frames(
    setting: str, tmp_path: Path
) -> None:
    key = "canary0123456789abcdef0123456789"
    (tmp_path / "program.py").write_text(
        "import os, sys, traceback\n"
        "import azure.cognitiveservices.speech as speechsdk\n"
        f"os.environ['{setting}'] = 'a b' if '{setting}' == 'SPEECH_REGION' else '127.0.0.1:9'\n"
        "os.environ['SPEECH_PRIVATE_ENDPOINT'] = 'auto'\n"
        "os.environ['SPEECH_DNS_TIMEOUT'] = '0.5'\n"
        "os.environ['SPEECH_PROXY'] = 'http://127.0.0.1:9'\n"
        "keys = sys.argv[1:]\n"
        "sys.argv.clear()\n"
        "try:\n"
        "    speechsdk.SpeechConfig(subscription=keys.pop(), region='westeurope')\n"
        "except Exception as error:\n"
        "    shown = traceback.TracebackException.from_exception(error, capture_locals=True)\n"
        "    print(*shown.format())\n"
    )
    done = run("program.py", key, environment=SETTINGS)
    assert "Traceback" in done.stdout
    assert key not in done.stdout + done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGUSR1])
def test_the_program_gets_every_signal_itself(number: signal.Signals) -> None:
    code = (
        "import signal, sys, threading\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(40))\n"
        "print('ready', flush=True)\n"
        "signal.pause()\n"
    )
    with started("run", "--", "-c", code, environment=SETTINGS) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(60) == 40


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-I", "program.py"),
        (sys.executable, "-E", "program.py"),
        ("env", "-u", "PYTHONPATH", sys.executable, "program.py"),
    ],
    ids=["-I", "-E", "without PYTHONPATH"],
)
def test_what_it_does_not_reach_is_what_the_readme_says(
    command: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "program.py").write_text(MAKES_A_CONFIG)
    done = run(*command, environment=SETTINGS)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr


def test_the_users_own_sitecustomize_still_runs(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("print('customized', __name__)\n")
    (tmp_path / "program.py").write_text(MAKES_A_CONFIG)
    environment = {**SETTINGS, "PYTHONPATH": str(tmp_path)}
    done = run("-m", "program", environment=environment)
    # The command itself is such a process too.
    assert done.stdout.endswith(f"customized sitecustomize\n{ENDPOINT}\n"), done.stderr


def test_a_python_without_speechroute_is_told_what_to_do(tmp_path: Path) -> None:
    folder = tmp_path / "shadow"
    folder.mkdir()
    (folder / "speechroute.py").write_text("raise ImportError('no such package here')\n")
    (tmp_path / "program.py").write_text(
        f"import sys; sys.path.insert(0, {str(folder)!r})\n{MAKES_A_CONFIG}"
    )
    done = run("program.py", environment=SETTINGS)
    assert done.returncode == 1
    assert "install speechroute into its environment" in done.stderr
    assert done.stdout == ""


def test_settings_that_cannot_work_are_told_before_the_program_starts() -> None:
    done = run("true", environment={"SPEECH_KEY": "x", "SPEECH_ENDPOINT": "no such name"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "SPEECH_ENDPOINT" in done.stderr
    command = [SPEECHROUTE, "run", "--json", "--", "true"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert json.loads(done.stdout)["error"]["type"] == "SettingsError"


def test_settings_that_stop_working_are_told_at_each_config(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(
        "import os\n"
        "os.environ['SPEECH_REGION'] = 'a b'\n"
        "import azure.cognitiveservices.speech as speechsdk\n"
        "for _ in range(2):\n"
        "    try:\n"
        "        speechsdk.SpeechConfig(subscription='0' * 32, region='westeurope')\n"
        "    except Exception as error:\n"
        "        print(type(error).__name__)\n"
    )
    done = run("program.py", environment=SETTINGS)
    assert done.stdout.split() == ["SettingsError"] * 2, done.stderr


def test_the_exit_code_is_the_programs() -> None:
    done = run("sh", "-c", "exit 7", environment=SETTINGS)
    assert done.returncode == 7
    done = run("no-such-command", environment=SETTINGS)
    assert (done.returncode, done.stderr) == (
        2,
        "Cannot run no-such-command: No such file or directory\n",
    )

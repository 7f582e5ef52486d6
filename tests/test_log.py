"""``speechroute log``, on a log that the real SDK wrote and on hostile ones."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from clients import CLIENTS
from speechroute import SpeechConfigFactory
from speechroute.cli._log import connection_urls
from speechroute.emulator import Emulator

SPEECHROUTE = str(Path(sys.executable).with_name("speechroute"))
LINE = (
    "(114917): 41ms SPX_DBG_TRACE_VERBOSE:  property_bag_impl.cpp:138 "
    "ISpxPropertyBagImpl::LogPropertyAndValue: this=0x0000028FE4809D78; "
    "name='SPEECH-ConnectionUrl'; value='{}'\n"
)
STANDARD = "wss://westeurope.stt.speech.microsoft.com"
CLASSIC = "/speech/recognition/conversation/cognitiveservices/v1"
KEY = "0123456789abcdef0123456789abcdef"


def log(*files: Path, emulator: Emulator, json_: bool = False) -> subprocess.CompletedProcess[str]:
    command = [SPEECHROUTE, "log", *map(str, files), *(["--json"] if json_ else [])]
    environment = {**os.environ, **emulator.environment}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)


def found(text: str) -> list[str]:
    return list(connection_urls(io.BytesIO(text.encode())))


def test_the_articles_example_is_read_as_the_article_reads_it() -> None:
    written = f"{STANDARD}{CLASSIC}?traffictype=spx&language=en-US"
    assert found(LINE.format("") + LINE.format(written)) == [f"{STANDARD}{CLASSIC}?language=en-US"]


@pytest.mark.parametrize(
    ("query", "left"),
    [
        ("?traffictype=spx", ""),
        ("?a=b&traffictype=spx", "?a=b"),
        ("?a=b&traffictype=spx&c=d", "?a=b&c=d"),
        ("?a=traffictype=x", "?a=traffictype=x"),
        ("?nottraffictype=x", "?nottraffictype=x"),
        (f"?subscription-key={KEY}&a=b", "?subscription-key=***&a=b"),
        ("?a=b&Authorization=Bearer%20x", "?a=b&Authorization=***"),
        (f"?a={KEY}", "?a=***"),
        ("?cid=0f8fad5b-d9cb-469f-a165-70867728950e", "?cid=0f8fad5b-d9cb-469f-a165-70867728950e"),
    ],
)
def test_what_is_not_the_applications_is_dropped_and_secrets_are_masked(
    query: str, left: str
) -> None:
    assert found(LINE.format(f"{STANDARD}/v1{query}")) == [f"{STANDARD}/v1{left}"]


def test_a_log_the_sdk_wrote_is_converted_for_the_route(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    file = tmp_path / "sdk.log"
    emulator.state = "removed"
    config = SpeechConfigFactory().speech_config(log_file=str(file))
    assert CLIENTS["recognize_once"](config).error == ""
    url = f"{STANDARD}{CLASSIC}?language=en-US"
    config = SpeechConfigFactory().speech_config(url=url, log_file=str(file))
    assert CLIENTS["recognize_once"](config).error == ""

    emulator.state = "vnet"
    done = log(file, emulator=emulator, json_=True)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    entries = {entry["url"]: entry for entry in document["urls"]}
    default = entries[f"{STANDARD}/stt/speech/universal/v2"]
    private = f"wss://{emulator.custom_domain}"
    assert default["converted"] == f"{private}/stt/speech/universal/v2"
    root = f'speechsdk.SpeechConfig(subscription=key, endpoint="https://{emulator.custom_domain}/")'
    assert default["speech_config"] == root
    custom = entries[url]
    assert custom["converted"] == f"{private}/stt{CLASSIC}?language=en-US"
    full = f'speechsdk.SpeechConfig(subscription=key, endpoint="{custom["converted"]}")'
    assert custom["speech_config"] == full
    assert all(entry["count"] >= 1 for entry in entries.values())
    assert emulator.key not in done.stdout

    for_people = log(file, emulator=emulator)
    assert custom["converted"] in for_people.stdout
    assert root in for_people.stdout
    emulator.state = "removed"
    regional = json.loads(log(file, emulator=emulator, json_=True).stdout)["urls"]
    lines = {entry["speech_config"] for entry in regional}
    assert 'speechsdk.SpeechConfig(subscription=key, region="westeurope")' in lines


def test_counts_are_added_up_over_files_and_the_most_frequent_comes_first(
    emulator: Emulator, tmp_path: Path
) -> None:
    rare, frequent = f"{STANDARD}/a", f"{STANDARD}/b"
    (tmp_path / "1.log").write_text(LINE.format(rare) + LINE.format(frequent))
    (tmp_path / "2.log").write_text(LINE.format(frequent))
    done = log(tmp_path / "1.log", tmp_path / "2.log", emulator=emulator, json_=True)
    counted = [(entry["url"], entry["count"]) for entry in json.loads(done.stdout)["urls"]]
    assert counted == [(frequent, 2), (rare, 1)]


def test_a_url_without_a_counterpart_is_a_problem_found(emulator: Emulator, tmp_path: Path) -> None:
    meeting = "wss://transcribe.westeurope.cts.speech.microsoft.com/speech/x"
    (tmp_path / "sdk.log").write_text(LINE.format(meeting))
    done = log(tmp_path / "sdk.log", emulator=emulator)
    assert done.returncode == 1
    assert "the host of the URL is 'transcribe.westeurope" in done.stdout


def test_a_file_without_urls_is_a_problem_found_that_says_what_to_do(
    emulator: Emulator, tmp_path: Path
) -> None:
    (tmp_path / "empty.log").write_text("nothing here\n")
    done = log(tmp_path / "empty.log", emulator=emulator)
    assert done.returncode == 1
    assert "SPEECH_LOG_FILE" in done.stderr
    missing = log(tmp_path / "missing.log", emulator=emulator)
    assert missing.returncode == 2


class Endless(io.RawIOBase):
    """A log of a given size that is never in memory as a whole."""

    def __init__(self, size: int) -> None:
        self._left = size
        filler = "x" * 200 + "\n"
        self._piece = (filler * 5000 + LINE.format(f"{STANDARD}/v1")).encode()

    def read(self, size: int = -1) -> bytes:
        piece = self._piece[: min(size, self._left)]
        self._left -= len(piece)
        return piece


def test_a_large_log_is_read_in_constant_memory() -> None:
    size = 300 << 20
    progressed = 0

    def progress(count: int) -> None:
        nonlocal progressed
        progressed += count

    tracemalloc.start()
    count = len(list(connection_urls(cast("BinaryIO", Endless(size)), progress)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count >= 290
    assert progressed == size
    assert peak < 20 << 20


@pytest.mark.parametrize("length", [1 << 20, (1 << 20) - 50, 3 << 20])
def test_a_line_is_found_wherever_the_pieces_are_cut(length: int) -> None:
    filler = "x" * (length - 1) + "\n"
    assert found(filler + LINE.format(f"{STANDARD}/v1")) == [f"{STANDARD}/v1"]
    assert found(filler + LINE.format(f"{STANDARD}/v1").rstrip("\n")) == [f"{STANDARD}/v1"]


def test_bytes_that_are_no_text_are_no_problem() -> None:
    data = b"\xff\xfe\x00" * 1000 + b"\n" + LINE.format(f"{STANDARD}/v1").encode()
    assert list(connection_urls(io.BytesIO(data))) == [f"{STANDARD}/v1"]

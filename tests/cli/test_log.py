"""``speechroute log``, on a log that the real SDK wrote and on hostile ones."""

from __future__ import annotations

import ast
import io
import json
import os
import pty
import subprocess
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from clients import CLIENTS
from commands import forked
from places import SPEECHROUTE
from speechroute import SpeechConfigFactory
from speechroute._cli.log import config_line, connection_urls
from speechroute._core.resource import Resource
from speechroute._core.route import Route
from speechroute._core.verdict import Decision, Row, Verdict
from speechroute.emulator import Emulator

LINE = (
    "(114917): 41ms SPX_DBG_TRACE_VERBOSE:  property_bag_impl.cpp:138 "
    "ISpxPropertyBagImpl::LogPropertyAndValue: this=0x0000028FE4809D78; "
    "name='SPEECH-ConnectionUrl'; value='{}'\n"
)
STANDARD = "wss://westeurope.stt.speech.microsoft.com"
CLASSIC = "/speech/recognition/conversation/cognitiveservices/v1"
KEY = "0123456789abcdef0123456789abcdef"


def log(*files: Path, emulator: Emulator, json_: bool = False) -> subprocess.CompletedProcess[str]:
    more = ["--json"] if json_ else []
    return forked("log", *map(str, files), *more, environment=emulator.environment)


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
        ("?nottraffictype=x&a=b", "?nottraffictype=x&a=b"),
        ("?a=traffictype=x&b=c", "?a=traffictype=x&b=c"),
        ("?traffictype=a&traffictype=b&c=d", "?c=d"),
        (f"?a=Bearer%20{KEY}", "?a=Bearer%20***"),
        (f"?a=%20{KEY}", "?a=%20***"),
        ("?auth=x&pwd=y&code=z&codec=w", "?auth=***&pwd=***&code=***&codec=w"),
        ("?a=eyJhbGciOi.eyJzdWIi.c2ln", "?a=***"),
        ("?p=it's&b=c", "?p=it's&b=c"),
        ("?a=\x1b[2J", "?a=\\u001b[2J"),
        ("?a=b c", "?a=b\\u0020c"),
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


def test_user_info_is_masked() -> None:
    assert found(LINE.format("wss://me:hunter2@host/x")) == ["wss://***@host/x"]


def test_masking_takes_time_in_proportion_to_the_text() -> None:
    assert found(LINE.format("wss://h/?" + "key" * 100_000))[0].startswith("wss://h/?keykey")


QUOTES = f'{STANDARD}/v1?a=");__import__("os").system("id");("'


@pytest.mark.parametrize(
    ("url", "keyword", "value"),
    [
        (
            QUOTES,
            "endpoint",
            f"wss://my.cognitiveservices.azure.com/stt/v1{QUOTES.partition('v1')[2]}",
        ),
        (
            f"{STANDARD}/stt/speech/universal/v2?cid=abc",
            "endpoint",
            "wss://my.cognitiveservices.azure.com/stt/speech/universal/v2?cid=abc",
        ),
        (
            "wss://westeurope.tts.speech.microsoft.com/tts/cognitiveservices/websocket/v1",
            "endpoint",
            "https://my.cognitiveservices.azure.com/",
        ),
    ],
    ids=["quotes", "query", "sdk's own"],
)
def test_the_line_to_paste_is_one_call_with_the_urls_text(
    url: str, keyword: str, value: str
) -> None:
    verdict = Verdict(Row.TOLD_YES, Decision.PRIVATE_ENDPOINT, "Told.")
    route = Route.of(verdict, Resource("my.cognitiveservices.azure.com", None), None, 0)
    (statement,) = ast.parse(config_line(url, route)).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Call)
    literals = {
        k.arg: k.value.value for k in statement.value.keywords if isinstance(k.value, ast.Constant)
    }
    assert literals == {keyword: value}


def test_a_custom_voice_in_government_gets_its_host() -> None:
    verdict = Verdict(Row.TOLD_NO, Decision.REGIONAL, "Told.")
    resource = Resource("my.cognitiveservices.azure.us", "usgovvirginia")
    url = "wss://my.cognitiveservices.azure.us/tts/cognitiveservices/websocket/v1?deploymentId=a"
    line = config_line(url, Route.of(verdict, resource, None, 0))
    assert "wss://usgovvirginia.voice.speech.azure.us/tts/cognitiveservices/websocket/v1?d" in line


def test_a_file_that_cannot_be_read_to_its_end_is_named_and_the_rest_goes_on(
    emulator: Emulator, tmp_path: Path
) -> None:
    good = tmp_path / "sdk.log"
    good.write_text(LINE.format(f"{STANDARD}/v1"))
    done = log(Path("/proc/self/mem"), good, emulator=emulator)
    assert done.returncode == 1
    assert "/proc/self/mem: Input/output error" in done.stderr
    assert f"1 x {STANDARD}/v1" in done.stdout


def test_on_a_terminal_the_progress_is_shown(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "[red]sdk.log").write_text(LINE.format(f"{STANDARD}/v1"))
    for name, value in {**emulator.environment, "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    controller, terminal = pty.openpty()
    command = [SPEECHROUTE, "log", str(tmp_path / "[red]sdk.log")]
    with subprocess.Popen(
        command, stderr=terminal, stdout=subprocess.PIPE, close_fds=True
    ) as process:
        os.close(terminal)
        shown = b""
        with suppress(OSError):  # the terminal's other end is closed: the command has ended
            while piece := os.read(controller, 65536):
                shown += piece
    os.close(controller)
    assert process.returncode == 0
    assert b"[red]sdk.log" in shown
    assert b"bytes" in shown


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

"""``speechroute log``: the connection URLs in SDK log files, and their conversions."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

from .._core import urls
from .._core.errors import UnsupportedUrl
from .._core.masking import mask_url
from .._core.route import Route
from .._network.resolve import resolve
from .console import JsonFlag, console, errors_console, print_json, reported

_CHUNK_BYTES = 1 << 20
_NAME_COLUMNS = 30
_CONNECTION_URL = re.compile(rb"name='SPEECH-ConnectionUrl'; value='([^\r\n]+)'")
_OWN_PARAMETER = "traffictype="
"""The SDK's own query parameter, no part of the application's URL (documented, 2024-09-24:
SDK-TRAFFIC-TYPE)."""
_LONGEST_URL = 16_384
"""Characters beyond which a value is cut: no URL is longer, and a log may hold anything."""


def connection_urls(file: BinaryIO, progress: Any = None) -> Iterator[str]:
    """Every connection URL in a log, as it was used by the application, secrets masked.

    Reads in pieces, so that a log of any size takes the same memory.

    Args:
        file: the log, open for reading bytes.
        progress: called with the number of bytes of each piece.
    """
    rest = b""
    while piece := file.read(_CHUNK_BYTES):
        data = rest + piece
        whole = data.rfind(b"\n") + 1
        for match in _CONNECTION_URL.finditer(data[:whole]):
            yield _cleaned(match[1].decode(errors="replace"))
        # A line longer than a piece is no line of the SDK.
        rest = data[whole:] if len(data) - whole <= _CHUNK_BYTES else b""
        if progress:
            progress(len(piece))
    for match in _CONNECTION_URL.finditer(rest):
        yield _cleaned(match[1].decode(errors="replace"))


def _cleaned(url: str) -> str:
    """The application's URL, fit for a terminal."""
    base, question_mark, query = url[:_LONGEST_URL].partition("?")
    kept = [part for part in query.split("&") if not part.startswith(_OWN_PARAMETER)]
    if not kept or kept == [""]:
        question_mark = ""
    masked = mask_url(f"{base}{question_mark}{'&'.join(kept)}")
    return re.sub(r"[^!-~]", lambda match: f"\\u{ord(match[0]):04x}", masked)


def config_line(url: str, route: Route) -> str:
    """The ``SpeechConfig(...)`` that opens a URL on this route.

    What the SDK opens by itself needs no full URL.

    Raises:
        UnsupportedUrl: the URL cannot be converted.
    """
    converted = route.url(url)
    parsed = urls.parse(converted)
    arguments = {"endpoint": converted}
    if parsed.path in urls.SDK_PATHS and not parsed.query and parsed.offering:
        arguments = route.sdk_kwargs(parsed.offering)
    # JSON's quotes and escapes are Python's: the line is made to be pasted.
    written = ", ".join(f"{name}={json.dumps(value)}" for name, value in arguments.items())
    return f"speechsdk.SpeechConfig(subscription=key, {written})"


def _count(files: list[Path]) -> tuple[Counter[str], list[str]]:
    """How often each URL occurs, and which files could not be read."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), DownloadColumn())
    counts: Counter[str] = Counter()
    failures: list[str] = []
    quiet = not errors_console.is_terminal
    with Progress(*columns, console=errors_console, transient=True, disable=quiet) as progress:
        for path in files:
            task = progress.add_task(path.name[-_NAME_COLUMNS:], total=path.stat().st_size)
            try:
                with path.open("rb") as file:
                    counts.update(connection_urls(file, partial(progress.advance, task)))
            except OSError as error:
                failures.append(f"{path}: {error.strerror}")
    return counts, failures


def _entry(url: str, count: int, route: Route) -> dict[str, Any]:
    entry: dict[str, Any] = {"url": url, "count": count}
    try:
        converted, line, problem = route.url(url), config_line(url, route), None
    except UnsupportedUrl as error:
        converted, line, problem = None, None, str(error)
    return {**entry, "converted": converted, "speech_config": line, "error": problem}


def log(
    files: Annotated[
        list[Path],
        typer.Argument(help="Log files of the SDK.", exists=True, dir_okay=False, readable=True),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Find the connection URLs in SDK log files and convert them to the current route."""
    with reported(as_json):
        route = resolve()
    counts, failures = _count(files)
    entries = [_entry(url, count, route) for url, count in counts.most_common()]
    if as_json:
        print_json({"route": route.kind, "urls": entries, "unreadable": failures})
    else:
        _print(entries)
    for failure in failures:
        errors_console.print(f"Not read to its end: {failure}", markup=False)
    if failures or not entries or any(entry["error"] for entry in entries):
        raise typer.Exit(1)


def _print(entries: list[dict[str, Any]]) -> None:
    if not entries:
        errors_console.print(
            "No connection URL found: these are no log files of the SDK, or it opened no "
            "connection. SPEECH_LOG_FILE makes the SDK write one.",
            markup=False,
        )
    for entry in entries:
        console.print(f"{entry['count']} x {entry['url']}", markup=False, soft_wrap=True)
        if entry["error"]:
            console.print(f"  {entry['error']}\n", markup=False, soft_wrap=True)
        else:
            text = f"  -> {entry['converted']}\n  {entry['speech_config']}\n"
            console.print(text, markup=False, soft_wrap=True)

"""``speechroute log``: the connection URLs in SDK log files, and their conversions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, BinaryIO

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from .. import urls
from .._masking import mask_url
from .._resolver import resolve
from .._route import Route
from ..errors import UnsupportedUrl
from ._app import JsonFlag, app, console, errors_console, print_json, reported

_CHUNK_BYTES = 1 << 20
_CONNECTION_URL = re.compile(rb"name='SPEECH-ConnectionUrl'; value='([^'\r\n]+)'")
_OWN_PARAMETER = re.compile(r"traffictype=[^&]*&|[?&]traffictype=[^&]*$")
"""The SDK's own query parameter, no part of the application's URL (documented, 2024-09-24)."""


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
    return mask_url(_OWN_PARAMETER.sub("", url))


def config_line(url: str, route: Route) -> str:
    """The ``SpeechConfig(...)`` that opens a URL on this route.

    What the SDK opens by itself needs no full URL.

    Raises:
        UnsupportedUrl: the URL cannot be converted.
    """
    converted = route.url(url)
    private = urls.to_private(url, route.custom_domain) if route.custom_domain else converted
    arguments = {"endpoint": converted}
    if urls.parse(private).path in urls.SDK_PATHS:
        arguments = route.sdk_kwargs(urls.parse(url).offering or "stt")
    written = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
    return f"speechsdk.SpeechConfig(subscription=key, {written})".replace("'", '"')


def _count(files: list[Path]) -> Counter[str]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeRemainingColumn(),
    )
    counts: Counter[str] = Counter()
    quiet = not errors_console.is_terminal
    with Progress(*columns, console=errors_console, transient=True, disable=quiet) as progress:
        for path in files:
            task = progress.add_task(path.name, total=path.stat().st_size)
            with path.open("rb") as file:
                counts.update(connection_urls(file, lambda size: progress.advance(task, size)))  # noqa: B023  # consumed here
    return counts


def _entry(url: str, count: int, route: Route) -> dict[str, Any]:
    entry: dict[str, Any] = {"url": url, "count": count}
    try:
        converted, line, problem = route.url(url), config_line(url, route), None
    except UnsupportedUrl as error:
        converted, line, problem = None, None, str(error)
    return {**entry, "converted": converted, "speech_config": line, "error": problem}


@app.command()
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
    entries = [_entry(url, count, route) for url, count in _count(files).most_common()]
    if as_json:
        print_json({"route": route.kind, "urls": entries})
    elif not entries:
        errors_console.print(
            "No connection URL found: these are no log files of the SDK, or it opened no "
            "connection. SPEECH_LOG_FILE makes the SDK write one.",
            markup=False,
        )
    for entry in [] if as_json else entries:
        console.print(f"{entry['count']} x {entry['url']}", markup=False, soft_wrap=True)
        if entry["error"]:
            console.print(f"  {entry['error']}\n", markup=False, soft_wrap=True)
        else:
            text = f"  -> {entry['converted']}\n  {entry['speech_config']}\n"
            console.print(text, markup=False, soft_wrap=True)
    if not entries or any(entry["error"] for entry in entries):
        raise typer.Exit(1)

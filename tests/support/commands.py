"""Commands, run as a person runs them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from places import SPEECHROUTE


def run(
    *arguments: str, environment: Mapping[str, str] | None = None, columns: int = 80
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SPEECHROUTE, *arguments],
        env={**os.environ, "COLUMNS": str(columns), **(environment or {})},
        capture_output=True,
        text=True,
        timeout=100,
    )


@contextmanager
def started(
    *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[str]]:
    """A command that a signal is to end, in a session of its own; at the end it is killed.

    Its coverage is not measured: coverage 7.17.3 takes a lock in the traced thread, and waits for
    it forever where a signal's handler has run in between.
    """
    together = {**os.environ, **(environment or {})}
    together.pop("COVERAGE_PROCESS_CONFIG", None)
    with subprocess.Popen(
        [SPEECHROUTE, *arguments],
        env=together,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()

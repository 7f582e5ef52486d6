"""Python programs without their start: forks of one Python that has imported what they need.

Each is a process of its own, with its own arguments, environment and output, and it ends as every
Python does.
"""

from __future__ import annotations

import functools
import gc
import json
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypedDict

_PATIENCE_S = 100
_OUT_OF_TIME = (-signal.SIGALRM, 256 - signal.SIGALRM)
"""How a fork ends whose time is up, and one that passes on how its own child did."""


class Forks:
    """Runs programs."""

    @functools.cached_property
    def _server(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def end(self) -> None:
        """Wait for the end of what they are forked from, if any was."""
        if "_server" in vars(self):
            self._server.communicate()

    def run(
        self, program: str | Path, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """As ``subprocess.run([sys.executable, program, *arguments])`` in the current folder.

        Args:
            environment: beside that of this process.
        """
        (done,) = self.run_all([([str(program), *arguments], environment or {})])
        return done

    def run_all(
        self, programs: Iterable[tuple[list[str], Mapping[str, str]]]
    ) -> list[subprocess.CompletedProcess[str]]:
        """As `run`, side by side."""
        with tempfile.TemporaryDirectory() as folder:
            jobs = [
                _Job(
                    command=command,
                    environment={**os.environ, **environment},
                    folder=str(Path.cwd()),
                    output=f"{folder}/{number}.out",
                    errors=f"{folder}/{number}.err",
                )
                for number, (command, environment) in enumerate(programs)
            ]
            assert self._server.stdin
            assert self._server.stdout
            print(json.dumps(jobs), file=self._server.stdin, flush=True)
            try:
                codes = json.loads(self._server.stdout.readline())
            except BaseException:
                self._server.kill()  # its next line would answer this question, not the next
                del self._server
                raise
            for job, code in zip(jobs, codes, strict=True):
                if code in _OUT_OF_TIME:
                    raise subprocess.TimeoutExpired(job["command"], _PATIENCE_S)
            return [
                subprocess.CompletedProcess(
                    job["command"],
                    code,
                    Path(job["output"]).read_text(),
                    Path(job["errors"]).read_text(),
                )
                for job, code in zip(jobs, codes, strict=True)
            ]


FORKS = Forks()
"""Those of this process of pytest; `conftest` ends them, so that their coverage is there."""


class _Job(TypedDict):
    command: list[str]
    environment: dict[str, str]
    folder: str
    output: str
    errors: str


def _become(job: _Job) -> None:
    signal.alarm(_PATIENCE_S)  # ends it, whatever it does
    for number, file in enumerate((os.devnull, job["output"], job["errors"])):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), number)
    os.chdir(job["folder"])
    os.environ.clear()
    os.environ.update(job["environment"])
    sys.argv = job["command"]
    sys.path[0] = str(Path(sys.argv[0]).parent)
    runpy.run_path(sys.argv[0], run_name="__main__")


def _serve() -> None:
    import speechroute._cli.app
    import speechroute.emulator  # noqa: F401

    gc.freeze()  # the end of a fork need not go through all of this
    for line in sys.stdin:
        pids = []
        for job in json.loads(line):
            pids.append(os.fork())
            if pids[-1] == 0:
                _become(job)
                return
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        print(json.dumps(codes), flush=True)


if __name__ == "__main__":
    _serve()

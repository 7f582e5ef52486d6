"""Runs in a fork of `forks`: the ``speechroute`` command, with consoles that it makes itself."""

from __future__ import annotations

import runpy
import sys

from places import SPEECHROUTE


def become_speechroute(*arguments: str) -> None:
    """Go on as ``speechroute ARGUMENTS``."""
    for name in [name for name in sys.modules if name.startswith("speechroute._cli")]:
        del sys.modules[name]  # it has read the environment of another process
    sys.argv = [SPEECHROUTE, *arguments]
    runpy.run_path(SPEECHROUTE, run_name="__main__")


if __name__ == "__main__":
    become_speechroute(*sys.argv[1:])

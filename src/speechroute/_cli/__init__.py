"""The ``speechroute`` command."""

from __future__ import annotations

import importlib.util
import sys

INTERRUPTED = 130
"""What a shell tells of a command that Ctrl-C has ended."""


def main() -> None:
    """Run the command, or say in one line how to install it."""
    if not all(map(importlib.util.find_spec, ("typer", "cryptography"))):
        sys.exit("The speechroute command needs its extra: pip install 'speechroute[cli]'")
    try:
        from .app import app
    except KeyboardInterrupt:  # half a second in which people change their mind
        sys.exit(INTERRUPTED)

    app()

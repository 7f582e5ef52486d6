"""The ``speechroute`` command."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Run the command, or say in one line how to install it."""
    if not all(map(importlib.util.find_spec, ("typer", "cryptography"))):
        sys.exit("The speechroute command needs its extra: pip install 'speechroute[cli]'")
    from ._app import app

    app()

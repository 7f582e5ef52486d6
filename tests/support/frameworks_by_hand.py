"""Runs one function of a sample, by hand: python frameworks_by_hand.py SAMPLE FUNCTION ARGUMENTS.

A framework is configured with nothing but ARGUMENTS (JSON); speechroute takes no part.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import runpy
import sys
from typing import Any


def main(sample: str, function: str, arguments: str) -> None:
    result = runpy.run_path(sample)[function](**json.loads(arguments))
    print(asyncio.run(result) if inspect.iscoroutine(result) else result)


def leave(*error: Any) -> None:
    """Tell an error as Python does, and end at once.

    Pipecat does not wait for the SDK to stop. A thread of the SDK that calls back while Python is
    taken down is ended in the middle of C++, which aborts: "FATAL: exception not rethrown".
    """
    sys.__excepthook__(*error)
    sys.stdout.flush()
    os._exit(1)


if __name__ == "__main__":
    sys.excepthook = leave
    main(*sys.argv[1:])

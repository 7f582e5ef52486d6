"""Runs one function of a sample, by hand: python frameworks_by_hand.py SAMPLE FUNCTION ARGUMENTS.

A framework is configured with nothing but ARGUMENTS (JSON); speechroute takes no part.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import runpy
import sys


def main(sample: str, function: str, arguments: str) -> None:
    result = runpy.run_path(sample)[function](**json.loads(arguments))
    print(asyncio.run(result) if inspect.iscoroutine(result) else result)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Network namespaces, where this machine allows them."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

UNSHARE = ["unshare", "-n", "-m"] if os.geteuid() == 0 else ["unshare", "-r", "-n", "-m"]


def _why_not() -> str:
    if shutil.which("unshare") is None:
        return "there is no unshare command"
    done = subprocess.run([*UNSHARE, "true"], capture_output=True, text=True)
    return done.stderr.strip()


needs_namespaces = pytest.mark.skipif(
    bool(_why_not()), reason=f"no network namespaces here: {_why_not()}"
)

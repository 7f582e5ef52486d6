"""The oldest SDK that is allowed, and the newest."""

from __future__ import annotations

import tomllib

from places import ROOT

SDKS = ["oldest", "newest"]


def floor() -> str:
    """The oldest SDK that pyproject.toml allows."""
    dependencies = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    (version,) = (d.split(">=")[1] for d in dependencies if d.startswith("azure-cognitiveservices"))
    return str(version)

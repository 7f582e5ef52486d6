"""Where things are."""

from __future__ import annotations

import sys
from pathlib import Path

SUPPORT = Path(__file__).parent
ROOT = SUPPORT.parents[1]
SAMPLES = ROOT / "samples"
WAV = SAMPLES / "hello.wav"
SPEECHROUTE = str(Path(sys.executable).with_name("speechroute"))
OLDEST_SDK = ROOT / ".venv" / "oldest-sdk"

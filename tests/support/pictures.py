"""Makes the README's pictures from real runs: python tests/support/pictures.py [FOLDER].

Each runs ``speechroute check`` in a network namespace of its own, on 80 columns.
"""

from __future__ import annotations

import inspect
import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.text import Text

from places import SAMPLES

HERE = Path(__file__).parent
OUTPUT = SAMPLES / "output"
PICTURES = {"check-sound.svg": "sound", "check-broken.svg": "late DNS"}
COLUMNS = 80
_RICHS = inspect.signature(Console.export_svg).parameters["code_format"].default
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", _RICHS, flags=re.DOTALL)
"""Without fonts that a reader's browser would load from elsewhere."""


def picture(network: str, name: str) -> str:
    """One run, as SVG."""
    command = [sys.executable, str(HERE / "check_scene.py"), network, "--probe"]
    environment = {
        **os.environ,
        "FORCE_COLOR": "1",
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
    }
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=100)
    if not done.stdout:
        raise RuntimeError(done.stderr)
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True)
    for line in done.stdout.splitlines():
        console.print(Text.from_ansi(line.rstrip()))
    title = "speechroute check --probe"
    return console.export_svg(title=title, unique_id=Path(name).stem, code_format=FORMAT)


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else OUTPUT
    for name, network in PICTURES.items():
        (folder / name).write_text(picture(network, name))
        print(folder / name)


if __name__ == "__main__":
    main()

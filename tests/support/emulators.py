"""Several emulators at once in one process, which reads one file of certificate authorities."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from speechroute.emulator import Emulator


def trusted(emulators: Iterable[Emulator], folder: str | Path) -> str:
    """A file for SSL_CERT_FILE with the certificate authorities of all."""
    file = Path(folder) / "authorities.pem"
    file.write_text("".join(emulator.ca_file.read_text() for emulator in emulators))
    return str(file)

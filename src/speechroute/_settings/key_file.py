"""`FileKey`: a resource key in a file, read again when the file changes."""

from __future__ import annotations

import contextlib
from pathlib import Path

from pydantic import SecretStr

from . import parsers
from .problems import BadValue, Contradiction


class FileKey(SecretStr):
    """The key that a file holds now.

    Container platforms rotate a secret by changing its file. While the file is away or unusable,
    the last key that was read stays in use.

    Attributes:
        path: of the file, absolute: the working directory may change.

    Raises:
        Contradiction: the file holds no key when this is made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._seen: tuple[int, int, int] | None = None
        super().__init__(_read(path))

    def get_secret_value(self) -> str:
        with contextlib.suppress(OSError, Contradiction):
            status = self.path.stat()
            seen = status.st_mtime_ns, status.st_size, status.st_ino
            if seen != self._seen:
                self._secret_value = _read(self.path)
                # Of before the read, and only if it gave a key: else the file is read again.
                self._seen = seen
        return self._secret_value


def _read(path: Path) -> str:
    found = "a file without a key"
    try:
        return parsers.key(path.read_text(encoding="utf-8-sig")).get_secret_value()
    except OSError as error:
        found = f"a file that cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        pass
    except BadValue as error:
        if error.found == parsers.IN_QUOTES:
            found = f"a file with {error.found}"
    remedy = "correct the path, or write the key into the file"
    raise Contradiction("SPEECH_KEY_FILE", found, "a file with a resource key", remedy)

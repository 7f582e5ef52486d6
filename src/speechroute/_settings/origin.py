"""Where a setting was read from, and what one from a ``.env`` may not do.

Precedence is not trust: arguments, environment, secrets files and the vault are the user's. A
``.env`` is of whoever wrote the working directory.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .key_file import FileKey
from .parsers import shown
from .problems import Contradiction

if TYPE_CHECKING:
    from .model import SpeechSettings

_SDK_LOG = re.compile(rb"\[\d+\]: +\d+ms SPX_")
"""How the SDK's own log begins (measured, 1.53)."""
_HEAD_BYTES = 100
DOTENV = ".env"


class Origin(NamedTuple):
    """Where a setting was read from.

    Attributes:
        source: ``argument``, ``environment``, ``.env``, ``secrets file``, ``vault`` or ``default``.
        variable: the one of the environment.
        file: the ``.env``, or that which names the vault; set for nothing else.
    """

    source: str
    variable: str = ""
    file: Path | None = None

    @property
    def folder(self) -> Path | None:
        """The folder of the ``.env``, links resolved."""
        return self.file and self.file.parent

    def __str__(self) -> str:
        return f"{self.source} ({self.variable})" if self.variable else self.source


DEFAULT, ENVIRONMENT = Origin("default"), Origin("environment")
_ARTICLES = {"argument": "an", "secrets file": "a"}


class Origins(dict[str, Origin]):
    """The origin of each setting; the same settings are equal wherever they come from."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Origins)

    __hash__ = None


def refuse_key_astray(said: SpeechSettings) -> None:
    """An allow list of a ``.env`` is for the key of that ``.env``, or of a file in its folder.

    Raises:
        Contradiction: the key is another.
    """
    allowed, key, origin = said.origin_of("allow_hosts"), said.key, said.origin_of("key")
    if allowed.folder is None or not key.get_secret_value():
        return
    is_beside = not isinstance(key, FileKey) or key.path.resolve().is_relative_to(allowed.folder)
    if origin == allowed and is_beside:
        return
    comes_from = (
        "a file outside its folder"
        if origin == allowed
        else f"{_ARTICLES.get(origin.source, 'the')} {origin}"
    )
    raise Contradiction(
        "SPEECH_ALLOW_HOSTS",
        f"set in .env, and the key comes from {comes_from}",
        "both from one place, so that a .env sends nobody else's key anywhere",
        "set SPEECH_ALLOW_HOSTS in the environment, or the key in .env",
    )


def log_path_of(said: SpeechSettings) -> Path | None:
    """Where the log file is, unlooked at."""
    folder = said.origin_of("log_file").folder
    return folder / said.log_file if folder and said.log_file else said.log_file


def refuse_overwriting(said: SpeechSettings) -> None:
    """The log file of a ``.env`` may replace what is in its folder, and other logs of the SDK.

    Raises:
        Contradiction: it would replace something else, or follow a link to somewhere else.
    """
    file, folder = log_path_of(said), said.origin_of("log_file").folder
    if file is None or folder is None:
        return
    try:
        found = _overwritten(file, folder)
    except (OSError, RuntimeError, ValueError) as error:  # links in a circle, odd characters
        why = getattr(error, "strerror", None) or type(error).__name__
        found = f"cannot be looked at ({why})"
    if found:
        raise Contradiction(
            "SPEECH_LOG_FILE",
            f"{shown(str(said.log_file))} in .env, which {found}",
            "a new file, or one in the folder of .env",
            "name another file, or set SPEECH_LOG_FILE in the environment",
        )


def _overwritten(file: Path, folder: Path) -> str:
    """What speaks against writing a file; nothing if all is well."""
    real = file.resolve()
    if real.is_relative_to(folder):
        return ""
    if not real.exists():
        inside = [path for path in file.parents if path.is_relative_to(folder)]
        is_link = any(path.is_symlink() for path in (file, *inside))
        return "is a link to somewhere outside its folder" if is_link else ""
    if real.is_file():
        with real.open("rb") as log:
            head = log.read(_HEAD_BYTES)
        if not head or _SDK_LOG.match(head):
            return ""
    return "exists outside its folder and is no log of the Speech SDK"

"""Where settings are read from beside arguments, environment and ``.env``: files and a vault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SecretsSettingsSource

from .._core.choices import Auth
from . import parsers
from .key_vault import VaultKey, secrets_in
from .problems import BadValue

_KEY_NAMES = frozenset({"SPEECH_KEY", "SPEECH_API_KEY"})


def sources_of(
    settings_class: type[BaseSettings],
    arguments: PydanticBaseSettingsSource,
    environment: PydanticBaseSettingsSource,
    dotenv: PydanticBaseSettingsSource,
    secrets: PydanticBaseSettingsSource,
) -> tuple[PydanticBaseSettingsSource, ...]:
    """The sources of settings, the strongest first."""
    sources: tuple[PydanticBaseSettingsSource, ...] = (
        arguments,
        environment,
        KeyInFile(settings_class, environment),
        dotenv,
        KeyInFile(settings_class, dotenv),
    )
    directory = getattr(secrets, "secrets_dir", None)
    if directory is not None and Path(directory).is_dir():
        sources = (*sources, NonEmptySecrets(settings_class, directory))
    return *sources, KeyVault(settings_class)


class NonEmptySecrets(SecretsSettingsSource):
    """Secrets files, of which empty ones count as not there, as empty variables do."""

    @classmethod
    def find_case_path(cls, dir_path: Path, file_name: str, case_sensitive: bool) -> Path | None:
        path = super().find_case_path(dir_path, file_name, case_sensitive)
        return path if path and path.is_file() and path.read_bytes().strip() else None

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The file itself for the key, which is read again when it changes."""
        value, name, is_complex = super().get_field_value(field, field_name)
        if field_name == "key" and value is not None:
            value = self.find_case_path(self.secrets_paths[0], name, self.case_sensitive)
        return value, name, is_complex


class _WholeSource(PydanticBaseSettingsSource):
    """A source whose values come all at once, from its call."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002
        return None, field_name, False


class KeyInFile(_WholeSource):
    """The key in the file that a source names, as if the source itself held it."""

    def __init__(
        self, settings_class: type[BaseSettings], source: PydanticBaseSettingsSource
    ) -> None:
        super().__init__(settings_class)
        self._source = source

    def __call__(self) -> dict[str, Any]:
        said = {name.upper().removeprefix("AZURE_"): v for name, v in self._source().items()}
        file = said.get("SPEECH_KEY_FILE")
        return {"SPEECH_KEY": Path(file)} if file and not said.keys() & _KEY_NAMES else {}


class KeyVault(_WholeSource):
    """The vault that the other sources name, asked if they give no key."""

    def __call__(self) -> dict[str, Any]:
        said = {name.upper().removeprefix("AZURE_"): v for name, v in self.current_state.items()}
        url = said.get("SPEECH_KEY_VAULT")
        needs_no_key = str(said.get("SPEECH_AUTH")).lower() == Auth.ENTRA
        if not isinstance(url, str) or needs_no_key or said.keys() & _KEY_NAMES:
            return {}
        try:
            url = parsers.key_vault(url)
        except BadValue:  # which the field's own parser reports
            return {}
        found = secrets_in(self.settings_cls, url)
        for name in found.keys() & {"SPEECH_KEY", "AZURE_SPEECH_KEY"}:
            found[name] = VaultKey(self.settings_cls, url, name, found[name])
        return found

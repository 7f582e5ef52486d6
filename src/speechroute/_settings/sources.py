"""The sources of settings, and which of them each setting is from."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from dotenv.variables import parse_variables
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
)

from .._core.choices import Auth
from .._core.errors import Problem, SettingsError
from . import parsers
from .key_vault import VaultKey, secrets_in
from .origin import DOTENV, ENVIRONMENT, Origin, Origins
from .problems import BadValue

ORIGINS = "_origins"
_FILLED_IN = (
    "filled in by .env with a variable of the environment",
    "a value that stands in .env itself",
    "write it out there, or set it in the environment",
)
_PATHS = frozenset({"key_file", "log_file"})
_KEY_NAMES = frozenset({"SPEECH_KEY", "SPEECH_API_KEY"})


def sources_of(
    settings_class: type[BaseSettings],
    arguments: PydanticBaseSettingsSource,
    environment: PydanticBaseSettingsSource,
    dotenv: PydanticBaseSettingsSource,
    secrets: PydanticBaseSettingsSource,
) -> tuple[PydanticBaseSettingsSource, ...]:
    """The sources of settings, the strongest first, as one that tells them apart."""
    sources = [
        (Origin("argument"), arguments),
        (ENVIRONMENT, environment),
        (ENVIRONMENT, KeyInFile(settings_class, environment)),
    ]
    sources += [(Origin(DOTENV), dotenv), (Origin(DOTENV), KeyInFile(settings_class, dotenv))]
    directory = getattr(secrets, "secrets_dir", None)
    if directory is not None and Path(directory).is_dir():
        sources.append((Origin("secrets file"), NonEmptySecrets(settings_class, directory)))
    sources.append((Origin("vault"), KeyVault(settings_class)))
    return (Together(settings_class, sources, Dotenvs(dotenv)),)


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


class Together(_WholeSource):
    """What several sources say, the strongest first, and under `ORIGINS` where it is from."""

    def __init__(
        self,
        settings_class: type[BaseSettings],
        sources: list[tuple[Origin, PydanticBaseSettingsSource]],
        dotenvs: Dotenvs,
    ) -> None:
        super().__init__(settings_class)
        self._sources, self._dotenvs = sources, dotenvs

    def __call__(self) -> dict[str, Any]:
        fields = self.settings_cls.model_fields.items()
        names = {field: getattr(info.validation_alias, "choices", ()) for field, info in fields}
        field_of = {name.upper(): field for field in names for name in names[field]}
        said: dict[str, Any] = {}
        origins = Origins()
        for origin, source in self._sources:
            source._set_current_state(said)  # noqa: SLF001  # as pydantic-settings does
            variables = getattr(source, "env_vars", {}) if origin is ENVIRONMENT else {}
            if isinstance(source, KeyVault) and "key_vault" in origins:
                origin = origin._replace(file=origins["key_vault"].file)  # noqa: PLW2901
            for name, value in source().items():
                field = field_of.get(name.upper())
                if field is None or name in said:
                    continue
                said[name] = value
                if value is not None:
                    variable = next((n for n in names[field] if n.lower() in variables), "")
                    found = origin._replace(variable=variable)
                    if origin.source == DOTENV:
                        found = self._of_dotenv(field, names[field], value)
                    origins[field] = found
        origins.update(self._sources[0][1]().get(ORIGINS, {}))  # of the arguments: known before
        return {**said, ORIGINS: origins}

    def _of_dotenv(self, field: str, names: Iterable[str], value: object) -> Origin:
        """The origin of what a ``.env`` says.

        A variable of the environment in it leads nothing to anybody in a path, and makes a key one
        of the environment. In an endpoint, a proxy or a voice it would send what the environment
        keeps to a place of the file's choice.

        Raises:
            SettingsError: it does.
        """
        if isinstance(value, Path):  # of KeyInFile
            names = ("SPEECH_KEY_FILE", "AZURE_SPEECH_KEY_FILE")
        origin, own = self._dotenvs.origin(names, value)
        if own == value or isinstance(value, Path) or field in _PATHS:
            return origin
        if field == "key":
            return ENVIRONMENT
        if own is None:
            return origin
        raise SettingsError.of(Problem(f"SPEECH_{field.upper()}", *_FILLED_IN))


class Dotenvs:
    """What the files of a source say by themselves, without the environment's variables."""

    def __init__(self, source: PydanticBaseSettingsSource) -> None:
        given = getattr(source, "env_file", None) or DOTENV
        several = [given] if isinstance(given, (str, os.PathLike)) else list(given)
        depth = getattr(source, "env_file_depth", 0) or 0
        encoding = getattr(source, "env_file_encoding", None) or "utf-8"
        self._files = [_found(Path(file).expanduser(), depth) for file in several]
        self._said = [
            (file, _own_values(file, encoding))
            for file in self._files
            if getattr(source, "env_vars", None) and file.is_file()  # no pipe, read already
        ]

    def origin(self, names: Iterable[str], value: object) -> tuple[Origin, str | None]:
        """The file that says a setting, and what it says by itself; None: unknown."""
        names = tuple(names)
        found = [
            (file, said[name])
            for file, said in reversed(self._said)
            for name in names
            if name in said
        ]
        for file, own in found:
            if own == value:
                return Origin(DOTENV, file=file), own
        if found:
            return Origin(DOTENV, file=found[0][0]), found[0][1]
        return Origin(DOTENV, file=self._files[-1] if self._files else None), None


def _found(file: Path, depth: int) -> Path:
    """Where pydantic-settings finds a file: so many folders above too."""
    folder = file.parent.resolve()
    tried = [folder / file.name, *(above / file.name for above in folder.parents[:depth])]
    return next((path for path in tried if path.exists()), tried[0])


def _own_values(file: Path, encoding: str) -> dict[str, str]:
    own: dict[str, str] = {}
    for name, value in dotenv_values(file, interpolate=False, encoding=encoding).items():
        own[name] = "".join(atom.resolve(own) for atom in parse_variables(value or ""))
    return {name.upper(): value for name, value in own.items()}


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

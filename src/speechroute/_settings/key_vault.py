"""Settings from Azure Key Vault, by pydantic-settings' own source (extra ``keyvault``)."""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import AzureError
from pydantic import SecretStr
from pydantic_settings import BaseSettings

from .._core.errors import Problem, SettingsError
from .._core.masking import mask
from . import parsers
from .problems import BadValue


class VaultKey(SecretStr):
    """A key that a vault holds, read again where it was refused."""

    def __init__(self, settings_class: type[BaseSettings], url: str, name: str, value: str) -> None:
        self._where = settings_class, url, name
        super().__init__(value)

    def renew(self) -> None:
        """Ask the vault again.

        Raises:
            SettingsError: it could not be asked, or what it holds is no key.
        """
        settings_class, url, name = self._where
        try:
            self.take(secrets_in(settings_class, url).get(name, self._secret_value))
        except BadValue as error:
            problem = error.found, error.expected, error.remedy
            raise SettingsError.of(Problem("SPEECH_KEY", *problem)) from None

    def take(self, value: object) -> None:
        """Hold another value.

        Raises:
            BadValue: it is no key.
        """
        self._secret_value = parsers.key(value).get_secret_value()


def secrets_in(settings_class: type[BaseSettings], url: str) -> dict[str, Any]:
    """What a vault says of the settings: ``SPEECH-KEY`` stands for ``SPEECH_KEY``.

    Signs in with azure-identity's ``DefaultAzureCredential``.

    Raises:
        SettingsError: the vault could not be asked.
    """
    found, remedy = "", "check that this program may list and get secrets there"
    try:
        from azure.identity import DefaultAzureCredential
        from pydantic_settings import AzureKeyVaultSettingsSource

        source = AzureKeyVaultSettingsSource(
            settings_class, url, DefaultAzureCredential(), dash_to_underscore=True
        )
        return source()
    except ImportError:
        found, remedy = "set, and its extra is not installed", "pip install 'speechroute[keyvault]'"
    except AzureError as error:
        found = f"a vault that cannot be read: {type(error).__name__}: {mask(error.message)}"
    raise SettingsError.of(
        Problem("SPEECH_KEY_VAULT", found, "a vault that this program may read", remedy)
    )

"""What a config authenticates with."""

from __future__ import annotations

from typing import Any

from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from .._core.choices import Auth
from .._core.errors import Problem, SettingsError
from .._settings.model import SpeechSettings
from .token import GivenToken
from .tokens import Tokens

Secret = SecretStr | AzureKeyCredential | Tokens | GivenToken
"""What a config authenticates with: a key, a key that its owner may change, or tokens."""


def fingerprint_of(secret: Secret) -> int:
    """Tells whether a key has changed; tokens change all the time."""
    if isinstance(secret, (Tokens, GivenToken)):
        return 0
    return hash(secret.key if isinstance(secret, AzureKeyCredential) else secret)


def with_credential(settings: SpeechSettings | None, credential: Any) -> SpeechSettings:
    """The settings that go with a credential: it wins over the environment, not over them."""
    is_key = isinstance(credential, AzureKeyCredential)
    wanted = Auth.KEY if is_key else Auth.ENTRA
    if settings and settings.auth not in (None, wanted):
        raise SettingsError.of(
            Problem(
                "SPEECH_AUTH",
                f"'{settings.auth}', and the credential is for '{wanted}'",
                "one of the two",
                "leave out auth= or pass the credential that goes with it",
            )
        )
    given = {"auth": wanted, **({"key": SecretStr(credential.key)} if is_key else {})}
    return settings.override(**given) if settings else SpeechSettings(**given)

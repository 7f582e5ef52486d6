"""The kinds of credential that companies use, each as what a program would pass."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from azure.core.credentials import AzureKeyCredential
from azure.identity import ManagedIdentityCredential

from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator

SCOPE = "https://cognitiveservices.azure.com/.default"


def key(emulator: Emulator) -> SpeechConfigFactory:
    return SpeechConfigFactory(SpeechSettings(key=emulator.key))


def key_credential(emulator: Emulator) -> SpeechConfigFactory:
    return SpeechConfigFactory(credential=AzureKeyCredential(emulator.key))


def token_credential(_: Emulator) -> SpeechConfigFactory:
    return SpeechConfigFactory(credential=ManagedIdentityCredential())


def callable_(_: Emulator) -> SpeechConfigFactory:
    identity = ManagedIdentityCredential()
    return SpeechConfigFactory(credential=lambda: identity.get_token(SCOPE).token)


def default_credential(_: Emulator) -> SpeechConfigFactory:
    return SpeechConfigFactory(SpeechSettings(auth="entra"))


KINDS: dict[str, Callable[[Emulator], SpeechConfigFactory]] = {
    kind.__name__: kind
    for kind in (key, key_credential, token_credential, callable_, default_credential)
}
EXPECTED = dict.fromkeys(KINDS, "token") | {"key": "key", "key_credential": "key"}


def config_for(factory: SpeechConfigFactory, client: str) -> Any:
    if client == "translate":
        return factory.translation_config(["de"], language="en-US")
    return factory.speech_config("tts" if "synth" in client or "voices" in client else "stt")


def without_key() -> None:
    """Take the key out of this process's environment."""
    os.environ.pop("SPEECH_KEY", None)

"""The kinds of credential that companies use, each as what a program would pass."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

from azure.core.credentials import AzureKeyCredential
from azure.identity import ManagedIdentityCredential

from clients import CLIENTS, Outcome
from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator
from speechroute.emulator._doors import Request

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


class Answers(NamedTuple):
    """What all clients got with one kind of credential at once, and what reached the doors."""

    outcomes: dict[str, Outcome]
    requests: tuple[Request, ...]


@cache
def ask_every_client(kind: str, state: str, emulator: Emulator) -> Answers:
    """Side by side: the SDK waits for a second now and then when it asks for tokens itself."""
    emulator.state = state
    factory, before = KINDS[kind](emulator), len(emulator.requests)
    with ThreadPoolExecutor(len(CLIENTS)) as pool:
        asked = {
            client: pool.submit(use, config_for(factory, client)) for client, use in CLIENTS.items()
        }
    outcomes = {client: outcome.result() for client, outcome in asked.items()}
    return Answers(outcomes, emulator.requests[before:])

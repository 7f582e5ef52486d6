"""Settings from Azure Key Vault: the real client and azure-identity against a vault on loopback."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import azure.cognitiveservices.speech as speechsdk
import pytest
import trustme

from places import WAV
from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator
from speechroute.emulator._proxy import ConnectProxy
from speechroute.errors import RouteRefused, SettingsError
from token_service import TokenService, token_service

VAULT = "my-vault.vault.azure.net"


class Vault:
    """Secrets for those who have a token, and what was asked."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.asked: list[str] = []

    def answer(self, path: str, authorization: str) -> tuple[int, dict[str, Any]]:
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": {"code": "Unauthorized", "message": "no token"}}
        self.asked.append(path)
        _, _, name, *_ = [*path.partition("?")[0].split("/"), ""]
        if not name:
            ids = [
                {"id": f"https://{VAULT}/secrets/{secret}", "attributes": {"enabled": True}}
                for secret in self.secrets
            ]
            return 200, {"value": ids, "nextLink": None}
        body = {
            "value": self.secrets[name],
            "id": f"https://{VAULT}/secrets/{name}/1",
            "attributes": {"enabled": True},
        }
        return 200, body


@pytest.fixture
def vault(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[tuple[Vault, TokenService]]:
    """A vault behind a proxy, found by its production name, and a managed identity for it."""
    vault, authority = Vault(), trustme.CA()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            status, body = vault.answer(self.path, self.headers.get("Authorization", ""))
            content = json.dumps(body).encode()
            self.send_response(status)
            if status == 401:
                challenge = 'Bearer authorization="https://login.microsoftonline.com/x"'
                self.send_header(
                    "WWW-Authenticate", f'{challenge}, resource="https://vault.azure.net"'
                )
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(VAULT).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "vault-ca.pem"))
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server,
        token_service(vault.tokens) as service,
    ):
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        proxy = ConnectProxy(
            cast(Any, SimpleNamespace(hosts={VAULT})),
            ("127.0.0.1", server.server_address[1]),
            cast(Any, None),
            cast(Any, None),
            lambda _: None,
        )
        port = asyncio.run_coroutine_threadsafe(proxy.start("127.0.0.1", 0), loop).result(60)
        monkeypatch.delenv("SPEECH_KEY")
        monkeypatch.setenv("SPEECH_KEY_VAULT", f"https://{VAULT}/")
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "vault-ca.pem"))
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield vault, service
        server.shutdown()
        asyncio.run_coroutine_threadsafe(proxy.stop(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_what_nothing_else_says_comes_from_the_vault(
    vault: tuple[Vault, TokenService], emulated: Emulator
) -> None:
    vault[0].secrets = {
        "SPEECH-KEY": emulated.key,
        "SPEECH-LANGUAGE": "de-DE",
        "SPEECH-ENDPOINT": "other",
        "unrelated": "x",
    }
    settings = SpeechSettings()
    assert settings.key.get_secret_value() == emulated.key
    assert (settings.language, settings.endpoint) == ("de-DE", emulated.custom_domain)
    assert set(vault[1].resources) == {"https://vault.azure.net"}
    assert emulated.key not in repr(settings)
    assert settings.override(voice="x").key.get_secret_value() == emulated.key


def test_a_key_of_the_vault_is_not_sent_to_a_host_that_a_dotenv_file_allows(
    vault: tuple[Vault, TokenService], emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault[0].secrets = {"SPEECH-KEY": emulated.key, "SPEECH-LANGUAGE": "de-DE"}
    settings = SpeechSettings()
    assert [str(settings.origin_of(name)) for name in ("key", "language")] == ["vault", "vault"]
    monkeypatch.delenv("SPEECH_ENDPOINT")
    monkeypatch.delenv("SPEECH_REGION", raising=False)
    allowed = "SPEECH_ALLOW_HOSTS=example.com\nSPEECH_ENDPOINT=https://example.com\n"
    Path(".env").write_text(allowed)
    with pytest.raises(SettingsError, match=r"set in \.env, and the key comes from the vault"):
        SpeechSettings()
    vault[0].secrets["SPEECH-ALLOW-HOSTS"] = "example.com"
    Path(".env").write_text(allowed.partition("\n")[2])
    assert SpeechSettings().resource.other_host == "https://example.com"


def test_a_key_elsewhere_leaves_the_vault_alone(vault: tuple[Vault, TokenService]) -> None:
    assert SpeechSettings(key="mine").key.get_secret_value() == "mine"
    assert vault[0].asked == []


@pytest.mark.parametrize("variable", ["SPEECH_KEY_FILE", "SPEECH_AUTH"])
def test_where_no_key_is_needed_the_vault_is_not_asked(
    variable: str, vault: tuple[Vault, TokenService], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("key").write_text("key-of-file")
    monkeypatch.setenv(variable, {"SPEECH_KEY_FILE": "key", "SPEECH_AUTH": "Entra"}[variable])
    expected = {"SPEECH_KEY_FILE": "key-of-file", "SPEECH_AUTH": ""}[variable]
    assert SpeechSettings().key.get_secret_value() == expected
    assert vault[0].asked == []


def recognize(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


def list_voices(config: Any) -> Any:
    """Told of a refusal at once, where a recognizer tries four times."""
    synthesizer = speechsdk.SpeechSynthesizer(config, None)
    return synthesizer.get_voices_async().get()


def lose(vault: tuple[Vault, TokenService]) -> None:
    """From now on neither the vault nor a token for it is to be had."""
    vault[1].fails = True
    vault[0].tokens.clear()


def test_a_vault_that_fails_after_a_401_leaves_the_last_key_with_a_warning(
    vault: tuple[Vault, TokenService], emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    vault[0].secrets = {"SPEECH-KEY": "0" * 32}
    factory = SpeechConfigFactory()
    lose(vault)
    attempt = factory.attempt(recognize)
    assert (attempt.failure, attempt.retried) == ("401", False)
    assert isinstance(attempt.error, RouteRefused)
    assert "The last key of the vault is kept: SPEECH_KEY_VAULT is a vault that" in caplog.text


@pytest.mark.parametrize("is_async", [False, True], ids=["run", "run_async"])
def test_a_vault_out_of_reach_does_not_stop_the_way_from_a_404(
    is_async: bool,
    vault: tuple[Vault, TokenService],
    emulated: Emulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    vault[0].secrets = {"SPEECH-KEY": emulated.key}
    monkeypatch.setenv("SPEECH_ROUTE_TTL_MIN", "300")
    factory = SpeechConfigFactory()
    assert factory.attempt(recognize).failure is None
    emulated.state = "removed"
    lose(vault)
    if is_async:
        attempt = asyncio.run(factory.attempt_async(lambda c: asyncio.to_thread(recognize, c)))
    else:
        attempt = factory.attempt(recognize)
    assert (attempt.failure, attempt.retried, attempt.error) == ("404", True, None)
    assert attempt.result.reason == speechsdk.ResultReason.RecognizedSpeech


def test_a_refused_key_is_read_from_the_vault_again(
    vault: tuple[Vault, TokenService], emulated: Emulator
) -> None:
    vault[0].secrets = {"SPEECH-KEY": "0" * 32}
    factory = SpeechConfigFactory()
    vault[0].secrets["SPEECH-KEY"] = emulated.key

    attempt = factory.attempt(recognize)
    assert attempt.result.reason == speechsdk.ResultReason.RecognizedSpeech
    assert "The key has changed." in attempt.reason
    asked = len(vault[0].asked)
    assert factory.attempt(recognize).failure is None
    assert len(vault[0].asked) == asked


def test_where_the_door_has_moved_the_vault_is_not_asked(
    vault: tuple[Vault, TokenService], emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault[0].secrets = {"SPEECH-KEY": emulated.key}
    monkeypatch.setenv("SPEECH_ROUTE_TTL_MIN", "300")
    emulated.state = "removed"
    factory = SpeechConfigFactory()
    factory.attempt(recognize)
    emulated.state = "vnet"
    asked = len(vault[0].asked)
    attempt = factory.attempt(recognize)
    assert (attempt.failure, attempt.retried, attempt.error) == ("401", True, None)
    assert len(vault[0].asked) == asked


def test_callers_who_are_refused_ask_the_vault_once_in_a_while(
    vault: tuple[Vault, TokenService], emulated: Emulator
) -> None:
    vault[0].secrets = {"SPEECH-KEY": "0" * 32}
    factory = SpeechConfigFactory()
    asked = len(vault[0].asked)
    for _ in range(3):
        assert factory.attempt(list_voices).failure == "401"
    assert len(vault[0].asked) == asked + 2  # its list, and the one secret


def test_a_key_of_a_vault_is_read_as_any_other(
    vault: tuple[Vault, TokenService],
    emulated: Emulator,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SPEECH_ROUTE_TTL_MIN", "0")
    vault[0].secrets = {"SPEECH-KEY": "0" * 32 + "\n"}
    factory = SpeechConfigFactory()
    assert factory.settings.key.get_secret_value() == "0" * 32
    vault[0].secrets["SPEECH-KEY"] = f'"{emulated.key}"'
    assert factory.attempt(list_voices).failure == "401"
    assert "The last key of the vault is kept: SPEECH_KEY is a value in quotes" in caplog.text
    assert emulated.key not in caplog.text
    vault[0].secrets["SPEECH-KEY"] = f"{emulated.key}\n"
    assert factory.attempt(list_voices).error is None
    assert factory.settings.key.get_secret_value() == emulated.key


def test_a_vault_that_a_dotenv_file_names_is_trusted_no_more_than_that(
    vault: tuple[Vault, TokenService], emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPEECH_KEY_VAULT", "SPEECH_ENDPOINT"):
        monkeypatch.delenv(name)
    host = "https://speech.example.com"
    Path(".env").write_text(f"SPEECH_KEY_VAULT=https://{VAULT}/\n")
    vault[0].secrets = {
        "SPEECH-KEY": "1" * 32,
        "SPEECH-ALLOW-HOSTS": "speech.example.com",
        "SPEECH-ENDPOINT": host,
    }
    settings = SpeechSettings()
    assert settings.resource.other_host == host
    with pytest.raises(SettingsError, match="the key comes from an argument"):
        settings.override(key=emulated.key)
    monkeypatch.setenv("SPEECH_KEY_VAULT", f"https://{VAULT}/")
    trusted = SpeechSettings().override(key=emulated.key)
    assert trusted.resource.other_host == host


def test_a_vault_that_cannot_be_read_is_a_problem_of_its_setting(
    vault: tuple[Vault, TokenService], monkeypatch: pytest.MonkeyPatch
) -> None:
    vault[1].fails = True
    with pytest.raises(SettingsError, match="SPEECH_KEY_VAULT is a vault that cannot be read"):
        SpeechSettings()
    monkeypatch.setenv("SPEECH_KEY_VAULT", "https://vault.example.com/")
    with pytest.raises(SettingsError, match=r"expected a URL like https://my-vault\.vault"):
        SpeechSettings()


def test_a_key_of_the_vault_in_quotes_is_a_problem(
    vault: tuple[Vault, TokenService], emulated: Emulator
) -> None:
    vault[0].secrets = {"SPEECH-KEY": f'"{emulated.key}"'}
    with pytest.raises(SettingsError, match="SPEECH_KEY is a value in quotes") as caught:
        SpeechSettings()
    assert emulated.key not in str(caught.value)


def test_a_vault_without_a_key_is_no_key(vault: tuple[Vault, TokenService]) -> None:
    with pytest.raises(SettingsError, match="SPEECH_KEY is not set"):
        SpeechSettings()

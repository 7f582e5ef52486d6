"""Keys and Microsoft Entra tokens with the real SDK and azure-identity, on both routes."""

from __future__ import annotations

import asyncio
import base64
import gc
import inspect
import json
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import azure.cognitiveservices.speech as speechsdk
import pytest
from azure.core.credentials import AccessToken, AzureKeyCredential
from azure.identity import ManagedIdentityCredential

from clients import CLIENTS, until
from commands import run
from credentials import EXPECTED, KINDS, ask_every_client
from places import SUPPORT, WAV
from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings, resolve
from speechroute._core.clouds import PUBLIC
from speechroute._sdk.config import plan_for, translating
from speechroute._sdk.token import GivenToken
from speechroute._sdk.tokens import Tokens
from speechroute.emulator import Emulator
from speechroute.errors import SettingsError, TokenUnavailable
from token_service import TokenService, token_service
from unshare import UNSHARE, needs_namespaces

PROPERTY = speechsdk.PropertyId


@pytest.fixture
def tokens(emulated: Emulator, monkeypatch: pytest.MonkeyPatch) -> Iterator[TokenService]:
    """A token service for the emulated resource, and no key in the environment."""
    monkeypatch.delenv("SPEECH_KEY")
    monkeypatch.setenv("SPEECH_RESOURCE_ID", emulated.resource_id)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with token_service(emulated.tokens) as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        yield service


def refreshing() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "speechroute-tokens"]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("state", ["vnet", "removed"])
@pytest.mark.parametrize("kind", KINDS)
def test_each_credential_opens_each_door_through_a_proxy(
    kind: str, state: str, client: str, tokens: TokenService, emulated: Emulator
) -> None:
    outcomes, requests = ask_every_client(kind, state, emulated)
    assert outcomes[client].error == ""
    assert len(requests) >= len(CLIENTS)
    assert {request.credential for request in requests} == {EXPECTED[kind]}
    assert {request.status for request in requests} <= {101, 200}
    private = emulated.custom_domain
    assert all((request.host == private) is (state == "vnet") for request in requests)


@needs_namespaces
def test_each_credential_opens_each_door_without_a_proxy() -> None:
    scene = SUPPORT / "credentials_scene.py"
    command = [*UNSHARE, sys.executable, str(scene)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["tunnels"] == []
    expected = {
        kind: {
            "errors": dict.fromkeys(CLIENTS, ""),
            "credentials": [credential],
            "all asked": True,
        }
        for kind, credential in EXPECTED.items()
    }
    assert document["results"] == {"vnet": expected, "removed": expected}


@pytest.mark.parametrize(
    ("custom_domain", "region", "audience"),
    [
        ("x.cognitiveservices.azure.com", "westeurope", "https://cognitiveservices.azure.com"),
        ("x.services.ai.azure.com", "westeurope", "https://cognitiveservices.azure.com"),
        ("x.cognitiveservices.azure.us", "usgovvirginia", "https://cognitiveservices.azure.us"),
        ("x.cognitiveservices.azure.cn", "chinanorth3", "https://cognitiveservices.azure.cn"),
    ],
)
@pytest.mark.parametrize("state", ["vnet", "removed"])
def test_tokens_are_for_the_audience_of_the_cloud(
    state: str,
    custom_domain: str,
    region: str,
    audience: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with (
        Emulator(state, custom_domain=custom_domain, region=region) as emulator,
        token_service(emulator.tokens) as service,
    ):
        variables = {**emulator.environment, **service.environment, "SPEECH_AUTH": "entra"}
        variables |= {"SPEECH_RESOURCE_ID": emulator.resource_id, "NO_PROXY": "127.0.0.1"}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("SPEECH_KEY")
        factory = SpeechConfigFactory()
        outcome = CLIENTS["synthesize"](factory.speech_config("tts"))
        assert outcome.texts == ("0.66 s",)
        assert set(service.resources) == {audience}


def test_without_a_resource_id_the_custom_domain_is_used_and_the_route_says_so(
    tokens: TokenService, emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPEECH_RESOURCE_ID")
    emulated.state = "removed"
    factory = SpeechConfigFactory(SpeechSettings(auth="entra"))
    route = factory.route()
    assert route.kind is RouteKind.REGIONAL
    assert route.sdk_kwargs() == {"endpoint": f"https://{emulated.custom_domain}/"}
    assert "SPEECH_RESOURCE_ID" in route.warnings[-1]
    attempt = factory.attempt(lambda c: speechsdk.SpeechSynthesizer(c, None).speak_text("Hello"))
    assert attempt.failure == "404"
    assert "The custom domain" in attempt.reason
    monkeypatch.setenv("SPEECH_AUTH", "entra")
    document = json.loads(run("check", "--json").stdout)
    assert document["settings"]["auth"] == "entra"
    (voices,) = (door["url"] for door in document["doors"] if door["client"] == "voices list")
    assert voices == f"https://{emulated.custom_domain}/tts/cognitiveservices/voices/list"


STT, TTS = "/stt/speech/universal/v2", "/tts/cognitiveservices/websocket/v1"
OPENED = {
    "recognize_once": ("stt", STT),
    "recognize_continuously": ("stt", STT),
    "translate": ("stt", STT),
    "transcribe_conversation": ("stt", STT),
    "synthesize": ("tts", TTS),
    "synthesize_text_stream": ("tts", TTS),
    "list_voices": ("tts", "/tts/cognitiveservices/voices/list"),
}


@pytest.mark.parametrize(
    ("client", "kind"),
    [*((c, "credential") for c in OPENED), ("translate", "text"), ("synthesize", "text")],
)
def test_a_region_is_told_the_custom_domain_beside_a_bare_token(
    client: str, kind: str, tokens: TokenService, emulated: Emulator
) -> None:
    emulated.state = "removed"
    settings = SpeechSettings(auth="entra", resource_id=None)
    route = replace(resolve(settings), needs_custom_domain=False, names_custom_domain=True)
    secret: Any = Tokens(ManagedIdentityCredential(), PUBLIC, None)
    if kind == "text":
        secret = GivenToken(secret.get_token().token, None)
    offering, path = OPENED[client]
    make = translating(["de"]) if client == "translate" else speechsdk.SpeechConfig
    before = len(emulated.requests)
    CLIENTS[client](plan_for(settings, offering, None, route).make(make, secret))
    requests = emulated.requests[before:]
    opened = {(r.host, r.path, r.query.partition("&language=")[0]) for r in requests}
    told = f"Ocp-Apim-Custom-Domain-Name={emulated.custom_domain}"
    # Measured, 1.48.2 and 1.53: the SDK takes no query of anybody's along to the list of voices.
    query = "" if client == "list_voices" else told
    assert opened == {(f"westeurope.{offering}.speech.microsoft.com", path, query)}
    assert {request.credential for request in requests} == {"token"}


def test_a_full_url_tells_the_custom_domain_once(tokens: TokenService, emulated: Emulator) -> None:
    emulated.state = "removed"
    settings = SpeechSettings(auth="entra", resource_id=None)
    route = replace(resolve(settings), needs_custom_domain=False, names_custom_domain=True)
    url = f"wss://{emulated.custom_domain}{STT}?language=de-DE"
    plan = plan_for(settings, "stt", url, route)
    before = len(emulated.requests)
    _recognize(plan.make(speechsdk.SpeechConfig, Tokens(ManagedIdentityCredential(), PUBLIC, None)))
    (request,) = emulated.requests[before:]
    assert request.host == "westeurope.stt.speech.microsoft.com"
    told = f"Ocp-Apim-Custom-Domain-Name={emulated.custom_domain}"
    assert request.query == f"{told}&language=de-DE"


def _recognize(config: Any) -> Any:
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


def test_the_redirect_of_newer_services_is_followed_with_the_token(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The SDK remembers the redirects of a name for the rest of the process (measured, 1.53).
    domain = "redirected-with-a-token.cognitiveservices.azure.com"
    redirecting = Emulator("removed", custom_domain=domain, generation="2026")
    with redirecting as emulator, token_service(emulator.tokens) as service:
        for name, value in {**emulator.environment, **service.environment}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        factory = SpeechConfigFactory(SpeechSettings(auth="entra"))
        assert _recognize(factory.speech_config()).reason == speechsdk.ResultReason.RecognizedSpeech
        assert [(r.status, r.credential) for r in emulator.requests] == [
            (301, "token"),
            (101, "token"),
        ]


def test_a_token_is_kept_for_half_of_its_life(tokens: TokenService, emulated: Emulator) -> None:
    emulated.state = "removed"
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    first, second = factory.speech_config(), factory.speech_config("tts")
    assert first.authorization_token == second.authorization_token
    assert first.authorization_token.startswith(f"aad#{emulated.resource_id}#canary-token-")
    assert len(tokens.resources) == 1


def test_live_clients_get_new_tokens_and_no_thread_outlives_them(
    tokens: TokenService, emulated: Emulator
) -> None:
    emulated.state = "removed"
    tokens.life = 4
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    config = factory.speech_config()
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    clients = [
        config,
        factory.keep_fresh(speechsdk.SpeechRecognizer(config, audio)),
        factory.keep_fresh(speechsdk.SpeechSynthesizer(factory.speech_config("tts"), None)),
    ]
    before = [client.authorization_token for client in clients]
    assert len(set(before)) == 1
    emulated.tokens.clear()  # as if they had expired
    tokens.wait(2)
    (thread,) = refreshing()
    until(lambda: before[0] not in {client.authorization_token for client in clients})
    recognizer = clients[1]
    assert recognizer.recognize_once().reason == speechsdk.ResultReason.RecognizedSpeech
    clients.clear()
    del config, recognizer
    gc.collect()
    thread.join(30)
    assert refreshing() == []


def test_a_credential_that_fails_later_is_told_and_asked_again(
    tokens: TokenService,
    emulated: Emulator,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("speechroute._sdk.tokens._RETRY_S", 0.1)
    emulated.state = "removed"
    tokens.life = 6  # renewed after 3 s, with 3 s left on a loaded machine
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    config = factory.speech_config()
    before = config.authorization_token
    tokens.fails = True
    until(lambda: "The last token is kept" in caplog.text)
    tokens.fails = False
    until(lambda: config.authorization_token != before)


def test_a_stream_keeps_its_recognizer_supplied(tokens: TokenService, emulated: Emulator) -> None:
    emulated.state = "removed"
    tokens.life = 4
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    made: list[Any] = []

    def recognizer(config: Any, audio_config: Any) -> Any:
        made.append(speechsdk.SpeechRecognizer(config, audio_config=audio_config))
        return made[-1]

    with factory.recognize_stream(print, recognizer=recognizer) as stream:
        before = made[0].authorization_token
        until(lambda: made[0].authorization_token != before)
        stream.stop()


def test_at_a_custom_domain_the_sdk_asks_for_tokens_itself(
    tokens: TokenService, emulated: Emulator
) -> None:
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    heard: list[str] = []
    with factory.recognize_stream(lambda result: heard.append(result.text)) as stream:
        stream.write(WAV.read_bytes()[44:])
    assert len(heard) == 3
    config = factory.speech_config()
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    recognizer = factory.keep_fresh(speechsdk.SpeechRecognizer(config, audio))
    assert recognizer.recognize_once().reason == speechsdk.ResultReason.RecognizedSpeech
    assert refreshing() == []
    assert SpeechConfigFactory(SpeechSettings(key="k")).keep_fresh(recognizer) is recognizer


def test_the_twins_for_asyncio_do_not_block_while_a_token_is_asked_for(
    tokens: TokenService, emulated: Emulator
) -> None:
    emulated.state = "removed"
    asked, pass_on = threading.Event(), threading.Event()

    def slow() -> str:
        asked.set()
        assert pass_on.wait(60)
        emulated.tokens.add("slow")
        return "slow"

    async def scene() -> Any:
        task = asyncio.ensure_future(SpeechConfigFactory(credential=slow).speech_config_async())
        assert await asyncio.to_thread(asked.wait, 60)
        pass_on.set()
        return await task

    assert asyncio.run(scene()).authorization_token.endswith("#slow")


def _jwt(expires_on: float) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": expires_on}).encode()).decode()
    return f"eyJh.{claims.rstrip('=')}.sig"


@pytest.mark.parametrize(
    ("make", "left"),
    [
        (lambda now: _jwt(now + 1000), 1000),
        (lambda _: "opaque", 600),
        (lambda _: "not.a.jwt", 600),
        (lambda now: AccessToken("text", int(now) + 500), 500),
        (lambda now: AccessToken("text", int(now + 500) * 1000), 600),
        (lambda _: AccessToken("text", cast(Any, "2026-11-22T22:00:00Z")), 600),
        (lambda _: AccessToken("text", cast(Any, float("inf"))), 600),
    ],
)
def test_a_callable_may_return_a_text_or_an_object(
    make: Callable[[float], Any], left: float, emulated: Emulator
) -> None:
    from speechroute._core.clouds import PUBLIC
    from speechroute._sdk.tokens import Tokens

    answer = make(time.time())
    token = Tokens(lambda: answer, PUBLIC, None).get_token()
    assert token.token == getattr(answer, "token", answer)
    assert token.expires_on - time.time() == pytest.approx(left, abs=60)
    assert token.token not in repr(token)


@pytest.mark.parametrize("answer", [None, "", 5, AccessToken("", 0)])
def test_what_is_no_token_is_told(answer: Any, emulated: Emulator) -> None:
    emulated.state = "removed"
    factory = SpeechConfigFactory(
        SpeechSettings(resource_id=emulated.resource_id), credential=lambda: answer
    )
    with pytest.raises(TokenUnavailable, match="without a token"):
        factory.speech_config()


def test_a_credential_that_fails_at_a_custom_domain_reaches_the_result(
    emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> str:
        raise LookupError("no identity here")

    factory = SpeechConfigFactory(credential=broken)
    result = _recognize(factory.speech_config())
    assert result.reason == speechsdk.ResultReason.Canceled
    assert "no identity here" in result.cancellation_details.error_details


@pytest.mark.parametrize("credential", [5, "text", object()])
def test_what_is_no_credential_is_refused_at_once(credential: Any, emulated: Emulator) -> None:
    with pytest.raises(TypeError, match="is no credential"):
        SpeechConfigFactory(credential=credential)


def test_a_credential_for_asyncio_is_refused_at_once(emulated: Emulator) -> None:
    class Asynchronous:
        async def get_token(self, *_: str) -> AccessToken:
            return AccessToken("x", 0)

    assert inspect.iscoroutinefunction(Asynchronous().get_token)
    with pytest.raises(TypeError, match=r"azure\.identity instead of azure\.identity\.aio"):
        SpeechConfigFactory(credential=Asynchronous())


def test_without_azure_identity_the_extra_is_named(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    emulated.state = "removed"
    settings = SpeechSettings(auth="entra", resource_id=emulated.resource_id)
    with pytest.raises(SettingsError, match=r"speechroute\[entra\]"):
        SpeechConfigFactory(settings).speech_config()


def test_entra_needs_a_custom_domain_or_a_resource_id(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPEECH_ENDPOINT")
    monkeypatch.delenv("SPEECH_KEY")
    with pytest.raises(SettingsError, match="SPEECH_RESOURCE_ID"):
        SpeechSettings._exactly({"auth": "entra", "region": "westeurope"})
    settings = SpeechSettings._exactly(
        {"auth": "entra", "region": "westeurope", "resource_id": emulated.resource_id}
    )
    assert settings.key.get_secret_value() == ""


def test_a_key_credential_is_read_for_each_config(emulated: Emulator) -> None:
    credential = AzureKeyCredential("old-key")
    factory = SpeechConfigFactory(credential=credential)
    assert factory.speech_config().subscription_key == "old-key"
    credential.update(emulated.key)
    assert factory.speech_config().subscription_key == emulated.key
    assert factory.speech_config(key="mine").subscription_key == "mine"


def test_a_key_in_a_file_is_read_again_when_it_changes(
    emulated: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SPEECH_KEY")
    file = tmp_path / "key"
    file.write_text("old-key\n")
    monkeypatch.setenv("SPEECH_KEY_FILE", str(file))
    factory = SpeechConfigFactory()
    assert factory.speech_config().subscription_key == "old-key"
    replacement = tmp_path / "new"
    replacement.write_text(f"{emulated.key}\n")
    replacement.rename(file)
    assert factory.speech_config().subscription_key == emulated.key
    file.unlink()
    assert factory.speech_config().subscription_key == emulated.key


def test_a_401_is_answered_with_the_key_that_is_there_now(
    emulated: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    monkeypatch.delenv("SPEECH_KEY")
    file = tmp_path / "key"
    file.write_text("0" * 32)
    factory = SpeechConfigFactory(SpeechSettings(key_file=file))
    calls: list[Any] = []

    def rotated_meanwhile(config: Any) -> Any:
        calls.append(config)
        file.write_text(f"{emulated.key}\n")
        return _recognize(config)

    attempt = factory.attempt(rotated_meanwhile)
    assert attempt.result.reason == speechsdk.ResultReason.RecognizedSpeech
    assert (len(calls), attempt.retried, attempt.failure) == (2, True, "401")
    assert "The key has changed." in attempt.reason
    emulated_key, text = emulated.key, caplog.text
    assert emulated_key not in text
    wrong = factory.attempt(_recognize, key="1" * 32)
    assert (wrong.retried, wrong.failure) == (False, "401")


class Credential:
    """Gives numbered tokens, and can fail or wait."""

    def __init__(self, life: float) -> None:
        self.life, self.count, self.calls = life, 0, 0
        self.fails = False
        self.pass_on = threading.Event()
        self.pass_on.set()
        self.asked = threading.Event()

    def __call__(self) -> AccessToken:
        self.calls += 1
        self.asked.set()
        assert self.pass_on.wait(60)
        if self.fails:
            raise LookupError("not now")
        self.count += 1
        return AccessToken(f"t{self.count}", int(time.time() + self.life))


def tokens_of(credential: Any) -> Any:
    from speechroute._core.clouds import PUBLIC
    from speechroute._sdk.tokens import Tokens

    return Tokens(credential, PUBLIC, "id")


def test_a_token_serves_as_long_as_it_is_valid_and_no_longer() -> None:
    credential = Credential(life=4)
    tokens = tokens_of(credential)
    assert tokens.authorization() == "aad#id#t1"
    credential.fails = True
    tokens._renew_at = 0
    assert tokens.authorization() == "aad#id#t1"
    tokens._token = tokens._token._replace(expires_on=int(time.time()) - 1)
    with pytest.raises(TokenUnavailable, match="not now"):
        tokens.authorization()


def test_nobody_with_a_valid_token_waits_for_the_next_one() -> None:
    credential = Credential(life=3600)
    tokens = tokens_of(credential)
    tokens.authorization()
    tokens._renew_at = 0
    credential.asked.clear()
    credential.pass_on.clear()
    renewing = threading.Thread(target=tokens.authorization)
    renewing.start()
    assert credential.asked.wait(60)
    assert tokens.authorization() == "aad#id#t1"
    credential.pass_on.set()
    renewing.join(60)
    assert tokens.authorization() == "aad#id#t2"


def test_whoever_renews_a_token_gives_it_to_all() -> None:
    tokens = tokens_of(Credential(life=3600))
    client = Client()
    tokens.authorization()
    tokens.keep_fresh(client)
    assert client.authorization_token == "aad#id#t1"
    tokens._renew_at = 0
    tokens.authorization()
    assert client.authorization_token == "aad#id#t2"


class Client:
    authorization_token = "aad#id#t0"


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_refreshes_for_itself() -> None:
    credential = Credential(life=3600)
    tokens = tokens_of(credential)
    tokens.authorization()
    tokens.keep_fresh(Client())
    # As if another thread of the parent were asking.
    asking = threading.Thread(target=tokens._asking.acquire)
    asking.start()
    asking.join()
    tokens._renew_at = 0
    child = os.fork()
    if child == 0:
        mine = tokens.keep_fresh(Client())
        tokens.authorization()
        os._exit(0 if mine.authorization_token == "aad#id#t2" and refreshing() else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize(
    ("auth", "credential"), [("key", lambda: "token"), ("entra", AzureKeyCredential("key"))]
)
def test_a_credential_of_the_other_kind_is_refused(
    auth: str, credential: Any, emulated: Emulator
) -> None:
    settings = SpeechSettings(auth=auth, resource_id=emulated.resource_id)
    with pytest.raises(SettingsError, match="SPEECH_AUTH"):
        SpeechConfigFactory(settings, credential=credential)


def test_one_call_may_have_another_key(emulated: Emulator, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("key-of-file")
    credential = AzureKeyCredential("first")
    credentials = (credential, lambda: "token")
    for given in credentials:
        factory = SpeechConfigFactory(
            SpeechSettings(resource_id=emulated.resource_id), credential=given
        )
        assert factory.speech_config(key="mine").subscription_key == "mine"
        assert factory.speech_config(key_file=file).subscription_key == "key-of-file"
    factory = SpeechConfigFactory(credential=credential)
    credential.update("second")
    assert factory.speech_config(key="").subscription_key == "second"
    assert factory.speech_config(language="de-DE").subscription_key == "second"


def test_a_client_gets_tokens_for_the_resource_that_it_was_made_for(
    tokens: TokenService, emulated: Emulator
) -> None:
    emulated.state = "removed"
    other = emulated.resource_id + "-b"
    factory = SpeechConfigFactory(credential=ManagedIdentityCredential())
    factory.speech_config()
    config = factory.speech_config(resource_id=other)
    assert factory.keep_fresh(config).authorization_token.startswith(f"aad#{other}#")


def test_those_who_wait_for_a_failing_credential_are_told_together() -> None:
    credential = Credential(life=60)
    credential.fails = True
    credential.pass_on.clear()
    tokens, told = tokens_of(credential), []

    def ask() -> None:
        try:
            tokens.authorization()
        except TokenUnavailable as error:
            told.append(error)

    threads = [threading.Thread(target=ask) for _ in range(10)]
    for thread in threads:
        thread.start()
    assert credential.asked.wait(60)
    credential.asked.clear()
    credential.pass_on.set()
    for thread in threads:
        thread.join(60)
    assert len({id(error) for error in told}) == 10
    assert credential.calls <= 2  # a thread may have begun after the first failure


class Broken(Client):
    @property
    def authorization_token(self) -> str:
        return "aad#id#t0"

    @authorization_token.setter
    def authorization_token(self, _: str) -> None:
        raise RuntimeError("closed")


def test_a_closed_client_keeps_no_other_from_its_token() -> None:
    tokens = tokens_of(Credential(life=3600))
    closed, client = Broken(), Client()
    tokens.keep_fresh(closed)
    tokens.keep_fresh(client)
    tokens.authorization()
    assert client.authorization_token == "aad#id#t1"

"""The emulator's REST APIs as ordinary HTTP clients use them, and the texts that it is told."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import azure.cognitiveservices.speech as speechsdk
import pytest

from audio import hear, pcm, wav
from clients import Outcome, recognize_continuously, recognize_once, translate, until
from places import WAV
from speechroute import SpeechConfigFactory
from speechroute.emulator import Emulator
from speechroute.emulator._synthesis import tone

C = "my-private-link-speech.cognitiveservices.azure.com"
REGION = "westeurope"
HEARD = "/speech/recognition/conversation/cognitiveservices/v1?language=en-US"
SPEAK = "/cognitiveservices/v1"
SSML = b"<speak version='1.0' xml:lang='en-US'><voice name='en-US-AvaNeural'>Hello</voice></speak>"
SPOKEN = {
    "Content-Type": "application/ssml+xml",
    "X-Microsoft-OutputFormat": "riff-16khz-16bit-mono-pcm",
}
VOICES = "/cognitiveservices/voices/list"
MODELS = "/speechtotext/models/base"
TOKENS = "/sts/v1.0/issueToken"
API = f"{REGION}.api.cognitive.microsoft.com"
GENERATIONS = ("2024", "2026", "strict")
SPEECH = pcm((0.2, False), (1.0, True), (0.6, False), (1.0, True))


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def call(
    emulator: Emulator,
    url: str,
    body: bytes | Iterable[bytes] | None = None,
    headers: dict[str, str] | None = None,
    *,
    method: str | None = None,
) -> Answer:
    """POST, or GET without a body, through the proxy of the environment and with the key."""
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    sent = {"Ocp-Apim-Subscription-Key": emulator.key, **(headers or {})}
    request = urllib.request.Request(f"https://{url}", body, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20, context=context) as response:
            answer = Answer(response.status, dict(response.headers), response.read())
    except urllib.error.HTTPError as error:
        with error:
            answer = Answer(error.code, dict(error.headers), error.read())
    assert emulator.requests[-1].status == answer.status
    return answer


def recognize(emulator: Emulator, audio: bytes, query: str = "language=en-US") -> Any:
    path = HEARD.partition("?")[0]
    return call(emulator, f"{C}/stt{path}?{query}", audio).json()


DOORS = (
    ("vnet", f"{C}/tts{SPEAK}", 200),
    ("vnet", f"{C}/voice{SPEAK}?deploymentId=1", 200),
    ("vnet", f"{REGION}.tts.speech.microsoft.com{SPEAK}", 401),
    ("vnet", f"{C}/stt{SPEAK}", 404),
    ("vnet", f"{C}{SPEAK}", 404),
    ("proxy", f"{C}/tts{SPEAK}", 200),
    ("removed", f"{C}/tts{SPEAK}", 404),
    ("removed", f"{REGION}.tts.speech.microsoft.com{SPEAK}", 200),
    ("removed", f"{REGION}.voice.speech.microsoft.com{SPEAK}?deploymentId=1", 200),
    ("removed", f"{REGION}.stt.speech.microsoft.com{SPEAK}", 404),
    ("removed", f"{REGION}.tts.speech.microsoft.com/tts{SPEAK}", 404),
    ("vnet", f"{C}/stt{HEARD}", 200),
    ("vnet", f"{C}/stt{HEARD.replace('conversation', 'interactive')}", 200),
    ("vnet", f"{C}/stt{HEARD.replace('conversation', 'dictation')}", 200),
    ("vnet", f"{C}/stt{HEARD.replace('conversation', 'monologue')}", 404),
    ("vnet", f"{REGION}.stt.speech.microsoft.com{HEARD}", 401),
    ("removed", f"{C}/stt{HEARD}", 404),
    ("removed", f"{REGION}.stt.speech.microsoft.com{HEARD}", 200),
    ("removed", f"{REGION}.stt.speech.microsoft.com/stt{HEARD}", 404),
)


@pytest.mark.parametrize(("state", "url", "status"), DOORS)
def test_rest_doors_behave_by_host_and_state(
    emulated: Emulator, state: str, url: str, status: int
) -> None:
    emulated.state = state
    body, headers = (wav(1, 16_000, 16, SPEECH), {}) if "recognition" in url else (SSML, SPOKEN)
    assert call(emulated, url, body, headers).status == status
    if status == 200:
        wrong = {"Ocp-Apim-Subscription-Key": "wrong"}
        assert call(emulated, url, body, {**headers, **wrong}).status == 401


@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
def test_what_a_rest_url_says_is_understood_in_every_state(emulated: Emulator, state: str) -> None:
    emulated.state = state
    route = SpeechConfigFactory().route()
    audio = call(emulated, route.rest_url("tts", SPEAK).removeprefix("https://"), SSML, SPOKEN).body
    emulated.say("Hello")
    heard = call(emulated, route.rest_url("stt", HEARD).removeprefix("https://"), audio).json()
    assert heard == {
        "RecognitionStatus": "Success",
        "DisplayText": "Hello",
        "Offset": 0,
        "Duration": 3_000_000,
    }


@pytest.mark.parametrize(
    ("audio_format", "content_type"),
    [("riff-24khz-16bit-mono-pcm", "audio/x-wav"), ("raw-8khz-16bit-mono-pcm", "audio/basic")],
)
def test_ssml_becomes_the_tone_of_its_text(
    emulated: Emulator, audio_format: str, content_type: str
) -> None:
    headers = {**SPOKEN, "X-Microsoft-OutputFormat": audio_format}
    answer = call(emulated, f"{C}/tts{SPEAK}", SSML, headers)
    assert (answer.status, answer.headers["Content-Type"]) == (200, content_type)
    assert answer.body == tone("Hello", audio_format)


@pytest.mark.parametrize(
    ("body", "changed", "status", "message"),
    [
        (SSML, {"X-Microsoft-OutputFormat": ""}, 400, "X-Microsoft-OutputFormat is missing"),
        (SSML, {"X-Microsoft-OutputFormat": "audio-16khz-32kbitrate-mono-mp3"}, 400, "ask for"),
        (b"<speak><bad", {}, 400, "no SSML: ParseError"),
        (b"Hello", {}, 400, "no SSML: ParseError"),
        (b"<?xml version='1.0' encoding='no'?><speak/>", {}, 400, "no SSML: LookupError"),
        (SSML, {"Content-Type": "text/plain"}, 415, "send application/ssml"),
    ],
    ids=["no format", "unmade format", "broken", "text", "encoding", "type"],
)
def test_what_cannot_be_spoken_is_refused(
    emulated: Emulator, body: bytes, changed: dict[str, str], status: int, message: str
) -> None:
    answer = call(emulated, f"{C}/tts{SPEAK}", body, {**SPOKEN, **changed})
    assert answer.status == status
    assert message in answer.json()["error"]["message"]


def test_speech_ends_at_the_first_pause_and_the_text_tells_the_door(emulated: Emulator) -> None:
    assert recognize(emulated, wav(1, 16_000, 16, SPEECH)) == {
        "RecognitionStatus": "Success",
        "DisplayText": f"1.70 seconds of audio arrived through the private endpoint {C}.",
        "Offset": 2_000_000,
        "Duration": 10_000_000,
    }


def test_the_detailed_format_has_every_form_of_the_text(emulated: Emulator) -> None:
    emulated.say("Hello")
    heard = recognize(emulated, wav(1, 16_000, 16, SPEECH), "language=en-US&format=detailed")
    assert "DisplayText" not in heard
    forms = dict.fromkeys(("Lexical", "ITN", "MaskedITN", "Display"), "Hello")
    assert heard["NBest"] == [{"Confidence": 1.0, **forms}]


@pytest.mark.parametrize("seconds", [0, 1, 6])
def test_silence_has_no_text(emulated: Emulator, seconds: int) -> None:
    heard = recognize(emulated, wav(1, 16_000, 16, pcm((seconds, False))))
    assert (heard["RecognitionStatus"], heard["Offset"]) == ("InitialSilenceTimeout", 0)
    assert "DisplayText" not in heard


def test_more_than_a_minute_of_audio_may_come_in_chunks(emulated: Emulator) -> None:
    audio = wav(1, 16_000, 16, pcm((65.0, True)))
    chunks = (audio[at : at + 100_000] for at in range(0, len(audio), 100_000))
    heard = call(emulated, f"{C}/stt{HEARD}", chunks).json()
    assert heard["Duration"] == 650_000_000


def chunk(name: bytes, data: bytes) -> bytes:
    return name + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)


def test_other_chunks_of_a_wav_file_are_not_heard(emulated: Emulator) -> None:
    noise, plain = chunk(b"LIST", b"\x7f\x80\x00" * 999), wav(1, 16_000, 16, b"")
    audio = plain[:36] + noise + chunk(b"data", SPEECH[:-32_000]) + noise
    assert recognize(emulated, audio) == recognize(emulated, plain + SPEECH[:-32_000])


@pytest.mark.parametrize(
    ("audio", "query", "message"),
    [
        (wav(1, 16_000, 16, SPEECH), "", "language is missing"),
        (wav(1, 16_000, 16, SPEECH), "language=", "language is missing"),
        (b"", "language=en-US", "no WAV file"),
        (b"OggS", "language=en-US", "no WAV file"),
        (b"RIFF", "language=en-US", "16-bit PCM"),
        (wav(1, 16_000, 16, b"")[:36], "language=en-US", "16-bit PCM"),
        (wav(1, 16_000, 16, b"").replace(b"fmt ", b"????"), "language=en-US", "16-bit PCM"),
        (wav(0, 16_000, 16, SPEECH), "language=en-US", "16-bit PCM"),
        (wav(1, 16_000, 8, SPEECH), "language=en-US", "16-bit PCM"),
    ],
    ids=[
        "no language",
        "empty language",
        "empty",
        "Ogg",
        "cut",
        "no data",
        "no format",
        "no channel",
        "8 bits",
    ],
)
def test_what_cannot_be_heard_is_refused(
    emulated: Emulator, audio: bytes, query: str, message: str
) -> None:
    error = recognize(emulated, audio, query)["error"]
    assert error["code"] == "400"
    assert message in error["message"]


@pytest.mark.parametrize(
    ("url", "method", "allowed"),
    [
        (f"{C}/stt{HEARD}", "GET", "POST"),
        (f"{C}/tts{SPEAK}", "GET", "POST"),
        (f"{C}/tts{VOICES}", "POST", "GET"),
        (f"{C}{MODELS}", "POST", "GET"),
        (f"{C}{TOKENS}", "GET", "POST"),
    ],
)
def test_another_method_is_405(emulated: Emulator, url: str, method: str, allowed: str) -> None:
    answer = call(emulated, url, None, method=method)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_what_only_sockets_or_only_rest_has_is_404_to_the_other(emulated: Emulator) -> None:
    upgrade = {"Upgrade": "websocket"}
    assert call(emulated, f"{C}/tts{SPEAK}", None, upgrade).status == 404
    assert call(emulated, f"{C}/stt/speech/universal/v2").status == 404


def test_a_recognition_path_is_still_for_sockets(emulated: Emulator) -> None:
    factory = SpeechConfigFactory()
    emulated.say("Hello")
    assert recognize_once(factory.speech_config(url=f"wss://{C}/stt{HEARD}")).texts == ("Hello",)
    assert (emulated.requests[-1].path, emulated.requests[-1].status) == (
        f"/stt{HEARD.partition('?')[0]}",
        101,
    )


def test_told_failures_are_for_rest_too(emulated: Emulator) -> None:
    emulated.fail_with(429)
    assert call(emulated, f"{C}/stt{HEARD}", wav(1, 16_000, 16, SPEECH)).status == 429


def test_a_client_that_breaks_off_is_remembered_quietly(
    emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    address, before = urlsplit(emulated.proxy_url), len(emulated.requests)
    context = ssl.create_default_context(cafile=str(emulated.ca_file))
    with socket.create_connection((address.hostname, address.port), 5) as tunnel:
        tunnel.sendall(f"CONNECT {C}:443 HTTP/1.1\r\n\r\n".encode())
        assert b"200" in tunnel.recv(100)
        with context.wrap_socket(tunnel, server_hostname=C) as sock:
            head = f"POST /stt{HEARD} HTTP/1.1\r\nHost: {C}\r\nContent-Length: 100\r\n"
            sock.sendall(f"{head}Ocp-Apim-Subscription-Key: {emulated.key}\r\n\r\nRIFF".encode())
    until(lambda: len(emulated.requests) > before)
    assert emulated.requests[-1].status == 400
    assert caplog.records == []


# Base models and tokens, which are no offering's


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
@pytest.mark.parametrize(("path", "body"), [(MODELS, None), (TOKENS, b"")], ids=["models", "token"])
def test_the_custom_domain_has_models_and_tokens_always_and_the_region_without_private_endpoint(
    emulated: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
    generation: str,
    path: str,
    body: bytes | None,
) -> None:
    monkeypatch.setattr(emulated, "generation", generation)
    emulated.state = state
    named = f"Ocp-Apim-Custom-Domain-Name={C}"
    is_private, is_strict = state != "removed", generation == "strict"
    expected = {
        f"{C}{path}": 200,
        f"{C}{path}?api-version=2024-11-15": 200,
        f"{API}{path}": 401 if is_private or is_strict else 200,
        f"{API}{path}?{named}": 401 if is_private else 200,
        f"{REGION}.stt.speech.microsoft.com{path}?{named}": 401 if is_private else 404,
    }
    before = len(emulated.requests)
    assert {url: call(emulated, url, body).status for url in expected} == expected
    assert len(emulated.requests) == before + len(expected)  # nothing redirects
    for headers in ({"Ocp-Apim-Subscription-Key": "wrong"}, {"Ocp-Apim-Subscription-Key": ""}):
        assert call(emulated, f"{C}{path}", body, headers).status == 401


@pytest.mark.parametrize("version", ["", "v3.1/", "v3.2/"])
def test_base_models_have_an_address_a_name_and_a_locale(emulated: Emulator, version: str) -> None:
    url = f"{C}/speechtotext/{version}models/base"
    models = call(emulated, url).json()["values"]
    assert [model["locale"] for model in models] == ["en-US", "de-DE"]
    for model in models:
        assert model["self"].startswith(f"https://{url}/")
        assert model["displayName"]


def test_a_token_of_entra_opens_models_and_issues_no_token(emulated: Emulator) -> None:
    emulated.tokens.add("entra")
    for host, state, token in (
        (C, "vnet", "entra"),
        (API, "removed", f"aad#{emulated.resource_id}#entra"),
    ):
        emulated.state = state
        headers = bearer(token)
        assert call(emulated, f"{host}{MODELS}", None, headers).status == 200
        assert call(emulated, f"{host}{TOKENS}", b"", headers).status == 401
    emulated.tokens.discard("entra")


@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
def test_tokens_are_issued_only_if_all_networks_have_access(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setattr(emulated, "public_access", False)
    emulated.state = state
    for host in (C, API):
        assert call(emulated, f"{host}{TOKENS}", b"").status == 403
    assert call(emulated, f"{C}{MODELS}").status == (403 if state == "proxy" else 200)


def bearer(token: str) -> dict[str, str]:
    return {"Ocp-Apim-Subscription-Key": "", "Authorization": f"Bearer {token}"}


def issue(emulator: Emulator) -> str:
    answer = call(emulator, f"{C}{TOKENS}", b"")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    return answer.body.decode()


def recognize_with_token(emulator: Emulator, token: str, **door: str) -> Outcome:
    if "endpoint" in door:  # the SDK takes no token beside it (measured, 1.53)
        config = speechsdk.SpeechConfig(**door)
        config.authorization_token = token
    else:
        config = speechsdk.SpeechConfig(auth_token=token, **door)
    proxy = urlsplit(emulator.proxy_url)
    config.set_proxy(proxy.hostname, proxy.port)
    return recognize_once(config)


def test_an_issued_token_opens_the_region_and_the_private_endpoint(emulated: Emulator) -> None:
    token = issue(emulated)
    headers = {**SPOKEN, **bearer(token)}
    assert call(emulated, f"{C}/tts{SPEAK}", SSML, headers).status == 200
    emulated.say("private")
    heard = recognize_with_token(emulated, token, endpoint=f"https://{C}/")
    assert heard.texts == ("private",)
    region = f"{REGION}.tts.speech.microsoft.com{SPEAK}"
    assert call(emulated, region, SSML, headers).status == 401
    emulated.state = "removed"
    assert call(emulated, region, SSML, headers).status == 200
    emulated.say("regional")
    assert recognize_with_token(emulated, token, region=REGION).texts == ("regional",)
    assert emulated.requests[-1].credential == "token"
    # That form is Microsoft Entra's.
    headers = {**SPOKEN, **bearer(f"aad#{emulated.resource_id}#{token}")}
    assert call(emulated, region, SSML, headers).status == 401


def test_a_token_is_issued_for_ten_minutes(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, now = issue(emulated), time.monotonic()
    issue(emulated)  # which ends no other one
    for later, status in ((590, 200), (601, 401)):
        monkeypatch.setattr("speechroute.emulator._service.monotonic", lambda at=now + later: at)
        assert call(emulated, f"{C}{MODELS}", None, bearer(old)).status == status
    assert call(emulated, f"{C}{MODELS}", None, bearer(issue(emulated))).status == 200


# The texts of phrases


def test_texts_are_used_up_in_order_by_whatever_is_recognised_next(emulated: Emulator) -> None:
    factory = SpeechConfigFactory()
    for text in ("one", "two", "three"):
        emulated.say(text)
    assert recognize_once(factory.speech_config()).texts == ("one",)
    assert recognize(emulated, WAV.read_bytes())["DisplayText"] == "two"
    assert translate(factory.translation_config(["de"])).texts == ("[de] three",)
    assert "seconds of audio arrived" in recognize(emulated, WAV.read_bytes())["DisplayText"]


def test_a_translation_has_the_text_in_both_languages(emulated: Emulator) -> None:
    emulated.say("Hello")
    client = speechsdk.translation.TranslationRecognizer(
        SpeechConfigFactory().translation_config(["de", "fr"]),
        audio_config=speechsdk.audio.AudioConfig(filename=str(WAV)),
    )
    result = client.recognize_once()
    assert result.text == "Hello"
    assert dict(result.translations) == {"de": "[de] Hello", "fr": "[fr] Hello"}


def test_each_phrase_of_a_continuous_recognition_uses_one_text(emulated: Emulator) -> None:
    emulated.say("one")
    first, second = recognize_continuously(SpeechConfigFactory().speech_config()).texts[:2]
    assert first == "one"
    assert "seconds of audio arrived" in second


def test_silence_and_refusals_use_no_text(emulated: Emulator) -> None:
    emulated.say("Hello")
    for audio in (b"", wav(1, 16_000, 16, pcm((6.0, False)))):
        assert "DisplayText" not in recognize(emulated, audio)
    assert recognize(emulated, WAV.read_bytes())["DisplayText"] == "Hello"


def test_a_text_leaves_the_hypotheses_alone() -> None:
    replies = hear("CONVERSATION", pcm((1.2, True)), texts=["Hello"])
    assert [r.json()["Text"] for r in replies if r.path == "speech.hypothesis"] == [
        "0.5 seconds so far",
        "1.0 seconds so far",
    ]


def test_texts_may_come_from_many_threads(emulated: Emulator) -> None:
    texts = [f"{number}" for number in range(40)]
    threads = [threading.Thread(target=emulated.say, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    audio = wav(1, 16_000, 16, pcm((0.5, True)))
    assert {recognize(emulated, audio)["DisplayText"] for _ in texts} == set(texts)


# No secret in what is remembered

TOKEN = "eyJhbGciOiJub25lIn0.eyJzdWIiOiJlbXVsYXRvciJ9.c2lnbmF0dXJl"


@pytest.fixture
def secretive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emulator]:
    with Emulator(key="a+key/with=signs") as emulator:
        emulator.tokens.update((TOKEN, "key"))
        for name, value in emulator.environment.items():
            monkeypatch.setenv(name, value)
        yield emulator


def all_encoded(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in text.encode())


@pytest.mark.parametrize("spell", [str, quote, all_encoded], ids=["plain", "quoted", "encoded"])
def test_requests_hold_no_key_and_no_token(secretive: Emulator, spell: Any) -> None:
    key, token = spell(secretive.key), spell(TOKEN)
    call(secretive, f"{C}/{key}/{token}/?token={token}&a=%20&b={key}{key}")
    request = secretive.requests[-1]
    assert (request.path, request.query) == ("/***/***/", "token=***&a=%20&b=******")


def test_an_issued_token_is_masked(secretive: Emulator) -> None:
    token = issue(secretive)
    call(secretive, f"{C}/{token}?token={all_encoded(token)}")
    assert (secretive.requests[-1].path, secretive.requests[-1].query) == ("/***", "token=***")


def test_the_key_of_now_is_masked(secretive: Emulator) -> None:
    secretive.key = "another"
    call(secretive, f"{C}/?b=another")
    assert secretive.requests[-1].query == "b=***"

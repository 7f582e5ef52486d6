"""The three generations of the service: what each door answers in each state."""

from __future__ import annotations

import contextlib
import http.client
import ssl
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as speechsdk
import pytest

from clients import CLIENTS, synthesize
from speechroute.emulator import Emulator, Generation

C = "one-of-three-generations.cognitiveservices.azure.com"
"""The SDK remembers redirects of a name for the rest of the process (measured, 1.53)."""
NAMED = f"Ocp-Apim-Custom-Domain-Name={C}"
REGION = "westeurope"
API = f"{REGION}.api.cognitive.microsoft.com"
TTS = f"{REGION}.tts.speech.microsoft.com"
STT_SOCKET = "/speech/universal/v2"
TTS_SOCKET = "/cognitiveservices/websocket/v1"
SPEAK = "/cognitiveservices/v1"
VOICES = "/cognitiveservices/voices/list"
GENERATIONS = ("2024", "2026", "strict")
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "c3BlZWNocm91dGVjaGVjaw==",
}


@pytest.fixture(scope="module")
def one() -> Iterator[Emulator]:
    with Emulator(custom_domain=C) as emulator:
        emulator.tokens.add("token")
        yield emulator


@pytest.fixture
def service(one: Emulator, monkeypatch: pytest.MonkeyPatch) -> Emulator:
    monkeypatch.setenv("SSL_CERT_FILE", str(one.ca_file))
    one.state, one.generation, one.public_access = "vnet", "2024", True
    return one


def connect(emulator: Emulator, host: str) -> http.client.HTTPConnection:
    proxy = urlsplit(emulator.proxy_url)
    connection = http.client.HTTPConnection(proxy.netloc, timeout=20)
    connection.set_tunnel(host, 443)
    connection.connect()
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
    return connection


def ask(emulator: Emulator, url: str, headers: dict[str, str] | None = None) -> tuple[int, str]:
    """The status, and where it leads or what it says."""
    host, _, path = url.partition("/")
    connection = connect(emulator, host)
    connection.request("GET", f"/{path}", headers=headers or {})
    with connection.getresponse() as response:
        said = response.headers.get("Location") or response.read().decode()
    connection.close()
    return response.status, said


def key(emulator: Emulator) -> dict[str, str]:
    return {"Ocp-Apim-Subscription-Key": emulator.key}


def config(emulator: Emulator, client: str, **door: str) -> Any:
    """A config for one of CLIENTS, as people make it by hand, and the emulator's proxy."""
    translates = client == "translate"
    translation = speechsdk.translation.SpeechTranslationConfig
    kind = translation if translates else speechsdk.SpeechConfig
    made = kind(subscription=emulator.key, **door)
    if translates:
        made.speech_recognition_language = "en-US"
        made.add_target_language("de")
    host, _, port = emulator.proxy_url.removeprefix("http://").partition(":")
    made.set_proxy(host, int(port))
    return made


DOORS = {
    "custom domain": {"endpoint": f"https://{C}/"},
    "region": {"region": REGION},
    "portal": {"endpoint": f"https://{API}/"},
}
WITH_PRIVATE_ENDPOINT = ("", "401", "401")
WITHOUT = {"2024": ("404", "", ""), "2026": ("", "", ""), "strict": ("", "401", "401")}


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("state", ["vnet", "proxy", "removed"])
def test_the_sdk_gets_what_the_generation_gives_at_each_door(
    generation: str, state: str, service: Emulator
) -> None:
    service.state, service.generation = state, generation
    expected = WITHOUT[generation] if state == "removed" else WITH_PRIVATE_ENDPOINT
    for door, status in zip(DOORS.values(), expected, strict=True):
        made = config(service, "synthesize", **door)
        made.set_property_by_name("SPEECH-WEBSOCKET_USE_REDIRECT_CACHE", "false")
        outcome = synthesize(made)
        assert (f"({status})" in outcome.error) if status else outcome.texts, (door, outcome)


@pytest.mark.parametrize("status", [301, 307, 308])
def test_every_client_that_is_redirected_follows(
    status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    domain = f"redirected-with-{status}.cognitiveservices.azure.com"
    redirecting = Emulator(
        "removed", custom_domain=domain, generation="strict", redirect_status=status
    )
    with redirecting as emulator:
        monkeypatch.setenv("SSL_CERT_FILE", str(emulator.ca_file))
        clients = {**CLIENTS}
        del clients["recognize_continuously"]
        for name, client in clients.items() if status == 301 else [("synthesize", synthesize)]:
            outcome = client(config(emulator, name, endpoint=f"https://{domain}/"))
            request = emulator.requests[-1]
            if name == "list_voices":
                assert (request.host, request.status) == (domain, 404)
                continue
            assert outcome.texts, outcome
            has_speech = name.startswith("synth")
            offering, path = ("tts", TTS_SOCKET) if has_speech else ("stt", STT_SOCKET)
            assert (request.host, request.path) == (f"{REGION}.{offering}.{TTS[15:]}", path)
            # Before SDK 1.50 the redirected query comes in lower case (measured, 1.48.2).
            assert f"ocp-apim-custom-domain-name={domain}" in request.query.lower()
        assert emulator.requests[0].status == status


def test_no_other_redirect_is_made() -> None:
    with pytest.raises(ValueError, match="redirect_status is 302; use one of 301, 307, 308"):
        Emulator(redirect_status=302)


def test_a_generation_is_one_of_three(service: Emulator) -> None:
    service.generation = "strict"
    assert service.generation is Generation.STRICT
    with pytest.raises(ValueError, match="2025"):
        service.generation = "2025"


@pytest.mark.parametrize(
    ("asked", "target"),
    [
        (f"/tts{SPEAK}", f"https://{TTS}{SPEAK}?{NAMED}"),
        (f"/tts{SPEAK}?a=%20&b=", f"https://{TTS}{SPEAK}?a=%20&b=&{NAMED}"),
        (f"/stt{STT_SOCKET}", f"wss://{REGION}.stt.speech.microsoft.com{STT_SOCKET}?{NAMED}"),
    ],
)
def test_a_redirect_leads_to_the_region_without_the_offering_in_the_path(
    asked: str, target: str, service: Emulator
) -> None:
    service.state, service.generation = "removed", "strict"
    headers = UPGRADE if target.startswith("wss") else {}
    assert ask(service, C + asked, headers) == (301, target)
    # It is let in there: a socket is opened, and the other is a path for POST.
    url = target.partition("://")[2]
    headers = {**headers, **key(service)}
    assert ask(service, url, headers)[0] in (101, 405)
    assert ask(service, url.removesuffix(NAMED), headers)[0] == 401


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_voices_list_of_the_custom_domain_is_not_redirected(
    generation: str, service: Emulator
) -> None:
    service.state, service.generation = "removed", generation
    assert ask(service, f"{C}/tts{VOICES}", key(service))[0] == 404


QUESTION = "GenerateRedirectResponse=true"


@pytest.mark.parametrize("path", [f"/stt{STT_SOCKET}", f"/tts{TTS_SOCKET}"])
@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_service_can_be_asked_without_a_credential(
    generation: str, path: str, service: Emulator
) -> None:
    service.generation = generation
    url = f"{C}{path}?a=b&{QUESTION}"
    assert ask(service, url)[0] == 401
    service.state = "removed"
    status, said = ask(service, url)
    if generation == "2024":
        assert status == 404
    else:
        host = f"{REGION}.{path[1:4]}.speech.microsoft.com"
        assert (status, said) == (200, f"wss://{host}{path[4:]}?a=b&{NAMED}")
    service.state, service.public_access = "proxy", False
    assert ask(service, url)[0] == 403


def test_only_what_has_a_socket_answers_the_question(service: Emulator) -> None:
    service.state, service.generation = "removed", "2026"
    assert ask(service, f"{C}/tts{SPEAK}?{QUESTION}") == (301, f"https://{TTS}{SPEAK}?{NAMED}")
    assert ask(service, f"{C}/stt{STT_SOCKET}?{QUESTION}", UPGRADE)[0] == 301
    assert ask(service, f"{C}/stt{STT_SOCKET}?GenerateRedirectResponse=false")[0] == 301


@pytest.mark.parametrize(
    ("generation", "query", "token", "status"),
    [
        ("2024", "", "token", 401),
        ("2024", "", "aad#{id}#token", 200),
        ("2024", "", "aad#another#token", 401),
        ("2026", f"?{NAMED}", "token", 200),
        ("2026", f"?{NAMED.lower()}", "token", 200),
        ("2026", f"?{NAMED}", "aad#{id}#token", 200),
        ("2026", f"?{NAMED}", "another", 401),
        ("2026", "?Ocp-Apim-Custom-Domain-Name=another", "token", 401),
        ("strict", "", "aad#{id}#token", 401),
        ("strict", f"?{NAMED}", "token", 200),
    ],
)
@pytest.mark.parametrize("host", [f"{TTS}{VOICES}", f"{API}/tts{VOICES}"], ids=["region", "portal"])
def test_a_token_needs_the_resource_where_the_url_does_not_name_it(
    generation: str, query: str, token: str, status: int, host: str, service: Emulator
) -> None:
    service.state, service.generation = "removed", generation
    headers = {"Authorization": f"Bearer {token.replace('{id}', service.resource_id)}"}
    assert ask(service, host + query, headers)[0] == status


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("url", [f"{TTS}{VOICES}", f"{API}/tts{VOICES}"], ids=["region", "portal"])
def test_a_private_endpoint_shuts_the_region_to_those_who_were_redirected_too(
    generation: str, url: str, service: Emulator
) -> None:
    service.generation = generation
    for state, status in (("vnet", 401), ("proxy", 401), ("removed", 200)):
        service.state = state
        assert ask(service, f"{url}?{NAMED}", key(service))[0] == status


PORTALS = {
    API: "my-portal.cognitiveservices.azure.com",
    "usgovvirginia.api.cognitive.microsoft.us": "my-portal.cognitiveservices.azure.us",
    "chinaeast2.api.cognitive.azure.cn": "my-portal.cognitiveservices.azure.cn",
}
OPENED = {
    "recognize_once": (f"/stt{STT_SOCKET}", ""),
    "translate": (f"/stt{STT_SOCKET}", ""),
    "transcribe_conversation": (f"/stt{STT_SOCKET}", "language=en-us"),
    "synthesize": (f"/tts{TTS_SOCKET}", "deploymentId=my-id"),
    "synthesize_text_stream": (f"/tts{TTS_SOCKET}", ""),
    "list_voices": (f"/tts{VOICES}", ""),
}


@pytest.mark.parametrize("portal", PORTALS)
def test_every_client_works_at_the_portals_regional_endpoint(
    portal: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = portal.partition(".")[0]
    with Emulator("removed", custom_domain=PORTALS[portal], region=region) as emulator:
        monkeypatch.setenv("SSL_CERT_FILE", str(emulator.ca_file))
        for name, opened in OPENED.items():
            made = config(emulator, name, endpoint=f"https://{portal}/")
            if "deploymentId" in opened[1]:
                made.endpoint_id = "my-id"
            outcome = CLIENTS[name](made)
            assert outcome.texts, outcome
            request = emulator.requests[-1]
            assert (request.host, request.path, request.query) == (portal, *opened)


@pytest.mark.parametrize(
    ("url", "before", "kept", "cut"),
    [
        (f"{TTS}{TTS_SOCKET}?{NAMED}", "removed", "removed", "vnet"),
        (f"{API}/tts{TTS_SOCKET}?{NAMED}", "removed", "removed", "proxy"),
        (f"{C}/tts{TTS_SOCKET}", "vnet", "proxy", "removed"),
    ],
    ids=["region", "portal", "custom domain"],
)
@pytest.mark.parametrize("generation", ["2026", "strict"])
def test_connections_are_cut_where_the_state_closes_their_door(
    generation: str, url: str, before: str, kept: str, cut: str, service: Emulator
) -> None:
    service.state, service.generation = before, generation
    host, _, path = url.partition("/")
    connection = connect(service, host)
    connection.request("GET", f"/{path}", headers={**UPGRADE, **key(service)})
    assert connection.getresponse().status == 101
    sock = connection.sock
    with contextlib.closing(sock):
        service.state = kept
        sock.sendall(b"\x89\x80\0\0\0\0")  # a ping, and its pong
        assert sock.recv(2) == b"\x8a\x00"
        service.state = cut
        assert sock.recv(2) == b""

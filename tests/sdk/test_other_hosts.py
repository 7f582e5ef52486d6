"""Hosts beside Azure's: only those that are allowed, and only with TLS except on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import WSMsgType, web

from clients import CLIENTS
from commands import run
from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings
from speechroute._core.resource import Resource
from speechroute.emulator._recognition import RecognitionSession
from speechroute.emulator._wire import decode
from speechroute.errors import SettingsError, UnsupportedUrl

KEY = "0123456789abcdef0123456789abcdef"


class Container:
    """A Speech container as far as the SDK can tell: recognition, without TLS and any key."""

    def __init__(self) -> None:
        self.keys: list[str | None] = []
        self.port = 0

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        self.keys.append(request.headers.get("Ocp-Apim-Subscription-Key"))
        socket, session = web.WebSocketResponse(protocols=("USP",)), RecognitionSession("here")
        await socket.prepare(request)
        async for frame in socket:
            if frame.type not in (WSMsgType.TEXT, WSMsgType.BINARY):
                break
            for message in session.receive(decode(frame.data)):
                data = message.encode()
                assert isinstance(data, str)
                await socket.send_str(data)
        return socket

    async def start(self) -> web.AppRunner:
        app = web.Application()
        app.router.add_get("/speech/{path:.*}", self.serve)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.port = runner.addresses[0][1]
        return runner


@pytest.fixture
def container() -> Iterator[Container]:
    loop, container = asyncio.new_event_loop(), Container()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    runner = asyncio.run_coroutine_threadsafe(container.start(), loop).result(60)
    yield container
    asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result(60)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def settings(endpoint: str, allowed: str = "localhost, 127.0.0.1", **more: Any) -> SpeechSettings:
    return SpeechSettings(endpoint=endpoint, allow_hosts=allowed, **more)


@pytest.mark.parametrize("scheme", ["http", "ws"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
@pytest.mark.parametrize("client", ["recognize_once", "recognize_continuously"])
def test_a_speech_container_is_used_without_dns_and_proxy(
    client: str,
    host: str,
    scheme: str,
    container: Container,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    factory = SpeechConfigFactory(settings(f"{scheme}://{host}:{container.port}"))
    assert CLIENTS[client](factory.speech_config()).error == ""
    assert container.keys == [None]
    route = factory.route()
    assert (route.kind, route.evidence) == (RouteKind.OTHER_HOST, None)
    assert route.sdk_kwargs() == {"host": f"{scheme}://{host}:{container.port}"}


def test_a_key_goes_to_an_allowed_host(container: Container) -> None:
    factory = SpeechConfigFactory(settings(f"http://localhost:{container.port}", key=KEY))
    CLIENTS["recognize_once"](factory.speech_config())
    assert container.keys == [KEY]


@pytest.mark.parametrize(
    ("endpoint", "allowed", "host"),
    [
        ("https://speech.example.com", "speech.example.com", "https://speech.example.com"),
        ("wss://a.b.example.com:8443/", "*.example.com", "wss://a.b.example.com:8443"),
        ("speech.example.com", "EXAMPLE.com", "https://speech.example.com"),
        ("https://[::1]:5000", "::1", "https://[::1]:5000"),
        ("http://[::1]:5000", "[::1]", "http://[::1]:5000"),
    ],
)
def test_an_allowed_host_may_have_these_forms(endpoint: str, allowed: str, host: str) -> None:
    route = SpeechConfigFactory(settings(endpoint, allowed, key=KEY)).route()
    assert route.sdk_kwargs("tts") == {"host": host}


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("https://speech.example.com", ""),
        ("https://speech.example.com", "example.org"),
        ("https://badexample.com", "example.com"),
        ("https://example.com.evil.net", "example.com"),
        ("https://my.cognitiveservices.azure.com.evil.net", "azure.com"),
        ("http://speech.example.com", "example.com"),
        ("ws://speech.example.com", "example.com"),
        ("http://localhost.example.com:5000", "example.com"),
        ("ftp://localhost", "localhost"),
        ("https://me:secret@speech.example.com", "example.com"),
        ("https://speech.example.com/stt", "example.com"),
        ("https://speech.example.com/?x=1", "example.com"),
        ("https://speech.example.com:x", "example.com"),
        ("http://localhost:5000", ""),
        ("sub.localhost", "localhost"),
        (r"https://evil.net\.example.com", "example.com"),
        ("https://evil.net%2f.example.com", "example.com"),
        ("https://evil.net .example.com", "example.com"),
        ("https://@example.com", "example.com"),
    ],
)
def test_no_other_host_gets_the_key(endpoint: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(endpoint, allowed, key=KEY)
    assert {problem.variable for problem in caught.value.problems} == {"SPEECH_ENDPOINT"}
    assert "secret" not in str(caught.value)


CUSTOM_DOMAIN = "my-speech.cognitiveservices.azure.com"
AZURE = {
    CUSTOM_DOMAIN: Resource(CUSTOM_DOMAIN, None),
    f"wss://{CUSTOM_DOMAIN.upper()}:443/": Resource(CUSTOM_DOMAIN, None),
    "https://my-speech.services.ai.azure.com/": Resource("my-speech.services.ai.azure.com", None),
    "my-speech.cognitiveservices.azure.us": Resource("my-speech.cognitiveservices.azure.us", None),
    "westeurope.api.cognitive.microsoft.com": Resource(None, "westeurope"),
    "westeurope.tts.speech.microsoft.com": Resource(None, "westeurope"),
    "chinaeast2.stt.speech.azure.cn": Resource(None, "chinaeast2"),
}


@pytest.mark.parametrize("endpoint", AZURE)
@pytest.mark.parametrize("depth", [2, 3, 9], ids=["parent", "suffix", "host"])
def test_a_host_of_azure_speech_is_the_resources_whatever_is_allowed(
    endpoint: str, depth: int
) -> None:
    host = str(urlsplit(endpoint if "://" in endpoint else f"//{endpoint}").hostname)
    allowed = ".".join(host.split(".")[-depth:])
    assert settings(endpoint, allowed, key=KEY).resource == AZURE[endpoint]


@pytest.mark.parametrize(
    "endpoint",
    [
        "my-speech.privatelink.cognitiveservices.azure.com",
        "usgovvirginia.api.cognitive.microsoft.com",
        "cognitiveservices.azure.com",
        f"http://{CUSTOM_DOMAIN}",
    ],
)
def test_what_is_wrong_with_a_host_of_azure_speech_stays_so(endpoint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(endpoint, "azure.com microsoft.com", key=KEY)
    assert {problem.variable for problem in caught.value.problems} == {"SPEECH_ENDPOINT"}


def test_other_hosts_of_azure_may_be_allowed() -> None:
    endpoint = "https://speech.westeurope.azurecontainer.io"
    assert settings(endpoint, "azurecontainer.io").resource.other_host == endpoint


@pytest.mark.parametrize("allowed", ["https://example.com", "example.com/x", "a b*", "é.com"])
def test_what_is_no_host_name_is_refused(allowed: str) -> None:
    with pytest.raises(SettingsError, match="SPEECH_ALLOW_HOSTS"):
        settings("speech.example.com", allowed, key=KEY)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"region": "westeurope"}, "beside westeurope"),
        ({"auth": "entra"}, "tokens are for Azure's own hosts"),
    ],
)
def test_a_host_of_ones_own_goes_with_nothing_of_azure(more: dict[str, str], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        settings("https://speech.example.com", "example.com", **more)


def test_check_shows_where_every_client_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECH_ENDPOINT", "http://localhost:5000")
    monkeypatch.setenv("SPEECH_ALLOW_HOSTS", "localhost")
    document = json.loads(run("check", "--json").stdout)
    assert document["settings"]["key"] is None
    (door,) = document["doors"]
    assert (door["client"], door["url"]) == ("every client", "http://localhost:5000")
    done = run("check")
    assert (done.returncode, "other host" in done.stdout) == (0, True)


def test_urls_of_azure_have_no_counterpart_there() -> None:
    route = SpeechConfigFactory(settings("http://localhost:5000")).route()
    with pytest.raises(UnsupportedUrl, match="localhost:5000"):
        route.url("wss://westeurope.stt.speech.microsoft.com/stt/speech/universal/v2")
    with pytest.raises(UnsupportedUrl):
        route.rest_url("tts", "cognitiveservices/voices/list")

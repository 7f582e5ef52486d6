"""The keyless question, asked over real TLS at a service on loopback that behaves oddly."""

from __future__ import annotations

import base64
import contextlib
import logging
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import pytest
import trustme

from slow_doors import Speak, drips, goes_on, waits
from speechroute._core.clouds import GOVERNMENT, PUBLIC, Cloud
from speechroute._core.service import ServiceAnswer
from speechroute._core.verdict import Decision
from speechroute._network.proxy import Proxy
from speechroute._network.service import ask_service

C = "contoso.cognitiveservices.azure.com"
TARGET = "/stt/speech/universal/v2?GenerateRedirectResponse=true"
PATH = "/stt/speech/universal/v2"
URL = f"https://westeurope.stt.speech.microsoft.com{PATH}"
LOCATION = f"Location: {URL}?Ocp-Apim-Custom-Domain-Name={C}\r\n"
PEER = "canary0123456789abcdef0123456789"
"""What no answer may be told with."""
LONG = 20.0
"""Seconds that no test waits for."""
NO_URL = "no answer: {} without a Speech URL of this cloud"


def says(text: bytes | str) -> Speak:
    data = text.encode() if isinstance(text, str) else text
    return lambda connection: connection.sendall(data)


CONNECTED = says("HTTP/1.1 200 Connection established\r\n\r\n")


def ends(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_WR)


def resets(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def http(status: int, body: str = "", headers: str = "") -> str:
    length = len(body.encode())
    return f"HTTP/1.1 {status} {PEER}\r\n{headers}Content-Length: {length}\r\n\r\n{body}"


@dataclass
class Service:
    """A proxy on loopback, and behind it the service, of which it is the only door.

    Attributes:
        context: of TLS.
        answer: to the question.
        proxy: how it answers ``CONNECT``; None if there is none on the way.
        handshake: in place of TLS.
        connects: what the proxy was asked.
        requests: what the service was asked, over TLS.
        port: of both.
    """

    context: ssl.SSLContext
    answer: Speak
    proxy: Speak | None = CONNECTED
    handshake: Speak | None = None
    connects: list[bytes] = field(default_factory=list)
    requests: list[bytes] = field(default_factory=list)
    port: int = 0

    def __enter__(self) -> Self:
        self._exit = contextlib.ExitStack()
        self._server = self._exit.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._server.getsockname()[1]
        thread = threading.Thread(target=self._serve, daemon=True)
        thread.start()
        self._exit.callback(thread.join)
        self._exit.callback(self._server.shutdown, socket.SHUT_RDWR)
        return self

    def __exit__(self, *_: object) -> None:
        self._exit.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:
                return
            connection.settimeout(60)
            with connection, contextlib.suppress(OSError):
                self._talk(connection)

    def _talk(self, connection: socket.socket) -> None:
        if self.proxy:
            self.connects.append(_head(connection))
            self.proxy(connection)
        if self.handshake:
            connection.recv(65536)  # what TLS begins with
            self.handshake(connection)
            return
        # Also after a proxy's refusal: nobody may come.
        with self.context.wrap_socket(connection, server_side=True) as secured:
            self._keep(_head(secured))
            self.answer(secured)
            # Not that of ``SSLSocket``, which could not read what comes then.
            socket.socket.shutdown(secured, socket.SHUT_WR)
            self._keep(secured.recv(65536))

    def _keep(self, heard: bytes) -> None:
        if heard:
            self.requests.append(heard)


def _head(connection: socket.socket) -> bytes:
    heard = b""
    while not heard.endswith(b"\r\n\r\n") and (more := connection.recv(65536)):
        heard += more
    return heard


@dataclass
class Asked:
    """What asking got, and what it did."""

    answer: ServiceAnswer
    connects: list[bytes]
    requests: list[bytes]
    log: str


Ask = Callable[..., Asked]


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def served_by(authority: trustme.CA, host: str = C) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context


@pytest.fixture(scope="module")
def context(authority: trustme.CA) -> ssl.SSLContext:
    return served_by(authority)


@pytest.fixture
def ask(
    authority: trustme.CA,
    context: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> Ask:
    """Asks a service that is trusted, and checks what holds whatever it does."""
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))

    def ask_it(
        answer: Speak | str | bytes,
        *,
        cloud: Cloud = PUBLIC,
        credentials: tuple[str, str] | None = None,
        seconds: float = LONG,
        **service: Any,
    ) -> Asked:
        caplog.clear()
        speak = says(answer) if isinstance(answer, str | bytes) else answer
        with Service(**{"context": context, "answer": speak, **service}) as served:
            if served.proxy:
                proxy = Proxy("127.0.0.1", served.port, *(credentials or ()))
            else:
                proxy = None
                lead_to(monkeypatch, served.port)
            with caplog.at_level(logging.DEBUG, logger="speechroute"):
                started = time.monotonic()
                told = ask_service(C, cloud, proxy, started + seconds)
                took = time.monotonic() - started
        assert 0 <= told.seconds <= took < 30
        assert len(served.connects) == (1 if served.proxy else 0)
        assert len(served.requests) <= 1
        return Asked(told, served.connects, served.requests, the_line(caplog, told))

    return ask_it


def the_line(caplog: pytest.LogCaptureFixture, told: ServiceAnswer) -> str:
    """The one line of the log."""
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("speechroute", logging.DEBUG)
    line = record.getMessage()
    assert line == f"Asked {C}: {told.seen}, in {told.seconds:.3f} s"
    assert PEER not in line
    return line


def lead_to(monkeypatch: pytest.MonkeyPatch, port: int) -> None:
    """The custom domain resolves to a port on loopback."""

    def look_up(host: str, asked_port: int, **_: object) -> list[tuple[Any, ...]]:
        assert (host, asked_port) == (C, 443)
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def names(head: bytes) -> dict[str, str]:
    """The headers of a request, by name in lower case."""
    lines = head.decode().removesuffix("\r\n\r\n").split("\r\n")[1:]
    pairs = [line.split(": ", 1) for line in lines]
    headers = {name.lower(): value for name, value in pairs}
    assert len(headers) == len(pairs)
    return headers


ANSWERS: dict[str, tuple[str | bytes, Decision | None, str | None, str]] = {
    **{
        f"{status} with a Location": (
            http(status, headers=LOCATION),
            Decision.REGIONAL,
            "westeurope",
            f"{status} with a URL of westeurope",
        )
        for status in (301, 302, 307, 308)
    },
    **{
        f"{status}": (http(status, URL, LOCATION), decision, None, f"{status}")
        for status, decision in (
            (404, Decision.REGIONAL),
            (400, Decision.PRIVATE_ENDPOINT),
            (401, Decision.PRIVATE_ENDPOINT),
            (426, Decision.PRIVATE_ENDPOINT),
        )
    },
    **{
        f"{status}": (http(status, URL, LOCATION), None, None, f"no answer: {status}")
        for status in (201, 303, 403, 405, 407, 410, 421, 429, 500, 502, 503, 504)
    },
    "101": (f"HTTP/1.1 101 X\r\n{LOCATION}\r\n", None, None, "no answer: 101"),
    "204": (f"HTTP/1.1 204 X\r\n{LOCATION}\r\n", None, None, "no answer: 204"),
    **{
        f"200 with {what}": (
            text,
            Decision.REGIONAL,
            "westeurope",
            "200 with a URL of westeurope",
        )
        for what, text in {
            "a URL": http(200, URL),
            "a URL in quotes": http(200, f'"{URL}"\n'),
            "a URL in chunks": "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
            f"5\r\n{URL[:5]}\r\n{len(URL) - 5:x}\r\n{URL[5:]}\r\n0\r\n\r\n",
            "a URL until the end": f"HTTP/1.0 200 X\r\n\r\n{URL}",
            # As http.client: such a length counts as none.
            "a URL and a negative length": f"HTTP/1.1 200 X\r\nContent-Length: -5\r\n\r\n{URL}",
            "a URL after 100": f"HTTP/1.1 100 X\r\n\r\n{http(200, URL)}",
        }.items()
    },
    **{
        f"200 with {what}": (http(200, body), None, None, NO_URL.format(200))
        for what, body in {
            "nothing": "",
            "a page": f"<html><a href='{URL}'>{PEER}, sign in</a></html>",
            "another cloud": f"https://usgovvirginia.stt.speech.azure.us{PATH}",
            "the custom domain": f"https://{C}{PATH}",
            "elsewhere": f"https://{PEER}.example/",
            "a look-alike": f"https://westeurope.stt.speech.microsoft.com.example{PATH}",
            "user info": f"https://me:{PEER}@westeurope.stt.speech.microsoft.com{PATH}",
            "another port": f"https://westeurope.stt.speech.microsoft.com:8443{PATH}",
            "another scheme": URL.replace("https", "http"),
        }.items()
    },
    "200 with no UTF-8": (
        b"HTTP/1.1 200 X\r\nContent-Length: 4\r\n\r\n\xff\xfe\xc0\xaf",
        None,
        None,
        NO_URL.format(200),
    ),
    "200 with a URL and no UTF-8": (
        f"HTTP/1.0 200 X\r\n\r\n{URL}".encode() + b"\xff",
        None,
        None,
        NO_URL.format(200),
    ),
    **{
        f"307 to {what}": (
            http(307, URL, f"Location: {location}\r\n").encode("latin-1"),
            None,
            None,
            NO_URL.format(307),
        )
        for what, location in {
            "another cloud": f"https://usgovvirginia.stt.speech.azure.us{PATH}",
            "the same place": f"https://{C}{TARGET}",
            "a path": TARGET,
            "elsewhere": f"https://127.0.0.1/{PEER}",
            "a look-alike": f"https://westeurope.stt.speech.microsoft.com.example{PATH}",
            "user info": f"https://me:{PEER}@westeurope.stt.speech.microsoft.com{PATH}",
            "another port": f"https://westeurope.stt.speech.microsoft.com:80{PATH}",
            "another scheme": URL.replace("https", "http"),
            "no ASCII": f"{URL}\xff",
            "two lines": f"{URL}\r\n /x",
            "two places": f"{URL}\r\nLocation: {URL}",
        }.items()
    },
    "307 without a Location": (http(307, URL), None, None, NO_URL.format(307)),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_what_the_service_answers(ask: Ask, case: str) -> None:
    sent, decision, region, seen = ANSWERS[case]
    asked = ask(sent)
    assert asked.answer[:3] == (decision, region, seen)
    assert len(asked.requests) == 1


def test_a_host_of_the_resource_s_own_cloud_counts(ask: Ask) -> None:
    government = f"https://usgovvirginia.stt.speech.azure.us{PATH}"
    assert ask(http(200, government), cloud=GOVERNMENT).answer.region == "usgovvirginia"
    assert ask(http(200, URL), cloud=GOVERNMENT).answer[:2] == (None, None)


SENT = {
    "accept": "*/*",
    "accept-encoding": "identity",
    "connection": "close",
    "host": C,
    "user-agent": "speechroute",
}
"""All that the service gets to see: no credential of any kind."""


@pytest.mark.parametrize("credentials", [None, ("me", PEER)], ids=["no user", "a user"])
def test_only_the_proxy_sees_its_credentials(
    ask: Ask, credentials: tuple[str, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SPEECH_KEY", "AZURE_SPEECH_KEY"):
        monkeypatch.setenv(name, PEER)
    asked = ask(http(401), credentials=credentials)
    (connect,), (request,) = asked.connects, asked.requests
    assert connect.startswith(f"CONNECT {C}:443 HTTP/1.1\r\n".encode())
    expected = {"host": f"{C}:443"}
    if credentials:
        basic = base64.b64encode(f"me:{PEER}".encode()).decode()
        expected["proxy-authorization"] = f"Basic {basic}"
    headers = names(connect)
    assert {name: headers[name] for name in expected} == expected
    assert set(headers) - set(expected) <= {"accept-encoding"}
    assert request.startswith(f"GET {TARGET} HTTP/1.1\r\n".encode())
    assert names(request) == SENT


def test_without_a_proxy_the_host_itself_is_asked(ask: Ask) -> None:
    asked = ask(http(307, headers=LOCATION), proxy=None)
    assert asked.answer[:2] == (Decision.REGIONAL, "westeurope")
    (request,) = asked.requests
    assert names(request) == SENT


CHUNKED = "HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
LARGE = b" " * 10_000_000
TOO_LARGE = {
    "10 MB": (says(http(200, URL).encode() + LARGE), Decision.REGIONAL),
    "10 MB with their length": (says(http(200, URL + LARGE.decode())), None),
    "10 MB until the end": (says(f"HTTP/1.0 200 X\r\n\r\n{URL}".encode() + LARGE), None),
    "10 MB in a chunk": (says(f"{CHUNKED}989680\r\n{URL}".encode() + LARGE), None),
    "10 MB with 404": (says(http(404, LARGE.decode())), None),
    "body without end": (goes_on(f"HTTP/1.0 200 X\r\n\r\n{URL}".encode(), b" " * 1000), None),
    "chunks without end": (goes_on(CHUNKED.encode(), b"1\r\n \r\n" * 200), None),
    "header without end": (goes_on(b"HTTP/1.1 404 X\r\nX: ", b"x" * 1000), None),
    "headers without end": (goes_on(b"HTTP/1.1 404 X\r\n", b"X: y\r\n" * 200), None),
    "status without end": (goes_on(b"HTTP/1.1 404 ", b"x" * 1000), None),
    "100 without end": (goes_on(b"", b"HTTP/1.1 100 X\r\n\r\n" * 60), None),
}


@pytest.mark.parametrize("case", TOO_LARGE)
def test_a_few_kilobytes_are_read_at_most(
    ask: Ask, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[int] = []
    receive = ssl.SSLSocket.recv_into

    def counted(self: ssl.SSLSocket, *args: Any) -> int:
        count = receive(self, *args)
        read.append(count)
        return count

    monkeypatch.setattr(ssl.SSLSocket, "recv_into", counted)
    answer, decision = TOO_LARGE[case]
    asked = ask(answer)
    assert asked.answer.decision is decision
    assert asked.answer.seen.startswith("200 with" if decision else "no answer: no usable HTTP (")
    assert 0 < sum(read) <= 8192


BROKEN = {
    "no HTTP": (says(f"\x1b[31m{PEER}\r\n\r\n"), "no usable HTTP (BadStatusLine)"),
    "nothing": (says(""), "no usable HTTP (RemoteDisconnected)"),
    "body cut off": (
        says(f"HTTP/1.1 404 X\r\nContent-Length: 9\r\n\r\n{'x' * 8}"),
        "no usable HTTP (IncompleteRead)",
    ),
    "chunk cut off": (says(f"{CHUNKED}fff\r\n{URL}"), "no usable HTTP (IncompleteRead)"),
    "chunks cut off": (
        says(f"{CHUNKED}{len(URL):x}\r\n{URL}\r\n"),
        "no usable HTTP (IncompleteRead)",
    ),
    "no chunks": (says(f"{CHUNKED}{URL}"), "no usable HTTP (IncompleteRead)"),
    "negative chunk": (says(f"{CHUNKED}-5\r\n{URL}\r\n0\r\n\r\n"), "ValueError"),
    "chunk of -1": (
        says(f"{CHUNKED}-1\r\n{URL}\r\n0\r\n\r\n"),
        "no usable HTTP (IncompleteRead)",
    ),
}
BROKEN_BEFORE_TLS = {
    "no TLS": (says(http(404)), "TLS failed (WRONG_VERSION_NUMBER)"),
    "end": (ends, "TLS failed (UNEXPECTED_EOF_WHILE_READING)"),
    "reset": (resets, "cut off"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_breaks_off_is_no_answer(ask: Ask, case: str) -> None:
    answer, why = BROKEN[case]
    asked = ask(answer)
    assert asked.answer[:3] == (None, None, f"no answer: {why}")
    assert len(asked.requests) == 1


def test_a_reset_is_no_answer(ask: Ask) -> None:
    asked = ask(resets)
    # OpenSSL may tell it as an end (measured).
    why = ("cut off", "no usable HTTP (RemoteDisconnected)")
    assert asked.answer[:2] == (None, None)
    assert asked.answer.seen in [f"no answer: {words}" for words in why]
    assert len(asked.requests) == 1


@pytest.mark.parametrize("proxy", [CONNECTED, None], ids=["proxy", "direct"])
@pytest.mark.parametrize("case", BROKEN_BEFORE_TLS)
def test_what_is_no_tls_is_no_answer(ask: Ask, case: str, proxy: Speak | None) -> None:
    handshake, why = BROKEN_BEFORE_TLS[case]
    asked = ask(http(404), handshake=handshake, proxy=proxy)
    assert asked.answer[:3] == (None, None, f"no answer: {why}")


@pytest.mark.parametrize(
    "boundary",
    ["boundary*=a; boundary*0=b", "boundary*=undefined'x'%ff", "boundary*0*=a\0b'x'c"],
)
def test_a_header_that_python_fails_at_raises_nothing(ask: Ask, boundary: str) -> None:
    headers = f"Content-Type: multipart/x; {boundary}\r\n"
    assert ask(http(403, headers=headers)).answer.decision is None


UNTRUSTED: dict[str, Callable[[trustme.CA], ssl.SSLContext]] = {
    "another authority": lambda _: served_by(trustme.CA()),
    "another name": lambda authority: served_by(authority, "fabrikam.example"),
}


@pytest.mark.parametrize("proxy", [CONNECTED, None], ids=["proxy", "direct"])
@pytest.mark.parametrize("case", UNTRUSTED)
def test_nothing_is_asked_of_whom_nobody_vouches_for(
    ask: Ask, authority: trustme.CA, case: str, proxy: Speak | None
) -> None:
    asked = ask(http(404), context=UNTRUSTED[case](authority), proxy=proxy)
    assert asked.answer[:3] == (None, None, "no answer: TLS failed (CERTIFICATE_VERIFY_FAILED)")
    assert asked.requests == []


@pytest.mark.parametrize("credentials", [None, ("me", PEER)], ids=["no user", "a user"])
@pytest.mark.parametrize("status", [302, 307, 400, 401, 403, 404, 407, 426, 502])
def test_what_a_proxy_answers_is_not_the_service_s(
    ask: Ask, status: int, credentials: tuple[str, str] | None
) -> None:
    refusal = says(http(status, URL, LOCATION))
    asked = ask(http(404), proxy=refusal, credentials=credentials)
    assert asked.answer[:3] == (None, None, f"no answer: at the proxy: status {status}")
    assert asked.requests == []


BROKEN_PROXIES = {
    "nothing": (ends, "no usable HTTP (RemoteDisconnected)"),
    "no HTTP": (says(f"SSH-2.0-{PEER}\r\n\r\n"), "no usable HTTP (BadStatusLine)"),
    "reset": (resets, "cut off"),
    "header without end": (
        goes_on(b"HTTP/1.1 200 X\r\nX: ", b"x" * 1000),
        "no usable HTTP (LineTooLong)",
    ),
    "headers without end": (
        goes_on(b"HTTP/1.1 200 X\r\n", b"X: y\r\n" * 200),
        "no usable HTTP (HTTPException)",
    ),
    "a header that Python fails at": (
        says(http(502, headers="Content-Type: multipart/x; boundary*=undefined'x'%ff\r\n")),
        "",
    ),
}


@pytest.mark.parametrize("case", BROKEN_PROXIES)
def test_a_broken_proxy_is_no_answer(ask: Ask, case: str) -> None:
    proxy, why = BROKEN_PROXIES[case]
    asked = ask(http(404), proxy=proxy)
    assert asked.answer[:2] == (None, None)
    assert asked.answer.seen.startswith(f"no answer: at the proxy: {why}")
    assert asked.requests == []


def drips_in_a_record(connection: socket.socket) -> None:
    """Drips one record of TLS, of which nothing can be read before it is whole."""
    with socket.socket(fileno=connection.detach()) as bare:
        drips(b"\x17\x03\x03\x40\x00")(bare)


@dataclass
class Slow:
    """A service that keeps its clients waiting, and what it was asked by then."""

    requests: int
    answer: Speak = waits
    proxy: Speak | None = CONNECTED
    handshake: Speak | None = None
    at: str = ""


SLOW = {
    "proxy says nothing": Slow(0, proxy=waits, at="at the proxy: "),
    "proxy drips": Slow(0, proxy=drips(b"HTTP/1.1 200 X\r\nX: "), at="at the proxy: "),
    "no handshake": Slow(0, handshake=waits, proxy=None),
    "handshake drips": Slow(0, handshake=drips(b"\x16\x03\x03\x40\x00")),
    "no answer": Slow(1),
    "headers drip": Slow(1, answer=drips(b"HTTP/1.1 404 X\r\nX: ")),
    "body drips": Slow(1, answer=drips(b"HTTP/1.1 404 X\r\nContent-Length: 9999\r\n\r\n")),
    "chunk drips": Slow(1, answer=drips(f"{CHUNKED}fff\r\n{URL}".encode())),
    "record drips": Slow(1, answer=drips_in_a_record),
    "negative length, body drips": Slow(
        1, answer=drips(f"HTTP/1.1 200 X\r\nContent-Length: -5\r\n\r\n{URL}?".encode())
    ),
}


@pytest.mark.parametrize("case", SLOW)
def test_the_deadline_holds(ask: Ask, case: str) -> None:
    slow = SLOW[case]
    for seconds in (0.15, 15):  # the longer one where this machine is too slow to come so far
        asked = ask(slow.answer, proxy=slow.proxy, handshake=slow.handshake, seconds=seconds)
        assert asked.answer[:2] == (None, None)
        if len(asked.requests) == slow.requests:
            break
    assert asked.answer.seen == f"no answer: {slow.at}no answer in time"
    assert len(asked.requests) == slow.requests


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses, and that nobody else gets meanwhile."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.mark.parametrize("is_direct", [True, False], ids=["direct", "proxy"])
def test_a_port_that_refuses_is_no_answer(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    closed_port: int,
    is_direct: bool,
) -> None:
    if is_direct:
        lead_to(monkeypatch, closed_port)
    proxy = None if is_direct else Proxy("127.0.0.1", closed_port, "me", PEER)
    with caplog.at_level(logging.DEBUG, logger="speechroute"):
        told = ask_service(C, PUBLIC, proxy, time.monotonic() + LONG)
    at = "" if is_direct else "at the proxy: "
    assert told[:3] == (None, None, f"no answer: {at}refused")
    the_line(caplog, told)


def test_a_name_that_does_not_resolve_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, PEER)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with caplog.at_level(logging.DEBUG, logger="speechroute"):
        told = ask_service(C, PUBLIC, None, time.monotonic() + LONG)
    assert told[:3] == (None, None, "no answer: the name does not resolve")
    the_line(caplog, told)


@pytest.mark.parametrize("host", [f"{'a' * 64}.example", "a..example"])
def test_a_name_that_cannot_be_asked_for_is_no_answer(host: str) -> None:
    told = ask_service(host, PUBLIC, None, time.monotonic() + LONG)
    assert told[:3] == (None, None, "no answer: UnicodeError")


def test_nobody_is_asked_after_the_deadline(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, context: ssl.SSLContext
) -> None:
    with Service(context, says(http(404)), proxy=None) as served:
        lead_to(monkeypatch, served.port)
        with caplog.at_level(logging.DEBUG, logger="speechroute"):
            told = ask_service(C, PUBLIC, None, time.monotonic())
    assert told[:3] == (None, None, "no answer: no answer in time")
    assert served.requests == []
    the_line(caplog, told)

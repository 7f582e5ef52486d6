"""One request to doors that behave oddly."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from slow_doors import Speak, drips
from speechroute._core.answer import Stage
from speechroute._network.probe import ask
from speechroute._network.proxy import Proxy

KEY = "canary0123456789abcdef0123456789"


@contextmanager
def door(answer: bytes | Speak) -> Iterator[int]:
    """Answers each connection with these bytes, or so, whatever it is asked."""

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.recv(65536)
                if isinstance(answer, bytes):
                    connection.sendall(answer)
                else:
                    answer(connection)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


ODD = {
    "a key in the redirect": (
        f"HTTP/1.1 307 X\r\nLocation: https://h.example/?k={KEY}\r\nContent-Length: 0\r\n\r\n",
        (307, "", "h.example"),
    ),
    "a redirect to nowhere": (
        "HTTP/1.1 307 X\r\nLocation: https://[bad/\r\nContent-Length: 0\r\n\r\n",
        (307, "", ""),
    ),
    "a date that never comes": (
        "HTTP/1.1 401 X\r\nDate: Mon, 01 Jan 99999999999999999999 00:00:00 GMT\r\n\r\n",
        (401, "", ""),
    ),
    "a date that is none": ("HTTP/1.1 401 X\r\nDate: soon\r\n\r\n", (401, "", "")),
    "HTTP/1.0": ("HTTP/1.0 401 X\r\n\r\n", (401, "", "")),
    "no HTTP": (f"\x1b[31m{KEY}\r\n\r\n", (None, "no usable HTTP (BadStatusLine)", "")),
    "nothing": ("", (None, "no usable HTTP (RemoteDisconnected)", "")),
    "too long a header": (
        f"HTTP/1.1 401 X\r\nX: {'x' * 100_000}\r\n\r\n",
        (None, "no usable HTTP (LineTooLong)", ""),
    ),
}


@pytest.mark.parametrize("case", ODD)
def test_an_odd_answer_is_told_in_our_own_words(case: str) -> None:
    sent, expected = ODD[case]
    with door(sent.encode()) as port:
        answer = ask(f"http://127.0.0.1:{port}/", None, time.monotonic() + 20)
    assert (answer.status, answer.failure, answer.leads_to) == expected
    assert answer.stage is Stage.HTTP
    assert KEY not in repr(answer)


@pytest.mark.parametrize(
    "boundary",
    ["boundary*=a; boundary*0=b", "boundary*=undefined'x'%ff", "boundary*0*=a\0b'x'c"],
)
def test_a_header_that_python_fails_at_is_told_too(boundary: str) -> None:
    head = f"HTTP/1.1 401 X\r\nContent-Type: multipart/x; {boundary}\r\n\r\n"
    with door(head.encode()) as port:
        answer = ask(f"http://127.0.0.1:{port}/", None, time.monotonic() + 20)
    # Or it reads them, in versions to come.
    assert (answer.status, answer.failure) in [(None, "no usable HTTP (HTTPException)"), (401, "")]


def test_what_a_proxy_says_beside_its_status_is_not_told() -> None:
    with door(f"HTTP/1.1 407 me:{KEY}\r\n\r\n".encode()) as port:
        proxy = Proxy("127.0.0.1", port, "me", KEY)
        answer = ask("https://westeurope.stt.speech.microsoft.com/", proxy, time.monotonic() + 20)
    assert (answer.stage, answer.failure) == (Stage.PROXY, "status 407")
    assert KEY not in repr(answer)


def test_a_door_without_tls_fails_there() -> None:
    with door(b"HTTP/1.1 400 no TLS here\r\n\r\n") as port:
        answer = ask(f"https://127.0.0.1:{port}/", None, time.monotonic() + 20)
    assert answer.stage is Stage.TLS
    assert answer.failure.startswith("TLS failed")


DRIPPING = {
    "CONNECT": (Stage.PROXY, b"HTTP/1.1 200 X\r\nX: "),
    "TLS": (Stage.TLS, b"\x16\x03\x03\x40\x00"),
    "HTTP": (Stage.HTTP, b"HTTP/1.1 401 X\r\nX: "),
}


@pytest.mark.parametrize("what", DRIPPING)
def test_a_byte_at_a_time_does_not_put_off_the_deadline(what: str) -> None:
    stage, begun = DRIPPING[what]
    with door(drips(begun)) as port:
        scheme = "http" if stage is Stage.HTTP else "https"
        proxy = Proxy("127.0.0.1", port) if stage is Stage.PROXY else None
        started = time.monotonic()
        answer = ask(f"{scheme}://127.0.0.1:{port}/", proxy, started + 0.2)
        seconds = time.monotonic() - started
    assert (answer.stage, answer.failure) == (stage, "no answer in time")
    assert seconds < 30

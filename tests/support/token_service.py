"""A token service on loopback: the App Service managed identity endpoint of azure-identity."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

HEADER = "the-identity-header"


class TokenService:
    """Issues tokens, and remembers for which audience.

    Args:
        accept: called with each token that is issued.
        life: of tokens, seconds.
    """

    def __init__(self, accept: set[str], life: float) -> None:
        self.accept, self.life = accept, life
        self.resources: list[str] = []
        self.issued = threading.Condition()
        self.fails = False
        self.port = 0

    @property
    def environment(self) -> dict[str, str]:
        """What makes azure-identity's managed identity ask here."""
        url = f"http://127.0.0.1:{self.port}/token"
        return {"IDENTITY_ENDPOINT": url, "IDENTITY_HEADER": HEADER}

    def answer(self, path: str, header: str | None) -> tuple[int, dict[str, object]]:
        if self.fails or header != HEADER:
            return 400, {"error": "invalid_request", "error_description": "not now"}
        resource = parse_qs(urlsplit(path).query)["resource"][0]
        token = f"canary-token-{secrets.token_hex(16)}"
        with self.issued:
            self.accept.add(token)
            self.resources.append(resource)
            self.issued.notify_all()
        return 200, {
            "access_token": token,
            "expires_on": str(int(time.time() + self.life)),
            "resource": resource,
            "token_type": "Bearer",
        }

    def wait(self, count: int) -> None:
        with self.issued:
            assert self.issued.wait_for(lambda: len(self.resources) >= count, 60)


@contextmanager
def token_service(accept: set[str], life: float = 3600) -> Iterator[TokenService]:
    """Serve on a free port."""
    service = TokenService(accept, life)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = service.answer(self.path, self.headers["X-IDENTITY-HEADER"])
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        service.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield service
        server.shutdown()

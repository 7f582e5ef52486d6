"""The Speech SDK's WebSocket messages: headers and a body, as text or binary.

Measured with azure-cognitiveservices-speech 1.53.0.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Text messages carry JSON (or SSML), binary ones audio."""

    path: str
    request_id: str
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    binary: bool = False

    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str:
        return next((v for k, v in self.headers if k.lower() == name.lower()), "")

    def encode(self) -> str | bytes:
        pairs = (("X-RequestId", self.request_id), ("Path", self.path), *self.headers)
        head = "".join(f"{name}:{value}\r\n" for name, value in pairs)
        if self.binary:
            return len(head).to_bytes(2, "big") + head.encode() + self.body
        return f"{head}\r\n{self.body.decode()}"


def reply(path: str, request_id: str, body: object) -> Message:
    """A text message from the service, with a JSON body."""
    content = (("Content-Type", "application/json; charset=utf-8"),)
    return Message(path, request_id, json.dumps(body).encode(), content)


def decode(data: str | bytes) -> Message:
    """Read a message of the client.

    Raises:
        ValueError: the bytes are no such message.
    """
    if isinstance(data, str):
        head, _, text = data.partition("\r\n\r\n")
        body = text.encode()
    else:
        length = int.from_bytes(data[:2], "big")
        if len(data) < 2 + length:
            raise ValueError("binary message is shorter than its header length says")
        head, body = data[2 : 2 + length].decode(), data[2 + length :]
    headers = tuple(
        (name.strip(), value.strip())
        for name, colon, value in (line.partition(":") for line in head.split("\r\n"))
        if colon
    )
    fields = {name.lower(): value for name, value in headers}
    if "path" not in fields:
        raise ValueError("message has no Path header")
    return Message(
        fields["path"].lower(),
        fields.get("x-requestid", ""),
        body,
        headers,
        binary=not isinstance(data, str),
    )

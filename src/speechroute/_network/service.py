"""`ask_service()`: the keyless question which door a resource answers at, asked at one of them."""

from __future__ import annotations

import contextlib
import http.client
import logging
import ssl
import time

from .._core.clouds import Cloud
from .._core.service import ServiceAnswer, no_answer, read_answer
from .line import Line, words
from .proxy import Proxy

_log = logging.getLogger("speechroute")

_TARGET = "/stt/speech/universal/v2?GenerateRedirectResponse=true"
"""As Microsoft's JavaScript SDK asks (public code, since 2025-05: AZ-ORACLE-KEYLESS)."""
_HEADERS = {"Accept": "*/*", "Connection": "close", "User-Agent": "speechroute"}
_MOST = 8192
"""Bytes of an answer that are read. A URL is not longer than a tenth of it."""
_PORT = 443


def ask_service(
    custom_domain: str, cloud: Cloud, proxy: Proxy | None, deadline: float
) -> ServiceAnswer:
    """Ask the service at the custom domain, once. Blocks; raises nothing for what the network does.

    One GET over TLS, sent only if the certificate is trusted, without a credential. No redirect is
    followed, and 8 kB of the answer are read at most.

    Args:
        custom_domain: a host name of Azure Speech.
        cloud: of the resource; hosts of others are not believed.
        proxy: leads there. Only it gets the credentials of its own setting.
        deadline: on the monotonic clock. It holds for everything but ``getaddrinfo``.
    """
    started = time.monotonic()
    with contextlib.closing(Line(custom_domain, _PORT, proxy, deadline)) as line:
        try:
            answer = _ask(line, cloud)
        except (OSError, http.client.HTTPException, ValueError) as error:
            # ValueError: a name that cannot be asked for, a length that is negative.
            at = "" if line.is_open else "at the proxy: " if proxy else ""
            answer = no_answer(f"{at}{words(error)}")
    answer = answer._replace(seconds=time.monotonic() - started)
    _log.debug("Asked %s: %s, in %.3f s", custom_domain, answer.seen, answer.seconds)
    return answer


def _ask(line: Line, cloud: Cloud) -> ServiceAnswer:
    line.open()
    line.secure(ssl.create_default_context())
    response = line.request("GET", _TARGET, _HEADERS, most=_MOST)
    body = response.read(_MOST)
    if response.length:
        raise http.client.IncompleteRead(body, response.length)
    return read_answer(response.status, response.getheader("Location", ""), body, cloud)

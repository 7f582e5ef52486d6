"""Which proxy a connection goes through.

The SDK itself ignores ``HTTPS_PROXY`` (measured, 1.53: SDK-NO-PROXY-FROM-ENVIRONMENT).
"""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import unquote

from .._core.addresses import is_loopback
from .._core.errors import Problem, SettingsError
from .._settings.parsers import split_proxy


class Proxy(NamedTuple):
    """An HTTP proxy, in the arguments of the SDK's ``set_proxy``."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None

    def __repr__(self) -> str:
        """Without the credentials."""
        return f"Proxy({self})"

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def resolves_names(setting: str) -> bool:
    """Whether a proxy was named outright, so that it, not this system, resolves host names."""
    return setting not in ("env", "none")


def is_of_environment(setting: str) -> bool:
    """Whether the environment names the proxy, which is passed by for hosts in this network."""
    return setting == "env" and bool(environment_proxy())


class Choice(NamedTuple):
    """The proxy for a connection, if any, and why."""

    proxy: Proxy | None
    reason: str


def choose_proxy(setting: str, host: str, *, is_direct: bool) -> Choice:
    """The proxy for a connection to ``host``.

    Args:
        setting: the value of ``SPEECH_PROXY``: ``env``, ``none`` or a URL.
        host: where the connection goes.
        is_direct: the host has a private address in this network. A proxy of the environment
            is outside that network and is passed by; one that was named outright is not.

    Raises:
        SettingsError: the environment names a proxy that the SDK cannot speak to.
    """
    if setting == "none":
        return Choice(None, "SPEECH_PROXY=none")
    if is_loopback(host):
        # Elsewhere this name is another machine, and what goes there need not be encrypted.
        return Choice(None, "the host is this machine")
    if resolves_names(setting):
        return Choice(_proxy_at(setting), "SPEECH_PROXY names it")
    if not environment_proxy():
        return Choice(None, "HTTPS_PROXY is not set")
    if is_direct:
        return Choice(None, "the host is in this network, HTTPS_PROXY leads out of it")
    # Imported here: it is a fifth of the library's own import time, and most set no proxy.
    import urllib.request

    if urllib.request.proxy_bypass(host):
        return Choice(None, "NO_PROXY covers the host")
    proxy = _proxy_at(environment_proxy())
    if proxy is None:
        raise SettingsError.of(
            Problem(
                "HTTPS_PROXY",
                "a URL that the SDK cannot use",
                "a URL like http://proxy.example:8080",
                "the SDK speaks HTTP to a proxy and needs its port: correct it, or set "
                "SPEECH_PROXY to another URL or to none",
            )
        )
    return Choice(proxy, "HTTPS_PROXY names it")


def environment_proxy() -> str:
    """The URL in ``HTTPS_PROXY``, or what the system says instead; empty if there is none."""
    import urllib.request

    url = urllib.request.getproxies().get("https", "")
    return f"http://{url}" if url and "://" not in url else url


def _proxy_at(url: str) -> Proxy | None:
    parts = split_proxy(url)
    if parts is None or parts.hostname is None or parts.port is None:
        return None
    username, password = parts.username, parts.password
    return Proxy(
        parts.hostname,
        parts.port,
        unquote(username) if username else None,
        unquote(password) if password else None,
    )

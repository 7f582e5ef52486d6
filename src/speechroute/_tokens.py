"""`Tokens`: Microsoft Entra tokens for one resource, in the two forms that the SDK takes.

The SDK asks a ``TokenCredential`` itself where the endpoint is a custom domain, always for the
public cloud's audience. With a region it takes one text, and never asks again (measured, 1.53).
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import inspect
import json
import logging
import os
import threading
import time
import weakref
from typing import Any, NamedTuple, TypeVar, cast

from azure.core.exceptions import AzureError

from ._clouds import CHINA, GOVERNMENT, Cloud
from .errors import Problem, SettingsError, TokenUnavailable

C = TypeVar("C")

_log = logging.getLogger("speechroute")

_UNKNOWN_LIFE_S = 600.0
"""Taken for the life of a token that does not tell it, seconds."""
_SHORTEST_WAIT_S = 1.0
_TICK_S = 0.05
_LONGEST_WAIT_S = 3600.0
_LATEST_S = 1e11
"""Times after this are no seconds since 1970 (milliseconds, for example)."""
_RETRY_S = 10.0
"""Between two tries to get a token from a credential that fails, seconds."""
_AUTHORITIES = {
    GOVERNMENT.name: "login.microsoftonline.us",
    CHINA.name: "login.chinacloudapi.cn",
}
"""Where `DefaultAzureCredential` gets tokens outside the public cloud (documented, 2026-06)."""


def scope_of(cloud: Cloud) -> str:
    """The audience of a cloud's Speech resources.

    Documented for the public cloud; the same scheme is assumed for the other two.
    """
    return f"https://{cloud.custom_domain_suffixes[0]}/.default"


class Token(NamedTuple):
    """A token, in the form of ``azure.core.credentials.AccessToken``.

    Attributes:
        token: the secret.
        expires_on: seconds since 1970.
    """

    token: str
    expires_on: int

    def __repr__(self) -> str:
        return f"Token(expires_on={self.expires_on})"


class GivenToken(NamedTuple):
    """A token as text, which whoever passed it renews.

    Attributes:
        text: the token, alone or in a region's form ``aad#{resource id}#{token}``.
        resource_id: makes the region's form of a Microsoft Entra token; None: it has its form.
    """

    text: str
    resource_id: str | None

    def __repr__(self) -> str:
        return f"GivenToken(resource_id={self.resource_id!r})"

    def authorization(self, *, is_custom_domain: bool) -> str:
        """What a door takes for it."""
        token = self.text.rpartition("#")[2]
        if is_custom_domain:
            return token
        return f"aad#{self.resource_id}#{token}" if self.resource_id else self.text


class Tokens:
    """Gets tokens from a credential, and keeps the SDK's objects supplied with them.

    A ``TokenCredential`` itself, for the audience of its cloud whatever it is asked for.

    Args:
        credential: a ``TokenCredential``, or a callable that returns a token: a text, or an
            object with ``token`` and ``expires_on``. None: azure-identity's
            ``DefaultAzureCredential``, made when a token is first needed.
        cloud: the cloud of the resource.
        resource_id: the resource's id, for tokens that go to a region.
    """

    def __init__(self, credential: Any, cloud: Cloud, resource_id: str | None) -> None:
        if inspect.iscoroutinefunction(getattr(credential, "get_token", credential)):
            raise TypeError(
                "the credential is one for asyncio, which the SDK cannot call: pass the one of "
                "the same name from azure.identity instead of azure.identity.aio"
            )
        if not callable(getattr(credential, "get_token", credential)) and credential is not None:
            raise TypeError(
                f"a {type(credential).__name__} is no credential: pass an AzureKeyCredential, a "
                "TokenCredential or a callable that returns a token"
            )
        self._credential = credential
        self._cloud = cloud
        self.resource_id = resource_id
        self._token: Token | None = None
        self._renew_at = 0.0
        self._failed: tuple[float, TokenUnavailable | None] = 0.0, None
        self._clients: set[weakref.ref[Any]] = set()
        import queue  # here: most programs have a key

        self._gone: queue.SimpleQueue[weakref.ref[Any]] = queue.SimpleQueue()
        self._empty = queue.Empty
        self.reset()
        _all.add(self)

    def reset(self) -> None:
        """Begin anew with locks and thread; after ``fork`` those of the parent are gone."""
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self._is_refreshing = False

    def get_token(self, *_scopes: str, **_options: Any) -> Token:
        """What the SDK calls; asks the credential, which keeps a cache of its own.

        Raises:
            AzureError: the credential gave no token. The SDK catches no other.
        """
        try:
            return self._ask()
        except TokenUnavailable as error:
            failure = AzureError(str(error))
        raise failure

    def authorization(self) -> str:
        """What a region takes for a token; asked anew after half of the token's life.

        One caller asks at a time. The others get the token that is there as long as it is valid,
        and so does everybody while the credential fails.

        Raises:
            TokenUnavailable: there is no valid token, and the credential gave none.
        """
        current, began = self._valid(), time.monotonic()
        if current is None:
            with self._asking:
                current = self._renewed(began)
        elif time.time() >= self._renew_at and self._asking.acquire(blocking=False):
            try:
                current = self._renewed(began)
            finally:
                self._asking.release()
        return self._text(current)

    def _valid(self) -> Token | None:
        token = self._token
        return token if token and time.time() < token.expires_on else None

    def _text(self, token: Token) -> str:
        return f"aad#{self.resource_id}#{token.token}"

    def _renewed(self, began: float) -> Token:
        """A new token, for all live clients too; the one that is there if it is new or valid."""
        current = self._valid()
        if current and time.time() < self._renew_at:
            return current
        failed_at, failure = self._failed
        if current is None and failure and failed_at >= began:
            # Another caller was told so while this one waited.
            raise copy.copy(failure)
        try:
            token = self._ask()
        except TokenUnavailable as error:
            self._renew_at = time.time() + _RETRY_S
            if current is None:
                self._failed = time.monotonic(), copy.copy(error)
                raise
            _log.warning("The last token is kept, and runs out if this goes on: %s", error)
            return current
        left = max(0.0, token.expires_on - time.time())
        self._token, self._renew_at = token, time.time() + max(_SHORTEST_WAIT_S, left / 2)
        with self._lock:
            clients = [client() for client in self._clients]
        for client in clients:
            if client is not None:
                # One that the SDK has closed must not keep the others from theirs.
                with contextlib.suppress(RuntimeError):
                    client.authorization_token = self._text(token)
        return token

    def keep_fresh(self, client: C) -> C:
        """Give a config or client of the SDK each new authorization for as long as it lives.

        A daemon thread does, which ends with the last of them. Clients at a custom domain, which
        ask for tokens themselves, are left alone.
        """
        if not str(getattr(client, "authorization_token", "")).startswith("aad#"):
            return client
        with self._lock:
            self._clients.add(weakref.ref(client, self._gone.put))
            if not self._is_refreshing:
                self._is_refreshing = True
                name = "speechroute-tokens"
                threading.Thread(target=self._refresh, name=name, daemon=True).start()
        current = self._valid()
        if current:  # the client was made some time ago
            cast("Any", client).authorization_token = self._text(current)
        return client

    def _refresh(self) -> None:
        try:
            self._refresh_until_gone()
        except BaseException:
            self._is_refreshing = False  # so that the next client starts another thread
            raise

    def _refresh_until_gone(self) -> None:
        while True:
            wait = min(max(_TICK_S, self._renew_at - time.time()), _LONGEST_WAIT_S)
            with contextlib.suppress(self._empty):
                self._gone.get(timeout=wait)
            with self._lock:
                self._clients = {client for client in self._clients if client() is not None}
                if not self._clients:
                    self._is_refreshing = False
                    return
            if time.time() >= self._renew_at:
                # Asked again after a while.
                with contextlib.suppress(TokenUnavailable, SettingsError):
                    self.authorization()

    def _ask(self) -> Token:
        answer, failure = None, None
        try:
            answer = self._answer()
        except SettingsError:
            raise
        except Exception as error:  # noqa: BLE001  # whatever a credential of anybody's raises
            failure = TokenUnavailable.of(f"{type(error).__name__}: {error}")
        if failure:
            # Without the cause: what a credential raises may hold a token.
            raise failure
        text = answer if isinstance(answer, str) else getattr(answer, "token", None)
        if not isinstance(text, str) or not text:
            raise TokenUnavailable.of(f"it returned a {type(answer).__name__} without a token")
        told = _seconds(getattr(answer, "expires_on", None)) or _expiry_in(text)
        return Token(text, int(told or time.time() + _UNKNOWN_LIFE_S))

    def _answer(self) -> Any:
        if self._credential is None:
            self._credential = _default_credential(self._cloud)
        if hasattr(self._credential, "get_token"):
            return self._credential.get_token(scope_of(self._cloud))
        return self._credential()


_all: weakref.WeakSet[Tokens] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for tokens in _all:
        tokens.reset()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)


def _default_credential(cloud: Cloud) -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        pass
    else:
        authority = _AUTHORITIES.get(cloud.name)
        return DefaultAzureCredential(**({"authority": authority} if authority else {}))
    raise SettingsError.of(
        Problem(
            "SPEECH_AUTH",
            "'entra', and azure-identity is not installed",
            "azure-identity, which gets the tokens",
            "pip install 'speechroute[entra]', or pass credential= to SpeechConfigFactory",
        )
    )


def _seconds(told: Any) -> float | None:
    """A time since 1970 that can be one."""
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 < seconds < _LATEST_S else None


def _expiry_in(token: str) -> float | None:
    """The time of expiry that a JSON web token tells, seconds since 1970."""
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return _seconds(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError, binascii.Error):
        return None

"""`Tokens`: Microsoft Entra tokens for one resource, kept and renewed for the SDK.

The SDK asks a ``TokenCredential`` itself where the endpoint is a custom domain, always for the
public cloud's audience. With a region it takes one text, and never asks again (measured, 1.53:
SDK-TOKEN-ONCE).
"""

from __future__ import annotations

import contextlib
import copy
import logging
import os
import threading
import time
import weakref
from typing import Any, TypeVar, cast

from azure.core.exceptions import AzureError

from .._core.clouds import Cloud
from .._core.errors import SettingsError, TokenUnavailable
from .token import Token, TokenSource

C = TypeVar("C")

_log = logging.getLogger("speechroute")

_SHORTEST_WAIT_S = 1.0
_TICK_S = 0.05
_LONGEST_WAIT_S = 60.0
"""After a machine has slept, its tokens may have expired, and the wait goes on as if it had not."""
_RETRY_S = 10.0
"""Between two tries to get a token from a credential that fails, seconds."""


class Tokens:
    """Gets tokens from a credential, and keeps the SDK's objects supplied with them.

    A ``TokenCredential`` itself, for the audience of its cloud whatever it is asked for.

    Args:
        credential: as for `TokenSource`.
        cloud: the cloud of the resource.
        resource_id: the resource's id, for tokens that go to a region.
    """

    def __init__(self, credential: Any, cloud: Cloud, resource_id: str | None) -> None:
        self._source = TokenSource(credential, cloud)
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
        # Reentrant: a signal handler may need a token while the thread that it interrupts gets one.
        self._lock = threading.RLock()
        self._asking = threading.RLock()
        self._is_refreshing = False

    def get_token(self, *_scopes: str, **_options: Any) -> Token:
        """What the SDK calls; asks the credential, which keeps a cache of its own.

        Raises:
            AzureError: the credential gave no token. The SDK catches no other.
        """
        try:
            return self._source.ask()
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
            token = self._source.ask()
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
            clients = tuple(self._clients)
        for reference in clients:
            client = reference()
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


_all: weakref.WeakSet[Tokens] = weakref.WeakSet()


def _reset_after_fork() -> None:
    for tokens in _all:
        tokens.reset()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_reset_after_fork)

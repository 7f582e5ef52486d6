"""Microsoft Entra tokens as values, in the two forms that the SDK takes, and who gives them."""

from __future__ import annotations

import base64
import binascii
import inspect
import json
import time
from typing import Any, NamedTuple

from .._core.clouds import CHINA, GOVERNMENT, Cloud
from .._core.errors import Problem, SettingsError, TokenUnavailable

_UNKNOWN_LIFE_S = 600.0
"""Taken for the life of a token that does not tell it, seconds."""
_LATEST_S = 1e11
"""Times after this are no seconds since 1970 (milliseconds, for example)."""
_AUTHORITIES = {
    GOVERNMENT.name: "login.microsoftonline.us",
    CHINA.name: "login.chinacloudapi.cn",
}
"""Where `DefaultAzureCredential` gets tokens outside the public cloud (documented, 2026-06:
AZ-ENTRA-AUTHORITIES)."""


def scope_of(cloud: Cloud) -> str:
    """The audience of a cloud's Speech resources.

    Documented for the public cloud; the same scheme is assumed for the other two
    (AZ-ENTRA-AUDIENCE).
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
        """What a door takes for it; of a region: documented (AZ-ENTRA-RESOURCE-ID)."""
        token = self.text.rpartition("#")[2]
        if is_custom_domain:
            return token
        return f"aad#{self.resource_id}#{token}" if self.resource_id else self.text


class TokenSource:
    """Asks a credential for tokens of one cloud.

    Args:
        credential: a ``TokenCredential``, or a callable that returns a token: a text, or an
            object with ``token`` and ``expires_on``. None: azure-identity's
            ``DefaultAzureCredential``, made when a token is first needed.
        cloud: the cloud of the resource.

    Raises:
        TypeError: the credential is none.
    """

    def __init__(self, credential: Any, cloud: Cloud) -> None:
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

    def ask(self) -> Token:
        """A new token, or the one that the credential keeps.

        Raises:
            TokenUnavailable: it gave none.
            SettingsError: azure-identity is not installed.
        """
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

"""What a config of the SDK is made from: a route, and the settings that the SDK knows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as speechsdk
from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from .._core import urls
from .._core.clouds import Offering
from .._core.route import NAMES_CUSTOM_DOMAIN, Route
from .._network.proxy import choose_proxy
from .._settings.model import SpeechSettings
from .credential import Secret
from .token import GivenToken


class _Making(threading.local):
    now = False


making = _Making()
"""Whether this thread makes a config whose door is decided: `inject_into_speechsdk` keeps away."""


_NO_REDIRECT_CACHE = "SPEECH-WEBSOCKET_USE_REDIRECT_CACHE", "false"
"""A process that was redirected to the region once would go there for seven days, also after a
private endpoint was added (measured, 1.48.2 and 1.53: SDK-REDIRECT-CACHE), since the redirect is
a permanent one (reported, 2026-03: AZ-REDIRECT-STATUS)."""


class Plan(NamedTuple):
    """What a config is made from, but for the key.

    Kept, because making it costs more than making the config.

    Attributes:
        takes_bare_token: whether a token goes there as it is, without the resource's id, as to a
            custom domain (documented, date unknown: AZ-ENTRA-CUSTOM-DOMAIN).
        named: the custom domain that a root endpoint of the region is told in the query.
        may_redirect: whether the door is the custom domain, which may lead to the region.
    """

    door: dict[str, str]
    properties: dict[Any, str]
    takes_bare_token: bool
    named: str = ""
    may_redirect: bool = False

    def __repr__(self) -> str:
        """Without the properties, which hold the proxy's password."""
        return f"Plan({self.door})"

    def make(self, kind: Callable[..., Any], secret: Secret) -> Any:
        """A config. All that can fail has been done before, so no secret is in a traceback.

        Raises:
            TokenUnavailable: the credential gave no token.
        """
        making.now = True
        try:
            if isinstance(secret, SecretStr):
                # None for a host of one's own that asks for no key.
                config = kind(subscription=secret.get_secret_value() or None, **self.door)
            elif isinstance(secret, AzureKeyCredential):
                config = kind(key_credential=secret, **self.door)
            elif isinstance(secret, GivenToken):
                token = secret.authorization(is_custom_domain=self.takes_bare_token)
                config = _with_token(kind, token, self.door)
            elif self.takes_bare_token:
                config = kind(token_credential=secret, **self.door)
            else:
                config = secret.keep_fresh(_with_token(kind, secret.authorization(), self.door))
        finally:
            making.now = False
        if self.may_redirect:
            config.set_property_by_name(*_NO_REDIRECT_CACHE)
        if self.properties:
            config.set_properties(self.properties)
        if self.named:
            channel = speechsdk.ServicePropertyChannel.UriQueryParameter
            config.set_service_property(NAMES_CUSTOM_DOMAIN, self.named, channel)
        return config


def plan_for(
    settings: SpeechSettings, offering: Offering | str | None, full_url: str | None, route: Route
) -> Plan:
    """What a config is made from.

    Args:
        settings: what the user says beyond the door.
        offering: what the config is for; None where nobody knows.
        full_url: the URL to convert instead of a door of the route.
        route: which door that is.
    """
    served = offering or Offering.STT
    door = {"endpoint": route.url(full_url)} if full_url else route.sdk_kwargs(served)
    opened = urlsplit(door.get("endpoint") or door.get("host") or f"//{route.host(served)}")
    proxy = choose_proxy(
        settings.proxy.get_secret_value(), opened.hostname or "", is_direct=route.is_direct
    ).proxy
    language = urls.language_in(full_url) or settings.language
    ids = speechsdk.PropertyId
    properties = {
        ids.SpeechServiceConnection_RecoLanguage: language,
        ids.SpeechServiceConnection_SynthLanguage: language,
        ids.SpeechServiceConnection_SynthVoice: settings.voice,
        ids.SpeechServiceConnection_EndpointId: settings.endpoint_id,
        ids.Speech_LogFilename: settings.log_path and str(settings.log_path),
        ids.SpeechServiceConnection_ProxyHostName: proxy and proxy.host,
        ids.SpeechServiceConnection_ProxyPort: proxy and str(proxy.port),
        ids.SpeechServiceConnection_ProxyUserName: proxy and proxy.username,
        ids.SpeechServiceConnection_ProxyPassword: proxy and proxy.password,
    }
    given = {name: value for name, value in properties.items() if value}
    # A full URL has it in its query; the SDK would add it a second time (measured, 1.53).
    names = route.names_custom_domain and not opened.query
    named = (route.custom_domain or "") if names else ""
    may_redirect = route.is_at_custom_domain
    return Plan(door, given, may_redirect or route.names_custom_domain, named, may_redirect)


def _with_token(kind: Callable[..., Any], authorization: str, door: dict[str, str]) -> Any:
    """A config for a region, which takes a token as text."""
    if "region" in door:
        return kind(auth_token=authorization, **door)
    # With an endpoint or host the SDK takes the token afterwards only (measured, 1.53).
    config = kind(**door)
    config.authorization_token = authorization
    return config


def translating(target_languages: Iterable[str]) -> Callable[..., Any]:
    """The constructor with its languages."""
    # Checked here: the SDK would fail with the key in its frames.
    languages = tuple(target_languages)
    if isinstance(target_languages, str) or not all(isinstance(to, str) for to in languages):
        raise TypeError("target_languages is not a sequence of texts like ['de', 'fr']")
    return partial(speechsdk.translation.SpeechTranslationConfig, target_languages=languages)

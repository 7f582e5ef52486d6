"""What the doors of a resource answer, by generation of the service, state and credential."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_urlsafe
from time import monotonic
from urllib.parse import unquote

from aiohttp import web

from ._names import OFFERINGS, Names, State
from ._rest import (
    MODELS_PATHS,
    RECOGNITION_PATHS,
    SPEAK_PATH,
    TOKEN_PATH,
    VOICES_PATH,
    refuse,
)

KEY_HEADER = "Ocp-Apim-Subscription-Key"
TTS_SOCKET_PATH = "/cognitiveservices/websocket/v1"
_SOCKET_PATHS = {
    "stt": RECOGNITION_PATHS | {"/speech/universal/v2"},
    "s2s": frozenset({"/speech/translation/cognitiveservices/v1"}),
    "tts": frozenset({TTS_SOCKET_PATH}),
    "voice": frozenset({TTS_SOCKET_PATH}),
}
"""What each offering serves at its regional host; behind ``/{offering}`` at the two hosts of all
offerings, the custom domain (documented, 2024-09-24: AZ-OFFERING-PATHS) and the portal's regional
endpoint (measured, 1.53: AZ-GOV-PORTAL-ENDPOINT)."""
_REST_PATHS = {
    "stt": RECOGNITION_PATHS,
    "tts": frozenset({VOICES_PATH, SPEAK_PATH}),
    "voice": frozenset({SPEAK_PATH}),
    "speechtotext": MODELS_PATHS,
    "sts": frozenset({TOKEN_PATH}),
}
"""The same for requests that do not upgrade. The last two are no offerings: the custom domain
serves them in every state (documented, 2024-09-24: AZ-REST-CUSTOM-DOMAIN; assumed of tokens), and
their region is the portal's regional endpoint (documented: AZ-TOKEN-REGION)."""
_PREFIXED_TOO = {
    "stt": frozenset({"/stt/speech/universal/v2"}),
    "tts": frozenset({"/tts/cognitiveservices/websocket/v1"}),
    "voice": frozenset({"/tts/cognitiveservices/websocket/v1"}),
}
"""What newer SDKs open at regional hosts (measured, 1.53: SDK-PATHS)."""
_CUSTOM_DOMAIN = "Ocp-Apim-Custom-Domain-Name"
"""The query parameter that a redirect adds: whose door the request came to first (reported:
AZ-REDIRECT-TARGET)."""
_QUESTION = "GenerateRedirectResponse"
"""The query parameter that asks where a URL would lead, without a credential (public code of
Microsoft's JavaScript SDK, since 2025-05: AZ-ORACLE-KEYLESS; 404 in its place: assumed,
AZ-ORACLE-404)."""
REDIRECTS = (301, 307, 308)
"""Those that the SDK follows (measured, 1.53: SDK-FOLLOWS-REDIRECTS)."""
_TOKEN_SECONDS = 600.0
"""How long an issued token is valid (documented)."""


class Generation(StrEnum):
    """How the service treats a custom domain without private endpoints. With one all are alike."""

    Y2024 = "2024"
    """The custom domain answers 404, the region works (documented, 2024-09-24:
    AZ-404-AFTER-REMOVAL, AZ-REGION-WITH-CUSTOM-DOMAIN)."""
    Y2026 = "2026"
    """The custom domain redirects to the region, which works (documented, 2026-03-20:
    AZ-REDIRECT)."""
    STRICT = "strict"
    """As 2026, but the region answers 401 to whoever was not redirected (assumed from 2026-03-20's
    troubleshooting: AZ-REGION-NAMED)."""


def upgrades(request: web.Request) -> bool:
    return request.headers.get("Upgrade", "").lower() == "websocket"


def _asks_token(request: web.Request) -> bool:
    return request.path == f"/sts{TOKEN_PATH}"


def host_of(request: web.Request) -> str:
    return request.host.rsplit(":", 1)[0].lower()


@dataclass(slots=True)
class Secrets:
    """What opens the doors."""

    key: str
    resource_id: str
    tokens: set[str] = field(default_factory=set)
    """Of Microsoft Entra."""
    issued: dict[str, float] = field(default_factory=dict)
    """The service's own tokens, and until when each is valid, on the monotonic clock."""

    def issue(self) -> str:
        """A new token, in exchange for the key."""
        now = monotonic()
        self.issued = {token: end for token, end in self.issued.items() if end > now}
        token = token_urlsafe(32)
        self.issued[token] = now + _TOKEN_SECONDS
        return token

    def open(self, request: web.Request, *, is_regional: bool, names_domain: bool) -> bool:
        """Whether a request has the key, or a token in the form that the door takes.

        The custom domain takes a token of Microsoft Entra alone (documented:
        AZ-ENTRA-CUSTOM-DOMAIN), a region together with the resource's id (documented:
        AZ-ENTRA-RESOURCE-ID), and without it where the URL names the custom domain (reported by a
        public project, 2026-03: AZ-ENTRA-NAMED). An issued token is taken as it is, and not for
        another one (documented).
        """
        if request.headers.get(KEY_HEADER) == self.key:
            return True
        if _asks_token(request):
            return False
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme == "Bearer" and self.issued.get(given, 0.0) > monotonic():
            return True
        token = given.removeprefix(f"aad#{self.resource_id}#") if is_regional else given
        is_whole = token != given or names_domain or not is_regional
        return scheme == "Bearer" and token in self.tokens and is_whole

    def mask(self, text: str) -> str:
        """Part of a URL with ``***`` for every secret, in whatever way it is percent-encoded."""
        # The longest first: one may be part of another.
        for secret in sorted((self.key, *self.tokens, *self.issued), key=len, reverse=True):
            if secret in unquote(text):
                spellings = (
                    f"(?:{re.escape(letter)}|(?i:{''.join(f'%{b:02x}' for b in letter.encode())}))"
                    for letter in secret
                )
                text = re.sub("".join(spellings), "***", text)
        return text


@dataclass(slots=True)
class Service:
    """One resource as its doors show it. Every attribute may change at any time.

    Attributes:
        redirect_status: how the custom domain redirects, if it does (301 reported, 2026-03:
            AZ-REDIRECT-STATUS).
        public_access: whether all networks have access; else the VNet proxy answers 403
            (documented, 2024-09-24: AZ-PUBLIC-ACCESS-403), and so does every door to whoever asks
            for a token (documented as 400 or 403, 2024-09-24: AZ-TOKEN-ALL-NETWORKS).
        failure: the HTTP status of every answer; None: as the rest says.
    """

    names: Names
    secrets: Secrets
    state: State
    generation: Generation
    redirect_status: int
    public_access: bool = True
    failure: int | None = None

    def __post_init__(self) -> None:
        if self.redirect_status not in REDIRECTS:
            raise ValueError(
                f"redirect_status is {self.redirect_status}; use one of "
                f"{', '.join(map(str, REDIRECTS))}"
            )

    def is_private_door(self, request: web.Request) -> bool:
        return host_of(request) == self.names.custom_domain

    def admit(self, request: web.Request) -> web.Response | str:
        """What a request gets, or the path that it is let in to, without the offering.

        The custom domain serves ``/{offering}/...`` only while the resource has a private
        endpoint; regional hosts answer 401 while it has one and work afterwards; a wrong key is
        401 everywhere (documented, Microsoft Learn, 2024-09-24: AZ-PE-CUSTOM-DOMAIN,
        AZ-PE-REGION-401, AZ-CREDENTIAL). Without a key it is as with a wrong one (assumed:
        AZ-KEYLESS, AZ-PE-QUESTION). The portal's regional endpoint is a regional host (assumed).
        See `Generation`.
        """
        host, is_private_door = host_of(request), self.is_private_door(request)
        if host not in self.names.hosts:
            return refuse(404, f"the emulator has no front door {host}")
        is_limited = (is_private_door and self.state is State.PROXY) or _asks_token(request)
        if is_limited and not self.public_access:
            return refuse(403, "the resource does not accept this network")
        if self.failure is not None:
            return refuse(self.failure, "the emulator was told to answer so")
        asks_offering = request.path.removeprefix("/").partition("/")[0] in OFFERINGS
        if is_private_door and asks_offering and not self.state.has_private_endpoint:
            return self._lead_on(request)
        if not self._opens(request, is_private_door=is_private_door):
            return refuse(401, "wrong key, or the wrong endpoint for this resource")
        path = self._served(request)
        return refuse(404, "no such path") if path is None else path

    def _opens(self, request: web.Request, *, is_private_door: bool) -> bool:
        # By any spelling of the parameter: SDKs before 1.50 lower it (measured, 1.48.2).
        names_domain = any(
            name.lower() == _CUSTOM_DOMAIN.lower() and value.lower() == self.names.custom_domain
            for name, value in request.query.items()
        )
        if not is_private_door:
            is_shut = self.generation is Generation.STRICT and not names_domain
            if is_shut or self.state.has_private_endpoint:
                return False
        return self.secrets.open(
            request, is_regional=not is_private_door, names_domain=names_domain
        )

    def _lead_on(self, request: web.Request) -> web.Response:
        """What the custom domain answers without a private endpoint."""
        offering, _, path = request.path.removeprefix("/").partition("/")
        # The voices are not redirected (reported, 2026-06: AZ-VOICES-NOT-REDIRECTED).
        if self.generation is Generation.Y2024 or f"/{path}" == VOICES_PATH:
            return refuse(404, "the resource has no private endpoint")
        is_upgrade = upgrades(request)
        is_question = (
            not is_upgrade
            and request.query.get(_QUESTION) == "true"
            and f"/{path}" in _SOCKET_PATHS.get(offering, ())
        )
        path, _, query = request.raw_path.removeprefix(f"/{offering}").partition("?")
        kept = [part for part in query.split("&") if part and not part.startswith(f"{_QUESTION}=")]
        query = "&".join((*kept, f"{_CUSTOM_DOMAIN}={self.names.custom_domain}"))
        # The SDK follows an upgrade to wss only (measured, 1.53).
        scheme = "wss" if is_upgrade or is_question else "https"
        target = f"{scheme}://{self.names.offering_host(offering)}{path}?{query}"
        if is_question:
            return web.Response(text=target)
        return web.Response(status=self.redirect_status, headers={"Location": target})

    def _served(self, request: web.Request) -> str | None:
        """The path of a request, without the offering; None if nothing is served there."""
        path = request.path
        offering = self.names.offering_of(host_of(request))
        if offering is None:
            offering, _, path = path.removeprefix("/").partition("/")
            path = f"/{path}"
        elif path in _PREFIXED_TOO.get(offering, ()):
            path = path.removeprefix("/stt").removeprefix("/tts")
        paths = _SOCKET_PATHS if upgrades(request) else _REST_PATHS
        return path if path in paths.get(offering, ()) else None

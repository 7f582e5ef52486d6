"""Asks at both doors of a resource what the ledger needs to know, one thing after the other."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import wait
from functools import partial
from typing import TypeVar

from ..._core.answer import OK
from ..._core.choices import AskService, PrivateEndpoint
from ..._core.errors import Problem, SettingsError, TokenUnavailable
from ..._core.masking import is_key_like
from ..._core.route import Route, RouteKind
from ..._core.service import ServiceAnswer, no_answer
from ..._core.verdict import Row, Verdict
from ..._core.view import DnsView
from ..._network.flight import later
from ..._network.observe import observe
from ..._network.probe import ask
from ..._network.proxy import choose_proxy
from ..._network.question import Question, decided
from ..._network.service import ask_service
from ..._sdk.clients import Clients, Got
from ..._sdk.credential import Secret
from ..._sdk.tokens import Tokens
from ..._settings.model import SpeechSettings
from ..doors import proxy_for
from ..of_connections import ISSUERS
from .anonymous import Anonymous
from .requests import (
    BARE,
    GIVEN,
    LANGUAGE,
    NO_CONNECTION,
    NONE,
    Request,
    Speech,
    reply_of,
    requests_of,
)
from .testimony import CLIENTS, OTHER, Asked, DoorKind, Reply, Testimony

T = TypeVar("T")

_OF_CLIENT_S = 25.0
_OF_TOKEN_S = 30.0
_OF_REQUEST_S = 10.0
_KEY_HEADER = "Ocp-Apim-Subscription-Key"
_LEAST_SHARE = 0.5
"""Of the words that were said, for what was recognised to be those."""
_OUT_OF_TIME = "no time was left"


_TOLD = {
    True: "SPEECH_PRIVATE_ENDPOINT=yes: no other door is tried",
    False: "SPEECH_PRIVATE_ENDPOINT=no: no other door is tried",
}


class Hearing:
    """Asks, for one witness.

    Args:
        settings: of the resource.
        speech: what is said to it.
        budget: seconds for everything.

    Raises:
        SettingsError: the settings name no custom domain.
    """

    def __init__(self, settings: SpeechSettings, speech: Speech, budget: float) -> None:
        _refuse_unfit(settings)
        self._settings, self._speech = settings.override(language=LANGUAGE), speech
        self._resource, self._name = settings.resource, settings.resource.custom_domain or ""
        self._deadline = time.monotonic() + budget
        self._secret: Secret = settings.key
        self._authorization = ""
        if settings.is_entra:
            self._secret = Tokens(None, settings.resource.cloud, settings.resource_id)

    def run(self, begin: Callable[[str], None]) -> Testimony:
        """Ask everything. Ctrl-C ends it; what is missing then is missing in the testimony.

        Args:
            begin: told the name of each step.

        Raises:
            TokenUnavailable: the credential gave no Microsoft Entra token.
        """
        if isinstance(self._secret, Tokens):
            begin("Microsoft Entra token")
            given = self._in_time(self._secret.authorization, _OF_TOKEN_S)
            if given is None:
                raise TokenUnavailable.of("it gave no token in time")
            self._authorization = given
        begin("DNS and the service")
        view, by_dns = self._look()
        seen = self._testimony(view, by_dns)
        try:
            for door, route in self._routes(seen, by_dns):
                self._ask_at(door, route, seen, begin)
            seen.is_complete = True
        except KeyboardInterrupt:
            pass
        return seen

    def _in_time(self, call: Callable[[], T], most: float) -> T | None:
        """What a call returns; None if it takes too long, as a client at a silent door does."""
        called = later(call)
        wait([called], max(0.0, min(most, self._deadline - time.monotonic())))
        return called.result() if called.done() else None

    def _look(self) -> tuple[DnsView, Verdict]:
        """What DNS and the service say, and what DNS would decide by itself."""
        settings, resource = self._settings, self._resource
        question = Question.of(settings)._replace(told=PrivateEndpoint.AUTO)
        view = observe(
            self._name,
            region_api_host=resource.region and resource.cloud.api_host(resource.region),
            servers=settings.dns_servers,
            timeout=settings.dns_timeout,
            ask_system=question.ask_system,
        )
        by_dns = decided(question, view)
        skipped = ""
        if settings.ask_service is AskService.NEVER:
            skipped = "SPEECH_ASK_SERVICE=never"
        elif settings.private_endpoint is PrivateEndpoint.NO:
            skipped = _TOLD[False]
        if skipped:
            return view._replace(service=ServiceAnswer(None, None, f"not asked: {skipped}")), by_dns
        setting = settings.proxy.get_secret_value()
        proxy = choose_proxy(setting, self._name, is_direct=by_dns.row.is_direct).proxy
        deadline = time.monotonic() + settings.dns_timeout
        asked = partial(ask_service, self._name, resource.cloud, proxy, deadline)
        service = self._in_time(asked, settings.dns_timeout) or no_answer("no answer in time")
        return view._replace(service=service), by_dns

    def _testimony(self, view: DnsView, by_dns: Verdict) -> Testimony:
        settings, service = self._settings, view.service
        told = settings.private_endpoint
        seen = Testimony(
            cloud=self._resource.cloud.name,
            suffix=self._name.partition(".")[2],
            auth="entra" if settings.is_entra else "key",
            told=None if told is PrivateEndpoint.AUTO else told is PrivateEndpoint.YES,
            region=self._resource.region or by_dns.region or (service.region if service else None),
            view=Anonymous(self._name).view(view),
            row=by_dns.row,
            decision=by_dns.decision,
        )
        if not settings.is_entra:
            seen.has_key_form = is_key_like(settings.key.get_secret_value())
        return seen

    def _routes(self, seen: Testimony, by_dns: Verdict) -> Iterator[tuple[DoorKind, Route]]:
        """The doors that may be tried."""
        kinds = {
            DoorKind.CUSTOM_DOMAIN: (RouteKind.PRIVATE_ENDPOINT, by_dns.row),
            DoorKind.REGION: (RouteKind.REGIONAL, Row.TOLD_NO),
        }
        for door, (kind, row) in kinds.items():
            if seen.told is not None and seen.told is not (door is DoorKind.CUSTOM_DOMAIN):
                seen.skipped[door] = _TOLD[seen.told]
            elif door is DoorKind.REGION and seen.region is None:
                seen.skipped[door] = "its name is not known: set SPEECH_REGION"
            else:
                cloud, region = self._resource.cloud.name, seen.region
                yield door, Route(kind, self._name, region, cloud, "", row, None, (), 0.0)

    def _ask_at(
        self, door: DoorKind, route: Route, seen: Testimony, begin: Callable[[str], None]
    ) -> None:
        takes_credential = not self._settings.is_entra or (
            door is DoorKind.CUSTOM_DOMAIN or self._settings.resource_id is not None
        )
        if not takes_credential:
            seen.skipped[door] = "a token needs SPEECH_RESOURCE_ID there"
        for request in requests_of(door, route, self._speech):
            if request.credential is GIVEN and not takes_credential:
                continue
            if request.asked is Asked.TOKEN and self._settings.is_entra:
                continue
            begin(f"{request.asked} at the {door}")
            reply, issuer = self._request(request, route)
            seen.replies[door, request.asked] = reply
            if issuer and issuer not in seen.issuers:
                seen.issuers += (issuer,)
            if reply.note == NO_CONNECTION:
                seen.skipped[door] = NO_CONNECTION
                return
        if takes_credential:
            for asked in CLIENTS:
                begin(f"{asked} at the {door}")
                seen.replies[door, asked] = self._client(asked, route)

    def _request(self, request: Request, route: Route) -> tuple[Reply, str]:
        """What one request got, and who signed the certificate, if that was seen."""
        if (left := self._deadline - time.monotonic()) <= 0:
            return Reply(None, _OUT_OF_TIME), ""
        call = partial(
            ask,
            request.url,
            proxy_for(request.url, route, self._settings).proxy,
            time.monotonic() + min(left, _OF_REQUEST_S),
            method="POST" if request.body is not None else "GET",
            headers={
                "User-Agent": "speechroute",
                "X-ConnectionId": uuid.uuid4().hex,
                **dict(request.headers),
                **self._headers(request, route),
            },
            body=request.body or b"",
        )
        answer = self._in_time(call, _OF_REQUEST_S)
        if answer is None:
            return Reply(None, NO_CONNECTION), ""
        issuer = ""
        if answer.certificate:
            by = answer.certificate.organization
            issuer = next((each for each in ISSUERS if by.startswith(each)), OTHER)
        return reply_of(answer, request.url, route), issuer

    def _headers(self, request: Request, route: Route) -> dict[str, str]:
        if request.credential is NONE:
            return {}
        if not isinstance(self._secret, Tokens):
            return {_KEY_HEADER: self._settings.key.get_secret_value()}
        is_bare = request.credential is BARE or route.is_at_custom_domain
        token = self._authorization.rpartition("#")[2] if is_bare else self._authorization
        return {"Authorization": f"Bearer {token}"}

    def _client(self, asked: Asked, route: Route) -> Reply:
        left = min(_OF_CLIENT_S, self._deadline - time.monotonic())
        if left <= 0:
            return Reply(None, _OUT_OF_TIME)
        clients = Clients(self._settings, self._secret, route, left)
        calls: dict[Asked, Callable[[], Got]] = {
            Asked.RECOGNITION: lambda: clients.recognize(self._speech.path),
            Asked.TRANSLATION: lambda: clients.translate(self._speech.path),
            Asked.TRANSCRIPTION: lambda: clients.transcribe(self._speech.path),
            Asked.SYNTHESIS: lambda: clients.synthesize(self._speech.words),
            Asked.VOICES: clients.list_voices,
        }
        try:
            got = self._in_time(calls[asked], left)
        except TokenUnavailable:
            return Reply(None, "the credential gave no token")
        if got is None:
            return Reply(None, "no answer in time")
        text, failure = got
        if failure.isdecimal():
            return Reply(int(failure))
        if failure:
            return Reply(None, failure)
        has_words = asked is Asked.VOICES or self._has_words(text)
        return Reply(OK, "" if has_words else "with other words")

    def _has_words(self, text: str) -> bool:
        heard, said = ({*re.findall(r"\w+", each.lower())} for each in (text, self._speech.words))
        return len(heard & said) >= _LEAST_SHARE * len(said)


def _refuse_unfit(settings: SpeechSettings) -> None:
    if settings.resource.custom_domain is None:
        raise SettingsError.of(
            Problem(
                "SPEECH_ENDPOINT",
                "not a custom domain",
                "one, which most of what is tried is about",
                "set SPEECH_ENDPOINT to the resource's custom domain",
            )
        )

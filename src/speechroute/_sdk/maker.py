"""`Maker`: from settings and routes to configs, and what is kept between two of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

import azure.cognitiveservices.speech as speechsdk
from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from .._core.choices import Auth
from .._core.clouds import Offering
from .._core.errors import SettingsError
from .._core.forgetting import forgetting
from .._core.tidy import tidy
from .._network.question import Kept, Question
from .._network.resolve import with_settings
from .._network.resolver import RouteResolver
from .._settings.key_vault import VaultKey
from .._settings.model import SpeechSettings
from .attempt import ANY_TIME, History, Opened, Opener, way_of
from .config import Plan, plan_for, translating
from .credential import Secret, fingerprint_of
from .outcome import REFUSED
from .tokens import Tokens

_log = logging.getLogger("speechroute")

_NO_PLAN = -1, 0.0, Plan({}, {}, False)
_LEAST_PAUSE_S = 0.5
"""Without a route nothing else slows the looks; with one the SDK takes 1 s to be refused (measured,
1.53), so that a shorter pause hardly finds a door any sooner."""


class Maker:
    """Makes the configs of one factory.

    Args:
        settings: what the user says.
        credential: used instead of what the settings hold, if there is one.
        resolver: knows the routes.

    Raises:
        TypeError: the credential is none.
    """

    def __init__(self, settings: SpeechSettings, credential: Any, resolver: RouteResolver) -> None:
        self.settings = settings
        self._credential = credential
        self._resolver = resolver
        resolver.own = Question.of(settings)
        self.tokens: dict[tuple[str, str | None], Tokens] = {}
        self.secret(settings)  # tells now if the credential is none
        self._plans: dict[str, tuple[int, float, Plan]] = {}
        self._generation = 0
        self._renew_at = ANY_TIME
        self._histories: dict[tuple[Question, int], History] = {}

    def invalidate(self) -> None:
        """Forget what was made from a route that may have changed."""
        self._generation += 1

    def config(self, offering: Offering | str) -> speechsdk.SpeechConfig:
        """A config for the settings as they are, made from a plan that is kept as its route is."""
        generation, valid_until, plan = self._plans.get(offering, _NO_PLAN)
        if generation != self._generation or self._resolver.clock() >= valid_until:
            generation = self._generation
            settings = self._settled(offering, {})
            plan, refresh_at = self.plan(settings, offering, settings.url_for(offering))
            self._plans[offering] = generation, refresh_at, plan
        return plan.make(speechsdk.SpeechConfig, self.secret(self.settings))

    @forgetting
    def opener(
        self,
        offering: Offering | str,
        target_languages: Iterable[str] | None,
        overrides: dict[str, Any],
    ) -> Opener:
        """What opens configs for one call.

        Args:
            offering: what the configs are for.
            target_languages: with them, configs are for translation.
            overrides: settings to change for this call, ``url`` among them. Texts in it are
                wrapped in place: what an operation raises shows the locals of the frames above it.
        """
        for name, value in overrides.items():
            if isinstance(value, str):
                overrides[name] = SecretStr(value)
        kind = speechsdk.SpeechConfig
        if target_languages is not None:
            offering, kind = Offering.S2S, translating(target_languages)
        settings = self._settled(offering, overrides)
        question, secret = Question.of(settings), self.secret(settings)
        history = self._histories.setdefault((question, fingerprint_of(secret)), History())
        tidy(self._histories, self._is_own)

        def opened(kept: Kept, since: float, failure: str, before: Opened | None) -> Opened:
            if since > ANY_TIME:
                self._generation += 1  # what follows may be another route
            route = with_settings(kept, settings, self._resolver.clock())
            if failure == REFUSED and before and way_of(before.route) == way_of(route):
                self._renew(secret, before.fingerprint, settings.route_ttl_min)
            # Before the config is made: if the key changes meanwhile, the next one differs.
            fingerprint = fingerprint_of(secret)
            plan = plan_for(settings, offering, settings.url_for(offering), route)
            config = plan.make(kind, secret)
            return Opened(config, route, self._resolver.clock(), kept.is_confirmed, fingerprint)

        async def open_async(
            since: float = ANY_TIME, failure: str = "", before: Opened | None = None
        ) -> Opened:
            kept = await self._resolver.kept_async(question, since, refused=bool(failure))
            if isinstance(secret, (Tokens, VaultKey)):  # which may be asked over the network
                return await asyncio.to_thread(opened, kept, since, failure, before)
            return opened(kept, since, failure, before)

        def open_now(
            since: float = ANY_TIME, failure: str = "", before: Opened | None = None
        ) -> Opened:
            kept = self._resolver.kept(question, since, refused=bool(failure))
            return opened(kept, since, failure, before)

        return Opener(
            open_now,
            open_async,
            history,
            self._resolver.clock,
            max(settings.route_ttl_min, _LEAST_PAUSE_S),
            secret.keep_fresh if isinstance(secret, Tokens) else lambda client: client,
        )

    def plan(
        self, settings: SpeechSettings, offering: Offering | str | None, full_url: str | None
    ) -> tuple[Plan, float]:
        """What a config is made from now, and when to look again."""
        kept = self._resolver.kept(Question.of(settings))
        route = with_settings(kept, settings, self._resolver.clock())
        return plan_for(settings, offering, full_url, route), kept.refresh_at

    def secret(self, settings: SpeechSettings) -> Secret:
        """What configs authenticate with."""
        if not settings.is_entra:
            # One call may have another key; the settings hold the credential's first one.
            credential = self._credential
            if isinstance(credential, AzureKeyCredential) and settings.key == self.settings.key:
                return credential
            return settings.key
        cloud = settings.resource.cloud
        name = cloud.name, settings.resource_id
        tokens = self.tokens.get(name)
        if tokens is None:
            tokens = Tokens(self._credential, cloud, settings.resource_id)
            tokens = self.tokens.setdefault(name, tokens)
            tidy(self.tokens)
        return tokens

    def _renew(self, secret: Secret, refused: int, pause: float) -> None:
        """Read a key of a vault again, if it is still the one that was refused."""
        now = self._resolver.clock()
        if not isinstance(secret, VaultKey) or fingerprint_of(secret) != refused:
            return
        if now < self._renew_at:
            return
        self._renew_at = now + pause
        try:
            secret.renew()
        except SettingsError as error:
            _log.warning("The last key of the vault is kept: %s", error)

    def _is_own(self, key: tuple[Question, int]) -> bool:
        own = self._resolver.own, fingerprint_of(self.secret(self.settings))
        return key == own

    def _settled(self, offering: Offering | str, overrides: dict[str, Any]) -> SpeechSettings:
        """The settings of one call, found fit for an offering before anything is asked."""
        gives_key = overrides.get("key") or overrides.get("key_file")
        if gives_key and not overrides.get("auth"):
            overrides = {**overrides, "auth": Auth.KEY}
        settings = self.settings.override(**overrides)
        settings.url_for(offering)
        return settings

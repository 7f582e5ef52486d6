"""`Maker`: from settings and routes to configs, and what is kept between two of them."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from typing import Any, TypeVar

import azure.cognitiveservices.speech as speechsdk
from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from .._core.choices import Auth
from .._core.clouds import Offering
from .._core.errors import SettingsError
from .._core.forgetting import forgetting
from .._core.tidy import tidy
from .._network.question import Question
from .._network.resolve import with_settings
from .._network.resolver import RouteResolver
from .._settings.key_vault import VaultKey
from .._settings.model import SpeechSettings
from .config import Plan, plan_for, translating
from .credential import Secret, fingerprint_of
from .opener import History, Opener
from .tokens import Tokens

_log = logging.getLogger("speechroute")

T = TypeVar("T")

_NO_PLAN = -1, None, 0.0, Plan({}, {}, False)


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
        self._plans: dict[str, tuple[int, object, float, Plan]] = {}
        self._generation = 0
        self._renew_at = float("-inf")
        self._histories: dict[tuple[Question, int, str | None], History] = {}

    def invalidate(self) -> None:
        """Forget what was made from a route that may have changed."""
        self._generation += 1

    def config(self, offering: Offering | str) -> speechsdk.SpeechConfig:
        """A config for the settings as they are, made from a plan that is kept as its route is."""
        resolver = self._resolver
        version = resolver.learned.version
        generation, learned, valid_until, plan = self._plans.get(offering, _NO_PLAN)
        is_old = generation != self._generation or learned is not version
        if is_old or resolver.clock() >= valid_until:
            generation = self._generation
            settings = self._settled(offering, {})
            plan, refresh_at = self.plan(settings, offering, settings.url_for(offering))
            self._plans[offering] = generation, version, refresh_at, plan
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
        known = question, fingerprint_of(secret), settings.url_for(offering)
        history = self._histories.setdefault(known, History())
        tidy(self._histories)
        return Opener(
            self._resolver,
            settings,
            offering,
            kind,
            secret,
            history,
            changed=self.invalidate,
            renew=partial(self._renew, secret, settings.route_ttl_min),
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

    def _renew(self, secret: Secret, pause: float, refused: int) -> None:
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

    def _settled(self, offering: Offering | str, overrides: dict[str, Any]) -> SpeechSettings:
        """The settings of one call, found fit for an offering before anything is asked."""
        gives_key = overrides.get("key") or overrides.get("key_file")
        if gives_key and not overrides.get("auth"):
            overrides = {**overrides, "auth": Auth.KEY}
        settings = self.settings.override(**overrides)
        settings.url_for(offering)
        return settings

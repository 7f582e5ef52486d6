"""`inject_into_speechsdk`: every config of the process through the right door.

Replaces the constructors of the SDK's two classes in place, so that a name that was imported
before is replaced too. Which calls are meant is decided by `call_of`.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Mapping
from typing import Any

import azure.cognitiveservices.speech as speechsdk
from azure.cognitiveservices.speech.speech import SpeechConfig
from azure.cognitiveservices.speech.translation import SpeechTranslationConfig
from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from .._core.choices import Auth
from .._core.clouds import PUBLIC, Offering
from .._core.errors import SpeechRouteError, UnsupportedSdk
from .._settings.model import SpeechSettings
from .call import AAD, CREDENTIALS, DOORS, call_of
from .config import making
from .credential import Secret
from .default import default_factory
from .factory import SpeechConfigFactory
from .token import GivenToken
from .tokens import Tokens

_FIRST = ("subscription", "region", "endpoint", "host", "auth_token")
_LAST = ("speech_recognition_language", "token_credential", "key_credential")
_PARAMETERS: dict[Any, tuple[str, ...]] = {
    SpeechConfig: (*_FIRST, *_LAST),
    SpeechTranslationConfig: (
        *_FIRST,
        "target_languages",
        "voice_name",
        *_LAST,
    ),
}
"""What the constructors take, in order (measured, 1.48.2 and 1.53.0)."""


class _Injection:
    """Whether configs take the route now, and by which factory. There is one.

    Without locks: a signal may construct a config in the middle of anything, and a forked child
    would wait for ever.
    """

    def __init__(self) -> None:
        self.is_on = False
        self.was_asked = False
        """Whether the program has injected or extracted by itself."""
        self._factory: SpeechConfigFactory | None = None
        self._sdks = {kind: kind.__init__ for kind in _PARAMETERS}
        self._originals: dict[Any, Any] = {}
        self._replacements = {kind: self._replacement(kind) for kind in _PARAMETERS}
        self._in_place: set[Any] = set()
        self._stand_ins: set[Any] = set()
        self._tokens: weakref.WeakValueDictionary[tuple[int, str, str | None], Tokens] = (
            weakref.WeakValueDictionary()
        )

    def put_in(self, factory: SpeechConfigFactory | None) -> None:
        constructors = {kind: kind.__init__ for kind in _PARAMETERS if kind not in self._stand_ins}
        for kind, found in constructors.items():
            _check(kind, found)
        self._factory = factory
        for kind, found in constructors.items():
            # Somebody may have put theirs over the replacement, or the original back.
            known = (self._originals.get(kind), self._sdks[kind])
            is_away = kind not in self._in_place or found in known
            if is_away and found is not self._replacements[kind]:
                self._originals[kind] = found
                kind.__init__ = self._replacements[kind]
                self._in_place.add(kind)
        self.is_on = True

    def take_out(self) -> None:
        self.is_on = False
        for kind, replacement in self._replacements.items():
            if kind.__init__ is replacement:
                kind.__init__ = self._originals[kind]
                self._in_place.discard(kind)

    def stand_in(self, kind: Any, original: Callable[..., None]) -> None:
        """Take note that a constructor calls `construct` by itself, as ``speechroute run`` lets it.

        Raises:
            UnsupportedSdk: see `inject_into_speechsdk`.
        """
        if kind not in self._stand_ins:
            _check(kind, original)
            self._stand_ins.add(kind)
        if not self.was_asked:
            inject_into_speechsdk()

    def _replacement(self, kind: Any) -> Any:
        @functools.wraps(kind.__init__)
        def __init__(config: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
            positional = list(args)
            del args
            self.construct(kind, self._originals[kind], config, positional, kwargs)

        return __init__

    def construct(
        self,
        kind: Any,
        original: Any,
        config: Any,
        positional: list[Any],
        named: dict[str, Any],
    ) -> None:
        """Construct a config, through the current route if the call names this resource.

        If that fails, ``positional`` and ``named`` are emptied: tools that show the locals of a
        traceback would show the key.
        """
        names = _PARAMETERS[kind]
        given = {**dict(zip(names, positional, strict=False)), **named}
        is_well_formed = len(given) == len(positional) + len(named) and given.keys() <= {*names}
        failure: SpeechRouteError | None = None
        if self.is_on and is_well_formed and not making.now:
            try:
                if self._take_route(kind, original, config, given):
                    return
            except SpeechRouteError as error:
                failure = error.with_traceback(None)
        if failure:
            positional.clear()
            named.clear()
            given.clear()
            raise failure
        original(config, *positional, **named)

    def _take_route(self, kind: Any, original: Any, config: Any, arguments: dict[str, Any]) -> bool:
        factory = self._factory or default_factory()
        settings = factory.settings
        maker = factory._maker  # noqa: SLF001  # this package's
        own = maker.secret(settings)
        given = {name: value for name, value in arguments.items() if value is not None}
        call = call_of(given, settings, own)
        if call is None:
            return False
        if call.offering is None and kind is SpeechTranslationConfig:
            call = call._replace(offering=Offering.S2S)
        settings, secret = self._credentials(given, settings, own)
        plan, _ = maker.plan(settings, call.offering, call.full_url)
        if not given.keys() & CREDENTIALS.keys() and "region" not in plan.door:
            secret = SecretStr("")  # as the call has it: who makes it sets a token later
        beyond = {k: v for k, v in given.items() if k not in {**DOORS, **CREDENTIALS}}

        def construct(**door: Any) -> Any:
            if "token_credential" in door and settings.resource.cloud is PUBLIC:
                # The caller's own: the SDK asks for this cloud's audience.
                door.update(token_credential=given.get("token_credential", secret))
            original(config, **door, **beyond)
            return config

        plan.make(construct, secret)
        language = given.get("speech_recognition_language")
        if language:
            config.speech_recognition_language = language
        return True

    def _credentials(
        self, given: Mapping[str, Any], settings: SpeechSettings, own: Secret
    ) -> tuple[SpeechSettings, Secret]:
        """What a call authenticates with, and the settings that go with it."""
        resource, resource_id = settings.resource, settings.resource_id
        if "token_credential" in given:
            credential = given["token_credential"]
            name = id(credential), resource.cloud.name, resource_id
            tokens = self._tokens.get(name) or Tokens(credential, resource.cloud, resource_id)
            return settings.override(auth=Auth.ENTRA), self._tokens.setdefault(name, tokens)
        if "auth_token" in given:
            token = given["auth_token"]
            is_entra = token.startswith(AAD)
            if "region" not in given and not is_entra:
                # The SDK refuses it with an endpoint: a token of Microsoft Entra ID.
                is_entra, secret = True, GivenToken(token, resource_id)
            else:
                secret = GivenToken(token, None)
            has_way = resource.custom_domain or resource_id
            return settings.override(auth=Auth.ENTRA) if is_entra and has_way else settings, secret
        if "key_credential" in given or "subscription" in given:
            key = given.get("key_credential") or SecretStr(given["subscription"])
            if settings.is_entra:
                plain = SecretStr(key.key) if isinstance(key, AzureKeyCredential) else key
                settings = settings.override(auth=Auth.KEY, key=plain)
            return settings, key
        return settings, own


def _check(kind: Any, constructor: Any) -> None:
    found = tuple(inspect.signature(constructor).parameters)[1:]
    if found != _PARAMETERS[kind]:
        by = str(getattr(constructor, "__module__", ""))
        by_sdk = by.startswith("azure.")
        raise UnsupportedSdk.of(
            speechsdk.__version__, kind.__name__, ", ".join(found), "" if by_sdk else by or "?"
        )


injection = _Injection()


def inject_into_speechsdk(factory: SpeechConfigFactory | None = None) -> None:
    """Let every ``SpeechConfig`` and ``SpeechTranslationConfig`` of this process take the route.

    For programs, not for libraries: it changes the SDK for everybody in the process. From now on
    a config that is constructed anywhere, by frameworks too, takes the route that is valid at
    that moment if the call names this resource: by its region, by its custom domain in any form,
    by a full connection URL of either, or by nothing but a credential. Calls that name another
    resource or host, and embedded models, are left as they are.

    What the call gives beyond the door is kept: credential, language, target languages, voice.
    Where it gives no credential, none is added but for a region, for which the SDK wants one: that
    of the factory. Settings such as language, proxy and log file apply as by
    `SpeechConfigFactory.speech_config`, but for a full URL: it is taken from the call only, because
    a config does not tell what it is for.

    A config is for the route of the moment at which it is constructed: who keeps it longer than
    DNS says constructs a new one.

    Called again, it takes the new factory; `extract_from_speechsdk` undoes it. Safe to call from
    any thread. Nothing happens on the network until a config is constructed, which then asks DNS
    as `SpeechConfigFactory.speech_config` does, and raises the same errors.

    Args:
        factory: default: the process-wide one, made from the environment.

    Raises:
        SettingsError: the settings in the environment cannot work.
        UnsupportedSdk: the SDK's constructors are not as expected; nothing was changed.
    """
    if factory is None:
        default_factory()
    injection.put_in(factory)
    injection.was_asked = True


def extract_from_speechsdk() -> None:
    """Undo `inject_into_speechsdk`; without it, do nothing. Configs that were made stay as is."""
    injection.was_asked = True
    injection.take_out()

"""`inject_into_speechsdk`: every config of the process through the right door.

Replaces the constructors of the SDK's two classes in place, so that a name that was imported
before is replaced too. Which calls are meant is decided by `_call_of`, which is pure.
"""

from __future__ import annotations

import functools
import inspect
import logging
import weakref
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk
from azure.cognitiveservices.speech.speech import SpeechConfig
from azure.cognitiveservices.speech.translation import SpeechTranslationConfig
from azure.core.credentials import AzureKeyCredential, TokenCredential
from pydantic import SecretStr

from ._clouds import PUBLIC, Offering, cloud_of_region, recognise_host
from ._config import Secret, fingerprint_of, making
from ._factory import SpeechConfigFactory, default_factory
from ._resource import Endpoint, Resource, parse_endpoint, parse_other_host
from ._settings import SpeechSettings
from ._tokens import GivenToken, Tokens
from ._values import Auth
from .errors import SpeechRouteError, UnsupportedSdk, UnsupportedUrl

_log = logging.getLogger("speechroute")

_DOORS = {"region": str, "endpoint": str, "host": str}
_CREDENTIALS = {
    "subscription": str,
    "key_credential": AzureKeyCredential,
    "token_credential": TokenCredential,
    "auth_token": str,
}
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
_AAD = "aad#"


class _Call(NamedTuple):
    """What a call says of the door beyond which resource it leads to.

    Attributes:
        offering: what the config is for, where the call tells.
        full_url: the full connection URL, where it is one.
    """

    offering: Offering | None = None
    full_url: str | None = None


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
        own = factory._secret(settings)  # noqa: SLF001  # this package's
        given = {name: value for name, value in arguments.items() if value is not None}
        call = _call_of(given, settings, own)
        if call is None:
            return False
        if call.offering is None and kind is SpeechTranslationConfig:
            call = call._replace(offering=Offering.S2S)
        settings, secret = self._credentials(given, settings, own)
        plan, _ = factory._plan(settings, call.offering, call.full_url)  # noqa: SLF001
        if not given.keys() & _CREDENTIALS.keys() and "region" not in plan.door:
            secret = SecretStr("")  # as the call has it: who makes it sets a token later
        beyond = {k: v for k, v in given.items() if k not in {**_DOORS, **_CREDENTIALS}}

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
            is_entra = token.startswith(_AAD)
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


def _call_of(given: Mapping[str, Any], settings: SpeechSettings, own: Secret) -> _Call | None:
    """What a call says of its door, or None if it does not lead to this resource.

    A region or endpoint that names this resource is enough, whatever the key: a resource has two,
    and they change. Where nothing tells the resource's region, its key does.
    """
    resource = settings.resource
    types = {**_DOORS, **_CREDENTIALS}
    if not all(isinstance(given[name], types[name]) for name in given.keys() & types.keys()):
        return None
    doors = [name for name in _DOORS if name in given]
    credentials = [name for name in _CREDENTIALS if name in given]
    if "" in (given.get("subscription"), given.get("auth_token")):
        return None  # the SDK refuses it, or knows what it means
    if len(credentials) > 1 or not (doors or credentials):
        return None  # the SDK refuses it
    if "token_credential" in given and not (resource.custom_domain or settings.resource_id):
        return None
    found = _Call()
    for name in doors:
        if resource.other_host:
            if name == "region" or _other_host(given[name], settings) != resource.other_host:
                return None
            continue
        endpoint = _endpoint(name, given[name], resource)
        if endpoint is None or not _is_of(endpoint, resource, given, settings, own):
            return None
        found = _Call(endpoint.offering or found.offering, endpoint.url or found.full_url)
    return found


def _endpoint(name: str, text: str, resource: Resource) -> Endpoint | None:
    if name == "region":
        return Endpoint(None, text.lower(), None)
    try:
        return parse_endpoint(text, resource.region)
    except UnsupportedUrl:
        return None


def _other_host(text: str, settings: SpeechSettings) -> str | None:
    try:
        return parse_other_host(text, settings.allow_hosts)
    except ValueError:
        return None


def _is_of(
    endpoint: Endpoint,
    resource: Resource,
    given: Mapping[str, Any],
    settings: SpeechSettings,
    own: Secret,
) -> bool:
    if endpoint.custom_domain:
        return _name_of(endpoint.custom_domain) == _name_of(resource.custom_domain or "")
    region = endpoint.region or ""
    if resource.region or cloud_of_region(region) is not resource.cloud:
        return region == resource.region
    is_ours = _is_own(given, settings, own)
    if not is_ours:
        _log.warning(
            "A SpeechConfig for %s is left as it is: it has another key, and the region of %s is "
            "not known. Set SPEECH_REGION if the two are the same resource.",
            region,
            resource.custom_domain,
        )
    return is_ours


def _name_of(custom_domain: str) -> tuple[str, str]:
    """Cloud and name of a resource: its custom domains differ in nothing but the suffix."""
    host = recognise_host(custom_domain)
    return host.cloud.name if host else "", custom_domain.partition(".")[0].lower()


def _is_own(given: Mapping[str, Any], settings: SpeechSettings, own: Secret) -> bool:
    """Whether a call has the credential of this resource."""
    if "auth_token" in given:
        return str(given["auth_token"]).startswith(f"{_AAD}{settings.resource_id}#")
    key = given.get("key_credential") or SecretStr(given.get("subscription", ""))
    return "token_credential" not in given and fingerprint_of(key) == fingerprint_of(own)


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
    a config does not tell what it is for. So in Azure Government a call that does not name its
    offering's host gets that of ``stt``, and in Azure China a config for the region (the SDK's own
    table is right there but for conversations and the list of voices; measured, 1.53).

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

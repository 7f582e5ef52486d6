"""`SpeechConfigFactory`: real SDK configurations for the route that is valid now.

The only part, with `_inject` and `_recovery`, that touches the Speech SDK. The SDK has no type
information; its untyped values stop here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as speechsdk

from ._clouds import Offering
from ._dns import Observe, observe
from ._proxy import choose_proxy
from ._resolver import Clock, Kept, Question, RouteResolver, with_url_warning
from ._route import Route
from ._settings import SpeechSettings


class SpeechConfigFactory:
    """Makes ``SpeechConfig`` objects that reach the resource through the right door.

    Safe to share between threads. Picklable: without its cached routes, because another machine
    sees other DNS, and without the key, which is read again from the environment there.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.
        observe: another way to look at DNS, of the form `speechroute._dns.Observe`.
        clock: another clock, seconds; default: ``time.monotonic``.

    Raises:
        SettingsError: the settings cannot work.
    """

    def __init__(
        self,
        settings: SpeechSettings | None = None,
        *,
        observe: Observe | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings or SpeechSettings()
        self._arguments = observe, clock
        self._resolver = _resolver(observe, clock)
        self._plans: dict[str, tuple[int, _Plan]] = {}
        self._generation = 0

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self._settings, *self._arguments)

    @property
    def settings(self) -> SpeechSettings:
        """The settings that this factory was made with."""
        return self._settings

    def route(self, **overrides: Any) -> Route:
        """The route that is valid now.

        Asks DNS if no fresh route is known, for at most ``dns_timeout`` seconds.

        Args:
            overrides: settings to change for this call, by field name.

        Raises:
            SettingsError: an override cannot work.
            RoutingError: DNS gave no route; its four children say why.
        """
        settings = self._settings.override(**overrides)
        return with_url_warning(self._resolver.kept(Question.of(settings)).route, settings)

    async def route_async(self, **overrides: Any) -> Route:
        """As `route`, without blocking the event loop."""
        settings = self._settings.override(**overrides)
        kept = await self._resolver.kept_async(Question.of(settings))
        return with_url_warning(kept.route, settings)

    def invalidate(self) -> None:
        """Forget the cached routes: the next call asks DNS."""
        self._resolver.invalidate()
        self._generation += 1

    def speech_config(
        self, offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
    ) -> speechsdk.SpeechConfig:
        """A new ``SpeechConfig`` for the route that is valid now.

        Asks DNS if no fresh route is known, for at most ``dns_timeout`` seconds; the SDK itself
        connects later, when it is used.

        Args:
            offering: what the config is for, ``stt``, ``tts``, ``s2s``, ``voice``, ``convai`` or
                ``commands``. It matters for full URLs, and in Azure Government and China.
            url: full connection URL, standard or private form, instead of ``SPEECH_URL``.
            overrides: settings to change for this call, by field name.

        Raises:
            SettingsError: a setting or override cannot work, or a URL is for another offering.
            RoutingError: DNS gave no route; its four children say why.
        """
        if url is not None or overrides:
            settings = self._settled(offering, url, overrides)
            return self._plan(settings, offering).make(speechsdk.SpeechConfig, settings)
        generation, plan = self._plans.get(offering, (-1, None))
        if (
            plan is None
            or generation != self._generation
            or self._resolver.clock() >= plan.valid_until
        ):
            generation = self._generation
            settings = self._settled(offering, None, {})
            plan = self._plan(settings, offering)
            self._plans[offering] = generation, plan
        return plan.make(speechsdk.SpeechConfig, self._settings)

    async def speech_config_async(
        self, offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
    ) -> speechsdk.SpeechConfig:
        """As `speech_config`, without blocking the event loop."""
        settings = self._settled(offering, url, overrides)
        kept = await self._resolver.kept_async(Question.of(settings))
        return _plan(settings, offering, kept).make(speechsdk.SpeechConfig, settings)

    def translation_config(
        self, target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
    ) -> speechsdk.translation.SpeechTranslationConfig:
        """A new ``SpeechTranslationConfig`` for the route that is valid now.

        Args:
            target_languages: for example ``["de", "fr"]``.
            url: full connection URL, standard or private form, instead of ``SPEECH_URL``.
            overrides: settings to change for this call, by field name.

        Raises:
            SettingsError, RoutingError: as `speech_config` does.
            TypeError: ``target_languages`` is no sequence of texts.
        """
        kind = _translating(target_languages)
        settings = self._settled(Offering.S2S, url, overrides)
        return self._plan(settings, Offering.S2S).make(kind, settings)

    async def translation_config_async(
        self, target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
    ) -> speechsdk.translation.SpeechTranslationConfig:
        """As `translation_config`, without blocking the event loop."""
        kind = _translating(target_languages)
        settings = self._settled(Offering.S2S, url, overrides)
        kept = await self._resolver.kept_async(Question.of(settings))
        return _plan(settings, Offering.S2S, kept).make(kind, settings)

    def _settled(
        self, offering: Offering | str, url: str | None, overrides: dict[str, Any]
    ) -> SpeechSettings:
        """The settings of one call, found fit for an offering before anything is asked."""
        settings = self._settings.override(url=url, **overrides)
        settings.url_for(offering)
        return settings

    def _plan(self, settings: SpeechSettings, offering: Offering | str) -> _Plan:
        return _plan(settings, offering, self._resolver.kept(Question.of(settings)))


class _Plan(NamedTuple):
    """What a config is made from, but for the key.

    Kept, because making it costs more than making the config.
    """

    door: dict[str, str]
    properties: dict[Any, str]
    valid_until: float

    def make(self, kind: Callable[..., Any], settings: SpeechSettings) -> Any:
        """A config. All that can fail has been done before, so the key is in no traceback."""
        config = kind(subscription=settings.key.get_secret_value(), **self.door)
        if self.properties:
            config.set_properties(self.properties)
        return config


def _plan(settings: SpeechSettings, offering: Offering | str, kept: Kept) -> _Plan:
    route, full_url = kept.route, settings.url_for(offering)
    door = {"endpoint": route.url(full_url)} if full_url else route.sdk_kwargs(offering)
    opened = urlsplit(door.get("endpoint") or door.get("host") or f"//{route.host(offering)}")
    proxy = choose_proxy(
        settings.proxy.get_secret_value(), opened.hostname or "", is_direct=route.is_direct
    )
    language = settings.url_language or settings.language
    ids = speechsdk.PropertyId
    properties = {
        ids.SpeechServiceConnection_RecoLanguage: language,
        ids.SpeechServiceConnection_SynthLanguage: language,
        ids.SpeechServiceConnection_SynthVoice: settings.voice,
        ids.SpeechServiceConnection_EndpointId: settings.endpoint_id,
        ids.Speech_LogFilename: settings.log_file and str(settings.log_file),
        ids.SpeechServiceConnection_ProxyHostName: proxy and proxy.host,
        ids.SpeechServiceConnection_ProxyPort: proxy and str(proxy.port),
        ids.SpeechServiceConnection_ProxyUserName: proxy and proxy.username,
        ids.SpeechServiceConnection_ProxyPassword: proxy and proxy.password,
    }
    given = {name: value for name, value in properties.items() if value}
    return _Plan(door, given, kept.refresh_at)


def _translating(target_languages: Iterable[str]) -> Callable[..., Any]:
    """The constructor with its languages."""
    # Checked here: the SDK would fail with the key in its frames.
    languages = tuple(target_languages)
    if isinstance(target_languages, str) or not all(isinstance(to, str) for to in languages):
        raise TypeError("target_languages is not a sequence of texts like ['de', 'fr']")
    return partial(speechsdk.translation.SpeechTranslationConfig, target_languages=languages)


def _resolver(custom: Observe | None, clock: Clock | None) -> RouteResolver:
    return RouteResolver(custom or observe, clock or time.monotonic)


def _unpickle(
    cls: type[SpeechConfigFactory],
    settings: SpeechSettings,
    observe: Observe | None,
    clock: Clock | None,
) -> SpeechConfigFactory:
    return cls(settings, observe=observe, clock=clock)


_default: list[SpeechConfigFactory] = []
_default_lock = threading.Lock()


def default_factory() -> SpeechConfigFactory:
    """The process-wide factory, made from the environment when it is first needed."""
    if not _default:
        with _default_lock:
            if not _default:
                _default.append(SpeechConfigFactory())
    return _default[0]


def speech_config(
    offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
) -> speechsdk.SpeechConfig:
    """A new ``SpeechConfig`` from a process-wide factory; see `SpeechConfigFactory.speech_config`.

    The environment is read at the first call.
    """
    return default_factory().speech_config(offering, url=url, **overrides)


def translation_config(
    target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
) -> speechsdk.translation.SpeechTranslationConfig:
    """A new ``SpeechTranslationConfig`` from a process-wide factory.

    See `SpeechConfigFactory.translation_config`. The environment is read at the first call.
    """
    return default_factory().translation_config(target_languages, url=url, **overrides)

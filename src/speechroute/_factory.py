"""`SpeechConfigFactory`: real SDK configurations for the route that is valid now.

The only part, with `_inject` and `_recovery`, that touches the Speech SDK. The SDK has no type
information; its untyped values stop here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cache, partial
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from ._clouds import Offering
from ._dns import Observe, observe
from ._proxy import Proxy, choose_proxy
from ._resolver import Clock, Question, RouteResolver
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
        return self._resolver.route_for(self._settings.override(**overrides))

    def invalidate(self) -> None:
        """Forget the cached routes: the next call asks DNS."""
        self._resolver.invalidate()

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
        return self._make(speechsdk.SpeechConfig, offering, {"url": url, **overrides})

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
        # Checked here: the SDK would fail with the key in its frames.
        languages = tuple(target_languages)
        if isinstance(target_languages, str) or not all(isinstance(to, str) for to in languages):
            raise TypeError("target_languages is not a sequence of texts like ['de', 'fr']")
        kind = partial(speechsdk.translation.SpeechTranslationConfig, target_languages=languages)
        return self._make(kind, Offering.S2S, {"url": url, **overrides})

    def _make(
        self, kind: Callable[..., Any], offering: Offering | str, overrides: dict[str, Any]
    ) -> Any:
        """A config of one kind. What can fail does so before the key is in any variable."""
        settings = self._settings.override(**overrides)
        full_url = settings.url_for(offering)
        route = self._resolver.route(Question.of(settings))
        door = {"endpoint": route.url(full_url)} if full_url else route.sdk_kwargs(offering)
        proxy = choose_proxy(
            settings.proxy.get_secret_value(), route.host(offering), is_direct=route.is_direct
        )
        config = kind(subscription=settings.key.get_secret_value(), **door)
        _apply(config, settings, proxy)
        return config


def _apply(config: Any, settings: SpeechSettings, proxy: Proxy | None) -> None:
    """Pass on what the settings say beyond the door."""
    language = settings.url_language or settings.language
    if language:
        config.speech_recognition_language = language
        config.speech_synthesis_language = language
    if settings.voice:
        config.speech_synthesis_voice_name = settings.voice
    if settings.endpoint_id:
        config.endpoint_id = settings.endpoint_id
    if settings.log_file:
        config.set_property(speechsdk.PropertyId.Speech_LogFilename, str(settings.log_file))
    if proxy:
        config.set_proxy(proxy.host, proxy.port, proxy.username, proxy.password)


def _resolver(custom: Observe | None, clock: Clock | None) -> RouteResolver:
    return RouteResolver(custom or observe, clock or time.monotonic)


def _unpickle(
    cls: type[SpeechConfigFactory],
    settings: SpeechSettings,
    observe: Observe | None,
    clock: Clock | None,
) -> SpeechConfigFactory:
    return cls(settings, observe=observe, clock=clock)


@cache
def default_factory() -> SpeechConfigFactory:
    """The process-wide factory, made from the environment when it is first needed."""
    return SpeechConfigFactory()


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

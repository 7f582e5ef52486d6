"""`SpeechConfigFactory`: real SDK configurations for the route that is valid now.

The SDK has no type information; its untyped values stop here, and in the modules named in
``tests/test_architecture.py``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import azure.cognitiveservices.speech as speechsdk
from azure.core.credentials import AzureKeyCredential
from pydantic import SecretStr

from ._clouds import Offering
from ._config import Plan, Secret, fingerprint_of, plan_for, translating
from ._dns import Observe, observe
from ._recovery import ANY_TIME, Attempt, History, Opened, Opener, attempt, attempt_async
from ._resolver import Clock, Kept, Question, RouteResolver, with_settings
from ._route import Route
from ._settings import SpeechSettings
from ._tokens import Tokens
from ._values import Auth
from ._vault import VaultKey
from .errors import Problem, SettingsError, forgetting, forgetting_async

if TYPE_CHECKING:
    from .streams import PcmFormat, StreamRecognition, StreamResult

T = TypeVar("T")

_NO_PLAN = -1, 0.0, Plan({}, {}, False)


class SpeechConfigFactory:
    """Makes ``SpeechConfig`` objects that reach the resource through the right door.

    Safe to share between threads. Picklable: without its cached routes, because another machine
    sees other DNS, and without key and credential: the key is read again from the environment
    there, and a token comes from ``DefaultAzureCredential``.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.
        credential: an ``AzureKeyCredential`` instead of ``SPEECH_KEY``; or, for Microsoft Entra
            ID, a ``TokenCredential`` of azure-identity, or a callable that returns a token.
        observe: another way to look at DNS, of the form `speechroute._dns.Observe`.
        clock: another clock, seconds; default: ``time.monotonic``.

    Raises:
        SettingsError: the settings cannot work.
        TypeError: the credential is none.
    """

    @forgetting
    def __init__(
        self,
        settings: SpeechSettings | None = None,
        *,
        credential: Any = None,
        observe: Observe | None = None,
        clock: Clock | None = None,
    ) -> None:
        if credential is not None:
            settings = _with_credential(settings, credential)
        self._settings = settings or SpeechSettings()
        self._credential = credential
        self._tokens: dict[tuple[str, str | None], Tokens] = {}
        self._secret(self._settings)  # tells now if the credential is none
        self._arguments = observe, clock
        self._resolver = _resolver(observe, clock)
        self._plans: dict[str, tuple[int, float, Plan]] = {}
        self._generation = 0
        self._histories: dict[tuple[Question, int], History] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickle, (type(self), self._settings, *self._arguments)

    @property
    def settings(self) -> SpeechSettings:
        """The settings that this factory was made with."""
        return self._settings

    @forgetting
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
        return with_settings(self._resolver.kept(Question.of(settings)).route, settings)

    @forgetting_async
    async def route_async(self, **overrides: Any) -> Route:
        """As `route`, without blocking the event loop."""
        settings = self._settings.override(**overrides)
        kept = await self._resolver.kept_async(Question.of(settings))
        return with_settings(kept.route, settings)

    def invalidate(self) -> None:
        """Forget the cached routes: the next call asks DNS."""
        self._resolver.invalidate()
        self._generation += 1

    @forgetting
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
            return self._opener(offering, None, url, overrides).open(ANY_TIME).config
        generation, valid_until, plan = self._plans.get(offering, _NO_PLAN)
        if generation != self._generation or self._resolver.clock() >= valid_until:
            generation = self._generation
            settings = self._settled(offering, None, {})
            plan, refresh_at = self._plan(settings, offering, settings.url_for(offering))
            self._plans[offering] = generation, refresh_at, plan
        return plan.make(speechsdk.SpeechConfig, self._secret(self._settings))

    @forgetting_async
    async def speech_config_async(
        self, offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
    ) -> speechsdk.SpeechConfig:
        """As `speech_config`, without blocking the event loop."""
        return (await self._opener(offering, None, url, overrides).open_async(ANY_TIME)).config

    @forgetting
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
        return self._opener(Offering.S2S, target_languages, url, overrides).open(ANY_TIME).config

    @forgetting_async
    async def translation_config_async(
        self, target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
    ) -> speechsdk.translation.SpeechTranslationConfig:
        """As `translation_config`, without blocking the event loop."""
        opener = self._opener(Offering.S2S, target_languages, url, overrides)
        return (await opener.open_async(ANY_TIME)).config

    def run(
        self,
        operation: Callable[[Any], T],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        url: str | None = None,
        **overrides: Any,
    ) -> T:
        """Call ``operation`` with a new config, and once more if its door has moved.

        If the result says that the service refused the door (401, 403 or 404), or that nothing
        answered there, DNS is asked anew. If it tells another route, ``operation`` is called a
        second time with a config for that one; otherwise its first result is returned as it is.
        `attempt` does the same and says what happened; so does the logger ``speechroute``.

        Args:
            operation: takes a ``SpeechConfig`` and returns a result of the SDK, for example
                ``lambda config: SpeechRecognizer(config, audio).recognize_once()``. Audio is
                opened inside it, so that a second call reads it from the start. What it raises
                is not caught.
            offering: as for `speech_config`.
            target_languages: with them, ``operation`` gets a ``SpeechTranslationConfig``.
            url: as for `speech_config`.
            overrides: settings to change for this call, by field name.

        Returns:
            What ``operation`` returned last.

        Raises:
            SettingsError, RoutingError: as `speech_config` does, before the first call.
        """
        url = _hide(overrides, url)
        return attempt(self._opener(offering, target_languages, url, overrides), operation).result

    async def run_async(
        self,
        operation: Callable[[Any], Awaitable[T]],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        url: str | None = None,
        **overrides: Any,
    ) -> T:
        """As `run`, for an operation that is awaited, without blocking the event loop.

        The SDK's own calls block: ``await asyncio.to_thread(recognizer.recognize_once)``.
        """
        url = _hide(overrides, url)
        opener = self._opener(offering, target_languages, url, overrides)
        return (await attempt_async(opener, operation)).result

    def attempt(
        self,
        operation: Callable[[Any], T],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        url: str | None = None,
        **overrides: Any,
    ) -> Attempt[T]:
        """As `run`; returns the result together with what was done and why."""
        url = _hide(overrides, url)
        return attempt(self._opener(offering, target_languages, url, overrides), operation)

    async def attempt_async(
        self,
        operation: Callable[[Any], Awaitable[T]],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        url: str | None = None,
        **overrides: Any,
    ) -> Attempt[T]:
        """As `run_async`; returns the result together with what was done and why."""
        url = _hide(overrides, url)
        opener = self._opener(offering, target_languages, url, overrides)
        return await attempt_async(opener, operation)

    def recognize_stream(
        self,
        on_final: Callable[[StreamResult], object],
        *,
        on_partial: Callable[[StreamResult], object] | None = None,
        recognizer: Callable[..., Any] = speechsdk.SpeechRecognizer,
        audio_format: PcmFormat | None = None,
        replay_seconds: float = 60.0,
        target_languages: Iterable[str] | None = None,
        url: str | None = None,
        **overrides: Any,
    ) -> StreamRecognition:
        """A continuous recognition of pushed audio that goes on when the door moves.

        Args:
            on_final: called with each final result, in a thread of the SDK.
            on_partial: called with each result that is not final yet.
            recognizer: called as ``recognizer(config, audio_config=...)``; returns a
                ``SpeechRecognizer``, ``TranslationRecognizer`` or ``ConversationTranscriber``.
                It is called again after each change of doors: set up languages and phrase lists
                in it.
            audio_format: of the audio that is pushed; default: 16 kHz, 16 bits, one channel.
            replay_seconds: how much audio is kept to be sent again, and how long DNS and the
                service may disagree; audio older than that is lost if the door moves then, with
                a warning.
            target_languages: with them, ``recognizer`` gets a ``SpeechTranslationConfig``.
            url: as for `speech_config`.
            overrides: settings to change for this stream, by field name.

        Raises:
            SettingsError: as `speech_config` does. DNS is asked when the stream is entered.
        """
        url = _hide(overrides, url)
        # Not needed by most programs: it would cost each of them 1 % of the time of the import.
        from .streams import PcmFormat, StreamRecognition

        return StreamRecognition(
            self._opener(Offering.STT, target_languages, url, overrides),
            on_final,
            on_partial=on_partial,
            recognizer=recognizer,
            audio_format=audio_format or PcmFormat(),
            replay_seconds=replay_seconds,
        )

    def keep_fresh(self, client: T) -> T:
        """Keep a recognizer or synthesizer supplied with new Microsoft Entra tokens.

        The SDK takes one token for a region, and a client outlives it; the config that it was
        made from is supplied already. Tokens are asked for after half of their life, by a daemon
        thread that ends with the last client. With a key, and at a custom domain, where the SDK
        asks for tokens itself, nothing is done.

        Args:
            client: of the SDK, made from a config of this factory.

        Returns:
            The client.
        """
        text = str(getattr(client, "authorization_token", ""))
        for tokens in tuple(self._tokens.values()):
            if text.startswith(f"aad#{tokens.resource_id}#"):
                tokens.keep_fresh(client)
        return client

    @forgetting
    def _opener(
        self,
        offering: Offering | str,
        target_languages: Iterable[str] | None,
        url: str | None,
        overrides: dict[str, Any],
    ) -> Opener:
        kind = speechsdk.SpeechConfig
        if target_languages is not None:
            offering, kind = Offering.S2S, translating(target_languages)
        settings = self._settled(offering, url, overrides)
        question, secret = Question.of(settings), self._secret(settings)

        def opened(kept: Kept, since: float) -> Opened:
            if since > ANY_TIME:
                self._generation += 1  # what follows may be another route
                if isinstance(secret, VaultKey):
                    secret.renew()
            route = with_settings(kept.route, settings)
            # Before the config is made: if the key changes meanwhile, the next one differs.
            fingerprint = fingerprint_of(secret)
            plan = plan_for(settings, offering, settings.url_for(offering), route)
            config = plan.make(kind, secret)
            is_fresh = kept.asked_at >= since
            return Opened(config, route, self._resolver.clock(), is_fresh, fingerprint)

        async def open_async(since: float) -> Opened:
            kept = await self._resolver.kept_async(question, since)
            if isinstance(secret, (Tokens, VaultKey)):  # which may be asked over the network
                return await asyncio.to_thread(opened, kept, since)
            return opened(kept, since)

        return Opener(
            lambda since: opened(self._resolver.kept(question, since), since),
            open_async,
            self._histories.setdefault((question, fingerprint_of(secret)), History()),
            self._resolver.clock,
            settings.route_ttl_min,
            secret.keep_fresh if isinstance(secret, Tokens) else lambda client: client,
        )

    def _plan(
        self, settings: SpeechSettings, offering: Offering | str | None, full_url: str | None
    ) -> tuple[Plan, float]:
        """What a config is made from now, and when to look again."""
        kept = self._resolver.kept(Question.of(settings))
        route = with_settings(kept.route, settings)
        return plan_for(settings, offering, full_url, route), kept.refresh_at

    def _secret(self, settings: SpeechSettings) -> Secret:
        """What configs authenticate with."""
        if not settings.is_entra:
            # One call may have another key; the settings hold the credential's first one.
            credential = self._credential
            if isinstance(credential, AzureKeyCredential) and settings.key == self._settings.key:
                return credential
            return settings.key
        cloud = settings.resource.cloud
        name = cloud.name, settings.resource_id
        if name not in self._tokens:
            self._tokens.setdefault(name, Tokens(self._credential, cloud, settings.resource_id))
        return self._tokens[name]

    def _settled(
        self, offering: Offering | str, url: str | None, overrides: dict[str, Any]
    ) -> SpeechSettings:
        """The settings of one call, found fit for an offering before anything is asked."""
        gives_key = overrides.get("key") or overrides.get("key_file")
        if gives_key and not overrides.get("auth"):
            overrides = {**overrides, "auth": Auth.KEY}
        settings = self._settings.override(url=url, **overrides)
        settings.url_for(offering)
        return settings


def _with_credential(settings: SpeechSettings | None, credential: Any) -> SpeechSettings:
    """The settings that go with a credential: it wins over the environment, not over them."""
    is_key = isinstance(credential, AzureKeyCredential)
    wanted = Auth.KEY if is_key else Auth.ENTRA
    if settings and settings.auth not in (None, wanted):
        raise SettingsError.of(
            Problem(
                "SPEECH_AUTH",
                f"'{settings.auth}', and the credential is for '{wanted}'",
                "one of the two",
                "leave out auth= or pass the credential that goes with it",
            )
        )
    given = {"auth": wanted, **({"key": SecretStr(credential.key)} if is_key else {})}
    return settings.override(**given) if settings else SpeechSettings(**given)


def _hide(overrides: dict[str, Any], url: str | None) -> Any:
    """Wrap texts, in place: what an operation raises shows the locals of the frames above it.

    Returns:
        The URL, wrapped too.
    """
    for name, value in overrides.items():
        if isinstance(value, str):
            overrides[name] = SecretStr(value)
    return SecretStr(url) if isinstance(url, str) else url


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


def default_factory() -> SpeechConfigFactory:
    """The process-wide factory, made from the environment when it is first needed."""
    if not _default:
        # Without a lock, which a signal or a fork in the middle of it would wait for: two threads
        # at once make two, and everybody gets the first.
        _default.append(SpeechConfigFactory())
    return _default[0]


@forgetting
def speech_config(
    offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
) -> speechsdk.SpeechConfig:
    """A new ``SpeechConfig`` from a process-wide factory; see `SpeechConfigFactory.speech_config`.

    The environment is read at the first call.
    """
    return default_factory().speech_config(offering, url=url, **overrides)


@forgetting
def translation_config(
    target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
) -> speechsdk.translation.SpeechTranslationConfig:
    """A new ``SpeechTranslationConfig`` from a process-wide factory.

    See `SpeechConfigFactory.translation_config`. The environment is read at the first call.
    """
    return default_factory().translation_config(target_languages, url=url, **overrides)

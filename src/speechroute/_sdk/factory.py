"""`SpeechConfigFactory`: real SDK configurations for the route that is valid now."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import azure.cognitiveservices.speech as speechsdk

from .._core.clouds import Offering
from .._core.forgetting import forgetting, forgetting_async
from .._core.route import Route
from .._network.clock import Clock
from .._network.observe import Observe
from .._network.question import Question
from .._network.resolve import resolver_of, with_settings
from .._settings.model import SpeechSettings
from .attempt import Attempt, attempt, attempt_async
from .credential import with_credential
from .maker import Maker

if TYPE_CHECKING:
    from .._core.stream import PcmFormat, StreamResult
    from .stream import StreamRecognition

T = TypeVar("T")


class SpeechConfigFactory:
    """Makes ``SpeechConfig`` objects that reach the resource through the right door.

    Safe to share between threads. Picklable: without its cached routes, because another machine
    sees other DNS, and without key and credential: the key is read again from the environment
    there, and a token comes from ``DefaultAzureCredential``. What doors have answered is shared by
    factories with the same settings, but for those with an ``observe`` or ``clock``.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.
        credential: an ``AzureKeyCredential`` instead of ``SPEECH_KEY``; or, for Microsoft Entra
            ID, a ``TokenCredential`` of azure-identity, or a callable that returns a token.
        observe: another way to look at DNS, of the form `speechroute._network.observe.Observe`;
            the service is not asked then.
        clock: seconds; default: one that goes on while the machine sleeps.

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
            settings = with_credential(settings, credential)
        self._arguments = observe, clock
        self._resolver = resolver_of(observe, clock)
        self._maker = Maker(settings or SpeechSettings(), credential, self._resolver)

    def __reduce__(self) -> tuple[Any, ...]:
        observe, clock = self._arguments
        return partial(type(self), observe=observe, clock=clock), (self.settings,)

    @property
    def settings(self) -> SpeechSettings:
        """The settings that this factory was made with."""
        return self._maker.settings

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
        settings = self.settings.override(**overrides)
        kept = self._resolver.kept(Question.of(settings))
        return with_settings(kept, settings, self._resolver.clock())

    @forgetting_async
    async def route_async(self, **overrides: Any) -> Route:
        """As `route`, without blocking the event loop."""
        settings = self.settings.override(**overrides)
        kept = await self._resolver.kept_async(Question.of(settings))
        return with_settings(kept, settings, self._resolver.clock())

    def invalidate(self) -> None:
        """Forget the cached routes, and what doors have answered: the next call asks DNS."""
        self._resolver.invalidate()
        self._maker.invalidate()

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
        if url is None and not overrides:
            return self._maker.config(offering)
        opener = self._maker.opener(offering, None, {"url": url, **overrides})
        return opener.open().config

    @forgetting_async
    async def speech_config_async(
        self, offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
    ) -> speechsdk.SpeechConfig:
        """As `speech_config`, without blocking the event loop."""
        opener = self._maker.opener(offering, None, {"url": url, **overrides})
        return (await opener.open_async()).config

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
        opener = self._maker.opener(Offering.S2S, target_languages, {"url": url, **overrides})
        return opener.open().config

    @forgetting_async
    async def translation_config_async(
        self, target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
    ) -> speechsdk.translation.SpeechTranslationConfig:
        """As `translation_config`, without blocking the event loop."""
        opener = self._maker.opener(Offering.S2S, target_languages, {"url": url, **overrides})
        return (await opener.open_async()).config

    def run(
        self,
        operation: Callable[[Any], T],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        **overrides: Any,
    ) -> T:
        """Call ``operation`` with a new config, and once more if its door has moved.

        If the service refused the door (401, 403 or 404), or nothing answered there, DNS is asked
        anew, and ``operation`` called again with a config for the route that it tells; if that is
        the same, and the refusal may mean the route, for the other door, which counts more than DNS
        from then on if it lets the call through. ``SPEECH_PRIVATE_ENDPOINT`` shuts the other door.
        If both refuse, the first result is returned, and no second call is made for
        ``SPEECH_ROUTE_TTL_MIN`` unless something changes. `attempt` says what was done, and so does
        the logger ``speechroute``.

        A result that is only a beginning, such as that of ``start_speaking_text``, says nothing
        about the door, and a refusal that follows is not seen here. Return an ``AudioDataStream``
        of it instead, after the first read, which waits for the door; keep the synthesizer so long.

        Args:
            operation: takes a ``SpeechConfig`` and returns a result of the SDK, for example
                ``lambda config: SpeechRecognizer(config, audio).recognize_once()``. Audio is
                opened inside it, so that a second call reads it from the start. What it raises
                is not caught.
            offering: as for `speech_config`.
            target_languages: with them, ``operation`` gets a ``SpeechTranslationConfig``.
            overrides: settings to change for this call, by field name, ``url`` among them.

        Returns:
            What ``operation`` returned, the second time if that came through.

        Raises:
            SettingsError, RoutingError: as `speech_config` does, before the first call.
        """
        opener = self._maker.opener(offering, target_languages, overrides)
        return attempt(opener, operation).result

    async def run_async(
        self,
        operation: Callable[[Any], Awaitable[T]],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        **overrides: Any,
    ) -> T:
        """As `run`, for an operation that is awaited, without blocking the event loop.

        The SDK's own calls block: ``await asyncio.to_thread(recognizer.recognize_once)``.
        """
        opener = self._maker.opener(offering, target_languages, overrides)
        return (await attempt_async(opener, operation)).result

    def attempt(
        self,
        operation: Callable[[Any], T],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        **overrides: Any,
    ) -> Attempt[T]:
        """As `run`; returns the result together with what was done and why."""
        opener = self._maker.opener(offering, target_languages, overrides)
        return attempt(opener, operation)

    async def attempt_async(
        self,
        operation: Callable[[Any], Awaitable[T]],
        offering: Offering | str = Offering.STT,
        *,
        target_languages: Iterable[str] | None = None,
        **overrides: Any,
    ) -> Attempt[T]:
        """As `run_async`; returns the result together with what was done and why."""
        opener = self._maker.opener(offering, target_languages, overrides)
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
            replay_seconds: how much audio is kept to be sent again, and how long both doors may
                refuse; older audio is lost if the door moves then, with a warning.
            target_languages: with them, ``recognizer`` gets a ``SpeechTranslationConfig``.
            overrides: settings to change for this stream, by field name, ``url`` among them.

        Raises:
            SettingsError: as `speech_config` does. DNS is asked when the stream is entered.
        """
        # Not needed by most programs: it would cost each of them 1 % of the time of the import.
        from .._core.stream import PcmFormat
        from .stream import StreamRecognition

        return StreamRecognition(
            self._maker.opener(Offering.STT, target_languages, overrides),
            on_final,
            on_partial=on_partial,
            recognizer=recognizer,
            audio_format=audio_format or PcmFormat(),
            replay_seconds=replay_seconds,
        )

    def keep_fresh(self, client: T) -> T:
        """Keep a recognizer or synthesizer supplied with new Microsoft Entra tokens.

        The SDK takes one token for a region, and a client outlives it; its config is supplied
        already. Tokens are asked for after half of their life, by a daemon thread that ends with
        the last client. With a key, or at a custom domain, nothing is done: the SDK asks itself.

        Args:
            client: of the SDK, made from a config of this factory.

        Returns:
            The client.
        """
        text = str(getattr(client, "authorization_token", ""))
        for tokens in tuple(self._maker.tokens.values()):
            if text.startswith(f"aad#{tokens.resource_id}#"):
                tokens.keep_fresh(client)
        return client

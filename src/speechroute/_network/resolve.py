"""`resolve`: a route for settings, without the SDK."""

from __future__ import annotations

from dataclasses import replace

from .._core.route import Route, RouteKind
from .._settings.model import SpeechSettings
from .clock import Clock, boot_time
from .learned import shared
from .observe import Observe
from .observe import observe as look_up
from .question import Kept, Question
from .resolver import RouteResolver
from .service import ask_service


def with_settings(kept: Kept, settings: SpeechSettings, now: float) -> Route:
    """The route as these settings use it from now on, with what they say that DNS does not know."""
    route, told = kept.handed_on(now), []
    wins, loses = settings.url_language, settings.language
    if wins and loses and wins.lower() != loses.lower():
        told.append(
            f"The URL says language={wins}, SPEECH_LANGUAGE says {loses}: the URL wins. Take the "
            "language out of one of the two."
        )
    lacks_id = (
        settings.is_entra
        and settings.resource_id is None
        and route.kind is RouteKind.REGIONAL
        and route.custom_domain is not None
    )
    names_custom_domain = lacks_id and kept.is_by_call
    needs_custom_domain = lacks_id and not names_custom_domain
    if needs_custom_domain:
        told.append(
            "Microsoft Entra ID works through a region only with SPEECH_RESOURCE_ID, which is not "
            "set: the endpoint of the custom domain is used. Set it for programs that do not use "
            "run(), which tries another way if that endpoint answers 404."
        )
    if not told and not lacks_id:
        return route
    return replace(
        route,
        warnings=(*route.warnings, *told),
        needs_custom_domain=needs_custom_domain,
        names_custom_domain=names_custom_domain,
    )


def resolver_of(observe: Observe | None = None, clock: Clock | None = None) -> RouteResolver:
    """What looks at the network, and shares what doors have answered where nothing replaces that.

    Args:
        observe: instead of the one that asks DNS; then the service is not asked.
        clock: instead of `boot_time`.
    """
    ask, learned = (None if observe else ask_service), (None if observe or clock else shared)
    return RouteResolver(observe or look_up, clock or boot_time, ask, learned)


def resolve(settings: SpeechSettings | None = None) -> Route:
    """The route that is valid now, observed anew and without the SDK.

    Asks DNS for at most ``dns_timeout`` seconds.

    Args:
        settings: default: read from the environment, see `SpeechSettings`.

    Raises:
        SettingsError: the settings cannot work.
        RoutingError: DNS gave no route; its four children say why.
    """
    settings = settings or SpeechSettings()
    resolver = resolver_of()
    return with_settings(resolver.kept(Question.of(settings)), settings, resolver.clock())


async def resolve_async(settings: SpeechSettings | None = None) -> Route:
    """As `resolve`, without blocking the event loop.

    Raises:
        SettingsError, RoutingError: as `resolve` does.
    """
    settings = settings or SpeechSettings()
    resolver = resolver_of()
    kept = await resolver.kept_async(Question.of(settings))
    return with_settings(kept, settings, resolver.clock())

"""The right door to an Azure Speech resource: its private endpoint, or its region."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, urls
    from ._core.clouds import Offering
    from ._core.route import Route, RouteKind
    from ._network.resolve import resolve, resolve_async
    from ._sdk.attempt import Attempt
    from ._sdk.default import speech_config, translation_config
    from ._sdk.factory import SpeechConfigFactory
    from ._sdk.inject import extract_from_speechsdk, inject_into_speechsdk
    from ._settings.model import SpeechSettings
    from .errors import SpeechRouteError

__all__ = [
    "Attempt",
    "Offering",
    "Route",
    "RouteKind",
    "SpeechConfigFactory",
    "SpeechRouteError",
    "SpeechSettings",
    "errors",
    "extract_from_speechsdk",
    "inject_into_speechsdk",
    "resolve",
    "resolve_async",
    "speech_config",
    "translation_config",
    "urls",
]

_HOMES = {
    "Attempt": "_sdk.attempt",
    "Offering": "_core.clouds",
    "Route": "_core.route",
    "RouteKind": "_core.route",
    "SpeechConfigFactory": "_sdk.factory",
    "SpeechRouteError": "errors",
    "SpeechSettings": "_settings.model",
    "extract_from_speechsdk": "_sdk.inject",
    "inject_into_speechsdk": "_sdk.inject",
    "resolve": "_network.resolve",
    "resolve_async": "_network.resolve",
    "speech_config": "_sdk.default",
    "translation_config": "_sdk.default",
}


def __getattr__(name: str) -> Any:
    # Each when it is first used: every run of pytest imports this package for its plugin, and
    # `resolve` and `urls` need no SDK.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_HOMES.get(name, name)}", __name__)
    value = globals()[name] = getattr(module, name) if name in _HOMES else module
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

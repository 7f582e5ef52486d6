"""The right door to an Azure Speech resource: its private endpoint, or its region."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import errors, urls
    from ._clouds import Offering
    from ._factory import SpeechConfigFactory, speech_config, translation_config
    from ._inject import extract_from_speechsdk, inject_into_speechsdk
    from ._recovery import Attempt
    from ._resolver import resolve, resolve_async
    from ._route import Route, RouteKind
    from ._settings import SpeechSettings
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
    "Attempt": "_recovery",
    "Offering": "_clouds",
    "Route": "_route",
    "RouteKind": "_route",
    "SpeechConfigFactory": "_factory",
    "SpeechRouteError": "errors",
    "SpeechSettings": "_settings",
    "extract_from_speechsdk": "_inject",
    "inject_into_speechsdk": "_inject",
    "resolve": "_resolver",
    "resolve_async": "_resolver",
    "speech_config": "_factory",
    "translation_config": "_factory",
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

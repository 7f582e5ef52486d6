"""The right door to an Azure Speech resource: its private endpoint, or its region."""

from . import errors, urls
from ._clouds import Offering
from ._factory import SpeechConfigFactory, speech_config, translation_config
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
    "resolve",
    "resolve_async",
    "speech_config",
    "translation_config",
    "urls",
]

"""What can go wrong, one class for each thing that a caller would do differently.

Every message says what was seen, why it is a problem and what to do next. Facts are in
attributes. No message, attribute, cause or pickle holds a key.
"""

from ._core.errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    Problem,
    RecognitionCanceled,
    RouteRefused,
    RouteUndecided,
    RoutingError,
    SettingsError,
    SpeechRouteError,
    TokenUnavailable,
    UnsupportedSdk,
    UnsupportedUrl,
)

__all__ = [
    "CustomDomainNotFound",
    "DnsUnavailable",
    "PrivateDnsRecordMissing",
    "Problem",
    "RecognitionCanceled",
    "RouteRefused",
    "RouteUndecided",
    "RoutingError",
    "SettingsError",
    "SpeechRouteError",
    "TokenUnavailable",
    "UnsupportedSdk",
    "UnsupportedUrl",
]

"""The words that a setting can be, where it is one of a few."""

from __future__ import annotations

from enum import StrEnum


class PrivateEndpoint(StrEnum):
    """Whether the resource has private endpoints: ask DNS, or take the user's word."""

    AUTO = "auto"
    YES = "yes"
    NO = "no"


class WhenUndecided(StrEnum):
    """What to do when DNS answers but does not tell."""

    ERROR = "error"
    PRIVATE = "private"
    REGIONAL = "regional"


class AskService(StrEnum):
    """When to ask the service itself which door it answers at."""

    IN_DOUBT = "in-doubt"
    ALWAYS = "always"
    NEVER = "never"


class Auth(StrEnum):
    """How to authenticate."""

    KEY = "key"
    ENTRA = "entra"

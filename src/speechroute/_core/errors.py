"""What can go wrong, one class for each thing that a caller would do differently.

Every message says what was seen, why it is a problem and what to do next. Facts are in
attributes. No message, attribute, cause or pickle holds a key.
"""

from __future__ import annotations

from typing import NamedTuple

from .masking import mask, mask_tokens


class SpeechRouteError(Exception):
    """The root of the errors that this library raises on purpose."""


class Problem(NamedTuple):
    """One setting that is wrong.

    Attributes:
        variable: the environment variable, for example ``SPEECH_REGION``.
        found: what was found, never a secret.
        expected: what would have been right.
        remedy: what to do.
        about: ``key`` where none is set, ``cloud`` where two contradict each other, ``host`` where
            one is none of Azure's; else empty.
    """

    variable: str
    found: str
    expected: str
    remedy: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.variable} is {self.found}, expected {self.expected}: {self.remedy}"


class SettingsError(SpeechRouteError, ValueError):
    """Settings that cannot work. Fix them.

    Attributes:
        problems: every problem found, in the order of the settings.
    """

    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, *problems: Problem) -> SettingsError:
        error = cls("\n".join(str(problem) for problem in problems))
        error.problems = problems
        return error


class UnsupportedUrl(SpeechRouteError, ValueError):
    """A URL that has no counterpart behind the other door. Use another URL.

    Attributes:
        part: the part that was not understood, for example ``host``.
        expected: what would have been.
    """

    part: str = ""
    expected: str = ""

    @classmethod
    def of(cls, part: str, found: str, expected: str) -> UnsupportedUrl:
        error = cls(
            f"the {part} of the URL is {mask(found)}, so it cannot be converted; "
            f"expected {expected}"
        )
        error.part, error.expected = part, expected
        return error


class RoutingError(SpeechRouteError):
    """DNS gave no route. The root of the four errors that say how.

    Attributes:
        custom_domain: the custom domain that was asked for.
        name: the name on the chain where it failed.
    """

    custom_domain: str = ""
    name: str = ""

    @classmethod
    def of(cls, message: str, *, custom_domain: str, name: str = "") -> RoutingError:
        error = cls(message)
        error.custom_domain, error.name = custom_domain, name or custom_domain
        return error


class CustomDomainNotFound(RoutingError):
    """The custom domain does not exist in DNS. Check its spelling and the resource."""


class PrivateDnsRecordMissing(RoutingError):
    """A private DNS zone is linked to this network but holds no record of the resource."""


class DnsUnavailable(RoutingError):
    """DNS could not be asked, or gave no usable answer. Retry, or say what it would have said."""


class RouteUndecided(RoutingError):
    """DNS answered, but its answer does not tell the route. Say it in the settings."""


class RouteRefused(SpeechRouteError):
    """The service refused every door that could be tried. The message says what that means.

    Never raised by `SpeechConfigFactory.run`, which returns the SDK's result as it was; found on
    `Attempt.error`, and raised by `StreamRecognition.finish`.

    Attributes:
        failure: what happened at the first door: ``401``, ``403``, ``404`` or ``no connection``.
        other: the same of the other door; empty where that was not tried.
        behind: ``settings`` where one of them keeps the other door shut, or is missing for it.
    """

    failure: str = ""
    other: str = ""
    behind: str = ""

    @classmethod
    def of(cls, message: str, *, failure: str, other: str = "", behind: str = "") -> RouteRefused:
        error = cls(message)
        error.failure, error.other, error.behind = failure, other, behind
        return error


class RecognitionCanceled(SpeechRouteError):
    """A continuous recognition ended before its audio did, for another reason than the route.

    Attributes:
        code: the SDK's code, for example ``TooManyRequests``.
    """

    code: str = ""

    @classmethod
    def of(cls, code: str, details: str) -> RecognitionCanceled:
        error = cls(
            f"the Speech SDK canceled the recognition with {code}, so audio is left unrecognised: "
            f"{details} Correct what it names and start again."
        )
        error.code = code
        return error


class TokenUnavailable(SpeechRouteError):
    """The credential gave no Microsoft Entra token. Sign in, or use the resource key."""

    @classmethod
    def of(cls, why: str) -> TokenUnavailable:
        return cls(
            "the credential gave no Microsoft Entra token, so no call can be made: "
            f"{mask_tokens(why)} Check that this program may sign in (az login, a managed "
            "identity), or set SPEECH_KEY."
        )


class UnsupportedSdk(SpeechRouteError):
    """The Speech SDK is not the one that `inject_into_speechsdk` was made for.

    Attributes:
        version: the SDK's version, for example ``1.53.0``.
    """

    version: str = ""

    @classmethod
    def of(cls, version: str, kind: str, found: str, replaced_by: str = "") -> UnsupportedSdk:
        remedy = "update speechroute"
        if replaced_by:
            remedy = f"call inject_into_speechsdk() before {replaced_by} replaces the constructor"
        error = cls(
            f"the constructor of {kind} in azure-cognitiveservices-speech {version} takes "
            f"{found}, which is not what this speechroute knows, so it was left as it is: "
            f"{remedy}, or call speech_config() where the configs are made."
        )
        error.version = version
        return error


_ERRORS = (SpeechRouteError, *SpeechRouteError.__subclasses__(), *RoutingError.__subclasses__())
for _kind in (Problem, *_ERRORS):
    _kind.__module__ = "speechroute.errors"  # where users find it, as tracebacks tell

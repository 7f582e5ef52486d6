"""`SpeechSettings`: what the user says, from arguments, environment, ``.env`` and secrets files."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NestedSecretsSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from . import urls
from ._clouds import REGION, Offering, cloud_of_region
from ._resource import Endpoint, Resource, parse_endpoint
from .errors import Problem, SettingsError, UnsupportedUrl

DNS_TIMEOUT_S = 5.0
"""Seconds for all lookups of a decision: what a stub resolver waits for one server by default."""
_MAX_DNS_TIMEOUT_S = 60.0
_MAX_PORT = 65535
_SECRETS_DIR = "/run/secrets"
"""Where Docker and Kubernetes mount secrets by convention."""
_KEY_LIKE = re.compile(r"[0-9a-fA-F]{32}|[0-9A-Za-z]{84}")
"""Resource keys: 32 hexadecimal digits, newer ones 84 characters (assumed)."""


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


class _Bad(ValueError):
    """A value that a setting cannot have. Carries text that is safe to show."""

    def __init__(self, found: str, expected: str, remedy: str) -> None:
        super().__init__(expected)
        self.found, self.expected, self.remedy = found, expected, remedy


def _shown(text: str) -> str:
    """A value as an error may show it: nothing that could be a secret."""
    if _KEY_LIKE.fullmatch(text):
        return "something that looks like a key"
    without_query, question_mark, _ = text.partition("?")
    scheme, separator, rest = without_query.rpartition("://")
    authority, slash, path = rest.partition("/")
    user_info, at, host = authority.rpartition("@")
    masked = f"{scheme}{separator}{'***@' if user_info or at else ''}{host}{slash}{path}"
    return repr(masked + ("?..." if question_mark else ""))


def _text(value: object, expected: str) -> str:
    if not isinstance(value, str):
        raise _Bad(f"a {type(value).__name__}", expected, "give it as text")
    if _KEY_LIKE.fullmatch(value.strip()):
        raise _Bad(_shown(value.strip()), expected, "a key belongs in SPEECH_KEY only")
    return value.strip()


def _parse_key(value: object) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    expected = "a resource key"
    remedy = "copy a key from the resource's page 'Keys and Endpoint' in the Azure portal"
    if not isinstance(text, str):
        raise _Bad(f"a {type(text).__name__}", expected, remedy)
    text = text.strip()
    if not re.fullmatch(r"[!-~]+", text):
        raise _Bad("a value with spaces or other than ASCII" if text else "empty", expected, remedy)
    return SecretStr(text)


def _parse_region(value: object) -> str:
    expected = "a region's short name like westeurope"
    text = _text(value, expected).lower()
    if not REGION.fullmatch(text):
        raise _Bad(
            _shown(text), expected, "take 'Location/Region' from the resource's page in the portal"
        )
    return text


def _choice(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    expected = "one of " + ", ".join(kind)

    def parse(value: object) -> StrEnum:
        text = _text(value, expected).lower()
        if text not in list(kind):
            raise _Bad(_shown(text), expected, "use one of these words")
        return kind(text)

    return parse


def _parse_private_endpoint(value: object) -> StrEnum:
    if isinstance(value, bool):
        return PrivateEndpoint.YES if value else PrivateEndpoint.NO
    return _choice(PrivateEndpoint)(value)


def _parse_timeout(value: object) -> float:
    try:
        seconds = float(value)  # type: ignore[arg-type]  # what float() refuses is the point
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 < seconds <= _MAX_DNS_TIMEOUT_S:
        found = _shown(value) if isinstance(value, str) else repr(value)
        raise _Bad(found, f"seconds, more than 0 and at most {_MAX_DNS_TIMEOUT_S:g}", "use e.g. 5")
    return seconds


def _parse_dns_servers(value: object) -> tuple[str, ...]:
    expected = "addresses like 10.0.0.4, 10.0.0.4:5353 or [fd00::4]:53, separated by commas"
    if isinstance(value, str):
        value = re.split(r"[\s,]+", value.strip(" ,"))
    if not isinstance(value, (list, tuple)):
        raise _Bad(f"a {type(value).__name__}", expected, "give it as text or a list")
    return tuple(_dns_server(_text(server, expected), expected) for server in value)


def _dns_server(text: str, expected: str) -> str:
    match = re.fullmatch(
        r"\[(?P<v6>[^\]]+)\](?::(?P<p6>\d+))?|(?P<v4>[^:]+)(?::(?P<p4>\d+))?", text
    )
    address, port = text, "53"
    if match:
        address = match["v6"] or match["v4"]
        port = match["p6"] or match["p4"] or port
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        parsed = None
    if parsed is None or not 0 < int(port) <= _MAX_PORT:
        raise _Bad(_shown(text), expected, "use the server's IP address, not its name") from None
    return f"[{parsed}]:{port}" if isinstance(parsed, ipaddress.IPv6Address) else f"{parsed}:{port}"


def split_proxy(url: str) -> SplitResult | None:
    """A proxy URL in its parts; None if it is not ``http://[user[:password]@]host:port``."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme == "http" and parts.hostname and parts.port
    except ValueError:
        return None
    return parts if usable and parts.path in ("", "/") and not parts.query else None


def _parse_proxy(value: object) -> SecretStr:
    text = value.get_secret_value() if isinstance(value, SecretStr) else value
    expected = "env, none or a URL like http://proxy.example:8080"
    text = _text(text, expected)
    if text.lower() in ("env", "none"):
        return SecretStr(text.lower())
    if split_proxy(text) is None:
        raise _Bad(
            _shown(text), expected, "the SDK speaks HTTP to a proxy: host and port are needed"
        )
    return SecretStr(text)


def _parse_endpoint_text(value: object) -> str:
    return _text(value, "a resource name, a host name or a URL of the resource")


def _parse_log_file(value: object) -> Path:
    return value if isinstance(value, Path) else Path(_text(value, "the path of a file"))


def _parse_word(value: object) -> str:
    text = _text(value, "text without spaces")
    if not re.fullmatch(r"[!-~]+", text):
        raise _Bad(_shown(text), "text without spaces", "see the SDK's documentation of it")
    return text


def _variable(name: str, *others: str) -> AliasChoices:
    return AliasChoices(f"SPEECH_{name}", f"AZURE_SPEECH_{name}", *others)


class SpeechSettings(BaseSettings):
    """Which Speech resource to use and how, validated as a whole.

    Each field is read from the first of: the argument of the same name, the environment
    variable ``SPEECH_{FIELD}`` (or ``AZURE_SPEECH_{FIELD}``), the file ``.env`` in the working
    directory, a file of that name in ``/run/secrets``. Empty values count as not set.
    Reads these files once, when constructed; nothing happens on the network.

    A pickle of it holds neither the key nor a proxy with credentials: both are read again from
    the environment where it is unpickled.

    Args:
        key: resource key (also ``AZURE_SPEECH_API_KEY``).
        endpoint: the resource's endpoint: ``my-name``, its custom domain, a portal URL, a full
            connection URL or a regional endpoint.
        url: full connection URL of one offering, in standard or private form.
        region: region, for example ``westeurope``; needed only where DNS cannot tell it.
        private_endpoint: ``auto`` (ask DNS), ``yes`` or ``no``; a bool is accepted.
        when_undecided: ``error``, ``private`` or ``regional``.
        language: recognition and synthesis language, for example ``de-DE``.
        voice: synthesis voice name.
        endpoint_id: custom model or custom voice deployment id.
        log_file: path of the SDK's own log.
        proxy: ``env`` (``HTTPS_PROXY``, ``NO_PROXY``), ``none`` or ``http://host:port``.
        dns_servers: resolvers, ``ip`` or ``ip:port``; default: the system's.
        dns_timeout: seconds for all lookups of one decision, at most 60.

    Raises:
        SettingsError: with one problem for each setting that cannot work.
        TypeError: an argument of another name.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        populate_by_name=True,
        secrets_dir=_SECRETS_DIR,
        validate_default=False,
    )

    key: Annotated[SecretStr, BeforeValidator(_parse_key)] = Field(
        validation_alias=_variable("KEY", "SPEECH_API_KEY", "AZURE_SPEECH_API_KEY")
    )
    endpoint: Annotated[str | None, BeforeValidator(_parse_endpoint_text)] = Field(
        None, validation_alias=_variable("ENDPOINT")
    )
    url: Annotated[str | None, BeforeValidator(_parse_endpoint_text)] = Field(
        None, validation_alias=_variable("URL")
    )
    region: Annotated[str | None, BeforeValidator(_parse_region)] = Field(
        None, validation_alias=_variable("REGION")
    )
    private_endpoint: Annotated[PrivateEndpoint, BeforeValidator(_parse_private_endpoint)] = Field(
        PrivateEndpoint.AUTO, validation_alias=_variable("PRIVATE_ENDPOINT")
    )
    when_undecided: Annotated[WhenUndecided, BeforeValidator(_choice(WhenUndecided))] = Field(
        WhenUndecided.ERROR, validation_alias=_variable("WHEN_UNDECIDED")
    )
    language: Annotated[str | None, BeforeValidator(_parse_word)] = Field(
        None, validation_alias=_variable("LANGUAGE")
    )
    voice: Annotated[str | None, BeforeValidator(_parse_word)] = Field(
        None, validation_alias=_variable("VOICE")
    )
    endpoint_id: Annotated[str | None, BeforeValidator(_parse_word)] = Field(
        None, validation_alias=_variable("ENDPOINT_ID")
    )
    log_file: Annotated[Path | None, BeforeValidator(_parse_log_file)] = Field(
        None, validation_alias=_variable("LOG_FILE")
    )
    proxy: Annotated[SecretStr, BeforeValidator(_parse_proxy)] = Field(
        SecretStr("env"), validation_alias=_variable("PROXY")
    )
    dns_servers: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_parse_dns_servers)] = Field(
        (), validation_alias=_variable("DNS_SERVERS")
    )
    dns_timeout: Annotated[float, BeforeValidator(_parse_timeout)] = Field(
        DNS_TIMEOUT_S, validation_alias=_variable("DNS_TIMEOUT")
    )

    _resource: Resource = PrivateAttr()
    _full_url: str | None = PrivateAttr()

    def __init__(self, **values: Any) -> None:
        fields = type(self).model_fields
        unknown = [name for name in values if name not in fields and not name.startswith("_")]
        if unknown:
            raise TypeError(
                f"SpeechSettings has no setting {unknown[0]!r}; it has {', '.join(fields)}"
            )
        given = {k: v for k, v in values.items() if v is not None or k not in fields}
        try:
            super().__init__(**given)
            problems: list[Problem] = []
        except ValidationError as error:
            problems = [_problem(detail) for detail in error.errors(include_input=False)]
        # Raised here, outside the except block and with the arguments gone: the original error,
        # its context and this frame would all hold the raw values, keys included.
        del values, given
        if problems:
            raise SettingsError.of(*problems)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  # the signature is pydantic's
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        secrets = NestedSecretsSettingsSource(file_secret_settings, secrets_dir_missing="ok")
        return init_settings, env_settings, dotenv_settings, secrets

    @model_validator(mode="after")
    def _settle(self) -> Self:
        """Put the names together, and refuse those that contradict each other."""
        at_endpoint = self._read("SPEECH_ENDPOINT", self.endpoint)
        at_url = self._read("SPEECH_URL", self.url)
        if self.url and not at_url.url:
            raise _of(
                "SPEECH_URL",
                _shown(self.url),
                "a URL with the path of one offering",
                "put an endpoint without such a path into SPEECH_ENDPOINT",
            )
        domains = {domain for domain in (at_endpoint.custom_domain, at_url.custom_domain) if domain}
        regions = {r for r in (at_endpoint.region, at_url.region, self.region) if r}
        for kind, names in (("custom domains", domains), ("regions", regions)):
            if len(names) > 1:
                raise _of(
                    "SPEECH_URL"
                    if len({at_url.region, at_url.custom_domain} & names)
                    else "SPEECH_REGION",
                    f"in conflict: {' and '.join(sorted(names))}",
                    f"one of the two {kind}",
                    "name the same resource in SPEECH_ENDPOINT, SPEECH_URL and SPEECH_REGION",
                )
        self._resource = Resource(next(iter(domains), None), next(iter(regions), None))
        self._full_url = at_url.url or at_endpoint.url
        if not domains and not regions:
            raise _of(
                "SPEECH_ENDPOINT",
                "not set",
                "the resource's endpoint",
                "copy 'Endpoint' from the resource's page 'Keys and Endpoint' in the Azure portal, "
                "or set SPEECH_REGION for a resource without a custom domain",
            )
        if (
            domains
            and regions
            and cloud_of_region(self._resource.region or "") is not self._resource.cloud
        ):
            raise _of(
                "SPEECH_REGION",
                repr(self._resource.region),
                f"a region of the cloud of {self._resource.custom_domain}",
                "correct whichever of the two is wrong",
            )
        if self.private_endpoint is PrivateEndpoint.YES and not domains:
            raise _of(
                "SPEECH_PRIVATE_ENDPOINT",
                "'yes'",
                "a custom domain in SPEECH_ENDPOINT with it",
                "a private endpoint is reached through the custom domain: set SPEECH_ENDPOINT",
            )
        return self

    def _read(self, variable: str, text: str | None) -> Endpoint:
        if text is None:
            return Endpoint(None, None, None)
        try:
            return parse_endpoint(text, self.region)
        except UnsupportedUrl as error:
            part, expected = error.part, error.expected
        remedy = f"its {part} was not understood; copy the endpoint from the Azure portal"
        raise _of(variable, _shown(text), expected, remedy)

    @property
    def resource(self) -> Resource:
        """The resource that endpoint, URL and region name together."""
        return self._resource

    @property
    def full_url(self) -> str | None:
        """The full connection URL: ``url``, else ``endpoint`` if it was one."""
        return self._full_url

    def override(self, **changes: Any) -> SpeechSettings:
        """These settings with some changed, validated again.

        Raises:
            SettingsError, TypeError: as the constructor does.
        """
        return type(self)(**{**self._values(), **changes}) if changes else self

    def url_for(self, offering: Offering | str, url: str | None = None) -> str | None:
        """The full URL to use for an offering, or None where none is set.

        Args:
            offering: what the URL must serve.
            url: taken instead of the settings' own.

        Raises:
            SettingsError: the URL is of another offering or another resource.
        """
        settings = self.override(url=url) if url else self
        if settings.full_url is None:
            return None
        found = urls.parse(settings.full_url).offering
        wanted = Offering(offering)
        if found not in _SERVED_BY[wanted]:
            raise SettingsError.of(
                Problem(
                    "SPEECH_URL" if settings.url else "SPEECH_ENDPOINT",
                    f"a URL of {found}",
                    f"a URL of {wanted}",
                    "use it for that offering only: pass the offering that it is for, "
                    "or set the resource's endpoint without a path",
                )
            )
        return settings.full_url

    def _values(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._values()
        del values["key"]
        proxy = split_proxy(self.proxy.get_secret_value())
        if proxy and proxy.username is not None:
            del values["proxy"]
        return _unpickle, (type(self), values)


_SERVED_BY: Mapping[Offering, frozenset[Offering]] = {
    Offering.STT: frozenset({Offering.STT}),
    Offering.TTS: frozenset({Offering.TTS, Offering.VOICE}),
    Offering.S2S: frozenset({Offering.S2S, Offering.STT}),
    Offering.VOICE: frozenset({Offering.VOICE, Offering.TTS}),
    Offering.CONVAI: frozenset({Offering.CONVAI, Offering.STT}),
    Offering.COMMANDS: frozenset({Offering.COMMANDS}),
}
"""Offerings whose URLs serve a client: newer SDKs translate and transcribe conversations at
``stt``, and reach custom voices under ``tts`` (measured, 1.53)."""


def _unpickle(cls: type[SpeechSettings], values: dict[str, Any]) -> SpeechSettings:
    return cls(**values)


class _Contradiction(ValueError):
    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


def _of(variable: str, found: str, expected: str, remedy: str) -> _Contradiction:
    return _Contradiction(Problem(variable, found, expected, remedy))


def _problem(detail: Any) -> Problem:
    """One problem out of one entry of pydantic's error list, which holds no input."""
    cause = detail.get("ctx", {}).get("error")
    if isinstance(cause, _Contradiction):
        return cause.problem
    field = str(detail["loc"][0]) if detail["loc"] else ""
    variable = field if field.startswith("SPEECH_") else f"SPEECH_{field.upper()}"
    if isinstance(cause, _Bad):
        return Problem(variable, cause.found, cause.expected, cause.remedy)
    if detail["type"] == "missing":
        remedy = "copy a key from the resource's page 'Keys and Endpoint' in the Azure portal"
        return Problem(variable, "not set", "a resource key", remedy)
    return Problem(variable, "not usable", detail["msg"], "correct it")

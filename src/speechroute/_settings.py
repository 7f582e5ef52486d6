"""`SpeechSettings`: what the user says, from arguments, environment, ``.env`` and secrets files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    PrivateAttr,
    SecretStr,
    SkipValidation,
    ValidationError,
    ValidationInfo,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from . import _values, urls
from ._clouds import Offering, cloud_of_region
from ._keys import FileKey
from ._resource import Endpoint, Resource
from ._sources import sources_of
from ._values import (
    Auth,
    Contradiction,
    PrivateEndpoint,
    WhenUndecided,
    problem_of,
    the_one,
)
from ._vault import VaultKey
from .errors import Problem, SettingsError, forgetting

DNS_TIMEOUT_S = 5.0
"""Seconds for all lookups of a decision: what a stub resolver waits for one server by default."""
ROUTE_TTL_MIN_S, ROUTE_TTL_MAX_S = 5.0, 300.0
"""Bounds on how long a route is kept, seconds: a time to live of 0 would ask DNS at every call,
and one of a day would outlast the removal of a private endpoint."""
ROUTE_STALE_S = 3600.0
"""Seconds that the last known route outlives a failing DNS: an outage of DNS should not become
one of speech, and an hour is longer than most."""
_SECRETS_DIR = "/run/secrets"
"""Where Docker and Kubernetes mount secrets by convention."""
_SHORTEST_KEY = 16
"""Characters below which a key is a stand-in, and may occur in a name by chance."""


def _setting(default: Any, name: str, *others: str, validate_default: bool = False) -> Any:
    aliases = AliasChoices(f"SPEECH_{name}", f"AZURE_SPEECH_{name}", *others)
    return Field(default, validation_alias=aliases, validate_default=validate_default)


def _optional(parse: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: None if value is None else parse(value))


_Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_values.allow_hosts)]
_FullUrl = Annotated[str | None, _optional(_values.full_url)]
_Region = Annotated[str | None, _optional(_values.region)]
_Word = Annotated[str | None, _optional(_values.word)]
_File = Annotated[Path | None, _optional(_values.path)]
_Choice = Annotated[PrivateEndpoint, BeforeValidator(_values.private_endpoint)]
_Policy = Annotated[WhenUndecided, BeforeValidator(_values.choice(WhenUndecided))]
_Auth = Annotated[Auth | None, _optional(_values.choice(Auth))]
_Vault = Annotated[str | None, _optional(_values.key_vault)]
_ResourceId = Annotated[str | None, _optional(_values.resource_id)]
_Proxy = Annotated[SecretStr, BeforeValidator(_values.proxy)]
_Servers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_values.dns_servers)]
_Duration = Annotated[float, BeforeValidator(_values.duration)]
_Timeout = Annotated[float, BeforeValidator(_values.timeout)]


def _endpoint(value: object, info: ValidationInfo) -> str | None:
    return None if value is None else _values.endpoint(value, info.data.get("allow_hosts", ()))


_Endpoint = Annotated[str | None, BeforeValidator(_endpoint)]
_NO_KEY = SecretStr("")


def _key(value: object, info: ValidationInfo) -> SecretStr:
    """The key, or that of the file, or an empty one where none is needed."""
    if isinstance(value, (FileKey, VaultKey)):
        return value
    if value in (None, _NO_KEY):
        value = info.data.get("key_file")
    if isinstance(value, Path):
        return FileKey(value)
    is_elsewhere = _values.other_host(info.data.get("endpoint"), info.data.get("allow_hosts", ()))
    if value is None and (is_elsewhere or info.data.get("auth") is Auth.ENTRA):
        return _NO_KEY
    return _values.key(value)


_Key = Annotated[SecretStr, SkipValidation(), BeforeValidator(_key)]


class SpeechSettings(BaseSettings):
    """Which Speech resource to use and how, validated as a whole.

    Each field is read from the first of: the argument of the same name, the environment
    variable ``SPEECH_{FIELD}`` (or ``AZURE_SPEECH_{FIELD}``), the file ``.env`` in the working
    directory, a file of that name in ``/run/secrets``, the vault of ``key_vault``. None and empty
    values count as not set. Reads these once, when constructed, but for a key in a file, which is
    read again when the file changes. Nothing happens on the network unless a vault is named and
    no key is given elsewhere.

    A pickle of it holds neither the key nor a proxy with credentials: both are read again from
    the environment where it is unpickled.

    Args:
        allow_hosts: hosts beside Azure's that the key may be sent to.
        auth: ``key`` or ``entra``; default: ``key``.
        resource_id: id of the resource, for Microsoft Entra ID through the region.
        key_file: file that holds the key; read again when it changes.
        key_vault: Azure Key Vault that holds what nothing else says, ``SPEECH-KEY`` for the key.
        key: resource key (also ``SPEECH_API_KEY``, ``AZURE_SPEECH_API_KEY``).
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
        route_ttl_min, route_ttl_max: bounds on how long a route is kept, seconds.
        route_stale: how long the last known route outlives a failing DNS, seconds.

    Raises:
        SettingsError: with one problem for each setting that cannot work.
        TypeError: an argument of another name.
    """

    model_config = SettingsConfigDict(
        defer_build=True,  # a fifth of the library's own import time
        env_file=".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        secrets_dir=_SECRETS_DIR,
        validate_default=False,
    )

    allow_hosts: _Hosts = _setting((), "ALLOW_HOSTS")
    endpoint: _Endpoint = _setting(None, "ENDPOINT")
    auth: _Auth = _setting(None, "AUTH")
    resource_id: _ResourceId = _setting(None, "RESOURCE_ID")
    key_file: _File = _setting(None, "KEY_FILE")
    key_vault: _Vault = _setting(None, "KEY_VAULT")
    key: _Key = _setting(
        None, "KEY", "SPEECH_API_KEY", "AZURE_SPEECH_API_KEY", validate_default=True
    )
    url: _FullUrl = _setting(None, "URL")
    region: _Region = _setting(None, "REGION")
    private_endpoint: _Choice = _setting(PrivateEndpoint.AUTO, "PRIVATE_ENDPOINT")
    when_undecided: _Policy = _setting(WhenUndecided.ERROR, "WHEN_UNDECIDED")
    language: _Word = _setting(None, "LANGUAGE")
    voice: _Word = _setting(None, "VOICE")
    endpoint_id: _Word = _setting(None, "ENDPOINT_ID")
    log_file: _File = _setting(None, "LOG_FILE")
    proxy: _Proxy = _setting(SecretStr("env"), "PROXY")
    dns_servers: _Servers = _setting((), "DNS_SERVERS")
    dns_timeout: _Timeout = _setting(DNS_TIMEOUT_S, "DNS_TIMEOUT")
    route_ttl_min: _Duration = _setting(ROUTE_TTL_MIN_S, "ROUTE_TTL_MIN")
    route_ttl_max: _Duration = _setting(ROUTE_TTL_MAX_S, "ROUTE_TTL_MAX")
    route_stale: _Duration = _setting(ROUTE_STALE_S, "ROUTE_STALE")

    _resource: Resource = PrivateAttr()
    _full_url: str | None = PrivateAttr()

    def __init__(self, **values: Any) -> None:
        given = {name: value for name, value in values.items() if _is_set(value)}
        values.clear()
        self._read(given)

    def _read(self, values: dict[str, Any]) -> None:
        """Validate ``values``, and what the other sources say where they say nothing."""
        fields = type(self).model_fields
        unknown = [name for name in values if name not in fields and not name.startswith("_")]
        # Under the names of variables, not of fields: with the latter allowed, pydantic-settings
        # would take ENDPOINT or LANGUAGE from the environment for settings of this library.
        named = {f"SPEECH_{k.upper()}" if k in fields else k: v for k, v in values.items()}
        file = values.get("key_file")
        if isinstance(file, (str, Path)) and not values.get("key"):
            # An argument wins over a key in the environment.
            named["SPEECH_KEY"] = Path(file)
        values.clear()
        failure: Exception | None = None
        if unknown:
            failure = TypeError(
                f"there is no setting {unknown[0]!r}; there are {', '.join(fields)}"
            )
        else:
            try:
                super().__init__(**named)
            except ValidationError as error:
                details = error.errors(include_input=False)
                failure = SettingsError.of(*map(problem_of, details))
            except SettingsError as error:
                failure = SettingsError.of(*error.problems)
            except UnicodeDecodeError:
                problem = (".env or a secrets file", "not UTF-8", "UTF-8 text", "save it as UTF-8")
                failure = SettingsError.of(Problem(*problem))
        if failure:
            # Raised outside the except block and with the values gone: the original error, its
            # context and the locals of these frames would show them, keys included.
            named.clear()
            self.__dict__.clear()
            raise failure

    @classmethod
    def _exactly(cls, values: dict[str, Any]) -> Self:
        """Settings with these values, None included: no other source fills what is not set."""
        settings = cls.__new__(cls)
        settings._read(values)  # noqa: SLF001  # its own
        return settings

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return sources_of(
            settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings
        )

    @model_validator(mode="after")
    def _settle(self) -> Self:
        """Put the names together, and refuse those that contradict each other."""
        self._refuse_key_elsewhere()
        nothing = Endpoint(None, None, None)
        other_host = _values.other_host(self.endpoint, self.allow_hosts)
        at_endpoint = nothing
        if self.endpoint and not other_host:
            at_endpoint = _values.endpoint_in(self.endpoint, self.region)
        at_url = _values.endpoint_in(self.url) if self.url else nothing
        custom_domain = the_one(
            "custom domains",
            SPEECH_ENDPOINT=at_endpoint.custom_domain,
            SPEECH_URL=at_url.custom_domain,
        )
        region = the_one(
            "regions",
            SPEECH_ENDPOINT=at_endpoint.region,
            SPEECH_REGION=self.region,
            SPEECH_URL=at_url.region,
        )
        if other_host:
            self._settle_elsewhere(other_host, region or custom_domain)
            return self
        if custom_domain is None and region is None:
            raise Contradiction(
                "SPEECH_ENDPOINT",
                "not set",
                "the resource's endpoint",
                "copy 'Endpoint' from the resource's page 'Keys and Endpoint' in the Azure portal, "
                "or set SPEECH_REGION for a resource without a custom domain",
            )
        self._resource = Resource(custom_domain, region)
        self._full_url = at_url.url or at_endpoint.url
        if region and cloud_of_region(region) is not self._resource.cloud:
            raise Contradiction(
                "SPEECH_REGION" if self.region else "SPEECH_URL",
                repr(region),
                f"a region of the cloud of {custom_domain}",
                "correct whichever of the two is wrong",
                "cloud",
            )
        if self.route_ttl_min > self.route_ttl_max:
            raise Contradiction(
                "SPEECH_ROUTE_TTL_MIN",
                f"{self.route_ttl_min:g}",
                f"at most SPEECH_ROUTE_TTL_MAX, which is {self.route_ttl_max:g}",
                "raise the one or lower the other",
            )
        if self.is_entra and custom_domain is None and self.resource_id is None:
            raise Contradiction(
                "SPEECH_AUTH",
                "'entra' with a region alone",
                "a custom domain in SPEECH_ENDPOINT, or SPEECH_RESOURCE_ID",
                "copy 'Endpoint' from the resource's page 'Keys and Endpoint' in the Azure portal",
            )
        if self.private_endpoint is PrivateEndpoint.YES and custom_domain is None:
            raise Contradiction(
                "SPEECH_PRIVATE_ENDPOINT",
                "'yes'",
                "a custom domain in SPEECH_ENDPOINT with it",
                "a private endpoint is reached through the custom domain: set SPEECH_ENDPOINT",
            )
        return self

    def _settle_elsewhere(self, other_host: str, named: str | None) -> None:
        """A host beside Azure's leaves nothing to decide."""
        self._resource, self._full_url = Resource(None, None, other_host), None
        if named:
            raise Contradiction(
                "SPEECH_ENDPOINT",
                f"a host of SPEECH_ALLOW_HOSTS beside {named}",
                "one resource",
                "take SPEECH_REGION and SPEECH_URL out for a host of your own",
            )
        if self.is_entra:
            raise Contradiction(
                "SPEECH_AUTH",
                "'entra' with a host of SPEECH_ALLOW_HOSTS",
                "a key, or no credential",
                "tokens are for Azure's own hosts: set SPEECH_KEY if the host wants a key",
            )

    def _refuse_key_elsewhere(self) -> None:
        """A key in any other setting would end up in DNS queries, URLs and logs."""
        key = self.key.get_secret_value()
        for name in ("endpoint", "url", "language", "voice", "endpoint_id"):
            if len(key) >= _SHORTEST_KEY and key in (getattr(self, name) or ""):
                raise Contradiction(
                    f"SPEECH_{name.upper()}",
                    "a value with the key in it",
                    "a value without it",
                    "a key belongs in SPEECH_KEY only",
                )

    @property
    def resource(self) -> Resource:
        """The resource that endpoint, URL and region name together."""
        return self._resource

    @property
    def is_entra(self) -> bool:
        """Whether Microsoft Entra ID authenticates, not a key."""
        return self.auth is Auth.ENTRA

    @property
    def full_url(self) -> str | None:
        """The full connection URL: ``url``, else ``endpoint`` if it was one."""
        return self._full_url

    @forgetting
    def override(self, **changes: Any) -> SpeechSettings:
        """These settings with some changed, validated again; nothing is read again.

        None and empty values change nothing.

        Raises:
            SettingsError, TypeError: as the constructor does.
        """
        given = {name: value for name, value in changes.items() if _is_set(value)}
        if "key" in given:
            given.setdefault("key_file", None)
        elif "key_file" in given:
            given["key"] = None
        return self._exactly({**self._fields(), **given}) if given else self

    def url_for(self, offering: Offering | str) -> str | None:
        """The full URL to use for an offering, or None where none is set.

        Raises:
            SettingsError: the URL is of another offering.
            ValueError: there is no such offering.
        """
        wanted = Offering(offering)
        if self.full_url is None:
            return None
        found = urls.parse(self.full_url).offering
        if found not in urls.SERVED_BY[wanted]:
            raise SettingsError.of(
                Problem(
                    "SPEECH_URL" if self.url else "SPEECH_ENDPOINT",
                    f"a URL of {found}",
                    f"a URL of {wanted}",
                    "use it for that offering only: pass the offering that it is for, "
                    "or set the resource's endpoint without a path",
                )
            )
        return self.full_url

    @property
    def url_language(self) -> str | None:
        """The language in the full URL's query, which wins over ``language`` (documented)."""
        return urls.language_in(self.full_url)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._fields()
        del values["key"]
        if not isinstance(self.key, FileKey):
            values["key_file"] = None  # it was not used here, and need not exist there
        proxy = _values.split_proxy(self.proxy.get_secret_value())
        if proxy and proxy.username is not None:
            del values["proxy"]
        return type(self)._exactly, (values,)  # noqa: SLF001  # its own


def _is_set(value: object) -> bool:
    return value is not None and value not in ("", _NO_KEY)

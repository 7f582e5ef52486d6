"""`SpeechSettings`: what the user says, from arguments, environment, ``.env`` and secrets files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Self

from pydantic import PrivateAttr, SecretStr, ValidationError, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from .._core import urls
from .._core.choices import AskService, Auth, PrivateEndpoint, WhenUndecided
from .._core.clouds import Offering
from .._core.errors import Problem, SettingsError
from .._core.forgetting import forgetting
from .._core.resource import Resource
from . import fields, parsers
from .consistency import settle
from .key_file import FileKey
from .origin import DEFAULT, Origin, Origins, log_path_of, refuse_overwriting
from .parsers import revealed
from .problems import Contradiction, problem_of
from .sources import ORIGINS, sources_of

_SECRETS_DIR = "/run/secrets"
"""Where Docker and Kubernetes mount secrets by convention."""


class SpeechSettings(BaseSettings):
    """Which Speech resource to use and how, validated as a whole.

    Each field is read from the first of: the argument of the same name, the environment
    variable ``SPEECH_{FIELD}`` (or ``AZURE_SPEECH_{FIELD}``), the file ``.env`` in the working
    directory, a file of that name in ``/run/secrets``, the vault of ``key_vault``. None and empty
    values count as not set. Reads these once, when constructed, but for a key in a file, which is
    read again when the file changes. Nothing happens on the network unless a vault is named and
    no key is given elsewhere.

    Hosts that a ``.env`` allows are for a key of that ``.env``, or of a key file in its folder,
    and its ``log_file`` replaces nothing outside its folder but logs of the SDK and empty files.

    pydantic's ``model_copy`` and ``model_construct`` check nothing of this.

    A pickle of it holds neither the key, nor a proxy with credentials, nor what a ``.env`` says of
    ``allow_hosts`` and ``log_file``: they are read again where it is unpickled.

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
        ask_service: when to ask the service itself, without the key: ``in-doubt`` (where DNS does
            not tell the route), ``always`` or ``never``.
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
        env_file_encoding="utf-8-sig",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
        secrets_dir=_SECRETS_DIR,
        validate_default=False,
    )

    allow_hosts: fields.Hosts = fields.setting((), "ALLOW_HOSTS")
    endpoint: fields.Endpoint = fields.setting(None, "ENDPOINT")
    auth: fields.AuthWord = fields.setting(None, "AUTH")
    resource_id: fields.ResourceId = fields.setting(None, "RESOURCE_ID")
    key_file: fields.File = fields.setting(None, "KEY_FILE")
    key_vault: fields.Vault = fields.setting(None, "KEY_VAULT")
    key: fields.Key = fields.setting(
        None, "KEY", "SPEECH_API_KEY", "AZURE_SPEECH_API_KEY", validate_default=True
    )
    url: fields.FullUrl = fields.setting(None, "URL")
    region: fields.Region = fields.setting(None, "REGION")
    private_endpoint: fields.Choice = fields.setting(PrivateEndpoint.AUTO, "PRIVATE_ENDPOINT")
    when_undecided: fields.Policy = fields.setting(WhenUndecided.ERROR, "WHEN_UNDECIDED")
    ask_service: fields.Asking = fields.setting(AskService.IN_DOUBT, "ASK_SERVICE")
    language: fields.Word = fields.setting(None, "LANGUAGE")
    voice: fields.Word = fields.setting(None, "VOICE")
    endpoint_id: fields.Word = fields.setting(None, "ENDPOINT_ID")
    log_file: fields.File = fields.setting(None, "LOG_FILE")
    proxy: fields.Proxy = fields.setting(SecretStr("env"), "PROXY")
    dns_servers: fields.Servers = fields.setting((), "DNS_SERVERS")
    dns_timeout: fields.Timeout = fields.setting(fields.DNS_TIMEOUT_S, "DNS_TIMEOUT")
    route_ttl_min: fields.Duration = fields.setting(fields.ROUTE_TTL_MIN_S, "ROUTE_TTL_MIN")
    route_ttl_max: fields.Duration = fields.setting(fields.ROUTE_TTL_MAX_S, "ROUTE_TTL_MAX")
    route_stale: fields.Duration = fields.setting(fields.ROUTE_STALE_S, "ROUTE_STALE")

    _resource: Resource = PrivateAttr()
    _full_url: str | None = PrivateAttr()
    _origins: Origins = PrivateAttr(default_factory=Origins)

    def __init__(self, **values: Any) -> None:
        given = {name: value for name, value in values.items() if _is_set(value)}
        values.clear()
        self._read(given)

    def _read(self, values: dict[str, Any]) -> None:
        """Validate ``values``, and what the other sources say where they say nothing."""
        known = type(self).model_fields
        unknown = [name for name in values if name not in known and not name.startswith("_")]
        # Under the names of variables, not of fields: with the latter allowed, pydantic-settings
        # would take ENDPOINT or LANGUAGE from the environment for settings of this library.
        named = {f"SPEECH_{k.upper()}" if k in known else k: v for k, v in values.items()}
        file = revealed(values.get("key_file"))
        if isinstance(file, (str, Path)) and not values.get("key"):
            # An argument wins over a key in the environment.
            named["SPEECH_KEY"] = Path(file)
        values.clear()
        failure: Exception | None = None
        if unknown:
            failure = TypeError(f"there is no setting {unknown[0]!r}; there are {', '.join(known)}")
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
    def _exactly(cls, values: dict[str, Any], origins: Origins | None = None) -> Self:
        """Settings with these values, None included: no other source fills what is not set."""
        settings = cls.__new__(cls)
        settings._read({**values, ORIGINS: origins or {}})  # noqa: SLF001  # its own
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

    @model_validator(mode="wrap")
    @classmethod
    def _settle(cls, said: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        # Not there if these are settings already, as the field of another model.
        origins = said.get(ORIGINS) if isinstance(said, dict) else None
        return validate(said)._settled(origins)  # noqa: SLF001  # its own

    def _settled(self, origins: Origins | None) -> Self:
        if origins is not None:
            self._origins = origins
        self._resource, self._full_url = settle(self)
        return self

    @property
    def resource(self) -> Resource:
        """The resource that endpoint, URL and region name together."""
        return self._resource

    @property
    def log_path(self) -> Path | None:
        """Where the log file is: one of a ``.env`` stays in its folder if the program leaves it.

        Raises:
            SettingsError: what it would replace has appeared since.
        """
        try:
            refuse_overwriting(self)
        except Contradiction as error:
            raise SettingsError.of(error.problem) from None
        return log_path_of(self)

    @property
    def is_entra(self) -> bool:
        """Whether Microsoft Entra ID authenticates, not a key."""
        return self.auth is Auth.ENTRA

    @property
    def full_url(self) -> str | None:
        """The full connection URL: ``url``, else ``endpoint`` if it was one."""
        return self._full_url

    def origin_of(self, field: str) -> Origin:
        """Where a setting was read from; for a key in a file, where the file is named."""
        if field == "key" and isinstance(self.key, FileKey) and self.key_file:
            named = self.key_file.absolute() == self.key.path
            field = "key_file" if named else field
        return self._origins.get(field, DEFAULT)

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
        if not given:
            return self
        values = self._fields()
        return self._exactly({**values, **given}, self._origins_of(values.keys() - given.keys()))

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
        """The language in the full URL's query, which wins (documented: SDK-URL-WINS)."""
        return urls.language_in(self.full_url)

    def _fields(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in type(self).model_fields}

    def _origins_of(self, names: Iterable[str]) -> Origins:
        return Origins({name: self._origins.get(name, DEFAULT) for name in names})

    def __reduce__(self) -> tuple[Any, ...]:
        values = self._fields()
        del values["key"]
        for name in ("allow_hosts", "log_file"):
            if self.origin_of(name).folder:  # what that .env says holds for its own folder
                del values[name]
        if not isinstance(self.key, FileKey):
            values["key_file"] = None  # it was not used here, and need not exist there
        proxy = parsers.split_proxy(self.proxy.get_secret_value())
        if proxy and proxy.username is not None:
            del values["proxy"]
        return type(self)._exactly, (values, self._origins_of(values))  # noqa: SLF001  # its own


def _is_set(value: object) -> bool:
    return value is not None and value not in ("", fields.NO_KEY)

"""The type of each setting: how it is read, and its default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AliasChoices,
    BeforeValidator,
    Field,
    SecretStr,
    SkipValidation,
    ValidationInfo,
)
from pydantic_settings import NoDecode

from .._core.choices import AskService, Auth, PrivateEndpoint, WhenUndecided
from . import parsers
from .key_file import FileKey
from .key_vault import VaultKey

DNS_TIMEOUT_S = 5.0
"""Seconds for all lookups of a decision: what a stub resolver waits for one server by default."""
ROUTE_TTL_MIN_S, ROUTE_TTL_MAX_S = 5.0, 300.0
"""Bounds on how long a route is kept, seconds: a time to live of 0 would ask DNS at every call,
and one of a day would outlast the removal of a private endpoint."""
ROUTE_STALE_S = 3600.0
"""Seconds that the last known route outlives a failing DNS: an outage of DNS should not become
one of speech, and an hour is longer than most."""


def setting(default: Any, name: str, *others: str, validate_default: bool = False) -> Any:
    aliases = AliasChoices(f"SPEECH_{name}", f"AZURE_SPEECH_{name}", *others)
    return Field(default, validation_alias=aliases, validate_default=validate_default)


def _optional(parse: Any) -> BeforeValidator:
    return BeforeValidator(lambda value: None if value is None else parse(value))


Hosts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parsers.allow_hosts)]
FullUrl = Annotated[str | None, _optional(parsers.full_url)]
Region = Annotated[str | None, _optional(parsers.region)]
Word = Annotated[str | None, _optional(parsers.word)]
File = Annotated[Path | None, _optional(parsers.path)]
Choice = Annotated[PrivateEndpoint, BeforeValidator(parsers.private_endpoint)]
Policy = Annotated[WhenUndecided, BeforeValidator(parsers.choice(WhenUndecided))]
Asking = Annotated[AskService, BeforeValidator(parsers.choice(AskService))]
AuthWord = Annotated[Auth | None, _optional(parsers.choice(Auth))]
Vault = Annotated[str | None, _optional(parsers.key_vault)]
ResourceId = Annotated[str | None, _optional(parsers.resource_id)]
Proxy = Annotated[SecretStr, BeforeValidator(parsers.proxy)]
Servers = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parsers.dns_servers)]
Duration = Annotated[float, BeforeValidator(parsers.duration)]
Timeout = Annotated[float, BeforeValidator(parsers.timeout)]


def _endpoint(value: object, info: ValidationInfo) -> str | None:
    return None if value is None else parsers.endpoint(value, info.data.get("allow_hosts", ()))


Endpoint = Annotated[str | None, BeforeValidator(_endpoint)]
NO_KEY = SecretStr("")


def _key(value: object, info: ValidationInfo) -> SecretStr:
    """The key, or that of the file, or an empty one where none is needed."""
    if isinstance(value, VaultKey):
        value.take(value)
    if isinstance(value, (FileKey, VaultKey)):
        return value
    if value in (None, NO_KEY):
        value = info.data.get("key_file")
    if "key_file" not in info.data and (value is None or isinstance(value, Path)):
        return NO_KEY  # the parser of the file's path has refused it
    if isinstance(value, Path):
        return FileKey(value)
    is_elsewhere = parsers.other_host(info.data.get("endpoint"), info.data.get("allow_hosts", ()))
    if value is None and (is_elsewhere or info.data.get("auth") is Auth.ENTRA):
        return NO_KEY
    return parsers.key(value)


Key = Annotated[SecretStr, SkipValidation(), BeforeValidator(_key)]

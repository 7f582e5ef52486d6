"""`call_of`: what a call of the SDK's constructor says of its door, and whether it means us.

Contract: pure but for one line in the log.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from azure.core.credentials import AzureKeyCredential, TokenCredential
from pydantic import SecretStr

from .._core.clouds import Offering, cloud_of_region, recognise_host
from .._core.errors import UnsupportedUrl
from .._core.resource import Endpoint, Resource, parse_endpoint, parse_other_host
from .._settings.model import SpeechSettings
from .credential import Secret, fingerprint_of

_log = logging.getLogger("speechroute")

DOORS = {"region": str, "endpoint": str, "host": str}
CREDENTIALS = {
    "subscription": str,
    "key_credential": AzureKeyCredential,
    "token_credential": TokenCredential,
    "auth_token": str,
}
AAD = "aad#"


class Call(NamedTuple):
    """What a call says of the door beyond which resource it leads to.

    Attributes:
        offering: what the config is for, where the call tells.
        full_url: the full connection URL, where it is one.
    """

    offering: Offering | None = None
    full_url: str | None = None


def call_of(given: Mapping[str, Any], settings: SpeechSettings, own: Secret) -> Call | None:
    """What a call says of its door, or None if it does not lead to this resource.

    A region or endpoint that names this resource is enough, whatever the key: a resource has two,
    and they change. Where nothing tells the resource's region, its key does.
    """
    resource = settings.resource
    types = {**DOORS, **CREDENTIALS}
    if not all(isinstance(given[name], types[name]) for name in given.keys() & types.keys()):
        return None
    doors = [name for name in DOORS if name in given]
    credentials = [name for name in CREDENTIALS if name in given]
    if "" in (given.get("subscription"), given.get("auth_token")):
        return None  # the SDK refuses it, or knows what it means
    if len(credentials) > 1 or not (doors or credentials):
        return None  # the SDK refuses it
    if "token_credential" in given and not (resource.custom_domain or settings.resource_id):
        return None
    is_of_dotenv = resource.other_host and settings.origin_of("allow_hosts").folder
    if is_of_dotenv and not doors and not _is_own(given, settings, own):
        return None  # nothing but a .env says that this credential may go there
    found = Call()
    for name in doors:
        if resource.other_host:
            if name == "region" or _other_host(given[name], settings) != resource.other_host:
                return None
            continue
        endpoint = _endpoint(name, given[name], resource)
        if endpoint is None or not _is_of(endpoint, resource, given, settings, own):
            return None
        found = Call(endpoint.offering or found.offering, endpoint.url or found.full_url)
    return found


def _endpoint(name: str, text: str, resource: Resource) -> Endpoint | None:
    if name == "region":
        return Endpoint(None, text.lower(), None)
    try:
        return parse_endpoint(text, resource.region)
    except UnsupportedUrl:
        return None


def _other_host(text: str, settings: SpeechSettings) -> str | None:
    try:
        return parse_other_host(text, settings.allow_hosts)
    except ValueError:
        return None


def _is_of(
    endpoint: Endpoint,
    resource: Resource,
    given: Mapping[str, Any],
    settings: SpeechSettings,
    own: Secret,
) -> bool:
    if endpoint.custom_domain:
        return _name_of(endpoint.custom_domain) == _name_of(resource.custom_domain or "")
    region = endpoint.region or ""
    if resource.region or cloud_of_region(region) is not resource.cloud:
        return region == resource.region
    is_ours = _is_own(given, settings, own)
    if not is_ours:
        _log.warning(
            "A SpeechConfig for %s is left as it is: it has another key, and the region of %s is "
            "not known. Set SPEECH_REGION if the two are the same resource.",
            region,
            resource.custom_domain,
        )
    return is_ours


def _name_of(custom_domain: str) -> tuple[str, str]:
    """Cloud and name of a resource: its custom domains differ in nothing but the suffix."""
    host = recognise_host(custom_domain)
    return host.cloud.name if host else "", custom_domain.partition(".")[0].lower()


def _is_own(given: Mapping[str, Any], settings: SpeechSettings, own: Secret) -> bool:
    """Whether a call has the credential of this resource."""
    if "auth_token" in given:
        return str(given["auth_token"]).startswith(f"{AAD}{settings.resource_id}#")
    key = given.get("key_credential") or SecretStr(given.get("subscription", ""))
    return "token_credential" not in given and fingerprint_of(key) == fingerprint_of(own)

"""`settle`: what the settings name together, and which of them contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._core.choices import PrivateEndpoint
from .._core.clouds import cloud_of_region
from .._core.resource import Endpoint, Resource
from . import parsers
from .origin import refuse_key_astray, refuse_overwriting
from .problems import Contradiction

if TYPE_CHECKING:
    from .model import SpeechSettings

_SHORTEST_KEY = 16
"""Characters below which a key is a stand-in, and may occur in a name by chance."""


def settle(said: SpeechSettings) -> tuple[Resource, str | None]:
    """Put the names together, and refuse what contradicts each other.

    Returns:
        The resource, and the full connection URL, if one is set.

    Raises:
        Contradiction: settings that cannot go together.
    """
    _refuse_key_elsewhere(said)
    refuse_overwriting(said)
    nothing = Endpoint(None, None, None)
    other_host = parsers.other_host(said.endpoint, said.allow_hosts)
    at_endpoint = nothing
    if said.endpoint and not other_host:
        at_endpoint = parsers.endpoint_in(said.endpoint, said.region)
    at_url = parsers.endpoint_in(said.url) if said.url else nothing
    custom_domain = _the_one(
        "custom domains",
        SPEECH_ENDPOINT=at_endpoint.custom_domain,
        SPEECH_URL=at_url.custom_domain,
    )
    region = _the_one(
        "regions",
        SPEECH_ENDPOINT=at_endpoint.region,
        SPEECH_REGION=said.region,
        SPEECH_URL=at_url.region,
    )
    if other_host:
        _refuse_beside_other_host(said, region or custom_domain)
        refuse_key_astray(said)
        return Resource(None, None, other_host), None
    if custom_domain is None and region is None:
        raise Contradiction(
            "SPEECH_ENDPOINT",
            "not set",
            "the resource's endpoint",
            "copy 'Endpoint' from the resource's page 'Keys and Endpoint' in the Azure portal, "
            "or set SPEECH_REGION for a resource without a custom domain",
        )
    resource = Resource(custom_domain, region)
    if region and cloud_of_region(region) is not resource.cloud:
        raise Contradiction(
            "SPEECH_REGION" if said.region else "SPEECH_URL",
            repr(region),
            f"a region of the cloud of {custom_domain}",
            "correct whichever of the two is wrong",
            "cloud",
        )
    if said.route_ttl_min > said.route_ttl_max:
        raise Contradiction(
            "SPEECH_ROUTE_TTL_MIN",
            f"{said.route_ttl_min:g}",
            f"at most SPEECH_ROUTE_TTL_MAX, which is {said.route_ttl_max:g}",
            "raise the one or lower the other",
        )
    if said.is_entra and custom_domain is None and said.resource_id is None:
        raise Contradiction(
            "SPEECH_AUTH",
            "'entra' with a region alone",
            "a custom domain in SPEECH_ENDPOINT, or SPEECH_RESOURCE_ID",
            "copy 'Endpoint' from the resource's page 'Keys and Endpoint' in the Azure portal",
        )
    if said.private_endpoint is PrivateEndpoint.YES and custom_domain is None:
        raise Contradiction(
            "SPEECH_PRIVATE_ENDPOINT",
            "'yes'",
            "a custom domain in SPEECH_ENDPOINT with it",
            "a private endpoint is reached through the custom domain: set SPEECH_ENDPOINT",
        )
    return resource, at_url.url or at_endpoint.url


def _refuse_beside_other_host(said: SpeechSettings, named: str | None) -> None:
    """A host beside Azure's leaves nothing to decide."""
    if named:
        raise Contradiction(
            "SPEECH_ENDPOINT",
            f"a host of SPEECH_ALLOW_HOSTS beside {named}",
            "one resource",
            "take SPEECH_REGION and SPEECH_URL out for a host of your own",
        )
    if said.is_entra:
        raise Contradiction(
            "SPEECH_AUTH",
            "'entra' with a host of SPEECH_ALLOW_HOSTS",
            "a key, or no credential",
            "tokens are for Azure's own hosts: set SPEECH_KEY if the host wants a key",
        )


def _refuse_key_elsewhere(said: SpeechSettings) -> None:
    """A key in any other setting would end up in DNS queries, URLs and logs."""
    key = said.key.get_secret_value()
    for name in ("endpoint", "url", "language", "voice", "endpoint_id"):
        if len(key) >= _SHORTEST_KEY and key in (getattr(said, name) or ""):
            raise Contradiction(
                f"SPEECH_{name.upper()}",
                "a value with the key in it",
                "a value without it",
                "a key belongs in SPEECH_KEY only",
            )


def _the_one(kind: str, **names: str | None) -> str | None:
    """The name that all settings agree on, or None where none has one."""
    given = {variable: name for variable, name in names.items() if name}
    distinct = sorted(set(given.values()))
    if len(distinct) > 1:
        raise Contradiction(
            list(given)[-1],
            f"in conflict: {' and '.join(distinct)}",
            f"one of the two {kind}",
            "name the same resource in SPEECH_ENDPOINT, SPEECH_URL and SPEECH_REGION",
        )
    return distinct[0] if distinct else None

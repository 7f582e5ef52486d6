"""Lookups written down as JSON, in the form of ``speechroute check --json`` or a plainer one."""

from __future__ import annotations

import ipaddress
from typing import Any

from speechroute._core.resource import Resource
from speechroute._core.view import DnsView, Lookup, Outcome


def lookup_from(document: dict[str, Any]) -> Lookup:
    """Read a lookup.

    Args:
        document: ``chain``, of names or of objects with ``name`` and ``ttl``; ``addresses``,
            ``outcome`` and ``failure``, each of which may be left out. Other keys are not read.
    """
    steps: list[dict[str, Any]] = [
        {"name": step} if isinstance(step, str) else step for step in document["chain"]
    ]
    ttls = tuple(step["ttl"] for step in steps if step.get("ttl") is not None)
    return Lookup(
        chain=tuple(step["name"] for step in steps),
        addresses=tuple(map(ipaddress.ip_address, document.get("addresses", ()))),
        ttl=min(ttls, default=None),
        outcome=Outcome(document.get("outcome", Outcome.ANSWERED)),
        failure=document.get("failure", ""),
        ttls=ttls,
    )


def observation_from(document: dict[str, Any]) -> tuple[DnsView, Resource]:
    """Read an observation: a lookup of a custom domain, and what else was seen or set.

    Args:
        document: that of the lookup, and where there were any, ``region`` of the settings with
            ``region_addresses`` of its API host, and ``system``, a lookup.
    """
    resource = Resource(document["chain"][0], document.get("region"))
    region_api = None
    if resource.region and "region_addresses" in document:
        host = resource.cloud.api_host(resource.region)
        region_api = lookup_from({"chain": [host], "addresses": document["region_addresses"]})
    system = lookup_from(document["system"]) if "system" in document else None
    return DnsView(lookup_from(document), system, region_api), resource

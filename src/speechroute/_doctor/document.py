"""The report as one JSON document; ``schema.json`` describes its form."""

from __future__ import annotations

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from .._core.answer import Answer
from .._core.clouds import recognise_marker
from .._core.masking import mask_url
from .._core.route import Route
from .._core.service import ServiceAnswer
from .._core.verdict import Decision
from .._core.view import DnsView, Lookup
from .._settings.model import SpeechSettings
from .._settings.parsers import split_proxy
from .facts import ClientDoor, Facts
from .finding import Finding
from .judge import headline_of

VERSION = 1
"""Of the form. A new field keeps it; one that goes or changes its meaning raises it."""
Json = dict[str, Any]


def document_of(facts: Facts, findings: list[Finding], exit_code: int) -> Json:
    return {
        "version": VERSION,
        "speechroute": version("speechroute"),
        "sdk": facts.sdk_version,
        "complete": facts.is_complete,
        "steps": facts.steps,
        "headline": headline_of(findings, facts),
        "exit_code": exit_code,
        "settings": settings_of(facts.settings) if facts.settings else None,
        "sources": sources_of(facts.settings) if facts.settings else None,
        "problems": [problem._asdict() for problem in facts.problems],
        "dns": _dns(facts),
        "service": _service(facts.service),
        "decision": _decision(facts),
        "doors": [_door(door, facts.answers.get(door.url)) for door in facts.doors],
        "private_door": _answer(facts.private_door),
        "key": {host: _answer(answer) for host, answer in facts.key_answers.items()},
        "key_as_redirected": _answer(facts.key_as_redirected),
        "findings": [
            {
                "id": finding.id,
                "severity": finding.severity,
                "title": finding.title,
                "fixed_by": finding.fixed_by,
                "cause": finding.cause,
                "remedy": finding.remedy,
                "command": finding.command,
                "rests_on": list(finding.rests_on),
            }
            for finding in findings
        ],
    }


def settings_of(settings: SpeechSettings) -> Json:
    """What the user says, without secrets."""
    proxy = split_proxy(settings.proxy.get_secret_value())
    return {
        "key": "***" if settings.key.get_secret_value() else None,
        "key_file": str(settings.key_file) if settings.key_file else None,
        "auth": settings.auth,
        "resource_id": settings.resource_id,
        "other_host": settings.resource.other_host,
        "custom_domain": settings.resource.custom_domain,
        "region": settings.resource.region,
        "cloud": settings.resource.cloud.name,
        "url": mask_url(settings.full_url) if settings.full_url else None,
        "private_endpoint": settings.private_endpoint,
        "when_undecided": settings.when_undecided,
        "ask_service": settings.ask_service,
        "language": settings.language,
        "voice": settings.voice,
        "endpoint_id": settings.endpoint_id,
        "log_file": str(settings.log_file) if settings.log_file else None,
        "proxy": f"{proxy.hostname}:{proxy.port}" if proxy else settings.proxy.get_secret_value(),
        "dns_servers": list(settings.dns_servers),
        "dns_timeout": settings.dns_timeout,
    }


def sources_of(settings: SpeechSettings) -> dict[str, str]:
    """Where each setting was read from."""
    return {name: str(settings.origin_of(name)) for name in type(settings).model_fields}


def _lookup(lookup: Lookup | None) -> Json | None:
    if lookup is None:
        return None
    ttls = dict(enumerate(lookup.ttls))
    markers = [recognise_marker(name) for name in lookup.chain]
    return {
        "chain": [
            {"name": name, "ttl": ttls.get(at), "marker": marker.kind if marker else None}
            for at, (name, marker) in enumerate(zip(lookup.chain, markers, strict=True))
        ],
        "addresses": [str(address) for address in lookup.addresses],
        "outcome": lookup.outcome,
        "failure": lookup.failure,
    }


def system_differs(facts: Facts) -> bool | None:
    """Whether the operating system sees another address; None where it was not asked."""
    view = facts.view
    if view is None or view.system is None:
        return None
    seen = view.system.addresses, view.dns.addresses
    return any(seen) and not set(seen[0]) & set(seen[1])


def dns_of(view: DnsView) -> Json:
    """What was seen of a name, but for the service's word."""
    return {
        "custom_domain": _lookup(view.dns),
        "system": _lookup(view.system),
        "region_api": _lookup(view.region_api),
        "region_system": _lookup(view.region_system),
        "seconds": round(view.seconds, 3),
    }


def _dns(facts: Facts) -> Json | None:
    if facts.view is None:
        return None
    return {
        **dns_of(facts.view),
        "decided_by": facts.decided_by,
        "says": facts.dns_says.row.id if facts.dns_says else None,
        "system_differs": system_differs(facts),
    }


def door_of(service: ServiceAnswer) -> str | None:
    """The door that the service tells, in a word."""
    if service.decision is None:
        return None
    return "region" if service.decision is Decision.REGIONAL else "custom domain"


def _service(service: ServiceAnswer | None) -> Json | None:
    if service is None:
        return None
    return {
        "seen": service.seen,
        "door": door_of(service),
        "region": service.region,
        "seconds": round(service.seconds, 3),
    }


def _decision(facts: Facts) -> Json | None:
    row = facts.row.id if facts.row else None
    if facts.error:
        return {"row": row, "error": type(facts.error).__name__, "message": str(facts.error)}
    return {"row": row, **_route(facts.route)} if facts.route else None


def _route(route: Route) -> Json:
    return {
        "kind": route.kind,
        "custom_domain": route.custom_domain,
        "region": route.region,
        "cloud": route.cloud,
        "reason": route.reason,
        "warnings": list(route.warnings),
    }


def _door(door: ClientDoor, answer: Answer | None) -> Json:
    return {
        "client": door.client,
        "url": door.url or None,
        "note": door.note,
        "proxy": door.proxy or None,
        "proxy_reason": door.proxy_reason,
        "answer": _answer(answer),
    }


def _answer(answer: Answer | None) -> Json | None:
    if answer is None:
        return None
    told = asdict(answer)
    certificate = told.pop("certificate")
    if certificate:
        certificate["expires"] = certificate["expires"].isoformat()
        del certificate["distrust_code"]
    return {
        **told,
        "seconds": list(answer.seconds),
        "certificate": certificate,
        "location": answer.leads_to,
    }

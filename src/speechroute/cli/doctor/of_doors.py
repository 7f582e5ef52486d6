"""Findings from connections: where they broke off, and what the doors answered."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from ..._clouds import Offering
from ..._resource import is_loopback
from ..._route import Route, RouteKind
from ..._verdict import is_private
from .evidence import (
    OPTIONAL,
    answers_of_clients,
    has_override,
    is_at_wrong_door,
    leads_to_region,
)
from .facts import Answer, Certificate, Facts, Stage
from .finding import BY, Finding, Severity, source_of_addresses, who, wrong_region

_ISSUERS = ("Microsoft Corporation", "DigiCert")
"""Who signs the certificates of Azure's hosts (assumed)."""
_EXPIRED_OR_OTHER = frozenset({9, 10, 62, 64})
"""OpenSSL's codes for a certificate that is not yet or no longer valid, or for another name."""
_SKEW_S = 300
_TRY_AGAIN = (
    "Check again in a minute, with more time (--budget) if there was none left: 429 is the quota, "
    "5xx the service; anything else comes from something in between, such as a login page."
)
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED, _SERVER_ERROR = 200, 401, 403, 404, 429, 500
_CLIENTS = {
    Offering.STT: ("recognition", "transcription"),
    Offering.S2S: ("translation",),
    Offering.TTS: ("synthesis", "voices list"),
    Offering.VOICE: ("custom voice",),
    Offering.CONVAI: ("transcription",),
    Offering.COMMANDS: ("recognition", "synthesis"),
}
"""Clients that a program for an offering needs; "every client" is for hosts of one's own."""


def _is_needed(client: str, facts: Facts) -> bool:
    """Whether a program with the offering of the check uses this client."""
    return client == "every client" or client in _CLIENTS[facts.offering]


def of_connections(facts: Facts) -> Iterator[Finding]:
    """What was wrong before a door could answer. Only the offering's doors are needed."""
    for door in facts.doors:
        answer = facts.answers.get(door.url)
        if answer is None:
            continue
        host = urlsplit(door.url).hostname or ""
        severity = Severity.ERROR if _is_needed(door.client, facts) else Severity.WARNING
        if answer.failure and answer.stage is Stage.PROXY:
            yield Finding(
                "SR301",
                severity,
                f"The proxy {door.proxy} does not lead to {host}: {answer.failure}.",
                "Let it pass CONNECT to port 443 of this host, give it user and password for 407, "
                "or go past it with NO_PROXY.",
            )
        elif answer.failure and answer.stage is Stage.TCP:
            yield _no_connection(host, answer, facts, severity)
        elif answer.certificate:
            yield from _of_certificate(host, answer.certificate, facts, severity)
        elif answer.failure and answer.stage is Stage.TLS:
            yield _unreachable(host, answer, severity)
        if answer.skew is not None and abs(answer.skew) > _SKEW_S:
            side = "behind" if answer.skew > 0 else "ahead of"
            yield Finding(
                "SR304",
                Severity.WARNING,
                f"This clock is {abs(answer.skew) / 60:.0f} minutes {side} that of {host}.",
                "Turn on time synchronisation: tokens and certificates depend on it.",
            )


def _no_connection(host: str, answer: Answer, facts: Facts, severity: Severity) -> Finding:
    address = ipaddress.ip_address(answer.address) if answer.address else None
    is_at_resource = facts.route is not None and host == facts.route.custom_domain
    if address is None or not is_private(address) or not is_at_resource:
        return _unreachable(host, answer, severity)
    others = [a.status for h, a in facts.key_answers.items() if h != host]
    if _UNAUTHORIZED in others:
        return Finding(
            "SR104",
            severity,
            f"Nothing answers at the private address {address} of {host} ({answer.failure}), and "
            "the region refuses the key: the private endpoint exists, or the key is wrong.",
            "If the key is right, open the way to the address, port 443: peering, VPN, route "
            "tables, firewall.",
        )
    is_gone = _OK in others
    proof = ", and the region accepts the key: no private endpoint is left" if is_gone else ""
    remedy = "It is a record left behind, or there is no way to the private endpoint."
    if has_override(facts):
        remedy = "Take the line out of the hosts file, or find the VPN that says so."
    elif is_gone:
        remedy = "Delete the A record of the private zone."
    elif not facts.key_answers:
        remedy += " With a key and SPEECH_REGION, --with-key tells which."
    source = source_of_addresses(facts)
    return Finding(
        "SR101",
        severity,
        f"{source} gives the private address {address} for {host}, where nothing answers "
        f"({answer.failure}){proof}.",
        remedy,
    )


def _unreachable(host: str, answer: Answer, severity: Severity) -> Finding:
    at = f" ({answer.address})" if answer.address else ""
    remedy = "Let the firewall pass port 443 to it, or name a proxy in SPEECH_PROXY."
    if is_loopback(host):
        remedy = "Start what should answer there, or correct SPEECH_ENDPOINT."
    return Finding("SR305", severity, f"No connection to {host}{at}: {answer.failure}.", remedy)


def _of_certificate(
    host: str, certificate: Certificate, facts: Facts, severity: Severity
) -> Iterator[Finding]:
    is_azure = certificate.organization.startswith(_ISSUERS)
    by = f"The certificate of {host}, signed by '{certificate.issuer}',"
    if certificate.distrust_code in _EXPIRED_OR_OTHER:
        yield Finding(
            "SR303",
            severity,
            f"{by} is not valid: {certificate.distrust}.",
            "Correct this machine's clock if it is wrong, or the DNS record if the address is "
            "something else's.",
        )
    elif certificate.distrust and is_azure:
        yield Finding(
            "SR303",
            severity,
            f"{by} is not trusted here: {certificate.distrust}.",
            "Install the system's certificate authorities (the package ca-certificates), or "
            "correct SSL_CERT_FILE.",
        )
    elif certificate.distrust:
        yield Finding(
            "SR302",
            severity,
            f"{by} is not trusted here: something between here and Azure opens TLS.",
            "Make sure that the issuer is your own organisation; then have the host exempted, or "
            "name the issuer in SSL_CERT_FILE.",
        )
    elif not is_azure and not _is_own_host(facts):
        yield Finding(
            "SR302",
            Severity.WARNING,
            f"{by} is trusted, and not by Microsoft or DigiCert: something between here and Azure "
            "opens TLS.",
            "Make sure that the issuer is your own organisation, and have the host exempted.",
        )


def _is_own_host(facts: Facts) -> bool:
    return facts.route is not None and facts.route.kind is RouteKind.OTHER_HOST


def of_answers(facts: Facts, route: Route) -> Iterator[Finding]:
    """What the doors answered: 401 is what one answers that is there and got no key."""
    answered = answers_of_clients(facts)
    if not answered or _is_own_host(facts):
        return
    needed = {client: answer for client, answer in answered.items() if _is_needed(client, facts)}
    at_resource = {c: answer.status for c, answer in answered.items() if c not in OPTIONAL}
    is_shut = any(answer.status == _FORBIDDEN for answer in needed.values())
    redirect = next((a for a in needed.values() if leads_to_region(a)), None)
    if route.kind is RouteKind.PRIVATE_ENDPOINT and is_at_wrong_door(facts):
        yield _behind(facts, route, "SR109")
    elif route.needs_custom_domain and set(at_resource.values()) == {_NOT_FOUND}:
        yield Finding(
            "SR404",
            Severity.ERROR,
            f"{route.custom_domain} answers 404, and Microsoft Entra ID goes there because "
            "SPEECH_RESOURCE_ID is not set.",
            "Set SPEECH_RESOURCE_ID: with it a token is taken at the region.",
        )
    elif is_shut:
        yield _shut(route)
    elif redirect and route.is_at_custom_domain:
        yield _redirects(redirect)
    else:
        yield from _of_odd_answers(answered, facts)
    other = facts.private_door
    if route.kind is RouteKind.REGIONAL and is_at_wrong_door(facts):
        yield _behind(facts, route, "SR110")
    elif other and leads_to_region(other):
        yield _redirects(other)


def _shut(route: Route) -> Finding:
    where = route.custom_domain if route.is_at_custom_domain else route.region
    if route.is_direct:
        return Finding(
            "SR403",
            Severity.ERROR,
            f"{where} answers 403 at its private address.",
            "See whether the connection of the private endpoint is approved, and whether keys are "
            "turned off.",
        )
    return Finding(
        "SR403",
        Severity.ERROR,
        f"{where} answers 403: the resource does not accept this network.",
        "Run inside the virtual network with its private zone linked, or have the resource allow "
        "this network.",
    )


def _behind(facts: Facts, route: Route, number: str) -> Finding:
    """Who decided and the service say different things."""
    has, does = (
        ("has a private endpoint", "answers 404 there as after the last one was removed")
        if number == "SR109"
        else ("has no private endpoint", "answers there as it does with one")
    )
    other = "yes" if number == "SR110" else "no, with SPEECH_REGION,"
    remedy = "Correct SPEECH_PRIVATE_ENDPOINT or SPEECH_WHEN_UNDECIDED."
    if has_override(facts):
        remedy = "Take the line out of the hosts file, or find the VPN that says so."
    elif facts.row in BY:
        remedy = (
            "Wait for the time to live and check again; meanwhile "
            f"SPEECH_PRIVATE_ENDPOINT={other} takes the other door."
        )
    return Finding(
        number,
        Severity.ERROR,
        f"{who(facts)} says that {route.custom_domain} {has}, the service {does}.",
        remedy,
    )


def _of_odd_answers(answered: dict[str, Answer], facts: Facts) -> Iterator[Finding]:
    for client, answer in answered.items():
        is_optional = client in OPTIONAL and not _is_broken(answer)
        if answer.status == _UNAUTHORIZED or is_optional:
            continue
        told = answer.failure or f"status {answer.status}"
        if answer.location:
            told += f" to {answer.location}"
        url = next(door.url for door in facts.doors if door.client == client)
        yield Finding(
            "SR404",
            Severity.ERROR if _is_needed(client, facts) else Severity.WARNING,
            f"{client} got {told} from {urlsplit(url).hostname} instead of 401.",
            _TRY_AGAIN,
        )


def _redirects(answer: Answer) -> Finding:
    return Finding(
        "SR401",
        Severity.INFO,
        f"The custom domain leads on to {answer.location}: both doors work.",
        "Nothing to do.",
    )


def _is_broken(answer: Answer) -> bool:
    status = answer.status
    return status is None or status == _THROTTLED or status >= _SERVER_ERROR


def of_key(facts: Facts) -> Iterator[Finding]:
    if facts.no_token:
        yield Finding(
            "SR402",
            Severity.ERROR,
            f"There is no token to ask with: {facts.no_token}",
            "Sign in where this runs (az login, a managed identity), or set SPEECH_KEY.",
        )
    if not facts.key_answers or not facts.settings:
        return
    (host, first), *others = facts.key_answers.items()
    region = facts.settings.resource.region
    if first.status == _FORBIDDEN and facts.route:
        yield _shut(facts.route)
    elif first.stage is Stage.HTTP and first.status not in (_OK, _UNAUTHORIZED):
        voices = next(door.url for door in facts.doors if door.client == "voices list")
        if facts.answers[voices].status == _UNAUTHORIZED:  # else it is told already
            told = first.failure or f"status {first.status}"
            yield Finding(
                "SR404", Severity.ERROR, f"{host} answers the credential with {told}.", _TRY_AGAIN
            )
    if first.status != _UNAUTHORIZED or is_at_wrong_door(facts):
        return
    if any(answer.status == _OK for _, answer in others) and region and facts.dns_region:
        yield wrong_region(region, facts.dns_region, "and the key is accepted in")
        return
    yield Finding(
        "SR402",
        Severity.ERROR,
        f"{host} refuses the credential with 401.",
        "See whether the identity has a role at the resource, and whether SPEECH_RESOURCE_ID is "
        "this resource's."
        if facts.settings.is_entra
        else "Replace it with a key of this resource, and compare the region: a key is valid in "
        "its own only.",
    )

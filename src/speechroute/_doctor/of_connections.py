"""Findings from connections: where they broke off before a door could answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from urllib.parse import urlsplit

from .._core.addresses import is_loopback, is_private
from .._core.answer import OK, UNAUTHORIZED, Answer, Certificate, Stage
from .evidence import has_override, is_needed, is_own_host
from .facts import Facts
from .finding import Finding, Severity, source_of_addresses

ISSUERS = ("Microsoft Corporation", "DigiCert")
"""Who signs the certificates of Azure's hosts (assumed: AZ-CERTIFICATES)."""
_EXPIRED_OR_OTHER = frozenset({9, 10, 62, 64})
"""OpenSSL's codes for a certificate that is not yet or no longer valid, or for another name."""
_SKEW_S = 300


def of_connections(facts: Facts) -> Iterator[Finding]:
    """What was wrong before a door could answer. Only the offering's doors are needed."""
    for door in facts.doors:
        answer = facts.answers.get(door.url)
        if answer is None:
            continue
        host = urlsplit(door.url).hostname or ""
        severity = Severity.ERROR if is_needed(door.client, facts) else Severity.WARNING
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
            # No error: keys work all the same (assumed: AZ-CLOCK).
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
    # With a private endpoint it does so (documented, 2024-09: AZ-PE-REGION-401).
    others = [a.status for h, a in facts.key_answers.items() if h != host]
    if UNAUTHORIZED in others:
        return Finding(
            "SR104",
            severity,
            f"Nothing answers at the private address {address} of {host} ({answer.failure}), and "
            "the region refuses the key: the private endpoint exists, or the key is wrong.",
            "If the key is right, open the way to the address, port 443: peering, VPN, route "
            "tables, firewall.",
        )
    is_gone = OK in others
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
    is_azure = certificate.organization.startswith(ISSUERS)
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
        # What the file names is trusted (measured, 1.53: SDK-TRUST).
        yield Finding(
            "SR302",
            severity,
            f"{by} is not trusted here: something between here and Azure opens TLS.",
            "Make sure that the issuer is your own organisation; then have the host exempted, or "
            "name the issuer in SSL_CERT_FILE.",
        )
    elif not is_azure and not is_own_host(facts):
        yield Finding(
            "SR302",
            Severity.WARNING,
            f"{by} is trusted, and not by Microsoft or DigiCert: something between here and Azure "
            "opens TLS.",
            "Make sure that the issuer is your own organisation, and have the host exempted.",
        )

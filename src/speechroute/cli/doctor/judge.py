"""What the facts mean: findings, the most severe first. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from ... import urls
from ..._clouds import PUBLIC, Offering, private_link_zone
from ..._dns import Lookup
from ..._route import Route, RouteKind
from ..._settings import SpeechSettings
from ..._verdict import Row, is_private
from ...errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    Problem,
    RoutingError,
)
from .catalogue import catalogue
from .facts import Answer, Certificate, Facts, Stage

_ISSUERS = ("Microsoft Corporation", "DigiCert")
"""Who signs the certificates of Azure's hosts (documented, 2024-09)."""
_EXPIRED_OR_OTHER = frozenset({9, 10, 62, 64})
"""OpenSSL's codes for a certificate that is not yet or no longer valid, or for another name."""
_SKEW_S = 300
_REDIRECTS = frozenset({301, 302, 307, 308})
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED, _SERVER_ERROR = 200, 401, 403, 404, 429, 500
_DISAGREE = frozenset({"SR101", "SR104", "SR109", "SR110"})
"""Findings of which DNS says one thing and the doors another."""


_MANY = frozenset({"SR200", "SR203", "SR204"})
"""Findings of settings, of which each has its own remedy."""


class Severity(StrEnum):
    """How much a finding matters, the worst first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class Finding(NamedTuple):
    """Something that is wrong, or good to know.

    Attributes:
        id: stable, of the catalogue.
        cause: one sentence.
        remedy: one sentence.
    """

    id: str
    severity: Severity
    cause: str
    remedy: str
    command: str = ""

    @property
    def title(self) -> str:
        return catalogue()[self.id].title

    @property
    def fixed_by(self) -> str:
        return catalogue()[self.id].fixed_by


def findings_of(facts: Facts) -> list[Finding]:
    """What is wrong, the most severe first; each id once, but for settings."""
    found = [
        *map(_of_problem, facts.problems),
        *_of_sdk(facts),
        *(_of_error(facts.error, facts) if facts.error else ()),
        *(_of_view(facts, facts.settings) if facts.settings else ()),
        *_of_connections(facts),
        *(_of_answers(facts, facts.route) if facts.route else ()),
        *_of_key(facts),
    ]
    order = list(Severity)
    found.sort(key=lambda finding: order.index(finding.severity))
    first: dict[object, Finding] = {}
    for finding in found:
        first.setdefault(finding if finding.id in _MANY else finding.id, finding)
    return [_with_command(finding, facts) for finding in first.values()]


def headline_of(findings: list[Finding], facts: Facts) -> str:
    """The one sentence to read."""
    for finding in findings:
        if finding.id in _DISAGREE:
            return f"DNS and the service disagree: {finding.cause}"
    errors = [finding for finding in findings if finding.severity is Severity.ERROR]
    if errors:
        return f"{errors[0].title}: {errors[0].cause}"
    if not facts.is_complete:
        return "Broken off; nothing was wrong so far."
    return "Sound." if not findings else f"Sound, with {len(findings)} remark(s)."


def _with_command(finding: Finding, facts: Facts) -> Finding:
    """With the command of the catalogue, for this resource."""
    command = catalogue()[finding.id].command
    resource = facts.settings.resource if facts.settings else None
    if resource and resource.custom_domain:
        zone = private_link_zone(resource.custom_domain)
        name = resource.custom_domain.partition(".")[0]
        command = command.replace("privatelink.cognitiveservices.azure.com", zone)
        command = command.replace("NAME", name)
    return finding._replace(command=command)


def _of_problem(problem: Problem) -> Finding:
    number = "SR200"
    if problem.variable == "SPEECH_KEY" and problem.found in ("not set", "empty"):
        number = "SR201"
    elif problem.expected.startswith("a region of the cloud"):
        number = "SR203"
    elif problem.remedy.startswith("its host "):
        number = "SR204"
    cause = f"{problem.variable} is {problem.found}, expected {problem.expected}."
    return Finding(number, Severity.ERROR, cause, f"{_sentence(problem.remedy)}.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _of_sdk(facts: Facts) -> Iterator[Finding]:
    def numbers(version: str) -> list[int]:
        return [int(part) for part in version.split(".") if part.isdecimal()]

    if numbers(facts.sdk_version) < numbers(facts.sdk_floor):
        yield Finding(
            "SR501",
            Severity.ERROR,
            f"azure-cognitiveservices-speech {facts.sdk_version} is installed, and "
            f"{facts.sdk_floor} is the oldest that works.",
            f"pip install 'azure-cognitiveservices-speech>={facts.sdk_floor}'",
        )
    route = facts.route
    if route and route.kind is RouteKind.REGIONAL and route.cloud != PUBLIC.name:
        yield Finding(
            "SR502",
            Severity.INFO,
            f"SpeechConfig(region='{route.region}') opens hosts of the wrong cloud in this SDK "
            f"({facts.sdk_version}).",
            "speech_config() names the host instead; tell it the offering: speech_config('tts').",
        )


def _of_error(error: RoutingError, facts: Facts) -> Iterator[Finding]:
    name, zone = error.custom_domain, private_link_zone(error.custom_domain)
    if isinstance(error, CustomDomainNotFound):
        if facts.elsewhere:
            number = "SR203"
            cause = f"{name} does not exist, but {facts.elsewhere[0]}, of another cloud, does."
            remedy = "Write the whole host name of the resource in SPEECH_ENDPOINT."
        else:
            number = "SR102"
            cause = f"The custom domain {name} does not exist in DNS."
            remedy = (
                "Check the spelling in SPEECH_ENDPOINT, and that the resource exists and has this "
                "custom domain."
            )
    elif isinstance(error, PrivateDnsRecordMissing):
        number = "SR103"
        cause = (
            f"{name} is an alias of {error.name}, which has no address in the private zone of this "
            "network."
        )
        remedy = (
            f"Add an A record for {name.partition('.')[0]} to {zone}, or set NxDomainRedirect on "
            "the zone's link to this network."
        )
    elif isinstance(error, DnsUnavailable):
        number, cause, remedy = _of_silence(name, facts)
    elif facts.row is Row.UNDECIDED:
        number = "SR108"
        addresses = ", ".join(map(str, facts.view.dns.addresses)) if facts.view else ""
        cause = (
            f"{name} has the public address {addresses} and no alias that tells where it leads: a "
            "DNS proxy left the names out."
        )
        remedy = (
            "Set SPEECH_REGION so that addresses can be compared, or SPEECH_PRIVATE_ENDPOINT=yes "
            "or no."
        )
    else:
        number, cause = "SR200", f"{error}"
        remedy = "Set SPEECH_REGION."
    yield Finding(number, Severity.ERROR, cause, remedy)


def _of_silence(name: str, facts: Facts) -> tuple[str, str, str]:
    lookups = (facts.view.dns, facts.view.region_api) if facts.view else ()
    failures = [lookup.failure for lookup in lookups if lookup and lookup.failure]
    failure = failures[0] if failures else "no address"
    if "answered REFUSED" in failure or "answered SERVFAIL" in failure:
        return (
            "SR105",
            f"DNS does not forward {name}: {failure}.",
            (
                f"Let it forward {name.partition('.')[2]} to Azure's resolver 168.63.129.16, or to "
                "a server in the virtual network."
            ),
        )
    return (
        "SR106",
        f"No DNS server gave a usable answer for {name}: {failure}.",
        (
            "Let port 53, UDP and TCP, pass to the servers, correct their addresses "
            "(SPEECH_DNS_SERVERS), or raise SPEECH_DNS_TIMEOUT."
        ),
    )


def _of_view(facts: Facts, settings: SpeechSettings) -> Iterator[Finding]:
    full_url = settings.full_url
    if full_url:
        offering = urls.parse(full_url).offering
        if offering not in urls.SERVED_BY[Offering(facts.offering)]:
            yield Finding(
                "SR205",
                Severity.WARNING,
                f"The full URL in the settings is one of {offering}, which clients of "
                f"{facts.offering} cannot use.",
                "Set SPEECH_ENDPOINT without a path instead, or use the settings for "
                f"{offering} only (check --offering {offering}).",
            )
    if facts.row is Row.SAME_AS_REGION or (facts.row is Row.UNDECIDED and facts.route):
        severity = Severity.INFO if facts.row is Row.SAME_AS_REGION else Severity.WARNING
        is_told = severity is Severity.INFO
        name = settings.resource.custom_domain
        yield Finding(
            "SR108",
            severity,
            f"{name} has no alias that tells where it leads: a DNS proxy left the names out.",
            "Nothing to do: the region's addresses tell. Keep SPEECH_REGION set."
            if is_told
            else "Set SPEECH_REGION so that addresses can be compared; now "
            "SPEECH_WHEN_UNDECIDED decides.",
        )
    region = settings.resource.region
    if region and facts.dns_region and region != facts.dns_region:
        yield _wrong_region(region, facts.dns_region, "DNS says")
    if facts.view and facts.view.system:
        yield from _of_system(facts.view.dns, facts.view.system)


def _wrong_region(configured: str, real: str, who: str) -> Finding:
    return Finding(
        "SR202",
        Severity.ERROR,
        f"SPEECH_REGION is {configured}, {who} {real}.",
        f"Set SPEECH_REGION={real}, or take it out.",
    )


def _of_system(dns: Lookup, system: Lookup) -> Iterator[Finding]:
    if system.addresses and not set(system.addresses) & set(dns.addresses):
        there = ", ".join(map(str, system.addresses))
        here = ", ".join(map(str, dns.addresses)) or dns.failure or dns.outcome
        yield Finding(
            "SR107",
            Severity.WARNING,
            f"The operating system resolves {dns.chain[0]} to {there}, DNS to {here}.",
            "Take the line out of the hosts file, or find the VPN that says so; the SDK follows "
            "the operating system.",
        )


def _of_connections(facts: Facts) -> Iterator[Finding]:
    answers = {**facts.answers}
    if facts.private_door:
        answers[f"https://{facts.route.custom_domain if facts.route else ''}"] = facts.private_door
    for url, answer in answers.items():
        host = urlsplit(url).hostname or ""
        if answer.failure and answer.stage is Stage.PROXY:
            proxy = next((d.proxy for d in facts.doors if urlsplit(d.url).hostname == host), "")
            yield Finding(
                "SR301",
                Severity.ERROR,
                f"The proxy {proxy or answer.address} does not lead to {host}: {answer.failure}.",
                "Let it pass CONNECT to port 443 of this host, or go past it with NO_PROXY or "
                "SPEECH_PROXY=none.",
            )
        elif answer.failure and answer.stage is Stage.TCP:
            yield _no_connection(host, answer, facts)
        elif answer.certificate:
            yield from _of_certificate(host, answer.certificate, facts)
        elif answer.failure and answer.stage is Stage.TLS:
            yield _unreachable(host, answer)
        if answer.skew is not None and abs(answer.skew) > _SKEW_S:
            yield Finding(
                "SR304",
                Severity.WARNING,
                f"This clock is {abs(answer.skew):.0f} seconds "
                f"{'behind' if answer.skew > 0 else 'ahead of'} that of {host}.",
                "Set the clock (timedatectl set-ntp true): tokens and certificates depend on it.",
            )


def _no_connection(host: str, answer: Answer, facts: Facts) -> Finding:
    if not answer.address or not is_private(ipaddress.ip_address(answer.address)):
        return _unreachable(host, answer)
    others = [a.status for h, a in facts.key_answers.items() if h != host]
    if _UNAUTHORIZED in others:
        return Finding(
            "SR104",
            Severity.ERROR,
            f"{host} is a private endpoint at {answer.address}, and nothing answers there "
            f"({answer.failure}).",
            "Open the way: route, peering or VPN, firewall and network security group, port 443.",
        )
    proof = ", and the region accepts the key" if others and others[0] == _OK else ""
    return Finding(
        "SR101",
        Severity.ERROR,
        f"DNS gives {host} the private address {answer.address}, and nothing answers there "
        f"({answer.failure}){proof}.",
        "If the private endpoint was removed, delete the A record of the private zone; else open "
        "the way to it.",
    )


def _unreachable(host: str, answer: Answer) -> Finding:
    at = f" ({answer.address})" if answer.address else ""
    return Finding(
        "SR305",
        Severity.ERROR,
        f"No connection to {host}{at}: {answer.failure}.",
        "Let this machine connect to port 443 of the host, or name a proxy in SPEECH_PROXY.",
    )


def _of_certificate(host: str, certificate: Certificate, facts: Facts) -> Iterator[Finding]:
    is_azure = certificate.organization.startswith(_ISSUERS)
    if certificate.distrust_code in _EXPIRED_OR_OTHER:
        yield Finding(
            "SR303",
            Severity.ERROR,
            f"The certificate of {host} (by {certificate.issuer}) is not valid: "
            f"{certificate.distrust}.",
            "Compare this machine's clock; else tell whoever runs what answers there.",
        )
    elif certificate.distrust and is_azure:
        yield Finding(
            "SR303",
            Severity.ERROR,
            f"The certificate of {host} (by {certificate.issuer}) is not trusted here: "
            f"{certificate.distrust}.",
            "Install the system's certificate authorities (the package ca-certificates), or "
            "correct SSL_CERT_FILE.",
        )
    elif certificate.distrust:
        yield Finding(
            "SR302",
            Severity.ERROR,
            f"The certificate of {host} was signed by '{certificate.issuer}', which this machine "
            "does not trust: something between here and Azure opens TLS.",
            "Exempt the host from TLS inspection, or name that authority in SSL_CERT_FILE.",
        )
    elif not is_azure and not _is_own_host(facts):
        yield Finding(
            "SR302",
            Severity.WARNING,
            f"The certificate of {host} was signed by '{certificate.issuer}', not by Microsoft or "
            "DigiCert: something between here and Azure opens TLS, and is trusted.",
            "Exempt the host from TLS inspection if connections break or WebSockets fail.",
        )


def _is_own_host(facts: Facts) -> bool:
    return facts.route is not None and facts.route.kind is RouteKind.OTHER_HOST


def _of_answers(facts: Facts, route: Route) -> Iterator[Finding]:
    is_private_route = route.kind is RouteKind.PRIVATE_ENDPOINT
    for door in facts.doors:
        answer = facts.answers.get(door.url)
        if answer is None or answer.stage is not Stage.HTTP or _is_own_host(facts):
            continue
        status = answer.status
        is_offering = door.client not in ("batch REST", "token")
        if is_offering and is_private_route and status == _NOT_FOUND:
            yield Finding(
                "SR109",
                Severity.ERROR,
                f"DNS says that {route.custom_domain} has a private endpoint, the service answers "
                "404 there as it does after the last one was removed.",
                "Wait until DNS has followed (its time to live), or delete what is left in the "
                "private zone.",
            )
        elif is_offering and status == _FORBIDDEN:
            yield Finding(
                "SR403",
                Severity.ERROR,
                f"{urlsplit(door.url).hostname} answers 403: public access is disabled or not "
                "allowed from this network.",
                "Connect from a network with the private endpoint, or allow this one.",
            )
        elif is_offering and status in _REDIRECTS:
            yield _redirects(answer)
        elif (is_offering and status == _NOT_FOUND) or _is_odd(status):
            told = answer.failure or f"status {status}"
            yield Finding(
                "SR404",
                Severity.WARNING,
                f"{door.client} got {told} at {urlsplit(door.url).hostname}, expected 401.",
                "Try again; if it stays, look at Azure's status page for the region.",
            )
    other = facts.private_door
    if other and other.status == _UNAUTHORIZED:
        yield Finding(
            "SR110",
            Severity.ERROR,
            f"DNS says that {route.custom_domain} has no private endpoint, the service answers "
            "there as it does with one.",
            "Wait until DNS has followed (its time to live), or set SPEECH_PRIVATE_ENDPOINT=yes.",
        )
    elif other and other.status in _REDIRECTS:
        yield _redirects(other)


def _redirects(answer: Answer) -> Finding:
    target = urlsplit(answer.location).hostname or "the region"
    return Finding(
        "SR401",
        Severity.INFO,
        f"The custom domain leads on to {target}: both doors work.",
        "Nothing to do; the region saves the way around.",
    )


def _is_odd(status: int | None) -> bool:
    return status is None or status == _THROTTLED or status >= _SERVER_ERROR


def _of_key(facts: Facts) -> Iterator[Finding]:
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
    if first.status != _UNAUTHORIZED:
        return
    if any(answer.status == _OK for _, answer in others) and region and facts.dns_region:
        yield _wrong_region(region, facts.dns_region, "and the key is accepted in")
        return
    yield Finding(
        "SR402",
        Severity.ERROR,
        f"{host} refuses the credential with 401.",
        "Copy a key of this resource, and compare its region: a key is valid in its own only.",
    )

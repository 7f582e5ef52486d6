"""What the facts mean: findings, the most severe first. Pure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlsplit

from ... import urls
from ..._clouds import CHINA, PUBLIC, Offering, private_link_zone, recognise_host
from ..._dns import Lookup
from ..._resource import is_loopback
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
_FOLLOWED = frozenset({301, 307, 308})
"""Redirects that the SDK follows (measured, 1.53)."""
_TRY_AGAIN = (
    "Check again in a minute, with more time (--budget) if there was none left: 429 is the quota, "
    "5xx the service; anything else comes from something in between, such as a login page."
)
_OK, _UNAUTHORIZED, _FORBIDDEN, _NOT_FOUND, _THROTTLED, _SERVER_ERROR = 200, 401, 403, 404, 429, 500
_DISAGREE = frozenset({"SR101", "SR109", "SR110"})
"""Findings of which DNS says one thing and the doors another."""


_WHO = {
    **dict.fromkeys((Row.PRIVATE_ADDRESS, Row.VNET_PROXY, Row.REGIONAL, Row.SAME_AS_REGION), "DNS"),
    Row.SYSTEM_PRIVATE: "The operating system",
}
"""Who decided, by row of the decision table, where it was not a setting."""
_APIS = ("batch REST", "token")
_CLIENTS = {
    Offering.STT: ("recognition", "transcription"),
    Offering.S2S: ("translation",),
    Offering.TTS: ("synthesis", "voices list"),
    Offering.VOICE: ("custom voice",),
    Offering.CONVAI: ("transcription",),
    Offering.COMMANDS: ("recognition", "synthesis"),
}
"""Clients that a program for an offering needs; "every client" is for hosts of one's own."""
_CONSEQUENCES = {
    "SR101": ("SR107",),
    "SR109": ("SR107",),
    "SR111": ("SR305",),
    "SR202": ("SR301", "SR305"),
}
"""Findings that another one covers: their remedies would be no help, or the same."""
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
    for number, consequences in _CONSEQUENCES.items():
        if number in first:
            for each in consequences:
                first.pop(each, None)
    return [_with_command(finding, facts) for finding in first.values()]


def headline_of(findings: list[Finding], facts: Facts) -> str:
    """The one sentence to read."""
    for finding in findings:
        if finding.id in _DISAGREE:
            return f"{_who(facts)} and the service disagree: {finding.cause}"
    for finding in findings:
        if finding.severity is not Severity.INFO:
            return f"{finding.title}: {finding.cause}"
    if not facts.is_complete:
        return "Broken off; nothing was wrong so far."
    return f"Sound, and good to know: {findings[0].title}." if findings else "Sound."


def _with_command(finding: Finding, facts: Facts) -> Finding:
    """With the command of the catalogue, for the zone of this resource."""
    command = catalogue()[finding.id].command
    resource = facts.settings.resource if facts.settings else None
    if resource and resource.custom_domain and "private-dns" in command:
        zone = private_link_zone(resource.custom_domain)
        command = command.replace("privatelink.cognitiveservices.azure.com", zone)
        command = command.replace("NAME", resource.custom_domain.partition(".")[0])
    return finding._replace(command=command)


def _of_problem(problem: Problem) -> Finding:
    number = {"key": "SR201", "cloud": "SR203", "host": "SR204"}.get(problem.about, "SR200")
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
            f"SpeechConfig(region='{route.region}') of SDK {facts.sdk_version} opens hosts of the "
            f"wrong cloud{' for some clients' if route.cloud == CHINA.name else ''}.",
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
        asks_system = bool(facts.doors) and not facts.doors[0].proxy
        is_there = asks_system and facts.route is not None and facts.route.is_at_custom_domain
        yield from _of_system(facts.view.dns, facts.view.system, is_there=is_there)


def _wrong_region(configured: str, real: str, who: str) -> Finding:
    return Finding(
        "SR202",
        Severity.ERROR,
        f"SPEECH_REGION is {configured}, {who} {real}.",
        f"Set SPEECH_REGION={real}, or take it out.",
    )


def _of_system(dns: Lookup, system: Lookup, *, is_there: bool) -> Iterator[Finding]:
    """Where the system differs; ``is_there``: the SDK will ask it for the custom domain."""
    name = dns.chain[0]
    there = ", ".join(map(str, system.addresses))
    here = ", ".join(map(str, dns.addresses)) or dns.failure or dns.outcome
    if not system.addresses and dns.addresses and is_there:
        yield Finding(
            "SR111",
            Severity.ERROR,
            f"DNS gives {name} the address {here}, and the operating system, which the SDK asks, "
            f"does not resolve it ({system.failure or system.outcome}).",
            "Let the system's resolver ask the servers that know the name; SPEECH_DNS_SERVERS "
            "does not change where the SDK connects.",
        )
    # Other public addresses are those of another server of the same name.
    elif system.addresses and any(map(is_private, system.addresses)) is not any(
        map(is_private, dns.addresses)
    ):
        yield Finding(
            "SR107",
            Severity.WARNING,
            f"The operating system resolves {name} to {there}, DNS to {here}; the SDK follows the "
            "operating system.",
            f"Take {name} out of the hosts file, unless {there} is meant, or find the VPN that "
            "says so.",
        )


def _is_needed(client: str, facts: Facts) -> bool:
    """Whether a program with the offering of the check uses this client."""
    return client == "every client" or client in _CLIENTS[facts.offering]


def _of_connections(facts: Facts) -> Iterator[Finding]:
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
            Severity.ERROR,
            f"Nothing answers at the private address {address} of {host} ({answer.failure}), and "
            "the region refuses the key: the private endpoint exists, or the key is wrong.",
            "If the key is right, open the way to the address, port 443: peering, VPN, route "
            "tables, firewall.",
        )
    is_gone = _OK in others
    proof = ", and the region accepts the key: no private endpoint is left" if is_gone else ""
    remedy = "It is a record left behind, or there is no way to the private endpoint."
    if facts.row is Row.SYSTEM_PRIVATE:
        remedy = "Take the line out of the hosts file, or find the VPN that says so."
    elif is_gone:
        remedy = "Delete the A record of the private zone."
    elif not facts.key_answers:
        remedy += " With a key and SPEECH_REGION, --with-key tells which."
    return Finding(
        "SR101",
        Severity.ERROR,
        f"{_who(facts)} gives the private address {address} for {host}, where nothing answers "
        f"({answer.failure}){proof}.",
        remedy,
    )


def _who(facts: Facts) -> str:
    return _WHO.get(facts.row, "A setting") if facts.row else "A setting"


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


def _of_answers(facts: Facts, route: Route) -> Iterator[Finding]:
    """What the doors answered: 401 is what one answers that is there and got no key."""
    answered = {
        door.client: answer
        for door in facts.doors
        if (answer := facts.answers.get(door.url)) and answer.stage is Stage.HTTP
    }
    if not answered or _is_own_host(facts):
        return
    needed = {client: answer for client, answer in answered.items() if _is_needed(client, facts)}
    at_resource = {
        client: answer.status
        for client, answer in answered.items()
        if client not in _APIS and client != "custom voice"
    }
    is_shut = any(answer.status == _FORBIDDEN for answer in needed.values())
    redirect = next((a for a in needed.values() if _leads_to_region(a)), None)
    if route.kind is RouteKind.PRIVATE_ENDPOINT and set(at_resource.values()) == {_NOT_FOUND}:
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
    if other and other.status == _UNAUTHORIZED:
        yield _behind(facts, route, "SR110")
    elif other and _leads_to_region(other):
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
    if facts.row is Row.SYSTEM_PRIVATE:
        remedy = "Take the line out of the hosts file, or find the VPN that says so."
    elif facts.row in _WHO:
        remedy = (
            "Wait for the time to live and check again; meanwhile "
            f"SPEECH_PRIVATE_ENDPOINT={other} takes the other door."
        )
    return Finding(
        number,
        Severity.ERROR,
        f"{_who(facts)} says that {route.custom_domain} {has}, the service {does}.",
        remedy,
    )


def _of_odd_answers(answered: dict[str, Answer], facts: Facts) -> Iterator[Finding]:
    for client, answer in answered.items():
        # Access to tokens, and a custom voice without its id, may be refused for other reasons.
        is_optional = client in _APIS or client == "custom voice"
        if answer.status == _UNAUTHORIZED or (is_optional and not _is_broken(answer)):
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


def _leads_to_region(answer: Answer) -> bool:
    host = recognise_host(answer.location)
    return answer.status in _FOLLOWED and host is not None and host.region is not None


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
    has_private_endpoint = (
        facts.private_door is not None and facts.private_door.status == _UNAUTHORIZED
    )
    if first.status == _FORBIDDEN and facts.route:
        yield _shut(facts.route)
    elif first.stage is Stage.HTTP and first.status not in (_OK, _UNAUTHORIZED):
        voices = next(door.url for door in facts.doors if door.client == "voices list")
        if facts.answers[voices].status == _UNAUTHORIZED:  # else it is told already
            told = first.failure or f"status {first.status}"
            yield Finding(
                "SR404", Severity.ERROR, f"{host} answers the credential with {told}.", _TRY_AGAIN
            )
    if first.status != _UNAUTHORIZED or has_private_endpoint:
        return
    if any(answer.status == _OK for _, answer in others) and region and facts.dns_region:
        yield _wrong_region(region, facts.dns_region, "and the key is accepted in")
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

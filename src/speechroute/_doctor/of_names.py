"""Findings from settings, the SDK's version and DNS: what is known before anything connects."""

from __future__ import annotations

from collections.abc import Iterator

from .._core import urls
from .._core.addresses import is_private
from .._core.clouds import CHINA, PUBLIC, private_link_zone
from .._core.errors import (
    CustomDomainNotFound,
    DnsUnavailable,
    PrivateDnsRecordMissing,
    Problem,
    RoutingError,
)
from .._core.route import RouteKind
from .._core.unanswered import REBIND
from .._core.verdict import Row
from .._core.view import NOT_ASKED, Lookup, Outcome
from .._settings.model import SpeechSettings
from .facts import Facts
from .finding import Finding, Severity, wrong_region


def of_problem(problem: Problem) -> Finding:
    number = {"key": "SR201", "cloud": "SR203", "host": "SR204"}.get(problem.about, "SR200")
    cause = f"{problem.variable} is {problem.found}, expected {problem.expected}."
    return Finding(number, Severity.ERROR, cause, f"{_sentence(problem.remedy)}.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


_FLOOR_OF_ENTRA = "1.51"
"""The first SDK whose synthesizers are let in with Microsoft Entra ID at a custom domain (said by a
maintainer in the SDK's issue 2890, 2026-07: AZ-ENTRA-SYNTHESIS)."""


def of_sdk(facts: Facts) -> Iterator[Finding]:
    def is_older_than(version: str) -> bool:
        here, there = (
            [int(part) for part in text.split(".") if part.isdecimal()]
            for text in (facts.sdk_version, version)
        )
        return here < there

    # The floor: documented, release notes (SDK-FLOOR).
    if is_older_than(facts.sdk_floor):
        yield Finding(
            "SR501",
            Severity.ERROR,
            f"azure-cognitiveservices-speech {facts.sdk_version} is installed, and "
            f"{facts.sdk_floor} is the oldest that works.",
            f"pip install 'azure-cognitiveservices-speech>={facts.sdk_floor}'",
        )
    if facts.settings and facts.settings.is_entra and is_older_than(_FLOOR_OF_ENTRA):
        yield Finding(
            "SR503",
            Severity.WARNING,
            f"azure-cognitiveservices-speech {facts.sdk_version} is installed, whose synthesizers "
            "get 401 with Microsoft Entra ID at a custom domain.",
            f"pip install 'azure-cognitiveservices-speech>={_FLOOR_OF_ENTRA}'",
        )
    route = facts.route
    # Measured, 1.53: SDK-REGION-TABLE.
    if route and route.kind is RouteKind.REGIONAL and route.cloud != PUBLIC.name:
        yield Finding(
            "SR502",
            Severity.INFO,
            f"SpeechConfig(region='{route.region}') of SDK {facts.sdk_version} opens hosts of the "
            f"wrong cloud{' for some clients' if route.cloud == CHINA.name else ''}.",
            "Nothing to do where speech_config() makes the config: it takes the region's endpoint.",
        )


def of_error(error: RoutingError, facts: Facts) -> Iterator[Finding]:
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
        if facts.view and facts.view.dns.outcome is Outcome.NO_ADDRESS:
            cause = (
                f"{name} is an alias of {error.name}, which has no address here: the private zone "
                f"lacks it, or {REBIND}."
            )
            remedy += f" Or exempt {zone} from the protection."
    elif isinstance(error, DnsUnavailable):
        number, cause, remedy = _of_silence(name, facts)
    elif facts.row is Row.OTHER_CLOUD:
        number = "SR203"
        cause = f"DNS leads {name} to {error.name}, which is in another cloud."
        remedy = "Correct the DNS record or SPEECH_ENDPOINT: no credential crosses clouds."
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
        if facts.service:
            cause += f" The service tells nothing either ({facts.service.seen})."
    else:
        number, cause = "SR200", f"{error}"
        remedy = "Set SPEECH_REGION."
    yield Finding(number, Severity.ERROR, cause, remedy)


def _of_silence(name: str, facts: Facts) -> tuple[str, str, str]:
    lookups = (facts.view.dns, facts.view.region_api) if facts.view else ()
    failures = [lookup.failure for lookup in lookups if lookup and lookup.failure]
    failure = failures[0] if failures else "no address"
    if failure.startswith(NOT_ASKED):
        cause = f"DNS was not asked for {name}: {failure}."
        return "SR106", cause, "Raise the limits of this process (ulimit -n, ulimit -u)."
    # That resolver answers in a virtual network only (documented, 2025-06: AZ-VIRTUAL-DNS).
    if "answered REFUSED" in failure or "answered SERVFAIL" in failure:
        return (
            "SR105",
            f"DNS does not forward {name}: {failure}.",
            (
                f"Let it forward {name.partition('.')[2]} to Azure's resolver 168.63.129.16, or to "
                "a server in the virtual network."
            ),
        )
    if facts.view and facts.view.dns.outcome is Outcome.NO_ADDRESS:
        failure += f"; it may be that {REBIND}"
    return (
        "SR106",
        f"No DNS server gave a usable answer for {name}: {failure}.",
        (
            "Let port 53, UDP and TCP, pass to the servers, correct their addresses "
            "(SPEECH_DNS_SERVERS), or raise SPEECH_DNS_TIMEOUT."
        ),
    )


def _of_silence_without_harm(name: str, facts: Facts, teller: str) -> Finding:
    number, cause, remedy = _of_silence(name, facts)
    cause += f" The {teller}'s answer decided."
    return Finding(number, Severity.WARNING, cause, remedy)


def of_view(facts: Facts, settings: SpeechSettings) -> Iterator[Finding]:
    full_url = settings.full_url
    if full_url:
        offering = urls.parse(full_url).offering
        if offering not in urls.SERVED_BY[facts.offering]:
            # The SDK would open it (measured, 1.53: SDK-FULL-URL).
            yield Finding(
                "SR205",
                Severity.WARNING,
                f"The full URL in the settings is one of {offering}, which clients of "
                f"{facts.offering} cannot use.",
                "Set SPEECH_ENDPOINT without a path instead, or use the settings for "
                f"{offering} only (check --offering {offering}).",
            )
    row = facts.outweighed.row if facts.outweighed else facts.row
    if facts.route and row in (Row.SAME_AS_REGION, Row.UNDECIDED):
        name = settings.resource.custom_domain
        cause = f"{name} has no alias that tells where it leads: a DNS proxy left the names out."
        severity, remedy = _of_flattened(facts)
        yield Finding("SR108", severity, cause, remedy)
    region = settings.resource.region
    of_service = facts.service.region if facts.service else None
    for told, by in ((facts.dns_region, "DNS says"), (of_service, "the service says")):
        if region and told and region != told:
            yield wrong_region(region, told, by)
    if facts.route and row is Row.DNS_UNAVAILABLE:
        yield _of_silence_without_harm(settings.resource.custom_domain or "", facts, "service")
    if facts.view and facts.view.system:
        system = facts.view.system
        if facts.view.is_searched:
            told = f"only as {system.chain[-1]}, by its search list"
            system = system._replace(addresses=(), failure=told)
        yield from _of_system(facts.view.dns, system, facts)


def _of_flattened(facts: Facts) -> tuple[Severity, str]:
    if facts.outweighed:
        return Severity.INFO, "Nothing to do: the service, asked without the key, tells."
    if facts.row is Row.SAME_AS_REGION:
        return Severity.INFO, (
            "Nothing to do as long as calls come through: the region's addresses tell. Keep "
            "SPEECH_REGION set."
        )
    return Severity.WARNING, (
        "Set SPEECH_REGION so that addresses can be compared, or let the service be asked "
        "(SPEECH_ASK_SERVICE); now SPEECH_WHEN_UNDECIDED decides."
    )


def _of_system(dns: Lookup, system: Lookup, facts: Facts) -> Iterator[Finding]:
    """Where the system differs, which decides, or which the SDK asks for the custom domain.

    The latter is measured, 1.53: SDK-SYSTEM-RESOLVER.
    """
    is_told = facts.dns_says is not None
    is_there = facts.route is not None and facts.route.is_at_custom_domain
    is_asked = is_there and bool(facts.doors) and not facts.doors[0].proxy
    name = dns.chain[0]
    there = ", ".join(map(str, system.addresses))
    here = ", ".join(map(str, dns.addresses)) or dns.failure or dns.outcome
    if system.addresses and dns.outcome is Outcome.FAILED:
        if facts.route and not is_told:
            yield _of_silence_without_harm(name, facts, "operating system")
    elif is_asked and dns.addresses and not system.addresses:
        yield Finding(
            "SR111",
            Severity.ERROR,
            f"DNS gives {name} the address {here}, and the operating system, which the SDK asks, "
            f"does not resolve it ({system.failure or system.outcome}).",
            "Let the system's resolver ask the servers that know the name; SPEECH_DNS_SERVERS "
            "does not change where the SDK connects.",
        )
    # Other public addresses are those of another server of the same name.
    elif (
        (is_there or not is_told)
        and system.addresses
        and any(map(is_private, system.addresses)) is not any(map(is_private, dns.addresses))
        and (not facts.view or not facts.view.region_system or facts.view.is_overridden)
    ):
        yield Finding(
            "SR107",
            Severity.WARNING,
            f"The operating system resolves {name} to {there}, DNS to {here}; the SDK follows the "
            "operating system.",
            f"Take {name} out of the hosts file, unless {there} is meant, or find the VPN that "
            "says so.",
        )

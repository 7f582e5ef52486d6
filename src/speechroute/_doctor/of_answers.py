"""Findings from what the doors answered, without the key and with it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from .._core.answer import (
    FORBIDDEN,
    NOT_FOUND,
    OK,
    SERVER_ERROR,
    THROTTLED,
    UNAUTHORIZED,
    Answer,
    Stage,
)
from .._core.route import Route, RouteKind
from .._core.verdict import Decision, Row
from .._settings.model import SpeechSettings
from .evidence import (
    OPTIONAL,
    CustomDomain,
    answers_of_clients,
    at_custom_domain,
    do_both_doors_work,
    has_override,
    is_at_wrong_door,
    is_needed,
    is_own_host,
)
from .facts import Facts
from .finding import BY, Finding, Severity, who, wrong_region

_TRY_AGAIN = (
    "Check again in a minute, with more time (--budget) if there was none left: 429 is the quota, "
    "5xx the service; anything else comes from something in between, such as a login page."
)


def of_answers(facts: Facts, route: Route) -> Iterator[Finding]:
    """What the doors answered: 401 is what one answers that got no key (assumed: AZ-KEYLESS)."""
    if is_own_host(facts):
        return
    told = at_custom_domain(facts)
    answered = answers_of_clients(facts)
    needed = {client: answer for client, answer in answered.items() if is_needed(client, facts)}
    if route.kind is RouteKind.PRIVATE_ENDPOINT and is_at_wrong_door(facts):
        yield _behind(facts, route, "SR109")
    elif route.needs_custom_domain and told is CustomDomain.REFUSES:
        yield Finding(
            "SR404",
            Severity.ERROR,
            f"{route.custom_domain} answers 404, and Microsoft Entra ID goes there because "
            "SPEECH_RESOURCE_ID is not set.",
            "Set SPEECH_RESOURCE_ID: with it a token is taken at the region. run() and streams try "
            "the region by themselves.",
        )
    elif any(answer.status == FORBIDDEN for answer in needed.values()):
        yield _shut(route)
    elif told is not CustomDomain.LEADS_ON or not route.is_at_custom_domain:
        yield from _of_odd_answers(answered, facts)
    elif facts.row in BY and not do_both_doors_work(facts):
        yield _behind(facts, route, "SR109", Severity.WARNING)
    if route.kind is RouteKind.REGIONAL and is_at_wrong_door(facts):
        yield _behind(facts, route, "SR110")
    yield from _of_outweighed(facts, route)
    if do_both_doors_work(facts):
        yield Finding(
            "SR401",
            Severity.INFO,
            f"{route.custom_domain} leads on to the region, which takes the credential: both doors "
            "work.",
            "Nothing to do.",
        )


def _shut(route: Route) -> Finding:
    """403: documented, 2024-09 (AZ-PUBLIC-ACCESS-403); keys off: assumed (AZ-KEYS-OFF-403)."""
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


_WITH_REGION = "set SPEECH_REGION, which nobody tells here: then "
_HAS = {"SR109": "a", "SR110": "no"}
_DOES = {
    CustomDomain.SERVES: "answers there as it does with one",
    CustomDomain.REFUSES: "answers 404 there as after the last one was removed",
    CustomDomain.LEADS_ON: "leads on from there to the region, as without one",
}


def _behind(
    facts: Facts, route: Route, number: str, severity: Severity = Severity.ERROR
) -> Finding:
    """Who decided and the service say different things."""
    says = f"{_who_says(facts)} that {route.custom_domain} has {_HAS[number]} private endpoint"
    told = at_custom_domain(facts)
    does = f"the service {_DOES[told]}" if told else "the service does not"
    remedy = "Correct SPEECH_PRIVATE_ENDPOINT or SPEECH_WHEN_UNDECIDED."
    if facts.outweighed:
        remedy = _TRY_AGAIN
    elif has_override(facts):
        remedy = "Take the line out of the hosts file, or find the VPN that says so."
    elif facts.row is Row.PRIVATE_ADDRESS and facts.decided_by is None:
        remedy = (
            "If a proxy or a filter answers for Azure's names here, waiting does not help: set "
            "SPEECH_REGION, so that addresses can be compared. Else delete the record."
        )
    elif severity is Severity.WARNING:
        remedy = "Wait for the time to live and check again"
        remedy += "." if facts.key_answers else "; --with-key tells whether both work."
    elif facts.row in BY:
        is_known = number == "SR110" or route.region or (facts.service and facts.service.region)
        remedy = (
            "Wait for the time to live and check again. Meanwhile "
            f"{'' if is_known else _WITH_REGION}run() and streams take the other door by "
            "themselves, and all else does with SPEECH_ASK_SERVICE=always."
        )
    return Finding(number, severity, f"{says}, {does}.", remedy)


def _who_says(facts: Facts) -> str:
    return "The service, asked, says" if facts.outweighed else f"{who(facts)} says"


def _of_outweighed(facts: Facts, route: Route) -> Iterator[Finding]:
    """Where DNS told a route, and the service another one, which is taken."""
    by_dns = facts.outweighed
    if by_dns is None or by_dns.row not in BY or route.custom_domain is None:
        return
    number = "SR109" if by_dns.decision is Decision.PRIVATE_ENDPOINT else "SR110"
    yield Finding(
        number,
        Severity.INFO,
        f"{who(facts)} says that {route.custom_domain} has {_HAS[number]} private endpoint, and "
        "the service otherwise, whose word counts: SPEECH_ASK_SERVICE=always.",
        "Nothing to do: the route follows the service.",
    )


def _of_odd_answers(answered: dict[str, Answer], facts: Facts) -> Iterator[Finding]:
    for client, answer in answered.items():
        is_optional = client in OPTIONAL and not _is_broken(answer)
        if answer.status == UNAUTHORIZED or is_optional:
            continue
        told = answer.failure or f"status {answer.status}"
        if answer.leads_to:
            told += f" to {answer.leads_to}"
        url = next(door.url for door in facts.doors if door.client == client)
        yield Finding(
            "SR404",
            Severity.ERROR if is_needed(client, facts) else Severity.WARNING,
            f"{client} got {told} from {urlsplit(url).hostname} instead of 401.",
            _TRY_AGAIN,
        )


def _is_broken(answer: Answer) -> bool:
    status = answer.status
    return status is None or status == THROTTLED or status >= SERVER_ERROR


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
    yield from _of_odd_key(host, first, facts)
    is_taken = facts.key_as_redirected is not None and facts.key_as_redirected.status == OK
    for there, answer in others:
        if first.status == NOT_FOUND and answer.status == UNAUTHORIZED and not is_taken:
            yield _refused(there, facts.settings)
    if first.status != UNAUTHORIZED or is_at_wrong_door(facts):
        return
    if any(answer.status == OK for _, answer in others) and region and facts.dns_region:
        yield wrong_region(region, facts.dns_region, "and the key is accepted in")
        return
    if is_taken:
        yield Finding(
            "SR401",
            Severity.ERROR,
            f"{host} refuses the key with 401, and takes it from those whom the custom domain "
            "leads there.",
            "Set SPEECH_PRIVATE_ENDPOINT=yes: the custom domain works. Without that setting run() "
            "and streams find it by themselves.",
        )
        return
    yield _refused(host, facts.settings)


def _of_odd_key(host: str, first: Answer, facts: Facts) -> Iterator[Finding]:
    if first.status == FORBIDDEN and facts.route:
        yield _shut(facts.route)
    elif first.stage is Stage.HTTP and first.status not in (OK, UNAUTHORIZED):
        voices = next(door.url for door in facts.doors if door.client == "voices list")
        if facts.answers[voices].status == UNAUTHORIZED:  # else it is told already
            told = first.failure or f"status {first.status}"
            yield Finding(
                "SR404", Severity.ERROR, f"{host} answers the credential with {told}.", _TRY_AGAIN
            )


def _refused(host: str, settings: SpeechSettings) -> Finding:
    """401: documented, 2024-09 (AZ-CREDENTIAL); in another region, too (AZ-KEY-OF-REGION)."""
    return Finding(
        "SR402",
        Severity.ERROR,
        f"{host} refuses the credential with 401.",
        "See whether the identity has a role at the resource, and whether SPEECH_RESOURCE_ID is "
        "this resource's."
        if settings.is_entra
        else "Replace it with a key of this resource, and compare the region: a key is valid in "
        "its own only.",
    )

"""What was seen, held against each claim of the ledger. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from ..._core.answer import FORBIDDEN, NOT_FOUND, OK, SERVER_ERROR, THROTTLED, UNAUTHORIZED
from ..._core.clouds import PUBLIC, MarkerKind, recognise_marker
from ..._core.verdict import Decision
from ..ledger import Claim, ledger
from .testimony import CLIENTS, OTHER, REST, SOCKETS, Asked, DoorKind, Reply, Testimony

_AT, _AWAY = DoorKind.CUSTOM_DOMAIN, DoorKind.REGION
_REDIRECT = 301
_BAD_REQUEST = 400
_FOUNDRY = "services.ai.azure.com"


class Judgement(StrEnum):
    """What what was seen says of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNCLEAR = "unclear"
    OTHER_GENERATION = "other generation"
    """Refuted, as by every resource of the generation that this one is of."""
    NOT_TRIED = "not tried"


class Judged(NamedTuple):
    """A claim, and what was seen of it.

    Attributes:
        seen: in a few words.
    """

    claim: Claim
    judgement: Judgement
    seen: str


class _Seen(NamedTuple):
    judgement: Judgement
    seen: str


_Try = Callable[[Testimony], _Seen]


def _not_tried(why: str) -> _Seen:
    return _Seen(Judgement.NOT_TRIED, why)


def _unclear(why: str) -> _Seen:
    return _Seen(Judgement.UNCLEAR, why)


def _is(holds: bool, seen: str) -> _Seen:
    return _Seen(Judgement.CONFIRMED if holds else Judgement.REFUTED, seen)


def _tells_nothing(reply: Reply) -> bool:
    """Whether it is about something else: an outage, a quota, this network, what was heard."""
    status = reply.status
    if status is None or status in (FORBIDDEN, THROTTLED) or status >= SERVER_ERROR:
        return True
    return status == OK and bool(reply.note)


def _words(replies: dict[Asked, Reply]) -> str:
    """What all got, those together that got the same."""
    by_reply: dict[str, list[str]] = {}
    for asked, reply in replies.items():
        by_reply.setdefault(_word(reply), []).append(asked)
    if len(by_reply) == 1 and len(replies) > 1:
        return f"{next(iter(by_reply))}, all {len(replies)}"
    return "; ".join(f"{word}: {', '.join(asked)}" for word, asked in by_reply.items())


def _word(reply: Reply) -> str:
    if reply.leads:
        return f"{reply.status} to {'the region' if reply.leads.to_region else 'elsewhere'}"
    return str(reply)


def _all(door: DoorKind, asked: tuple[Asked, ...], is_so: Callable[[Reply], bool]) -> _Try:
    """That all got what a claim says."""

    def judge(seen: Testimony) -> _Seen:
        replies = {each: seen.replies[door, each] for each in asked if (door, each) in seen.replies}
        if not replies:
            return _not_tried(seen.skipped.get(door, "not asked"))
        told = _words(replies)
        wrong = [reply for reply in replies.values() if not is_so(reply)]
        is_refused = any(reply.status == UNAUTHORIZED for reply in wrong or replies.values())
        if is_refused and not seen.is_credential_good and Asked.KEYLESS not in asked:
            return _unclear(f"{told}; the credential works nowhere")
        if wrong and all(map(_tells_nothing, wrong)):
            return _unclear(told)
        if not wrong and len(replies) < len(asked):
            return _unclear(f"{told}; not all were asked")
        return _is(not wrong, told)

    return judge


def _served(door: DoorKind, *asked: Asked) -> _Try:
    return _all(door, asked, lambda reply: reply.is_served)


def _answered(door: DoorKind, status: int, *asked: Asked) -> _Try:
    return _all(door, asked, lambda reply: reply.status == status)


# DNS.


def _dns(is_so: Callable[[Testimony], bool]) -> _Try:
    """That the names on the way are as a claim says."""

    def judge(seen: Testimony) -> _Seen:
        dns = seen.view.dns
        if not dns.addresses:
            return _unclear(f"DNS: {dns.outcome}")
        if len(dns.chain) == 1:
            return _unclear("an address, and no names on the way to it")
        if {True, False} == {seen.said_by_dns, seen.has_private_endpoint}:
            return _unclear(f"DNS says otherwise than the doors ({seen.row.id})")
        return _is(is_so(seen), f"row {seen.row.id}")

    return judge


def _passes_private_link(seen: Testimony) -> bool:
    markers = map(recognise_marker, seen.view.dns.chain)
    return any(marker and marker.kind is MarkerKind.PRIVATE_LINK for marker in markers)


def _lands_at(kind: MarkerKind) -> Callable[[Testimony], bool]:
    def lands(seen: Testimony) -> bool:
        markers = [marker for name in seen.view.dns.chain if (marker := recognise_marker(name))]
        return bool(markers) and markers[-1].kind is kind

    return lands


def _sovereign(seen: Testimony) -> _Seen:
    if seen.has_private_endpoint:
        return _dns(_passes_private_link)(seen)
    return _dns(_lands_at(MarkerKind.REGIONAL))(seen)


# The service's question.


def _question(decision: Decision, *, names_region: bool = False) -> _Try:
    def judge(seen: Testimony) -> _Seen:
        answer = seen.view.service
        if answer is None or answer.decision is None:
            said = answer.seen if answer else "not asked"
            return _not_tried(said) if said.startswith("not asked") else _unclear(said)
        is_so = answer.decision is decision and bool(answer.region) is names_region
        return _is(is_so, answer.seen)

    return judge


# The redirect.


def _redirect_status(seen: Testimony) -> _Seen:
    reply = seen.reply(_AT, Asked.UPGRADE)
    if reply.leads is None:
        return _not_tried("nothing was redirected")
    return _is(reply.status == _REDIRECT, f"{reply.status}")


def _redirect_target(seen: Testimony) -> _Seen:
    if seen.leads_on is None:
        return _not_tried("nothing was redirected")
    parts = zip(("host", "path", "name of the custom domain"), seen.leads_on, strict=True)
    other = [part for part, is_as_claimed in parts if not is_as_claimed]
    return _is(not other, f"another {' and '.join(other)}" if other else "as claimed")


def _redirect(seen: Testimony) -> _Seen:
    reply = seen.reply(_AT, Asked.UPGRADE)
    if reply.status is None:
        return _served(_AT, Asked.UPGRADE)(seen)
    if not (reply.leads and reply.leads.to_region):
        return _all(_AT, (Asked.UPGRADE,), lambda _: False)(seen)
    followed = _served(_AT, *SOCKETS)(seen)
    return followed._replace(seen=f"{reply.status} to the region; {followed.seen}")


def _voices(seen: Testimony) -> _Seen:
    if seen.leads_on is None:
        return _not_tried("nothing was redirected")
    return _all(_AT, (Asked.REST_VOICES,), lambda reply: not (reply.leads or reply.is_served))(seen)


def _region_named(seen: Testimony) -> _Seen:
    shut = _answered(_AWAY, UNAUTHORIZED, Asked.UPGRADE)(seen)
    if shut.judgement is not Judgement.CONFIRMED:
        return shut
    named = _served(_AWAY, Asked.NAMED)(seen)
    return named._replace(seen=f"{shut.seen}; {named.seen}")


def _keyless(seen: Testimony) -> _Seen:
    given = seen.reply(_AT, Asked.UPGRADE)
    if seen.has_private_endpoint:
        given = Reply(UNAUTHORIZED)
    elif given.is_shut_out or _tells_nothing(given):
        return _unclear(f"with the credential: {given}")
    return _all(_AT, (Asked.KEYLESS,), lambda reply: reply == given)(seen)


def _certificates(seen: Testimony) -> _Seen:
    if not seen.issuers:
        return _not_tried("no door showed one")
    return _is(OTHER not in seen.issuers, ", ".join(seen.issuers))


def _key_form(seen: Testimony) -> _Seen:
    if not seen.is_credential_good:
        return _unclear("the key works nowhere")
    return _is(bool(seen.has_key_form), "the form claimed" if seen.has_key_form else "another form")


def _served_or(status: tuple[int, ...], asked: Asked) -> _Try:
    return _all(_AT, (asked,), lambda reply: reply.is_served or reply.status in status)


class Trial(NamedTuple):
    """How a claim is tried.

    Attributes:
        judge: says what was seen of it.
        with_private_endpoint: the state that it belongs to; None: both.
        auth: the credential that it is about; empty: both.
        where: why it is not tried at a resource; empty if it is.
    """

    judge: _Try
    with_private_endpoint: bool | None = None
    auth: str = ""
    where: Callable[[Testimony], str] = lambda _: ""


def _only(is_there: Callable[[Testimony], bool], where: str) -> Callable[[Testimony], str]:
    return lambda seen: "" if is_there(seen) else f"only {where}"


_OUTSIDE = _only(lambda seen: seen.is_seen_from_outside, "seen from outside")
_SOVEREIGN = _only(lambda seen: seen.cloud != PUBLIC.name, "in Azure Government and China")
_OF_FOUNDRY = _only(lambda seen: seen.suffix == _FOUNDRY, f"under {_FOUNDRY}")
_WITH_ID = _only(lambda seen: (_AWAY, Asked.UPGRADE) in seen.replies, "with SPEECH_RESOURCE_ID")

TRIALS = {
    "AZ-DNS-PRIVATE-LINK": Trial(_dns(_passes_private_link), True),
    "AZ-DNS-VNET-PROXY": Trial(_dns(_lands_at(MarkerKind.VNET_PROXY)), True, where=_OUTSIDE),
    "AZ-DNS-REGION": Trial(_dns(_lands_at(MarkerKind.REGIONAL)), False),
    "AZ-DNS-SOVEREIGN": Trial(_sovereign, where=_SOVEREIGN),
    "AZ-PE-CUSTOM-DOMAIN": Trial(_served(_AT, Asked.UPGRADE, *CLIENTS), True),
    "AZ-PE-REGION-401": Trial(_answered(_AWAY, UNAUTHORIZED, Asked.UPGRADE, *CLIENTS), True),
    "AZ-PE-QUESTION": Trial(_question(Decision.PRIVATE_ENDPOINT), True),
    "AZ-PE-REST": Trial(_served(_AT, *REST), True),
    "AZ-TOKEN-ALL-NETWORKS": Trial(_served_or((_BAD_REQUEST, FORBIDDEN), Asked.TOKEN), True, "key"),
    "AZ-PUBLIC-ACCESS-403": Trial(_served_or((FORBIDDEN,), Asked.UPGRADE), True, where=_OUTSIDE),
    "AZ-404-AFTER-REMOVAL": Trial(_answered(_AT, NOT_FOUND, Asked.UPGRADE, *CLIENTS), False),
    "AZ-ORACLE-404": Trial(_question(Decision.REGIONAL), False),
    "AZ-REDIRECT": Trial(_redirect, False),
    "AZ-REDIRECT-STATUS": Trial(_redirect_status, False),
    "AZ-REDIRECT-TARGET": Trial(_redirect_target, False),
    "AZ-ORACLE-KEYLESS": Trial(_question(Decision.REGIONAL, names_region=True), False),
    "AZ-VOICES-NOT-REDIRECTED": Trial(_voices, False),
    "AZ-REGION-WITH-CUSTOM-DOMAIN": Trial(_served(_AWAY, Asked.UPGRADE, *CLIENTS), False, "key"),
    "AZ-REGION-NAMED": Trial(_region_named, False, "key"),
    "AZ-REST-REGION": Trial(_served(_AWAY, *REST), False, "key"),
    "AZ-TOKEN-REGION": Trial(_served(_AWAY, Asked.TOKEN), False, "key"),
    "AZ-GOV-PORTAL-ENDPOINT": Trial(_served(_AWAY, *CLIENTS), False, "key", _SOVEREIGN),
    "AZ-KEYLESS": Trial(_keyless),
    "AZ-REST-CUSTOM-DOMAIN": Trial(_served(_AT, Asked.MODELS)),
    "AZ-SERVICES-AI-SPEECH": Trial(_served(_AT, *CLIENTS), True, where=_OF_FOUNDRY),
    "AZ-ENTRA-CUSTOM-DOMAIN": Trial(_served(_AT, Asked.UPGRADE), True, "entra"),
    "AZ-ENTRA-RESOURCE-ID": Trial(_served(_AWAY, Asked.UPGRADE), False, "entra", _WITH_ID),
    "AZ-ENTRA-NAMED": Trial(_served(_AWAY, Asked.NAMED), False, "entra"),
    "AZ-KEY-FORM": Trial(_key_form, auth="key"),
    "AZ-CERTIFICATES": Trial(_certificates),
}
"""How each claim is tried that can be, without changing anything in Azure."""


def judged(seen: Testimony) -> list[Judged]:
    """Each claim that a witness can try, in the order of the ledger."""
    judgements = [
        Judged(claim, *_tried(trial, seen))
        for number, claim in ledger().items()
        if (trial := TRIALS.get(number))
    ]
    own = {*generations_of(judgements)}
    return [
        each._replace(judgement=Judgement.OTHER_GENERATION)
        if each.judgement is Judgement.REFUTED
        and own
        and each.claim.generations
        and own.isdisjoint(each.claim.generations)
        else each
        for each in judgements
    ]


def _tried(trial: Trial, seen: Testimony) -> _Seen:
    state = seen.has_private_endpoint
    if trial.auth not in ("", seen.auth):
        return _not_tried(f"only with SPEECH_AUTH={trial.auth}")
    if trial.with_private_endpoint is not None:
        if state is None:
            return _unclear("whether there is a private endpoint was not found out")
        if trial.with_private_endpoint is not state:
            return _not_tried(f"only with{'' if not state else 'out'} a private endpoint")
    where = trial.where(seen)
    return _not_tried(where) if where else trial.judge(seen)


def generations_of(judgements: list[Judged]) -> list[str]:
    """The generations of the service that nothing refutes, of those that some claim confirms.

    Empty where no claim of one generation alone was tried, as with a private endpoint.
    """
    confirmed: dict[str, bool] = {}
    for claim, judgement, _ in judgements:
        if judgement not in (Judgement.UNCLEAR, Judgement.NOT_TRIED):
            for generation in claim.generations:
                is_so = judgement is Judgement.CONFIRMED
                confirmed[generation] = confirmed.get(generation, True) and is_so
    return [generation for generation, is_so in confirmed.items() if is_so]

"""What was seen, held against what a claim says: a function for each form of claim. Pure."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple

from ..._core.answer import FORBIDDEN, OK, SERVER_ERROR, THROTTLED, UNAUTHORIZED
from ..._core.clouds import MarkerKind, recognise_marker
from ..._core.verdict import Decision
from .testimony import OTHER, SOCKETS, Asked, DoorKind, Reply, Testimony

AT, AWAY = DoorKind.CUSTOM_DOMAIN, DoorKind.REGION
_REDIRECT = 301


class Judgement(StrEnum):
    """What what was seen says of a claim."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"
    UNCLEAR = "unclear"
    OTHER_GENERATION = "other generation"
    """Refuted, as by every resource of the generation that this one is of."""
    NOT_TRIED = "not tried"


class Seen(NamedTuple):
    judgement: Judgement
    seen: str


Try = Callable[[Testimony], Seen]


def not_tried(why: str) -> Seen:
    return Seen(Judgement.NOT_TRIED, why)


def unclear(why: str) -> Seen:
    return Seen(Judgement.UNCLEAR, why)


def _is(holds: bool, seen: str) -> Seen:
    return Seen(Judgement.CONFIRMED if holds else Judgement.REFUTED, seen)


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


def _all(door: DoorKind, asked: tuple[Asked, ...], is_so: Callable[[Reply], bool]) -> Try:
    """That all got what a claim says."""

    def judge(seen: Testimony) -> Seen:
        replies = {each: seen.replies[door, each] for each in asked if (door, each) in seen.replies}
        if not replies:
            return not_tried(seen.skipped.get(door, "not asked"))
        told = _words(replies)
        wrong = [reply for reply in replies.values() if not is_so(reply)]
        is_refused = any(reply.status == UNAUTHORIZED for reply in wrong or replies.values())
        if is_refused and not seen.is_credential_good and Asked.KEYLESS not in asked:
            return unclear(f"{told}; the credential works nowhere")
        if wrong and all(map(_tells_nothing, wrong)):
            return unclear(told)
        if not wrong and len(replies) < len(asked):
            return unclear(f"{told}; not all were asked")
        return _is(not wrong, told)

    return judge


def served(door: DoorKind, *asked: Asked) -> Try:
    return _all(door, asked, lambda reply: reply.is_served)


def answered(door: DoorKind, status: int, *asked: Asked) -> Try:
    return _all(door, asked, lambda reply: reply.status == status)


# DNS.


def dns(is_so: Callable[[Testimony], bool]) -> Try:
    """That the names on the way are as a claim says."""

    def judge(seen: Testimony) -> Seen:
        lookup = seen.view.dns
        if not lookup.addresses:
            return unclear(f"DNS: {lookup.outcome}")
        if len(lookup.chain) == 1:
            return unclear("an address, and no names on the way to it")
        if {True, False} == {seen.said_by_dns, seen.has_private_endpoint}:
            return unclear(f"DNS says otherwise than the doors ({seen.row.id})")
        return _is(is_so(seen), f"row {seen.row.id}")

    return judge


def passes_private_link(seen: Testimony) -> bool:
    markers = map(recognise_marker, seen.view.dns.chain)
    return any(marker and marker.kind is MarkerKind.PRIVATE_LINK for marker in markers)


def lands_at(kind: MarkerKind) -> Callable[[Testimony], bool]:
    def lands(seen: Testimony) -> bool:
        markers = [marker for name in seen.view.dns.chain if (marker := recognise_marker(name))]
        return bool(markers) and markers[-1].kind is kind

    return lands


def sovereign(seen: Testimony) -> Seen:
    if seen.has_private_endpoint:
        return dns(passes_private_link)(seen)
    return dns(lands_at(MarkerKind.REGIONAL))(seen)


# The service's question.


def question(decision: Decision, *, names_region: bool = False) -> Try:
    def judge(seen: Testimony) -> Seen:
        answer = seen.view.service
        if answer is None or answer.decision is None:
            said = answer.seen if answer else "not asked"
            return not_tried(said) if said.startswith("not asked") else unclear(said)
        is_so = answer.decision is decision and bool(answer.region) is names_region
        return _is(is_so, answer.seen)

    return judge


# The redirect.


def redirect_status(seen: Testimony) -> Seen:
    reply = seen.reply(AT, Asked.UPGRADE)
    if reply.leads is None:
        return not_tried("nothing was redirected")
    return _is(reply.status == _REDIRECT, f"{reply.status}")


def redirect_target(seen: Testimony) -> Seen:
    if seen.leads_on is None:
        return not_tried("nothing was redirected")
    parts = zip(("host", "path", "name of the custom domain"), seen.leads_on, strict=True)
    other = [part for part, is_as_claimed in parts if not is_as_claimed]
    return _is(not other, f"another {' and '.join(other)}" if other else "as claimed")


def redirect(seen: Testimony) -> Seen:
    reply = seen.reply(AT, Asked.UPGRADE)
    if reply.status is None:
        return served(AT, Asked.UPGRADE)(seen)
    if not (reply.leads and reply.leads.to_region):
        return _all(AT, (Asked.UPGRADE,), lambda _: False)(seen)
    followed = served(AT, *SOCKETS)(seen)
    return followed._replace(seen=f"{reply.status} to the region; {followed.seen}")


def voices(seen: Testimony) -> Seen:
    if seen.leads_on is None:
        return not_tried("nothing was redirected")

    def stays(reply: Reply) -> bool:
        return not (reply.leads or reply.is_served or _tells_nothing(reply))

    return _all(AT, (Asked.REST_VOICES,), stays)(seen)


def region_named(seen: Testimony) -> Seen:
    shut = answered(AWAY, UNAUTHORIZED, Asked.UPGRADE)(seen)
    if shut.judgement is not Judgement.CONFIRMED:
        return shut
    named = served(AWAY, Asked.NAMED)(seen)
    return named._replace(seen=f"{shut.seen}; {named.seen}")


def keyless(seen: Testimony) -> Seen:
    given = seen.reply(AT, Asked.UPGRADE)
    if seen.has_private_endpoint:
        given = Reply(UNAUTHORIZED)
    elif given.is_shut_out or _tells_nothing(given):
        return unclear(f"with the credential: {given}")
    return _all(AT, (Asked.KEYLESS,), lambda reply: reply == given)(seen)


def certificates(seen: Testimony) -> Seen:
    if not seen.issuers:
        return not_tried("no door showed one")
    return _is(OTHER not in seen.issuers, ", ".join(seen.issuers))


def key_form(seen: Testimony) -> Seen:
    if not seen.is_credential_good:
        return unclear("the key works nowhere")
    return _is(bool(seen.has_key_form), "the form claimed" if seen.has_key_form else "another form")


def served_or(status: tuple[int, ...], asked: Asked) -> Try:
    return _all(AT, (asked,), lambda reply: reply.is_served or reply.status in status)

"""Each claim of the ledger that can be tried, and what was seen of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from ..._core.answer import FORBIDDEN, NOT_FOUND, UNAUTHORIZED
from ..._core.clouds import PUBLIC, MarkerKind
from ..._core.verdict import Decision
from ..ledger import Claim, ledger
from .judges import (
    AT,
    AWAY,
    Judgement,
    Seen,
    Try,
    answered,
    certificates,
    dns,
    key_form,
    keyless,
    lands_at,
    not_tried,
    passes_private_link,
    question,
    redirect,
    redirect_status,
    redirect_target,
    region_named,
    served,
    served_or,
    sovereign,
    unclear,
    voices,
)
from .testimony import CLIENTS, REST, Asked, Testimony

_BAD_REQUEST = 400
_FOUNDRY = "services.ai.azure.com"


class Judged(NamedTuple):
    """A claim, and what was seen of it.

    Attributes:
        seen: in a few words.
    """

    claim: Claim
    judgement: Judgement
    seen: str


class Trial(NamedTuple):
    """How a claim is tried.

    Attributes:
        judge: says what was seen of it.
        with_private_endpoint: the state that it belongs to; None: both.
        auth: the credential that it is about; empty: both.
        where: why it is not tried at a resource; empty if it is.
    """

    judge: Try
    with_private_endpoint: bool | None = None
    auth: str = ""
    where: Callable[[Testimony], str] = lambda _: ""


def _only(is_there: Callable[[Testimony], bool], where: str) -> Callable[[Testimony], str]:
    return lambda seen: "" if is_there(seen) else f"only {where}"


_OUTSIDE = _only(lambda seen: seen.is_seen_from_outside, "seen from outside")
_SOVEREIGN = _only(lambda seen: seen.cloud != PUBLIC.name, "in Azure Government and China")
_OF_FOUNDRY = _only(lambda seen: seen.suffix == _FOUNDRY, f"under {_FOUNDRY}")
_WITH_ID = _only(lambda seen: (AWAY, Asked.UPGRADE) in seen.replies, "with SPEECH_RESOURCE_ID")

TRIALS = {
    "AZ-DNS-PRIVATE-LINK": Trial(dns(passes_private_link), True),
    "AZ-DNS-VNET-PROXY": Trial(dns(lands_at(MarkerKind.VNET_PROXY)), True, where=_OUTSIDE),
    "AZ-DNS-REGION": Trial(dns(lands_at(MarkerKind.REGIONAL)), False),
    "AZ-DNS-SOVEREIGN": Trial(sovereign, where=_SOVEREIGN),
    "AZ-PE-CUSTOM-DOMAIN": Trial(served(AT, Asked.UPGRADE, *CLIENTS), True),
    "AZ-PE-REGION-401": Trial(answered(AWAY, UNAUTHORIZED, Asked.UPGRADE, *CLIENTS), True),
    "AZ-PE-QUESTION": Trial(question(Decision.PRIVATE_ENDPOINT), True),
    "AZ-PE-REST": Trial(served(AT, *REST), True),
    "AZ-TOKEN-ALL-NETWORKS": Trial(served_or((_BAD_REQUEST, FORBIDDEN), Asked.TOKEN), True, "key"),
    "AZ-PUBLIC-ACCESS-403": Trial(served_or((FORBIDDEN,), Asked.UPGRADE), True, where=_OUTSIDE),
    "AZ-404-AFTER-REMOVAL": Trial(answered(AT, NOT_FOUND, Asked.UPGRADE, *CLIENTS), False),
    "AZ-ORACLE-404": Trial(question(Decision.REGIONAL), False),
    "AZ-REDIRECT": Trial(redirect, False),
    "AZ-REDIRECT-STATUS": Trial(redirect_status, False),
    "AZ-REDIRECT-TARGET": Trial(redirect_target, False),
    "AZ-ORACLE-KEYLESS": Trial(question(Decision.REGIONAL, names_region=True), False),
    "AZ-VOICES-NOT-REDIRECTED": Trial(voices, False),
    "AZ-REGION-WITH-CUSTOM-DOMAIN": Trial(served(AWAY, Asked.UPGRADE, *CLIENTS), False, "key"),
    "AZ-REGION-NAMED": Trial(region_named, False, "key"),
    "AZ-REST-REGION": Trial(served(AWAY, *REST), False, "key"),
    "AZ-TOKEN-REGION": Trial(served(AWAY, Asked.TOKEN), False, "key"),
    "AZ-GOV-PORTAL-ENDPOINT": Trial(served(AWAY, *CLIENTS), False, "key", _SOVEREIGN),
    "AZ-KEYLESS": Trial(keyless),
    "AZ-REST-CUSTOM-DOMAIN": Trial(served(AT, Asked.MODELS)),
    "AZ-SERVICES-AI-SPEECH": Trial(served(AT, *CLIENTS), True, where=_OF_FOUNDRY),
    "AZ-ENTRA-CUSTOM-DOMAIN": Trial(served(AT, Asked.UPGRADE), True, "entra"),
    "AZ-ENTRA-RESOURCE-ID": Trial(served(AWAY, Asked.UPGRADE), False, "entra", _WITH_ID),
    "AZ-ENTRA-NAMED": Trial(served(AWAY, Asked.NAMED), False, "entra"),
    "AZ-KEY-FORM": Trial(key_form, auth="key"),
    "AZ-CERTIFICATES": Trial(certificates),
}
"""How each claim is tried that can be, without changing anything in Azure."""


def judged(seen: Testimony) -> list[Judged]:
    """Each claim that a witness can try, in the order of the ledger."""
    judgements = [
        Judged(claim, *_tried(trial, seen))
        for number, claim in ledger().items()
        if (trial := TRIALS.get(number))
    ]
    own = generations_of(judgements)
    return [each._replace(judgement=_of_generation(each, own)) for each in judgements]


def _of_generation(judged: Judged, own: list[str]) -> Judgement:
    claimed = judged.claim.generations
    is_of_others = own and claimed and not {*own} & {*claimed}
    if judged.judgement is Judgement.REFUTED and is_of_others:
        return Judgement.OTHER_GENERATION
    return judged.judgement


def _tried(trial: Trial, seen: Testimony) -> Seen:
    state = seen.has_private_endpoint
    if trial.auth not in ("", seen.auth):
        return not_tried(f"only with SPEECH_AUTH={trial.auth}")
    if trial.with_private_endpoint is not None:
        if state is None:
            return unclear("whether there is a private endpoint was not found out")
        if trial.with_private_endpoint is not state:
            return not_tried(f"only with{'' if not state else 'out'} a private endpoint")
    where = trial.where(seen)
    return not_tried(where) if where else trial.judge(seen)


def generations_of(judgements: list[Judged]) -> list[str]:
    """The generations of the service whose own claims hold best.

    Empty where none was tried, as with a private endpoint, or where more are refuted than hold.
    """
    scores: Counter[str] = Counter()
    for claim, judgement, _ in judgements:
        if judgement not in (Judgement.UNCLEAR, Judgement.NOT_TRIED):
            holds = judgement is Judgement.CONFIRMED
            scores.update(dict.fromkeys(claim.generations, 1 if holds else -1))
    best = max(scores.values(), default=0)
    return [generation for generation, score in scores.items() if score == best > 0]

"""What was seen. Plain values, made by the steps of `look` and read by `judge` and `render`."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._core.answer import Answer
from .._core.clouds import Offering
from .._core.errors import Problem, RoutingError
from .._core.route import Route
from .._core.service import ServiceAnswer
from .._core.verdict import Row, Verdict
from .._core.view import DnsView
from .._settings.model import SpeechSettings


@dataclass(frozen=True, slots=True)
class ClientDoor:
    """Where one client connects to.

    Attributes:
        client: for example ``recognition``.
        url: the URL that it opens; empty if it cannot be used.
        note: what is special about it.
        proxy: the proxy that it goes through; empty if there is none.
        proxy_reason: why.
    """

    client: str
    url: str
    note: str = ""
    proxy: str = ""
    proxy_reason: str = ""


@dataclass(slots=True)
class Facts:
    """Everything that was seen; what was not looked at is empty.

    Attributes:
        sdk_version, sdk_floor: of azure-cognitiveservices-speech: here, and the oldest allowed.
        settings: None where they cannot work.
        problems: why they cannot.
        offering: what the program is for.
        view: what DNS said.
        row: the row of the decision table that applied.
        decided_by: place on the chain of the name that decided, if one did.
        dns_says: what DNS would have decided, where SPEECH_PRIVATE_ENDPOINT did.
        service: what the service said at the custom domain, or why it was not asked; None where
            there is none.
        outweighed: what DNS would have decided, where what the service said did.
        route: what follows from it.
        dns_region: the region that DNS told.
        error: why there is none.
        elsewhere: custom domains of the same name that exist in other clouds.
        doors: where each client connects to.
        answers: what a request without a key got there, by URL.
        private_door: what one got at the custom domain, where the route is another.
        key_answers: what a request with the key got, by host.
        key_as_redirected: what one got at the region that names the custom domain, as the service
            does where it redirects; None where the region took the key without.
        no_token: why there was no Microsoft Entra token for it.
        steps: what was done, and how long it took, seconds.
        is_complete: whether nothing was broken off.
    """

    sdk_version: str = ""
    sdk_floor: str = ""
    settings: SpeechSettings | None = None
    problems: tuple[Problem, ...] = ()
    offering: Offering = Offering.STT
    view: DnsView | None = None
    row: Row | None = None
    decided_by: int | None = None
    dns_says: Verdict | None = None
    service: ServiceAnswer | None = None
    outweighed: Verdict | None = None
    route: Route | None = None
    dns_region: str | None = None
    error: RoutingError | None = None
    elsewhere: tuple[str, ...] = ()
    doors: tuple[ClientDoor, ...] = ()
    answers: dict[str, Answer] = field(default_factory=dict)
    private_door: Answer | None = None
    key_answers: dict[str, Answer] = field(default_factory=dict)
    key_as_redirected: Answer | None = None
    no_token: str = ""
    steps: dict[str, float] = field(default_factory=dict)
    is_complete: bool = False

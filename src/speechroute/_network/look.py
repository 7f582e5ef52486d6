"""`look()`: one observation, with the service's word where DNS leaves a doubt."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, wait
from typing import Any, Protocol

from .._core.choices import AskService
from .._core.clouds import Cloud
from .._core.errors import SettingsError
from .._core.service import ServiceAnswer
from .._core.tidy import tidy
from .._core.verdict import Decision, Row, Verdict
from .._core.view import DnsView
from .flight import Doubt, later
from .observe import Observe
from .proxy import Proxy, choose_proxy, is_of_environment
from .question import Question, decided

_SHARE_OF_DNS = 0.5
"""Share of the budget after which DNS is in doubt that has not answered: the service is asked
meanwhile, so that there is an answer if DNS fails in the end."""
_GRACE_S = 1.0
"""Seconds that the service gets once DNS has told a route: after a refusal the region may have to
come from it, and a service that keeps silent would cost the whole budget."""


class Ask(Protocol):
    """The form of `ask_service`."""

    def __call__(
        self, custom_domain: str, cloud: Cloud, proxy: Proxy | None, deadline: float
    ) -> ServiceAnswer: ...


def look(
    question: Question, observe: Observe, ask: Ask | None, doubt: Doubt, *, is_direct: bool
) -> DnsView:
    """What is seen of a question. Raises nothing for what the network does.

    Args:
        question: its ``dns_timeout`` is for everything together.
        observe: asks DNS and the system.
        ask: asks the service; None: nobody does.
        doubt: what a door has answered before.
        is_direct: whether the custom domain was in this network, as far as that is known.
    """
    resource = question.resource
    region, policy = resource.region, question.ask_service
    arguments: dict[str, Any] = {
        "region_api_host": resource.cloud.api_host(region) if region else None,
        "servers": question.dns_servers,
        "timeout": question.dns_timeout,
        "ask_system": question.ask_system,
    }
    name = resource.custom_domain or ""
    if ask is None or policy is AskService.NEVER:
        return observe(name, **arguments)
    setting = question.proxy.get_secret_value()
    deadline = time.monotonic() + question.dns_timeout
    seen: Future[DnsView] = later(observe, name, **arguments)

    def asking(*, is_direct: bool) -> Future[ServiceAnswer] | None:
        late, before = _asked.get(name, (deadline, None))
        if before and not before.done() and time.monotonic() > late:
            return None  # one that hangs in the system's resolver is not joined by another
        try:
            choice = choose_proxy(setting, name, is_direct=is_direct)
        except SettingsError:  # told where a config is made
            return None
        asked = later(ask, name, resource.cloud, choice.proxy, deadline)
        _asked[name] = deadline, asked
        tidy(_asked)
        return asked

    asked = None
    is_wanted = policy is AskService.ALWAYS or doubt is Doubt.MAY_HAVE_MOVED
    if is_wanted and not is_of_environment(setting):
        # Otherwise it depends on DNS whether the proxy leads there.
        asked = asking(is_direct=is_direct)
    wait([seen], question.dns_timeout * _SHARE_OF_DNS)
    if asked is None and not seen.done():
        asked = asking(is_direct=is_direct)
    view = seen.result()
    verdict = decided(question, view)
    is_unsettled = _is_in_doubt(question, verdict)
    if asked is None and (is_wanted or is_unsettled):
        is_direct = is_direct if verdict.row is Row.DNS_UNAVAILABLE else verdict.row.is_direct
        asked = asking(is_direct=is_direct)
    if asked is None:
        return view
    left = max(0.0, deadline - time.monotonic())
    has_time = is_unsettled or policy is AskService.ALWAYS
    wait([asked], left if has_time else min(left, _GRACE_S))
    return view._replace(service=asked.result() if asked.done() else None)


def _is_in_doubt(question: Question, verdict: Verdict) -> bool:
    """Whether DNS leaves open which door it is, or where."""
    if verdict.decision is Decision.REGIONAL and not (question.resource.region or verdict.region):
        return True
    if verdict.row is Row.CUSTOM_DOMAIN_MISSING:
        return question.leads_out
    return verdict.row in (Row.UNDECIDED, Row.DNS_UNAVAILABLE)


_asked: dict[str, tuple[float, Future[ServiceAnswer]]] = {}
"""The last question about each custom domain, and until when it had time."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_asked.clear)

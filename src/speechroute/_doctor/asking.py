"""`Asking`: the one question to the service of a check, whoever wants its answer."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, wait

from .._core.choices import AskService
from .._core.clouds import Cloud
from .._core.errors import SettingsError
from .._core.service import ServiceAnswer, no_answer
from .._network.flight import later
from .._network.proxy import Proxy, choose_proxy, is_of_environment
from .._network.question import Question
from .._network.service import ask_service

LATE = no_answer("no answer in time")


def _not_asked(why: str) -> ServiceAnswer:
    return ServiceAnswer(None, None, f"not asked: {why}")


class Asking:
    """Asks the service in every state, once, side by side with whatever else is looked at.

    Calling it is `ask_service`, for a resolver, which thus waits for the same answer.

    Args:
        question: says whom to ask and whether; must have a custom domain.
        deadline: on the monotonic clock.
    """

    def __init__(self, question: Question, deadline: float) -> None:
        self._question, self._deadline = question, deadline
        self._lock = threading.Lock()
        self._asked: Future[ServiceAnswer] | None = None
        if question.ask_service is AskService.NEVER:
            self._asked = Future()
            self._asked.set_result(_not_asked("SPEECH_ASK_SERVICE=never"))
        elif not is_of_environment(question.proxy.get_secret_value()):
            # Otherwise it depends on DNS whether the proxy leads there.
            self.begin(is_direct=False)

    def __call__(
        self, custom_domain: str, cloud: Cloud, proxy: Proxy | None, deadline: float
    ) -> ServiceAnswer:
        asked = self._ask(custom_domain, cloud, proxy)
        wait([asked], max(0.0, deadline - time.monotonic()))
        return asked.result() if asked.done() else LATE

    def begin(self, *, is_direct: bool) -> None:
        """Ask, unless that was done already.

        Args:
            is_direct: whether the custom domain is in this network.
        """
        resource = self._question.resource
        name = resource.custom_domain or ""
        setting = self._question.proxy.get_secret_value()
        try:
            proxy = choose_proxy(setting, name, is_direct=is_direct).proxy
        except SettingsError:  # told where the doors are listed
            with self._lock:
                self._asked = self._asked or Future()
                if not self._asked.done():
                    self._asked.set_result(_not_asked("HTTPS_PROXY cannot be used"))
            return
        self._ask(name, resource.cloud, proxy)

    def answer(self, seconds: float = 0.0) -> ServiceAnswer | None:
        """What the service has said by then; None if nothing."""
        if self._asked is None:
            return None
        wait([self._asked], seconds)
        return self._asked.result() if self._asked.done() else None

    def _ask(self, name: str, cloud: Cloud, proxy: Proxy | None) -> Future[ServiceAnswer]:
        with self._lock:
            if self._asked is None:
                self._asked = later(ask_service, name, cloud, proxy, self._deadline)
            return self._asked

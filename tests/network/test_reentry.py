"""A signal handler that asks for a route while the interrupted thread does, at each of its lines.

A handler runs between two lines of the main thread; a trace function does so too, at a line of
choice, and in any thread.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from test_resolver import C, Clock, Network

import speechroute
from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings
from speechroute._core.clouds import PUBLIC
from speechroute._network.flight import Doubt, Flight
from speechroute._network.question import Question
from speechroute._sdk.tokens import Tokens

_PATIENCE_S = 30
_TRACED = (str(Path(speechroute.__file__).parent), threading.__file__)
"""Where lines are interrupted: this library, and how Python starts threads and waits for them."""


class Interrupted:
    """A call in a thread of its own, interrupted at its nth line by another one."""

    def __init__(
        self, call: Callable[[], object], handler: Callable[[], object], line: int
    ) -> None:
        self._call, self._handler, self._left = call, handler, line
        self.is_interrupted = self.is_done = False
        self.at = ""

    def __call__(self) -> Interrupted:
        thread = threading.Thread(target=self._run, daemon=True)
        thread.start()
        thread.join(_PATIENCE_S)
        return self

    def _run(self) -> None:
        sys.settrace(self._trace)
        try:
            self._call()
        finally:
            sys.settrace(None)
        self.is_done = True

    def _trace(self, frame: FrameType, event: str, _: object) -> Any:
        if event == "call" and not frame.f_code.co_filename.startswith(_TRACED):
            return None
        if event == "line" and not self.is_interrupted:
            if self._left == 0:
                self.is_interrupted = True
                self.at = f"{frame.f_code.co_filename}:{frame.f_lineno}"
                sys.settrace(None)
                self._handler()
                sys.settrace(self._trace)
            self._left -= 1
        return None if self.is_interrupted else self._trace


class Scene:
    """A factory in a state, and a call of it that looks for a route."""

    def __init__(self, kind: str) -> None:
        self.network, self.clock = Network(), Clock()
        settings = SpeechSettings(key="any", endpoint=C, proxy="none")
        self.factory = SpeechConfigFactory(settings, observe=self.network, clock=self.clock)
        self.call: Callable[[], object] = self.factory.speech_config
        if kind == "asyncio":
            self.call = lambda: asyncio.run(self.factory.route_async())
        if kind not in ("first", "asyncio"):
            self.factory.route()
            self.clock.now += {"refresh": 81, "expired": 101}.get(kind, 1)
        if kind == "refused":
            question, now = Question.of(settings), self.clock.now
            self.call = lambda: self.factory._resolver.kept(
                question, since=now, doubt=Doubt.REFUSED
            )
        if kind == "invalidated":
            self.call = self.handler

    def handler(self) -> None:
        assert self.factory.speech_config().region == ""
        self.factory.invalidate()
        assert self.factory.route().kind is RouteKind.PRIVATE_ENDPOINT


@pytest.mark.parametrize(
    "kind", ["first", "refresh", "expired", "refused", "invalidated", "asyncio"]
)
def test_a_handler_may_ask_at_every_line_of_a_lookup(kind: str) -> None:
    line = 0
    while True:
        scene = Scene(kind)
        interrupted = Interrupted(scene.call, scene.handler, line)()
        assert interrupted.is_done, f"it hangs, interrupted at {interrupted.at}"
        if not interrupted.is_interrupted:
            break
        line += 1
    assert line > 20


def test_a_handler_may_ask_for_a_token_at_every_line_that_asks_for_one() -> None:
    def asked(line: int) -> Interrupted:
        tokens = Tokens(lambda: "token", PUBLIC, "/subscriptions/0")
        return Interrupted(tokens.authorization, tokens.authorization, line)()

    line = 0
    while (interrupted := asked(line)).is_interrupted:
        assert interrupted.is_done, f"it hangs, interrupted at {interrupted.at}"
        line += 1
    assert line > 10


def test_a_landing_that_an_exception_interrupts_leaves_nobody_waiting() -> None:
    """As of a handler that raises, at each line of it; the next who comes wakes those who wait."""

    def handler() -> None:
        raise KeyboardInterrupt

    line, is_interrupted = 0, True
    while is_interrupted:
        flight = Flight[str](0.0)
        woken: set[int] = set()
        for number in range(2):
            flight.when_landed(partial(woken.add, number))

        def land(flight: Flight[str] = flight) -> None:
            with suppress(KeyboardInterrupt):
                flight.land("landed")

        interrupted = Interrupted(land, handler, line)()
        assert interrupted.is_done
        if flight._landed:
            flight.when_landed(int)
            assert woken == {0, 1}, f"interrupted at {interrupted.at}"
        is_interrupted = interrupted.is_interrupted
        line += 1
    assert line > 4


def test_a_child_that_is_forked_while_its_thread_waits_asks_anew() -> None:
    scene = Scene("first")
    scene.network.pass_on.clear()

    def fork() -> None:
        child = os.fork()
        if child == 0:
            scene.network.pass_on = threading.Event()
            scene.network.pass_on.set()
            found = scene.factory.route().kind is RouteKind.PRIVATE_ENDPOINT
            os._exit(0 if found else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

    waiting = threading.Thread(target=scene.call, daemon=True)
    waiting.start()
    scene.network.wait_until_asked()
    fork()
    scene.network.pass_on.set()
    waiting.join(_PATIENCE_S)
    assert not waiting.is_alive()

"""Calls under doors that move: python tests/soak/soak_recovery.py [SECONDS [SEED]].

8 workers recognise and synthesise through `SpeechConfigFactory.attempt` while private endpoints
come and go at random, in random generations of the service. Sometimes DNS and the service move
together, sometimes one of them first, and the other follows after a random lag. Every setting that
bounds calls has its default, SPEECH_ROUTE_TTL_MIN among them.

Ends with an error if a call was lost although the doors did not change while it was tried, if a
loss is not explained, or if a worker made more than two extra calls after one change.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk

from speechroute import Attempt, SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator, Generation
from speechroute.errors import RouteRefused

_WAV = str(Path(__file__).parents[2] / "samples" / "hello.wav")
_WORKERS = 8
_DNS_TTL_S = 1
_AGREED_S = (3.0, 8.0)
_LAG_S = (0.1, 5.0)
_STATES = ("vnet", "proxy", "removed")
_MOST_EXTRA = 2
"""Calls of one worker after one change."""


class Change(NamedTuple):
    """Something moved, between two moments: an assignment takes its time."""

    began: float
    ended: float
    moves_door: bool
    """Whether a door of the service does something else since."""


class Tried(NamedTuple):
    """One call of the operation."""

    began: float
    ended: float


class Soak:
    def __init__(self, emulator: Emulator, factory: SpeechConfigFactory) -> None:
        self.emulator, self.factory = emulator, factory
        self.changes: list[Change] = []
        self.counts: Counter[str] = Counter()
        self.extra: Counter[tuple[int, int]] = Counter()
        """By worker, and number of changes so far."""
        self.wrong: list[str] = []
        self.end = threading.Event()
        self._lock = threading.Lock()

    @property
    def doors(self) -> tuple[str, str]:
        """What the custom domain and the region do with a key."""
        emulator = self.emulator
        if emulator.service_state.has_private_endpoint:
            return "let in", "refuse"
        return {
            Generation.Y2024: ("refuse", "let in"),
            Generation.Y2026: ("redirect", "let in"),
            Generation.STRICT: ("redirect", "refuse"),
        }[emulator.generation]

    @property
    def said(self) -> tuple[bool, bool]:
        """What DNS says: a private endpoint, and whether directly."""
        state = self.emulator.dns_state
        return state.has_private_endpoint, state == "vnet"

    def judge(self, worker: int, kind: str, attempt: Attempt[Any], tried: list[Tried]) -> None:
        changes = list(self.changes)
        began, ended = tried[0].began, tried[-1].ended
        has_changed = any(c.moves_door and c.began < ended and c.ended > began for c in changes)
        is_lost = attempt.result.reason == speechsdk.ResultReason.Canceled
        with self._lock:
            self.counts[kind] += 1
            self.counts["made again"] += len(tried) > 1
            for call in tried[1:]:
                number = worker, sum(c.began <= call.began for c in changes)
                self.extra[number] += 1
                if self.extra[number] > _MOST_EXTRA:
                    self.wrong.append(f"extra call after change {number[1]}: {attempt.reason}")
            if not is_lost:
                return
            # One that was not made again met the change between a redirect and where it leads.
            self.counts[f"lost in {len(tried)} calls while the doors changed"] += has_changed
            told = self._told(attempt, tried, changes)
            if not has_changed:
                self.wrong.append(f"{kind}: lost although the doors stood still: {told}")
            elif not isinstance(attempt.error, RouteRefused):
                self.wrong.append(f"{kind}: lost without saying why: {told}")

    @staticmethod
    def _told(attempt: Attempt[Any], tried: list[Tried], changes: list[Change]) -> str:
        """What is needed to understand a loss; times from the start of the first call, seconds."""
        start = tried[0].began
        calls = [f"{call.began - start:.2f} to {call.ended - start:.2f}" for call in tried]
        moved = [
            f"{change.began - start:.2f}{'' if change.moves_door else ' (DNS)'}"
            for change in changes[-6:]
        ]
        details = attempt.result.cancellation_details.error_details
        return f"calls {calls}, changes {moved}: {attempt.reason} [{details}]"

    def recognize(self, config: Any) -> Any:
        audio = speechsdk.audio.AudioConfig(filename=_WAV)
        return speechsdk.SpeechRecognizer(config, audio).recognize_once()

    def synthesize(self, config: Any) -> Any:
        return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello there")

    def work(self, worker: int) -> None:
        kind, operation = (
            ("recognised", self.recognize) if worker % 2 else ("synthesised", self.synthesize)
        )
        tried: list[Tried] = []

        def timed(config: Any) -> Any:
            began = time.monotonic()
            result = operation(config)
            tried.append(Tried(began, time.monotonic()))
            return result

        try:
            while not self.end.is_set():
                tried.clear()
                attempt = self.factory.attempt(timed, "stt" if worker % 2 else "tts")
                self.judge(worker, kind, attempt, tried)
                self.end.wait(random.random() / 10)
        except BaseException as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
            raise

    def change(self, make: Callable[[], None]) -> None:
        """Note what moves by it, before anybody can see it."""
        began = time.monotonic()
        doors, said = self.doors, self.said
        number = len(self.changes)
        # Until it is known, all moves.
        self.changes.append(Change(began, float("inf"), moves_door=True))
        make()
        moves_door = doors != self.doors
        self.changes[number] = Change(began, time.monotonic(), moves_door)
        if moves_door:
            self.counts["changes of the service"] += 1
        elif said == self.said:
            self.changes.pop()
        self.counts["changes of DNS"] += said != self.said

    def flip(self) -> None:
        """One change of the state: together, or one of the two first."""
        emulator = self.emulator
        state = random.choice([state for state in _STATES if state != emulator.state])
        generation = random.choice(list(Generation))

        def dns() -> None:
            emulator.dns_state = state

        def service() -> None:
            emulator.generation = generation
            emulator.service_state = state

        def both() -> None:
            dns()
            service()

        parts = random.choice([(both,), (dns, service), (service, dns)])
        for part in parts[:-1]:
            self.change(part)
            self.end.wait(random.uniform(*_LAG_S))
        self.change(parts[-1])

    def run(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.wrong:
            self.end.wait(random.uniform(*_AGREED_S))
            self.flip()
            print(f"\r{max(0, deadline - time.monotonic()):4.0f} s left", end="", flush=True)
        self.end.wait(_AGREED_S[0])
        self.end.set()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1_000_000)
    random.seed(seed)
    with Emulator(dns_ttl=_DNS_TTL_S) as emulator:
        os.environ["SSL_CERT_FILE"] = str(emulator.ca_file)
        settings = SpeechSettings(
            _env_file=None,
            key=emulator.key,
            endpoint=emulator.custom_domain,
            region=emulator.region,
            dns_servers=emulator.dns_server,
            proxy=emulator.proxy_url,
        )
        soak = Soak(emulator, SpeechConfigFactory(settings))
        workers = [threading.Thread(target=soak.work, args=(n,)) for n in range(_WORKERS)]
        for worker in workers:
            worker.start()
        soak.run(seconds)
        for worker in workers:
            worker.join()
    most = max(soak.extra.values(), default=0)
    print(f"\nseed {seed}: {dict(soak.counts)}")
    print(
        f"extra calls: {soak.extra.total()} by {_WORKERS} workers, {len(soak.changes)} changes; "
        f"at most {most} by one worker after one change (bound {_MOST_EXTRA})"
    )
    print(f"wrong: {len(soak.wrong)}", *soak.wrong[:5], sep="\n")
    if soak.wrong or not soak.counts["made again"]:
        sys.exit(1)


if __name__ == "__main__":
    main()

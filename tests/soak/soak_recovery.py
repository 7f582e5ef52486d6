"""Calls under doors that move: python tests/soak/soak_recovery.py [SECONDS].

8 workers recognise and synthesise through `SpeechConfigFactory.attempt` while private endpoints
come and go at random. Sometimes DNS and the service move together, sometimes one of them first.
Ends with an error if a result was lost while the two agreed, or if a failure while they did not
lacks an error that says which of them was behind.
"""

from __future__ import annotations

import os
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk

from speechroute import Attempt, SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator
from speechroute.errors import RouteRefused

_WAV = str(Path(__file__).parents[2] / "samples" / "hello.wav")
_WORKERS = 8
_TTL_S = 1
_AGREED_S = (5.0, 8.0)
_APART_S = (1.0, 3.0)
_STATES = ("vnet", "proxy", "removed")


class Moment(NamedTuple):
    """From this time on, who is behind: ``dns``, ``service``, or nobody."""

    at: float
    behind: str


class Soak:
    def __init__(self, emulator: Emulator, factory: SpeechConfigFactory) -> None:
        self.emulator, self.factory = emulator, factory
        self.history = [Moment(time.monotonic(), "")]
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.end = threading.Event()
        self._lock = threading.Lock()

    def behind_between(self, began: float, ended: float) -> set[str]:
        moments = list(self.history)
        # After a look that changed nothing, the next one waits for SPEECH_ROUTE_TTL_MIN.
        began -= _TTL_S
        before = [moment for moment in moments if moment.at <= began][-1:]
        return {m.behind for m in before + [m for m in moments if began < m.at <= ended]}

    def judge(self, kind: str, attempt: Attempt[Any], began: float, ended: float) -> None:
        behind = self.behind_between(began, ended)
        is_lost = attempt.result.reason == speechsdk.ResultReason.Canceled
        with self._lock:
            self.counts[kind] += 1
            self.counts["retried"] += attempt.retried
            self.counts["failed, one was behind"] += is_lost
            details = attempt.result.cancellation_details if is_lost else None
            if is_lost and behind == {""}:
                self.wrong.append(f"{kind} lost while all agreed: {details} {attempt.reason}")
            elif is_lost and not isinstance(attempt.error, RouteRefused):
                self.wrong.append(f"{kind} failed without saying why: {details}")
            elif isinstance(attempt.error, RouteRefused) and attempt.error.behind not in behind:
                self.wrong.append(f"{kind}: {behind} behind, not {attempt.reason}")

    def recognize(self, config: Any) -> Any:
        audio = speechsdk.audio.AudioConfig(filename=_WAV)
        return speechsdk.SpeechRecognizer(config, audio).recognize_once()

    def synthesize(self, config: Any) -> Any:
        return speechsdk.SpeechSynthesizer(config, None).speak_text("Hello there")

    def work(self, number: int) -> None:
        kind, operation = (
            ("recognised", self.recognize) if number % 2 else ("synthesised", self.synthesize)
        )
        try:
            while not self.end.is_set():
                began = time.monotonic()
                attempt = self.factory.attempt(operation, "stt" if number % 2 else "tts")
                self.judge(kind, attempt, began, time.monotonic())
                self.end.wait(random.random() / 10)
        except BaseException as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
            raise

    def flip(self) -> None:
        """One change of the state: together, or one of the two first."""
        emulator = self.emulator
        state = random.choice([state for state in _STATES if state != emulator.state])
        moves_door = "removed" in (state, emulator.state)
        first = random.choice(("", "dns", "service")) if moves_door else ""
        if first:
            behind = {"dns": "service", "service": "dns"}[first]
            self.history.append(Moment(time.monotonic(), behind))
            setattr(emulator, f"{first}_state", state)
            self.counts[f"changes, {first} first"] += 1
            self.end.wait(random.uniform(*_APART_S))
        emulator.state = state
        self.history.append(Moment(time.monotonic(), ""))
        self.counts["changes"] += 1

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
    with Emulator(dns_ttl=_TTL_S) as emulator:
        os.environ["SSL_CERT_FILE"] = str(emulator.ca_file)
        settings = SpeechSettings(
            _env_file=None,
            key=emulator.key,
            endpoint=emulator.custom_domain,
            dns_servers=emulator.dns_server,
            proxy=emulator.proxy_url,
            route_ttl_min=_TTL_S,
        )
        soak = Soak(emulator, SpeechConfigFactory(settings))
        workers = [threading.Thread(target=soak.work, args=(n,)) for n in range(_WORKERS)]
        for worker in workers:
            worker.start()
        soak.run(seconds)
        for worker in workers:
            worker.join()
    print(f"\n{dict(soak.counts)}")
    print(f"lost or unexplained: {len(soak.wrong)}", *soak.wrong[:5], sep="\n")
    if soak.wrong or not soak.counts["retried"]:
        sys.exit(1)


if __name__ == "__main__":
    main()

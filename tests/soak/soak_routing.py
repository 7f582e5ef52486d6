"""Routes under a state that changes every second: python tests/soak/soak_routing.py [SECONDS].

16 threads ask one factory for routes while the emulator's DNS flips at random. A quarter of them
runs an event loop with four tasks. Meanwhile a signal interrupts the main thread, which looks up
too, a hundred times a second and asks in its handler; the process is forked at each change, and
the child asks; and now and then the clock jumps as if the machine had slept for an hour. Ends with
an error if a route was used that is older than its time to live, if a thread or child hangs, or
if threads, sockets or tasks are left.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute._network.clock import boot_time
from speechroute.emulator import Emulator

_THREADS = 16
_TASKS = 4
_TTL_S = 2
_LOOKUP_S = 1.0
"""More than a lookup on loopback takes: an answer may be that much older than its route."""
_INTERVAL_S = 0.01
_SLEEP_S = 3600.0
_PATIENCE_S = 30
_STATES = {"vnet": "private endpoint", "proxy": "private endpoint", "removed": "regional"}


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Clock:
    """Goes on while the machine sleeps."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.woke_at = 0.0
        """On the monotonic clock."""

    def __call__(self) -> float:
        return boot_time() + self.slept

    def sleep(self) -> None:
        self.slept += _SLEEP_S
        self.woke_at = time.monotonic()


class Soak:
    """The history of states, and what the workers saw."""

    def __init__(self, emulator: Emulator, factory: SpeechConfigFactory, clock: Clock) -> None:
        self.emulator, self.factory, self.clock = emulator, factory, clock
        self.beside: Counter[str] = Counter()
        self.history: list[tuple[float, str]] = [(time.monotonic(), str(emulator.state))]
        self.calls: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.end = threading.Event()
        self.left_tasks = 0

    def kinds_since(self, moment: float) -> set[str]:
        """The right answers at some time since then."""
        states = [state for at, state in list(self.history) if at > moment]
        before = [state for at, state in list(self.history) if at <= moment]
        return {_STATES[state] for state in (*before[-1:], *states)}

    def check(self, asked: float, kind: str, config: Any) -> None:
        """Whether a route and a config made after it were right at some time in their lives."""
        region = config.get_property(speechsdk.PropertyId.SpeechServiceConnection_Region)
        woke_at = self.clock.woke_at
        # What was looked for before the machine slept is too old after it.
        oldest = max(asked - _TTL_S, woke_at if woke_at < asked else 0.0)
        right = self.kinds_since(oldest - _LOOKUP_S)
        self.calls[kind] += 1
        if not {kind, "regional" if region else "private endpoint"} <= right:
            self.wrong.append(f"{kind}, region {region!r}, at {asked:.3f}")

    def work(self) -> None:
        while not self.end.is_set():
            asked = time.monotonic()
            self.check(asked, str(self.factory.route().kind), self.factory.speech_config())
            self.end.wait(random.random() / 100)

    async def work_async(self) -> None:
        while not self.end.is_set():
            asked = time.monotonic()
            route = await self.factory.route_async()
            self.check(asked, str(route.kind), await self.factory.speech_config_async())
            await asyncio.sleep(random.random() / 100)

    async def tasks(self) -> None:
        await asyncio.gather(*(self.work_async() for _ in range(_TASKS)))
        self.left_tasks += len(asyncio.all_tasks()) - 1

    def run(self, number: int) -> None:
        try:
            if number % 4:
                self.work()
            else:
                asyncio.run(self.tasks())
        except BaseException as error:
            self.wrong.append(f"{type(error).__name__}: {error}")
            raise

    def interrupt(self, *_: object) -> None:
        """The handler of the signal."""
        asked = time.monotonic()
        if random.random() < 0.1:
            self.factory.invalidate()
        self.check(asked, str(self.factory.route().kind), self.factory.speech_config())
        self.beside["handlers that asked"] += 1

    def fork(self) -> None:
        """A child that asks, and whether it came back."""
        child = os.fork()
        if child == 0:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(_PATIENCE_S)
            self.factory.route()
            self.factory.invalidate()
            self.factory.route()
            os._exit(0)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        self.beside["children that came back" if code == 0 else f"ended with {code}"] += 1
        if code:
            self.wrong.append(f"a child ended with {code}")

    def flip(self, seconds: float) -> None:
        signal.signal(signal.SIGALRM, self.interrupt)
        signal.setitimer(signal.ITIMER_REAL, _INTERVAL_S, _INTERVAL_S)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.wrong:
            if random.random() < 0.2:
                self.clock.sleep()
            others = [state for state in _STATES if state != self.emulator.state]
            state = random.choice(others)
            # Noted first: the handler may run between these two lines.
            self.history.append((time.monotonic(), state))
            self.emulator.state = state
            print(
                f"\r{deadline - time.monotonic():4.0f} s left, {self.calls.total()} calls", end=""
            )
            self.fork()
            for _ in range(20):
                self.factory.invalidate()
                asked = time.monotonic()
                self.check(asked, str(self.factory.route().kind), self.factory.speech_config())
                time.sleep(random.random() / 10)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.end.set()


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 300.0
    with Emulator(dns_ttl=_TTL_S) as emulator:
        settings = SpeechSettings(
            _env_file=None,
            key=emulator.key,
            endpoint=emulator.custom_domain,
            dns_servers=emulator.dns_server,
            proxy=emulator.proxy_url,
            route_ttl_min=_TTL_S,
        )
        clock = Clock()
        factory = SpeechConfigFactory(settings, clock=clock)
        soak = Soak(emulator, factory, clock)
        factory.speech_config()
        threads, files = threading.active_count(), _open_files()
        workers = [threading.Thread(target=soak.run, args=(n,)) for n in range(_THREADS)]
        for worker in workers:
            worker.start()
        soak.flip(seconds)
        for worker in workers:
            worker.join(_PATIENCE_S)
        soak.wrong += ["a thread hangs"] * sum(worker.is_alive() for worker in workers)
        while factory._resolver._memory.flights:
            time.sleep(_INTERVAL_S)
        left = threading.active_count() - threads, _open_files() - files, soak.left_tasks
    print(f"\n{soak.calls.total()} calls: {dict(soak.calls)}; {len(soak.history) - 1} changes")
    print(f"slept {clock.slept / _SLEEP_S:.0f} times; beside: {dict(soak.beside)}")
    print(
        f"wrong routes: {len(soak.wrong)}; "
        f"left behind: {left[0]} threads, {left[1]} files, {left[2]} tasks"
    )
    print(*soak.wrong[:5], sep="\n")
    if soak.wrong or not soak.calls or any(number > 0 for number in left):
        sys.exit(1)


if __name__ == "__main__":
    main()

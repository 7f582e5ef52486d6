"""Routes under a state that changes every second: python tests/soak/soak_routing.py [SECONDS].

16 threads ask one factory for routes while the emulator's DNS flips at random. Ends with an error
if a route was used that is older than its time to live, or if threads, sockets or tasks are left.
A quarter of the threads runs an event loop with four tasks.
"""

from __future__ import annotations

import asyncio
import random
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from speechroute import SpeechConfigFactory, SpeechSettings
from speechroute.emulator import Emulator

_THREADS = 16
_TASKS = 4
_TTL_S = 2
_LOOKUP_S = 1.0
"""More than a lookup on loopback takes: an answer may be that much older than its route."""
_STATES = {"vnet": "private endpoint", "proxy": "private endpoint", "removed": "regional"}


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class Soak:
    """The history of states, and what the workers saw."""

    def __init__(self, emulator: Emulator, factory: SpeechConfigFactory) -> None:
        self.emulator, self.factory = emulator, factory
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
        right = self.kinds_since(asked - _TTL_S - _LOOKUP_S)
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

    def flip(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.wrong:
            others = [state for state in _STATES if state != self.emulator.state]
            self.emulator.state = random.choice(others)
            self.history.append((time.monotonic(), str(self.emulator.state)))
            print(
                f"\r{deadline - time.monotonic():4.0f} s left, {self.calls.total()} calls", end=""
            )
            self.end.wait(1)
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
        factory = SpeechConfigFactory(settings)
        soak = Soak(emulator, factory)
        factory.speech_config()
        threads, files = threading.active_count(), _open_files()
        workers = [threading.Thread(target=soak.run, args=(n,)) for n in range(_THREADS)]
        for worker in workers:
            worker.start()
        soak.flip(seconds)
        for worker in workers:
            worker.join()
        for thread in threading.enumerate():
            if thread.name.startswith(("speechroute-resolver", "speechroute-lookup")):
                thread.join(10)
        left = threading.active_count() - threads, _open_files() - files, soak.left_tasks
    print(f"\n{soak.calls.total()} calls: {dict(soak.calls)}; {len(soak.history) - 1} changes")
    print(
        f"wrong routes: {len(soak.wrong)}; "
        f"left behind: {left[0]} threads, {left[1]} files, {left[2]} tasks"
    )
    print(*soak.wrong[:5], sep="\n")
    if soak.wrong or not soak.calls or any(number > 0 for number in left):
        sys.exit(1)


if __name__ == "__main__":
    main()

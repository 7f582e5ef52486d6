"""``speechroute watch``, as a person and as a program read it."""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator, Mapping
from typing import IO, Any

import pytest

from commands import forked, started
from speechroute.emulator import Emulator

OFTEN = {"SPEECH_ROUTE_TTL_MIN": "0.1", "SPEECH_ROUTE_TTL_MAX": "0.1", "COLUMNS": "80"}


@contextlib.contextmanager
def watching(
    *arguments: str, environment: Mapping[str, str] | None = None, ended_by: int = signal.SIGTERM
) -> Iterator[IO[str]]:
    """The lines of a running command, which is to end cleanly by a signal."""
    with started("watch", *arguments, environment={**OFTEN, **(environment or {})}) as process:
        assert process.stdout is not None
        try:
            yield process.stdout
        finally:
            process.send_signal(ended_by)
            rest, errors = process.communicate(timeout=30)
        assert (process.returncode, errors) == (0, ""), rest


@pytest.mark.parametrize("ended_by", [signal.SIGINT, signal.SIGTERM])
def test_each_change_is_one_object_a_line(ended_by: int, emulated: Emulator) -> None:
    with watching("--json", ended_by=ended_by) as lines:
        first = json.loads(lines.readline())
        assert first["before"] is None
        assert first["after"]["row"] == "private-address"
        emulated.dns_state = "removed"
        second = json.loads(lines.readline())
    assert second["before"] == first["after"]
    assert second["after"] == {
        "route": "regional",
        "region": "westeurope",
        "row": "regional",
        "is_last_known": False,
        "error": None,
    }
    assert "has no private endpoint" in second["reason"]
    assert first["at"] < second["at"]


def test_people_read_time_old_and_new_route_and_reason(emulated: Emulator) -> None:
    with watching() as lines:
        assert lines.readline()[8:] == "  private endpoint (private-address)\n"
        assert lines.readline().startswith("          my-private-link-speech.")
        emulated.dns_state = "proxy"
        read: list[str] = []
        while not read or "outside." not in read[-1]:
            line = lines.readline()
            assert line
            read.append(line.rstrip())
    start = next(n for n, line in enumerate(read) if line[2:3] == ":")
    assert read[start][10:] == "private endpoint (private-address)"
    assert read[start + 1] == "  -> private endpoint westeurope (vnet-proxy)"
    assert max(map(len, read)) <= 80


def test_no_route_is_told_too(emulated: Emulator) -> None:
    with watching("--json", environment={"SPEECH_ENDPOINT": "nope"}) as lines:
        after = json.loads(lines.readline())["after"]
    assert (after["route"], after["error"]) == (None, "CustomDomainNotFound")


def test_dns_that_fails_shows_the_last_known_route(monkeypatch: pytest.MonkeyPatch) -> None:
    def next_change(lines: IO[str]) -> Any:
        return json.loads(lines.readline())["after"]

    with contextlib.ExitStack() as stack:
        emulator = stack.enter_context(Emulator(dns_ttl=0))
        port = int(emulator.dns_server.rpartition(":")[2])
        environment = {**emulator.environment, "SPEECH_DNS_TIMEOUT": "0.5"}
        with watching("--json", environment=environment) as lines:
            assert next_change(lines)["is_last_known"] is False
            stack.close()
            assert next_change(lines)["is_last_known"] is True
            with Emulator(dns_ttl=0, dns_port=port):
                assert next_change(lines)["is_last_known"] is False


def test_a_route_that_cannot_change_ends_the_watch(emulated: Emulator) -> None:
    done = forked("watch", environment={"SPEECH_PRIVATE_ENDPOINT": "yes"})
    assert done.returncode == 0
    assert "(told-yes)" in done.stdout
    assert done.stderr == "The settings decide: this route does not change.\n"


def test_settings_that_cannot_work_are_exit_code_2(emulated: Emulator) -> None:
    done = forked("watch", environment={"SPEECH_REGION": "not.a.region"})
    assert done.returncode == 2
    assert "SPEECH_REGION" in done.stderr

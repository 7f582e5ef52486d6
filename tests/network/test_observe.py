"""`observe()` against real DNS servers on loopback, honest and hostile."""

from __future__ import annotations

import ipaddress
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from clients import until
from dns_servers import dns_server, records, silent_port
from speechroute._core.view import DnsView, Lookup, Outcome
from speechroute._network.observe import _system_lookups, observe
from speechroute._network.system import search_list, system_servers
from speechroute.emulator import Emulator

C = "my-speech.cognitiveservices.azure.com"
TIMEOUT = 1.0


def look(server: str, *more: str, **arguments: object) -> DnsView:
    options: dict[str, object] = {
        "servers": (server, *more),
        "timeout": TIMEOUT,
        "ask_system": False,
    }
    return observe(C, **{**options, **arguments})  # type: ignore[arg-type]


def is_a(query: dns.message.Message) -> bool:
    return query.question[0].rdtype == dns.rdatatype.A


@pytest.mark.parametrize(
    ("state", "length", "last", "address"),
    [
        (
            "vnet",
            2,
            "my-private-link-speech.privatelink.cognitiveservices.azure.com",
            "172.28.0.10",
        ),
        ("proxy", 4, "vnetproxyv1-weu-prod.westeurope.cloudapp.azure.com", "13.69.67.71"),
        (
            "removed",
            7,
            "apimgmthskquihpkz6d90kmhvnabrx3ms3pdubscpdfk1tsx3a.cloudapp.net",
            "13.93.122.1",
        ),
    ],
)
def test_the_articles_chains_are_followed_to_the_end(
    emulator: Emulator, state: str, length: int, last: str, address: str
) -> None:
    emulator.state = state
    view = observe(
        emulator.custom_domain.upper() + ".", servers=(emulator.dns_server,), ask_system=False
    )
    assert view.dns.outcome is Outcome.ANSWERED
    assert view.dns.chain[0] == emulator.custom_domain
    assert (len(view.dns.chain), view.dns.chain[-1]) == (length, last)
    assert view.dns.addresses == (ipaddress.ip_address(address),)
    assert view.dns.ttl == 5


def test_a_name_that_does_not_exist_is_missing_not_failed(emulator: Emulator) -> None:
    view = look(emulator.dns_server)
    assert view.dns == Lookup((C,), (), None, Outcome.NAME_MISSING)


def test_the_name_behind_an_alias_is_the_missing_one() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        reply = records(query, f"{C}. 60 CNAME my-speech.privatelink.cognitiveservices.azure.com.")
        reply.set_rcode(dns.rcode.NXDOMAIN)
        return reply.to_wire()

    with dns_server(respond) as server:
        lookup = look(server).dns
    assert lookup.outcome is Outcome.NAME_MISSING
    assert lookup.chain == (C, "my-speech.privatelink.cognitiveservices.azure.com")


def test_both_address_families_are_asked_and_the_smallest_ttl_counts() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        end = "n.example. 20 A 192.0.2.1" if is_a(query) else "n.example. 90 AAAA fd00::1"
        return records(query, f"{C}. 60 CNAME n.example.", end).to_wire()

    with dns_server(respond) as server:
        lookup = look(server).dns
    assert set(map(str, lookup.addresses)) == {"192.0.2.1", "fd00::1"}
    assert lookup.ttl == 20


def test_ipv6_alone_is_an_answer() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        lines = () if is_a(query) else (f"{C}. 60 AAAA fd00::1",)
        return records(query, *lines).to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.addresses == (ipaddress.ip_address("fd00::1"),)


def test_a_chain_of_twenty_is_followed() -> None:
    names = [f"{C}.", *(f"n{number}.example." for number in range(20))]
    lines = [f"{a} 60 CNAME {b}" for a, b in pairwise(names)]

    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        return records(query, *lines, f"{names[-1]} 60 A 192.0.2.1").to_wire()

    with dns_server(respond) as server:
        lookup = look(server).dns
    assert len(lookup.chain) == 21
    assert lookup.outcome is Outcome.ANSWERED


def test_a_loop_is_a_failure_that_says_so() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        return records(query, f"{C}. 60 CNAME b.example.", f"b.example. 60 CNAME {C}.").to_wire()

    with dns_server(respond) as server:
        lookup = look(server).dns
    assert lookup.outcome is Outcome.FAILED
    assert "loop" in lookup.failure


@pytest.mark.parametrize("sign", [dns.flags.AA, dns.flags.RA, "SOA"])
def test_no_record_of_either_kind_is_no_address(sign: dns.flags.Flag | str) -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        reply = dns.message.make_response(query)
        if isinstance(sign, dns.flags.Flag):
            reply.flags |= sign
        else:
            soa = "ns.invalid. host.invalid. 1 3600 600 86400 60"
            reply.authority.append(dns.rrset.from_text("azure.com.", 60, "IN", sign, soa))
        return reply.to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.outcome is Outcome.NO_ADDRESS


@pytest.mark.parametrize("is_referral", [False, True])
def test_a_server_that_sends_nothing_is_passed_over_and_named(is_referral: bool) -> None:
    def send_nothing(query: dns.message.Message, tcp: bool) -> bytes:
        reply = dns.message.make_response(query)
        if is_referral:
            upwards = dns.rrset.from_text(".", 60, "IN", "NS", "a.root-servers.net.")
            reply.authority.append(upwards)
        return reply.to_wire()

    def answer(query: dns.message.Message, tcp: bool) -> bytes:
        return records(query, f"{C}. 60 A 192.0.2.1").to_wire()

    with dns_server(send_nothing) as lame, dns_server(answer) as sound:
        assert look(lame, sound).dns.outcome is Outcome.ANSWERED
        assert look(lame).dns == Lookup(
            (C,),
            (),
            None,
            Outcome.FAILED,
            f"{lame} sent neither an answer nor a denial, and offers no recursion",
        )


@pytest.mark.parametrize("code", [dns.rcode.SERVFAIL, dns.rcode.REFUSED])
def test_a_server_that_cannot_or_will_not_is_a_failure_that_names_it(code: dns.rcode.Rcode) -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        reply = dns.message.make_response(query)
        reply.set_rcode(code)
        return reply.to_wire()

    with dns_server(respond) as server:
        view = look(server)
    assert view.dns.outcome is Outcome.FAILED
    assert view.dns.failure == f"{server} answered {dns.rcode.to_text(code)}"
    assert view.seconds < TIMEOUT


def test_the_next_server_is_asked_when_one_refuses() -> None:
    def refuse(query: dns.message.Message, tcp: bool) -> bytes:
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.REFUSED)
        return reply.to_wire()

    def answer(query: dns.message.Message, tcp: bool) -> bytes:
        return records(query, f"{C}. 60 A 192.0.2.1").to_wire()

    with dns_server(refuse) as first, dns_server(answer) as second:
        assert look(first, second).dns.outcome is Outcome.ANSWERED


def test_a_cut_off_answer_is_asked_again_over_tcp() -> None:
    transports: list[bool] = []

    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        transports.append(tcp)
        reply = records(query, *((f"{C}. 60 A 192.0.2.1",) if tcp else ()))
        if not tcp:
            reply.flags |= dns.flags.TC
        return reply.to_wire()

    with dns_server(respond) as server:
        lookup = look(server).dns
    assert lookup.outcome is Outcome.ANSWERED
    assert set(transports) == {False, True}


FAILURES_AT_EDNS = {
    "FORMERR": dns.rcode.FORMERR,
    "NOTIMP": dns.rcode.NOTIMP,
    "SERVFAIL": dns.rcode.SERVFAIL,
    "silence": None,
}


@pytest.mark.parametrize("code", FAILURES_AT_EDNS.values(), ids=FAILURES_AT_EDNS)
def test_a_server_that_fails_at_edns_is_not_asked_with_it(code: dns.rcode.Rcode | None) -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes | None:
        if query.edns < 0:
            return records(query, f"{C}. 60 A 192.0.2.1").to_wire()
        if code is None:
            return None
        reply = dns.message.make_response(query)
        reply.set_rcode(code)
        return reply.to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.outcome is Outcome.ANSWERED


def test_a_cut_off_answer_is_asked_for_with_edns_where_tcp_fails() -> None:
    asked: list[tuple[bool, int]] = []

    def respond(query: dns.message.Message, tcp: bool) -> bytes | None:
        if is_a(query):
            asked.append((tcp, query.payload))
        reply = records(query, f"{C}. 60 A 192.0.2.1")
        if query.edns < 0:
            reply.flags |= dns.flags.TC
        return None if tcp else reply.to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.outcome is Outcome.ANSWERED
    assert asked == [(False, 0), (True, 0), (False, 1232)]


def _garbage(query: dns.message.Message, tcp: bool) -> bytes:
    return b"\x00garbage"


def _another_question(query: dns.message.Message, tcp: bool) -> bytes:
    other = dns.message.make_query("evil.example", "A")
    other.id = query.id
    return records(other, "evil.example. 60 A 192.0.2.66").to_wire()


def _cut_off_then_garbage(query: dns.message.Message, tcp: bool) -> bytes:
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return b"\x00garbage" if tcp else reply.to_wire()


def _nothing(query: dns.message.Message, tcp: bool) -> None:
    return None


@pytest.mark.parametrize(
    "respond",
    [_garbage, _another_question, _cut_off_then_garbage, _nothing],
    ids=lambda f: f.__name__,
)
def test_a_hostile_server_ends_in_a_failure_within_the_budget(
    respond: Callable[[dns.message.Message, bool], bytes | None],
) -> None:
    with dns_server(respond) as server:
        view = look(server)
    assert view.dns.outcome is Outcome.FAILED
    assert server in view.dns.failure
    assert view.dns.addresses == ()
    assert view.seconds <= TIMEOUT * 1.1


def test_an_answer_after_the_budget_is_no_answer() -> None:
    release = threading.Event()

    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        release.wait(10)
        return records(query, f"{C}. 60 A 192.0.2.1").to_wire()

    with dns_server(respond) as server:
        view = look(server, timeout=0.3)
        release.set()
    assert view.dns.outcome is Outcome.FAILED


def test_a_server_that_drops_ipv6_questions_does_not_cost_the_budget() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes | None:
        return records(query, f"{C}. 60 A 192.0.2.1").to_wire() if is_a(query) else None

    with dns_server(respond) as server:
        view = look(server, timeout=30.0)
    assert view.dns.outcome is Outcome.ANSWERED
    assert view.seconds < 10


def test_a_failure_for_ipv4_is_not_overruled_by_a_name_that_is_missing_for_ipv6() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        reply = records(query)
        reply.set_rcode(dns.rcode.SERVFAIL if is_a(query) else dns.rcode.NXDOMAIN)
        return reply.to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.outcome is Outcome.FAILED


def test_a_server_that_hangs_over_tcp_leaves_time_for_the_next() -> None:
    release = threading.Event()

    def hang(query: dns.message.Message, tcp: bool) -> bytes | None:
        if tcp:
            release.wait(60)
            return None
        reply = records(query)
        reply.flags |= dns.flags.TC
        return reply.to_wire()

    def answer(query: dns.message.Message, tcp: bool) -> bytes:
        return records(query, f"{C}. 60 A 192.0.2.1").to_wire()

    with dns_server(hang) as first, dns_server(answer) as second:
        lookup = look(first, second, timeout=10.0).dns
        release.set()
    assert lookup.outcome is Outcome.ANSWERED


def test_a_failure_for_one_family_hides_no_address_of_the_other() -> None:
    def respond(query: dns.message.Message, tcp: bool) -> bytes:
        reply = records(query)
        if not is_a(query):
            reply.set_rcode(dns.rcode.SERVFAIL)
        return reply.to_wire()

    with dns_server(respond) as server:
        assert look(server).dns.outcome is Outcome.FAILED


def test_the_regions_api_host_is_looked_up_beside_it(emulator: Emulator) -> None:
    view = observe(
        emulator.custom_domain,
        region_api_host="westeurope.api.cognitive.microsoft.com",
        servers=(emulator.dns_server,),
        ask_system=False,
    )
    assert view.region_api is not None
    assert view.region_api.addresses == (ipaddress.ip_address("13.93.122.1"),)


RESOLV_CONF = {
    "one": (b"nameserver 192.0.2.1\n", ["192.0.2.1:53"]),
    "several": (
        b"nameserver\t192.0.2.1 # the first\nnameserver fe80::1%eth0",
        ["192.0.2.1:53", "[fe80::1%eth0]:53"],
    ),
    "others are no address": (
        b"nameserver foo\nnameserver 300.1.1.1\nnameserver 192.0.2.1\n",
        ["192.0.2.1:53"],
    ),
    "what else is in it": (
        b"# \xe9\nsearch a..b\nnameserver 192.0.2.1\n nameserver 192.0.2.2\n",
        ["192.0.2.1:53"],
    ),
    "none": (b"search example.com\nnameserver\n", ["127.0.0.1:53"]),
    "none that is an address": (b"nameserver foo\n", ["127.0.0.1:53"]),
}


@pytest.mark.parametrize(("text", "servers"), RESOLV_CONF.values(), ids=RESOLV_CONF)
def test_the_systems_servers_are_those_that_glibc_asks(
    text: bytes, servers: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "resolv.conf"
    file.write_bytes(text)
    assert list(system_servers(str(file))) == servers


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        ("search a.example  b.example\n", ["a.example", "b.example"]),
        ("domain a.example\nsearch b.example\n", ["b.example"]),
        ("nameserver 192.0.2.1\n", []),
    ],
)
def test_the_last_search_list_counts(text: str, domains: list[str], tmp_path: Path) -> None:
    (tmp_path / "resolv.conf").write_text(text)
    assert search_list(str(tmp_path / "resolv.conf")) == domains
    assert search_list(str(tmp_path / "missing")) == []


@pytest.mark.parametrize("name", ["missing", "."])
def test_a_resolv_conf_that_cannot_be_read_is_an_empty_one(name: str, tmp_path: Path) -> None:
    assert system_servers(str(tmp_path / name)) == ("127.0.0.1:53",)


def test_a_name_that_cannot_be_asked_for_is_a_failure(emulator: Emulator) -> None:
    view = observe("a" * 70 + ".example", servers=(emulator.dns_server,), ask_system=False)
    assert "LabelTooLong" in view.dns.failure


def _entries(*addresses: str) -> list[tuple[object, ...]]:
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443)) for address in addresses]


def test_the_operating_system_is_asked_beside_dns(emulator: Emulator) -> None:
    view = look(
        emulator.dns_server,
        ask_system=True,
        getaddrinfo=lambda *_: _entries("10.0.0.1", "10.0.0.1", "fe80::1%eth0"),
    )
    assert view.system is not None
    assert list(map(str, view.system.addresses)) == ["10.0.0.1", "fe80::1"]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), Outcome.NAME_MISSING),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), Outcome.FAILED),
        (OSError("broken"), Outcome.FAILED),
        (UnicodeError("label too long"), Outcome.FAILED),
        (RuntimeError("not this one"), Outcome.FAILED),
    ],
    ids=["no name", "try again", "system", "unicode", "other"],
)
def test_how_the_operating_system_failed_is_kept_apart(
    emulator: Emulator, error: Exception, outcome: Outcome
) -> None:
    def fail(*_: object) -> list[tuple[object, ...]]:
        raise error

    view = look(emulator.dns_server, ask_system=True, getaddrinfo=fail)
    assert view.system is not None
    assert view.system.outcome is outcome
    assert view.system.failure


def test_a_hanging_getaddrinfo_holds_up_nothing(emulator: Emulator) -> None:
    release = threading.Event()

    def hang(*_: object) -> list[tuple[object, ...]]:
        release.wait(60)
        return []

    started = time.monotonic()
    view = observe(
        emulator.custom_domain,
        servers=(emulator.dns_server,),
        timeout=30,
        getaddrinfo=hang,
    )
    release.set()
    assert time.monotonic() - started < 10
    assert view.dns.outcome is Outcome.ANSWERED
    assert view.system is not None
    assert view.system.outcome is Outcome.FAILED


def test_a_getaddrinfo_that_hangs_again_and_again_takes_one_thread(emulator: Emulator) -> None:
    release = threading.Event()
    calls: list[str] = []

    def hang(host: str, *_: object) -> list[tuple[object, ...]]:
        calls.append(host)
        release.wait(60)
        return _entries("10.0.0.1")

    for _ in range(3):
        view = observe(
            emulator.custom_domain, servers=(emulator.dns_server,), timeout=1, getaddrinfo=hang
        )
        assert view.system is not None
        assert view.system.outcome is Outcome.FAILED
    assert calls == [emulator.custom_domain]
    release.set()
    until(lambda: not _system_lookups)
    view = observe(emulator.custom_domain, servers=(emulator.dns_server,), getaddrinfo=hang)
    assert view.system is not None
    assert view.system.outcome is Outcome.ANSWERED
    assert len(calls) == 2


def test_a_silent_server_is_tried_until_the_budget_ends() -> None:
    with silent_port() as sock:
        view = look(f"127.0.0.1:{sock.getsockname()[1]}")
    assert "did not answer in time" in view.dns.failure


def test_a_process_without_files_left_blames_no_server() -> None:
    code = f"""
import resource, socket
from speechroute import SpeechConfigFactory, SpeechSettings, errors
import dns.rdtypes.IN.A, dns.rdtypes.ANY.CNAME  # which open files when they are first needed
files = [socket.socket()]
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
settings = SpeechSettings(key="any", endpoint="{C}", proxy="none", dns_servers="127.0.0.1:9")
factory = SpeechConfigFactory(settings)
try:
    while True:
        files.append(socket.socket())
except OSError:
    pass
try:
    factory.route()
except errors.DnsUnavailable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=50)
    assert "no thread or socket is left (Too many open files)" in done.stdout, done.stderr
    assert "raise the limits of this process" in done.stdout
    assert "127.0.0.1:9" not in done.stdout

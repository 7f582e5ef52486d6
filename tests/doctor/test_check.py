"""``speechroute check``: each finding from its symptom, in every form of output."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import jsonschema
import pytest

from clients import until
from commands import forked, forked_scene, run, started
from pictures import OUTPUT, PICTURES, picture
from places import OLDEST_SDK, ROOT
from readme import table
from sdks import floor
from speechroute._core.answer import Answer, Stage
from speechroute._doctor.catalogue import catalogue
from speechroute._doctor.facts import Facts
from speechroute._doctor.judge import findings_of
from speechroute._doctor.look import Looking
from speechroute.emulator import Emulator
from unshare import needs_namespaces

TOO_OLD_SDK = ROOT / ".venv" / "too-old-sdk"
SCHEMA = json.loads(files("speechroute._doctor").joinpath("schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)
DOMAIN = "my-private-link-speech.cognitiveservices.azure.com"
LINK = "my-private-link-speech.privatelink.cognitiveservices.azure.com"
TTS_URL = f"wss://{DOMAIN}/tts/cognitiveservices/websocket/v1"


class Scene(NamedTuple):
    """A symptom, and what the check must say of it.

    Attributes:
        findings: id to severity; exactly these.
        arguments: of the command.
        environment: over that of the emulator or the network; an empty SSL_CERT_FILE takes it out.
        make: arguments of the emulator.
        set_up: what is done to the emulator.
        network: of `check_scene`, instead of an emulator behind a proxy.
    """

    findings: dict[str, str]
    arguments: tuple[str, ...] = ()
    environment: Mapping[str, str] = MappingProxyType({})
    make: Mapping[str, Any] = MappingProxyType({})
    set_up: Callable[[Emulator], None] = lambda _: None
    network: str = ""


def path_before(sdk: Path) -> str:
    """The PYTHONPATH with an SDK before the one that is installed."""
    return os.pathsep.join(filter(None, [str(sdk), os.environ.get("PYTHONPATH")]))


def state(dns: str, service: str | None = None) -> Callable[[Emulator], None]:
    def set_up(emulator: Emulator) -> None:
        emulator.dns_state, emulator.service_state = dns, service or dns

    return set_up


def answers(*chain: str) -> Callable[[Emulator], None]:
    def set_up(emulator: Emulator) -> None:
        emulator.dns_answers[chain[0]] = chain[1:]

    return set_up


def public_access_off(emulator: Emulator) -> None:
    emulator.state = "proxy"
    emulator.public_access = False


def clock(seconds: float) -> Callable[[Emulator], None]:
    def set_up(emulator: Emulator) -> None:
        emulator.clock_skew = seconds

    return set_up


GOVERNMENT: dict[str, Any] = {
    "custom_domain": "my-speech.cognitiveservices.azure.us",
    "region": "usgovvirginia",
    "state": "removed",
}
OTHER_CLOUD = ("westeurope.api.cognitive.microsoft.com", "13.93.122.1")
TOLD_YES = {"SPEECH_PRIVATE_ENDPOINT": "yes"}
TOLD_NO = {"SPEECH_PRIVATE_ENDPOINT": "no", "SPEECH_REGION": "westeurope"}
DEAD_DNS = {"SPEECH_DNS_SERVERS": "127.0.0.3", "SPEECH_DNS_TIMEOUT": "0.5"}
NEVER = {"SPEECH_ASK_SERVICE": "never"}
ALWAYS = {"SPEECH_ASK_SERVICE": "always", "SPEECH_REGION": "westeurope"}
WITHOUT_NAMES = answers(DOMAIN, "203.0.113.9")
PROBE = ("--probe",)
BOTH = ("--probe", "--with-key")
SCENES = {
    "private endpoint": Scene({}, BOTH),
    "private endpoint, from outside": Scene({}, BOTH, set_up=state("proxy")),
    "no private endpoint": Scene({}, BOTH, set_up=state("removed")),
    "without a probe": Scene({}),
    "in a network of its own": Scene({}, BOTH, network="sound"),
    "SR101": Scene({"SR101": "error"}, PROBE, network="stale record"),
    "SR101 by time-out": Scene({"SR101": "error"}, (*PROBE, "--budget", "2"), network="black hole"),
    "SR101 with the key": Scene({"SR101": "error"}, BOTH, network="stale record"),
    "SR102": Scene({"SR102": "error"}, environment={"SPEECH_ENDPOINT": "no-such-name"}),
    "SR103": Scene({"SR103": "error"}, set_up=answers(DOMAIN, LINK)),
    "SR104": Scene({"SR104": "error"}, BOTH, network="no way"),
    "SR105": Scene(
        {"SR105": "error"}, environment={"SPEECH_ENDPOINT": "x.cognitiveservices.azure.us"}
    ),
    "SR106": Scene(
        {"SR106": "error"},
        environment={"SPEECH_DNS_SERVERS": "127.0.0.1:9", "SPEECH_DNS_TIMEOUT": "0.5", **NEVER},
    ),
    "SR106 where the service knows": Scene(
        {"SR106": "warning"},
        environment={"SPEECH_DNS_SERVERS": "127.0.0.1:9", "SPEECH_DNS_TIMEOUT": "0.5"},
    ),
    "SR107": Scene({"SR107": "warning"}, BOTH, network="hosts file"),
    "SR108": Scene({"SR108": "error"}, PROBE, NEVER, set_up=WITHOUT_NAMES),
    "SR108 where the service knows": Scene({"SR108": "info"}, PROBE, set_up=WITHOUT_NAMES),
    "SR108 where the service knows the region": Scene(
        {"SR108": "info"}, (), {}, {"generation": "2026", "state": "removed"}, WITHOUT_NAMES
    ),
    "nobody knows the region": Scene(
        {"SR200": "error"}, (), {}, {"state": "removed"}, WITHOUT_NAMES
    ),
    "SR108 with the region": Scene(
        {"SR108": "info"},
        environment={"SPEECH_REGION": "westeurope"},
        make={"state": "removed"},
        set_up=answers(DOMAIN, "13.93.122.1"),
    ),
    "SR108 with a policy": Scene(
        {"SR108": "warning"},
        environment={"SPEECH_WHEN_UNDECIDED": "private", **NEVER},
        set_up=WITHOUT_NAMES,
    ),
    "SR109": Scene({"SR109": "error"}, PROBE, set_up=state("vnet", "removed")),
    "SR110": Scene({"SR110": "error"}, PROBE, set_up=state("removed", "vnet")),
    "SR109 without a probe": Scene({"SR109": "error"}, set_up=state("vnet", "removed")),
    "SR110 without a probe": Scene({"SR110": "error"}, set_up=state("removed", "vnet")),
    "SR109 where the custom domain leads on": Scene(
        {"SR109": "warning"}, PROBE, {}, {"generation": "strict"}, state("vnet", "removed")
    ),
    "SR109 where the service's word counts": Scene(
        {"SR109": "info"}, BOTH, ALWAYS, set_up=state("vnet", "removed")
    ),
    "SR110 where the service's word counts": Scene(
        {"SR110": "info"}, (), ALWAYS, set_up=state("removed", "vnet")
    ),
    "SR109 by a setting": Scene(
        {"SR109": "error"}, BOTH, TOLD_YES, set_up=state("vnet", "removed")
    ),
    "SR110 by a setting": Scene(
        {"SR110": "error"},
        BOTH,
        TOLD_NO,
        set_up=state("removed", "vnet"),
    ),
    "SR110 with the key": Scene({"SR110": "error"}, BOTH, set_up=state("removed", "vnet")),
    "SR111": Scene({"SR111": "error"}, network="other resolver"),
    # In time to look the doors up in vain, but not for all that the key is tried at.
    "SR111 with a probe": Scene(
        {"SR111": "error"}, (*BOTH, "--budget", "3.5"), network="other resolver"
    ),
    "SR200 for a proxy": Scene(
        {"SR200": "error"},
        BOTH,
        {"SPEECH_PROXY": "env", "HTTPS_PROXY": "socks5://127.0.0.1:9"},
        set_up=state("removed"),
    ),
    "SR200": Scene({"SR200": "error"}, environment={"SPEECH_DNS_TIMEOUT": "soon"}),
    "SR201": Scene({"SR201": "error"}, environment={"SPEECH_KEY": ""}),
    "SR202": Scene(
        {"SR202": "error"}, environment={"SPEECH_REGION": "northeurope"}, set_up=state("removed")
    ),
    "SR202 by the service": Scene(
        {"SR202": "error", "SR108": "info"},
        (),
        {"SPEECH_REGION": "northeurope"},
        {"generation": "2026", "state": "removed"},
        WITHOUT_NAMES,
    ),
    "SR203": Scene({"SR203": "error"}, environment={"SPEECH_REGION": "usgovvirginia"}),
    "SR203 by the name": Scene(
        {"SR203": "error"},
        environment={"SPEECH_ENDPOINT": "my-speech"},
        make=GOVERNMENT,
        set_up=answers("my-speech.cognitiveservices.azure.com"),
    ),
    "SR203 by DNS": Scene(
        {"SR203": "error"},
        BOTH,
        make=GOVERNMENT,
        set_up=answers(GOVERNMENT["custom_domain"], *OTHER_CLOUD),
    ),
    "egress proxy behind the region": Scene(
        {}, BOTH, set_up=answers(DOMAIN, OTHER_CLOUD[0], "10.9.9.9"), make={"state": "removed"}
    ),
    "egress proxy without names": Scene(
        {"SR109": "error"}, PROBE, set_up=answers(DOMAIN, "10.9.9.9"), make={"state": "removed"}
    ),
    "SR204": Scene({"SR204": "error"}, environment={"SPEECH_ENDPOINT": f"{DOMAIN}.example.com"}),
    "SR205": Scene({"SR205": "warning"}, environment={"SPEECH_URL": TTS_URL}),
    "SR205 not for synthesis": Scene(
        {}, ("--offering", "tts"), environment={"SPEECH_URL": TTS_URL}
    ),
    "SR206": Scene({"SR206": "warning"}, (), {**TOLD_YES, **NEVER}, set_up=state("removed")),
    "SR206 the other way": Scene({"SR206": "warning"}, (), {**TOLD_NO, **NEVER}),
    "SR206 without a probe": Scene({"SR206": "error"}, (), TOLD_YES, set_up=state("removed")),
    "SR206 the other way, without a probe": Scene({"SR206": "error"}, (), TOLD_NO),
    "SR206 where the service agrees": Scene(
        {"SR206": "info"}, PROBE, TOLD_YES, set_up=state("removed", "vnet")
    ),
    "SR206 the other way, where the service agrees": Scene(
        {"SR206": "info"}, PROBE, TOLD_NO, set_up=state("vnet", "removed")
    ),
    "SR206 where the service says as DNS": Scene(
        {"SR206": "error"}, BOTH, TOLD_YES, set_up=state("removed")
    ),
    "SR206 the other way, where the service says as DNS": Scene({"SR206": "error"}, BOTH, TOLD_NO),
    "SR206 with a wrong key": Scene(
        {"SR206": "info", "SR402": "error"},
        BOTH,
        {**TOLD_YES, "SPEECH_KEY": "f" * 32},
        set_up=state("removed", "vnet"),
    ),
    "SR206 where the region refuses the key": Scene(
        {"SR206": "error"}, BOTH, TOLD_NO, set_up=public_access_off
    ),
    "SR206 where the region refuses the key, and no way": Scene(
        {"SR206": "error", "SR104": "warning"}, BOTH, TOLD_NO, network="no way"
    ),
    "SR206 where both doors work": Scene(
        {"SR206": "warning", "SR401": "info"},
        BOTH,
        TOLD_YES,
        make={"generation": "2026", "state": "removed"},
    ),
    "SR206 the other way, where both doors work": Scene(
        {"SR206": "info", "SR401": "info"},
        BOTH,
        TOLD_NO,
        make={"generation": "2026"},
        set_up=state("vnet", "removed"),
    ),
    "told yes, and the custom domain leads on": Scene(
        {}, PROBE, TOLD_YES, {"generation": "strict"}, state("vnet", "removed")
    ),
    "SR206 for Entra without the resource id": Scene(
        {"SR206": "warning"}, PROBE, {**TOLD_NO, "SPEECH_KEY": "", "SPEECH_AUTH": "entra"}
    ),
    "SR206 without a region": Scene(
        {"SR200": "error", "SR206": "warning"}, PROBE, {"SPEECH_PRIVATE_ENDPOINT": "no"}
    ),
    "told no against a hosts file": Scene({}, BOTH, TOLD_NO, network="old hosts file"),
    "SR206 behind a hosts file": Scene(
        {"SR206": "info"}, BOTH, TOLD_NO, network="hosts file, late DNS"
    ),
    "SR107 told yes": Scene({"SR107": "warning"}, (), TOLD_YES, network="hosts file"),
    "SR107 the other way": Scene({"SR107": "warning"}, network="public hosts file"),
    "SR402 told no": Scene(
        {"SR402": "error"},
        BOTH,
        {**TOLD_NO, "SPEECH_KEY": "f" * 32},
        network="old hosts file",
    ),
    "SR305 beside dead DNS": Scene(
        {"SR305": "error", "SR106": "warning"},
        BOTH,
        {**TOLD_NO, **DEAD_DNS},
        network="other resolver, no way out",
    ),
    "SR101 beside dead DNS": Scene(
        {"SR101": "error", "SR106": "warning"}, PROBE, DEAD_DNS, network="stale record"
    ),
    "SR305 before SR101": Scene(
        {"SR305": "error", "SR101": "warning"}, PROBE, TOLD_NO, network="nowhere"
    ),
    "SR101 told no": Scene({"SR101": "warning"}, BOTH, TOLD_NO, network="stale record"),
    "SR102 told no": Scene(
        {"SR102": "warning"},
        PROBE,
        {**TOLD_NO, "SPEECH_ENDPOINT": "no-such-name"},
        network="sound",
    ),
    "SR106 where the operating system knows": Scene(
        {"SR106": "warning"}, BOTH, DEAD_DNS, network="sound"
    ),
    "told yes, and the operating system knows": Scene(
        {}, BOTH, {**TOLD_YES, **DEAD_DNS}, network="sound"
    ),
    "told what DNS says": Scene({}, BOTH, TOLD_YES),
    "told what DNS says, the other way": Scene({}, BOTH, TOLD_NO, set_up=state("removed")),
    "told what DNS cannot say": Scene({}, PROBE, TOLD_YES, set_up=WITHOUT_NAMES),
    "told yes, and the proxy resolves": Scene({}, PROBE, TOLD_YES, set_up=answers(DOMAIN)),
    "told no, and the name is of no use": Scene(
        {}, PROBE, TOLD_NO, set_up=answers(DOMAIN), make={"state": "removed"}
    ),
    "SR102 although told yes": Scene(
        {"SR102": "error"}, PROBE, {**TOLD_YES, "SPEECH_ENDPOINT": "no-such-name"}, network="sound"
    ),
    "SR106 although told yes": Scene(
        {"SR106": "error"},
        PROBE,
        {**TOLD_YES, **DEAD_DNS},
        network="other resolver",
    ),
    "SR301": Scene({"SR301": "error"}, PROBE, {"SPEECH_PROXY": "http://127.0.0.1:9"}),
    "SR302": Scene(
        {"SR302": "error"}, BOTH, {"SSL_CERT_FILE": ""}, {"issuer": "Contoso Inspection"}
    ),
    "SR302 trusted": Scene({"SR302": "warning"}, BOTH, make={"issuer": "Contoso Inspection"}),
    "SR303": Scene(
        {"SR303": "error"}, BOTH, make={"expires": datetime.now(UTC) - timedelta(days=1)}
    ),
    "SR303 no authorities": Scene({"SR303": "error"}, BOTH, {"SSL_CERT_FILE": ""}),
    "SR304": Scene({"SR304": "warning"}, PROBE, set_up=clock(3600)),
    "SR304 the other way": Scene({"SR304": "warning"}, PROBE, set_up=clock(-3600)),
    "SR305": Scene({"SR305": "error"}, BOTH, network="firewall"),
    "SR202 before what follows from it": Scene(
        {"SR202": "error"}, BOTH, {"SPEECH_REGION": "westus"}, set_up=state("removed")
    ),
    "SR109 by a hosts file": Scene({"SR109": "error"}, BOTH, network="old hosts file"),
    "SR404 for Entra without the resource id": Scene(
        {"SR404": "error"},
        PROBE,
        {"SPEECH_KEY": "", "SPEECH_AUTH": "entra"},
        set_up=state("removed"),
    ),
    "SR305 at a container": Scene(
        {"SR305": "error"},
        BOTH,
        {"SPEECH_ENDPOINT": "http://localhost:9", "SPEECH_ALLOW_HOSTS": "localhost"},
    ),
    "SR401": Scene({"SR401": "info"}, BOTH, make={"generation": "2026", "state": "removed"}),
    "SR401 beside late DNS": Scene(
        {"SR401": "info"}, BOTH, {}, {"generation": "2026"}, state("vnet", "removed")
    ),
    "SR401 where one door works": Scene(
        {"SR401": "error"}, BOTH, make={"generation": "strict", "state": "removed"}
    ),
    "not SR401 without the key": Scene({}, PROBE, make={"generation": "2026", "state": "removed"}),
    "not SR401 with a wrong key": Scene(
        {"SR402": "error"},
        BOTH,
        {"SPEECH_KEY": "f" * 32},
        {"generation": "strict", "state": "removed"},
    ),
    "SR402": Scene({"SR402": "error"}, BOTH, {"SPEECH_KEY": "f" * 32}),
    "SR402 where DNS lags": Scene(
        {"SR402": "error", "SR109": "warning"},
        ("--with-key",),
        {"SPEECH_KEY": "f" * 32},
        make={"generation": "2026"},
        set_up=state("vnet", "removed"),
    ),
    "a key that strict services take from the custom domain alone, where DNS lags": Scene(
        {"SR109": "warning"},
        ("--with-key",),
        make={"generation": "strict"},
        set_up=state("vnet", "removed"),
    ),
    "SR403": Scene({"SR403": "error"}, BOTH, set_up=public_access_off),
    "SR404": Scene({"SR404": "error"}, BOTH, set_up=lambda emulator: emulator.fail_with(503)),
    "SR404 at a login page": Scene(
        {"SR404": "error"}, PROBE, set_up=lambda emulator: emulator.fail_with(302)
    ),
    "SR404 with a 200": Scene(
        {"SR404": "error"}, PROBE, set_up=lambda emulator: emulator.fail_with(200)
    ),
    "SR501": Scene({"SR501": "error"}, environment={"PYTHONPATH": path_before(TOO_OLD_SDK)}),
    "SR502": Scene({"SR502": "info"}, BOTH, make=GOVERNMENT),
    "SR503": Scene(
        {"SR503": "warning"},
        environment={
            "SPEECH_KEY": "",
            "SPEECH_AUTH": "entra",
            "PYTHONPATH": path_before(OLDEST_SDK),
        },
    ),
}
IS_OLD = version("azure-cognitiveservices-speech") == floor()


@contextmanager
def place(scene: Scene) -> Iterator[dict[str, str]]:
    with Emulator(**scene.make) as emulator:
        scene.set_up(emulator)
        environment = {**emulator.environment, **scene.environment}
        for name in ("SSL_CERT_FILE",):
            if not environment[name]:
                del environment[name]
        yield environment


def check(scene: Scene, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = (*scene.arguments, *more)
    if scene.network:
        return forked_scene(scene.network, *arguments, environment=scene.environment)
    with place(scene) as environment:
        start = run if "PYTHONPATH" in environment else forked
        return start("check", *arguments, environment=environment)


NAMESPACES = [
    pytest.param(name, marks=needs_namespaces) if scene.network else name
    for name, scene in SCENES.items()
]


@pytest.mark.parametrize("name", NAMESPACES)
def test_a_scene_has_its_finding_and_no_other(name: str) -> None:
    scene = SCENES[name]
    done = check(scene, "--json")
    document = json.loads(done.stdout)
    VALIDATOR.validate(document)
    found = {finding["id"]: finding["severity"] for finding in document["findings"]}
    expected = dict(scene.findings)
    if IS_OLD and document["settings"] and document["settings"]["auth"] == "entra":
        expected["SR503"] = "warning"
    assert found == expected, done.stdout
    code = 1 if "error" in scene.findings.values() else 0
    if document["problems"]:
        code = 2
    assert (done.returncode, document["exit_code"]) == (code, code)
    assert document["complete"]


def test_the_sdk_that_is_too_old_is_there() -> None:
    assert TOO_OLD_SDK.is_dir(), "it is not there: run sh .ci/setup dev"


@pytest.mark.parametrize(
    ("status", "expected"), [(403, "SR403"), (503, "SR404"), (302, "SR404"), (401, "SR402")]
)
def test_a_door_that_is_there_may_refuse_the_key(
    status: int, expected: str, emulated: Emulator
) -> None:
    """The doors have answered 401 when the service changes its mind."""

    def begin(step: str) -> None:
        if step == "key":
            emulated.fail_with(status)

    facts = Facts()
    Looking(facts, 15.0, begin, lambda *_: None).run(probes=True, with_key=True)
    assert [(finding.id, finding.severity) for finding in findings_of(facts)] == [
        (expected, "error")
    ]


def test_the_key_tells_a_wrong_region_from_a_wrong_key(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The emulator has one region only, so what the other one answers is said here."""
    emulated.state = "removed"
    monkeypatch.setenv("SPEECH_REGION", "northeurope")
    facts = Facts()
    Looking(facts, 15.0, lambda _: None, lambda *_: None).run(probes=False, with_key=False)
    refused, accepted = Answer(Stage.HTTP, status=401), Answer(Stage.HTTP, status=200)
    facts.key_answers = {"northeurope": refused, "westeurope": accepted}
    assert [finding.id for finding in findings_of(facts)] == ["SR202"]
    facts.key_answers = {"northeurope": refused, "westeurope": refused}
    assert [finding.id for finding in findings_of(facts)] == ["SR202", "SR402"]


def test_every_finding_has_a_scene_and_the_severity_that_its_page_says_first() -> None:
    seen: dict[str, set[str]] = {}
    for scene in SCENES.values():
        for number, severity in scene.findings.items():
            seen.setdefault(number, set()).add(severity)
    order = ("error", "warning", "info")
    worst = {number: min(found, key=order.index) for number, found in seen.items()}
    assert worst == {number: page.severity.split(";")[0] for number, page in catalogue().items()}


def test_every_finding_is_in_the_readme() -> None:
    rows = {row[0].strip("`"): row[1] for row in table("Find out what is wrong")}
    assert rows == {number: section.title for number, section in catalogue().items()}


def test_every_option_is_in_the_readme() -> None:
    written = {row[0].strip("`").split()[0] for row in table("Find out what is wrong", 1)}
    shown = set(re.findall(r"--[a-z-]+", forked("check", "--help").stdout))
    assert written == shown - {"--help"}


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@contextmanager
def silent_dns_server() -> Iterator[str]:
    """A DNS server that takes questions and never answers."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_the_whole_check_has_one_budget(emulator: Emulator) -> None:
    with silent_dns_server() as server:
        environment = {
            **emulator.environment,
            "SPEECH_DNS_SERVERS": server,
            "SPEECH_DNS_TIMEOUT": "60",
        }
        done = forked("check", "--budget", "1", "--json", environment=environment)
    document = json.loads(done.stdout)
    assert [finding["id"] for finding in document["findings"]] == ["SR106"]
    assert sum(document["steps"].values()) < 30


def test_dns_that_is_not_needed_leaves_time_for_the_doors(emulator: Emulator) -> None:
    with silent_dns_server() as server:
        environment = {
            **emulator.environment,
            **TOLD_YES,
            "SPEECH_DNS_SERVERS": server,
            "SPEECH_DNS_TIMEOUT": "60",
        }
        done = forked("check", "--probe", "--budget", "4", "--json", environment=environment)
    document = json.loads(done.stdout)
    assert document["findings"] == []
    assert document["doors"][0]["answer"]["status"] == 401
    assert document["dns"]["says"] == "dns-unavailable"


def test_a_vault_that_hangs_costs_the_budget_only() -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        environment = {
            "SPEECH_KEY_VAULT": "https://my-vault.vault.azure.net/",
            "SPEECH_ENDPOINT": "my-speech",
            "HTTPS_PROXY": f"http://127.0.0.1:{proxy.getsockname()[1]}",
            "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
            "AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000000",
            "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000",
            "AZURE_CLIENT_SECRET": "canary-secret",
        }
        done = forked("check", "--budget", "1", "--json", environment=environment)
    document = json.loads(done.stdout)
    VALIDATOR.validate(document)
    assert (done.returncode, document["findings"][0]["id"]) == (2, "SR200")
    assert "SPEECH_KEY_VAULT is no answer in time" in document["findings"][0]["cause"]
    assert "canary-secret" not in done.stdout + done.stderr


def test_what_was_found_before_ctrl_c_is_told(emulator: Emulator) -> None:
    """One door hangs in the proxy, the others have answered."""
    emulator.state = "removed"
    before = len(emulator.requests)
    with (
        hanging_for("westeurope.voice.speech.microsoft.com", emulator) as (proxy, hangs),
        started(
            "check",
            "--probe",
            "--json",
            environment={**emulator.environment, "SPEECH_PROXY": proxy},
        ) as process,
    ):
        assert process.stdout
        assert hangs.wait(60)
        until(lambda: len(emulator.requests) == before + 8)
        # All threads but the main one and that of the door that hangs have told what they got.
        until(lambda: len(list(Path(f"/proc/{process.pid}/task").iterdir())) == 2)
        process.send_signal(signal.SIGINT)
        document = json.loads(process.stdout.read())
    answered = [door["client"] for door in document["doors"] if door["answer"]]
    assert {"recognition", "synthesis", "voices list"} <= set(answered)
    assert document["complete"] is False


@contextmanager
def hanging_for(host: str, emulator: Emulator) -> Iterator[tuple[str, threading.Event]]:
    """A proxy before the emulator's that takes requests for one host and is silent then."""
    hangs, ends = threading.Event(), contextlib.ExitStack()
    behind = emulator.proxy_url.removeprefix("http://").split(":")

    def serve(connection: socket.socket) -> None:
        asked = connection.recv(65536)
        if asked.startswith(f"CONNECT {host}:".encode()):
            hangs.set()
            return
        onward = ends.enter_context(socket.create_connection((behind[0], int(behind[1]))))
        onward.sendall(asked)
        for source, target in ((connection, onward), (onward, connection)):
            threading.Thread(target=pump, args=(source, target), daemon=True).start()

    def pump(source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)

    def accept(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection = ends.enter_context(server.accept()[0])
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as server, ends:
        threading.Thread(target=accept, args=(server,), daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}", hangs
        server.shutdown(socket.SHUT_RDWR)


def test_a_door_that_never_answers_costs_the_budget_only(emulator: Emulator) -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        port = proxy.getsockname()[1]
        environment = {**emulator.environment, "SPEECH_PROXY": f"http://127.0.0.1:{port}"}
        done = forked("check", "--probe", "--budget", "2", "--json", environment=environment)
    document = json.loads(done.stdout)
    assert [finding["id"] for finding in document["findings"]] == ["SR301"]
    assert "no answer in time" in document["findings"][0]["cause"]


@pytest.mark.parametrize("form", [(), ("--json",), ("--markdown",)], ids=["text", "json", "md"])
def test_ctrl_c_ends_it_with_what_is_known(form: tuple[str, ...], emulator: Emulator) -> None:
    with (
        silent_dns_server() as server,
        started(
            "check",
            *form,
            environment={
                **emulator.environment,
                "SPEECH_DNS_SERVERS": server,
                "SPEECH_DNS_TIMEOUT": "60",
                "FORCE_COLOR": "1",  # so that progress is told in every form
            },
        ) as process,
    ):
        assert process.stdout
        assert process.stderr
        told = ""
        while "DNS ..." not in told:
            read = process.stderr.read(1)
            assert read
            told += read
        process.send_signal(signal.SIGINT)
        output = process.stdout.read()
        assert process.wait(60) == 130
    assert emulator.custom_domain in output
    assert emulator.key not in output
    if form == ("--json",):
        document = json.loads(output)
        VALIDATOR.validate(document)
        assert document["complete"] is False
        assert document["settings"]["custom_domain"] == emulator.custom_domain
    else:
        assert "Broken off" in output


def test_no_key_is_sent_where_the_certificate_is_not_trusted() -> None:
    with Emulator(issuer="Contoso Inspection") as emulator:
        environment = {**emulator.environment, "SSL_CERT_FILE": "/dev/null"}
        done = forked("check", "--probe", "--with-key", environment=environment)
        assert done.returncode == 1
        assert emulator.requests == ()
        assert "Contoso Inspection" in done.stdout


def test_one_request_with_a_key_and_the_others_without(emulator: Emulator) -> None:
    before = len(emulator.requests)
    forked("check", "--probe", "--with-key", environment=emulator.environment)
    asked = emulator.requests[before:]
    with_key = [request for request in asked if request.credential == "key"]
    assert [(r.path, r.status) for r in with_key] == [("/tts/cognitiveservices/voices/list", 200)]
    assert {request.credential for request in asked if request not in with_key} == {"none"}
    assert len(asked) == 9


@pytest.mark.parametrize("settings", [{}, {"SPEECH_REGION": "usgovvirginia"}, TOLD_YES])
def test_no_key_goes_to_another_cloud_by_dns(settings: dict[str, str]) -> None:
    with Emulator(**GOVERNMENT) as emulator:
        emulator.dns_answers[GOVERNMENT["custom_domain"]] = OTHER_CLOUD
        environment = {**emulator.environment, **settings}
        done = forked("check", "--probe", "--with-key", environment=environment)
        asked = {request.host for request in emulator.requests if request.credential == "key"}
        assert asked <= {GOVERNMENT["custom_domain"]}
        assert done.returncode == 1


def test_waiting_is_no_advice_where_a_proxy_answers_for_all_names() -> None:
    done = check(SCENES["egress proxy without names"])
    assert "waiting does not help: set SPEECH_REGION" in " ".join(done.stdout.split())


def test_entra_signs_in_for_the_key() -> None:
    environment = {
        "SPEECH_ENDPOINT": "my-speech",
        "SPEECH_AUTH": "entra",
        "SPEECH_PRIVATE_ENDPOINT": "yes",
        "SPEECH_DNS_SERVERS": "127.0.0.1:9",
        "SPEECH_DNS_TIMEOUT": "0.5",
        "SPEECH_PROXY": "http://127.0.0.1:9",
        "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential",
    }
    done = forked("check", "--with-key", "--json", environment=environment)
    assert done.returncode == 1, done.stderr
    proxy, finding = json.loads(done.stdout)["findings"][:2]
    assert (proxy["id"], finding["id"]) == ("SR301", "SR402")
    assert "no Microsoft Entra token" in finding["cause"]


@pytest.mark.parametrize(
    ("make", "environment", "expected"),
    [
        ({}, {}, ("401", "custom domain", None)),
        ({"state": "removed"}, {}, ("404", "region", None)),
        (
            {"state": "removed", "generation": "2026"},
            TOLD_YES,
            ("200 with a URL of westeurope", "region", "westeurope"),
        ),
        ({}, NEVER, ("not asked: SPEECH_ASK_SERVICE=never", None, None)),
        (
            {},
            {"SPEECH_PROXY": "http://127.0.0.1:9"},
            ("no answer: at the proxy: refused", None, None),
        ),
        (
            {"state": "removed"},
            {"SPEECH_PROXY": "env", "HTTPS_PROXY": "socks5://127.0.0.1:9"},
            ("not asked: HTTPS_PROXY cannot be used", None, None),
        ),
    ],
    ids=["vnet", "removed", "leads on", "never", "no proxy", "no proxy that the SDK can use"],
)
def test_what_the_service_said_stands_beside_dns(
    make: dict[str, Any], environment: dict[str, str], expected: tuple[str, str | None, str | None]
) -> None:
    scene = Scene({}, ("--json",), environment, make)
    service = json.loads(check(scene).stdout)["service"]
    assert (service["seen"], service["door"], service["region"]) == expected


@needs_namespaces
def test_a_proxy_of_the_environment_is_passed_by_for_a_door_in_this_network() -> None:
    scene = Scene({}, ("--json",), {"HTTPS_PROXY": "http://127.0.0.1:9"}, network="sound")
    assert json.loads(check(scene).stdout)["service"]["seen"] == "401"


def test_without_a_custom_domain_there_is_no_service_to_ask() -> None:
    environment = {"SPEECH_KEY": "k" * 32, "SPEECH_REGION": "westeurope"}
    document = json.loads(forked("check", "--json", environment=environment).stdout)
    assert document["service"] is None
    assert "service" not in document["steps"]


@pytest.mark.parametrize(
    ("region", "remedy"),
    [
        ({}, "Meanwhile set SPEECH_REGION"),
        ({"SPEECH_REGION": "westeurope"}, "Meanwhile run() and streams take the other door"),
    ],
)
def test_a_door_whose_region_nobody_tells_is_no_way_out(
    region: dict[str, str], remedy: str
) -> None:
    scene = SCENES["SR109 without a probe"]._replace(environment=region)
    (finding,) = json.loads(check(scene, "--json").stdout)["findings"]
    assert remedy in finding["remedy"]


def test_dns_draws_the_chain_with_lives_and_what_decided(emulator: Emulator) -> None:
    emulator.state = "removed"
    output = forked("check", environment=emulator.environment).stdout
    *tree, service = output.partition("\nDNS")[2].partition("\n\n")[0].splitlines()[1:]
    assert service == "  service: 404: region"
    assert [line.count("5 s") for line in tree] == [1] * 7 + [0]
    assert tree[-2].endswith(".cloudapp.net  5 s  regional  <- decides")
    assert sum("<- decides" in line for line in tree) == 1
    assert tree[-1].strip() == "└── 13.93.122.1"
    depths = [len(line) - len(line.lstrip(" └─")) for line in tree]
    assert depths == sorted(set(depths))


@needs_namespaces
def test_the_operating_system_stands_beside_dns() -> None:
    for network, words in (("sound", "the same"), ("hosts file", "differs")):
        done = check(Scene({}, network=network))
        assert f"the operating system says 172.28.0.10: {words}\n" in done.stdout


def test_the_headline_is_the_disagreement(emulator: Emulator) -> None:
    emulator.dns_state, emulator.service_state = "vnet", "removed"
    done = forked("check", "--probe", environment=emulator.environment)
    assert done.stdout.startswith("DNS and the service disagree: DNS says that")
    # Progress is told beside the report.
    steps = [line.partition(" ...")[0] for line in done.stderr.splitlines()]
    assert steps == ["settings", "DNS", "doors", "service"]


@needs_namespaces
def test_the_headline_is_not_what_is_only_a_warning() -> None:
    document = json.loads(check(SCENES["SR305 before SR101"], "--json").stdout)
    assert document["headline"].startswith("No connection to a door:")


@needs_namespaces
def test_a_resolver_that_answers_is_no_hosts_file() -> None:
    document = json.loads(check(SCENES["SR101 beside dead DNS"], "--json").stdout)
    finding = document["findings"][0]
    assert finding["cause"].startswith("The operating system gives the private address")
    assert "hosts file" not in finding["remedy"]


def test_where_a_setting_decides_no_name_of_the_chain_does(emulator: Emulator) -> None:
    emulator.state = "removed"
    environment = {**emulator.environment, **TOLD_YES}
    output = forked("check", environment=environment).stdout
    assert "  regional\n" in output
    assert "<- decides" not in output
    assert f"SPEECH_PRIVATE_ENDPOINT=yes decides, but DNS says that {DOMAIN} has no " in output
    dns = json.loads(forked("check", "--json", environment=environment).stdout)["dns"]
    assert (dns["decided_by"], dns["says"]) == (None, "regional")


def test_that_the_region_refuses_the_key_proves_nothing_of_a_token(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (TOLD_NO | NEVER).items():
        monkeypatch.setenv(name, value)
    found = {}
    for auth in ("key", "entra"):
        monkeypatch.setenv("SPEECH_AUTH", auth)
        monkeypatch.setenv("SPEECH_RESOURCE_ID", emulated.resource_id)
        facts = Facts()
        Looking(facts, 15.0, lambda _: None, lambda *_: None).run(probes=False, with_key=False)
        facts.key_answers = {"westeurope": Answer(Stage.HTTP, status=401)}
        found[auth] = {finding.id: finding.severity for finding in findings_of(facts)}
        found[auth].pop("SR503", None)  # of an older SDK
    assert found == {
        "key": {"SR206": "error"},
        "entra": {"SR402": "error", "SR206": "warning"},
    }


def test_a_pipe_gets_whole_lines_and_no_styles(emulator: Emulator) -> None:
    done = forked("check", "--probe", environment=emulator.environment, columns=40)
    assert "\x1b" not in done.stdout
    url = f"wss://{DOMAIN}/tts/cognitiveservices/websocket/v1?deploymentId=DEPLOYMENT"
    assert any(line.endswith(url) for line in done.stdout.splitlines())
    assert not [line for line in done.stdout.splitlines() if line != line.rstrip()]


@pytest.mark.parametrize(("more", "has_colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_of_80_columns_is_enough(
    more: dict[str, str], has_colour: bool, emulator: Emulator
) -> None:
    emulator.dns_state, emulator.service_state = "removed", "vnet"
    environment = {**emulator.environment, "FORCE_COLOR": "1", "TERM": "xterm", **more}
    done = forked("check", "--probe", environment=environment)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)
    assert max(map(len, plain.splitlines())) <= 80
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]m", done.stdout)) is has_colour
    for word in ("SR110 error", "DNS and the service disagree", "Settings", "Doors", "Advice"):
        assert word in plain


def test_markdown_is_for_tickets(emulator: Emulator) -> None:
    emulator.dns_state, emulator.service_state = "vnet", "removed"
    done = forked("check", "--probe", "--markdown", environment=emulator.environment)
    assert done.returncode == 1
    head, _, rest = done.stdout.partition("<details>")
    assert head.startswith("### speechroute check: DNS and the service disagree")
    assert "| SR109 | error | DNS is behind a removal |" in head
    assert f"wss://{DOMAIN}/stt/speech/universal/v2" in rest
    assert rest.rstrip().endswith("</details>")
    assert emulator.key not in done.stdout


@pytest.mark.parametrize("number", catalogue())
def test_each_finding_explains_itself(number: str) -> None:
    section = catalogue()[number]
    done = forked("check", "--explain", number.lower())
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"## {number} {section.title}\n")
    for part in ("**Seen.**", "**Cause.**", "**Remedy.**"):
        assert part in done.stdout
    assert section.severity.split()[0].rstrip(";") in {"error", "warning", "info"}
    assert section.fixed_by


def test_an_unknown_finding_names_the_known_ones() -> None:
    done = forked("check", "--explain", "SR999")
    assert done.returncode == 2
    assert "SR101" in done.stderr


def test_commands_are_for_this_resource() -> None:
    domain = "my-speech.cognitiveservices.azure.us"
    make = {"custom_domain": domain, "region": "usgovvirginia"}
    link = "my-speech.privatelink.cognitiveservices.azure.us"
    done = check(Scene({}, make=make, set_up=answers(domain, link)), "--json")
    (finding,) = json.loads(done.stdout)["findings"]
    assert "--zone-name privatelink.cognitiveservices.azure.us" in finding["command"]
    assert "--record-set-name my-speech " in finding["command"]


def test_several_settings_that_are_wrong_are_all_told() -> None:
    environment = {"SPEECH_KEY": "k", "SPEECH_ENDPOINT": "a b", "SPEECH_DNS_TIMEOUT": "soon"}
    done = forked("check", "--json", environment=environment)
    findings = json.loads(done.stdout)["findings"]
    assert [finding["id"] for finding in findings] == ["SR200", "SR200"]
    assert done.returncode == 2


@needs_namespaces
@pytest.mark.parametrize("name", PICTURES)
def test_the_readmes_pictures_are_of_this_version(name: str) -> None:
    def words(svg: str) -> list[str]:
        texts = re.findall(r"<text[^>]*>(.*?)</text>", svg)
        return [re.sub(r"\d+\.\d\d", "0.00", text) for text in texts]

    readme = (ROOT / "README.md").read_text()
    assert f"samples/output/{name}" in readme
    now = picture(PICTURES[name], name)
    assert words((OUTPUT / name).read_text()) == words(now), "run python tests/support/pictures.py"

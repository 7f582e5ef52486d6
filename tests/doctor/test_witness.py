"""``speechroute witness`` at the emulator: as each claim says, and as each one does not."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest
from aiohttp import web
from typer.testing import CliRunner

from commands import forked
from forks import FORKS
from places import SUPPORT
from speechroute._cli import INTERRUPTED
from speechroute._cli.app import app
from speechroute._cli.witness import _WORDS
from speechroute._doctor.ledger import ledger
from speechroute._doctor.witness.hearing import Hearing
from speechroute._doctor.witness.trials import TRIALS
from speechroute.emulator import Emulator
from speechroute.emulator._names import GATEWAY_ADDRESS, VNET_PROXY_ADDRESS
from speechroute.emulator._recognition import RecognitionSession
from speechroute.emulator._service import Service, host_of, upgrades
from token_service import token_service
from witness_reports import is_judged_again, leads_to_a_door_that_served

LABEL = "my-private-link-speech"
GOVERNMENT = {"custom_domain": f"{LABEL}.cognitiveservices.azure.us", "region": "usgovvirginia"}
FOUNDRY = {"custom_domain": f"{LABEL}.services.ai.azure.com"}
NEEDS_REDIRECT = {"AZ-REDIRECT-STATUS", "AZ-REDIRECT-TARGET", "AZ-VOICES-NOT-REDIRECTED"}
PHRASES = 10
SIDE_BY_SIDE = 16

Rule = Callable[[web.Request, web.Response | str], web.Response | str]
"""What a request gets instead of what the service admits it to."""


class Place(NamedTuple):
    """A resource, and who comes to it.

    Attributes:
        make: arguments of the emulator.
        entra: whether with Microsoft Entra ID.
        environment: over that of the emulator.
        answers: what DNS says of the custom domain instead.
        rule: what the service does otherwise.
    """

    state: str = "removed"
    generation: str = "2024"
    make: Mapping[str, Any] = MappingProxyType({})
    entra: bool = False
    environment: Mapping[str, str] = MappingProxyType({})
    answers: tuple[str, ...] = ()
    rule: Rule | None = None

    @property
    def has_private_endpoint(self) -> bool:
        return self.state != "removed"

    def expects(self, number: str) -> str:
        """The verdict on a claim, where the service is as the ledger says."""
        trial, claim = TRIALS[number], ledger()[number]
        suffix = self.make.get("custom_domain", "").partition(".")[2]
        if trial.auth not in ("", "entra" if self.entra else "key"):
            return "not tried"
        if trial.with_private_endpoint not in (None, self.has_private_endpoint):
            return "not tried"
        for ids, is_there in (
            (("AZ-DNS-VNET-PROXY", "AZ-PUBLIC-ACCESS-403"), self.state == "proxy"),
            (("AZ-DNS-SOVEREIGN", "AZ-GOV-PORTAL-ENDPOINT"), suffix.endswith(".us")),
            (("AZ-SERVICES-AI-SPEECH",), suffix.startswith("services.ai")),
            (NEEDS_REDIRECT, self.generation != "2024"),
            (("AZ-ENTRA-RESOURCE-ID",), "SPEECH_RESOURCE_ID" in self.environment),
        ):
            if number in ids and not is_there:
                return "not tried"
        is_own = not claim.generations or self.generation in claim.generations
        return "confirmed" if is_own else "other generation"


def contradict(emulator: Emulator, rule: Rule) -> None:
    class Contrary(Service):
        __slots__ = ()

        def admit(self, request: web.Request) -> web.Response | str:
            return rule(request, super().admit(request))

    emulator._service.__class__ = Contrary


def witnessed(places: Iterable[Place], *arguments: str) -> list[tuple[int, Any, Emulator]]:
    """Exit code and report of each witness, side by side, and the emulator that it was at."""
    done = []
    with contextlib.ExitStack() as stack:
        runs = []
        for place in places:
            emulator = stack.enter_context(
                Emulator(place.state, generation=place.generation, **place.make)
            )
            done.append(emulator)
            for _ in range(PHRASES):
                emulator.say(_WORDS)
            if place.rule:
                contradict(emulator, place.rule)
            if place.answers:
                emulator.dns_answers[emulator.custom_domain] = place.answers
            environment = {**emulator.environment, "SPEECH_REGION": emulator.region}
            if place.entra:
                service = stack.enter_context(token_service(emulator.tokens))
                environment |= {**service.environment, "SPEECH_AUTH": "entra", "SPEECH_KEY": ""}
            runs.append(
                (
                    [str(SUPPORT / "command_fork.py"), "witness", "--yes", "--json", *arguments],
                    {"COLUMNS": "80", **environment, **place.environment},
                )
            )
        finished = []
        for at in range(0, len(runs), SIDE_BY_SIDE):
            finished += FORKS.run_all(runs[at : at + SIDE_BY_SIDE])
        for run, emulator in zip(finished, done, strict=True):
            assert run.returncode in (0, 1), run.stderr
            for secret in (emulator.key, *emulator.tokens, LABEL, "172.28.0", "13.69.", "13.93."):
                assert secret not in run.stdout
    return [
        (run.returncode, json.loads(run.stdout), emulator)
        for run, emulator in zip(finished, done, strict=True)
    ]


WITH_ID = {"SPEECH_RESOURCE_ID": Emulator().resource_id}
AS_CLAIMED = {
    **{
        f"{state} {generation}": Place(state, generation)
        for generation in ("2024", "2026", "strict")
        for state in ("removed", "vnet", "proxy")
    },
    "Government": Place(make=GOVERNMENT),
    "Government, vnet": Place("vnet", make=GOVERNMENT),
    "Foundry": Place("vnet", make=FOUNDRY),
    "Entra": Place("vnet", entra=True, environment=WITH_ID),
    "Entra, removed": Place(entra=True),
    "Entra, removed, with its id": Place(entra=True, environment=WITH_ID),
}


def test_every_claim_is_confirmed_in_the_generation_and_state_that_it_belongs_to() -> None:
    reports = dict(zip(AS_CLAIMED, witnessed(AS_CLAIMED.values()), strict=True))
    confirmed = set()
    for name, (code, report, _) in reports.items():
        place = AS_CLAIMED[name]
        verdicts = {claim["id"]: claim["verdict"] for claim in report["claims"]}
        assert verdicts == {number: place.expects(number) for number in TRIALS}, name
        assert code == 0
        assert report["complete"]
        assert report["resource"]["has_private_endpoint"] is place.has_private_endpoint
        if not place.has_private_endpoint:
            assert report["resource"]["generations"] == [place.generation]
        confirmed |= {number for number, verdict in verdicts.items() if verdict == "confirmed"}
        assert leads_to_a_door_that_served(is_judged_again(report))
    assert confirmed == set(TRIALS)


def answer(status: int, on: Callable[[web.Request], bool]) -> Rule:
    def rule(request: web.Request, admitted: web.Response | str) -> web.Response | str:
        return web.Response(status=status) if on(request) else admitted

    return rule


def at(request: web.Request) -> bool:
    return LABEL in host_of(request)


def at_socket(request: web.Request) -> bool:
    return at(request) and upgrades(request)


def at_rest(request: web.Request) -> bool:
    return at(request) and not upgrades(request) and request.path[1:4] in ("stt", "tts")


def asks(request: web.Request) -> bool:
    return "GenerateRedirectResponse" in request.query_string


def away_socket(request: web.Request) -> bool:
    return not at(request) and upgrades(request)


def names_it(request: web.Request) -> bool:
    return "Custom-Domain-Name" in request.query_string and not at(request)


def path(text: str, *, at_custom_domain: bool) -> Callable[[web.Request], bool]:
    return lambda request: text in request.path and at(request) is at_custom_domain


def has_no_key(request: web.Request) -> bool:
    return at_socket(request) and "Ocp-Apim-Subscription-Key" not in request.headers


def redirects_without_name(_: web.Request, admitted: web.Response | str) -> web.Response | str:
    if isinstance(admitted, web.Response) and "Location" in admitted.headers:
        return web.Response(
            status=301, headers={"Location": admitted.headers["Location"].partition("?")[0]}
        )
    return admitted


def redirects_voices(request: web.Request, admitted: web.Response | str) -> web.Response | str:
    if at(request) and "voices" in request.path:
        target = "https://westeurope.tts.speech.microsoft.com/cognitiveservices/voices/list"
        return web.Response(status=301, headers={"Location": target})
    return admitted


PUBLIC = "somewhere.example.net", "20.1.2.3"
CONTRARY = {
    "AZ-DNS-PRIVATE-LINK": Place(
        "proxy",
        answers=(
            "westeurope.prod.vnet.cog.trafficmanager.net",
            "vnetproxyv1-weu-prod.westeurope.cloudapp.azure.com",
            VNET_PROXY_ADDRESS,
        ),
    ),
    "AZ-DNS-VNET-PROXY": Place(
        "proxy", answers=(f"{LABEL}.privatelink.cognitiveservices.azure.com", GATEWAY_ADDRESS)
    ),
    "AZ-DNS-REGION": Place(answers=PUBLIC),
    "AZ-DNS-SOVEREIGN": Place(make=GOVERNMENT, answers=PUBLIC),
    "AZ-PE-CUSTOM-DOMAIN": Place("vnet", rule=answer(404, at_socket)),
    "AZ-PE-REGION-401": Place("vnet", rule=answer(404, away_socket)),
    "AZ-PE-QUESTION": Place("vnet", rule=answer(404, asks)),
    "AZ-PE-REST": Place("vnet", rule=answer(404, at_rest)),
    "AZ-TOKEN-ALL-NETWORKS": Place("vnet", rule=answer(404, path("sts", at_custom_domain=True))),
    "AZ-PUBLIC-ACCESS-403": Place("proxy", rule=answer(404, at_socket)),
    "AZ-404-AFTER-REMOVAL": Place(rule=answer(400, at_socket)),
    "AZ-ORACLE-404": Place(rule=answer(401, asks)),
    "AZ-REDIRECT": Place(generation="2026", rule=answer(400, at_socket)),
    "AZ-REDIRECT-STATUS": Place(generation="2026", make={"redirect_status": 308}),
    "AZ-REDIRECT-TARGET": Place(generation="2026", rule=redirects_without_name),
    "AZ-ORACLE-KEYLESS": Place(generation="2026", rule=answer(404, asks)),
    "AZ-VOICES-NOT-REDIRECTED": Place(generation="2026", rule=redirects_voices),
    "AZ-REGION-WITH-CUSTOM-DOMAIN": Place(rule=answer(404, away_socket)),
    "AZ-REGION-NAMED": Place(generation="strict", rule=answer(401, names_it)),
    "AZ-REST-REGION": Place(rule=answer(404, path("cognitiveservices/v1", at_custom_domain=False))),
    "AZ-TOKEN-REGION": Place(rule=answer(404, path("sts", at_custom_domain=False))),
    "AZ-GOV-PORTAL-ENDPOINT": Place(
        make=GOVERNMENT, rule=answer(404, lambda request: ".api." in host_of(request))
    ),
    "AZ-KEYLESS": Place("vnet", rule=answer(404, has_no_key)),
    "AZ-REST-CUSTOM-DOMAIN": Place(rule=answer(404, path("models", at_custom_domain=True))),
    "AZ-SERVICES-AI-SPEECH": Place("vnet", make=FOUNDRY, rule=answer(404, at_socket)),
    "AZ-ENTRA-CUSTOM-DOMAIN": Place("vnet", entra=True, rule=answer(401, at_socket)),
    "AZ-ENTRA-RESOURCE-ID": Place(entra=True, environment=WITH_ID, rule=answer(404, away_socket)),
    "AZ-ENTRA-NAMED": Place(entra=True, rule=answer(404, names_it)),
    "AZ-KEY-FORM": Place(make={"key": "no-key-of-azure"}),
    "AZ-CERTIFICATES": Place(make={"issuer": "Contoso"}),
}
"""A service that contradicts each claim."""


def test_every_claim_has_a_service_that_contradicts_it() -> None:
    assert set(CONTRARY) == set(TRIALS)


@pytest.mark.parametrize("part", range(2))
def test_a_claim_is_refuted_by_a_service_that_contradicts_it(part: int) -> None:
    places = dict(list(CONTRARY.items())[part::2])
    for number, (code, report, _) in zip(places, witnessed(places.values()), strict=True):
        verdicts = {claim["id"]: claim["verdict"] for claim in report["claims"]}
        assert (number, verdicts[number], code) == (number, "refuted", 1)
        is_judged_again(report)


TOLD = {"SPEECH_PRIVATE_ENDPOINT": "yes"}


def invoked(*arguments: str, answer: str = "", **environment: str) -> Any:
    return CliRunner().invoke(app, ["witness", *arguments], input=answer, env=environment)


def test_it_tells_the_cost_and_begins_only_where_that_is_confirmed(emulated: Emulator) -> None:
    before = len(emulated.requests)
    done = invoked(answer="n\n")
    assert done.exit_code == 1
    assert "20 seconds of audio" in " ".join(done.stderr.split())
    assert emulated.custom_domain in done.stderr
    assert len(emulated.requests) == before


@pytest.mark.parametrize(
    ("told", "state", "skipped"),
    [("yes", "vnet", "region"), ("no", "removed", "custom domain")],
)
def test_where_the_settings_tell_the_door_the_other_one_is_not_asked(
    told: str, state: str, skipped: str, emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulated.state = state
    monkeypatch.setenv("SPEECH_PRIVATE_ENDPOINT", told)
    monkeypatch.setenv("SPEECH_REGION", emulated.region)
    before = len(emulated.requests)
    done = invoked("--json", answer="y\n")
    report = json.loads(done.stdout.partition("\n")[2])  # the runner echoes the answer
    assert report["skipped"] == {skipped: f"SPEECH_PRIVATE_ENDPOINT={told}: no other door is tried"}
    hosts = {request.host for request in emulated.requests[before:]}
    assert hosts
    assert all((host == emulated.custom_domain) is (told == "yes") for host in hosts)
    assert {reply["door"] for reply in report["replies"]} == {"custom domain", "region"} - {skipped}


def test_it_ends_in_time_where_a_door_keeps_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RecognitionSession, "receive", lambda *_: iter(()))
    with Emulator() as emulator:
        arguments = "witness", "--yes", "--json", "--budget", "3"
        done = forked(*arguments, environment=emulator.environment)
    report = json.loads(done.stdout)
    notes = {reply["asked"]: reply["note"] for reply in report["replies"]}
    assert notes["recognition"] == "no answer in time"
    assert notes["voices list"] == "no time was left"
    verdicts = {claim["id"]: claim["verdict"] for claim in report["claims"]}
    assert verdicts["AZ-PE-CUSTOM-DOMAIN"] == "unclear"
    assert verdicts["AZ-REST-CUSTOM-DOMAIN"] == "confirmed"
    is_judged_again(report)


def test_what_ctrl_c_leaves_out_is_told(
    emulated: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Hearing, "_client", interrupted)
    done = invoked("--yes")
    assert done.exit_code == INTERRUPTED
    assert "Broken off: the rest was not asked." in done.stdout


def test_it_needs_a_custom_domain() -> None:
    done = invoked("--yes", "--json", SPEECH_REGION="westeurope", SPEECH_KEY="0" * 32)
    assert done.exit_code == 2
    assert "SPEECH_ENDPOINT" in json.loads(done.stdout)["error"]["message"]


def test_people_see_what_was_tried_in_80_columns_and_as_markdown() -> None:
    place = Place(generation="2026")
    with Emulator(place.state, generation=place.generation) as emulator:
        program = str(SUPPORT / "command_fork.py")
        plain, page = FORKS.run_all(
            ([program, "witness", "--yes", *form], {"COLUMNS": "80", **emulator.environment})
            for form in ((), ("--markdown",))
        )
    assert max(map(len, plain.stdout.splitlines())) <= 80
    text = " ".join(plain.stdout.split())
    assert "The resource has no private endpoint, and answers as generation 2026." in text
    assert "AZ-REDIRECT-STATUS reported 301 confirmed" in text
    assert "AZ-DNS-PRIVATE-LINK" not in text
    assert "9 only with a private endpoint" in text
    rows = [line.split(" | ") for line in page.stdout.splitlines() if line.startswith("| `")]
    assert {row[0].split("`")[1]: row[-1] for row in rows}["AZ-ORACLE-404"] == "other generation |"
    for done in (plain, page):
        assert LABEL not in done.stdout
        assert done.stderr == ""


def test_without_a_token_it_says_so_and_asks_nobody(emulated: Emulator) -> None:
    before = len(emulated.requests)
    environment = {"SPEECH_AUTH": "entra", "AZURE_TOKEN_CREDENTIALS": "EnvironmentCredential"}
    done = invoked("--yes", "--json", SPEECH_KEY="", **environment)
    assert done.exit_code == 1
    assert json.loads(done.stdout)["error"]["type"] == "TokenUnavailable"
    assert len(emulated.requests) == before

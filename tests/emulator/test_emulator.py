"""The emulator where the end-to-end tests do not look: edges, refusals and the switch."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from concurrent.futures import Future, ThreadPoolExecutor
from urllib.parse import urlsplit

import azure.cognitiveservices.speech as speechsdk
import dns.message
import dns.query
import dns.rcode
import pytest

from audio import hear, pcm, wav
from clients import Outcome, recognize_once
from places import WAV
from speechroute import SpeechConfigFactory
from speechroute.emulator import Emulator
from speechroute.emulator._dns import DnsServer
from speechroute.emulator._names import Names, State
from speechroute.emulator._recognition import RecognitionSession
from speechroute.emulator._synthesis import SynthesisSession, UnsupportedFormat, tone
from speechroute.emulator._wire import Message, decode

CLOUDS = {
    "my-speech.cognitiveservices.azure.com": "westeurope",
    "my-speech.services.ai.azure.com": "swedencentral",
    "my-speech.cognitiveservices.azure.us": "usgovvirginia",
    "my-speech.cognitiveservices.azure.cn": "chinanorth3",
}


def ask(
    emulator: Emulator, name: str, kind: str = "A", *, tcp: bool = False
) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    host, _, port = emulator.dns_server.partition(":")
    send = dns.query.tcp if tcp else dns.query.udp
    return send(query, host, 5, int(port))


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
def test_dns_answers_over_both_transports(emulator: Emulator, tcp: bool) -> None:
    reply = ask(emulator, emulator.custom_domain, tcp=tcp)
    assert "172.28.0.10" in reply.answer[-1].to_text()


def test_dns_has_no_ipv6_and_says_so_with_an_soa(emulator: Emulator) -> None:
    reply = ask(emulator, emulator.custom_domain, "AAAA")
    assert [rrset.rdtype.name for rrset in reply.answer] == ["CNAME"]
    assert reply.authority[0].rdtype.name == "SOA"


def test_dns_knows_no_other_resource_and_no_other_zone(emulator: Emulator) -> None:
    assert ask(emulator, "other.cognitiveservices.azure.com").rcode() == dns.rcode.NXDOMAIN
    assert ask(emulator, "cognitiveservices.azure.com").rcode() == dns.rcode.NOERROR
    assert ask(emulator, "www.example.com").rcode() == dns.rcode.REFUSED


@pytest.mark.parametrize(
    "wire", [b"", b"garbage", b"\x00" * 12], ids=["empty", "garbage", "no question"]
)
def test_dns_drops_what_is_no_query(wire: bytes) -> None:
    server = DnsServer(Names(next(iter(CLOUDS)), "westeurope"), lambda: State.VNET, 5, {})
    assert server.respond(wire) is None


def test_dns_over_tcp_closes_on_garbage(emulator: Emulator) -> None:
    host, _, port = emulator.dns_server.partition(":")
    with socket.create_connection((host, int(port)), 5) as sock:
        sock.sendall(b"\x00\x07garbage")
        assert sock.recv(1) == b""


@pytest.mark.parametrize(("custom_domain", "region"), CLOUDS.items())
def test_every_cloud_has_a_chain_for_every_state(custom_domain: str, region: str) -> None:
    names = Names(custom_domain, region)
    lengths = []
    for state in State:
        found = names.chain(custom_domain, state)
        assert found is not None
        lengths.append(len(found[0]))
    assert lengths == [2, 4, 7]
    assert names.chain(names.offering_host("tts"), State.VNET) is not None


def test_a_custom_domain_of_no_cloud_is_refused() -> None:
    with pytest.raises(ValueError, match="under none of the suffixes"):
        Emulator(custom_domain="my-speech.example.com")


def test_a_taken_port_is_an_error_and_leaves_nothing_running() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="in use"), Emulator(https_port=port):
            pass


def switch(emulator: Emulator, method: str, path: str, body: str = "") -> tuple[int, str]:
    connection = http.client.HTTPConnection(urlsplit(emulator.proxy_url).netloc, timeout=5)
    connection.request(method, path, body)
    response = connection.getresponse()
    return response.status, response.read().decode().strip()


def test_the_state_is_switched_from_outside(emulator: Emulator) -> None:
    assert switch(emulator, "GET", "/state") == (200, "vnet")
    assert switch(emulator, "PUT", "/state", "removed") == (200, "removed")
    assert emulator.state is State.REMOVED
    assert switch(emulator, "PUT", "/state", "nonsense") == (
        400,
        "send one of: vnet, proxy, removed",
    )
    assert switch(emulator, "PUT", "/state")[0] == 400
    assert switch(emulator, "GET", "/elsewhere")[0] == 404
    assert emulator.state is State.REMOVED
    assert switch(emulator, "PUT", "/dns_state", "proxy") == (200, "proxy")
    assert (emulator.dns_state, emulator.service_state) == (State.PROXY, State.REMOVED)
    assert switch(emulator, "PUT", "/service_state", "vnet") == (200, "vnet")
    assert (emulator.dns_state, emulator.service_state) == (State.PROXY, State.VNET)


def tunnel(emulator: Emulator, target: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(urlsplit(emulator.proxy_url).netloc, timeout=5)
    host, _, port = target.rpartition(":")
    connection.set_tunnel(host, int(port))
    return connection


@pytest.mark.parametrize(
    "target",
    ["www.example.com:443", "westeurope.stt.speech.microsoft.com:80"],
    ids=["host", "port"],
)
def test_the_proxy_leads_nowhere_else(emulator: Emulator, target: str) -> None:
    with pytest.raises(OSError, match="502"):
        tunnel(emulator, target).connect()


def test_the_proxy_closes_on_garbage(emulator: Emulator) -> None:
    address = urlsplit(emulator.proxy_url)
    with socket.create_connection((address.hostname, address.port), 5) as sock:
        sock.sendall(b"garbage\r\n\r\n")
        assert sock.recv(1) == b""


def get(emulator: Emulator, host: str, path: str, **headers: str) -> tuple[int, object]:
    connection = tunnel(emulator, f"{host}:443")
    connection.connect()
    context = ssl.create_default_context(cafile=str(emulator.ca_file))
    connection.sock = context.wrap_socket(connection.sock, server_hostname=host)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request("GET", path, headers=named)
    response = connection.getresponse()
    body = json.loads(response.read())
    connection.close()
    return response.status, body


@pytest.mark.parametrize(
    ("state", "host", "path", "status"),
    [
        (
            "vnet",
            "my-private-link-speech.cognitiveservices.azure.com",
            "/tts/cognitiveservices/voices/list",
            200,
        ),
        (
            "removed",
            "my-private-link-speech.cognitiveservices.azure.com",
            "/tts/cognitiveservices/voices/list",
            404,
        ),
        ("vnet", "westeurope.tts.speech.microsoft.com", "/cognitiveservices/voices/list", 401),
        ("removed", "westeurope.tts.speech.microsoft.com", "/cognitiveservices/voices/list", 200),
        ("vnet", "my-private-link-speech.cognitiveservices.azure.com", "/stt/nothing/here", 404),
        ("vnet", "my-private-link-speech.cognitiveservices.azure.com", "/", 404),
    ],
)
def test_doors_behave_by_host_and_state(
    emulator: Emulator, state: str, host: str, path: str, status: int
) -> None:
    emulator.state = state
    assert get(emulator, host, path, Ocp_Apim_Subscription_Key=emulator.key)[0] == status


def test_requests_are_remembered_with_the_kind_of_credential_only(emulator: Emulator) -> None:
    host, path = emulator.custom_domain, "/tts/cognitiveservices/voices/list"
    for headers in (
        {},
        {"Authorization": "Bearer secret"},
        {"Ocp_Apim_Subscription_Key": "secret"},
    ):
        assert get(emulator, host, path + "?a=%20&b=", **headers)[0] == 401
    last = emulator.requests[-3:]
    assert [request.credential for request in last] == ["none", "token", "key"]
    assert {(request.path, request.query) for request in last} == {(path, "a=%20&b=")}
    assert "secret" not in repr(emulator.requests)


def test_a_request_for_a_host_without_a_door_is_404(emulator: Emulator) -> None:
    status, _ = get(emulator, emulator.custom_domain, "/", Host="elsewhere.example")
    assert status == 404


def phrases(replies: list[Message]) -> list[str]:
    return [reply.json()["RecognitionStatus"] for reply in replies if reply.path == "speech.phrase"]


def test_one_utterance_ends_at_the_first_pause() -> None:
    replies = hear("INTERACTIVE", pcm((0.2, False), (1.0, True), (0.6, False), (1.0, True)))
    assert phrases(replies) == ["Success"]
    assert [reply.path for reply in replies if "Detected" in reply.path] == [
        "speech.startDetected",
        "speech.endDetected",
    ]
    assert replies[-1].path == "turn.end"
    phrase = next(reply.json() for reply in replies if reply.path == "speech.phrase")
    assert (phrase["Offset"], phrase["Duration"]) == (2_000_000, 10_000_000)


def test_long_speech_gives_hypotheses() -> None:
    replies = hear("CONVERSATION", pcm((1.6, True)))
    assert [r.json()["Text"] for r in replies if r.path == "speech.hypothesis"] == [
        "0.5 seconds so far",
        "1.0 seconds so far",
        "1.5 seconds so far",
    ]


@pytest.mark.parametrize("chunks", [(), (pcm((1.0, False)),), (pcm((6.0, False)), pcm((1, True)))])
def test_silence_is_no_match_for_one_utterance(chunks: tuple[bytes, ...]) -> None:
    assert phrases(hear("INTERACTIVE", *chunks)) == ["InitialSilenceTimeout"]


def test_silence_in_continuous_mode_is_just_the_end() -> None:
    assert phrases(hear("CONVERSATION", pcm((6.0, False)))) == ["EndOfDictation"]


def test_chunks_may_be_cut_anywhere() -> None:
    audio = pcm((0.5, True), (0.6, False), (0.5, True))
    odd = [audio[at : at + 333] for at in range(0, len(audio), 333)]
    assert phrases(hear("CONVERSATION", *odd)) == phrases(hear("CONVERSATION", audio))


def test_other_messages_get_no_reply() -> None:
    session = RecognitionSession("the door")
    assert list(session.receive(Message("telemetry", "1", b"{}"))) == []
    assert list(SynthesisSession().receive(Message("telemetry", "1", b"{}"))) == []


@pytest.mark.parametrize(
    ("audio_format", "size"),
    [
        ("raw-8khz-16bit-mono-pcm", 960),
        ("raw-16khz-16bit-mono-pcm", 1920),
        ("raw-24khz-16bit-mono-pcm", 2880),
        ("raw-44100hz-16bit-mono-pcm", 5292),
        ("riff-16khz-16bit-mono-pcm", 1920 + 44),
    ],
)
def test_a_tone_lasts_60_ms_a_character(audio_format: str, size: int) -> None:
    assert len(tone("x", audio_format)) == size


def test_a_format_that_is_not_made_is_refused_with_one_that_is() -> None:
    with pytest.raises(UnsupportedFormat, match="ask for 16-bit mono PCM"):
        tone("x", "audio-16khz-32kbitrate-mono-mp3")


@pytest.mark.parametrize("data", ["no path\r\n\r\n", b"\xff\xff", b"\x00\x03a:b"])
def test_a_message_that_is_none_is_refused(data: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"Path|shorter"):
        decode(data)


def test_messages_survive_the_wire() -> None:
    for message in (
        Message("audio", "1", b"\x00\xff", (("X-StreamId", "2"),), binary=True),
        Message("turn.end", "1", b"{}"),
    ):
        again = decode(message.encode())
        assert (again.path, again.request_id, again.body) == (message.path, "1", message.body)
        assert again.header("x-streamid") == message.header("X-StreamId")


def test_a_recognizer_that_goes_away_leaves_the_emulator_working(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    factory = SpeechConfigFactory()
    audio = speechsdk.audio.AudioConfig(filename=str(WAV))
    recognizer = speechsdk.SpeechRecognizer(factory.speech_config(), audio)
    recognizer.start_continuous_recognition_async().get()
    recognizer.stop_continuous_recognition_async().get()
    del recognizer
    assert recognize_once(factory.speech_config()).error == ""


def test_a_synthesizer_asking_for_an_unmade_format_is_told(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    config = SpeechConfigFactory().speech_config("tts")
    config.set_speech_synthesis_output_format(
        speechsdk.SpeechSynthesisOutputFormat.Audio16Khz32KBitRateMonoMp3
    )
    result = speechsdk.SpeechSynthesizer(config, None).speak_text("Hello")
    assert result.reason == speechsdk.ResultReason.Canceled
    assert "16-bit mono PCM" in result.cancellation_details.error_details


NO_OFFERINGS = (
    "/stt/stt/speech/universal/v2",
    "/stt/nonsense",
    "/s2s/speech/universal/v2",
    "/voice",
)


@pytest.fixture(scope="module")
def not_found() -> dict[str, Future[Outcome]]:
    """By path."""
    return {}


@pytest.mark.parametrize("path", NO_OFFERINGS)
def test_a_path_that_no_offering_serves_is_404(
    path: str, emulated: Emulator, not_found: dict[str, Future[Outcome]]
) -> None:
    if not not_found:  # side by side: the SDK tries for a second
        host, _, port = emulated.proxy_url.removeprefix("http://").partition(":")
        with ThreadPoolExecutor(len(NO_OFFERINGS)) as pool:
            for each in NO_OFFERINGS:
                url = f"wss://{emulated.custom_domain}{each}"
                config = speechsdk.SpeechConfig(endpoint=url, subscription=emulated.key)
                config.set_proxy(host, int(port))
                not_found[each] = pool.submit(recognize_once, config)
    assert "(404)" in not_found[path].result().error


def test_what_is_no_ssml_is_told_at_once(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in emulator.environment.items():
        monkeypatch.setenv(name, value)
    config = SpeechConfigFactory().speech_config("tts")
    result = speechsdk.SpeechSynthesizer(config, None).speak_ssml("<speak><bad")
    assert "ParseError" in result.cancellation_details.error_details


def test_stereo_takes_no_longer_than_mono() -> None:
    audio = pcm((1.0, True))
    stereo = b"".join(audio[at : at + 2] * 2 for at in range(0, len(audio), 2))
    (phrase, _) = (
        reply.json()
        for reply in hear("CONVERSATION", wav(2, 16_000, 16, stereo))
        if reply.path == "speech.phrase"
    )
    assert phrase["Duration"] == 10_000_000


@pytest.mark.parametrize(("rate", "bits"), [(0, 16), (16_000, 8)])
def test_a_format_that_is_not_heard_is_refused(rate: int, bits: int) -> None:
    with pytest.raises(ValueError, match="16-bit PCM"):
        hear("CONVERSATION", wav(1, rate, bits, b""))


def test_it_stops_quietly_with_connections_open(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    with Emulator() as emulator:
        dns_host, _, dns_port = emulator.dns_server.partition(":")
        address = urlsplit(emulator.proxy_url)
        open_dns = socket.create_connection((dns_host, int(dns_port)), 5)
        open_tunnel = socket.create_connection((address.hostname, address.port), 5)
        open_tunnel.sendall(f"CONNECT {emulator.custom_domain}:443 HTTP/1.1\r\n\r\n".encode())
        assert b"200" in open_tunnel.recv(100)
        ask(emulator, emulator.custom_domain, tcp=True)
    open_dns.close()
    open_tunnel.close()
    assert capfd.readouterr().err == ""
    assert caplog.records == []

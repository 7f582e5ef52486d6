"""Conversions between regional and custom-domain URLs."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from speechroute.errors import SpeechRouteError, UnsupportedUrl
from speechroute.urls import to_private, to_regional

C = "my-private-link-speech.cognitiveservices.azure.com"
"""The custom domain of the reference article."""
REGION = "westeurope"
STT, TTS, VOICE, API = (
    f"{REGION}.stt.speech.microsoft.com",
    f"{REGION}.tts.speech.microsoft.com",
    f"{REGION}.voice.speech.microsoft.com",
    f"{REGION}.api.cognitive.microsoft.com",
)
V1 = "/speech/recognition/conversation/cognitiveservices/v1"
V2 = "/stt/speech/universal/v2"
WEBSOCKET = "/tts/cognitiveservices/websocket/v1"

# From "Use Speech service through a private endpoint": the same operation through both doors.
ARTICLE = {
    "speech-to-text-rest-api": (
        f"https://{API}/speechtotext/v3.1/transcriptions",
        f"https://{C}/speechtotext/v3.1/transcriptions",
    ),
    "voices-list": (
        f"https://{TTS}/cognitiveservices/voices/list",
        f"https://{C}/tts/cognitiveservices/voices/list",
    ),
    "example-1-recognition": (
        f"wss://{STT}{V1}?language=en-US",
        f"wss://{C}/stt{V1}?language=en-US",
    ),
    "url-from-the-log": (
        f"wss://{STT}{V1}?traffictype=spx&language=en-US",
        f"wss://{C}/stt{V1}?traffictype=spx&language=en-US",
    ),
}
# One way only: on the way back it is the form that newer SDKs open, "synthesizer" below.
EXAMPLE_2 = f"wss://{TTS}/cognitiveservices/websocket/v1", f"wss://{C}{WEBSOCKET}"
# What each client of SDK 1.43 and newer opens: with a region, and with the custom domain.
SDK = {
    "recognizer": (f"wss://{STT}{V2}", f"wss://{C}{V2}"),
    "recognizer-with-endpoint-id": (f"wss://{STT}{V2}?cid=a1-b2", f"wss://{C}{V2}?cid=a1-b2"),
    "conversation-transcriber": (
        f"wss://{STT}{V2}?language=en-us",
        f"wss://{C}{V2}?language=en-us",
    ),
    "synthesizer": (f"wss://{TTS}{WEBSOCKET}", f"wss://{C}{WEBSOCKET}"),
    "synthesizer-with-endpoint-id": (
        f"wss://{VOICE}{WEBSOCKET}?deploymentId=a1-b2",
        f"wss://{C}{WEBSOCKET}?deploymentId=a1-b2",
    ),
    "get-voices": (
        f"https://{TTS}/cognitiveservices/voices/list",
        f"https://{C}/tts/cognitiveservices/voices/list",
    ),
}
# What follows from both for what neither spells out.
MORE = {
    f"offering-{offering}": (
        f"wss://{REGION}.{offering}.speech.microsoft.com/some/path/v1?x=1",
        f"wss://{C}/{offering}/some/path/v1?x=1",
    )
    for offering in ("stt", "tts", "s2s", "voice", "convai", "commands")
} | {
    "token": (f"https://{API}/sts/v1.0/issueToken", f"https://{C}/sts/v1.0/issueToken"),
    "short-audio": (
        f"https://{STT}{V1}?language=en-US&format=detailed",
        f"https://{C}/stt{V1}?language=en-US&format=detailed",
    ),
    "deployment-id-not-first": (
        f"wss://{VOICE}{WEBSOCKET}?x=1&deploymentId=a1-b2",
        f"wss://{C}{WEBSOCKET}?x=1&deploymentId=a1-b2",
    ),
    "port": (f"wss://{STT}:443/speech/v1", f"wss://{C}:443/stt/speech/v1"),
    "no-path": (f"https://{STT}", f"https://{C}/stt"),
    "root": (f"https://{STT}/", f"https://{C}/stt/"),
    "query-without-path": (f"https://{STT}?language=en-US", f"https://{C}/stt?language=en-US"),
    "empty-query": (f"https://{STT}/x?", f"https://{C}/stt/x?"),
    "offering-only-begins-the-segment": (f"https://{STT}/sttx/v1", f"https://{C}/stt/sttx/v1"),
    "offering-is-not-first": (f"https://{STT}/v1/stt", f"https://{C}/stt/v1/stt"),
}
OTHER_CLOUDS = {
    "foundry": (
        "wss://westeurope.stt.speech.microsoft.com/speech/v1?a=1",
        "wss://my-speech.services.ai.azure.com/stt/speech/v1?a=1",
    ),
    "government": (
        "wss://usgovvirginia.tts.speech.azure.us/tts/cognitiveservices/websocket/v1",
        "wss://my-speech.cognitiveservices.azure.us/tts/cognitiveservices/websocket/v1",
    ),
    "government-rest": (
        "https://usgovarizona.api.cognitive.microsoft.us/speechtotext/v3.1/transcriptions",
        "https://my-speech.cognitiveservices.azure.us/speechtotext/v3.1/transcriptions",
    ),
    "china": (
        "wss://chinanorth3.s2s.speech.azure.cn/speech/translation/v1?from=en-US&to=de",
        "wss://my-speech.cognitiveservices.azure.cn/s2s/speech/translation/v1?from=en-US&to=de",
    ),
    "china-rest": (
        "https://chinaeast2.api.cognitive.azure.cn/speechtotext/v3.1/transcriptions",
        "https://my-speech.cognitiveservices.azure.cn/speechtotext/v3.1/transcriptions",
    ),
}
ALL = ARTICLE | SDK | MORE | OTHER_CLOUDS
pairs = pytest.mark.parametrize(("regional", "private"), ALL.values(), ids=ALL)


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def region_of(url: str) -> str:
    return host_of(url).split(".")[0]


def offering_of(url: str) -> str:
    return host_of(url).split(".")[1]


@pytest.mark.parametrize(
    ("regional", "private"),
    [*ALL.values(), EXAMPLE_2],
    ids=[*ALL, "example-2-synthesis"],
)
def test_a_regional_url_becomes_private(regional: str, private: str) -> None:
    assert to_private(regional, host_of(private)) == private


@pairs
def test_a_private_url_becomes_regional(regional: str, private: str) -> None:
    assert to_regional(private, region_of(regional)) == regional


@pairs
def test_a_url_already_in_the_right_form_comes_back_unchanged(regional: str, private: str) -> None:
    assert to_private(private, host_of(private)) == private
    assert to_regional(regional, region_of(regional)) == regional


@pairs
def test_a_url_of_another_resource_or_region_moves(regional: str, private: str) -> None:
    host, region = host_of(private), region_of(regional)
    moved_host = f"other.{host.partition('.')[2]}"
    # Another region of the same cloud.
    moved_region = region[:-1] + ("1" if region[-1] != "1" else "2")
    assert to_private(private, moved_host) == private.replace(host, moved_host)
    assert to_regional(regional, moved_region) == regional.replace(region, moved_region)


STAYS = {
    "another-parameter": ("tts", f"{WEBSOCKET}?mydeploymentId=1&x=deploymentId="),
    "another-path": ("tts", "/tts/cognitiveservices/v1?deploymentId=1"),
    "another-offering": ("stt", f"{V2}?deploymentId=1"),
}


@pytest.mark.parametrize(("offering", "target"), STAYS.values(), ids=STAYS)
def test_only_a_deployment_of_synthesis_moves_to_the_voice_host(offering: str, target: str) -> None:
    assert offering_of(to_regional(f"wss://{C}{target}", REGION)) == offering


def test_the_scheme_is_put_into_lower_case() -> None:
    assert to_private(f"WSS://{STT}/v1", C) == f"wss://{C}/stt/v1"


def test_the_custom_domain_is_put_into_lower_case_without_trailing_dot() -> None:
    url = f"https://{STT}/v1"
    assert to_private(url, f"{C.upper()}.") == f"https://{C}/stt/v1"


@dataclass(frozen=True)
class Refused:
    url: str
    part: str
    match: str


REFUSED = {
    "user-info": Refused(f"https://me:hunter2@{STT}/v1", "user info", "user info .* not empty"),
    "user-info-without-password": Refused(f"https://me@{STT}/v1", "user info", "never belongs"),
    "user-info-empty": Refused(f"https://@{STT}/v1", "user info", "user info"),
    "azure-host-as-user-info": Refused(f"https://{STT}@evil.example/v1", "user info", "user info"),
    "azure-host-and-port-as-user-info": Refused(
        f"https://{STT}:443@evil.example/v1", "user info", "user info"
    ),
    "fragment": Refused(f"https://{STT}/v1#top", "fragment", "fragment .* not empty"),
    "fragment-empty": Refused(f"https://{STT}/v1#", "fragment", "fragment"),
    "http": Refused(f"http://{STT}/v1", "scheme", "scheme .* 'http'.*https or wss"),
    "ws": Refused(f"ws://{STT}/v1", "scheme", "scheme .* 'ws'"),
    "file": Refused(f"file://{STT}/v1", "scheme", "scheme .* 'file'"),
    "ipv4": Refused("https://10.0.0.4/stt/v1", "host", r"host .* '10\.0\.0\.4'"),
    "ipv6": Refused("https://[fd00::4]/stt/v1", "host", r"host .* '\[fd00::4\]'"),
    "ipv6-with-port": Refused("https://[fd00::4]:443/stt/v1", "host", "host"),
    "integer-address": Refused("https://167772164/stt/v1", "host", "host"),
    "loopback-address": Refused("https://127.0.0.1:8443/stt/v1", "host", "host"),
    "localhost-over-ftp": Refused("ftp://localhost/stt/v1", "scheme", "http and ws only"),
    "meeting-transcription": Refused(
        "wss://transcribe.westeurope.cts.speech.microsoft.com/v1",
        "host",
        r"host .* 'transcribe\.westeurope\.cts\.speech\.microsoft\.com'.*expected NAME",
    ),
    "suffix-continues": Refused(f"https://{STT}.evil.example/v1", "host", "evil"),
    "suffix-runs-on": Refused(f"https://{C}x/stt/v1", "host", "host"),
    "suffix-without-dot": Refused("https://mycognitiveservices.azure.com/stt", "host", "host"),
    "bare-suffix": Refused("https://cognitiveservices.azure.com/stt", "host", "host"),
    "two-labels-before-the-suffix": Refused(f"https://a.{C}/stt", "host", "host"),
    "private-link-name": Refused(
        "https://my-speech.privatelink.cognitiveservices.azure.com/stt", "host", "privatelink"
    ),
    "azure-host-in-the-path": Refused(f"https://evil.example/{STT}/v1", "host", "evil"),
    "backslash": Refused(f"https://evil.example\\.{STT}/v1", "host", "host"),
    "percent-encoded-dot": Refused(f"https://evil.example%2f.{STT}/v1", "host", "host"),
    "two-trailing-dots": Refused(f"https://{STT}../v1", "host", "host"),
    "unknown-offering": Refused("https://westeurope.sst.speech.microsoft.com/", "host", "sst"),
    "region-of-another-cloud": Refused(
        "wss://usgovvirginia.stt.speech.microsoft.com/v1", "host", "usgovvirginia"
    ),
    "no-host": Refused("https:///stt/v1", "host", "host"),
    "port-without-digits": Refused(f"https://{STT}:/v1", "host", "host"),
    "port-of-letters": Refused(f"https://{STT}:https/v1", "host", "host"),
    "two-ports": Refused(f"https://{STT}:443:443/v1", "host", "host"),
    "port-out-of-range": Refused(f"https://{STT}:65536/v1", "port", "port .* 65536"),
    "port-zero": Refused(f"https://{STT}:0/v1", "port", "port .* 0"),
    "empty": Refused("", "text", "no URL"),
    "name": Refused("my-speech", "text", "no URL.*https://HOST/PATH"),
    "host-without-scheme": Refused(f"{STT}/v1", "text", "no URL"),
    "no-slashes": Refused(f"https:{STT}/v1", "text", "no URL"),
    "no-scheme": Refused(f"//{STT}/v1", "text", "no URL"),
    "space-before": Refused(f" https://{STT}/v1", "text", "no URL"),
    "space-inside": Refused(f"https://{STT}/a b", "text", "percent-encoded"),
    "line-break": Refused(f"https://{STT}/v1\r\nX-Header: 1", "text", "percent-encoded"),
    "newline-at-the-end": Refused(f"https://{STT}/v1\n", "text", "no URL"),
    "not-ascii-path": Refused(f"https://{STT}/v1?phrase=Grüße", "text", "percent-encoded"),
    "not-ascii-host": Refused(f"https://wésteurope.{STT}/v1", "text", "percent-encoded"),
}
refused = pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)


@refused
def test_another_url_is_refused_towards_the_custom_domain(case: Refused) -> None:
    with pytest.raises(UnsupportedUrl, match=case.match) as caught:
        to_private(case.url, C)
    assert caught.value.part == case.part
    assert caught.value.expected


@refused
def test_another_url_is_refused_towards_the_region(case: Refused) -> None:
    with pytest.raises(UnsupportedUrl, match=case.match) as caught:
        to_regional(case.url, REGION)
    assert caught.value.part == case.part
    assert caught.value.expected


def test_the_refusal_of_user_info_does_not_repeat_it() -> None:
    with pytest.raises(UnsupportedUrl, match="a key never belongs in a URL") as caught:
        to_private(f"https://me:hunter2@{STT}/v1", C)
    assert "hunter2" not in f"{caught.value!r} {vars(caught.value)}"


def test_the_refusal_is_a_value_error_too() -> None:
    with pytest.raises(ValueError, match="no URL") as caught:
        to_regional("", REGION)
    assert isinstance(caught.value, SpeechRouteError)


CLOUDS = {
    "public": OTHER_CLOUDS["foundry"],
    "government": OTHER_CLOUDS["government"],
    "china": OTHER_CLOUDS["china"],
}


@pytest.mark.parametrize(
    ("mine", "other"),
    [(mine, other) for mine in CLOUDS for other in CLOUDS if mine != other],
    ids=lambda cloud: cloud,
)
def test_a_url_crosses_no_cloud(mine: str, other: str) -> None:
    regional, private = CLOUDS[mine]
    for convert, target in ((to_private, host_of(private)), (to_regional, region_of(regional))):
        match = f"cloud .* {other!r}.*{mine!r}, which {re.escape(target)} belongs"
        for url in CLOUDS[other]:
            with pytest.raises(UnsupportedUrl, match=match) as caught:
                convert(url, target)
            assert caught.value.part == "cloud"


NOT_CUSTOM_DOMAINS = {
    "empty": "",
    "name-only": "my-speech",
    "url": f"https://{C}/",
    "offering-host": STT,
    "api-host": API,
    "other-domain": "my-speech.example.com",
    "look-alike": f"{C}.evil.example",
    "port": f"{C}:443",
    "private-link-name": "my-speech.privatelink.cognitiveservices.azure.com",
}


@pytest.mark.parametrize("text", NOT_CUSTOM_DOMAINS.values(), ids=NOT_CUSTOM_DOMAINS)
def test_another_name_is_refused_as_custom_domain(text: str) -> None:
    match = f"custom domain .* {re.escape(repr(text))}.*my-speech.cognitiveservices.azure.com"
    with pytest.raises(UnsupportedUrl, match=match) as caught:
        to_private(f"https://{STT}/v1", text)
    assert caught.value.part == "custom domain"


NOT_REGIONS = {
    "empty": "",
    "display-name": "West Europe",
    "dot": "west.europe",
    "slash": "westeurope/",
    "hyphen": "west-europe",
    "host": STT,
    "newline": "westeurope\n",
    "not-ascii": "wésteurope",
}


@pytest.mark.parametrize("text", NOT_REGIONS.values(), ids=NOT_REGIONS)
def test_another_name_is_refused_as_region(text: str) -> None:
    match = f"region .* {re.escape(repr(text))}.*westeurope"
    with pytest.raises(UnsupportedUrl, match=match) as caught:
        to_regional(f"https://{C}/stt/v1", text)
    assert caught.value.part == "region"


# Generated URLs

pure = settings(deadline=None, max_examples=200)

OFFERINGS = ("stt", "tts", "s2s", "voice", "convai", "commands")
CUSTOM_SUFFIXES = {
    "public": ("cognitiveservices.azure.com", "services.ai.azure.com"),
    "government": ("cognitiveservices.azure.us",),
    "china": ("cognitiveservices.azure.cn",),
}
API_SUFFIX = {
    "public": "api.cognitive.microsoft.com",
    "government": "api.cognitive.microsoft.us",
    "china": "api.cognitive.azure.cn",
}
SPEECH_SUFFIX = {
    "public": "speech.microsoft.com",
    "government": "speech.azure.us",
    "china": "speech.azure.cn",
}
REGIONS = {
    "public": ("westeurope", "eastus2", "southeastasia"),
    "government": ("usgovvirginia", "usgovarizona"),
    "china": ("chinaeast2", "chinanorth2", "chinanorth3"),
}
AZURE = tuple(
    f".{suffix}"
    for suffix in (
        *(suffix for suffixes in CUSTOM_SUFFIXES.values() for suffix in suffixes),
        *API_SUFFIX.values(),
        *SPEECH_SUFFIX.values(),
    )
)
VISIBLE = "".join(map(chr, range(0x21, 0x7F)))
SDK_PATHS = {"stt": V2, "tts": WEBSOCKET, "voice": WEBSOCKET}


@dataclass(frozen=True)
class Case:
    """A URL of Azure Speech in its parts, with a custom domain and a region of its cloud."""

    scheme: str
    host: str
    port: str
    path: str
    query: str
    custom_domain: str
    region: str

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}{self.port}{self.path}{self.query}"


clouds = st.sampled_from(sorted(REGIONS))
labels = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
paths = st.one_of(
    st.sampled_from(("", "/", V1, "//x")),
    st.text(VISIBLE.replace("?", "").replace("#", ""), max_size=20).map("/{}".format),
).filter(lambda path: f"{path}/".split("/")[1] not in OFFERINGS)
apis = st.one_of(
    st.just(""),
    st.sampled_from(("speechtotext", "texttospeech", "sts", "customvoice")).flatmap(
        lambda api: paths.map(lambda path: f"/{api}{path}")
    ),
)
queries = st.one_of(
    st.just(""),
    st.just("?language=en-US&cid=%20+%2F%2f"),
    st.text(VISIBLE.replace("#", ""), max_size=30).map("?{}".format),
)


@st.composite
def custom_domains(draw: st.DrawFn, cloud: str) -> str:
    return f"{draw(labels)}.{draw(st.sampled_from(CUSTOM_SUFFIXES[cloud]))}"


@st.composite
def regional_cases(draw: st.DrawFn) -> Case:
    cloud = draw(clouds)
    region = draw(st.sampled_from(REGIONS[cloud]))
    offering = draw(st.sampled_from(("", *OFFERINGS)))
    path, query = draw(paths if offering else apis), draw(queries)
    if offering and draw(st.booleans()):
        path = SDK_PATHS.get(offering, path)
    if offering == "voice" and path == SDK_PATHS["voice"]:
        query = "?deploymentId=a1b2-c3"
    if offering == "tts" and path == SDK_PATHS["tts"]:
        query = query.replace("deploymentId=", "")
    host = f"{region}.{offering}.{SPEECH_SUFFIX[cloud]}" if offering else ""
    return Case(
        draw(st.sampled_from(("https", "wss"))) if path else "https",
        host or f"{region}.{API_SUFFIX[cloud]}",
        draw(st.sampled_from(("", ":443"))),
        path,
        query,
        draw(custom_domains(cloud)),
        region,
    )


@st.composite
def private_cases(draw: st.DrawFn) -> Case:
    cloud = draw(clouds)
    offering = draw(st.sampled_from(("", *(f"/{offering}" for offering in OFFERINGS))))
    own = paths.map(lambda p: offering + p) if offering else apis
    path = draw(st.one_of(own, st.sampled_from((V2, WEBSOCKET))))
    custom_domain = draw(custom_domains(cloud))
    return Case(
        draw(st.sampled_from(("https", "wss"))) if path else "https",
        custom_domain,
        draw(st.sampled_from(("", ":443"))),
        path,
        draw(queries),
        custom_domain,
        draw(st.sampled_from(REGIONS[cloud])),
    )


cases = st.one_of(regional_cases(), private_cases())


@st.composite
def damaged_urls(draw: st.DrawFn) -> str:
    """A URL of Azure Speech with a few characters changed."""
    url = draw(cases).url
    start = draw(st.integers(0, len(url)))
    end = draw(st.integers(start, min(len(url), start + 3)))
    return url[:start] + draw(st.text(max_size=3)) + url[end:]


@st.composite
def damaged_targets(draw: st.DrawFn) -> str:
    """A custom domain or a region, whole or with a few characters changed."""
    case = draw(cases)
    target = draw(st.sampled_from((case.custom_domain, case.region)))
    at = draw(st.integers(0, len(target)))
    return target[:at] + draw(st.text(max_size=3)) + target[at:]


def converted(url: str, custom_domain: str, region: str) -> list[str]:
    """The URL through both doors, where it has a way through them."""
    found = []
    with suppress(UnsupportedUrl):
        found.append(to_private(url, custom_domain))
    with suppress(UnsupportedUrl):
        found.append(to_regional(url, region))
    return found


def is_at_azure(url: str) -> bool:
    parts = urlsplit(url)
    return (
        parts.scheme in ("https", "wss")
        and parts.username is None
        and (parts.hostname or "").endswith(AZURE)
    )


@pure
@given(st.one_of(st.text(), damaged_urls()), custom_domains("public"), st.sampled_from(["eastus"]))
@example(f"https://{STT}:443@evil.example/", C, REGION)
@example(f"https://evil.example?@{STT}/", C, REGION)
@example(f"https://evil.example#@{STT}/", C, REGION)
@example(f"https://evil.example\\@{STT}/", C, REGION)
def test_any_text_is_converted_to_a_url_at_azure_or_refused(
    text: str, custom_domain: str, region: str
) -> None:
    assert all(is_at_azure(url) for url in converted(text, custom_domain, region))


@pure
@given(cases, st.one_of(st.text(), damaged_targets()))
def test_any_target_is_converted_to_or_refused(case: Case, target: str) -> None:
    assert all(is_at_azure(url) for url in converted(case.url, target, target))


@pure
@given(cases)
def test_a_url_of_azure_speech_leads_to_exactly_the_target(case: Case) -> None:
    private, regional = converted(case.url, case.custom_domain, case.region)
    assert host_of(private) == case.custom_domain
    assert region_of(regional) == case.region
    assert is_at_azure(regional)


@pure
@given(cases)
def test_scheme_port_and_query_come_back_byte_for_byte(case: Case) -> None:
    for url in (to_private(case.url, case.custom_domain), to_regional(case.url, case.region)):
        assert url.startswith(f"{case.scheme}://{host_of(url)}{case.port}")
        assert url.endswith(case.query)
        assert url.partition("?")[1:] == case.url.partition("?")[1:]


@pure
@given(cases)
def test_converting_twice_is_converting_once(case: Case) -> None:
    private, regional = converted(case.url, case.custom_domain, case.region)
    assert to_private(private, case.custom_domain) == private
    assert to_regional(regional, case.region) == regional


@pure
@given(regional_cases())
def test_a_regional_url_comes_back_from_the_custom_domain(case: Case) -> None:
    private = to_private(case.url, case.custom_domain)
    assert to_regional(private, case.region) == case.url


@pure
@given(private_cases())
def test_a_private_url_comes_back_from_the_region(case: Case) -> None:
    regional = to_regional(case.url, case.region)
    assert to_private(regional, case.custom_domain) == case.url


@pure
@given(cases, st.data())
def test_case_and_trailing_dot_of_a_host_do_not_matter(case: Case, data: st.DataObject) -> None:
    upper = data.draw(st.lists(st.booleans(), min_size=len(case.host), max_size=len(case.host)))
    dot = data.draw(st.sampled_from(("", ".")))
    host = "".join(c.upper() if u else c for c, u in zip(case.host, upper, strict=True)) + dot
    url = f"{case.scheme}://{host}{case.port}{case.path}{case.query}"
    expected = converted(case.url, case.custom_domain, case.region)
    assert len(expected) == 2
    assert converted(url, case.custom_domain, case.region) == expected


@pytest.mark.parametrize("scheme", ["https", "wss", "http", "ws"])
@pytest.mark.parametrize("host", ["localhost", "LOCALHOST.:8443"])
def test_a_tunnel_at_localhost_stands_for_a_custom_domain_and_becomes_tls(
    scheme: str, host: str
) -> None:
    url, secure = f"{scheme}://{host}/stt/v1?a=b", {"http": "https", "ws": "wss"}
    assert to_private(url, C) == f"{secure.get(scheme, scheme)}://{C}/stt/v1?a=b"
    regional = f"{secure.get(scheme, scheme)}://{REGION}.stt.speech.microsoft.com/v1?a=b"
    assert to_regional(url, REGION) == regional
    assert to_regional(url, "chinanorth3").endswith("chinanorth3.stt.speech.azure.cn/v1?a=b")


@pytest.mark.parametrize(
    "url",
    [
        f"wss://{C}/speech/recognition/conversation/cognitiveservices/v1",
        f"wss://{C}/STT/speech/universal/v2",
        f"wss://{C}//stt/speech/universal/v2",
        f"https://{API}/sttx/v1",
        f"wss://{C}/",
    ],
    ids=["offering-forgotten", "capitals", "two-slashes", "unknown-api", "root-of-a-websocket"],
)
def test_a_path_that_nothing_serves_is_refused_both_ways(url: str) -> None:
    for convert, target in ((to_private, C), (to_regional, REGION)):
        with pytest.raises(UnsupportedUrl, match="an offering first") as caught:
            convert(url, target)
        assert caught.value.part == "path"


def test_a_region_that_only_looks_like_one_in_lower_case_is_refused() -> None:
    with pytest.raises(UnsupportedUrl, match="region"):
        to_regional(f"https://{C}/stt/v1", "\u212aelvin")

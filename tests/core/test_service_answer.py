"""What the answer of the service means, whatever it holds."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechroute._core.clouds import CHINA, CLOUDS, GOVERNMENT, PUBLIC, Cloud
from speechroute._core.service import ServiceAnswer, no_answer, read_answer
from speechroute._core.verdict import Decision

# Spelled out once more, so that the module has a witness.
REGIONS = {
    PUBLIC: ("westeurope", "eastus2", "uksouth"),
    GOVERNMENT: ("usgovvirginia", "usgovarizona"),
    CHINA: ("chinaeast2", "chinanorth3"),
}
OFFERINGS = [
    f"{offering}.speech" for offering in ("stt", "tts", "s2s", "voice", "convai", "commands")
]
SUFFIXES = {
    PUBLIC: [*(f"{part}.microsoft.com" for part in OFFERINGS), "api.cognitive.microsoft.com"],
    GOVERNMENT: [*(f"{part}.azure.us" for part in OFFERINGS), "api.cognitive.microsoft.us"],
    CHINA: [*(f"{part}.azure.cn" for part in OFFERINGS), "api.cognitive.azure.cn"],
}
REDIRECTS = (301, 302, 307, 308)
HOST = "westeurope.stt.speech.microsoft.com"
PATH = "/stt/speech/universal/v2"
PEER = "canary0123456789abcdef0123456789"


def read(url: str, cloud: Cloud, status: int = 200) -> ServiceAnswer:
    """The answer that holds this URL where its status wants it."""
    if status == 200:
        return read_answer(status, "", url.encode(), cloud)
    return read_answer(status, url, b"", cloud)


def unbelieved(status: int) -> ServiceAnswer:
    return no_answer(f"{status} without a Speech URL of this cloud")


statuses = st.sampled_from((200, *REDIRECTS))
clouds = st.sampled_from(CLOUDS)


@st.composite
def hosts(draw: st.DrawFn, cloud: Cloud) -> tuple[str, str]:
    """A region of a cloud, and one of its hosts."""
    region = draw(st.sampled_from(REGIONS[cloud]))
    return region, f"{region}.{draw(st.sampled_from(SUFFIXES[cloud]))}"


@given(
    st.data(),
    clouds,
    statuses,
    st.sampled_from(("https", "wss", "HTTPS", "Wss")),
    st.sampled_from(("", ":443")),
    st.sampled_from(("", "/", PATH, f"{PATH}?Ocp-Apim-Custom-Domain-Name=c&a=%20", "?a=@b", "#@b")),
    st.booleans(),
)
def test_a_host_of_the_same_cloud_tells_its_region(
    data: st.DataObject, cloud: Cloud, status: int, scheme: str, port: str, rest: str, upper: bool
) -> None:
    region, host = data.draw(hosts(cloud))
    answer = read(f"{scheme}://{host.upper() if upper else host}{port}{rest}", cloud, status)
    assert answer == ServiceAnswer(
        Decision.REGIONAL, region, f"{status} with a URL of {region}", seconds=0.0
    )


@pytest.mark.parametrize("body", ["{}", '"{}"', " {}\r\n", '\n"{}"\n'])
def test_the_body_may_be_plain_or_json(body: str) -> None:
    assert read(body.format(f"https://{HOST}{PATH}"), PUBLIC).region == "westeurope"


@given(st.data(), clouds, clouds, statuses)
def test_a_host_of_another_cloud_is_not_believed(
    data: st.DataObject, own: Cloud, other: Cloud, status: int
) -> None:
    region, host = data.draw(hosts(other))
    answer = read(f"https://{host}{PATH}", own, status)
    assert answer == (
        unbelieved(status)
        if other is not own
        else (Decision.REGIONAL, region, f"{status} with a URL of {region}", 0.0)
    )


DISGUISES = {
    "user": "https://me@{}/",
    "user and password": "https://me:pw@{}/",
    "empty user": "https://@{}/",
    "host as a user": "https://{}@evil.example/",
    "host and port as a user": "https://{}:443@evil.example/",
    "host as a path": "https://evil.example/{}",
    "host as a query": "https://evil.example?{}",
    "host as a fragment": "https://evil.example#{}",
    "label before": "https://evil.{}/",
    "letters before": "https://my-{}/",
    "label after": "https://{}.evil.example/",
    "letters after": "https://{}x/",
    "two dots after": "https://{}../",
    "backslash": "https://{}\\@evil.example/",
    "backslashes": "https:\\\\{}/",
    "port 80": "https://{}:80/",
    "port 8443": "https://{}:8443/",
    "port 4430": "https://{}:4430/",
    "port 0443": "https://{}:0443/",
    "empty port": "https://{}:/",
    "no scheme": "//{}/",
    "host alone": "{}",
    "http": "http://{}/",
    "ws": "ws://{}/",
    "ftp": "ftp://{}/",
    "javascript": "javascript://{}/",
    "two schemes": "https://https://{}/",
    "three slashes": "https:///{}/",
    "space in the path": "https://{}/ x",
    "line break": "https://{}/\r\nX: y",
    "line break in the host": "https://{}\n.evil.example/",
    "tab": "https://{}\t/",
    "NUL": "https://{}\0.evil.example/",
    "no ASCII in the path": "https://{}/\xe9",
    "full-width stop": "https://{}\uff0e/",
    "two URLs": "https://{0}/, https://{0}/",
    "list": '["https://{}/"]',
    "half a quote": '"https://{}/',
    "page": '<a href="https://{}/">sign in</a>',
}


@given(st.data(), clouds, statuses, st.sampled_from(sorted(DISGUISES)))
def test_a_disguise_is_not_believed(
    data: st.DataObject, cloud: Cloud, status: int, disguise: str
) -> None:
    _, host = data.draw(hosts(cloud))
    assert read(DISGUISES[disguise].format(host), cloud, status) == unbelieved(status)


LOOK_ALIKES = [
    "westeurope.stt.speech.microsoft.com.evil.example",
    "westeurope.stt.speech.microsoft.co",
    "westeurope.stt.speech.micros0ft.com",
    "westeurope.stt.speechXmicrosoft.com",
    "westeurope.stt-speech.microsoft.com",
    "westeurope.xyz.speech.microsoft.com",
    "westeurope.cts.speech.microsoft.com",
    "a.westeurope.stt.speech.microsoft.com",
    "west-europe.stt.speech.microsoft.com",
    "2westeurope.stt.speech.microsoft.com",
    ".stt.speech.microsoft.com",
    "stt.speech.microsoft.com",
    "we\u017fteurope.stt.speech.microsoft.com",
    "westeurope.stt.speech.micro\u017foft.com",
    "u\u212asouth.stt.speech.microsoft.com",  # the sign for Kelvin, in lower case a k
    "we\u0455teurope.stt.speech.microsoft.com",
    "xn--westeurope-x.stt.speech.microsoft.com",
    # A region of one cloud under the suffix of another: no such host exists.
    "usgovvirginia.stt.speech.microsoft.com",
    "chinanorth3.api.cognitive.microsoft.com",
    "westeurope.stt.speech.azure.us",
    # No region tells anything of itself.
    "contoso.cognitiveservices.azure.com",
    "contoso.cognitiveservices.azure.us",
    "westeurope.privatelink.cognitiveservices.azure.com",
    "127.0.0.1",
    "[::1]",
]


@pytest.mark.parametrize("status", [200, *REDIRECTS])
@pytest.mark.parametrize("cloud", CLOUDS, ids=lambda cloud: cloud.name)
@pytest.mark.parametrize("host", LOOK_ALIKES)
def test_a_look_alike_is_not_believed(host: str, cloud: Cloud, status: int) -> None:
    assert read(f"https://{host}{PATH}", cloud, status) == unbelieved(status)


@pytest.mark.parametrize("bad", [b"\xff\xfe", b"\xc0\xaf", b"\xed\xa0\x80"])
@pytest.mark.parametrize("body", [b"%s", b"https://%s.stt.speech.microsoft.com/"])
def test_a_body_that_is_no_utf_8_is_not_believed(body: bytes, bad: bytes) -> None:
    assert read_answer(200, "", body % bad, PUBLIC) == unbelieved(200)
    around = f"https://{HOST}/".encode() + bad
    assert read_answer(200, "", around, PUBLIC) == unbelieved(200)


def test_only_the_place_that_the_status_names_is_read() -> None:
    url = f"https://{HOST}/"
    assert read_answer(200, url, b"", PUBLIC) == unbelieved(200)
    assert read_answer(307, "", url.encode(), PUBLIC) == unbelieved(307)
    assert read_answer(307, f'"{url}"', b"", PUBLIC) == unbelieved(307)


MEANINGS = {
    404: Decision.REGIONAL,
    **dict.fromkeys((400, 401, 426), Decision.PRIVATE_ENDPOINT),
}


@pytest.mark.parametrize(("status", "decision"), MEANINGS.items())
def test_some_statuses_tell_all(status: int, decision: Decision) -> None:
    url = f"https://{HOST}/"
    answer = read_answer(status, url, url.encode(), PUBLIC)
    assert answer == ServiceAnswer(decision, None, str(status))


@given(
    st.integers(-1, 1000).filter(lambda status: status not in {200, *REDIRECTS, *MEANINGS}),
    clouds,
)
def test_no_other_status_tells_anything(status: int, cloud: Cloud) -> None:
    url = f"https://{REGIONS[cloud][0]}.{SUFFIXES[cloud][0]}/"
    assert read_answer(status, url, url.encode(), cloud) == no_answer(str(status))


# Pieces from which whole URLs come by chance, as mere text never does.
PIECES = [
    *("https", "wss", "http", "://", "/", "?", "#", "@", ":", "443", "80", ".", "\\", '"', " "),
    *(f"https://{region}." for regions in REGIONS.values() for region in regions),
    *(suffix for suffixes in SUFFIXES.values() for suffix in suffixes),
    *(f"https://{HOST}", HOST, PATH, "evil.example", "me@", "\u017f", "\r\n", PEER),
]
texts = st.lists(st.sampled_from(PIECES), max_size=6).map("".join) | st.text()


@given(st.integers() | statuses, texts, texts.map(lambda t: t.encode("utf-8", "replace")), clouds)
def test_whatever_it_holds_it_raises_nothing_and_believes_no_stranger(
    status: int, location: str, body: bytes, cloud: Cloud
) -> None:
    answer = read_answer(status, location, body, cloud)
    if answer.region is None:
        assert answer.decision is MEANINGS.get(status)
        assert answer in (unbelieved(status), no_answer(str(status)), (*answer[:2], f"{status}", 0))
        return
    assert answer.decision is Decision.REGIONAL
    assert answer.seen == f"{status} with a URL of {answer.region}"
    # Another reader of URLs sees the same host in it.
    url = urlsplit(body.decode().strip().strip('"') if status == 200 else location)
    suffixes = map(re.escape, SUFFIXES[cloud])
    region = re.escape(answer.region)
    assert re.fullmatch(rf"{region}\.(?:{'|'.join(suffixes)})\.?", url.hostname or "", re.ASCII)
    assert url.scheme in ("https", "wss")
    assert url.username is url.password is None
    assert url.port in (None, 443)


@given(st.integers(), st.text(), st.binary(), clouds)
def test_random_bytes_tell_nothing(status: int, location: str, body: bytes, cloud: Cloud) -> None:
    assert read_answer(status, location, body, cloud).region is None

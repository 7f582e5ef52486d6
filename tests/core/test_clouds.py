"""Host names and DNS markers of the three clouds."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from speechroute import Offering
from speechroute._core.clouds import (
    CHINA,
    GOVERNMENT,
    PUBLIC,
    Cloud,
    Host,
    Marker,
    MarkerKind,
    api_host_in,
    cloud_of_region,
    private_link_zone,
    recognise_host,
    recognise_marker,
)


@dataclass(frozen=True)
class Names:
    """The names of one cloud, spelled out once more so that the module has a witness."""

    cloud: Cloud
    region: str
    custom_domains: tuple[str, ...]
    api: str
    speech: str
    vnet_proxy: tuple[str, str]
    gateway: tuple[str, str, str]


NAMES = (
    Names(
        PUBLIC,
        "westeurope",
        ("cognitiveservices.azure.com", "services.ai.azure.com"),
        "api.cognitive.microsoft.com",
        "speech.microsoft.com",
        ("prod.vnet.cog.trafficmanager.net", "cloudapp.azure.com"),
        ("trafficmanager.net", "azure-api.net", "cloudapp.net"),
    ),
    Names(
        GOVERNMENT,
        "usgovvirginia",
        ("cognitiveservices.azure.us",),
        "api.cognitive.microsoft.us",
        "speech.azure.us",
        ("prod.vnet.cog.usgovtrafficmanager.net", "cloudapp.usgovcloudapi.net"),
        ("usgovtrafficmanager.net", "azure-api.us", "usgovcloudapp.net"),
    ),
    Names(
        CHINA,
        "chinanorth3",
        ("cognitiveservices.azure.cn",),
        "api.cognitive.azure.cn",
        "speech.azure.cn",
        ("prod.vnet.cog.trafficmanager.cn", "cloudapp.chinacloudapi.cn"),
        ("trafficmanager.cn", "azure-api.cn", "chinacloudapp.cn"),
    ),
)
every_cloud = pytest.mark.parametrize("names", NAMES, ids=[names.cloud.name for names in NAMES])


def hosts_of(names: Names) -> list[tuple[str, Host]]:
    return [
        *(
            (f"my-speech.{suffix}", Host(names.cloud, custom_domain=f"my-speech.{suffix}"))
            for suffix in names.custom_domains
        ),
        (f"{names.region}.{names.api}", Host(names.cloud, region=names.region)),
        *(
            (
                f"{names.region}.{offering}.{names.speech}",
                Host(names.cloud, region=names.region, offering=Offering(offering)),
            )
            for offering in ("stt", "tts", "s2s", "voice", "convai", "commands")
        ),
    ]


def markers_of(names: Names) -> list[tuple[str, Marker]]:
    cloud, region, gateway = names.cloud, names.region, names.gateway
    traffic, app = names.vnet_proxy
    return [
        *(
            (f"my-speech.privatelink.{suffix}", Marker(MarkerKind.PRIVATE_LINK, None, cloud))
            for suffix in names.custom_domains
        ),
        (f"{region}.{traffic}", Marker(MarkerKind.VNET_PROXY, region, cloud)),
        (f"vnetproxyv1-weu-prod.{region}.{app}", Marker(MarkerKind.VNET_PROXY, region, cloud)),
        (f"{region}.{names.api}", Marker(MarkerKind.REGIONAL, region, cloud)),
        (f"cognitiveweprod.{gateway[0]}", Marker(MarkerKind.REGIONAL, None, cloud)),
        (f"cognitiveweprod.{gateway[1]}", Marker(MarkerKind.REGIONAL, None, cloud)),
        (f"apimgmttmdjylckcx6clmh2isu2wr.{gateway[0]}", Marker(MarkerKind.REGIONAL, None, cloud)),
        (
            f"cognitiveweprod-{region}-01.regional.{gateway[1]}",
            Marker(MarkerKind.REGIONAL, region, cloud),
        ),
        (f"apimgmthskquihpkz6d90kmhvnabrx3.{gateway[2]}", Marker(MarkerKind.REGIONAL, None, cloud)),
    ]


HOSTS = [pair for names in NAMES for pair in hosts_of(names)]
MARKERS = [pair for names in NAMES for pair in markers_of(names)]


def variants(names: list[str]) -> st.SearchStrategy[tuple[str, str]]:
    """A name, and the same name in another case and perhaps with a trailing dot."""
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(
            st.just(name),
            st.builds(
                lambda upper, dot: (
                    "".join(c.upper() if u else c for c, u in zip(name, upper, strict=True)) + dot
                ),
                st.lists(st.booleans(), min_size=len(name), max_size=len(name)),
                st.sampled_from(("", ".")),
            ),
        )
    )


@pytest.mark.parametrize(("name", "host"), HOSTS, ids=[name for name, _ in HOSTS])
def test_a_host_of_azure_speech_is_recognised(name: str, host: Host) -> None:
    assert recognise_host(name) == host


@pytest.mark.parametrize(("name", "marker"), MARKERS, ids=[name for name, _ in MARKERS])
def test_a_marker_tells_its_kind_and_region(name: str, marker: Marker) -> None:
    assert recognise_marker(name) == marker


@settings(deadline=None)
@given(variants([name for name, _ in HOSTS]))
def test_case_and_one_trailing_dot_of_a_host_do_not_matter(pair: tuple[str, str]) -> None:
    name, variant = pair
    assert recognise_host(variant) == recognise_host(name)
    assert recognise_host(variant) is not None


@settings(deadline=None)
@given(variants([name for name, _ in MARKERS]))
def test_case_and_one_trailing_dot_of_a_marker_do_not_matter(pair: tuple[str, str]) -> None:
    name, variant = pair
    assert recognise_marker(variant) == recognise_marker(name)
    assert recognise_marker(variant) is not None


LOOK_ALIKES = {
    "suffix-continues": "{}.evil.example",
    "suffix-runs-on": "{}x",
    "two-trailing-dots": "{}..",
    "leading-dot": ".{}",
    "leading-space": " {}",
    "trailing-newline": "{}\n",
    "one-label-more": "evil.{}",
    "port": "{}:443",
    "user-info": "evil@{}",
}


@pytest.mark.parametrize("pattern", LOOK_ALIKES.values(), ids=LOOK_ALIKES)
@every_cloud
def test_a_look_alike_is_neither_host_nor_marker(names: Names, pattern: str) -> None:
    for name in (*dict(hosts_of(names)), *dict(markers_of(names))):
        assert recognise_host(pattern.format(name)) is None
        assert recognise_marker(pattern.format(name)) is None


def with_dots_replaced(name: str, replacement: str, first: int) -> list[str]:
    labels = name.split(".")
    return [
        ".".join(labels[:cut]) + replacement + ".".join(labels[cut:])
        for cut in range(first, len(labels))
    ]


@pytest.mark.parametrize("replacement", ["-", "x", "..", "/", "。"])
@every_cloud
def test_every_dot_of_a_suffix_is_a_dot(names: Names, replacement: str) -> None:
    for name in dict(hosts_of(names)):
        for changed in with_dots_replaced(name, replacement, first=1):
            assert recognise_host(changed) is None
    # After its first dot: joined, the first two labels of a marker can be one label of another.
    for name in dict(markers_of(names)):
        for changed in with_dots_replaced(name, replacement, first=2):
            assert recognise_marker(changed) is None


@settings(deadline=None)
@given(
    st.sampled_from([name for name, _ in HOSTS + MARKERS]),
    st.from_regex(r"[a-z0-9.-]{1,12}", fullmatch=True),
)
def test_nothing_may_follow_a_suffix(name: str, rest: str) -> None:
    if rest != ".":
        assert recognise_host(name + rest) is None
        assert recognise_marker(name + rest) is None


@every_cloud
def test_the_bare_suffixes_are_no_hosts(names: Names) -> None:
    for suffix in (*names.custom_domains, names.api, names.speech, f"stt.{names.speech}"):
        assert recognise_host(suffix) is None
        assert recognise_host(f".{suffix}") is None


@every_cloud
def test_the_chain_starts_with_a_name_that_is_no_marker(names: Names) -> None:
    for suffix in names.custom_domains:
        assert recognise_marker(f"my-speech.{suffix}") is None


@every_cloud
def test_a_private_link_name_is_no_host_for_a_key(names: Names) -> None:
    for suffix in names.custom_domains:
        assert recognise_host(f"my-speech.privatelink.{suffix}") is None


NOT_HOSTS = {
    "empty": "",
    "dot": ".",
    "meeting-transcription": "transcribe.westeurope.cts.speech.microsoft.com",
    "unknown-offering": "westeurope.sst.speech.microsoft.com",
    "no-offering": "westeurope.speech.microsoft.com",
    "offering-upside-down": "stt.westeurope.speech.microsoft.com",
    "ipv4": "10.0.0.4",
    "ipv6": "[fd00::4]",
    "other-azure-service": "my-speech.openai.azure.com",
    "region-with-hyphen": "west-europe.stt.speech.microsoft.com",
    "region-with-digit-first": "1westeurope.stt.speech.microsoft.com",
    "name-with-underscore": "my_speech.cognitiveservices.azure.com",
    "name-begins-with-hyphen": "-speech.cognitiveservices.azure.com",
    "name-ends-with-hyphen": "speech-.cognitiveservices.azure.com",
    "wildcard": "*.cognitiveservices.azure.com",
    "percent-encoded-dot": "my-speech%2ecognitiveservices.azure.com",
}


@pytest.mark.parametrize("name", NOT_HOSTS.values(), ids=NOT_HOSTS)
def test_another_name_is_no_host(name: str) -> None:
    assert recognise_host(name) is None


NOT_MARKERS = {
    "empty": "",
    "other-traffic-manager-profile": "contoso.trafficmanager.net",
    "other-api-management": "contoso.azure-api.net",
    "other-cloud-service": "contoso.cloudapp.net",
    "other-virtual-machine": "contoso.westeurope.cloudapp.azure.com",
    "vnet-proxy-without-region": "vnetproxyv1-weu-prod.cloudapp.azure.com",
    "private-link-of-another-service": "my-account.privatelink.blob.core.windows.net",
    "private-link-zone-itself": "privatelink.cognitiveservices.azure.com",
    "regional-gateway-without-number": ("cognitiveweprod-westeurope-x.regional.azure-api.net"),
    "offering-host": "westeurope.stt.speech.microsoft.com",
}


@pytest.mark.parametrize("name", NOT_MARKERS.values(), ids=NOT_MARKERS)
def test_another_name_is_no_marker(name: str) -> None:
    assert recognise_marker(name) is None


WRONG_CLOUD = [
    (foreign.region, names)
    for names in NAMES
    for foreign in NAMES
    if foreign.cloud is not names.cloud
]
wrong_cloud = pytest.mark.parametrize(
    ("region", "names"), WRONG_CLOUD, ids=[f"{r}-in-{n.cloud.name}" for r, n in WRONG_CLOUD]
)


@wrong_cloud
def test_a_region_under_the_suffix_of_another_cloud_is_no_host(region: str, names: Names) -> None:
    assert recognise_host(f"{region}.{names.api}") is None
    assert recognise_host(f"{region}.stt.{names.speech}") is None


@wrong_cloud
def test_a_region_under_the_suffix_of_another_cloud_is_no_marker(region: str, names: Names) -> None:
    assert recognise_marker(f"{region}.{names.api}") is None
    assert recognise_marker(f"{region}.{names.vnet_proxy[0]}") is None


@pytest.mark.parametrize(("length", "is_host"), [(63, True), (64, False)], ids=["63", "64"])
def test_a_name_is_at_most_a_dns_label_long(length: int, is_host: bool) -> None:
    assert (recognise_host("a" * length + ".cognitiveservices.azure.com") is not None) is is_host


REGIONS = {
    "westeurope": PUBLIC,
    "eastus2": PUBLIC,
    "southeastasia": PUBLIC,
    "usgovarizona": GOVERNMENT,
    "usgovvirginia": GOVERNMENT,
    "chinaeast2": CHINA,
    "chinanorth2": CHINA,
    "chinanorth3": CHINA,
    "": PUBLIC,
}


@pytest.mark.parametrize(
    ("region", "cloud"), REGIONS.items(), ids=[region or "none" for region in REGIONS]
)
def test_a_region_belongs_to_one_cloud(region: str, cloud: Cloud) -> None:
    assert cloud_of_region(region) is cloud


@every_cloud
def test_a_cloud_builds_the_hosts_that_it_recognises(names: Names) -> None:
    api = names.cloud.api_host(names.region)
    speech = names.cloud.offering_host(names.region, "tts")
    assert (api, speech) == (f"{names.region}.{names.api}", f"{names.region}.tts.{names.speech}")
    assert recognise_host(api) == Host(names.cloud, region=names.region)
    assert recognise_host(speech) == Host(names.cloud, region=names.region, offering=Offering.TTS)


SPELLED = {"virginia": "usgovvirginia", "arizona": "usgovarizona"}


@pytest.mark.parametrize(("spelled", "region"), SPELLED.items(), ids=SPELLED)
def test_regions_of_government_have_their_documented_names_however_hosts_spell_them(
    spelled: str, region: str
) -> None:
    api = f"{spelled}.api.cognitive.microsoft.us"
    assert recognise_marker(api) == Marker(MarkerKind.REGIONAL, region, GOVERNMENT)
    chain = ("my-speech.cognitiveservices.azure.us", api)
    assert api_host_in(chain) == f"{region}.api.cognitive.microsoft.us"
    proxy = f"vnetproxyv1-x-prod.{spelled}.cloudapp.usgovcloudapi.net"
    assert recognise_marker(proxy) == Marker(MarkerKind.VNET_PROXY, region, GOVERNMENT)
    gateway = recognise_marker(f"cognitive{spelled}prod.azure-api.us")
    assert gateway == Marker(MarkerKind.REGIONAL, None, GOVERNMENT)
    assert recognise_host(api) == Host(GOVERNMENT, region=region)
    host = recognise_host(f"{spelled}.stt.speech.azure.us")
    assert host == Host(GOVERNMENT, region=region, offering=Offering.STT)
    assert recognise_host(f"{spelled}.api.cognitive.azure.cn") is None
    public = f"{spelled}.api.cognitive.microsoft.com"
    assert recognise_host(public) == Host(PUBLIC, region=spelled)


@every_cloud
def test_a_custom_domain_has_its_private_link_zone(names: Names) -> None:
    for suffix in names.custom_domains:
        assert private_link_zone(f"my-speech.{suffix}") == f"privatelink.{suffix}"

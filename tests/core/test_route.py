"""The route to a resource as a value."""

from __future__ import annotations

import warnings
from dataclasses import FrozenInstanceError, dataclass, replace

import pytest

from speechroute import Offering, Route, RouteKind
from speechroute._core.resource import Resource
from speechroute._core.verdict import Decision, Row, Verdict
from speechroute.errors import CustomDomainNotFound, RouteUndecided, UnsupportedUrl

OFFERINGS = ("stt", "tts", "s2s", "voice", "convai", "commands")


@dataclass(frozen=True)
class Names:
    """The names of one resource in one cloud."""

    cloud: str
    custom_domain: str
    region: str
    speech: str
    api: str

    @property
    def resource(self) -> Resource:
        return Resource(self.custom_domain, self.region)

    def offering_host(self, offering: str) -> str:
        return f"{self.region}.{offering}.{self.speech}"


PUBLIC = Names(
    "public",
    "my-speech.cognitiveservices.azure.com",
    "westeurope",
    "speech.microsoft.com",
    "api.cognitive.microsoft.com",
)
GOVERNMENT = Names(
    "government",
    "my-speech.cognitiveservices.azure.us",
    "usgovvirginia",
    "speech.azure.us",
    "api.cognitive.microsoft.us",
)
CHINA = Names(
    "china",
    "my-speech.cognitiveservices.azure.cn",
    "chinanorth3",
    "speech.azure.cn",
    "api.cognitive.azure.cn",
)
CLOUDS = (PUBLIC, GOVERNMENT, CHINA)
clouds = pytest.mark.parametrize("names", CLOUDS, ids=[names.cloud for names in CLOUDS])
sovereign = pytest.mark.parametrize("names", CLOUDS[1:], ids=[names.cloud for names in CLOUDS[1:]])
offerings = pytest.mark.parametrize("offering", OFFERINGS)

PRIVATE_VERDICT = Verdict(Row.PRIVATE_ADDRESS, Decision.PRIVATE_ENDPOINT, "It is private.")
REGIONAL_VERDICT = Verdict(Row.REGIONAL, Decision.REGIONAL, "It is regional.")


def route_of(verdict: Verdict, resource: Resource) -> Route:
    return Route.of(verdict, resource, None, expires_at=60.0)


def private(names: Names) -> Route:
    return route_of(PRIVATE_VERDICT, names.resource)


def regional(names: Names) -> Route:
    return route_of(REGIONAL_VERDICT, names.resource)


# Made from a verdict


@clouds
def test_a_route_says_what_the_verdict_and_the_resource_say(names: Names) -> None:
    verdict = REGIONAL_VERDICT._replace(warnings=("Mind the gap.",))
    route = route_of(verdict, names.resource)
    assert (route.kind, private(names).kind) == (RouteKind.REGIONAL, RouteKind.PRIVATE_ENDPOINT)
    assert (route.custom_domain, route.region) == (names.custom_domain, names.region)
    assert (route.cloud, route.row) == (names.cloud, Row.REGIONAL)
    assert (route.reason, route.warnings) == ("It is regional.", ("Mind the gap.",))
    assert (route.evidence, route.expires_at) == (None, 60.0)


def test_a_route_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        regional(PUBLIC).region = "eastus"  # type: ignore[misc]  # refusing this is the point


@clouds
def test_the_region_comes_from_dns_where_the_settings_have_none(names: Names) -> None:
    verdict = REGIONAL_VERDICT._replace(region=names.region)
    route = route_of(verdict, Resource(names.custom_domain, None))
    assert (route.region, route.warnings) == (names.region, ())
    assert route.host("stt") == names.offering_host("stt")


def test_a_region_that_dns_contradicts_is_used_with_a_warning() -> None:
    verdict = REGIONAL_VERDICT._replace(region="eastus", warnings=("Mind the gap.",))
    route = route_of(verdict, PUBLIC.resource)
    first, second = route.warnings
    assert route.sdk_kwargs() == {"region": "westeurope"}
    assert first == "Mind the gap."
    assert "SPEECH_REGION says westeurope, DNS says eastus: the setting is used" in second
    assert "401" in second


def test_a_region_that_dns_confirms_or_does_not_tell_gives_no_warning() -> None:
    for region in (None, "westeurope"):
        verdict = REGIONAL_VERDICT._replace(region=region)
        assert route_of(verdict, PUBLIC.resource).warnings == ()


def test_a_regional_route_needs_to_know_the_region() -> None:
    with pytest.raises(RouteUndecided, match=r"It is regional\. .* set SPEECH_REGION\.") as caught:
        route_of(REGIONAL_VERDICT, Resource(PUBLIC.custom_domain, None))
    assert caught.value.custom_domain == PUBLIC.custom_domain


def test_a_private_route_does_not_need_to_know_the_region() -> None:
    route = route_of(PRIVATE_VERDICT, Resource(PUBLIC.custom_domain, None))
    assert route.sdk_kwargs() == {"endpoint": f"https://{PUBLIC.custom_domain}/"}
    assert route.region is None


def test_the_error_of_a_verdict_is_raised() -> None:
    error = CustomDomainNotFound.of("It does not exist.", custom_domain=PUBLIC.custom_domain)
    verdict = Verdict(Row.CUSTOM_DOMAIN_MISSING, Decision.ERROR, "No.", error=error)
    with pytest.raises(CustomDomainNotFound, match="It does not exist") as caught:
        route_of(verdict, PUBLIC.resource)
    assert caught.value is error


DIRECT = {Row.PRIVATE_ADDRESS, Row.SYSTEM_PRIVATE}


@pytest.mark.parametrize("row", Row, ids=lambda row: row.id)
def test_a_route_is_direct_where_a_private_address_was_seen(row: Row) -> None:
    verdict = PRIVATE_VERDICT._replace(row=row)
    assert route_of(verdict, PUBLIC.resource).is_direct is (row in DIRECT)


# What the SDK gets


@offerings
@clouds
def test_the_private_endpoint_is_reached_through_the_root_of_the_custom_domain(
    names: Names, offering: str
) -> None:
    route = private(names)
    assert route.sdk_kwargs(offering) == {"endpoint": f"https://{names.custom_domain}/"}
    assert route.host(offering) == names.custom_domain


@offerings
def test_in_the_public_cloud_the_sdk_gets_the_region(offering: str) -> None:
    route = regional(PUBLIC)
    assert route.sdk_kwargs(offering) == route.sdk_kwargs(Offering(offering))
    assert route.sdk_kwargs(offering) == {"region": "westeurope"}
    assert route.host(offering) == f"westeurope.{offering}.speech.microsoft.com"


@offerings
@sovereign
def test_in_another_cloud_the_sdk_gets_the_endpoint_of_the_region(
    names: Names, offering: str
) -> None:
    route = regional(names)
    assert route.sdk_kwargs(offering) == {"endpoint": f"https://{names.region}.{names.api}/"}
    assert route.sdk_kwargs(offering) == route.sdk_kwargs()
    assert route.host(offering) == names.offering_host(offering)


def naming(names: Names) -> Route:
    return replace(regional(names), names_custom_domain=True)


@clouds
def test_a_url_that_names_the_custom_domain_already_gets_it_no_second_time(names: Names) -> None:
    told = f"Ocp-Apim-Custom-Domain-Name={names.custom_domain}"
    url = f"wss://{names.offering_host('stt')}/stt/speech/universal/v2?{told}"
    assert naming(names).url(url) == url
    assert naming(names).url(url.replace(told, "cid=my-model")).endswith(f"?cid=my-model&{told}")


@offerings
@clouds
def test_a_region_that_is_told_the_custom_domain_is_opened_at_the_host_of_the_offering(
    names: Names, offering: str
) -> None:
    route = naming(names)
    assert (route.kind, route.is_at_custom_domain) == (RouteKind.REGIONAL, False)
    endpoint = f"https://{names.offering_host('stt')}/"
    if offering in ("tts", "voice"):
        told = f"?Ocp-Apim-Custom-Domain-Name={names.custom_domain}"
        path = "/tts/cognitiveservices/websocket/v1"
        endpoint = f"wss://{names.offering_host(offering)}{path}{told}"
    assert route.sdk_kwargs(offering) == {"endpoint": endpoint}


@clouds
def test_urls_of_offerings_tell_the_region_the_custom_domain_and_others_do_not(
    names: Names,
) -> None:
    route, told = naming(names), f"Ocp-Apim-Custom-Domain-Name={names.custom_domain}"
    stt = f"wss://{names.offering_host('stt')}/speech/v1"
    assert route.url(stt) == f"{stt}?{told}"
    assert route.url(f"{stt}?language=de-DE") == f"{stt}?language=de-DE&{told}"
    voices = "cognitiveservices/voices/list"
    assert route.rest_url("tts", voices) == f"{regional(names).rest_url('tts', voices)}?{told}"
    for path in ("speechtotext/v3.2/models", "sts/v1.0/issueToken"):
        assert route.rest_url("stt", path) == regional(names).rest_url("stt", path)


@clouds
def test_speech_to_text_is_what_a_route_is_for_by_default(names: Names) -> None:
    for route in (private(names), regional(names)):
        assert route.sdk_kwargs() == route.sdk_kwargs("stt")


@clouds
def test_a_resource_without_custom_domain_is_in_the_cloud_of_its_region(names: Names) -> None:
    route = route_of(REGIONAL_VERDICT, Resource(None, names.region))
    assert route.cloud == names.cloud
    assert route.sdk_kwargs("tts") == regional(names).sdk_kwargs("tts")
    assert route.host("tts") == names.offering_host("tts")


@pytest.mark.parametrize("kind", RouteKind)
@clouds
def test_an_unknown_offering_is_refused(names: Names, kind: RouteKind) -> None:
    route = private(names) if kind is RouteKind.PRIVATE_ENDPOINT else regional(names)
    with pytest.raises(ValueError, match="'speech' is not a valid Offering"):
        route.host("speech")
    with pytest.raises(ValueError, match="'speech' is not a valid Offering"):
        route.sdk_kwargs("speech")
    with pytest.raises(ValueError, match="'speech' is not a valid Offering"):
        route.rest_url("speech", "v1")


# URLs

QUERY = "?language=en-US&x=%2F+y"


@offerings
@clouds
def test_a_url_in_either_form_is_converted_for_the_route(names: Names, offering: str) -> None:
    through_region = f"wss://{names.offering_host(offering)}/some/path{QUERY}"
    through_domain = f"wss://{names.custom_domain}/{offering}/some/path{QUERY}"
    for url in (through_region, through_domain):
        assert private(names).url(url) == through_domain
        assert regional(names).url(url) == through_region


@clouds
def test_a_url_of_another_cloud_is_not_converted(names: Names) -> None:
    for other in CLOUDS:
        if other is not names:
            url = f"wss://{other.offering_host('stt')}/v1"
            for route in (private(names), regional(names)):
                with pytest.raises(UnsupportedUrl, match=f"'{other.cloud}'.*'{names.cloud}'"):
                    route.url(url)


@clouds
def test_a_url_that_is_not_azure_is_not_converted(names: Names) -> None:
    for route in (private(names), regional(names)):
        with pytest.raises(UnsupportedUrl, match=r"host .* 'speech\.example\.com'"):
            route.url("https://speech.example.com/stt/v1")


@clouds
def test_the_rest_api_of_speech_to_text_has_its_own_host(names: Names) -> None:
    path = "/speechtotext/v3.2/transcriptions?top=5"
    url = f"https://{names.region}.{names.api}{path}"
    assert private(names).url(url) == f"https://{names.custom_domain}{path}"
    without_custom_domain = route_of(REGIONAL_VERDICT, Resource(None, names.region))
    assert without_custom_domain.url(url) == url


@clouds
def test_the_rest_api_of_speech_to_text_stays_at_the_custom_domain_without_private_endpoint(
    names: Names,
) -> None:
    url = f"https://{names.custom_domain}/speechtotext/v3.2/transcriptions"
    assert regional(names).url(url) == url


@clouds
def test_a_rest_url_of_the_speech_to_text_api_has_no_offering(names: Names) -> None:
    path = "speechtotext/v3.2/transcriptions"
    for route in (private(names), regional(names)):
        assert route.rest_url("stt", path) == f"https://{names.custom_domain}/{path}"
    without_custom_domain = route_of(REGIONAL_VERDICT, Resource(None, names.region))
    on_region = f"https://{names.region}.{names.api}/{path}"
    assert without_custom_domain.rest_url("stt", path) == on_region


@pytest.mark.parametrize("slash", ["", "/"], ids=["relative", "absolute"])
@offerings
@clouds
def test_a_rest_url_is_built_for_the_route(names: Names, offering: str, slash: str) -> None:
    path = f"cognitiveservices/voices/list{QUERY}"
    on_domain = f"https://{names.custom_domain}/{offering}/{path}"
    on_region = f"https://{names.offering_host(offering)}/{path}"
    assert private(names).rest_url(offering, slash + path) == on_domain
    assert regional(names).rest_url(Offering(offering), slash + path) == on_region


@pytest.mark.parametrize("offering", ["stt", "tts"])
@clouds
def test_a_built_rest_url_is_the_converted_one(names: Names, offering: str) -> None:
    url = regional(names).rest_url(offering, "some/path")
    assert private(names).url(url) == private(names).rest_url(offering, "some/path")
    assert regional(names).url(private(names).rest_url(offering, "some/path")) == url


# The proxy on the way

TOKEN_PATH = "v1.0/issueToken"


@clouds
@pytest.mark.parametrize(("api", "path"), [("sts", TOKEN_PATH), ("stt", f"/sts/{TOKEN_PATH}")])
def test_a_token_url_through_a_private_endpoint_comes_with_a_warning(
    names: Names, api: str, path: str
) -> None:
    with pytest.warns(UserWarning, match="All networks.*use the resource key") as caught:
        url = private(names).rest_url(api, path)
    assert url == f"https://{names.custom_domain}/sts/{TOKEN_PATH}"
    assert caught[0].filename == __file__


@clouds
def test_a_regional_token_url_is_the_regions_and_comes_without_a_warning(names: Names) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        url = regional(names).rest_url("sts", TOKEN_PATH)
    assert url == f"https://{names.region}.{names.api}/sts/{TOKEN_PATH}"
    assert regional(names).url(url) == url


@clouds
def test_an_api_is_named_like_an_offering(names: Names) -> None:
    for route in (private(names), regional(names)):
        url = route.rest_url("speechtotext", "v3.2/transcriptions")
        assert url == f"https://{names.custom_domain}/speechtotext/v3.2/transcriptions"


@clouds
def test_converting_a_token_url_warns_as_building_one_does(names: Names) -> None:
    url = f"https://{names.region}.{names.api}/sts/{TOKEN_PATH}"
    with pytest.warns(UserWarning, match="All networks"):
        assert private(names).url(url) == f"https://{names.custom_domain}/sts/{TOKEN_PATH}"


@clouds
def test_a_rest_path_may_repeat_its_offering_or_api(names: Names) -> None:
    for route in (private(names), regional(names)):
        plain = route.rest_url("tts", "cognitiveservices/voices/list")
        assert route.rest_url("tts", "tts/cognitiveservices/voices/list") == plain
        batch = route.rest_url("speechtotext", "v3.2/x")
        assert route.rest_url("speechtotext", "speechtotext/v3.2/x") == batch


@pytest.mark.parametrize(
    ("path", "part"),
    [("stt/x", "path"), ("x#y", "fragment"), ("a b", "text"), ("\r\nX: y", "text")],
)
@clouds
def test_a_rest_path_that_cannot_be_is_refused(names: Names, path: str, part: str) -> None:
    for route in (private(names), regional(names)):
        with pytest.raises(UnsupportedUrl) as caught:
            route.rest_url("tts", path)
        assert caught.value.part == part

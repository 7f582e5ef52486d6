"""What the user says: every setting, every form of an endpoint, every mistake."""

from __future__ import annotations

import pickle
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from sources import PLACES, Place, Sources
from speechroute import Offering, SpeechSettings
from speechroute._core.clouds import CHINA, GOVERNMENT, PUBLIC, Cloud
from speechroute._core.resource import Resource
from speechroute.errors import Problem, SettingsError, SpeechRouteError

KEY = "0123456789abcdef0123456789ABCDEF"
PASTED, LONG_PASTED = "fedcba9876543210FEDCBA9876543210", "A1b2C3d4E5f6" * 7
"""Keys where they do not belong."""
C = "my-speech.cognitiveservices.azure.com"
FULL = f"wss://{C}/stt/speech/universal/v2?language=en-US&x=%2F+y"
REGIONAL = "wss://westeurope.stt.speech.microsoft.com/speech/universal/v2?language=en-US"


def read(**arguments: object) -> SpeechSettings:
    return SpeechSettings(**{"key": KEY, **arguments})


def plain(value: object) -> object:
    """A value that can be compared, out of its wrapping."""
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def problems(**arguments: object) -> tuple[Problem, ...]:
    """The problems of settings that cannot work."""
    with pytest.raises(SettingsError, match=r"SPEECH_\w+ is .*, expected .*: ") as caught:
        read(**arguments)
    assert str(caught.value) == "\n".join(map(str, caught.value.problems))
    assert caught.value.__context__ is None
    return caught.value.problems


@pytest.fixture
def sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Sources:
    return Sources(monkeypatch, tmp_path)


# Every setting from everywhere

RESOURCE_ID = (
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/my group"
    "/providers/Microsoft.CognitiveServices/accounts/my-speech"
).replace(" ", "-")

SETTINGS: dict[str, tuple[str, object]] = {
    "allow_hosts": ("localhost, *.Example.com", ("localhost", "example.com")),
    "auth": ("Key", "key"),
    "resource_id": (f"{RESOURCE_ID}/", RESOURCE_ID),
    "key_file": ("secrets/key", Path("secrets/key")),
    "key_vault": ("https://my-vault.vault.azure.net/", "https://my-vault.vault.azure.net"),
    "key": (f" {KEY} ", KEY),
    "endpoint": (f"https://{C}/", f"https://{C}/"),
    "url": (FULL, FULL),
    "region": ("WestEurope", "westeurope"),
    "private_endpoint": ("No", "no"),
    "when_undecided": ("Private", "private"),
    "ask_service": ("Never", "never"),
    "language": ("de-DE", "de-DE"),
    "voice": ("de-DE-KatjaNeural", "de-DE-KatjaNeural"),
    "endpoint_id": ("5f1c9f9e-7d34-4a1c-8f21-6a0a2b0c7c11",) * 2,
    "log_file": ("logs/sdk.log", Path("logs/sdk.log")),
    "proxy": ("http://me:s3cret@proxy.example:8080",) * 2,
    "dns_servers": ("10.0.0.4, [fd00::4]:5353", ("10.0.0.4:53", "[fd00::4]:5353")),
    "dns_timeout": ("1.5", 1.5),
    "route_ttl_min": ("0", 0.0),
    "route_ttl_max": ("600", 600.0),
    "route_stale": ("1.5", 1.5),
}
DEFAULTS = {
    "allow_hosts": (),
    "auth": None,
    "resource_id": None,
    "key_file": None,
    "key_vault": None,
    "endpoint": None,
    "url": None,
    "private_endpoint": "auto",
    "when_undecided": "error",
    "ask_service": "in-doubt",
    "language": None,
    "voice": None,
    "endpoint_id": None,
    "log_file": None,
    "proxy": "env",
    "dns_servers": (),
    "dns_timeout": 5.0,
    "route_ttl_min": 5.0,
    "route_ttl_max": 300.0,
    "route_stale": 3600.0,
}


def test_the_table_here_names_every_setting() -> None:
    assert set(SETTINGS) == set(SpeechSettings.model_fields)
    assert set(SETTINGS) - set(DEFAULTS) == {"key", "region"}


@pytest.mark.parametrize("field", SETTINGS)
@pytest.mark.parametrize("place", PLACES, ids=str)
def test_a_setting_is_read_from_everywhere(sources: Sources, place: Place, field: str) -> None:
    text, expected = SETTINGS[field]
    sources.give(place, field, text)
    others = {"key": KEY, "region": "westeurope"}
    others.pop(field, None)
    assert plain(getattr(sources.read(**others), field)) == expected


@pytest.mark.parametrize("field", DEFAULTS)
def test_what_is_not_set_has_its_default(sources: Sources, field: str) -> None:
    settings = sources.read(key=KEY, region="westeurope")
    assert plain(getattr(settings, field)) == DEFAULTS[field]


@dataclass(frozen=True)
class Value:
    """A value of an argument, and what becomes of it."""

    field: str
    given: object
    expected: object


VALUES = {
    "key-secret": Value("key", SecretStr(LONG_PASTED), LONG_PASTED),
    "private-endpoint-true": Value("private_endpoint", True, "yes"),
    "private-endpoint-false": Value("private_endpoint", False, "no"),
    "log-file-path": Value("log_file", Path("/tmp/sdk.log"), Path("/tmp/sdk.log")),
    "timeout-int": Value("dns_timeout", 60, 60.0),
    "timeout-small": Value("dns_timeout", "0.001", 0.001),
    "dns-list": Value("dns_servers", ["10.0.0.4"], ("10.0.0.4:53",)),
    "dns-tuple": Value("dns_servers", ("10.0.0.4:5353",), ("10.0.0.4:5353",)),
    "dns-spaces": Value("dns_servers", "10.0.0.4  10.0.0.5", ("10.0.0.4:53", "10.0.0.5:53")),
    "dns-trailing-comma": Value("dns_servers", "10.0.0.4,", ("10.0.0.4:53",)),
    "dns-ipv6-bare": Value("dns_servers", "FD00::0:4", ("[fd00::4]:53",)),
    "dns-ipv6-brackets": Value("dns_servers", "[fd00::4]", ("[fd00::4]:53",)),
    "proxy-secret": Value("proxy", SecretStr("http://proxy:1"), "http://proxy:1"),
    "proxy-word-in-capitals": Value("proxy", "NONE", "none"),
    "proxy-slash": Value("proxy", "http://proxy.example:8080/", "http://proxy.example:8080/"),
    "proxy-ipv6": Value("proxy", "http://[fd00::8]:3128", "http://[fd00::8]:3128"),
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_an_argument_may_have_other_types_and_forms(value: Value) -> None:
    settings = read(**{"endpoint": C, value.field: value.given})
    assert plain(getattr(settings, value.field)) == value.expected


def test_variables_are_found_in_any_case(sources: Sources) -> None:
    sources.give(Place("environment", "Speech_"), "key", KEY)
    (sources.secrets / "speech_region").write_text("westeurope")
    settings = sources.read()
    assert (plain(settings.key), settings.region) == (KEY, "westeurope")


def test_other_lines_of_the_dotenv_file_do_not_matter() -> None:
    Path(".env").write_text("# comment\nDATABASE_URL=x\nSPEECH_REGION='westeurope'\n")
    assert read().region == "westeurope"


def test_a_byte_order_mark_of_the_dotenv_file_does_not_matter() -> None:
    Path(".env").write_text("SPEECH_REGION=westeurope\n", encoding="utf-8-sig")
    assert read().region == "westeurope"


def test_a_dotenv_file_that_is_not_utf_8_is_a_problem_with_a_name() -> None:
    Path(".env").write_text(f"SPEECH_KEY={KEY}\n", encoding="utf-16")
    with pytest.raises(SettingsError, match=r"\.env.*UTF-8"):
        SpeechSettings(region="westeurope")


def test_other_files_in_the_secrets_directory_do_not_matter(sources: Sources) -> None:
    (sources.secrets / "keystore.p12").write_bytes(b"\xff\xfe\x00\x80")
    sources.give(Place("secret"), "region", "westeurope")
    assert sources.read(key=KEY).region == "westeurope"


def test_secrets_may_be_links_as_kubernetes_makes_them(sources: Sources) -> None:
    (sources.secrets / "..data").mkdir()
    (sources.secrets / "..data" / "SPEECH_KEY").write_text(KEY)
    (sources.secrets / "SPEECH_KEY").symlink_to(Path("..data") / "SPEECH_KEY")
    assert plain(sources.read(region="westeurope").key) == KEY


def test_a_secret_that_kubernetes_rotates_is_the_new_key(sources: Sources) -> None:
    for version in ("1", "2"):
        (sources.secrets / version).mkdir()
        (sources.secrets / version / "SPEECH_KEY").write_text(f"{KEY}{version}\n")
    (sources.secrets / "..data").symlink_to("1")
    (sources.secrets / "SPEECH_KEY").symlink_to(Path("..data") / "SPEECH_KEY")
    settings = sources.read(region="westeurope")
    overridden = settings.override(language="de-DE")
    assert plain(settings.key) == f"{KEY}1"
    (sources.secrets / "..new").symlink_to("2")
    (sources.secrets / "..new").rename(sources.secrets / "..data")
    assert plain(settings.key) == plain(overridden.key) == f"{KEY}2"


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe", b"two words"])
def test_a_key_file_without_a_key_is_a_problem(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(content)
    (problem,) = problems(key=None, key_file=file, region="westeurope")
    assert (problem.variable, problem.found) == ("SPEECH_KEY_FILE", "a file without a key")
    (problem,) = problems(key=None, key_file=tmp_path / "missing", region="westeurope")
    assert "No such file" in problem.found


def test_an_argument_wins_over_the_other_way_to_give_a_key(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text("key-of-file")
    monkeypatch.setenv("SPEECH_KEY", "key-of-environment")
    monkeypatch.setenv("SPEECH_REGION", "westeurope")
    in_file = SpeechSettings(key_file=file)
    assert plain(in_file.key) == "key-of-file"
    assert plain(in_file.override(key="mine").key) == "mine"
    assert plain(SpeechSettings(key="mine").override(key_file=file).key) == "key-of-file"
    assert plain(pickle.loads(pickle.dumps(in_file)).key) == "key-of-file"
    monkeypatch.setenv("SPEECH_KEY_FILE", str(file))
    assert plain(SpeechSettings().key) == "key-of-environment"


def test_a_key_file_of_the_environment_wins_over_a_key_in_the_dotenv_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("key-of-file")
    monkeypatch.setenv("AZURE_SPEECH_KEY_FILE", str(tmp_path / "key"))
    Path(".env").write_text("SPEECH_KEY=key-of-dotenv\nSPEECH_REGION=westeurope\n")
    assert plain(SpeechSettings().key) == "key-of-file"


def test_there_need_be_no_secrets_directory(tmp_path: Path) -> None:
    assert read(region="westeurope", _secrets_dir=tmp_path / "missing").region == "westeurope"


def test_a_directory_named_like_a_secret_is_not_read(sources: Sources) -> None:
    (sources.secrets / "SPEECH_REGION").mkdir()
    sources.give(Place("secret", "AZURE_SPEECH_"), "region", "westeurope")
    assert sources.read(key=KEY).region == "westeurope"


# Every form of an endpoint


@dataclass(frozen=True)
class Form:
    """A form of an endpoint, and what is read from it."""

    text: str
    custom_domain: str | None
    region: str | None
    full_url: str | None = None
    cloud: Cloud = PUBLIC
    region_setting: str | None = None


US, CN = "my-speech.cognitiveservices.azure.us", "my-speech.cognitiveservices.azure.cn"
FOUNDRY = "my-speech.services.ai.azure.com"
PATH = "/stt/speech/Universal/v2?language=en-US"
FORMS = {
    "name": Form("my-speech", C, None),
    "name-in-capitals": Form("My-Speech", C, None),
    "name-of-63": Form("a" * 63, f"{'a' * 63}.cognitiveservices.azure.com", None),
    "name-in-public": Form("my-speech", C, "eastus", region_setting="eastus"),
    "name-in-government": Form(
        "my-speech", US, "usgovvirginia", cloud=GOVERNMENT, region_setting="usgovvirginia"
    ),
    "name-in-china": Form("my-speech", CN, "chinaeast2", cloud=CHINA, region_setting="chinaeast2"),
    "host": Form(C, C, None),
    "host-in-capitals": Form(C.upper(), C, None),
    "host-with-dot": Form(f"{C}.", C, None),
    "host-with-slash": Form(f"{C}/", C, None),
    "host-with-port": Form(f"{C}:443", C, None),
    "host-of-foundry": Form(FOUNDRY, FOUNDRY, None),
    "host-of-government": Form(US, US, None, cloud=GOVERNMENT),
    "host-of-china": Form(CN, CN, None, cloud=CHINA),
    "host-of-the-region": Form("westeurope.api.cognitive.microsoft.com", None, "westeurope"),
    "host-of-an-offering": Form("westeurope.tts.speech.microsoft.com", None, "westeurope"),
    "portal": Form(f"https://{C}/", C, None),
    "portal-without-slash": Form(f"https://{C}", C, None),
    "portal-with-port": Form(f"https://{C}:443/", C, None),
    "portal-of-the-region": Form(
        "https://westeurope.api.cognitive.microsoft.com/", None, "westeurope"
    ),
    "portal-of-a-government-region": Form(
        "https://usgovvirginia.api.cognitive.microsoft.us/", None, "usgovvirginia", cloud=GOVERNMENT
    ),
    "portal-of-a-china-region": Form(
        "https://chinaeast2.api.cognitive.azure.cn/", None, "chinaeast2", cloud=CHINA
    ),
    "token": Form(
        "https://westeurope.api.cognitive.microsoft.com/sts/v1.0/issueToken", None, "westeurope"
    ),
    "foundry-project": Form(f"https://{FOUNDRY}/api/projects/mine", FOUNDRY, None),
    "offering-root": Form("wss://westeurope.stt.speech.microsoft.com/", None, "westeurope"),
    "full-private": Form(FULL, C, None, FULL),
    "full-regional": Form(REGIONAL, None, "westeurope", REGIONAL),
    "full-with-port": Form(f"wss://{C}:8443{PATH}", C, None, f"wss://{C}:8443{PATH}"),
    "full-without-scheme": Form(f"{C}{PATH}", C, None, f"https://{C}{PATH}"),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_an_endpoint_may_have_any_form_that_people_have(form: Form) -> None:
    settings = read(endpoint=form.text, region=form.region_setting)
    assert settings.resource == Resource(form.custom_domain, form.region)
    assert settings.resource.cloud is form.cloud
    assert settings.full_url == form.full_url


def test_a_region_alone_is_a_resource() -> None:
    settings = read(region="westeurope")
    assert settings.resource == Resource(None, "westeurope")
    assert settings.full_url is None


@pytest.mark.parametrize("url", [FULL, REGIONAL], ids=["private", "regional"])
def test_a_url_is_kept_as_it_is_and_wins_over_the_one_in_the_endpoint(url: str) -> None:
    assert read(url=url).full_url == url
    assert read(url=url, endpoint=FULL.replace("en-US", "de-DE")).full_url == url


def test_names_that_agree_are_no_contradiction() -> None:
    settings = read(endpoint=C, url=FULL, region="westeurope")
    assert settings.resource == Resource(C, "westeurope")
    assert read(endpoint=C, url=REGIONAL, region="westeurope").resource == settings.resource


# Every mistake


@dataclass(frozen=True)
class Mistake:
    """Settings that cannot work: the variable at fault, and what the error says about it."""

    arguments: dict[str, Any]
    variable: str
    found: str
    expected: str
    remedy: str


def endpoint_mistake(endpoint: str, found: str, expected: str, remedy: str) -> Mistake:
    return Mistake({"endpoint": endpoint}, "SPEECH_ENDPOINT", found, expected, remedy)


def with_region(variable: str, value: object, found: str, expected: str, remedy: str) -> Mistake:
    arguments = {"region": "westeurope", variable.removeprefix("SPEECH_").lower(): value}
    return Mistake(arguments, variable, found, expected, remedy)


def proxy_mistake(url: str, found: str) -> Mistake:
    return with_region("SPEECH_PROXY", url, found, "http://proxy.example:8080", "host and port")


def dns_mistake(servers: object, found: str, remedy: str = "IP address") -> Mistake:
    return with_region("SPEECH_DNS_SERVERS", servers, found, "10.0.0.4:5353", remedy)


def timeout_mistake(seconds: object, found: str) -> Mistake:
    return with_region("SPEECH_DNS_TIMEOUT", seconds, found, "more than 0 and at most 60", "5$")


PORTAL = "Azure portal"
HOSTS = "NAME.cognitiveservices.azure.com, REGION.OFFERING.speech.microsoft.com"
MEETING = "wss://transcribe.westeurope.cts.speech.microsoft.com/v1"
MISTAKES = {
    "key-missing": Mistake(
        {"key": None, "region": "westeurope"}, "SPEECH_KEY", "not set", "a resource key", PORTAL
    ),
    "key-with-space": Mistake(
        {"key": "my key", "region": "westeurope"},
        "SPEECH_KEY",
        "a value with spaces or other than ASCII",
        "a resource key",
        PORTAL,
    ),
    "key-no-text": Mistake(
        {"key": 5, "region": "westeurope"}, "SPEECH_KEY", "a int", "a resource key", PORTAL
    ),
    "nothing-but-a-key": Mistake(
        {}, "SPEECH_ENDPOINT", "not set", "the resource's endpoint", "or set SPEECH_REGION"
    ),
    "region-with-dot": Mistake(
        {"region": "west.europe"}, "SPEECH_REGION", "'west.europe'", "westeurope", "portal"
    ),
    "region-display-name": Mistake(
        {"region": "West Europe"}, "SPEECH_REGION", "'west europe'", "westeurope", "portal"
    ),
    "region-is-a-host": Mistake(
        {"region": C}, "SPEECH_REGION", repr(C), "westeurope", "'Location/Region'"
    ),
    "region-no-text": Mistake(
        {"region": 5}, "SPEECH_REGION", "a int", "westeurope", "give it as text"
    ),
    "endpoint-not-azure": endpoint_mistake(
        "https://speech.example.com/", "'https://speech.example.com/'", HOSTS, "host .* Azure"
    ),
    "endpoint-host-not-azure": endpoint_mistake(
        "speech.example.com", "'speech.example.com'", HOSTS, "host"
    ),
    "endpoint-look-alike": endpoint_mistake(
        f"https://{C}.evil.example/", f"'https://{C}.evil.example/'", HOSTS, "host"
    ),
    "endpoint-private-link-name": endpoint_mistake(
        "my-speech.privatelink.cognitiveservices.azure.com",
        "'my-speech.privatelink.cognitiveservices.azure.com'",
        HOSTS,
        "host",
    ),
    "endpoint-address": endpoint_mistake("https://10.0.0.4/", "'https://10.0.0.4/'", HOSTS, "host"),
    "endpoint-meeting": endpoint_mistake(MEETING, f"'{MEETING}'", HOSTS, "host"),
    "endpoint-url-inside-the-query": endpoint_mistake(
        "https://speech.example.com/?sig=s3cret&to=https://other.example.com/",
        "'https://speech.example.com/?...'",
        HOSTS,
        "host",
    ),
    "endpoint-name-of-64": endpoint_mistake("ab-" * 21 + "a", f"'{'ab-' * 21}a'", HOSTS, "host"),
    "endpoint-http": endpoint_mistake(f"http://{C}/", f"'http://{C}/'", "https or wss", "scheme"),
    "endpoint-user-info": endpoint_mistake(
        f"https://me:s3cret@{C}/", f"'https://***@{C}/'", "a key never belongs", "user info"
    ),
    "endpoint-key-as-user-info": endpoint_mistake(
        f"https://{PASTED}@{C}/", f"'https://***@{C}/'", "a key never belongs", "user info"
    ),
    "endpoint-fragment": endpoint_mistake(
        f"https://{C}/#overview", f"'https://{C}/#overview'", "none", "fragment"
    ),
    "endpoint-port": endpoint_mistake(f"https://{C}:8443/", f"'https://{C}:8443/'", "443", "port"),
    "endpoint-space": endpoint_mistake(
        f"https://{C}/ x", f"'https://{C}/ x'", "a form like https://HOST/PATH", "text"
    ),
    "endpoint-query-is-not-shown": endpoint_mistake(
        "https://speech.example.com/?sig=s3cret",
        "'https://speech.example.com/?...'",
        HOSTS,
        "host",
    ),
    "url-without-path": Mistake(
        {"url": f"https://{C}/"},
        "SPEECH_URL",
        f"'https://{C}/'",
        "the path of one offering",
        "into SPEECH_ENDPOINT",
    ),
    "url-of-no-offering": Mistake(
        {"url": f"https://{C}/speechtotext/v3.1/transcriptions"},
        "SPEECH_URL",
        f"'https://{C}/speechtotext/v3.1/transcriptions'",
        "the path of one offering",
        "into SPEECH_ENDPOINT",
    ),
    "url-is-a-name": Mistake(
        {"url": "my-speech"}, "SPEECH_URL", "'my-speech'", "the path of one", "SPEECH_ENDPOINT"
    ),
    "url-http": Mistake(
        {"url": f"http://{C}/stt/v1"}, "SPEECH_URL", f"'http://{C}/stt/v1'", "https", "scheme"
    ),
    "url-not-azure": Mistake(
        {"url": "wss://speech.example.com/stt/v1", "region": "westeurope"},
        "SPEECH_URL",
        "'wss://speech.example.com/stt/v1'",
        HOSTS,
        "host",
    ),
    "private-endpoint-unknown": with_region(
        "SPEECH_PRIVATE_ENDPOINT", "true", "'true'", "one of auto, yes, no", "one of these words"
    ),
    "when-undecided-unknown": with_region(
        "SPEECH_WHEN_UNDECIDED",
        "guess",
        "'guess'",
        "one of error, private, regional",
        "these words",
    ),
    "when-undecided-bool": with_region(
        "SPEECH_WHEN_UNDECIDED", True, "a bool", "one of error, private, regional", "as text"
    ),
    "ask-service-unknown": with_region(
        "SPEECH_ASK_SERVICE", "yes", "'yes'", "one of in-doubt, always, never", "these words"
    ),
    "private-endpoint-without-custom-domain": with_region(
        "SPEECH_PRIVATE_ENDPOINT", "yes", "'yes'", "a custom domain", "set SPEECH_ENDPOINT"
    ),
    "language-with-space": with_region(
        "SPEECH_LANGUAGE", "de DE", "'de DE'", "text without spaces", "documentation"
    ),
    "log-file-no-text": with_region("SPEECH_LOG_FILE", 5, "a int", "path of a file", "as text"),
    "dns-name": dns_mistake("dns.example", "'dns.example'"),
    "dns-one-of-two": dns_mistake("10.0.0.4,dns.example", "'dns.example'"),
    "dns-port-zero": dns_mistake("10.0.0.4:0", "'10.0.0.4:0'"),
    "dns-port-out-of-range": dns_mistake("10.0.0.4:65536", "'10.0.0.4:65536'"),
    "dns-port-of-letters": dns_mistake("10.0.0.4:dns", "'10.0.0.4:dns'"),
    "dns-half-an-address": dns_mistake("10.0.0", "'10.0.0'"),
    "dns-nothing-but-a-comma": dns_mistake(",", "''"),
    "dns-no-list": dns_mistake(53, "a int", "give it as text or a list"),
    "dns-list-of-no-text": dns_mistake([53], "a int", "give it as text"),
    "timeout-zero": timeout_mistake("0", "'0'"),
    "timeout-negative": timeout_mistake(-1, "-1"),
    "timeout-too-long": timeout_mistake("60.1", "'60.1'"),
    "timeout-nan": timeout_mistake("nan", "'nan'"),
    "timeout-infinite": timeout_mistake("inf", "'inf'"),
    "timeout-with-unit": timeout_mistake("5s", "'5s'"),
    "proxy-without-scheme": proxy_mistake("proxy.example:8080", "'proxy.example:8080'"),
    "proxy-without-port": proxy_mistake("http://proxy.example", "'http://proxy.example'"),
    "proxy-without-host": proxy_mistake("http://:8080", "'http://:8080'"),
    "proxy-https": proxy_mistake("https://proxy.example:443", "'https://proxy.example:443'"),
    "proxy-socks": proxy_mistake("socks5://proxy.example:1080", "'socks5://proxy.example:1080'"),
    "proxy-port-zero": proxy_mistake("http://proxy.example:0", "'http://proxy.example:0'"),
    "proxy-port-out-of-range": proxy_mistake("http://proxy:65536", "'http://proxy:65536'"),
    "proxy-path": proxy_mistake("http://proxy:8080/path", "'http://proxy:8080/path'"),
    "proxy-query": proxy_mistake("http://proxy:8080?x=1", "'http://proxy:8080?...'"),
    "proxy-broken-address": proxy_mistake("http://[fd00::8:3128", "'http://[fd00::8:3128'"),
    "proxy-unknown-word": proxy_mistake("system", "'system'"),
    "proxy-credentials-are-not-shown": proxy_mistake(
        "https://me:s3cret@proxy:443", "'https://***@proxy:443'"
    ),
    "contradiction-of-clouds": Mistake(
        {"endpoint": C, "region": "usgovvirginia"},
        "SPEECH_REGION",
        "'usgovvirginia'",
        f"a region of the cloud of {C}",
        "correct whichever",
    ),
    "contradiction-of-clouds-in-the-url": Mistake(
        {"endpoint": C, "url": "wss://usgovvirginia.stt.speech.azure.us/speech/v1"},
        "SPEECH_URL",
        "'usgovvirginia'",
        f"a region of the cloud of {C}",
        "correct whichever",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_problem_that_says_what_to_do(mistake: Mistake) -> None:
    (problem,) = problems(**mistake.arguments)
    assert (problem.variable, problem.found) == (mistake.variable, mistake.found)
    assert re.search(mistake.expected, problem.expected)
    assert re.search(mistake.remedy, problem.remedy)


EASTUS = "eastus.api.cognitive.microsoft.com"
OTHER = "other.cognitiveservices.azure.com"
CONTRADICTIONS = {
    "endpoint-and-url": ({"endpoint": OTHER, "url": FULL}, C, OTHER),
    "endpoint-and-region": ({"endpoint": EASTUS, "region": "westeurope"}, "eastus", "westeurope"),
    "url-and-region": ({"url": REGIONAL, "region": "eastus"}, "eastus", "westeurope"),
    "regional-endpoint-and-url": ({"endpoint": EASTUS, "url": REGIONAL}, "eastus", "westeurope"),
}


@pytest.mark.parametrize(("arguments", "one", "other"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_one_problem_that_names_both_sides(
    arguments: dict[str, str], one: str, other: str
) -> None:
    (problem,) = problems(**arguments)
    assert problem.variable in [f"SPEECH_{field.upper()}" for field in arguments]
    assert re.search(f"conflict.*{one} and {other}", problem.found)
    assert re.search("one of the two (regions|custom domains)", problem.expected)
    assert "name the same resource" in problem.remedy


def test_a_mistake_in_the_environment_is_the_same_problem(sources: Sources) -> None:
    for place in (Place("environment"), Place("environment", "AZURE_SPEECH_")):
        sources.give(place, "region", "west.europe")
        (problem,) = problems()
        assert (problem.variable, problem.found) == ("SPEECH_REGION", "'west.europe'")


def test_a_settings_error_is_a_value_error_too_and_can_be_pickled() -> None:
    with pytest.raises(ValueError, match=r"SPEECH_REGION is 'west\.europe'") as caught:
        read(region="west.europe")
    assert isinstance(caught.value, SpeechRouteError)
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.problems) == (str(caught.value), problems(region="west.europe"))


def test_all_mistakes_are_reported_together() -> None:
    found = problems(
        key=None, region="west.europe", private_endpoint="true", proxy="system", dns_timeout=0
    )
    assert [problem.variable for problem in found] == [
        "SPEECH_KEY",
        "SPEECH_REGION",
        "SPEECH_PRIVATE_ENDPOINT",
        "SPEECH_PROXY",
        "SPEECH_DNS_TIMEOUT",
    ]


def test_a_wrong_endpoint_is_reported_together_with_other_mistakes() -> None:
    found = problems(endpoint="https://speech.example.com/", dns_timeout=0)
    assert [problem.variable for problem in found] == ["SPEECH_ENDPOINT", "SPEECH_DNS_TIMEOUT"]


def test_a_wrong_endpoint_and_a_wrong_url_are_reported_together() -> None:
    found = problems(endpoint="https://speech.example.com/", url="http://my-speech/")
    assert [problem.variable for problem in found] == ["SPEECH_ENDPOINT", "SPEECH_URL"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("dns_timeout", 10**400), ("dns_timeout", [5]), ("dns_servers", f"10.0.0.4:{'9' * 5000}")],
    ids=["huge-timeout", "timeout-in-a-list", "huge-port"],
)
def test_a_number_that_cannot_be_read_is_a_problem_too(field: str, value: object) -> None:
    (problem,) = problems(**{"region": "westeurope", field: value})
    assert problem.variable == f"SPEECH_{field.upper()}"


keys = pytest.mark.parametrize("key", [KEY, PASTED, LONG_PASTED], ids=["own", "32", "84"])


@keys
@pytest.mark.parametrize("field", sorted(set(SETTINGS) - {"key"}))
def test_a_key_in_another_setting_is_refused_and_not_shown(field: str, key: str) -> None:
    (problem,) = problems(**{"region": "westeurope", field: f" {key}\n"})
    assert problem.variable == f"SPEECH_{field.upper()}"
    assert key not in f"{problem!r}"


@keys
@pytest.mark.parametrize("field", ["endpoint", "url", "region"])
def test_a_key_in_the_place_of_the_resource_is_called_so(field: str, key: str) -> None:
    (problem,) = problems(**{field: key})
    assert "key" in problem.found
    assert "SPEECH_KEY" in problem.remedy


INSIDE = {
    "as-host": "https://{}/",
    "behind-a-name": "key={}",
    "two": "{0},{0}",
    "behind-a-region": "westeurope {}",
    "in-a-connection-string": "Endpoint=https://my-speech.example.com/;Key={}",
}


@keys
@pytest.mark.parametrize("text", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("field", ["endpoint", "region"])
def test_a_key_inside_a_wrong_setting_is_not_shown(field: str, text: str, key: str) -> None:
    (problem,) = problems(**{field: text.format(key)})
    assert problem.variable == f"SPEECH_{field.upper()}"
    assert key.lower() not in f"{problem!r}".lower()


OWN = "a-key-of-another-form-0123456789"
OWN_INSIDE = {
    "endpoint": OWN,
    "url": f"wss://{C}/stt/v1?subscription-key={OWN}",
    "language": f"de-DE-{OWN}",
    "voice": OWN,
    "endpoint_id": OWN,
}


@pytest.mark.parametrize("field", OWN_INSIDE)
def test_the_key_of_the_settings_is_known_in_any_form(field: str) -> None:
    (problem,) = problems(**{"key": OWN, "region": "westeurope", field: OWN_INSIDE[field]})
    assert problem.variable == f"SPEECH_{field.upper()}"
    assert "key" in problem.found
    assert OWN not in f"{problem!r}"


def test_a_placeholder_for_a_key_may_occur_in_a_name() -> None:
    assert read(key="demo", endpoint="demo-speech").endpoint == "demo-speech"


PROXIES = {
    "slash": "http://me:s3c/ret@proxy.example:8080",
    "question-mark": "http://me:s3c?ret@proxy.example:8080",
    "hash": "http://me:s3c#ret@proxy.example:8080",
    "scheme": "http://me:s3c://ret@proxy.example:8080",
    "at": "https://me:s3c@ret@proxy.example:8080",
    "no-scheme": "me:s3cret@proxy.example:8080",
    "no-host": "http://me:s3cret@:8080",
}


@pytest.mark.parametrize("url", PROXIES.values(), ids=PROXIES)
def test_the_credentials_of_a_wrong_proxy_are_not_shown(url: str) -> None:
    (problem,) = problems(region="westeurope", proxy=url)
    assert problem.variable == "SPEECH_PROXY"
    assert not re.search("me:|s3c|ret@", f"{problem!r}")


def test_the_text_of_settings_holds_neither_key_nor_proxy_password() -> None:
    settings = read(region="westeurope", proxy="http://me:s3cret@proxy.example:8080")
    for text in (repr(settings), str(settings), repr(settings.model_dump())):
        assert "westeurope" in text
        assert KEY not in text
        assert "s3cret" not in text


def test_an_unknown_argument_is_a_type_error_that_shows_the_names_and_no_value() -> None:
    with pytest.raises(
        TypeError, match="no setting 'kye'; there are allow_hosts, endpoint, "
    ) as caught:
        SpeechSettings(kye=KEY, region="westeurope")
    assert KEY not in str(caught.value)


def test_settings_do_not_change() -> None:
    settings = read(region="westeurope")
    with pytest.raises(ValidationError, match="frozen"):
        settings.region = "eastus"
    assert settings.region == "westeurope"


# A full URL, and what it is for

SERVES = {
    "stt": {"stt"},
    "tts": {"tts", "voice"},
    "s2s": {"s2s", "stt"},
    "voice": {"voice", "tts"},
    "convai": {"convai", "stt"},
    "commands": {"commands"},
}


@pytest.mark.parametrize("of", SERVES)
@pytest.mark.parametrize("wanted", SERVES)
def test_a_full_url_is_used_for_the_offerings_that_it_serves(wanted: str, of: str) -> None:
    url = f"wss://{C}/{of}/some/path"
    settings = read(url=url)
    if of in SERVES[wanted]:
        assert settings.url_for(wanted) == settings.url_for(Offering(wanted)) == url
        return
    with pytest.raises(SettingsError, match=f"a URL of {of}, expected a URL of {wanted}") as caught:
        settings.url_for(wanted)
    assert [problem.variable for problem in caught.value.problems] == ["SPEECH_URL"]


def test_a_full_url_in_the_endpoint_is_named_as_such() -> None:
    settings = read(endpoint=FULL)
    assert settings.url_for("stt") == FULL
    with pytest.raises(SettingsError, match=r"SPEECH_ENDPOINT is a URL of stt.*without a path"):
        settings.url_for("tts")


def test_a_url_given_for_one_call_wins_and_is_checked() -> None:
    settings = read(endpoint=FULL)
    url = f"wss://{C}/tts/cognitiveservices/websocket/v1"
    assert settings.override(url=url).url_for("tts") == url
    with pytest.raises(SettingsError, match="SPEECH_URL is a URL of tts"):
        settings.override(url=url).url_for("stt")
    with pytest.raises(SettingsError, match=r"SPEECH_URL is in conflict.*my-speech.*other"):
        settings.override(url=url.replace("my-speech", "other"))


@pytest.mark.parametrize("offering", SERVES)
def test_without_a_full_url_there_is_none_for_any_offering(offering: str) -> None:
    assert read(endpoint=C).url_for(offering) is None


@pytest.mark.parametrize("endpoint", [FULL, C], ids=["with-url", "without-url"])
def test_an_unknown_offering_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="'speech' is not a valid Offering"):
        read(endpoint=endpoint).url_for("speech")


# Changing some


def test_override_changes_what_is_named_and_keeps_the_rest(sources: Sources) -> None:
    sources.give(Place("environment"), "key", KEY)
    sources.give(Place("dotenv"), "endpoint", "my-speech")
    sources.give(Place("secret"), "proxy", "http://me:s3cret@proxy.example:8080")
    before = sources.read(dns_servers=["10.0.0.4"], log_file="sdk.log", dns_timeout=2)
    after = before.override(language="de-DE", region="westeurope")
    assert (after.language, after.region) == ("de-DE", "westeurope")
    assert after.resource == Resource(C, "westeurope")
    for field in set(SETTINGS) - {"language", "region"}:
        assert getattr(after, field) == getattr(before, field)
    assert (before.language, before.region) == (None, None)


def test_override_with_nothing_is_the_same_settings() -> None:
    settings = read(region="westeurope")
    assert settings.override() is settings


def test_override_is_checked_as_a_whole() -> None:
    settings = read(endpoint="westeurope.api.cognitive.microsoft.com")
    with pytest.raises(SettingsError, match=r"conflict.*eastus and westeurope"):
        settings.override(region="eastus")
    with pytest.raises(SettingsError, match="SPEECH_DNS_TIMEOUT is 0"):
        settings.override(dns_timeout=0)
    with pytest.raises(TypeError, match="no setting 'regoin'"):
        settings.override(regoin="eastus")


def test_override_with_none_or_nothing_keeps_what_is_set() -> None:
    settings = read(
        endpoint=C, voice="de-DE-KatjaNeural", proxy="none", dns_timeout=2, private_endpoint="yes"
    )
    for nothing in (None, ""):
        assert settings.override(**dict.fromkeys(SETTINGS, nothing)) == settings


def test_override_does_not_read_the_environment_again(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read(region="westeurope")
    monkeypatch.setenv("SPEECH_ENDPOINT", "my-speech")
    Path(".env").write_text("SPEECH_VOICE=de-DE-KatjaNeural\n")
    after = settings.override(language="de-DE")
    assert (after.endpoint, after.voice) == (None, None)
    assert after.resource == Resource(None, "westeurope")


# On another machine


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_holds_neither_key_nor_proxy_credentials(
    monkeypatch: pytest.MonkeyPatch, protocol: int
) -> None:
    settings = read(region="westeurope", proxy="http://me:s3cret@proxy.example:8080")
    data = pickle.dumps(settings, protocol)
    assert b"westeurope" in data
    assert KEY.encode() not in data
    assert b"s3cret" not in data
    monkeypatch.setenv("SPEECH_KEY", "key-of-there")
    monkeypatch.setenv("SPEECH_PROXY", "http://you:other@proxy.there:3128")
    there = pickle.loads(data)
    assert plain(there.key) == "key-of-there"
    assert plain(there.proxy) == "http://you:other@proxy.there:3128"


def test_a_pickle_keeps_everything_else_whatever_the_environment_says(
    sources: Sources,
) -> None:
    for field in set(SETTINGS) - {"key_file"}:
        sources.give(Place("environment"), field, SETTINGS[field][0])
    settings = sources.read(proxy="http://proxy.example:8080", dns_timeout=2.5)
    data = pickle.dumps(settings)
    for field in set(SETTINGS) - {"key", "key_file"}:
        sources.give(Place("environment"), field, "")
    sources.give(Place("environment"), "proxy", "none")
    there = pickle.loads(data)
    assert there == settings
    assert (there.resource, there.full_url) == (settings.resource, settings.full_url)


def test_what_was_not_set_stays_so_on_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    data = pickle.dumps(read(endpoint="my-speech"))
    monkeypatch.setenv("SPEECH_KEY", KEY)
    monkeypatch.setenv("SPEECH_REGION", "eastus")
    monkeypatch.setenv("SPEECH_LANGUAGE", "de-DE")
    there = pickle.loads(data)
    assert (there.region, there.language) == (None, None)


def test_where_there_is_no_key_a_pickle_says_so() -> None:
    data = pickle.dumps(read(region="westeurope"))
    with pytest.raises(SettingsError, match="SPEECH_KEY is not set, expected a resource key"):
        pickle.loads(data)


@pytest.mark.parametrize("source", ["environment", "dotenv", "secret"])
@pytest.mark.parametrize("field", list(SpeechSettings.model_fields))
def test_a_variable_without_the_prefix_is_somebody_elses(
    sources: Sources, source: str, field: str
) -> None:
    sources.give(Place("argument"), "key", KEY)
    sources.give(Place("argument"), "endpoint", "my-speech")
    before = sources.read()
    sources.give(Place(source, ""), field, "none")
    assert sources.read() == before


@pytest.mark.parametrize("field", ["route_ttl_min", "route_ttl_max", "route_stale"])
@pytest.mark.parametrize("value", ["-1", "86401", "nan", "a while"])
def test_a_duration_is_seconds_of_at_most_a_day(field: str, value: str) -> None:
    (problem,) = problems(endpoint=C, **{field: value})
    assert problem.variable == f"SPEECH_{field.upper()}"
    assert problem.expected == "seconds, 0 or more and at most 86400"


def test_the_bounds_of_a_routes_life_are_in_order() -> None:
    (problem,) = problems(endpoint=C, route_ttl_min=400)
    assert problem.variable == "SPEECH_ROUTE_TTL_MIN"
    assert problem.expected == "at most SPEECH_ROUTE_TTL_MAX, which is 300"

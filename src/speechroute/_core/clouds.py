"""The three Azure clouds, as data: host names, and the DNS names that tell where a chain leads.

Contract: literal patterns and pure functions of a host name. Hosts are compared in lower case
without a trailing dot.

Sources: custom domains, regional hosts and the public cloud's DNS markers from "Use Speech
service through a private endpoint" (Microsoft Learn, 2024-09-24) and "Sovereign clouds"
(Microsoft Learn, 2025-08), documented: AZ-CLOUD-NAMES, AZ-DNS-PRIVATE-LINK, AZ-DNS-VNET-PROXY and
AZ-DNS-REGION. The DNS markers of Government and China apply the public cloud's scheme to their
suffixes, assumed: AZ-DNS-SOVEREIGN; that hosts of Government spell regions without their prefix,
reported by public projects: AZ-GOV-SPELLINGS.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import cache
from typing import NamedTuple


class Offering(StrEnum):
    """A Speech service offering: the second label of a regional host name."""

    STT = "stt"
    """Speech to text."""
    TTS = "tts"
    """Text to speech."""
    S2S = "s2s"
    """Speech translation."""
    VOICE = "voice"
    """Custom voice."""
    CONVAI = "convai"
    """Meeting transcription."""
    COMMANDS = "commands"
    """Custom commands."""


class MarkerKind(StrEnum):
    """What a name on a DNS chain tells."""

    PRIVATE_LINK = "private link"
    VNET_PROXY = "VNet proxy"
    REGIONAL = "regional"


# Internal records are NamedTuples: a frozen dataclass takes half a millisecond to define, and
# together they were a third of this library's import time (measured, Python 3.11).


class Cloud(NamedTuple):
    """One Azure cloud.

    Attributes:
        name: ``public``, ``government`` or ``china``.
        custom_domain_suffixes: what follows a resource's name; the first one is the default.
        api_suffix: what follows the region in the regional API host.
        speech_suffix: what follows the offering in a regional offering host.
        region_prefixes: what the names of its regions begin with; empty: all others.
        region_spellings: how host names spell regions too, and their documented names.
        vnet_proxy, gateway: suffixes of the names that a chain passes through.
    """

    name: str
    custom_domain_suffixes: tuple[str, ...]
    api_suffix: str
    speech_suffix: str
    region_prefixes: tuple[str, ...]
    vnet_proxy: tuple[str, ...]
    gateway: tuple[str, ...]
    region_spellings: tuple[tuple[str, str], ...] = ()

    def offering_host(self, region: str, offering: str) -> str:
        return f"{region}.{offering}.{self.speech_suffix}"

    def api_host(self, region: str) -> str:
        return f"{region}.{self.api_suffix}"

    def region_of(self, spelled: str) -> str | None:
        """The documented name of a region in a host name of this cloud, or None if it has none."""
        region = dict(self.region_spellings).get(spelled, spelled)
        return region if cloud_of_region(region) is self else None


class Marker(NamedTuple):
    """A name on a DNS chain that says where the chain leads, in which cloud."""

    kind: MarkerKind
    region: str | None
    cloud: Cloud


PUBLIC = Cloud(
    name="public",
    # The second one is of Foundry resources (assumed: AZ-SERVICES-AI-SPEECH).
    custom_domain_suffixes=("cognitiveservices.azure.com", "services.ai.azure.com"),
    api_suffix="api.cognitive.microsoft.com",
    speech_suffix="speech.microsoft.com",
    region_prefixes=(),
    vnet_proxy=("prod.vnet.cog.trafficmanager.net", "cloudapp.azure.com"),
    gateway=("trafficmanager.net", "azure-api.net", "cloudapp.net"),
)
GOVERNMENT = Cloud(
    name="government",
    custom_domain_suffixes=("cognitiveservices.azure.us",),
    api_suffix="api.cognitive.microsoft.us",
    speech_suffix="speech.azure.us",
    region_prefixes=("usgov", "usdod"),
    vnet_proxy=("prod.vnet.cog.usgovtrafficmanager.net", "cloudapp.usgovcloudapi.net"),
    gateway=("usgovtrafficmanager.net", "azure-api.us", "usgovcloudapp.net"),
    region_spellings=(("virginia", "usgovvirginia"), ("arizona", "usgovarizona")),
)
CHINA = Cloud(
    name="china",
    custom_domain_suffixes=("cognitiveservices.azure.cn",),
    api_suffix="api.cognitive.azure.cn",
    speech_suffix="speech.azure.cn",
    region_prefixes=("china",),
    vnet_proxy=("prod.vnet.cog.trafficmanager.cn", "cloudapp.chinacloudapi.cn"),
    gateway=("trafficmanager.cn", "azure-api.cn", "chinacloudapp.cn"),
)
CLOUDS = (PUBLIC, GOVERNMENT, CHINA)

REGION = re.compile(r"[a-z][a-z0-9]{1,29}")
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"


def cloud_of_region(region: str) -> Cloud:
    """The cloud that a region belongs to, by its prefix."""
    return next((c for c in CLOUDS if region.startswith(c.region_prefixes or "\0")), PUBLIC)


def normalise_host(host: str) -> str:
    """Lower case, and without one trailing dot."""
    return host.lower().removesuffix(".")


class Host(NamedTuple):
    """A host name of Azure Speech: a custom domain, a regional offering host or the API host.

    Attributes:
        custom_domain: set for a custom domain.
        region: set for the two regional kinds.
        offering: set for a regional offering host.
    """

    cloud: Cloud
    custom_domain: str | None = None
    region: str | None = None
    offering: Offering | None = None


def _alternatives(suffixes: tuple[str, ...]) -> str:
    return "|".join(re.escape(suffix) for suffix in suffixes)


@cache
def _hosts() -> tuple[tuple[Cloud, re.Pattern[str]], ...]:
    """The host names of each cloud. Compiled when first needed, for a quick import."""
    offerings = _alternatives(tuple(Offering))
    return tuple(
        (
            cloud,
            re.compile(
                rf"(?P<custom_domain>{_LABEL}\.(?:{_alternatives(cloud.custom_domain_suffixes)}))"
                rf"|(?P<region>{REGION.pattern})"
                rf"(?:\.{re.escape(cloud.api_suffix)}"
                rf"|\.(?P<offering>{offerings})\.{re.escape(cloud.speech_suffix)})"
            ),
        )
        for cloud in CLOUDS
    )


def recognise_host(host: str) -> Host | None:
    """What a host name is, or None if it is no host of Azure Speech.

    A region of one cloud under the suffix of another is none: no such host exists, although
    the SDK's own region table makes one up (measured, 1.53: SDK-REGION-TABLE).
    """
    for cloud, pattern in _hosts():
        match = pattern.fullmatch(normalise_host(host))
        if match is None:
            continue
        offering, region = match["offering"], match["region"]
        if region and not (region := cloud.region_of(region)):
            return None
        return Host(cloud, match["custom_domain"], region, Offering(offering) if offering else None)
    return None


def is_of_azure_speech(host: str) -> bool:
    """Whether a host name ends as those of Azure Speech do, such as one of its private link."""
    return any(
        f".{normalise_host(host)}".endswith(f".{suffix}")
        for cloud in CLOUDS
        for suffix in (*cloud.custom_domain_suffixes, cloud.api_suffix, cloud.speech_suffix)
    )


def _marker_patterns(cloud: Cloud) -> tuple[tuple[MarkerKind, re.Pattern[str]], ...]:
    """The names of one cloud that mean something, the most telling pattern first."""
    region = rf"(?P<region>{REGION.pattern})"
    proxy_traffic, proxy_app = cloud.vnet_proxy
    api_management = cloud.gateway[1]
    patterns = (
        (
            MarkerKind.PRIVATE_LINK,
            rf"{_LABEL}\.privatelink\.(?:{_alternatives(cloud.custom_domain_suffixes)})",
        ),
        (MarkerKind.VNET_PROXY, rf"{region}\.{re.escape(proxy_traffic)}"),
        (MarkerKind.VNET_PROXY, rf"vnetproxy[a-z0-9-]*\.{region}\.{re.escape(proxy_app)}"),
        (MarkerKind.REGIONAL, rf"{region}\.{re.escape(cloud.api_suffix)}"),
        (
            MarkerKind.REGIONAL,
            rf"cognitive[a-z0-9]+-{region}-\d+\.regional\.{re.escape(api_management)}",
        ),
        (
            MarkerKind.REGIONAL,
            rf"(?:cognitive|apimgmt)[a-z0-9-]*\.(?:{_alternatives(cloud.gateway)})",
        ),
    )
    return tuple((kind, re.compile(pattern)) for kind, pattern in patterns)


@cache
def _markers() -> tuple[tuple[Cloud, MarkerKind, re.Pattern[str]], ...]:
    """Compiled when first needed, for a quick import."""
    return tuple((cloud, *pattern) for cloud in CLOUDS for pattern in _marker_patterns(cloud))


def recognise_marker(name: str) -> Marker | None:
    """What a name on a DNS chain tells, or None if it tells nothing."""
    for cloud, kind, pattern in _markers():
        match = pattern.fullmatch(normalise_host(name))
        if match is None:
            continue
        region = match.groupdict().get("region")
        if region is None or (region := cloud.region_of(region)):
            return Marker(kind, region, cloud)
    return None


def api_host_in(chain: Iterable[str]) -> str | None:
    """The API host of the region that the names of a chain tell."""
    markers = map(recognise_marker, chain)
    hosts = (marker.cloud.api_host(marker.region) for marker in markers if marker and marker.region)
    return next(hosts, None)


def private_link_zone(custom_domain: str) -> str:
    """The private DNS zone that belongs to a custom domain."""
    return "privatelink." + custom_domain.partition(".")[2]

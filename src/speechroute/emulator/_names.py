"""The names and addresses of an emulated resource, state by state.

Contract: literal data and functions of plain values; nothing here is imported from the rest of
the library, so that the emulator can contradict it.

Source of the public cloud's chains: "Use Speech service through a private endpoint",
Microsoft Learn, 2024-09-24 (documented: AZ-CLOUD-NAMES, AZ-DNS-PRIVATE-LINK, AZ-DNS-VNET-PROXY,
AZ-DNS-REGION). The chains of the other two clouds are the same with their own suffixes (assumed:
AZ-DNS-SOVEREIGN), and so are those of services.ai.azure.com (assumed: AZ-SERVICES-AI-SPEECH).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

OFFERINGS = ("stt", "tts", "s2s", "voice", "convai", "commands")


class State(StrEnum):
    """What the network and the service say about the resource."""

    VNET = "vnet"
    """It has a private endpoint, and the caller is inside the virtual network."""
    PROXY = "proxy"
    """It has a private endpoint, and the caller is outside: the VNet proxy answers."""
    REMOVED = "removed"
    """It has no private endpoint (never had one, or all were removed)."""

    @property
    def has_private_endpoint(self) -> bool:
        return self is not State.REMOVED


@dataclass(frozen=True, slots=True)
class _CloudNames:
    custom_domain_suffixes: tuple[str, ...]
    api: str
    speech: str
    traffic_manager: str
    cloud_app: str
    api_management: str
    api_management_app: str


_CLOUDS = (
    _CloudNames(
        ("cognitiveservices.azure.com", "services.ai.azure.com"),
        "api.cognitive.microsoft.com",
        "speech.microsoft.com",
        "trafficmanager.net",
        "cloudapp.azure.com",
        "azure-api.net",
        "cloudapp.net",
    ),
    _CloudNames(
        ("cognitiveservices.azure.us",),
        "api.cognitive.microsoft.us",
        "speech.azure.us",
        "usgovtrafficmanager.net",
        "cloudapp.usgovcloudapi.net",
        "azure-api.us",
        "usgovcloudapp.net",
    ),
    _CloudNames(
        ("cognitiveservices.azure.cn",),
        "api.cognitive.azure.cn",
        "speech.azure.cn",
        "trafficmanager.cn",
        "cloudapp.chinacloudapi.cn",
        "azure-api.cn",
        "chinacloudapp.cn",
    ),
)

PRIVATE_ADDRESS = "172.28.0.10"
VNET_PROXY_ADDRESS = "13.69.67.71"
GATEWAY_ADDRESS = "13.93.122.1"


@dataclass(frozen=True, slots=True)
class Names:
    """Every host name of one resource.

    Args:
        custom_domain: for example ``my-speech.cognitiveservices.azure.com``.
        region: for example ``westeurope``.
    """

    custom_domain: str
    region: str

    def __post_init__(self) -> None:
        if not any(
            self.custom_domain.endswith("." + suffix)
            for cloud in _CLOUDS
            for suffix in cloud.custom_domain_suffixes
        ):
            raise ValueError(
                f"custom_domain is {self.custom_domain!r}, which is under none of the suffixes of "
                "Azure's custom domains; use a name like 'my-speech.cognitiveservices.azure.com'"
            )

    @property
    def _cloud(self) -> _CloudNames:
        return next(
            cloud
            for cloud in _CLOUDS
            if self.custom_domain.endswith(
                tuple("." + suffix for suffix in cloud.custom_domain_suffixes)
            )
        )

    @property
    def api_host(self) -> str:
        return f"{self.region}.{self._cloud.api}"

    def offering_host(self, offering: str) -> str:
        return f"{self.region}.{offering}.{self._cloud.speech}"

    def offering_of(self, host: str) -> str | None:
        """The offering whose regional host this is, or None."""
        return next((o for o in OFFERINGS if host == self.offering_host(o)), None)

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that has a front door."""
        offering_hosts = (self.offering_host(offering) for offering in OFFERINGS)
        return frozenset((self.custom_domain, self.api_host, *offering_hosts))

    @property
    def zones(self) -> tuple[str, ...]:
        """The zones that the emulated DNS server answers for."""
        cloud = self._cloud
        return (
            *cloud.custom_domain_suffixes,
            cloud.api,
            cloud.speech,
            cloud.traffic_manager,
            cloud.cloud_app,
            cloud.api_management,
            cloud.api_management_app,
        )

    def chain(self, host: str, state: State) -> tuple[tuple[str, ...], str] | None:
        """The names from ``host`` to where it lands, and the address; None for an unknown host."""
        cloud = self._cloud
        label, _, suffix = self.custom_domain.partition(".")
        private_link = f"{label}.privatelink.{suffix}"
        gateway = (
            self.api_host,
            f"cognitiveweprod.{cloud.traffic_manager}",
            f"cognitiveweprod.{cloud.api_management}",
            f"apimgmttmdjylckcx6clmh2isu2wr38uqzm63s8n4ub2y3e6xs.{cloud.traffic_manager}",
            f"cognitiveweprod-{self.region}-01.regional.{cloud.api_management}",
            f"apimgmthskquihpkz6d90kmhvnabrx3ms3pdubscpdfk1tsx3a.{cloud.api_management_app}",
        )
        vnet_proxy = (
            f"{self.region}.prod.vnet.cog.{cloud.traffic_manager}",
            f"vnetproxyv1-weu-prod.{self.region}.{cloud.cloud_app}",
        )
        whole = {
            State.VNET: ((self.custom_domain, private_link), PRIVATE_ADDRESS),
            State.PROXY: ((self.custom_domain, private_link, *vnet_proxy), VNET_PROXY_ADDRESS),
            State.REMOVED: ((self.custom_domain, *gateway), GATEWAY_ADDRESS),
        }[state]
        for names, address in (whole, (gateway, GATEWAY_ADDRESS), (vnet_proxy, VNET_PROXY_ADDRESS)):
            if host in names:
                return names[names.index(host) :], address
        return ((host,), GATEWAY_ADDRESS) if self.offering_of(host) else None

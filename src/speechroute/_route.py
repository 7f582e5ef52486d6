"""`Route`: the way to the resource right now, as an immutable value."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from . import urls
from ._clouds import Offering, cloud_of_region
from ._dns import DnsView
from ._resource import Resource
from ._verdict import Decision, Row, Verdict
from .errors import RouteUndecided


class RouteKind(StrEnum):
    """Which door leads to the resource."""

    PRIVATE_ENDPOINT = "private endpoint"
    REGIONAL = "regional"


_AT_RESOURCE = frozenset({"speechtotext", "texttospeech"})
"""APIs that a resource with a custom domain serves there whatever the route (documented,
2024-09-24); tokens come from the region."""


@dataclass(frozen=True, slots=True)
class Route:
    """The way to a Speech resource. Made by `resolve` or `SpeechConfigFactory.route`.

    Attributes:
        kind: through the custom domain, or through the region.
        custom_domain: the resource's custom domain, if one is configured.
        region: the region, from the settings or from DNS; always set for a regional route.
        cloud: ``public``, ``government`` or ``china``.
        reason: one sentence that says why.
        row: the row of the decision table that decided.
        evidence: what was observed; None where nothing had to be.
        warnings: what the user should know.
        expires_at: when to look again, seconds on the clock of the factory
            (``time.monotonic`` by default).
    """

    kind: RouteKind
    custom_domain: str | None
    region: str | None
    cloud: str
    reason: str
    row: Row
    evidence: DnsView | None
    warnings: tuple[str, ...]
    expires_at: float

    @classmethod
    def of(
        cls, verdict: Verdict, resource: Resource, view: DnsView | None, expires_at: float
    ) -> Route:
        """The route that a verdict stands for.

        Raises:
            SpeechRouteError: the verdict's error, or the region is needed and unknown.
        """
        if verdict.error:
            raise verdict.error
        region = resource.region or verdict.region
        kind = RouteKind.REGIONAL
        if verdict.decision is Decision.PRIVATE_ENDPOINT:
            kind = RouteKind.PRIVATE_ENDPOINT
        elif region is None:
            raise RouteUndecided.of(
                f"{verdict.reason} The way through the region needs its name, which DNS does not "
                "tell here: set SPEECH_REGION.",
                custom_domain=resource.custom_domain or "",
            )
        warnings = verdict.warnings
        if verdict.region and region != verdict.region:
            warnings += (
                (
                    f"SPEECH_REGION says {region}, DNS says {verdict.region}: the setting is used. "
                    "A key is only valid in its own region, so expect error 401 if DNS is right."
                ),
            )
        return cls(
            kind,
            resource.custom_domain,
            region,
            resource.cloud.name,
            verdict.reason,
            verdict.row,
            view,
            warnings,
            expires_at,
        )

    @property
    def is_direct(self) -> bool:
        """Whether the custom domain was seen to land on a private address in this network."""
        return self.row in (Row.PRIVATE_ADDRESS, Row.SYSTEM_PRIVATE)

    def host(self, offering: Offering | str) -> str:
        """The host name that serves an offering on this route."""
        offering = Offering(offering)
        custom_domain, region = self._names()
        if self.kind is RouteKind.PRIVATE_ENDPOINT:
            return custom_domain
        return cloud_of_region(region).offering_host(region, offering)

    def _names(self) -> tuple[str, str]:
        """Custom domain and region, where the kind of route guarantees the one that is used."""
        return self.custom_domain or "", self.region or ""

    def sdk_kwargs(self, offering: Offering | str = Offering.STT) -> dict[str, str]:
        """The keyword arguments for ``SpeechConfig``, without the credential.

        Args:
            offering: what the config is for. Only a regional route in Azure Government or
                China depends on it, where the SDK's own region table is wrong (measured,
                1.53) and one host is named instead.

        Returns:
            ``endpoint``, ``region`` or ``host``, exactly one of them.
        """
        host = self.host(offering)
        if self.kind is RouteKind.PRIVATE_ENDPOINT:
            return {"endpoint": f"https://{host}/"}
        if self.cloud == "public":
            return {"region": self._names()[1]}
        # https, not wss: with wss the SDK's request for the voices list is not valid (measured).
        return {"host": f"https://{host}"}

    def url(self, url: str) -> str:
        """Any Speech URL, in standard or private form, converted for this route.

        URLs of the speech-to-text REST API (``speechtotext/...``) belong to the custom domain
        on both kinds of route, where there is one (documented, 2024-09-24).

        Raises:
            UnsupportedUrl: see `urls.to_private` and `urls.to_regional`.
        """
        custom_domain, region = self._names()
        api = urls.api_of(urls.parse(url).path)
        if self.kind is RouteKind.PRIVATE_ENDPOINT or (custom_domain and api in _AT_RESOURCE):
            return urls.to_private(url, custom_domain)
        return urls.to_regional(url, region)

    def rest_url(self, offering: Offering | str, path: str) -> str:
        """An ``https`` URL of the REST APIs on this route.

        Args:
            offering: for example ``tts``.
            path: path and query as documented for the regional host, for example
                ``cognitiveservices/voices/list``; or of an API that is part of no offering,
                for example ``speechtotext/v3.2/transcriptions``.

        Raises:
            ValueError: there is no such offering.
        """
        path = "/" + path.removeprefix("/")
        host = self.host(offering)
        api = urls.api_of(path)
        if self.kind is RouteKind.PRIVATE_ENDPOINT:
            return f"https://{host}{path}" if api else f"https://{host}/{offering}{path}"
        if api in _AT_RESOURCE and self.custom_domain:
            host = self.custom_domain
        elif api and self.region:
            host = cloud_of_region(self.region).api_host(self.region)
        return f"https://{host}{path}"

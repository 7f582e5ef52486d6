"""`Route`: which door leads to the resource right now, and why, as an immutable value."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from . import urls
from .addresses import is_loopback
from .clouds import PUBLIC, Offering, cloud_of_region
from .errors import RouteUndecided, UnsupportedUrl
from .forgetting import forgetting
from .resource import Resource
from .verdict import Decision, Row, Verdict
from .view import DnsView


class RouteKind(StrEnum):
    """Which door leads to the resource."""

    PRIVATE_ENDPOINT = "private endpoint"
    """The custom domain serves every client (documented, 2024-09-24: AZ-PE-CUSTOM-DOMAIN)."""
    REGIONAL = "regional"
    """So does the region (documented, 2024-09-24: AZ-REGION-WITH-CUSTOM-DOMAIN)."""
    OTHER_HOST = "other host"
    """A host of ``SPEECH_ALLOW_HOSTS``, for example a Speech container."""


_AT_RESOURCE = frozenset(
    {"speechtotext", "texttospeech", "customvoice", "avatar", "videotranslation"}
)
"""APIs that a resource with a custom domain serves there whatever the route (documented,
2024-09-24: AZ-REST-CUSTOM-DOMAIN); tokens come from the region (AZ-TOKEN-REGION)."""

NAMES_CUSTOM_DOMAIN = "Ocp-Apim-Custom-Domain-Name"
"""What the query calls the custom domain where the service redirects to the region (Microsoft's
JavaScript SDK, public code, 2026-06: AZ-REDIRECT-TARGET)."""

_ISSUED_ONLY_TO_ALL_NETWORKS = (
    "This is a token URL of a resource with a private endpoint. Tokens are only issued there if "
    "its access option is 'All networks', else the answer is Forbidden or BadRequest: use the "
    "resource key, or Microsoft Entra ID."
)


@dataclass(frozen=True, slots=True)
class Route:
    """Which door leads to a resource, and why. Made by `resolve` or `SpeechConfigFactory.route`.

    Attributes:
        kind: through the custom domain, or through the region.
        custom_domain: the resource's custom domain, if one is configured.
        region: the region, from the settings or from DNS; always set for a regional route.
        cloud: ``public``, ``government`` or ``china``.
        reason: one sentence that says why.
        row: the row of the decision table that decided.
        evidence: what was observed; None where nothing had to be.
        warnings: what the user should know.
        expires_at: when to look again, seconds on the clock of the factory.
        expires_in: how long it is good for, seconds from when it was handed out; infinite where
            the settings decide.
        needs_custom_domain: whether the custom domain is used although the route is regional:
            for Microsoft Entra ID without ``SPEECH_RESOURCE_ID``.
        names_custom_domain: whether the region is told the custom domain in the query, with a
            bare token: for the same where the custom domain refuses (reported by a public project,
            2026-03: AZ-ENTRA-NAMED).
        other_host: the URL of a host that is none of Azure's.
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
    needs_custom_domain: bool = False
    names_custom_domain: bool = False
    other_host: str | None = None
    expires_in: float = field(default=0.0, compare=False)

    def __post_init__(self) -> None:
        """Where all ways to a route meet.

        Raises:
            RouteUndecided: the region is of another cloud: no credential crosses clouds.
        """
        cloud = cloud_of_region(self.region).name if self.region else self.cloud
        if cloud != self.cloud:
            raise RouteUndecided.of(
                f"{self.region} is a region of the {cloud} cloud, and the resource is in the "
                f"{self.cloud} cloud, to which its credential belongs: correct SPEECH_REGION, or "
                "the DNS that names this region.",
                custom_domain=self.custom_domain or "",
            )

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
        elif verdict.decision is Decision.OTHER_HOST:
            kind = RouteKind.OTHER_HOST
        elif region is None:
            raise RouteUndecided.of(
                f"{verdict.reason} The way through the region needs its name, which nobody tells "
                "here: set SPEECH_REGION.",
                custom_domain=resource.custom_domain or "",
            )
        told = verdict.warnings
        # A key is valid in one region (documented, date unknown: AZ-KEY-OF-REGION).
        if verdict.region and region != verdict.region and kind is RouteKind.REGIONAL:
            teller = "the service" if verdict.row is Row.SERVICE else "DNS"
            told += (
                (
                    f"SPEECH_REGION says {region}, {teller} says {verdict.region}: the setting is "
                    f"used. A key is only valid in its own region, so expect error 401 if {teller} "
                    "is right."
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
            told,
            expires_at,
            other_host=resource.other_host,
        )

    @property
    def is_direct(self) -> bool:
        """Whether no proxy of the environment lies between: the host is in this network."""
        if self.other_host is not None:
            return is_loopback(urlsplit(self.other_host).hostname or "")
        return self.row.is_direct

    @property
    def is_at_custom_domain(self) -> bool:
        """Whether connections go to the custom domain, not to the region."""
        return self.kind is RouteKind.PRIVATE_ENDPOINT or self.needs_custom_domain

    def host(self, offering: Offering | str) -> str:
        """The host name that serves an offering on this route."""
        offering = Offering(offering)
        custom_domain, region = self._names()
        if self.other_host is not None:
            return urlsplit(self.other_host).netloc
        if self.is_at_custom_domain:
            return custom_domain
        return cloud_of_region(region).offering_host(region, offering)

    def _refuse_elsewhere(self) -> None:
        if self.other_host is not None:
            host, expected = (
                self.host(Offering.STT),
                "a host of Azure: write URLs of yours yourself",
            )
            raise UnsupportedUrl.of("host", host, expected)

    def _names(self) -> tuple[str, str]:
        """Custom domain and region, where the kind of route guarantees the one that is used."""
        return self.custom_domain or "", self.region or ""

    def sdk_kwargs(self, offering: Offering | str = Offering.STT) -> dict[str, str]:
        """The keyword arguments for ``SpeechConfig``, without the credential.

        Args:
            offering: what the config is for. Only a route that names the custom domain depends
                on it. Where the service redirects with that name, it leads to the offering's own
                regional host (reported: AZ-REDIRECT-TARGET), so each offering gets that:
                recognition, translation and transcription as a root, at which the SDK opens what it
                opens with a region (SDK-PATHS), and which wants ``Ocp-Apim-Custom-Domain-Name`` as
                a service property of the query; synthesis, whose clients ignore such a property, as
                a full URL that has it. The voices list never bears it (measured, 1.48.2 and 1.53).

        Returns:
            ``endpoint``, ``region`` or ``host``, exactly one of them: the SDK takes no two
            (measured, 1.53: SDK-ONE-DOOR). A regional route in Azure Government and China is the
            endpoint that the portal shows for the region (documented, 2025-08:
            AZ-GOV-PORTAL-ENDPOINT), since the SDK's own region table is wrong there (measured,
            1.53: SDK-REGION-TABLE). Every client opens its own path there (measured, 1.48.2 and
            1.53).
        """
        offering = Offering(offering)
        custom_domain, region = self._names()
        if self.other_host is not None:
            return {"host": self.other_host}
        if self.is_at_custom_domain:
            return {"endpoint": f"https://{custom_domain}/"}
        if self.names_custom_domain:
            if offering in urls.SPOKEN:
                return {"endpoint": self.url(f"wss://{self.host(offering)}{urls.SDK_TTS}")}
            return {"endpoint": f"https://{self.host(Offering.STT)}/"}
        if self.cloud == PUBLIC.name:
            return {"region": region}
        return {"endpoint": f"https://{cloud_of_region(region).api_host(region)}/"}

    @forgetting
    def url(self, url: str) -> str:
        """Any Speech URL, in standard or private form, converted for this route.

        URLs of the speech-to-text REST API (``speechtotext/...``) belong to the custom domain
        on both kinds of route, where there is one (AZ-REST-CUSTOM-DOMAIN). A token URL on a
        route through a private endpoint comes with a `UserWarning`, as from `rest_url`. The query
        of a URL of an offering tells the custom domain on a route that names it.

        Raises:
            UnsupportedUrl: see `urls.to_private` and `urls.to_regional`; any URL on a route to
                another host.
        """
        self._refuse_elsewhere()
        custom_domain, region = self._names()
        api = urls.api_of(urls.parse(url).path)
        if self.is_at_custom_domain or (custom_domain and api in _AT_RESOURCE):
            if api == "sts":
                warnings.warn(_ISSUED_ONLY_TO_ALL_NETWORKS, stacklevel=3)
            return urls.to_private(url, custom_domain)
        return self._naming(urls.to_regional(url, region))

    def _naming(self, url: str) -> str:
        is_named = f"{NAMES_CUSTOM_DOMAIN}=".lower() in url.lower()
        if not self.names_custom_domain or is_named or urls.parse(url).offering is None:
            return url
        return f"{url}{'&' if '?' in url else '?'}{NAMES_CUSTOM_DOMAIN}={self.custom_domain}"

    @forgetting
    def rest_url(self, offering_or_api: Offering | str, path: str) -> str:
        """An ``https`` URL of the REST APIs on this route.

        Where each is served is documented, 2024-09-24: AZ-PE-REST, AZ-REST-REGION.

        A token URL (``sts/v1.0/issueToken``) on a route through a private endpoint comes with a
        `UserWarning`: tokens are only issued there if the resource's access option is "All
        networks" (documented, 2024-09-24: AZ-TOKEN-ALL-NETWORKS).

        Args:
            offering_or_api: for example ``tts``; or an API that is part of no offering:
                ``speechtotext``, ``texttospeech`` or ``sts``.
            path: path and query as documented for the regional host, for example
                ``cognitiveservices/voices/list``. The API's name may begin it:
                ``speechtotext/v3.2/transcriptions`` is the same for every offering.

        Raises:
            ValueError: there is no such offering or API.
            UnsupportedUrl: ``path`` cannot be part of a URL, or is of another offering; any URL
                on a route to another host.
        """
        self._refuse_elsewhere()
        path = "/" + path.removeprefix("/")
        api = urls.api_of(f"/{offering_or_api}") or urls.api_of(path)
        if api:
            path = path if urls.api_of(path) == api else f"/{api}{path}"
            custom_domain = self.custom_domain if api in _AT_RESOURCE else None
            host = custom_domain or self.host(Offering.STT)
            if not self.is_at_custom_domain and not custom_domain:
                host = cloud_of_region(self._names()[1]).api_host(self._names()[1])
            elif api == "sts":
                warnings.warn(_ISSUED_ONLY_TO_ALL_NETWORKS, stacklevel=3)
            url = f"https://{host}{path}"
        else:
            offering = Offering(offering_or_api)
            path = path.removeprefix(f"/{offering}") or "/"
            prefix = f"/{offering}" if self.is_at_custom_domain else ""
            url = f"https://{self.host(offering)}{prefix}{path}"
            if urls.OFFERING_PATH.match(path):
                expected = f"a path of {offering}"
                raise UnsupportedUrl.of("path", repr(path), expected)
        urls.parse(url)
        return self._naming(url)

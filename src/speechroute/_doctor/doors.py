"""Where each client of the SDK, and of the REST APIs, connects to on a route."""

from __future__ import annotations

import warnings
from urllib.parse import urlencode, urlsplit

from .._core import urls
from .._core.clouds import Offering
from .._core.masking import mask_url
from .._core.route import Route
from .._network.proxy import Choice, choose_proxy
from .._settings.model import SpeechSettings
from .facts import ClientDoor

VOICES = "cognitiveservices/voices/list"
MODELS = "speechtotext/models/base?api-version=2024-11-15"
TOKEN = "v1.0/issueToken"  # noqa: S105  # a path
_ANY_ID = "DEPLOYMENT"
"""Stands for the id of a custom voice where none is set."""


def doors_of(route: Route, settings: SpeechSettings) -> tuple[ClientDoor, ...]:
    """The URL that each client opens (measured, 1.48.2 and 1.53: SDK-PATHS; REST: see `Route`)."""
    doors = [*_sdk(route, settings), *_rest(route)]
    chosen = []
    for door in doors:
        proxy, reason = proxy_for(door.url, route, settings)
        chosen.append(ClientDoor(door.client, door.url, door.note, str(proxy or ""), reason))
    return tuple(chosen)


def proxy_for(url: str, route: Route, settings: SpeechSettings) -> Choice:
    """The proxy that leads to a URL, if any: the region is not in the custom domain's network."""
    host = urlsplit(url).hostname or ""
    is_direct = route.is_direct and host == route.custom_domain
    return choose_proxy(settings.proxy.get_secret_value(), host, is_direct=is_direct)


def _sdk(route: Route, settings: SpeechSettings) -> list[ClientDoor]:
    if route.other_host is not None:
        return [ClientDoor("every client", route.other_host, "a host of SPEECH_ALLOW_HOSTS")]
    model, language = settings.endpoint_id, settings.language
    transcriber = {"cid": model, "language": language or (None if model else "en-us")}
    clients: tuple[tuple[str, Offering, str, dict[str, str | None]], ...] = (
        ("recognition", Offering.STT, urls.SDK_STT, {"cid": model}),
        ("translation", Offering.S2S, urls.SDK_STT, {"cid": model}),
        ("transcription", Offering.STT, urls.SDK_STT, transcriber),
        ("synthesis", Offering.TTS, urls.SDK_TTS, {}),
        ("custom voice", Offering.VOICE, urls.SDK_TTS, {"deploymentId": model or _ANY_ID}),
    )
    doors = []
    for client, offering, path, query in clients:
        full_url = settings.full_url
        if full_url:
            of_url = urls.parse(full_url).offering
            if of_url in urls.SERVED_BY[offering]:
                doors.append(ClientDoor(client, mask_url(route.url(full_url)), "full URL"))
            else:
                doors.append(ClientDoor(client, "", f"none: the full URL is one of {of_url}"))
            continue
        # With a region, a translator connects to the host of stt (measured, 1.53).
        at_region = route.host(Offering.STT if offering is Offering.S2S else offering)
        host = _endpoint_host(route, offering) or at_region
        given = urlencode({name: value for name, value in query.items() if value})
        doors.append(ClientDoor(client, f"wss://{host}{path}{f'?{given}' if given else ''}"))
    endpoint = _endpoint_host(route, Offering.TTS)
    voices = f"https://{endpoint}/tts/{VOICES}" if endpoint else route.rest_url("tts", VOICES)
    return [*doors, ClientDoor("voices list", voices)]


def _endpoint_host(route: Route, offering: Offering) -> str:
    """The host of the endpoint that configs get; empty where they get a region."""
    return urlsplit(route.sdk_kwargs(offering).get("endpoint", "")).netloc


def _rest(route: Route) -> list[ClientDoor]:
    if route.other_host is not None:
        return []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        token = route.rest_url("sts", TOKEN)
    note = "only if the access option is 'All networks'" if caught else ""
    return [
        ClientDoor("batch REST", route.rest_url("speechtotext", MODELS)),
        ClientDoor("token", token, note),
    ]

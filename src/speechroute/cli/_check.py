"""``speechroute check``: settings, DNS, decision, and the URLs that the SDK will open."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

import typer
from rich.padding import Padding
from rich.text import Text

from .. import _values, urls
from .._clouds import Offering, recognise_marker
from .._dns import DnsView, Lookup
from .._masking import mask_url
from .._proxy import choose_proxy
from .._resolver import resolve
from .._route import Route
from .._settings import SpeechSettings
from ..errors import RoutingError
from ._app import JsonFlag, app, console, describe_error, print_json, reported

_STT_PATH = "/stt/speech/universal/v2"
_TTS_PATH = "/tts/cognitiveservices/websocket/v1"
_VOICES_PATH = "/cognitiveservices/voices/list"


def client_urls(route: Route, settings: SpeechSettings) -> dict[str, str]:
    """The URL that each SDK client opens with a config for this route (measured, 1.53)."""
    if route.other_host is not None:
        return {"every client": f"{route.other_host}/..."}
    if settings.full_url:
        offering = urls.parse(settings.full_url).offering
        return {f"clients of {offering} (full URL)": mask_url(route.url(settings.full_url))}
    model, language = settings.endpoint_id, settings.language
    is_private = route.is_at_custom_domain
    speaker = Offering.VOICE if model and not is_private else Offering.TTS
    stt = {"cid": model}
    transcriber = {**stt, "language": language or (None if model else "en-us")}
    voices = f"/{Offering.TTS}{_VOICES_PATH}" if is_private else _VOICES_PATH
    clients: tuple[tuple[str, str, Offering, str, dict[str, str | None]], ...] = (
        ("SpeechRecognizer, TranslationRecognizer", "wss", Offering.STT, _STT_PATH, stt),
        ("ConversationTranscriber", "wss", Offering.STT, _STT_PATH, transcriber),
        ("SpeechSynthesizer", "wss", speaker, _TTS_PATH, {"deploymentId": model}),
        ("get_voices_async", "https", speaker, voices, {}),
    )
    opened = {}
    for client, scheme, offering, path, query in clients:
        given = urlencode({name: value for name, value in query.items() if value})
        rest = f"{path}?{given}" if given else path
        if "host" in route.sdk_kwargs(offering):
            rest = f"/... (config for {offering})"
        opened[client] = f"{scheme}://{route.host(offering)}{rest}"
    return opened


def _lookup_json(lookup: Lookup | None) -> dict[str, Any] | None:
    if lookup is None:
        return None
    return {
        "chain": list(lookup.chain),
        "addresses": [str(address) for address in lookup.addresses],
        "ttl": lookup.ttl,
        "outcome": lookup.outcome,
        "failure": lookup.failure,
    }


def _view_json(view: DnsView | None) -> dict[str, Any] | None:
    if view is None:
        return None
    return {
        "dns": _lookup_json(view.dns),
        "system": _lookup_json(view.system),
        "region_api": _lookup_json(view.region_api),
        "seconds": round(view.seconds, 3),
    }


def _settings_json(settings: SpeechSettings) -> dict[str, Any]:
    proxy = _values.split_proxy(settings.proxy.get_secret_value())
    return {
        "key": "***" if settings.key.get_secret_value() else None,
        "key_file": settings.key_file,
        "auth": settings.auth,
        "resource_id": settings.resource_id,
        "other_host": settings.resource.other_host,
        "custom_domain": settings.resource.custom_domain,
        "region": settings.resource.region,
        "cloud": settings.resource.cloud.name,
        "url": mask_url(settings.full_url) if settings.full_url else None,
        "private_endpoint": settings.private_endpoint,
        "when_undecided": settings.when_undecided,
        "language": settings.language,
        "voice": settings.voice,
        "endpoint_id": settings.endpoint_id,
        "log_file": settings.log_file,
        "proxy": f"{proxy.hostname}:{proxy.port}" if proxy else settings.proxy.get_secret_value(),
        "dns_servers": ", ".join(settings.dns_servers) or None,
        "dns_timeout": settings.dns_timeout,
    }


def _proxies(route: Route, settings: SpeechSettings) -> dict[str, str]:
    """For each host that the SDK opens: the proxy, or that there is none, and why."""
    setting, chosen = settings.proxy.get_secret_value(), {}
    for url in client_urls(route, settings).values():
        host = urlsplit(url).hostname or ""
        proxy, reason = choose_proxy(setting, host, is_direct=route.is_direct)
        chosen[host] = f"{proxy or 'none'} ({reason})"
    return chosen


def _route_json(route: Route, settings: SpeechSettings) -> dict[str, Any]:
    return {
        "kind": route.kind,
        "custom_domain": route.custom_domain,
        "region": route.region,
        "cloud": route.cloud,
        "row": route.row.id,
        "reason": route.reason,
        "warnings": list(route.warnings),
        "evidence": _view_json(route.evidence),
        "urls": client_urls(route, settings),
        "proxies": _proxies(route, settings),
    }


def _print_chain(lookup: Lookup) -> None:
    """A name a line, and what it tells behind it, or below where 80 columns are too few."""
    lines = []
    for name in lookup.chain:
        marker = recognise_marker(name)
        lines.append(Text.assemble(name, f"  {marker.kind}" if marker else "", style="default"))
    kept = "" if lookup.ttl is None else f"  valid for {lookup.ttl} s"
    lines += [Text(f"{address}{kept}") for address in lookup.addresses]
    if not lookup.addresses:
        lines.append(Text(lookup.failure or lookup.outcome))
    for line in lines:
        console.print(Padding(line, (0, 0, 0, 2), expand=False))


def _section(title: str) -> None:
    console.print(f"\n{title}", style="bold", markup=False)


def _pairs(pairs: dict[str, Any]) -> None:
    for name, value in pairs.items():
        if value is not None:
            console.print(f"  {name:<18}{value}", markup=False, soft_wrap=True)


@app.command()
def check(as_json: JsonFlag = False) -> None:
    """Show the settings, what DNS says, the route and why, and the URLs that the SDK opens."""
    with reported(as_json):
        settings = SpeechSettings()
        if as_json:
            _check_json(settings)
            return
        _section("Settings")
        _pairs(_settings_json(settings))
        route = resolve(settings)
        if route.evidence:
            _section("DNS")
            _print_chain(route.evidence.dns)
            system = route.evidence.system
            if system:
                said = ", ".join(map(str, system.addresses)) or system.failure
                console.print(f"  The operating system says: {said}", markup=False)
        _section("Route")
        console.print(f"  {route.kind}", style="bold green", markup=False)
        console.print(Padding(Text(route.reason), (0, 0, 0, 2), expand=False))
        _section("URLs that the SDK will open")
        for client, url in client_urls(route, settings).items():
            console.print(f"  {client}\n    {url}", markup=False, soft_wrap=True)
        _section("Proxy")
        for host, chosen in _proxies(route, settings).items():
            console.print(f"  {host}\n    {chosen}", markup=False, soft_wrap=True)
        for warning in route.warnings:
            console.print(f"\nWarning: {warning}", style="yellow", markup=False)


def _check_json(settings: SpeechSettings) -> None:
    document: dict[str, Any] = {"settings": _settings_json(settings), "route": None, "error": None}
    try:
        document["route"] = _route_json(resolve(settings), settings)
    except RoutingError as error:
        document["error"] = describe_error(error)
    print_json(document)
    if document["error"]:
        raise typer.Exit(1)

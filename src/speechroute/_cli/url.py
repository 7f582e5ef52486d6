"""``speechroute url``: one URL, converted."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from .._core import urls
from .._network.resolve import resolve
from .._settings.model import SpeechSettings
from .console import JsonFlag, print_json, reported


class _To(StrEnum):
    PRIVATE = "private"
    REGIONAL = "regional"


def url(
    url: Annotated[str, typer.Argument(help="A Speech URL in standard or private form.")],
    to: Annotated[
        _To | None, typer.Option(help="Convert to this form; default: the current route's.")
    ] = None,
    custom_domain: Annotated[
        str | None, typer.Option(help="For --to private; default: from the settings.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="For --to regional; default: from settings or DNS.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Convert a Speech URL to the one that works for the current route."""
    with reported(as_json):
        converted = _convert(url, to, custom_domain, region)
        if as_json:
            print_json({"url": url, "converted": converted})
        else:
            typer.echo(converted)


def _convert(url: str, to: _To | None, custom_domain: str | None, region: str | None) -> str:
    if to is _To.PRIVATE:
        custom_domain = custom_domain or SpeechSettings().resource.custom_domain
        if custom_domain is None:
            raise typer.BadParameter("needs a custom domain: --custom-domain or SPEECH_ENDPOINT")
        return urls.to_private(url, custom_domain)
    if to is _To.REGIONAL:
        region = region or SpeechSettings().resource.region or resolve().region
        if region is None:
            raise typer.BadParameter("needs a region: --region or SPEECH_REGION")
        return urls.to_regional(url, region)
    return resolve().url(url)

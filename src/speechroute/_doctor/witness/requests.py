"""What is asked by plain HTTPS, and how an answer is read. Pure."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from ..._core import urls
from ..._core.answer import Answer
from ..._core.clouds import Offering, recognise_host
from ..._core.route import NAMES_CUSTOM_DOMAIN, Route
from ..doors import MODELS, TOKEN, VOICES
from .testimony import Asked, DoorKind, Leads, Reply

LANGUAGE = "en-US"
_SHORT_AUDIO = f"speech/recognition/conversation/cognitiveservices/v1?language={LANGUAGE}"
_SPEAK = "cognitiveservices/v1"
_VOICE = "en-US-AvaNeural"
_BYTES_A_SECOND = 32_000
NO_CONNECTION = "no connection"
NONE, GIVEN, BARE = "none", "in the form of the door", "without the resource's id"


class Request(NamedTuple):
    """One request by plain HTTPS.

    Attributes:
        credential: which one it has.
        body: makes it a POST.
    """

    asked: Asked
    url: str
    credential: str = GIVEN
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None


class Speech(NamedTuple):
    """What is said, as a file and as a text.

    Attributes:
        path: of the file.
        wav: what it holds: 16 kHz, 16 bit, mono.
        words: of both, in English.
    """

    path: str
    wav: bytes
    words: str

    @property
    def seconds(self) -> float:
        return len(self.wav) / _BYTES_A_SECOND


def requests_of(door: DoorKind, route: Route, speech: Speech) -> Iterator[Request]:
    socket = f"wss://{route.host(Offering.STT)}{urls.SDK_STT}"
    yield Request(Asked.KEYLESS, socket, NONE)
    yield Request(Asked.UPGRADE, socket)
    if door is DoorKind.REGION:
        named = f"{socket}?{NAMES_CUSTOM_DOMAIN}={route.custom_domain}"
        yield Request(Asked.NAMED, named, BARE)
    else:
        yield Request(Asked.MODELS, route.rest_url("speechtotext", MODELS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a token may not be issued is what is tried
        yield Request(Asked.TOKEN, route.rest_url("sts", TOKEN), body=b"")
    yield Request(Asked.REST_VOICES, route.rest_url(Offering.TTS, VOICES))
    yield Request(
        Asked.REST_SPEECH,
        route.rest_url(Offering.TTS, _SPEAK),
        headers=(
            ("Content-Type", "application/ssml+xml"),
            ("X-Microsoft-OutputFormat", "riff-16khz-16bit-mono-pcm"),
        ),
        body=(
            f'<speak version="1.0" xml:lang="{LANGUAGE}">'
            f'<voice xml:lang="{LANGUAGE}" name="{_VOICE}">{speech.words}</voice></speak>'
        ).encode(),
    )
    yield Request(
        Asked.SHORT_AUDIO,
        route.rest_url(Offering.STT, _SHORT_AUDIO),
        headers=(("Content-Type", "audio/wav; codecs=audio/pcm; samplerate=16000"),),
        body=speech.wav,
    )


def reply_of(answer: Answer, url: str, route: Route) -> Reply:
    """What an answer says, without a name in it."""
    if answer.status is None:
        return Reply(None, NO_CONNECTION)
    if not answer.location:
        return Reply(answer.status)
    there, asked = urlsplit(answer.location), urlsplit(url)
    host = recognise_host(answer.leads_to)
    is_region = host is not None and host.region is not None and host.cloud.name == route.cloud
    names = {name.lower(): value.lower() for name, value in parse_qsl(there.query)}
    leads = Leads(
        is_region and host is not None and route.region in (None, host.region),
        there.path in (asked.path, urls.OFFERING_PATH.sub("", asked.path)),
        names.get(NAMES_CUSTOM_DOMAIN.lower()) == route.custom_domain,
    )
    return Reply(answer.status, "", leads)

"""The REST APIs behind the front doors: voices, text to speech, short audio, models, tokens.

What each takes and answers: "Text to speech REST API" (2024-09-23), "Speech to text REST API for
short audio" (2023-05-02) and "Models - List Base Models" (3.2), Microsoft Learn (documented:
AZ-REST-FORMS; but for what is said to be assumed).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from ._recognition import RecognitionSession
from ._synthesis import ssml_text, tone

VOICES_PATH = "/cognitiveservices/voices/list"
SPEAK_PATH = "/cognitiveservices/v1"
RECOGNITION_PATHS = frozenset(
    f"/speech/recognition/{mode}/cognitiveservices/v1"
    for mode in ("interactive", "conversation", "dictation")
)
MODELS_PATHS = frozenset(f"{version}/models/base" for version in ("", "/v3.0", "/v3.1", "/v3.2"))
"""Behind ``/speechtotext``."""
TOKEN_PATH = "/v1.0/issueToken"  # noqa: S105  # a path
"""Behind ``/sts``."""
METHODS = {
    VOICES_PATH: "GET",
    SPEAK_PATH: "POST",
    TOKEN_PATH: "POST",
    **dict.fromkeys(MODELS_PATHS, "GET"),
    **dict.fromkeys(RECOGNITION_PATHS, "POST"),
}
_FORMAT_HEADER = "X-Microsoft-OutputFormat"
_SSML = "application/ssml+xml"


def refuse(status: int, message: str) -> web.Response:
    """An error, in the form in which the doors tell it."""
    error = {"code": str(status), "message": message}
    return web.json_response({"error": error}, status=status)


async def answer(
    request: web.Request,
    path: str,
    region: str,
    recognition: RecognitionSession,
    issue_token: Callable[[], str],
) -> web.Response:
    """Answer a request that a door has let in.

    Args:
        request: its body is read here, if it is needed.
        path: one of `METHODS`: what is asked for, without the offering.
        region: the region of the voices.
        recognition: hears the audio, if that is what the request has.
        issue_token: makes a token, if that is what the request is for.
    """
    if request.method != METHODS[path]:
        refusal = refuse(405, f"use {METHODS[path]} here")
        refusal.headers["Allow"] = METHODS[path]
        return refusal
    try:
        if path == VOICES_PATH:
            return web.json_response(_voices(region))
        if path == SPEAK_PATH:
            return await _speak(request)
        if path in MODELS_PATHS:
            return web.json_response({"values": _models(request)})
        if path == TOKEN_PATH:
            # As text/plain (documented for its predecessor, Bing Speech; public code has
            # application/jwt too).
            return web.Response(text=issue_token())
        return await _recognize(request, recognition)
    except (ConnectionError, ValueError) as error:  # the former: the client broke off
        return refuse(400, str(error))


async def _speak(request: web.Request) -> web.Response:
    if request.content_type != _SSML:
        return refuse(415, f"the Content-Type is {request.content_type}; send {_SSML}")
    audio_format = request.headers.get(_FORMAT_HEADER)
    if not audio_format:
        raise ValueError(f"the header {_FORMAT_HEADER} is missing")
    audio = tone(ssml_text(await request.read()), audio_format)
    # Which type goes with which format is assumed.
    content_type = "audio/x-wav" if audio_format.startswith("riff") else "audio/basic"
    return web.Response(body=audio, content_type=content_type)


async def _recognize(request: web.Request, recognition: RecognitionSession) -> web.Response:
    if not request.query.get("language"):
        raise ValueError("the query parameter language is missing; append ?language=en-US")
    # One phrase, as to a client that recognises once (assumed).
    phrase = recognition.recognize(await request.read())
    text = "NBest" if request.query.get("format") == "detailed" else "DisplayText"
    told = ("RecognitionStatus", text, "Offset", "Duration")
    return web.json_response({name: phrase[name] for name in told if name in phrase})


def _models(request: web.Request) -> list[dict[str, str]]:
    """A page of models without its other fields, and without a link to a next one."""
    return [
        {
            "self": f"https://{request.host}{request.path}/{number:08}-0000-0000-0000-000000000000",
            "displayName": f"20240101 of the emulator ({locale})",
            "locale": locale,
        }
        for number, locale in enumerate(("en-US", "de-DE"), 1)
    ]


def _voices(region: str) -> list[dict[str, Any]]:
    return [
        _voice(region, "en-US-AvaNeural", "Female", "Ava"),
        _voice(region, "de-DE-KatjaNeural", "Female", "Katja"),
    ]


def _voice(region: str, short_name: str, gender: str, local_name: str) -> dict[str, Any]:
    locale = short_name.rsplit("-", 1)[0]
    return {
        "Name": f"Microsoft Server Speech Text to Speech Voice ({locale}, {local_name}Neural)",
        "DisplayName": local_name,
        "LocalName": local_name,
        "ShortName": short_name,
        "Gender": gender,
        "Locale": locale,
        "LocaleName": f"{locale} as spoken by the emulator in {region}",
        "SampleRateHertz": "24000",
        "VoiceType": "Neural",
        "Status": "GA",
        "WordsPerMinute": "150",
    }

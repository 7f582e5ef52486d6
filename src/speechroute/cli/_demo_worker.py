"""The demo's other process: recognises a file on request, with the real SDK.

Reads JSON lines ``{"way": ..., "wav": ...}`` and answers each with one.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from .._factory import SpeechConfigFactory
from .._proxy import choose_proxy


def _static_config(way: str, factory: SpeechConfigFactory) -> speechsdk.SpeechConfig:
    """What people write by hand, and the proxy without which nothing is reached here."""
    settings = factory.settings
    custom_domain = settings.resource.custom_domain or ""
    doors = {
        "region": {"region": "westeurope"},
        "endpoint": {"endpoint": f"https://{custom_domain}/"},
    }
    config = speechsdk.SpeechConfig(subscription=settings.key.get_secret_value(), **doors[way])
    proxy = choose_proxy(settings.proxy.get_secret_value(), custom_domain, is_direct=False)
    if proxy:
        config.set_proxy(proxy.host, proxy.port)
    return config


def _recognise(way: str, wav: str, factory: SpeechConfigFactory) -> dict[str, Any]:
    factory.invalidate()
    config = factory.speech_config() if way == "speechroute" else _static_config(way, factory)
    audio = speechsdk.audio.AudioConfig(filename=wav)
    result = speechsdk.SpeechRecognizer(config, audio).recognize_once()
    recognised = result.reason == speechsdk.ResultReason.RecognizedSpeech
    error = (
        ""
        if recognised or not result.cancellation_details
        else (result.cancellation_details.error_details)
    )
    status = re.search(r"\((\d{3})\)", error)
    return {
        "recognised": recognised,
        "text": result.text,
        "error": error,
        "status": int(status[1]) if status else None,
    }


def main() -> None:
    factory = SpeechConfigFactory()
    for line in sys.stdin:
        request = json.loads(line)
        answer = _recognise(request["way"], request["wav"], factory)
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()

"""Speak a sentence with LiveKit's Azure plugin, over REST: python livekit_tts.py."""

import asyncio
import sys
from typing import Any

import aiohttp
from livekit.agents import APIError
from livekit.plugins import azure

from speechroute import SpeechSettings, resolve


async def speak(**door: Any) -> float:
    """Seconds of audio."""
    # Inside a LiveKit job the plugin has a session already. This one honours HTTPS_PROXY.
    async with aiohttp.ClientSession(trust_env=True) as session:
        tts = azure.TTS(http_session=session, **door)
        audio = await tts.synthesize("Hello from the right door.").collect()
        return float(audio.duration)


def main() -> None:
    settings = SpeechSettings()
    url = resolve(settings).rest_url("tts", "cognitiveservices/v1")
    key = settings.key.get_secret_value()
    try:
        print(f"{asyncio.run(speak(speech_key=key, speech_endpoint=url)):.2f} seconds")
    except APIError as error:
        sys.exit(f"not spoken: {error}")


if __name__ == "__main__":
    main()

"""Recognise a WAV file with LiveKit's Azure plugin: python livekit_stt.py."""

import asyncio
import sys
import wave
from pathlib import Path
from typing import Any

from livekit import rtc
from livekit.agents import APIError
from livekit.agents.stt import SpeechEventType
from livekit.plugins import azure

from speechroute import SpeechSettings, resolve

WAV = Path(__file__).parents[1] / "hello.wav"


async def recognise(**door: Any) -> str:
    with wave.open(str(WAV)) as wav:
        rate, channels, samples = wav.getframerate(), wav.getnchannels(), wav.getnframes()
        frame = rtc.AudioFrame(wav.readframes(samples), rate, channels, samples)
    async with azure.STT(**door).stream() as stream:
        stream.push_frame(frame)
        stream.end_input()
        final = SpeechEventType.FINAL_TRANSCRIPT
        texts = [event.alternatives[0].text async for event in stream if event.type == final]
    return " ".join(texts)


def main() -> None:
    settings = SpeechSettings()
    route = resolve(settings)
    door = {f"speech_{name}": value for name, value in route.sdk_kwargs().items()}
    try:
        text = asyncio.run(recognise(speech_key=settings.key.get_secret_value(), **door))
    except APIError as error:
        sys.exit(f"not recognised: {error}")
    # A refusal after the end of the audio ends the stream without an error, with a warning only.
    print(text or sys.exit("not recognised: no text, see the warning of livekit.plugins.azure"))


if __name__ == "__main__":
    main()

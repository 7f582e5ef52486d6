"""The speech tools of langchain-community, unchanged: python langchain_community_tools.py.

They ask for a region, so SPEECH_REGION has to be set. It is used where it is the right door.
"""

import sys
import wave
from pathlib import Path
from typing import Any

from langchain_community.tools.azure_ai_services import (
    AzureAiServicesSpeechToTextTool,
    AzureAiServicesTextToSpeechTool,
)

from speechroute import SpeechSettings, inject_into_speechsdk

WAV = Path(__file__).parents[1] / "hello.wav"


def speak(**door: Any) -> float:
    """Seconds of audio."""
    file = Path(AzureAiServicesTextToSpeechTool(**door).run("Hello from the right door."))
    with wave.open(str(file)) as wav:
        seconds: float = wav.getnframes() / wav.getframerate()
    file.unlink()
    return seconds


def recognise(**door: Any) -> str:
    return str(AzureAiServicesSpeechToTextTool(**door).run(str(WAV)))


def main() -> None:
    inject_into_speechsdk()
    settings = SpeechSettings()
    door = {
        "azure_ai_services_key": settings.key.get_secret_value(),
        "azure_ai_services_region": settings.resource.region,
    }
    try:
        print(f"{speak(**door):.2f} seconds")
    except RuntimeError as error:
        sys.exit(f"not spoken: {error}")
    # If the service refuses, this tool returns an empty text, and no error.
    print(recognise(**door) or sys.exit("not recognised: no text"))


if __name__ == "__main__":
    main()

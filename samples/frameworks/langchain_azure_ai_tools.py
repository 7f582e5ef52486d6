"""The speech tools of langchain-azure-ai, unchanged: python langchain_azure_ai_tools.py."""

import sys
import wave
from pathlib import Path
from typing import Any

from langchain_azure_ai.tools.services.speech_to_text import AzureAISpeechToTextTool
from langchain_azure_ai.tools.services.text_to_speech import AzureAITextToSpeechTool

from speechroute import SpeechSettings, inject_into_speechsdk

WAV = Path(__file__).parents[1] / "hello.wav"


def speak(**door: Any) -> float:
    """Seconds of audio."""
    file = Path(AzureAITextToSpeechTool(**door).run("Hello from the right door."))
    with wave.open(str(file)) as wav:
        seconds: float = wav.getnframes() / wav.getframerate()
    file.unlink()
    return seconds


def recognise(**door: Any) -> str:
    return str(AzureAISpeechToTextTool(**door).run(str(WAV)))


def main() -> None:
    inject_into_speechsdk()
    settings = SpeechSettings()
    key, endpoint = settings.key.get_secret_value(), f"https://{settings.resource.custom_domain}/"
    try:
        print(f"{speak(credential=key, endpoint=endpoint):.2f} seconds")
    except RuntimeError as error:
        sys.exit(f"not spoken: {error}")
    # If the service refuses, this tool returns an empty text, and no error.
    print(recognise(credential=key, endpoint=endpoint) or sys.exit("not recognised: no text"))


if __name__ == "__main__":
    main()

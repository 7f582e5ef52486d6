"""Recognise pushed audio while doors may move: python recognize_stream.py [FILE].

FILE is a WAV file of 16-bit samples.
"""

import sys
import wave
from pathlib import Path

from speechroute import SpeechConfigFactory, SpeechRouteError
from speechroute.streams import PcmFormat, StreamResult

path = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))


def print_result(result: StreamResult) -> None:
    print(f"{result.offset / 10_000_000:6.2f} s  {result.text}")


with wave.open(path) as wav:
    audio_format = PcmFormat(wav.getframerate(), 8 * wav.getsampwidth(), wav.getnchannels())
    try:
        with SpeechConfigFactory().recognize_stream(
            print_result, audio_format=audio_format
        ) as stream:
            while frames := wav.readframes(1600):
                stream.write(frames)
    except SpeechRouteError as error:
        sys.exit(f"not recognised: {error}")
for recovery in stream.recoveries:
    print(f"went on through: {recovery.after.reason}")

"""Recognise a whole WAV file, phrase by phrase: python recognize_continuous.py [FILE]."""

import sys
import threading
from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import speech_config

wav = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))
audio = speechsdk.audio.AudioConfig(filename=wav)
recognizer = speechsdk.SpeechRecognizer(speech_config(), audio)
finished = threading.Event()
errors: list[str] = []


def on_canceled(event: speechsdk.SpeechRecognitionCanceledEventArgs) -> None:
    if event.cancellation_details.reason == speechsdk.CancellationReason.Error:
        errors.append(event.cancellation_details.error_details)
    finished.set()


recognizer.recognized.connect(lambda event: event.result.text and print(event.result.text))
recognizer.canceled.connect(on_canceled)
recognizer.session_stopped.connect(lambda _: finished.set())  # all there is without any audio
recognizer.start_continuous_recognition()
finished.wait()
recognizer.stop_continuous_recognition()
if errors:
    sys.exit(f"not recognised: {errors[0]}")

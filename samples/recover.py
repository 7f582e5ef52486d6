"""Recognise one phrase, through the other door if the first has moved: python recover.py [FILE]."""

import sys
from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import SpeechConfigFactory

wav = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))


def recognize(config: speechsdk.SpeechConfig) -> speechsdk.SpeechRecognitionResult:
    audio = speechsdk.audio.AudioConfig(filename=wav)
    return speechsdk.SpeechRecognizer(config, audio).recognize_once()


attempt = SpeechConfigFactory().attempt(recognize)
if attempt.result.reason == speechsdk.ResultReason.Canceled:
    sys.exit(f"{attempt.result.cancellation_details.error_details}\n{attempt.reason}")
print(attempt.result.text)
print(attempt.reason)

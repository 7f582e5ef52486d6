"""Recognise one utterance of a WAV file: python recognize_file.py [FILE]."""

import sys
from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import speech_config

wav = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))
audio = speechsdk.audio.AudioConfig(filename=wav)
result = speechsdk.SpeechRecognizer(speech_config(), audio).recognize_once()

if result.reason == speechsdk.ResultReason.Canceled:
    sys.exit(f"not recognised: {result.cancellation_details.error_details}")
print(result.text)

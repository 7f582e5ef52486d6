"""Translate one utterance of a WAV file: python translate.py [FILE] [LANGUAGE...]."""

import sys
from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import translation_config

wav = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))
config = translation_config(sys.argv[2:] or ["de", "fr"], language="en-US")
audio = speechsdk.audio.AudioConfig(filename=wav)
recognizer = speechsdk.translation.TranslationRecognizer(config, audio_config=audio)
result = recognizer.recognize_once()

if result.reason == speechsdk.ResultReason.Canceled:
    sys.exit(f"not translated: {result.cancellation_details.error_details}")
print(result.text)
for language, text in result.translations.items():
    print(f"{language}: {text}")

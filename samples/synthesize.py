"""Speak a text into a WAV file: python synthesize.py TEXT [FILE]."""

import sys

import azure.cognitiveservices.speech as speechsdk

from speechroute import speech_config

text = sys.argv[1] if len(sys.argv) > 1 else "Hello from the right door."
wav = sys.argv[2] if len(sys.argv) > 2 else "synthesized.wav"  # noqa: PLR2004
audio = speechsdk.audio.AudioOutputConfig(filename=wav)
result = speechsdk.SpeechSynthesizer(speech_config("tts"), audio).speak_text(text)

if result.reason == speechsdk.ResultReason.Canceled:
    sys.exit(f"not spoken: {result.cancellation_details.error_details}")
print(f"{wav}: {result.audio_duration.total_seconds():.2f} seconds")

"""Transcribe a WAV file with speakers: python transcribe_conversation.py [FILE]."""

import sys
import threading
from pathlib import Path

import azure.cognitiveservices.speech as speechsdk

from speechroute import speech_config

wav = sys.argv[1] if len(sys.argv) > 1 else str(Path(__file__).with_name("hello.wav"))
audio = speechsdk.audio.AudioConfig(filename=wav)
transcriber = speechsdk.transcription.ConversationTranscriber(speech_config(), audio)
finished = threading.Event()
errors: list[str] = []


def on_transcribed(event: speechsdk.transcription.ConversationTranscriptionEventArgs) -> None:
    if event.result.text:
        print(f"{event.result.speaker_id}: {event.result.text}")


def on_canceled(event: speechsdk.transcription.ConversationTranscriptionCanceledEventArgs) -> None:
    if event.cancellation_details.reason == speechsdk.CancellationReason.Error:
        errors.append(event.cancellation_details.error_details)
    finished.set()


transcriber.transcribed.connect(on_transcribed)
transcriber.canceled.connect(on_canceled)
transcriber.session_stopped.connect(lambda _: finished.set())  # all there is without any audio
transcriber.start_transcribing_async().get()
finished.wait()
transcriber.stop_transcribing_async().get()
if errors:
    sys.exit(f"not transcribed: {errors[0]}")

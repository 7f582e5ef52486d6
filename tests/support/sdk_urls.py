"""Prints which URL each client of the SDK opens, as its log says; run as a program.

python sdk_urls.py FOLDER PROXY_PORT CONFIGS, where the SDK logs to FOLDER and CONFIGS is a JSON
object: the keyword arguments of SpeechConfig for each offering. Prints one JSON object: the SDK's
version, and client to URL. Clients run side by side, since each takes seconds to give up; the
voices list runs last, alone, so that the last tunnel is its own.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from places import WAV

_PATIENCE_S = 30
ID = "0f8fad5b-d9cb-469f-a165-70867728950e"


class Clients:
    """Each public method runs one client until it has tried to connect."""

    def __init__(self, log: str, proxy_port: int, configs: dict[str, dict[str, str]]) -> None:
        self._log, self._proxy_port, self._configs = log, proxy_port, configs

    def _config(self, offering: str, kind: Any = speechsdk.SpeechConfig, **more: Any) -> Any:
        config = kind(subscription="0" * 32, **self._configs[offering], **more)
        config.set_proxy("127.0.0.1", self._proxy_port)
        config.set_property(speechsdk.PropertyId.Speech_LogFilename, self._log)
        return config

    def _recognizer(self, config: Any = None, **more: Any) -> Any:
        audio = speechsdk.audio.AudioConfig(filename=str(WAV))
        config = config or self._config("stt")
        return speechsdk.SpeechRecognizer(config, audio_config=audio, **more)

    @staticmethod
    def _until_ended(client: Any, start: Callable[[], Any]) -> None:
        ended = threading.Event()
        client.canceled.connect(lambda _: ended.set())
        start().get()
        if not ended.wait(_PATIENCE_S):
            raise TimeoutError("the client neither ended nor failed")

    def recognize_once(self) -> None:
        self._recognizer().recognize_once()

    def continuous(self) -> None:
        recognizer = self._recognizer()
        self._until_ended(recognizer, recognizer.start_continuous_recognition_async)

    def dictation(self) -> None:
        config = self._config("stt")
        config.enable_dictation()
        recognizer = self._recognizer(config)
        self._until_ended(recognizer, recognizer.start_continuous_recognition_async)

    def auto_detect(self) -> None:
        detect = speechsdk.languageconfig.AutoDetectSourceLanguageConfig(["en-US", "de-DE"])
        self._recognizer(auto_detect_source_language_config=detect).recognize_once()

    def source_language(self) -> None:
        language = speechsdk.languageconfig.SourceLanguageConfig("de-DE")
        self._recognizer(source_language_config=language).recognize_once()

    def endpoint_id(self) -> None:
        config = self._config("stt")
        config.endpoint_id = ID
        self._recognizer(config).recognize_once()

    def pronunciation(self) -> None:
        recognizer = self._recognizer()
        speechsdk.PronunciationAssessmentConfig(reference_text="hello").apply_to(recognizer)
        recognizer.recognize_once()

    def translation(self) -> None:
        kind = speechsdk.translation.SpeechTranslationConfig
        config = self._config("s2s", kind, target_languages=("de",))
        config.speech_recognition_language = "en-US"
        audio = speechsdk.audio.AudioConfig(filename=str(WAV))
        client = speechsdk.translation.TranslationRecognizer(config, audio_config=audio)
        client.recognize_once()

    def transcription(self) -> None:
        audio = speechsdk.audio.AudioConfig(filename=str(WAV))
        client = speechsdk.transcription.ConversationTranscriber(self._config("stt"), audio)
        self._until_ended(client, client.start_transcribing_async)

    def synthesis(self) -> None:
        speechsdk.SpeechSynthesizer(self._config("tts"), None).speak_text("x")

    def custom_voice(self) -> None:
        config = self._config("voice")
        config.endpoint_id = ID
        speechsdk.SpeechSynthesizer(config, None).speak_text("x")

    def text_stream(self) -> None:
        kind = speechsdk.SpeechSynthesisRequestInputType.TextStream
        request = speechsdk.SpeechSynthesisRequest(input_type=kind)
        synthesizer = speechsdk.SpeechSynthesizer(self._config("tts"), None)
        decided = threading.Event()
        connection = speechsdk.Connection.from_speech_synthesizer(synthesizer)
        connection.connected.connect(lambda _: decided.set())
        synthesizer.synthesis_canceled.connect(lambda _: decided.set())
        future = synthesizer.speak_async(request)
        # Text that is written before can hang the SDK for 40 s (measured, 1.53: 1 time in 100).
        if not decided.wait(_PATIENCE_S):
            raise TimeoutError("the client neither connected nor failed")
        request.input_stream.write("x")
        request.input_stream.close()
        future.get()

    def voices_list(self) -> None:
        speechsdk.SpeechSynthesizer(self._config("tts"), None).get_voices_async().get()


def _opened(folder: str, proxy_port: int, configs: dict[str, dict[str, str]], name: str) -> Any:
    # The SDK has one log per process.
    log = Path(folder) / f"{os.getpid()}.log"
    before = log.stat().st_size if log.exists() else 0
    getattr(Clients(str(log), proxy_port, configs), name)()
    text = log.read_bytes()[before:].decode(errors="replace")
    return sorted(set(re.findall(r"name='SPEECH-ConnectionUrl'; value='([^']+)'", text)))


def main() -> None:
    folder, proxy_port, configs = sys.argv[1:]
    opened = partial(_opened, folder, int(proxy_port), json.loads(configs))
    *names, last = (name for name in vars(Clients) if not name.startswith("_"))
    with ProcessPoolExecutor(len(names), multiprocessing.get_context("fork")) as pool:
        found = dict(zip(names, pool.map(opened, names), strict=True))
    found[last] = opened(last)
    print(json.dumps({"version": speechsdk.__version__, "opened": found}))


if __name__ == "__main__":
    main()

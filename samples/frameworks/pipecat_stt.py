"""Recognise a WAV file with Pipecat: python pipecat_stt.py."""

import asyncio
import sys
import wave
from pathlib import Path
from typing import Any

from loguru import logger
from pipecat.frames.frames import ErrorFrame, InputAudioRawFrame, TranscriptionFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.services.azure.stt import AzureSTTService
from pipecat.workers.runner import WorkerRunner

from speechroute import SpeechSettings, resolve

WAV = Path(__file__).parents[1] / "hello.wav"
ONE_SECOND_OF_SILENCE = bytes(32_000)


async def recognise(**door: Any) -> str:
    texts: list[str] = []
    errors: list[str] = []
    # Nothing tells the end of what is heard: the pipeline ends after so many seconds of nothing.
    pipeline = Pipeline([AzureSTTService(sample_rate=16_000, **door)])
    worker = PipelineWorker(pipeline, idle_timeout_secs=3)

    async def on_heard(_worker: PipelineWorker, frame: TranscriptionFrame) -> None:
        texts.append(frame.text)

    async def on_error(_worker: PipelineWorker, frame: ErrorFrame) -> None:
        errors.append(frame.error)
        await worker.cancel()

    worker.add_event_handler("on_frame_reached_downstream", on_heard)
    worker.set_reached_downstream_filter((TranscriptionFrame,))
    worker.add_event_handler("on_pipeline_error", on_error)
    with wave.open(str(WAV)) as wav:
        audio = wav.readframes(wav.getnframes()) + ONE_SECOND_OF_SILENCE
    await worker.queue_frame(InputAudioRawFrame(audio, sample_rate=16_000, num_channels=1))
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()
    if errors:
        raise RuntimeError(errors[0])
    return " ".join(texts)


def main() -> None:
    logger.configure(handlers=[{"sink": sys.stderr, "level": "WARNING"}])
    settings = SpeechSettings()
    door = resolve(settings).sdk_kwargs()
    key = settings.key.get_secret_value()
    arguments = {"region": door.get("region"), "private_endpoint": door.get("endpoint")}
    try:
        print(asyncio.run(recognise(api_key=key, **arguments)))
    except RuntimeError as error:
        sys.exit(f"not recognised: {error}")


if __name__ == "__main__":
    main()

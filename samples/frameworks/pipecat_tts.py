"""Speak a sentence with Pipecat: python pipecat_tts.py."""

import asyncio
import sys
from typing import Any

from loguru import logger
from pipecat.frames.frames import EndFrame, ErrorFrame, TTSAudioRawFrame, TTSSpeakFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineWorker
from pipecat.services.azure.tts import AzureTTSService
from pipecat.workers.runner import WorkerRunner

from speechroute import SpeechSettings, resolve


async def speak(**door: Any) -> float:
    """Seconds of audio."""
    seconds: list[float] = []
    errors: list[str] = []
    worker = PipelineWorker(Pipeline([AzureTTSService(sample_rate=16_000, **door)]))

    async def on_audio(_worker: PipelineWorker, frame: TTSAudioRawFrame) -> None:
        seconds.append(frame.num_frames / frame.sample_rate)

    async def on_error(_worker: PipelineWorker, frame: ErrorFrame) -> None:
        errors.append(frame.error)

    worker.add_event_handler("on_frame_reached_downstream", on_audio)
    worker.set_reached_downstream_filter((TTSAudioRawFrame,))
    worker.add_event_handler("on_pipeline_error", on_error)
    await worker.queue_frames([TTSSpeakFrame("Hello from the right door."), EndFrame()])
    runner = WorkerRunner()
    await runner.add_workers(worker)
    await runner.run()
    if errors:
        raise RuntimeError(errors[0])
    return sum(seconds)


def main() -> None:
    logger.configure(handlers=[{"sink": sys.stderr, "level": "WARNING"}])
    settings = SpeechSettings()
    door = resolve(settings).sdk_kwargs()
    key = settings.key.get_secret_value()
    arguments = {"region": door.get("region"), "private_endpoint": door.get("endpoint")}
    try:
        print(f"{asyncio.run(speak(api_key=key, **arguments)):.2f} seconds")
    except RuntimeError as error:
        sys.exit(f"not spoken: {error}")


if __name__ == "__main__":
    main()

"""Transcribe a folder of WAV files with Dask: python dask_folder.py FOLDER [--workers N].

Progress on stderr; then the texts on stdout, in the folder's order. The factory is pickled to the
workers without key and route: each worker reads the key from its environment and finds its door.
"""

import argparse
import queue
import sys
from pathlib import Path
from typing import Any, NamedTuple

import azure.cognitiveservices.speech as speechsdk
from distributed import Client, LocalCluster, as_completed, get_worker

from speechroute import SpeechConfigFactory, SpeechRouteError


class Transcript(NamedTuple):
    name: str
    text: str
    error: str
    by: str


def recognise(factory: SpeechConfigFactory, wav: str) -> str:
    """The whole text of a file."""
    texts: list[str] = []

    def to_the_end(config: speechsdk.SpeechConfig) -> Any:
        texts.clear()
        ends: queue.SimpleQueue[Any] = queue.SimpleQueue()
        audio = speechsdk.audio.AudioConfig(filename=wav)
        recognizer = speechsdk.SpeechRecognizer(config, audio)
        recognizer.recognized.connect(lambda event: texts.append(event.result.text))
        recognizer.canceled.connect(ends.put)  # at the end of the file too
        recognizer.session_stopped.connect(ends.put)  # the only event for a file without audio
        recognizer.start_continuous_recognition()
        end = ends.get()
        recognizer.stop_continuous_recognition()
        return end

    details = getattr(factory.run(to_the_end), "cancellation_details", None)
    if details is None:
        raise RuntimeError("the file holds no audio")
    if details.reason == speechsdk.CancellationReason.Error:
        raise RuntimeError(details.error_details.partition("\n")[0])
    return " ".join(filter(None, texts))


def transcribe(factory: SpeechConfigFactory, wav: Path) -> Transcript:
    """Runs in a worker."""
    try:
        text, error = recognise(factory, str(wav)), ""
    except (RuntimeError, SpeechRouteError) as problem:
        # In an exception of the SDK the reason follows its call stack.
        text, error = "", str(problem).rpartition("\n")[2]
    return Transcript(wav.name, text, error, f"worker {get_worker().name}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Transcribe a folder of WAV files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--workers", type=int, default=2, help="processes (default: 2)")
    arguments = parser.parse_args()
    files = sorted(arguments.folder.glob("*.wav"))
    if not files:
        parser.error(f"no WAV files in {arguments.folder}")
    done: list[Transcript] = []
    with (
        LocalCluster(
            n_workers=arguments.workers, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        Client(cluster) as client,
    ):
        # Once to each worker, not once with each file: a worker's files share a route.
        factory = client.scatter(SpeechConfigFactory(), broadcast=True)
        tasks = [client.submit(transcribe, factory, file) for file in files]
        for _, each in as_completed(tasks, with_results=True):
            done.append(each)
            said = f"failed: {each.error}" if each.error else each.text
            print(f"{len(done)}/{len(files)} {each.name}, {each.by}: {said}", file=sys.stderr)
    for each in sorted(done):
        if not each.error:
            print(f"{each.name}: {each.text}")
    sys.exit(any(each.error for each in done))


if __name__ == "__main__":
    main()

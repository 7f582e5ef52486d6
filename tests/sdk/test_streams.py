"""A stream of audio under doors that move: no gap, nothing twice, offsets of the whole."""

from __future__ import annotations

import itertools
import json
import struct
import threading
import time
import wave
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Any, cast

import azure.cognitiveservices.speech as speechsdk
import pytest

from clients import until
from emulators import trusted
from places import WAV
from speechroute import RouteKind, SpeechConfigFactory, SpeechSettings
from speechroute._network.observe import Observe, observe
from speechroute.emulator import Emulator
from speechroute.errors import CustomDomainNotFound, RecognitionCanceled, RouteRefused
from speechroute.streams import PcmFormat, StreamRecognition, StreamResult

RATE = 16_000
TICKS = 10_000_000
_PATIENCE_S = 60


def spoken(*phrases: tuple[float, float]) -> bytes:
    """Audio: for each phrase its seconds of tone, and of silence after it."""
    audio = bytearray()
    for number, (loud, quiet) in enumerate(phrases):
        height = 2000 + 37 * number  # so that no two phrases sound alike
        audio += struct.pack("<4h", height, height, -height, -height) * round(loud * RATE / 4)
        audio += bytes(2 * round(quiet * RATE))
    return bytes(audio)


@cache
def hello() -> bytes:
    with wave.open(str(WAV)) as file:
        return bytes(file.readframes(file.getnframes()))


def unthrottled(config: Any, audio_config: Any) -> Any:
    """The SDK sends as fast as it can, where it would send at twice the speed of speech."""
    config.set_property_by_name("SPEECH-TransmitLengthBeforThrottleMs", "10000000")
    return speechsdk.SpeechRecognizer(config, audio_config=audio_config)


def place(result: StreamResult) -> tuple[int, int, int]:
    """What must not depend on doors: where, how long, and the very audio."""
    return result.offset, result.duration, json.loads(result.result.json)["EmulatorSpeechCrc32"]


class Heard:
    """Collects final results, and lets tests wait for a number of them.

    What is to be done at a result is done before anybody who waits for it goes on.
    """

    def __init__(self, at: dict[int, Callable[[], object]] | None = None) -> None:
        self.results: list[StreamResult] = []
        self._changed = threading.Condition()
        self._at = at or {}

    def __call__(self, result: StreamResult) -> None:
        self._at.get(len(self.results) + 1, lambda: None)()
        with self._changed:
            self.results.append(result)
            self._changed.notify_all()

    def wait(self, number: int) -> None:
        self.until(lambda: len(self.results) >= number)

    def until(self, holds: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(holds, _PATIENCE_S)

    @property
    def places(self) -> list[tuple[int, int, int]]:
        return [place(result) for result in self.results]


def push(stream: StreamRecognition, audio: bytes, heard: Heard) -> None:
    """Faster than speech, and never further ahead of the results than what is kept."""
    for at in range(0, len(audio), RATE):
        heard.until(lambda: stream.pending_seconds < 45)
        stream.write(audio[at : at + RATE])


@pytest.fixture
def factory(emulated: Emulator) -> SpeechConfigFactory:
    return SpeechConfigFactory(SpeechSettings(route_ttl_min=0.1))


def left_behind() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name == "speechroute-stream"]


def test_a_stream_hears_what_a_file_gives(factory: SpeechConfigFactory, emulated: Emulator) -> None:
    heard = Heard()
    with factory.recognize_stream(heard) as stream:
        for at in range(0, len(hello()), 3200):
            stream.write(hello()[at : at + 3200])
    assert [result.text[:4] for result in heard.results] == ["0.88", "2.34", "1.78"]
    assert [result.offset for result in heard.results] == [0, 12_800_000, 36_000_000]
    assert stream.recoveries == ()
    assert left_behind() == []


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "proxy")])
def test_a_door_that_moves_leaves_no_gap_and_nothing_twice(
    before: str, after: str, factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    phrases = [(0.3 + n / 25, 0.6) for n in range(12)]
    emulated.state = before
    still = Heard()
    with factory.recognize_stream(still, recognizer=unthrottled) as stream:
        stream.write(spoken(*phrases))
    assert len(still.results) == 12

    def move() -> None:
        emulated.state = after

    moved = Heard({4: move})
    partial: list[StreamResult] = []
    with factory.recognize_stream(
        moved, recognizer=unthrottled, on_partial=partial.append
    ) as stream:
        audio = spoken(*phrases)
        half = len(spoken(*phrases[:4]))
        stream.write(audio[:half])
        moved.wait(4)
        stream.write(audio[half:])
    assert moved.places == still.places
    assert all(result.offset >= 0 for result in partial)
    (recovery,) = stream.recoveries
    assert recovery.failure == ("404" if before == "vnet" else "401")
    assert recovery.before.kind is not recovery.after.kind
    assert recovery.replayed_seconds >= 0
    assert recovery.lost_seconds == 0
    doors = [" private endpoint " in result.text for result in moved.results]
    assert doors == sorted(doors, reverse=before == "vnet")
    assert len(set(doors)) == 2


def places_without_flips(calm: Emulator, audio: bytes) -> list[tuple[int, int, int]]:
    settings = SpeechSettings(
        key=calm.key,
        endpoint=calm.custom_domain,
        dns_servers=calm.dns_server,
        proxy=calm.proxy_url,
    )
    heard = Heard()
    with SpeechConfigFactory(settings).recognize_stream(heard, recognizer=unthrottled) as stream:
        push(stream, audio, heard)
    return heard.places


@pytest.mark.timeout(240)
def test_ten_minutes_with_five_flips_are_the_ten_minutes_without(
    factory: SpeechConfigFactory,
    emulated: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    phrases = [(0.4 + n % 40 / 20, 0.6 + n % 7 / 20) for n in range(290)]
    audio = spoken(*phrases)
    assert len(audio) / 2 / RATE > 600

    def flip() -> None:
        emulated.state = "vnet" if emulated.state == "removed" else "removed"

    moved = Heard(dict.fromkeys((20, 75, 130, 185, 240), flip))
    began = time.monotonic()
    with Emulator() as calm, ThreadPoolExecutor() as pool:
        monkeypatch.setenv("SSL_CERT_FILE", trusted((emulated, calm), tmp_path))
        waiting = pool.submit(places_without_flips, calm, audio)
        with factory.recognize_stream(moved, recognizer=unthrottled) as stream:
            push(stream, audio, moved)
        still = waiting.result()
    assert time.monotonic() - began < 300
    assert len(still) == len(set(still)) == len(phrases)
    assert moved.places == still
    assert [recovery.lost_seconds for recovery in stream.recoveries] == [0] * 5
    assert left_behind() == []


def transcriber(config: Any, audio_config: Any) -> Any:
    return speechsdk.transcription.ConversationTranscriber(config, audio_config=audio_config)


RECOGNIZERS: list[tuple[Any, list[str] | None]] = [
    (transcriber, None),
    (speechsdk.transcription.ConversationTranscriber, None),
    (speechsdk.translation.TranslationRecognizer, ["de", "fr"]),
]


@cache
def gone_on(emulator: Emulator) -> dict[Any, tuple[Heard, StreamRecognition]]:
    """A stream for each, all open when the door moves."""

    def move() -> None:
        emulator.state = "removed"

    together = threading.Barrier(len(RECOGNIZERS), move, _PATIENCE_S)

    def go_on(recognizer: Any, languages: list[str] | None) -> tuple[Heard, StreamRecognition]:
        factory = SpeechConfigFactory(SpeechSettings(route_ttl_min=0.1))
        heard = Heard({2: together.wait})
        with factory.recognize_stream(
            heard, recognizer=recognizer, target_languages=languages, language="en-US"
        ) as stream:
            stream.write(spoken(*[(0.5 + n / 10, 0.6) for n in range(2)]))
            heard.wait(2)
            stream.write(spoken(*[(0.7 + n / 10, 0.6) for n in range(3)]))
        return heard, stream

    with ThreadPoolExecutor(len(RECOGNIZERS)) as pool:
        going_on = {one: pool.submit(go_on, one, languages) for one, languages in RECOGNIZERS}
    return {recognizer: stream.result() for recognizer, stream in going_on.items()}


@pytest.mark.parametrize(("recognizer", "target_languages"), RECOGNIZERS)
def test_transcription_and_translation_go_on_too(
    recognizer: Any, target_languages: Any, emulated: Emulator
) -> None:
    heard, stream = gone_on(emulated)[recognizer]
    assert len(heard.results) == 5
    assert [result.offset for result in heard.results] == sorted(
        result.offset for result in heard.results
    )
    assert len(stream.recoveries) == 1
    last = heard.results[-1].result
    if target_languages:
        assert set(last.translations) == {"de", "fr"}
    else:
        assert last.speaker_id == "Guest-1"


def test_the_stream_goes_on_while_the_service_is_behind(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    def move_dns() -> None:
        emulated.dns_state = "removed"

    def follow() -> None:
        emulated.service_state = "removed"

    heard = Heard({1: move_dns, 3: follow})
    with factory.recognize_stream(heard, recognizer=unthrottled) as stream:
        for number in range(1, 7):
            stream.write(spoken((0.4, 0.6)))
            heard.wait(number)
    assert [result.offset for result in heard.results] == [TICKS * n for n in range(6)]
    doors = [" private endpoint " in result.text for result in heard.results]
    assert doors == [True] * 3 + [False] * 3
    assert len(stream.recoveries) == 1


def test_a_door_that_closes_and_opens_again_is_a_break_that_is_told(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    def close() -> None:
        emulated.service_state = "removed"

    heard = Heard({1: close})
    with factory.recognize_stream(heard, recognizer=unthrottled, replay_seconds=5) as stream:
        stream.write(spoken((0.4, 0.6)))
        heard.wait(1)
        refused = len(emulated.requests)
        stream.write(spoken(*[(0.4, 0.6)] * 9))
        until(lambda: len(emulated.requests) >= refused + 8)
        emulated.service_state = "vnet"
    (recovery,) = stream.recoveries
    assert recovery.before.kind is recovery.after.kind
    assert recovery.lost_seconds == pytest.approx(4.6)
    assert [result.offset for result in heard.results] == [0] + [n * TICKS for n in range(5, 10)]


def test_dns_that_flaps_is_not_followed_for_ever(emulated: Emulator) -> None:
    count = itertools.count()

    def flapping(name: str, **arguments: Any) -> Any:
        emulated.dns_state = "removed" if next(count) % 2 else "vnet"
        return observe(name, **arguments)

    factory = SpeechConfigFactory(SpeechSettings(key="0" * 32), observe=cast("Observe", flapping))
    with pytest.raises(RouteRefused), factory.recognize_stream(Heard()) as stream:
        stream.write(hello())
    assert next(count) == 2


def test_a_write_that_is_no_audio_leaves_the_stream_as_it_was(
    factory: SpeechConfigFactory,
) -> None:
    heard = Heard()
    with factory.recognize_stream(heard) as stream:
        with pytest.raises(TypeError):
            stream.write("no audio")  # type: ignore[arg-type]
        assert stream.pending_seconds == 0
        stream.write(memoryview(hello()))
    assert len(heard.results) == 3


def test_what_both_doors_answer_is_told_when_the_time_is_up(emulated: Emulator) -> None:
    def close() -> None:
        emulated.fail_with(404)
        emulated.service_state = "removed"  # which cuts the connection

    heard = Heard({1: close})
    factory = SpeechConfigFactory(SpeechSettings(route_ttl_min=0, region=emulated.region))
    stream = factory.recognize_stream(heard, recognizer=unthrottled, replay_seconds=1)
    with pytest.raises(RouteRefused, match=r"^The custom .* The region") as caught, stream:
        stream.write(hello())
    assert (caught.value.failure, caught.value.other) == ("404", "404")
    with pytest.raises(RouteRefused):
        stream.finish()
    with pytest.raises(RouteRefused):
        stream.write(hello())
    assert left_behind() == []


def test_without_a_region_the_first_door_alone_is_tried(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    def move() -> None:
        emulated.service_state = "removed"

    heard = Heard({1: move})
    stream = factory.recognize_stream(heard, recognizer=unthrottled, replay_seconds=1)
    with pytest.raises(RouteRefused, match="set SPEECH_REGION") as caught, stream:
        stream.write(hello())
    assert (caught.value.failure, caught.value.other) == ("404", "")
    assert caught.value.behind == "settings"


def test_a_first_connection_that_is_refused_fails_at_once(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.service_state = "removed"
    with (
        pytest.raises(RouteRefused, match="answered 404"),
        factory.recognize_stream(Heard()) as stream,
    ):
        stream.write(hello())


@pytest.mark.parametrize(
    ("recognizer", "target_languages"), [(speechsdk.SpeechRecognizer, None), *RECOGNIZERS]
)
def test_a_stream_without_audio_ends(
    recognizer: Any, target_languages: Any, factory: SpeechConfigFactory
) -> None:
    heard = Heard()
    with factory.recognize_stream(
        heard, recognizer=recognizer, target_languages=target_languages, language="en-US"
    ) as stream:
        stream.finish(_PATIENCE_S)
    assert (heard.results, stream.recoveries, left_behind()) == ([], (), [])


def test_a_stream_that_goes_on_without_audio_ends(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    factory.route()
    emulated.state = "removed"
    with factory.recognize_stream(Heard()) as stream:
        until(lambda: len(stream.recoveries) == 1)
        stream.finish(_PATIENCE_S)
    assert left_behind() == []


@pytest.mark.parametrize("is_closed", [False, True])
def test_a_recognizer_that_something_else_stops_ends_in_no_silence(
    is_closed: bool, factory: SpeechConfigFactory
) -> None:
    made: list[Any] = []

    def recognizer(*args: Any, **kwargs: Any) -> Any:
        made.append(speechsdk.SpeechRecognizer(*args, **kwargs))
        return made[-1]

    stream = factory.recognize_stream(Heard(), recognizer=recognizer)
    stream.__enter__()
    stream.write(hello() * 6)
    if is_closed:
        with pytest.raises(TimeoutError):
            stream.finish(0.01)
    made[0].stop_continuous_recognition()
    until(lambda: stream._error is not None)
    with pytest.raises(RecognitionCanceled):
        stream.write(hello())
    with pytest.raises(RecognitionCanceled, match="something else stopped") as caught:
        stream.finish()
    assert caught.value.code == "SessionStopped"


class NotWaitedFor:
    """Instead of the future of a stop, for which the SDK takes 10 s after an error."""

    def get(self) -> None:
        raise AssertionError("the future of a stop is waited for")


ENDS = [
    (None, {"session stopped"}),
    (404, {"canceled", "session stopped"}),  # before the SDK has connected, there is no error
]


@pytest.mark.parametrize(("status", "ends"), ENDS)
def test_stop_waits_for_the_end_of_the_recognizer_and_no_longer(
    status: int | None, ends: set[str], factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    told: list[str] = []
    is_stopped = threading.Event()

    def canceled(_: object) -> None:
        assert is_stopped.wait(_PATIENCE_S)  # the error comes after the stop
        told.append("canceled")

    def watched(config: Any, audio_config: Any) -> Any:
        recognizer = speechsdk.SpeechRecognizer(config, audio_config=audio_config)
        recognizer.canceled.connect(canceled)
        recognizer.session_stopped.connect(lambda _: told.append("session stopped"))
        stop_for_real = recognizer.stop_continuous_recognition_async

        def stop() -> NotWaitedFor:
            told.append("stop")
            stop_for_real()
            is_stopped.set()
            return NotWaitedFor()

        recognizer.stop_continuous_recognition_async = stop
        return recognizer

    emulated.fail_with(status)
    with factory.recognize_stream(Heard(), recognizer=watched) as stream:
        stream.write(hello())
        stream.stop()
        assert told[0] == "stop"
        assert told[1] in ends
    assert left_behind() == []


def test_a_recognizer_that_was_refused_is_not_stopped(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    stopping: list[Future[None]] = []
    stops: list[str] = []

    def is_finished() -> bool:
        try:
            stream.write(b"")
        except ValueError:
            return True
        return False

    def late(config: Any, audio_config: Any) -> Any:
        """The second recognizer starts when the stream was stopped, until it was refused."""
        recognizer = speechsdk.SpeechRecognizer(config, audio_config=audio_config)
        if emulated.service_state == "vnet":
            return recognizer
        ended = threading.Event()
        recognizer.session_stopped.connect(lambda _: ended.set())
        start_for_real = recognizer.start_continuous_recognition_async
        stop_for_real = recognizer.stop_continuous_recognition_async

        def start() -> Any:
            stopping.append(pool.submit(stream.stop))
            until(is_finished)
            future = start_for_real()
            assert ended.wait(_PATIENCE_S)
            return future

        def stop() -> Any:
            stops.append("stop")
            return stop_for_real()

        recognizer.start_continuous_recognition_async = start
        recognizer.stop_continuous_recognition_async = stop
        return recognizer

    def close() -> None:
        emulated.service_state = "removed"

    stream = factory.recognize_stream(Heard({1: close}), recognizer=late)
    with ThreadPoolExecutor() as pool, stream:
        stream.write(hello())
        until(lambda: bool(stopping))
        stopping[0].result(_PATIENCE_S)
    assert (stops, left_behind()) == ([], [])


def test_a_stream_without_a_route_looks_for_one_now_and_then(emulated: Emulator) -> None:
    looks = itertools.count()
    names = [emulated.custom_domain]

    def counting(_: str, **arguments: Any) -> Any:
        next(looks)
        return observe(names[0], **arguments)

    def move() -> None:
        emulated.service_state = "removed"
        names[0] = "gone.cognitiveservices.azure.com"

    factory = SpeechConfigFactory(
        SpeechSettings(route_ttl_min=0), observe=cast("Observe", counting)
    )
    heard = Heard({1: move})
    stream = factory.recognize_stream(heard, recognizer=unthrottled, replay_seconds=1)
    stream.__enter__()
    stream.write(spoken((0.4, 0.6)))
    heard.wait(1)
    stream.write(spoken(*[(0.4, 0.6)] * 3))
    with pytest.raises(CustomDomainNotFound):
        stream.finish()
    assert next(looks) <= 1 + 4  # the first, and one each half second, or fewer


def test_other_errors_of_the_service_end_the_stream(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.fail_with(429)
    with (
        pytest.raises(RecognitionCanceled, match="429") as caught,
        factory.recognize_stream(Heard()) as stream,
    ):
        stream.write(hello())
    assert caught.value.code == "TooManyRequests"


def test_audio_that_is_too_old_is_lost_with_a_warning(
    factory: SpeechConfigFactory, emulated: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    def move() -> None:
        emulated.state = "removed"

    heard = Heard({1: move})
    with factory.recognize_stream(heard, recognizer=unthrottled, replay_seconds=2) as stream:
        stream.write(spoken((0.4, 0.6)))
        heard.wait(1)
        stream.write(spoken(*[(0.4, 0.6)] * 7))
    (recovery,) = stream.recoveries
    # 8 s, of which the first result covered 0.4 s and the last 2 s are kept.
    assert recovery.lost_seconds == pytest.approx(5.6)
    assert recovery.replayed_seconds == pytest.approx(2)
    assert [result.offset for result in heard.results] == [0, 6 * TICKS, 7 * TICKS]
    assert [r.levelname for r in caplog.records if "5.6 s were too old" in r.message] == ["WARNING"]


def test_what_a_callback_raises_ends_the_stream(factory: SpeechConfigFactory) -> None:
    def broken() -> None:
        raise LookupError("mine")

    with (
        pytest.raises(LookupError, match="mine"),
        factory.recognize_stream(Heard({1: broken})) as stream,
    ):
        stream.write(hello())
    assert left_behind() == []


def test_leaving_with_an_exception_abandons_the_rest(factory: SpeechConfigFactory) -> None:
    heard = Heard()

    def interrupt() -> None:
        with factory.recognize_stream(heard) as stream:
            stream.write(hello() * 20)
            heard.wait(1)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert len(heard.results) < 40
    assert left_behind() == []


def test_a_callback_may_stop_the_stream_and_not_wait_for_it(factory: SpeechConfigFactory) -> None:
    streams: list[StreamRecognition] = []
    waited: list[str] = []

    def stop() -> None:
        try:
            streams[0].finish()
        except RuntimeError as error:
            waited.append(str(error))
        streams[0].stop()

    heard = Heard({1: stop})
    with factory.recognize_stream(heard) as stream:
        streams.append(stream)
        stream.write(hello() * 20)
    assert len(waited) == 1
    assert len(heard.results) < 40


def test_a_stream_is_entered_once_and_written_before_it_is_finished(
    factory: SpeechConfigFactory,
) -> None:
    stream = factory.recognize_stream(Heard())
    with pytest.raises(RuntimeError, match="with statement"):
        stream.finish()
    with stream:
        with pytest.raises(RuntimeError, match="entered once"):
            stream.__enter__()
        stream.write(hello())
    with pytest.raises(ValueError, match="was finished"):
        stream.write(hello())


def test_finishing_has_a_limit(factory: SpeechConfigFactory) -> None:
    with factory.recognize_stream(Heard()) as stream:
        stream.write(hello() * 4)  # the SDK takes more than 5 s for 20 s
        with pytest.raises(TimeoutError, match=r"within 0\.1 s"):
            stream.finish(0.1)
        stream.stop()


def test_other_sample_rates_have_their_own_offsets(
    factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    def move() -> None:
        emulated.state = "removed"

    heard = Heard({1: move})
    with factory.recognize_stream(
        heard, recognizer=unthrottled, audio_format=PcmFormat(8000)
    ) as stream:
        stream.write(spoken((0.4, 0.6)))
        heard.wait(1)
        stream.write(bytearray(spoken(*[(0.4, 0.6)] * 3)))
    assert [result.offset for result in heard.results] == [2 * TICKS * n for n in range(4)]
    assert stream.recoveries[0].after.kind is RouteKind.REGIONAL


@pytest.mark.parametrize(("before", "after"), [("vnet", "removed"), ("removed", "vnet")])
def test_the_stream_goes_on_through_the_other_door_while_dns_lags(
    before: str, after: str, factory: SpeechConfigFactory, emulated: Emulator
) -> None:
    emulated.state = before

    def move() -> None:
        emulated.service_state = after

    heard = Heard({2: move})
    stream = factory.recognize_stream(heard, recognizer=unthrottled, region=emulated.region)
    with stream:
        for number in range(1, 7):
            stream.write(spoken((0.4, 0.6)))
            heard.wait(number)
    assert emulated.dns_state == before
    assert [result.offset for result in heard.results] == [TICKS * n for n in range(6)]
    has_private_endpoint = [" private endpoint " in result.text for result in heard.results]
    assert has_private_endpoint == [before == "vnet"] * 2 + [after == "vnet"] * 4
    (recovery,) = stream.recoveries
    assert recovery.failure
    assert recovery.lost_seconds == 0

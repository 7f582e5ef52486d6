"""`StreamRecognition`: continuous recognition of a push stream that outlives a moved door."""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
from collections.abc import Callable
from typing import Any, Self

import azure.cognitiveservices.speech as speechsdk

from .._core.errors import SpeechRouteError
from .._core.refusal import seen
from .._core.stream import PcmFormat, Recovery, ReplayBuffer, StreamResult
from .opener import Opened, Opener, Refused, level_of
from .outcome import failure_of
from .session import Session

_log = logging.getLogger("speechroute")


class StreamRecognition:
    """Recognises audio that is pushed, and goes on through the other door when one moves.

    Made by `SpeechConfigFactory.recognize_stream`. A context manager: leaving it waits for the
    last result; leaving it with an exception abandons what is not yet recognised.

    When the door refuses in the middle of the stream, the route is observed anew, a new
    recognizer is started there or at the other door, and the audio since the end of the last final
    result is sent again. Every final result arrives once; partial ones may come again. Where both
    doors refuse, both are tried every ``SPEECH_ROUTE_TTL_MIN`` seconds, 0.5 at the least, for
    ``replay_seconds``; before the first connection, once. A stream that is finished without any
    audio ends at once, whatever the door says.
    """

    def __init__(
        self,
        opener: Opener,
        on_final: Callable[[StreamResult], object],
        *,
        on_partial: Callable[[StreamResult], object] | None,
        recognizer: Callable[..., Any],
        audio_format: PcmFormat,
        replay_seconds: float,
    ) -> None:
        self._opener = opener
        self._on_final, self._on_partial = on_final, on_partial
        self._recognizer = recognizer
        self._format = audio_format
        self._patience = replay_seconds
        frame_bytes = audio_format.bits_per_sample // 8 * audio_format.channels
        self._audio = ReplayBuffer(audio_format.samples_per_second, frame_bytes, replay_seconds)
        # Guards the audio, the session and whether the stream is closed.
        self._lock = threading.Lock()
        self._session: Session | None = None
        self._is_closed = False
        self._endings: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._recoveries: list[Recovery] = []
        self._error: BaseException | None = None
        self._worker: threading.Thread | None = None
        self._calling_back: int | None = None

    @property
    def recoveries(self) -> tuple[Recovery, ...]:
        """The breaks so far, in order."""
        return tuple(self._recoveries)

    @property
    def pending_seconds(self) -> float:
        """Audio that is not covered by a final result yet, as far as it is kept."""
        return self._audio.seconds

    def __enter__(self) -> Self:
        if self._worker is not None:
            raise RuntimeError("a stream can be entered once: make another")
        opened = self._opener.open()
        self._worker = threading.Thread(
            target=self._work,
            args=(self._start(opened, [], None), opened),
            name="speechroute-stream",
            daemon=True,
        )
        self._worker.start()
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.finish()
        else:
            self.stop()

    def write(self, audio: bytes | bytearray | memoryview) -> None:
        """Push audio. Never waits for the network.

        Raises:
            ValueError: the stream was finished.
            Exception: the recognition has failed, as `finish` says it.
        """
        audio = bytes(audio)  # the SDK takes nothing else
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._is_closed:
                raise ValueError("the stream was finished: write before that, or make another")
            self._audio.append(audio)
            if self._session:
                self._session.write(audio)

    def finish(self, timeout: float | None = None) -> None:
        """End the audio, and wait until all of it is recognised.

        Args:
            timeout: seconds; default: as long as it takes.

        Raises:
            RouteRefused: no door lets it in.
            RoutingError: DNS gives no route any more.
            RecognitionCanceled: the SDK canceled for another reason.
            TimeoutError: it took longer than ``timeout``: call again, or `stop`.
            Exception: what a callback raised.
        """
        worker = self._entered()
        if self._calling_back == threading.get_ident():
            raise RuntimeError("a callback cannot wait for the recognition that calls it: use stop")
        with self._lock:
            self._is_closed = True
            if self._session:
                self._session.stream.close()
        worker.join(timeout)
        if worker.is_alive():
            raise TimeoutError(f"the audio was not recognised within {timeout} s")
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Abandon what is not yet recognised.

        Waits until the recognizer has stopped or was refused, unless it is called from a callback.
        At a door that keeps silent the SDK takes 10 s for that (measured, 1.53).
        """
        worker = self._entered()
        self._is_closed = True
        self._endings.put(_Stopped())
        if self._calling_back != threading.get_ident():
            worker.join()

    def _entered(self) -> threading.Thread:
        if self._worker is None:
            raise RuntimeError("the stream was not entered: use it in a with statement")
        return self._worker

    def _start(self, opened: Opened, refusals: list[Refused], failed: Refused | None) -> Session:
        """Open a recognizer, send it what is kept, and lead new audio there.

        Args:
            opened: the door.
            refusals: those that refused just before.
            failed: the first one that refused since there was a connection.
        """
        stream = speechsdk.audio.PushAudioInputStream(
            speechsdk.audio.AudioStreamFormat(*self._format)
        )
        audio_config = speechsdk.audio.AudioConfig(stream=stream)
        recognizer = self._recognizer(opened.config, audio_config=audio_config)
        session = Session(self._opener.keep_fresh(recognizer), stream)
        session.finals.connect(lambda event: self._on_result(session, event.result, True))
        session.partials.connect(lambda event: self._on_result(session, event.result, False))
        for signal in session.endings:
            signal.connect(lambda event: self._on_ended(session, event))
        connected = session.connection.connected
        connected.connect(lambda _: self._on_connected(session, opened, refusals))
        with self._lock:
            session.ticks = self._audio.ticks
            if failed:
                before, failure = failed.opened.route, failed.failure
                session.recovery = Recovery(before, opened.route, failure, *self._audio.replay)
                session.level = level_of([failed], opened)
            if replayed := self._audio.audio:
                session.write(replayed)
            if self._is_closed:
                stream.close()
            self._session = session
        session.start().get()
        return session

    def _on_connected(self, session: Session, opened: Opened, refusals: list[Refused]) -> None:
        self._opener.came_through(opened, refusals)
        if session.recovery and not session.has_connected:
            self._tell(session.recovery, session.level)
        session.has_connected = True

    def _on_result(self, session: Session, result: Any, is_final: bool) -> None:
        """Called by the SDK, one at a time for each recognizer."""
        offset = session.ticks + result.offset
        with self._lock:
            if session is not self._session:
                return
            if is_final:
                self._audio.recognised(offset + result.duration)
        callback = self._on_final if is_final else self._on_partial
        if callback is None:
            return
        self._calling_back = threading.get_ident()
        try:
            callback(StreamResult(result.text, offset, result.duration, result))
        except BaseException as error:  # noqa: BLE001  # raised where the stream is finished
            self._endings.put(error)
        finally:
            self._calling_back = None

    def _on_ended(self, session: Session, event: Any) -> None:
        """Called by the SDK, often twice: the first time counts."""
        with self._lock:
            if session is not self._session:
                return
            self._session = None  # new audio is kept until another recognizer is open
        self._endings.put(event)

    def _work(self, session: Session, opened: Opened) -> None:
        try:
            self._follow(session, opened)
        except _Stopped:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where the stream is finished
            self._error = error
        with self._lock:
            self._session = None

    def _follow(self, session: Session, opened: Opened) -> None:
        """From one recognizer to the next, until the audio ends."""
        failed: Refused | None = None
        refusals: list[Refused] = []
        give_up_at = float("-inf")
        while True:
            ending = self._endings.get()
            failure = failure_of(ending)
            if failure is None:
                if isinstance(ending, BaseException):
                    self._stop(session)
                session.finish(ending, is_closed=self._is_closed)
                return
            session.release()
            now = self._opener.clock()
            if session.has_connected:
                failed, refusals = None, []
                give_up_at = now + self._patience
            refusals = [*refusals, Refused(opened, failure, now, type(ending))]
            failed = failed or refusals[0]
            opened, refusals = self._reopen(refusals, give_up_at)
            session = self._start(opened, refusals, failed)

    def _stop(self, session: Session) -> None:
        """Stop a recognizer, and wait until it ends, by this or by an error."""
        # Not for the SDK's future: an error leaves that waiting for 10 s (measured, 1.53).
        if self._session is session:  # otherwise it has ended, and its event comes
            session.stop()
        while isinstance(self._endings.get(), BaseException):
            pass

    def _reopen(self, refusals: list[Refused], give_up_at: float) -> tuple[Opened, list[Refused]]:
        """The next door; after all have refused, and a while, from the beginning.

        Raises:
            RouteRefused, RoutingError: it is too late for that.
        """
        has_waited = False
        while True:
            is_late = self._opener.clock() >= give_up_at
            try:
                if has_waited:
                    return self._opener.once_more(refusals)
                opened = self._opener.after(refusals)
            except SpeechRouteError:
                if is_late:
                    raise
            else:
                if opened:
                    return opened, refusals
                if is_late:
                    raise self._opener.refused(refusals)
            with contextlib.suppress(queue.Empty):
                raise self._endings.get(timeout=self._opener.pause)  # only errors come meanwhile
            has_waited = True

    def _tell(self, recovery: Recovery, level: int) -> None:
        self._recoveries.append(recovery)
        _log.log(
            logging.WARNING if recovery.lost_seconds else level,
            "Recovered: %s. %s Sent %.1f s of audio again; %.1f s were too old.",
            seen(recovery.failure, recovery.before),
            recovery.after.reason,
            recovery.replayed_seconds,
            recovery.lost_seconds,
        )


class _Stopped(Exception):
    """The user has stopped the stream."""

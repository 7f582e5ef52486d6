"""Which outcomes of the Speech SDK mean that the door may have moved.

The SDK retries by itself before it gives up, but always at the same door.
"""

from __future__ import annotations

import re
from typing import Any

import azure.cognitiveservices.speech as speechsdk

_STATES = speechsdk.ResultReason, speechsdk.StreamStatus
_CANCELED = speechsdk.ResultReason.Canceled, speechsdk.StreamStatus.Canceled
_BEGUN = (
    speechsdk.ResultReason.SynthesizingAudioStarted,
    speechsdk.StreamStatus.Unknown,
    speechsdk.StreamStatus.NoData,
)
"""Told before the door has answered, and never taken back. Only reading the audio waits for the
door, and with a text stream it would wait for text, too (measured, 1.53)."""
_CODES_WITH_STATUS = (
    speechsdk.CancellationErrorCode.AuthenticationFailure,
    speechsdk.CancellationErrorCode.Forbidden,
    speechsdk.CancellationErrorCode.ServiceError,
)
REFUSED = "401"
"""What a key or token got that is not valid at its door."""
_MOVED = (REFUSED, "403", "404")
STATUS = r"(?:WebSocket upgrade|Get voices list) failed: [^(]*\((\d{3})\)"
_NOT_CONNECTED = (
    "Connection failed (no connection to the remote host)",
    "WebSocket operation failed. Internal error: 3. Error details: WS_ERROR_UNDERLYING_IO_ERROR",
    "Error in sending a http request. Details: Failed with error: HTTPAPI_OPEN_REQUEST_FAILED",
)
"""Name not resolved, refused, unreachable, broken off, or no tunnel opened by the proxy. Taken
together, because the number that follows is a line of the SDK's source where it is no errno: for
the tunnel 713 in 1.48.2 and 801 in 1.53.0 (measured)."""
_NO_RESULT = "Timeout: no recognition result received"
"""What ``recognize_once`` says of a refused connection now and then, after less than a second and
on a loaded machine (measured, 1.53.0); its code is ``ServiceTimeout``."""


def failure_of(outcome: Any) -> str | None:
    """What happened at the door, if an outcome means that it may have moved.

    ``401``, ``403`` or ``404`` at the upgrade, or ``no connection``. Code first, text second
    (measured, 1.48.2 and 1.53.0: SDK-FAILURES). Never for throttling, errors of the service, bad
    requests, an end of the stream, or a result without a match.

    Args:
        outcome: a result of recognition, translation, transcription or synthesis, a voices list,
            an ``AudioDataStream``, a ``canceled`` event, or a future of the SDK, which is waited
            for; anything else is no failure.
    """
    result = _result_of(outcome)
    if _state_of(result) not in _CANCELED:
        return None
    # A voices list has the text itself and no code; a synthesis of translation has neither.
    details = getattr(result, "cancellation_details", None) or result
    code = getattr(details, "error_code", getattr(details, "code", None))
    text = getattr(details, "error_details", None) or ""
    codes = speechsdk.CancellationErrorCode
    if code in (None, codes.ConnectionFailure) and text.startswith(_NOT_CONNECTED):
        return "no connection"
    if code is codes.ServiceTimeout and text.startswith(_NO_RESULT):
        return "no connection"
    status = re.match(STATUS, text)
    if status and status[1] in _MOVED and code in (None, *_CODES_WITH_STATUS):
        return status[1]
    return None


def has_worked(outcome: Any) -> bool:
    """Whether an outcome is a result of the SDK that a door has let through."""
    state = _state_of(_result_of(outcome))
    return isinstance(state, _STATES) and state not in (*_CANCELED, *_BEGUN)


def kind_of(outcome: Any) -> type:
    """What kind of result an outcome is, or holds."""
    return type(_result_of(outcome))


def _result_of(outcome: Any) -> Any:
    """The result that is in an event or a future."""
    if isinstance(outcome, speechsdk.ResultFuture):
        outcome = outcome.get()
    return getattr(outcome, "result", outcome)


def _state_of(result: Any) -> Any:
    """What a result says of itself; None for what is no result."""
    name = "status" if isinstance(result, speechsdk.AudioDataStream) else "reason"
    return getattr(result, name, None)

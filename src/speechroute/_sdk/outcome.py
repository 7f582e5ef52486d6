"""Which outcomes of the Speech SDK mean that the door may have moved.

The SDK retries by itself before it gives up, but always at the same door.
"""

from __future__ import annotations

import re
from typing import Any

import azure.cognitiveservices.speech as speechsdk

_CODES_WITH_STATUS = (
    speechsdk.CancellationErrorCode.AuthenticationFailure,
    speechsdk.CancellationErrorCode.Forbidden,
    speechsdk.CancellationErrorCode.ServiceError,
)
REFUSED = "401"
"""What a key or token got that is not valid at its door."""
_MOVED = (REFUSED, "403", "404")
_STATUS = r"(?:WebSocket upgrade|Get voices list) failed: [^(]*\((\d{3})\)"
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
    (measured, 1.48.2 and 1.53.0). Never for throttling, errors of the service, bad requests, an
    end of the stream, or a result without a match.

    Args:
        outcome: a result of recognition, translation, transcription or synthesis, a voices list,
            a ``canceled`` event, or a future of the SDK, which is waited for; anything else is no
            failure.
    """
    result = _result_of(outcome)
    if getattr(result, "reason", None) != speechsdk.ResultReason.Canceled:
        return None
    details = getattr(result, "cancellation_details", None)
    if details is None:  # a voices list has a text and no code
        code, text = None, result.error_details
    else:
        code = details.error_code if hasattr(details, "error_code") else details.code
        text = details.error_details
    codes = speechsdk.CancellationErrorCode
    if code in (None, codes.ConnectionFailure) and text.startswith(_NOT_CONNECTED):
        return "no connection"
    if code is codes.ServiceTimeout and text.startswith(_NO_RESULT):
        return "no connection"
    status = re.match(_STATUS, text)
    if status and status[1] in _MOVED and code in (None, *_CODES_WITH_STATUS):
        return status[1]
    return None


def has_worked(outcome: Any) -> bool:
    """Whether an outcome is a result of the SDK that a door has let through."""
    reason = getattr(_result_of(outcome), "reason", None)
    return isinstance(reason, speechsdk.ResultReason) and reason != speechsdk.ResultReason.Canceled


def _result_of(outcome: Any) -> Any:
    """The result that is in an event or a future."""
    if isinstance(outcome, speechsdk.ResultFuture):
        outcome = outcome.get()
    return getattr(outcome, "result", outcome)

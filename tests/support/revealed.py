"""All that an error gives out."""

from __future__ import annotations

import traceback


def everything_about(error: BaseException) -> str:
    """Text, arguments, attributes, causes and contexts, with the locals of our own frames."""
    seen: list[str] = []
    chain: list[BaseException | None] = [error]
    while chain:
        current = chain.pop()
        if current is None:
            continue
        shown = traceback.TracebackException.from_exception(current, capture_locals=True)
        ours = [
            frame
            for frame in shown.stack
            if "speechroute" in frame.filename and "tests" not in frame.filename
        ]
        seen += [str(current), repr(current), repr(current.args), repr(vars(current)), repr(ours)]
        seen += [str(frame.locals) for frame in ours]
        chain += [current.__cause__, current.__context__]
    return "\n".join(seen)

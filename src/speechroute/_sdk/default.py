"""The process-wide factory, and the two functions that most programs need."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import azure.cognitiveservices.speech as speechsdk

from .._core.clouds import Offering
from .._core.forgetting import forgetting
from .factory import SpeechConfigFactory

_default: list[SpeechConfigFactory] = []


def default_factory() -> SpeechConfigFactory:
    """The process-wide factory, made from the environment when it is first needed."""
    if not _default:
        # Without a lock, which a signal or a fork in the middle of it would wait for: two threads
        # at once make two, and everybody gets the first.
        _default.append(SpeechConfigFactory())
    return _default[0]


@forgetting
def speech_config(
    offering: Offering | str = Offering.STT, *, url: str | None = None, **overrides: Any
) -> speechsdk.SpeechConfig:
    """A new ``SpeechConfig`` from a process-wide factory; see `SpeechConfigFactory.speech_config`.

    The environment is read at the first call.
    """
    return default_factory().speech_config(offering, url=url, **overrides)


@forgetting
def translation_config(
    target_languages: Iterable[str] = (), *, url: str | None = None, **overrides: Any
) -> speechsdk.translation.SpeechTranslationConfig:
    """A new ``SpeechTranslationConfig`` from a process-wide factory.

    See `SpeechConfigFactory.translation_config`. The environment is read at the first call.
    """
    return default_factory().translation_config(target_languages, url=url, **overrides)

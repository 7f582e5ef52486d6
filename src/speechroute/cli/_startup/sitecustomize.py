"""In every Python under ``speechroute run``: injects when the program makes its first config.

Python imports the first module of this name on its path when it starts. Until a config is made,
nothing but the standard library is imported here.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import threading
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

_SDK = "azure.cognitiveservices.speech"


class _SdkFinder:
    """Finds the SDK where everybody does, and prepares it once it is imported."""

    def find_spec(self, name: str, *_: Any) -> ModuleSpec | None:
        if name != _SDK:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _prepare(module.SpeechConfig, module.translation.SpeechTranslationConfig)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _prepare(*kinds: Any) -> None:
    """Put a stand-in in place of each constructor, which injects when it is first called.

    Not now: a program that imports speechroute, which imports the SDK, is in the middle of it.
    """
    lock, entered = threading.Lock(), threading.local()

    def stand_in(kind: Any, original: Any) -> Any:
        @functools.wraps(original)
        def construct(config: Any, /, *args: Any, **kwargs: Any) -> None:
            if getattr(entered, "here", False):
                # Called by what somebody else has put over it.
                original(config, *args, **kwargs)
                return
            with lock:
                _inject()
            entered.here = True
            try:
                kind.__init__(config, *args, **kwargs)
            finally:
                entered.here = False

        construct.stands_in = construct  # type: ignore[attr-defined]
        return construct

    for kind in kinds:
        kind.__init__ = stand_in(kind, kind.__init__)


def _inject() -> None:
    try:
        from speechroute import _inject as injection
    except ImportError as error:
        raise ImportError(
            f"speechroute run: {sys.executable} cannot import speechroute, so its SpeechConfig "
            "objects would not take the route: install speechroute into its environment"
        ) from error
    if not injection.is_injected():  # else the program has done it, with a factory of its own
        injection.inject_into_speechsdk()


def _hand_over() -> None:
    """Leave no trace on the path, and run the module of this name that is behind this one."""
    here = Path(__file__).parent
    sys.path[:] = [entry for entry in sys.path if not entry or Path(entry) != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec and spec.loader:
        module = importlib.util.module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


sys.meta_path.insert(0, _SdkFinder())
_hand_over()

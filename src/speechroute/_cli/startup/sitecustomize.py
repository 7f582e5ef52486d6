"""In every Python under ``speechroute run``: injects when the program makes its first config.

Python imports the first module of this name on its path when it starts. Until a config is made,
nothing but the standard library is imported here.
"""

from __future__ import annotations

import functools
import importlib.util
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

_SDK = "azure.cognitiveservices.speech"


class _SdkFinder:
    """Finds the SDK where everybody does, and prepares it when it is imported."""

    def find_spec(self, name: str, path: Any = None, _target: Any = None) -> ModuleSpec | None:
        if name != _SDK:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec and spec.loader:
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                _prepare(module.SpeechConfig)
                _prepare(module.translation.SpeechTranslationConfig)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def _prepare(kind: Any) -> None:
    """Let a constructor ask speechroute when it is called.

    Not now: a program that imports speechroute, which imports the SDK, is in the middle of it.
    """
    original = kind.__init__

    @functools.wraps(original)
    def __init__(config: Any, /, *args: Any, **kwargs: Any) -> None:  # noqa: N807
        positional = list(args)
        del args
        try:
            injection = _injection()
            injection.stand_in(kind, original)
        except Exception:
            # Tools that show the locals of a traceback would show the key.
            positional.clear()
            kwargs.clear()
            raise
        injection.construct(kind, original, config, positional, kwargs)

    kind.__init__ = __init__


def _injection() -> Any:
    try:
        from speechroute._sdk.inject import injection
    except ImportError as error:
        raise ImportError(
            f"speechroute run: {sys.executable} cannot import speechroute, so its SpeechConfig "
            "objects would not take the route: install speechroute into its environment"
        ) from error
    return injection


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

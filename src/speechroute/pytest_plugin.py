"""A plugin for pytest: the fixture `azure_speech`, Azure Speech on loopback for one test.

Every run of pytest imports this module where speechroute is installed, so it imports nothing but
pytest until a test asks for the fixture.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .emulator import Emulator


@pytest.fixture
def azure_speech() -> Iterator[Emulator]:
    """An `Emulator` in the state ``vnet``, and an environment that leads this process to it.

    The resource is new in each test, with a key of its own. ``state`` may be assigned at any time
    and takes effect at once, because routes are kept for no time here. ``requests`` tells what
    was asked, of which host and with which kind of credential; ``say(text)`` gives the next text
    that is recognised; ``fail_with(status)`` makes every request fail.

    While the test runs there are no Speech settings but the emulator's, neither in the
    environment nor in ``.env`` nor in secrets files, and the process-wide factory is a new one;
    what the test injects into the SDK is taken out after it. A factory that the program made
    before keeps its settings: make it when it is first used. For one test, not for fixtures of a
    wider scope.
    """
    try:
        from .emulator import Emulator
    except ImportError as error:
        reason = f"azure_speech needs its extra: pip install 'speechroute[emulator]' ({error})"
        pytest.fail(reason, pytrace=False)
    from ._network.learned import shared
    from ._sdk import default
    from ._sdk.inject import injection
    from ._settings.model import SpeechSettings

    with Emulator(dns_ttl=0) as emulator, pytest.MonkeyPatch.context() as patch:
        environment = emulator.environment_over(os.environ)
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        patch.setenv("SPEECH_ROUTE_TTL_MIN", "0")
        for source in ("env_file", "secrets_dir"):
            patch.setitem(SpeechSettings.model_config, source, None)
        patch.setattr(default, "_default", [])
        was_injected = injection.is_on
        shared.forget()
        yield emulator
        shared.forget()
        if not was_injected:
            injection.take_out()

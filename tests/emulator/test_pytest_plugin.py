"""The pytest plugin, in projects of their own with a pytest of their own."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from forks import FORKS
from places import WAV
from readme import BLOCKS

PYTEST = Path(sys.executable).with_name("pytest")
# Without Hypothesis' plugin, which takes a second to start.
PLUGINS = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
APPLICATION = f"""
import azure.cognitiveservices.speech as speechsdk
from speechroute import SpeechConfigFactory, speech_config

def transcribe(config=None):
    audio = speechsdk.audio.AudioConfig(filename={str(WAV)!r})
    result = speechsdk.SpeechRecognizer(config or speech_config(), audio).recognize_once()
    if result.reason == speechsdk.ResultReason.Canceled:
        raise RuntimeError(result.cancellation_details.error_details)
    return result.text
"""


def readme_test() -> str:
    """The README's example of a test."""
    (test,) = (block for block in BLOCKS if "azure_speech" in block)
    return str(test)


def passes_by_itself(pytester: pytest.Pytester, tests: str) -> None:
    pytester.makepyfile(test_application=tests)
    pytester.runpytest_subprocess(*PLUGINS).assert_outcomes(passed=1)


def passes(pytester: pytest.Pytester, tests: str, *, number: int = 1) -> None:
    """As `passes_by_itself`, but what the plugin imports for its fixture is imported already."""
    pytester.makepyfile(application=APPLICATION, test_application=tests)
    done = FORKS.run(PYTEST, *PLUGINS)
    print(done.stdout, done.stderr)
    result = pytest.RunResult(done.returncode, done.stdout.splitlines(), [], 0)
    result.assert_outcomes(passed=number)


def test_the_readmes_test_passes_in_a_project_of_its_own(pytester: pytest.Pytester) -> None:
    test = readme_test()
    assert len(test.strip().splitlines()) <= 10
    shutil.copy(WAV, pytester.path)
    passes_by_itself(pytester, test)


def test_it_loads_neither_the_sdk_nor_the_emulator_until_a_test_asks(
    pytester: pytest.Pytester,
) -> None:
    passes_by_itself(
        pytester,
        """
        import sys

        HEAVY = {"azure", "aiohttp", "trustme", "pydantic", "dns", "speechroute.emulator"}

        def test_without(pytestconfig):
            assert pytestconfig.pluginmanager.has_plugin("speechroute")
            assert "speechroute.pytest_plugin" in sys.modules
            assert not HEAVY & set(sys.modules)
        """,
    )


def test_the_state_may_change_while_a_test_runs(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from application import transcribe

        DOORS = {"vnet": "private endpoint", "proxy": "private endpoint", "removed": "regional"}

        def test_doors(azure_speech):
            assert azure_speech.state == "vnet"
            for state in (*DOORS, *reversed(DOORS)):
                azure_speech.state = state
                assert DOORS[state] in transcribe()

        def test_a_static_configuration_breaks(azure_speech):
            from speechroute import SpeechSettings, speech_config
            static = speech_config(private_endpoint="yes")
            azure_speech.state = "removed"
            with pytest.raises(RuntimeError, match="404"):
                transcribe(static)
        """,
        number=2,
    )


def test_requests_tell_what_was_asked_and_no_secret(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        from application import transcribe

        def test_requests(azure_speech):
            assert azure_speech.requests == ()
            transcribe()
            (request,) = azure_speech.requests
            assert request.host == azure_speech.custom_domain
            assert (request.path, request.status) == ("/stt/speech/universal/v2", 101)
            assert request.credential == "key"
            assert azure_speech.key not in repr(request)
        """,
    )


def test_texts_and_failures_are_those_that_the_test_says(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import pytest
        from application import transcribe

        def test_texts(azure_speech):
            azure_speech.say("Good morning.")
            azure_speech.say("Good night.")
            assert [transcribe(), transcribe()] == ["Good morning.", "Good night."]
            assert "seconds of audio" in transcribe()

        @pytest.mark.parametrize("status", [401, 429, 503])
        def test_failures(azure_speech, status):
            azure_speech.fail_with(status)
            with pytest.raises(RuntimeError, match=str(status)):
                transcribe()
            azure_speech.fail_with(None)
            assert transcribe()
        """,
        number=4,
    )


def test_a_test_sees_no_other_settings_and_leaves_none(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SPEECH_KEY", "0" * 32)
    monkeypatch.setenv("AZURE_SPEECH_REGION", "northeurope")
    monkeypatch.setenv("no_proxy", "*")
    (pytester.path / ".env").write_text("SPEECH_REGION=uksouth\nSPEECH_VOICE=from-dotenv\n")
    passes(
        pytester,
        """
        import os
        import pytest
        import speechroute
        from application import transcribe
        from speechroute import SpeechSettings

        BEFORE = dict(os.environ)
        FACTORIES = []

        def remember():
            from speechroute._sdk.default import default_factory
            FACTORIES.append(default_factory())

        def test_outside():
            assert SpeechSettings().region == "northeurope"
            assert SpeechSettings().voice == "from-dotenv"
            remember()

        @pytest.mark.parametrize("turn", [1, 2])
        def test_inside(azure_speech, turn):
            settings = SpeechSettings()
            assert settings.key.get_secret_value() == azure_speech.key
            assert (settings.region, settings.voice) == (None, None)
            assert transcribe()
            remember()

        def test_outside_again():
            changed = {name for name in os.environ if os.environ[name] != BEFORE.get(name)}
            assert changed <= {"PYTEST_CURRENT_TEST"}
            assert BEFORE.keys() - os.environ.keys() <= {"PYTEST_CURRENT_TEST"}
            assert SpeechSettings().voice == "from-dotenv"
            remember()
            assert FACTORIES[0] is FACTORIES[-1]
            assert len(set(map(id, FACTORIES))) == 3
        """,
        number=4,
    )


def test_a_program_that_injects_and_one_that_awaits(pytester: pytest.Pytester) -> None:
    passes(
        pytester,
        """
        import asyncio
        import azure.cognitiveservices.speech as speechsdk
        import pytest
        import speechroute
        from application import transcribe

        @pytest.mark.parametrize("state", ["vnet", "removed"])
        def test_injected(azure_speech, state):
            azure_speech.state = state
            speechroute.inject_into_speechsdk()
            assert transcribe(speechsdk.SpeechConfig(azure_speech.key, azure_speech.region))

        def test_no_longer_injected():
            config = speechsdk.SpeechConfig("0" * 32, "westeurope")
            assert config.region == "westeurope"

        def test_awaits(azure_speech):
            assert transcribe(asyncio.run(speechroute.SpeechConfigFactory().speech_config_async()))
        """,
        number=4,
    )


def test_servers_of_this_machine_are_reached_without_the_emulators_proxy(
    pytester: pytest.Pytester,
) -> None:
    passes(
        pytester,
        """
        import http.server
        import socket
        import ssl
        import threading
        import urllib.request
        import pytest
        import requests
        import trustme

        class Greet(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"hello")

        @pytest.fixture
        def port(tmp_path):
            authority = trustme.CA()
            authority.cert_pem.write_to_path(tmp_path / "ca.pem")
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            authority.issue_cert("localhost", "127.0.0.1").configure_cert(tls)
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Greet) as server:
                server.socket = tls.wrap_socket(server.socket, server_side=True)
                threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
                yield server.server_port
                server.shutdown()

        @pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
        def test_own_service(azure_speech, port, host, tmp_path):
            ca, url = str(tmp_path / "ca.pem"), f"https://{host}:{port}/"
            trusting = ssl.create_default_context(cafile=ca)
            assert urllib.request.urlopen(url, context=trusting).read() == b"hello"
            assert requests.get(url, verify=ca).text == "hello"
            assert azure_speech.tunnels == ()

        def test_names(azure_speech):
            def goes_past(host):
                return requests.utils.should_bypass_proxies(f"https://{host}:1/", None)

            assert all(map(goes_past, ("[::1]", socket.gethostname())))
            assert not goes_past(azure_speech.custom_domain)
        """,
        number=3,
    )


def test_without_its_extra_the_fixture_says_what_to_install(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        aiohttp="raise ImportError('No module named aiohttp')",
        test_application="""
        import os, sys
        sys.path.insert(0, os.getcwd())

        def test_it(azure_speech):
            raise AssertionError("not reached")
        """,
    )
    result = pytester.runpytest_subprocess(*PLUGINS)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*azure_speech needs its extra: pip install 'speechroute[[]emulator]'*"]
    )

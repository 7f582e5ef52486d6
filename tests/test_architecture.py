"""Imports run down the page of the design, pure modules stay pure, importing does nothing."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "speechroute"
ORDER = (
    "_masking",
    "errors",
    "_clouds",
    "urls",
    "_resource",
    "_values",
    "_tokens",
    "_keys",
    "_vault",
    "_sources",
    "_settings",
    "_dns",
    "_verdict",
    "_route",
    "_proxy",
    "_resolver",
    "_config",
    "_recovery",
    "_replay",
    "streams",
    "_factory",
    "_inject",
)
PURE = (
    "_masking",
    "errors",
    "_clouds",
    "urls",
    "_resource",
    "_values",
    "_verdict",
    "_route",
    "_replay",
)
SDK = {"_tokens", "_vault", "_config", "_recovery", "streams", "_factory", "_inject"}
IMPURE = {"azure", "dns", "os", "socket", "threading", "time"}


def imports(file: Path) -> tuple[set[str], set[str]]:
    """Modules of the package, and top-level names of other packages, that a file imports."""
    own: set[str] = set()
    others: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            others |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level:
            own |= {node.module} if node.module else {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            others.add(node.module.partition(".")[0])
    return own, others


def test_every_module_has_its_place() -> None:
    assert {file.stem for file in PACKAGE.glob("*.py")} == {
        *ORDER,
        "__init__",
        "__main__",
        "pytest_plugin",
    }


@pytest.mark.parametrize("module", ORDER)
def test_imports_run_downward(module: str) -> None:
    own, _ = imports(PACKAGE / f"{module}.py")
    assert own <= set(ORDER[: ORDER.index(module)])


@pytest.mark.parametrize("module", PURE)
def test_pure_modules_import_no_io(module: str) -> None:
    _, others = imports(PACKAGE / f"{module}.py")
    assert not others & IMPURE


@pytest.mark.parametrize(("package", "only"), [("dns", {"_dns"}), ("azure", SDK)])
def test_dnspython_and_the_sdk_each_have_one_place(package: str, only: set[str]) -> None:
    found = {file.stem for file in PACKAGE.glob("*.py") if package in imports(file)[1]}
    assert found == only


def test_the_emulator_imports_nothing_of_the_rest() -> None:
    files = list((PACKAGE / "emulator").glob("*.py"))
    here = {file.stem for file in files}
    assert files
    for file in files:
        own, others = imports(file)
        assert own <= here
        assert "speechroute" not in others
        assert "from .." not in file.read_text()


def test_importing_reads_nothing_and_loads_no_extra() -> None:
    code = (
        "import os, sys\n"
        "os.environ['SPEECH_REGION'] = 'not.a.region'\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append((event, args)))\n"
        "from speechroute import *\n"
        "assert not [e for e in seen if e[0].startswith(('socket.connect', 'socket.getaddr'))]\n"
        "assert not [e for e in seen if e[0] == 'open' and str(e[1][0]).endswith('.env')]\n"
        "extras = {'typer', 'rich', 'aiohttp', 'trustme', 'azure.identity'}\n"
        "assert not extras & set(sys.modules), extras & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("name", "absent"),
    [
        ("__name__", {"azure", "pydantic_settings", "dns"}),
        ("urls", {"azure", "pydantic_settings", "dns"}),
        ("resolve", {"azure.cognitiveservices"}),
    ],
)
def test_a_name_is_imported_when_it_is_first_used(name: str, absent: set[str]) -> None:
    code = (
        "import sys, speechroute\n"
        f"speechroute.{name}\n"
        f"found = {absent!r} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_public_name_is_there_and_no_other() -> None:
    import speechroute

    for name in speechroute.__all__:
        assert getattr(speechroute, name) is not None
    assert set(speechroute.__all__) <= set(dir(speechroute))
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = speechroute.no_such_name

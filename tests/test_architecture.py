"""The house: a storey imports those below it, its folder tells what it may touch.

import-linter names packages from outside by their first word only (2.17), so it cannot tell
`urllib.parse` from `urllib.request`, nor the Speech SDK from `azure.core`. That no module takes
what another one has only imported is mypy's to tell.
"""

from __future__ import annotations

import ast
import graphlib
import itertools
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "speechroute"
SDK = "azure.cognitiveservices.speech"


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


PURE = words(
    "__future__ collections dataclasses datetime enum functools ipaddress re typing urllib.parse"
    " warnings"
)
"""All that the core may import from outside."""
HARMLESS = words(
    "array base64 binascii contextlib copy errno inspect itertools json math shlex struct types"
    " uuid zlib"
)
"""Modules that ask nobody: the other storeys may import them too."""
THREADS = words("asyncio logging os threading time weakref")


class Storey(NamedTuple):
    """What a part of the package may import beside itself."""

    parts: frozenset[str]
    outside: frozenset[str]


def storey(parts: str, outside: str, more: frozenset[str] = frozenset()) -> Storey:
    return Storey(words(parts), words(outside) | more)


HOUSE = {
    "_core": storey("", ""),
    "_settings": storey(
        "_core",
        "azure.core.exceptions azure.identity dotenv os pathlib pydantic pydantic_settings",
    ),
    "_network": storey(
        "_core _settings",
        "_thread concurrent.futures cryptography dns email.utils http.client io pathlib pydantic"
        " socket ssl sys urllib.request",
        THREADS,
    ),
    "_sdk": storey(
        "_core _settings _network",
        f"{SDK} azure.core.credentials azure.core.exceptions azure.identity pydantic queue",
        THREADS,
    ),
    "_doctor": storey(
        "_core _settings _network _sdk",
        "concurrent.futures importlib.metadata importlib.resources rich threading time tomllib",
    ),
    "_cli": storey(
        "_core _settings _network _sdk _doctor emulator",
        f"{SDK} aiohttp importlib.machinery importlib.resources importlib.util os pathlib rich"
        " signal subprocess sys threading trustme typer",
    ),
    "emulator": storey(
        "",
        "aiohttp asyncio dns email.utils pathlib secrets socket ssl tempfile threading time"
        " trustme xml.etree",
    ),
    "__init__": storey("_core _settings _network _sdk errors urls", "importlib.import_module"),
    "__main__": storey("_cli", ""),
    "errors": storey("_core", ""),
    "pytest_plugin": storey("_network _settings _sdk emulator", "os pytest"),
    "streams": storey("_core _sdk", ""),
    "urls": storey("_core", ""),
}
"""Every part of the package, and what each may import. Nothing else is allowed."""
HAND_ON = ("errors", "streams", "urls")


def part_of(file: Path) -> str:
    return file.relative_to(PACKAGE).parts[0].removesuffix(".py")


def nodes(tree: ast.AST, *, types_too: bool) -> Iterator[ast.AST]:
    """The nodes of a module; if not ``types_too``, those that run."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not types_too:
            continue
        yield node
        yield from nodes(node, types_too=types_too)


def imports(file: Path, source: str, *, types_too: bool = True) -> Iterator[str]:
    """What a module of the package imports, absolute: modules, and names in them."""
    package = ("speechroute", *file.relative_to(PACKAGE).parent.parts)
    for node in nodes(ast.parse(source), types_too=types_too):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            yield from (
                ".".join(filter(None, (*base, node.module, alias.name))) for alias in node.names
            )


def is_within(name: str, allowed: frozenset[str]) -> str | None:
    """Which of the allowed names an import falls under."""
    return next((at for at in allowed if name == at or name.startswith(f"{at}.")), None)


def used(file: Path, source: str) -> tuple[set[str], set[str]]:
    """Which permissions of its storey a module uses, and what it imports without one."""
    may, permissions, forbidden = HOUSE[part_of(file)], set(), set()
    for name in imports(file, source):
        first, _, rest = name.partition(".")
        if first == "speechroute":
            part = rest.partition(".")[0]
            permissions.add(part)
            forbidden |= {name} - {name if part in may.parts | {part_of(file)} else ""}
        elif permission := is_within(name, may.outside):
            permissions.add(permission)
        elif not is_within(name, PURE if part_of(file) == "_core" else PURE | HARMLESS):
            forbidden.add(name)
    return permissions, forbidden


def files(part: str | None = None) -> list[Path]:
    return [file for file in PACKAGE.rglob("*.py") if part in (None, part_of(file))]


def test_every_part_of_the_package_has_its_place() -> None:
    assert {part_of(file) for file in files()} == set(HOUSE)


@pytest.mark.parametrize("part", HOUSE)
def test_a_storey_imports_what_it_may_and_needs_every_permission(part: str) -> None:
    seen = [used(file, file.read_text()) for file in files(part)]
    assert not set().union(*(forbidden for _, forbidden in seen))
    assert set().union(*(permissions for permissions, _ in seen)) - {part} == set().union(
        *HOUSE[part]
    )


INSTALLED_AS = {
    "dotenv": "python-dotenv",
    SDK: "azure-cognitiveservices-speech",
    "azure.core": "azure-core",
    "azure.identity": "azure-identity",
    "dns": "dnspython",
    "pydantic_settings": "pydantic-settings",
}
EXTRAS = {
    "_cli": "cli",
    "_cli/emulate.py": "emulator",
    "_doctor": "cli",
    "_network/probe.py": "cli",
    "_sdk/token.py": "entra",
    "_settings/key_vault.py": "keyvault",
    "emulator": "emulator",
}
"""What needs an extra to be imported, and which."""
NOT_OURS = {*sys.stdlib_module_names, "speechroute", "pytest"}


def installed_for(file: Path) -> set[str]:
    """The distributions that a module imports from; not pytest, which imports the plugin itself."""
    names = imports(file, file.read_text())
    outside = {name for name in names if name.partition(".")[0] not in NOT_OURS}
    owners = {
        is_within(name, frozenset(INSTALLED_AS)) or name.partition(".")[0] for name in outside
    }
    return {INSTALLED_AS.get(owner, owner) for owner in owners}


def test_what_is_imported_is_declared_by_the_extra_that_imports_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    groups = {"": project["dependencies"], **project["optional-dependencies"]}
    declared = {
        extra: {re.split(r"[\[>]", requirement)[0] for requirement in requirements}
        for extra, requirements in groups.items()
    }
    declared["emulator"] |= declared["cli"]
    imported = {file: installed_for(file) for file in files()}
    for file, distributions in imported.items():
        place = str(file.relative_to(PACKAGE))
        extra = EXTRAS.get(place, EXTRAS.get(part_of(file), ""))
        assert distributions <= declared[""] | declared[extra], place
    not_imported = set().union(*declared.values()) - set().union(*imported.values())
    assert not_imported == {"speechroute"}


def forbidden_imports() -> Iterator[tuple[str, str]]:
    """Each part with each thing that some other part may import and it may not."""
    everything = frozenset().union(*(may.outside for may in HOUSE.values()))
    for part, may in HOUSE.items():
        for other in set(HOUSE) - {"__init__", "__main__"} - may.parts - {part}:
            yield part, f"import speechroute.{other}"
        for name in everything:
            if not is_within(name, may.outside):
                yield part, f"import {name}"


def test_a_forbidden_import_is_found_wherever_it_stands() -> None:
    forms = (
        "{}",
        "def f():\n    {}",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {}",
        "try:\n    {}\nexcept ImportError:\n    pass",
    )
    tried = 0
    for (part, line), form in itertools.product(forbidden_imports(), forms):
        assert used(PACKAGE / part / "any.py", form.format(line))[1], (part, line)
        tried += 1
    assert tried > len(HOUSE) * len(forms)


@pytest.mark.parametrize(
    ("part", "line"),
    [
        ("_core", "from urllib import request"),
        ("_core", "from .._network import observe"),
        ("_core", "from .._network.observe import observe"),
        ("_core", "from .. import errors"),
        ("_core", "import urllib"),
        ("_settings", "from azure import cognitiveservices"),
        ("_settings", f"from {SDK} import SpeechConfig"),
        ("_doctor", "from http import HTTPStatus"),
        ("emulator", "from .._core.clouds import CLOUDS"),
        ("emulator", "from speechroute import urls"),
    ],
)
def test_no_form_of_a_forbidden_import_passes(part: str, line: str) -> None:
    assert used(PACKAGE / part / "any.py", line)[1]


def test_no_modules_import_each_other() -> None:
    names = {
        file: ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts) for file in files()
    }
    modules = {name.removesuffix(".__init__") for name in names.values()}
    graph = {
        name.removesuffix(".__init__"): {
            module
            for imported in imports(file, file.read_text(), types_too=False)
            for module in (imported, imported.rpartition(".")[0])
            if module in modules and not f"{name}.".startswith(f"{module}.")
        }
        for file, name in names.items()
    }
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", HAND_ON)
def test_what_users_import_only_hands_on(name: str) -> None:
    docstring, *imported, assigned = ast.parse((PACKAGE / f"{name}.py").read_text()).body
    assert isinstance(docstring, ast.Expr)
    assert {type(node) for node in imported} == {ast.ImportFrom}
    assert isinstance(assigned, ast.Assign)
    assert ast.unparse(assigned.targets[0]) == "__all__"


def test_the_core_imports_all_that_it_may_and_looks_at_nothing() -> None:
    trees = {file: ast.parse(file.read_text()) for file in files("_core")}
    imported = [name for file in trees for name in imports(file, file.read_text())]
    assert all(any(is_within(name, frozenset({at})) for name in imported) for at in PURE)
    called = {
        ast.unparse(node.func).rpartition(".")[2]
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    }
    assert {"recognise_host", "match"} <= called
    assert not called & words("open print input __import__ eval exec now today utcnow getnode")


def test_contributing_names_places_that_are_there() -> None:
    page = (ROOT / ".github" / "CONTRIBUTING.md").read_text()
    table = page.partition("| what you add |")[2].partition("\n\n")[0].splitlines()[2:]
    assert len(table) == 7
    for row in table:
        what, where, told_by = row.strip("|").split("|")
        for cell in (where, told_by):
            paths = re.findall(r"`([^`]+)`", cell)
            assert paths, what
            assert all((ROOT / path).exists() for path in paths), what
    assert set(re.findall(r"^(\w+)/ ", page, flags=re.MULTILINE)) == {
        part for part in HOUSE if (PACKAGE / part).is_dir()
    }


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

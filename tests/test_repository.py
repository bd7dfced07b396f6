"""What holds for every file that is kept here: tests use public parts, nothing depends on a host."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = sorted(path.relative_to(ROOT) for path in (ROOT / "tests").rglob("*.py"))
TREES = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in TESTS}

FOREIGN = "tests/bench/peers/"
"""Measures other people's libraries, inside of which it has to look."""

PUBLIC = {"_", "_asdict", "_fields", "_replace", "_keyring_backend"}
"""No private parts of the programs in spite of their names.

gettext's function; what every named tuple has; where the keyring library remembers what it found.
"""

BY_NAME = {"setattr", "getattr", "delattr", "hasattr", "object"}
"""Functions (`monkeypatch.setattr`, `patch.object`) that are told an attribute by its name."""

HARMLESS = re.compile(
    r"(^|\.)(example\.(com|net|org)|www\.w3\.org|freedesktop\.org|docs\.python\.org|www\.debian\.org|docs\.asterisk\.org)$"
)
"""Examples' (RFC 2606), and where specifications are that a comment names: nothing is fetched from there."""


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def defined_in(tree: ast.AST) -> set[str]:
    """The names of methods, functions and attributes of a module's own classes."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and is_self(node.value):
            names.add(node.attr)
    return names


def is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in ("self", "cls")


OF_TESTS = set().union(*(defined_in(tree) for tree in TREES.values()))


def private_parts(path: Path) -> Iterator[str]:
    """Each use of a private name that the file does not define: an attribute, an import, a name in a text.

    What is asked of `self` may come from a base class in another file of the tests.
    """
    own = defined_in(TREES[path])
    for node in ast.walk(TREES[path]):
        if isinstance(node, ast.Attribute):
            if is_private(node.attr) and node.attr not in (OF_TESTS if is_self(node.value) else own):
                yield f"{node.lineno}: {ast.unparse(node)}"
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.lineno}: import {name.name}" for name in node.names if is_private(name.name))
        elif isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in BY_NAME:
            values = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            texts = [value for value in values if isinstance(value, str)]
            yield from (f"{node.lineno}: {text}" for text in texts if is_private(text.rpartition(".")[2]))


@pytest.mark.parametrize("path", TESTS, ids=str)
def test_a_test_uses_no_private_part_of_the_programs(path: Path) -> None:
    if not str(path).startswith(FOREIGN):
        assert not list(private_parts(path))


def test_no_host_of_the_internet_stands_in_the_repository() -> None:
    """A build or a test gets what it needs from where the machine gets its packages from."""
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    found: set[str] = set()
    for name in filter(None, names.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and b"\0" not in (content := path.read_bytes()):
            hosts = re.findall(
                r"\b[a-z0-9][a-z0-9.-]*\.(?:com|net|org|io)\b", content.decode("utf-8", "replace")
            )
            found |= {f"{name}: {host}" for host in hosts if not HARMLESS.search(host)}
    assert not found

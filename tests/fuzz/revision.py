"""Which harness tries a target: what was tried with another one does not count."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.fuzz import exploration, mutation
from tests.fuzz.exploration import ROOT
from tests.fuzz.target import FuzzTarget


def revision_of(target: FuzzTarget) -> str:
    """Of what makes the target's inputs and checks what comes of them. The parser itself is no part of it."""
    digest = hashlib.sha256(repr((target.name, target.tokens, target.longest)).encode())
    for file in (mutation.__file__, exploration.__file__, *sorted(_files(_module(target)))):
        digest.update(_program(Path(file)))
    return digest.hexdigest()[:12]


def _module(target: FuzzTarget) -> Path:
    return ROOT.joinpath(*target.prepare.__module__.split(".")).with_suffix(".py")


@cache
def _files(module: Path) -> frozenset[str]:
    """A module of the tests, and those of the tests that it imports."""
    found = {module}
    waiting = [module]
    while waiting:
        for other in _imported(waiting.pop()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return frozenset(map(str, found))


def _imported(module: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(module.read_bytes())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tests."):
            place = ROOT.joinpath(*str(node.module).split("."))
            names = [place / alias.name for alias in node.names]
            yield from (
                path.with_suffix(".py") for path in (place, *names) if path.with_suffix(".py").is_file()
            )


@cache
def _program(file: Path) -> bytes:
    """What a file does, without its comments and its lines' lengths."""
    return ast.unparse(ast.parse(file.read_bytes())).encode()

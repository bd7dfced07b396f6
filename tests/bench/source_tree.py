"""The source of a version of the project: a folder, or a git revision unpacked into a temporary one."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

from tests.bench.server_process import PROJECT


class NoSuchVersion(Exception):
    """Neither a checkout of this project nor a revision of it."""


@contextmanager
def source_tree(version: str = "HEAD") -> Iterator[Path]:
    """A folder that has this version's files, while the context lasts. Raises NoSuchVersion."""
    if (Path(version) / "astcti_server").is_dir():
        yield Path(version).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as folder:
        _unpack(version, Path(folder))
        yield Path(folder)


def name_of_tree(tree: Path = PROJECT) -> str:
    """The commit that a checkout is at, and whether it was changed since; its path if it is none."""
    found = _git(tree, "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
    return found.stdout.decode().strip() if found.returncode == 0 else str(tree)


def _unpack(revision: str, folder: Path) -> None:
    # An archive, not a worktree: nothing of it is left in the repository if the run is cut off.
    archived = _git(PROJECT, "archive", "--format=tar", revision)
    if archived.returncode:
        raise NoSuchVersion(f"{revision}: {archived.stderr.decode(errors='replace').strip()}")
    with tarfile.open(fileobj=BytesIO(archived.stdout)) as archive:
        archive.extractall(folder, filter="data")


def _git(tree: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(tree), *arguments], capture_output=True, check=False)

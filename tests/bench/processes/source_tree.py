"""The source of a version of the project: a folder, or a git revision unpacked into a temporary one."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.processes.server_process import PROJECT


class NoSuchVersion(Exception):
    """Neither a checkout of this project nor a revision of it."""


@contextmanager
def source_tree(version: str = "HEAD", *, repository: Path = PROJECT) -> Iterator[Path]:
    """A folder that has the files of a version, while the context lasts. Raises NoSuchVersion."""
    if (Path(version) / "astcti_server").is_dir():
        yield Path(version).resolve()
        return
    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as folder:
        _unpack(repository, version, Path(folder))
        yield Path(folder)


def name_of_tree(tree: Path = PROJECT) -> str:
    """The commit that a checkout is at, and whether it was changed since; its path if it is none."""
    found = _git(tree, "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
    return found.stdout.decode().strip() if found.returncode == 0 else str(tree)


def _unpack(repository: Path, revision: str, folder: Path) -> None:
    # An archive, not a worktree: nothing of it is left in the repository if the run is cut off.
    archived = _git(repository, "archive", "--format=tar", revision)
    if archived.returncode:
        raise NoSuchVersion(f"{revision}: {archived.stderr.decode(errors='replace').strip()}")
    # Not tarfile: that of Python 3.11.2, Debian 12's, knows no filter, without which later ones warn.
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archived.stdout, check=True)


def _git(tree: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(tree), *arguments], capture_output=True, check=False)

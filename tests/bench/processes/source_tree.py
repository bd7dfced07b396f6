"""A version of the project to be run: a checkout, what was installed or built from it, or a git revision.

A wheel may have compiled modules. It is installed into a temporary folder, without what it needs: that is the
bench's own, so that both versions run with the same.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.processes.server_process import PROJECT


class NoSuchVersion(Exception):
    """No checkout, wheel, environment or revision of this project, or none that runs here."""


@contextmanager
def source_tree(version: str = "HEAD", *, repository: Path = PROJECT) -> Iterator[Path]:
    """A folder that has the files of a version, while the context lasts. Raises NoSuchVersion.

    `version` is a folder with the packages in it (a checkout, site-packages), an environment or prefix that
    they are installed in, a wheel, or a git revision.
    """
    place = Path(version)
    installed = [place, *sorted(place.glob("lib/python3*/site-packages"))] if place.is_dir() else []
    for folder in installed:
        if (folder / "astcti_server").is_dir():
            yield folder.resolve()
            return
    with tempfile.TemporaryDirectory(prefix="astcti-bench-") as temporary:
        if place.suffix == ".whl":
            _install(place, Path(temporary))
        else:
            _unpack(repository, version, Path(temporary))
        yield Path(temporary)


def name_of_tree(tree: Path = PROJECT) -> str:
    """The commit that a checkout is at, and whether it was changed since; its path if it is none."""
    found = _git(tree, "describe", "--always", "--dirty", "--abbrev=7", "--exclude=*")
    return found.stdout.decode().strip() if found.returncode == 0 else str(tree)


def _install(wheel: Path, folder: Path) -> None:
    options = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", str(folder))
    command = [sys.executable, "-m", "pip", "install", *options, str(wheel)]
    installed = subprocess.run(command, capture_output=True, check=False)
    if installed.returncode:  # such as a wheel with modules that were compiled for another Python
        raise NoSuchVersion(f"{wheel}: {installed.stderr.decode(errors='replace').strip()}")


def _unpack(repository: Path, revision: str, folder: Path) -> None:
    # An archive, not a worktree: nothing of it is left in the repository if the run is cut off.
    archived = _git(repository, "archive", "--format=tar", revision)
    if archived.returncode:
        raise NoSuchVersion(f"{revision}: {archived.stderr.decode(errors='replace').strip()}")
    # Not tarfile: that of Python 3.11.2, Debian 12's, knows no filter, without which later ones warn.
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archived.stdout, check=True)


def _git(tree: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", "-C", str(tree), *arguments], capture_output=True, check=False)

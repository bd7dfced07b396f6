"""The files of the release before this one, as `tests/previous-release` names it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
NAMED_IN: Final = Path("tests", "previous-release")


class NoHistory(Exception):
    """The commit is not here; the text says what to do."""


def previous_release() -> str:
    """The commit."""
    return (ROOT / NAMED_IN).read_text(encoding="utf-8").strip()


def unpack(commit: str, folder: Path, repository: Path = ROOT) -> None:
    """Put the files of a commit into a folder. Raises NoHistory."""
    archive = ["git", "-C", str(repository), "archive", "--format=tar", commit]
    try:
        archived = subprocess.run(archive, capture_output=True, check=False)
    except OSError as error:
        raise NoHistory(f"git: {error.strerror}") from None
    if archived.returncode:
        said = archived.stderr.decode(errors="replace").strip()
        raise NoHistory(
            f"the release before, {commit} by {NAMED_IN}, is not in {repository}: a clone with its history "
            f"is needed (git fetch --unshallow). git says: {said}"
        )
    # Not tarfile: that of Python 3.11.2, Debian 12's, knows no filter, without which later ones warn.
    subprocess.run(["tar", "-x", "-C", str(folder)], input=archived.stdout, check=True)

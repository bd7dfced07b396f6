"""The source archive of a commit is the same whoever packs it, and when."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "packaging" / "same_archive.py"
MOMENT = "1795438228"


def packed(folder: Path, *, mode: int, time: int, order: tuple[str, ...]) -> Path:
    """An archive of two files, one of them a program."""
    folder.mkdir()
    archive = folder / "made.tar.gz"
    with tarfile.open(archive, "w:gz") as file:
        for name in order:
            path = folder / name
            path.write_text(name)
            path.chmod(mode | (0o100 if name == "program.sh" else 0))
            os.utime(path, (time, time))
            file.add(path, name)
    return archive


def test_two_archives_of_the_same_files_become_the_same_bytes(tmp_path: Path) -> None:
    first = packed(tmp_path / "first", mode=0o600, time=1000, order=("program.sh", "text"))
    second = packed(tmp_path / "second", mode=0o664, time=2000, order=("text", "program.sh"))
    for archive in (first, second):
        subprocess.run(
            [sys.executable, SCRIPT, archive], env={**os.environ, "SOURCE_DATE_EPOCH": MOMENT}, check=True
        )
    assert first.read_bytes() == second.read_bytes()
    with tarfile.open(first) as file:
        assert [(member.name, member.mode, member.mtime) for member in file] == [
            ("program.sh", 0o755, int(MOMENT)),
            ("text", 0o644, int(MOMENT)),
        ]


def test_without_a_given_time_an_archive_stays_as_it_is(tmp_path: Path) -> None:
    archive = packed(tmp_path / "one", mode=0o600, time=1000, order=("text",))
    before = archive.read_bytes()
    environment = {name: value for name, value in os.environ.items() if name != "SOURCE_DATE_EPOCH"}
    subprocess.run([sys.executable, SCRIPT, archive], env=environment, check=True)
    assert archive.read_bytes() == before

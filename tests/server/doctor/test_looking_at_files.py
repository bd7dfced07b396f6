"""Who may read what: modes of a file and of the directories above it, as the kernel judges them."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.doctor.facts import ServerFacts, SystemUser
from astcti_server.doctor.gather_files import closed_at, gather_files, server_user

STRANGER = SystemUser("stranger", 54321, frozenset({54321}))
COLLEAGUE = SystemUser("colleague", 54322, frozenset({54322, os.getegid()}))
OWNER = SystemUser("owner", os.geteuid(), frozenset({os.getegid()}))
ROOT = SystemUser("root", 0, frozenset({0}))


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user may enter."""
    place = Path(tempfile.mkdtemp(prefix="astcti-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize(
    ("of_folder", "of_file", "user", "closed"),
    [
        (0o755, 0o644, STRANGER, ""),
        (0o755, 0o640, STRANGER, "file"),
        (0o750, 0o644, STRANGER, "folder"),
        (0o750, 0o640, COLLEAGUE, ""),
        (0o750, 0o600, COLLEAGUE, "file"),
        (0o700, 0o640, COLLEAGUE, "folder"),
        (0o000, 0o000, ROOT, ""),
        (0o755, 0o644, None, ""),
    ],
)
def test_where_a_user_is_turned_away(
    folder: Path, of_folder: int, of_file: int, user: SystemUser | None, closed: str
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    file = inner / "server.xml"
    file.touch()
    file.chmod(of_file)
    inner.chmod(of_folder)
    assert closed_at(file, user, stat.S_IRUSR) == {"": "", "file": str(file), "folder": str(inner)}[closed]
    inner.chmod(0o700)


def test_the_owner_is_not_saved_by_what_others_may(folder: Path) -> None:
    file = folder / "server.xml"
    file.touch()
    file.chmod(0o044)
    owner = OWNER
    if owner.user == 0:  # who may everything
        os.chown(file, STRANGER.user, -1)
        owner = STRANGER
    assert closed_at(file, owner, stat.S_IRUSR) == str(file)


def test_a_file_with_an_access_control_list_is_not_judged(folder: Path) -> None:
    file = folder / "server.xml"
    file.touch()
    file.chmod(0o600)
    assert closed_at(file, STRANGER, stat.S_IRUSR)
    # acl(5): the owner may read and write, STRANGER read, the group nothing; the mask; others nothing.
    nobody = 0xFFFFFFFF
    entries = ((1, 6, nobody), (2, 4, STRANGER.user), (4, 0, nobody), (0x10, 4, nobody), (0x20, 0, nobody))
    try:
        os.setxattr(
            file,
            "system.posix_acl_access",
            struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries),
        )
    except OSError:
        pytest.skip("this file system has no access control lists")
    assert not closed_at(file, STRANGER, stat.S_IRUSR)


def test_the_user_is_that_of_the_running_server() -> None:
    found = server_user(ServerFacts("running", seen={"user": 54321, "groups": [54321, 7]}))
    assert found == SystemUser("54321", 54321, frozenset({54321, 7}))


def test_an_installation_that_is_not_there_is_a_fact(folder: Path) -> None:
    found = gather_files(folder / "nowhere", folder / "state", ServerFacts())
    assert found.settings is None and found.state is None
    assert "cannot be read" in found.problems[0].message

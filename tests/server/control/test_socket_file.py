"""The file of the control socket: whose it is, what it replaces, and what it never touches."""

from __future__ import annotations

import fcntl
import grp
import os
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from astcti_server.control import socket_file
from astcti_server.control.socket_file import AlreadyServedError, ControlSocketError, ControlSocketFile
from tests.fake.patience import PATIENCE
from tests.needed import lacking

LEAVES_ONE_BEHIND = """
import os, sys
from pathlib import Path
from astcti_server.control.socket_file import ControlSocketFile
ControlSocketFile(Path(sys.argv[1]))
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_group_may_connect_and_nobody_else_whatever_the_umask(path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        file = ControlSocketFile(path)
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        assert os.umask(umask) == umask, "the process has its umask back"
    finally:
        os.umask(before)
    file.close()
    assert not path.exists()


def test_the_socket_belongs_to_the_group_where_there_is_one(path: Path) -> None:
    if os.geteuid() != 0:
        lacking("needs root")
    other = grp.getgrgid(1)
    file = ControlSocketFile(path, other.gr_name)
    assert file.group == path.lstat().st_gid == other.gr_gid
    file.close()
    file = ControlSocketFile(path, "no such group")
    assert file.group == path.lstat().st_gid != other.gr_gid
    file.close()


def test_nobody_can_connect_before_the_group_is_right(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[str] = []
    chown = os.chown

    def try_first(place: Path, user: int, group: int, *, follow_symlinks: bool) -> None:
        assert stat.S_IMODE(path.lstat().st_mode) == 0o660
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(str(path))
            except OSError as error:
                tried.append(type(error).__name__)
        chown(place, user, group, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "chown", try_first)
    ControlSocketFile(path, grp.getgrgid(os.getegid()).gr_name).close()
    assert tried == ["ConnectionRefusedError"]


def test_a_socket_left_by_a_killed_server_is_replaced(path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", LEAVES_ONE_BEHIND, path], check=False, timeout=PATIENCE)
    assert killed.returncode == -9
    assert stat.S_ISSOCK(path.lstat().st_mode)
    ControlSocketFile(path).close()


def test_a_living_socket_is_never_replaced(path: Path) -> None:
    first = ControlSocketFile(path)
    made = path.lstat().st_ino
    for _ in range(
        socket_file.BACKLOG + 5
    ):  # nobody accepts: from some moment on the kernel says "try again"
        with pytest.raises(AlreadyServedError, match="another astcti-server is running"):
            ControlSocketFile(path)
    assert path.lstat().st_ino == made
    first.close()


@pytest.mark.parametrize("attempt", range(12))  # who meets whom is chance
def test_of_many_servers_that_start_at_once_beside_a_dead_socket_one_gets_it(
    path: Path, attempt: int
) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    made: list[ControlSocketFile] = []
    refused: list[Exception] = []

    def start() -> None:
        try:
            made.append(ControlSocketFile(path))
        except AlreadyServedError as error:
            refused.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert (len(made), len(refused)) == (1, 7)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
    made[0].close()


def test_a_stranger_who_locks_the_directory_only_delays_the_start(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket_file, "LOCKED_WITHIN", 0.2)
    descriptor = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    began = time.monotonic()
    ControlSocketFile(path).close()
    assert time.monotonic() - began >= 0.2
    os.close(descriptor)


@pytest.mark.parametrize("what", ["file", "directory", "link to nothing", "link to a dead socket"])
def test_what_is_no_socket_is_left_alone(path: Path, what: str) -> None:
    elsewhere = path.with_name("elsewhere")
    if what == "file":
        path.write_text("precious")
    elif what == "directory":
        path.mkdir()
    elif what == "link to nothing":
        path.symlink_to(elsewhere)
    else:
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(elsewhere))
        path.symlink_to(elsewhere)
    before = sorted((entry.name, entry.lstat().st_ino) for entry in path.parent.iterdir())
    with pytest.raises(ControlSocketError, match="is no socket, so it was not replaced"):
        ControlSocketFile(path)
    assert sorted((entry.name, entry.lstat().st_ino) for entry in path.parent.iterdir()) == before


def test_a_path_that_is_too_long_is_said_in_plain_words(folder: Path) -> None:
    longest = folder / ("x" * (107 - len(str(folder)) - 1))
    ControlSocketFile(longest).close()
    with pytest.raises(ControlSocketError, match="longer than the 107 bytes"):
        ControlSocketFile(folder / (longest.name + "x"))


def test_a_directory_that_cannot_be_made_is_said_with_its_name(folder: Path) -> None:
    (folder / "file").write_text("")
    with pytest.raises(ControlSocketError, match=r"control\.sock: .*--control"):
        ControlSocketFile(folder / "file" / "control.sock")


def test_a_missing_directory_is_made(folder: Path) -> None:
    path = folder / "run" / "astcti" / "control.sock"
    ControlSocketFile(path).close()
    assert path.parent.is_dir()


def test_a_socket_that_took_its_place_is_not_removed_at_the_end(path: Path) -> None:
    first = ControlSocketFile(path)
    path.unlink()  # somebody tidied up
    second = ControlSocketFile(path)
    first.close()
    assert stat.S_ISSOCK(path.lstat().st_mode)
    second.close()
    assert not path.exists()

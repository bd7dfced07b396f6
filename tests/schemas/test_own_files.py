"""The programs' own files: whole, with their own mode, and never written through a link."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.own_files import (
    FOR_GROUP,
    LEFT_AFTER,
    PRIVATE,
    file_beside,
    open_appended,
    put_aside,
    remove_leftovers,
    replace_file,
)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_lines_are_never_appended_to_a_pipe_whether_somebody_reads_or_not(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OSError):
        open_appended(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with pytest.raises(OSError, match="it is a pipe"):
        open_appended(pipe)
    os.close(reader)


@pytest.mark.parametrize("wanted", [PRIVATE, FOR_GROUP])
def test_a_file_has_its_mode_whatever_the_umask_and_whatever_was_there(
    tmp_path: Path, umask: int, wanted: int
) -> None:
    path = tmp_path / "file"
    replace_file(path, b"first", wanted)
    assert mode(path) == wanted
    path.chmod(0o666)
    replace_file(path, b"second", wanted)
    assert mode(path) == wanted
    assert path.read_bytes() == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_it_is_for_nobody_else_while_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []
    real = os.open

    def note(path: str | Path, flags: int, mode: int = 0o777, **how: int) -> int:
        descriptor = real(path, flags, mode, **how)
        if flags & os.O_CREAT:
            seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", note)
    replace_file(tmp_path / "file", b"secret", FOR_GROUP)
    assert seen == [0o600]


def test_a_link_of_its_name_is_replaced_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    path = tmp_path / "file"
    path.symlink_to(precious)
    replace_file(path, b"new", PRIVATE)
    assert precious.read_bytes() == b"precious"
    assert not path.is_symlink()
    assert path.read_bytes() == b"new"


def test_a_link_in_place_of_the_new_file_is_never_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though nobody can guess its name: here it is known."""
    precious = tmp_path / "precious"
    precious.write_bytes(b"precious")
    monkeypatch.setattr("secrets.token_hex", lambda size: 2 * size * "0")
    for target in (precious, tmp_path / "not there"):
        guessed = tmp_path / f".file.{16 * '0'}"
        guessed.symlink_to(target)
        with pytest.raises(FileExistsError):
            replace_file(tmp_path / "file", b"new", PRIVATE)
    assert precious.read_bytes() == b"precious"
    assert not (tmp_path / "not there").exists()


def test_two_names_are_never_the_same(tmp_path: Path) -> None:
    names = set()
    for _ in range(100):
        with file_beside(tmp_path / "file", b"", PRIVATE, durable=False) as fresh:
            names.add(fresh.name)
    assert len(names) == 100


def test_whoever_reads_meanwhile_sees_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    contents = [bytes([digit]) * 100_000 for digit in b"ab"]
    replace_file(path, contents[0], PRIVATE)
    over = threading.Event()
    seen: set[bytes] = set()

    def read() -> None:
        while not over.is_set():
            seen.add(path.read_bytes())

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(200):
        replace_file(path, contents[number % 2], PRIVATE, durable=False)
    over.set()
    reader.join()
    assert seen <= set(contents)


def test_what_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    replace_file(path, b"old", PRIVATE)
    with pytest.raises(RuntimeError), file_beside(path, b"new", PRIVATE) as fresh:
        assert fresh.read_bytes() == b"new"
        raise RuntimeError("what it says is not good")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        replace_file(path, b"new", PRIVATE)
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"


def test_what_a_killed_program_left_goes_and_nothing_else(tmp_path: Path) -> None:
    old, of_another, young = (tmp_path / f".{name}.{16 * 'a'}" for name in ("file", "other", "young"))
    kept = [
        tmp_path / name for name in (".file.new", "file", ".file", f".file.{15 * 'a'}", f"file.{16 * 'a'}")
    ]
    for path in (old, of_another, young, *kept):
        path.touch()
    for path in (old, of_another, *kept):
        os.utime(path, (0, path.stat().st_mtime - LEFT_AFTER - 1))
    remove_leftovers(tmp_path, "file")
    assert sorted(tmp_path.iterdir()) == sorted([of_another, young, *kept])
    remove_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([young, *kept])
    remove_leftovers(tmp_path / "not there")


def test_what_is_put_aside_replaces_nothing_that_was_put_aside_before(tmp_path: Path) -> None:
    path = tmp_path / "file"
    names = []
    for number in range(10):
        path.write_text(str(number))
        names.append(put_aside(path, "damaged").name)
    assert names[:3] == ["file.damaged", "file.damaged-2", "file.damaged-3"]
    assert names[8:] == ["file.damaged-9", "file.damaged-9"]
    assert (tmp_path / "file.damaged").read_text() == "0"
    assert not path.exists()

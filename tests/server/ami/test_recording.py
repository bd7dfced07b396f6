"""The recording's file: who may read it, how it ends, and that nobody waits for its disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from astcti_server.ami.recording_file import MEBIBYTE, MOST_WAITING, RecordingFile
from tests.fake.patience import PATIENCE


@contextmanager
def recording(path: Path, limit: int = 1) -> Iterator[RecordingFile]:
    file = RecordingFile(path, limit)
    file.start()
    try:
        yield file
    finally:
        file.stop()
        file.join(PATIENCE)
        assert not file.is_alive()


def open_files() -> set[str]:
    """What this process holds open."""
    found = set()
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the one that lists the folder
            found.add(str(descriptor.readlink()))
    return found


@pytest.fixture(params=[0o000, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_others_cannot_read_it_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    with recording(tmp_path / "trace.ami") as file:
        file.write(b"Event: Hangup\r\n\r\n")
    assert (tmp_path / "trace.ami").stat().st_mode & 0o777 == 0o640 & ~umask
    assert (tmp_path / "trace.ami").read_bytes() == b"Event: Hangup\r\n\r\n"


def test_a_file_that_others_could_read_is_continued_and_closed_to_them(tmp_path: Path) -> None:
    path = tmp_path / "trace.ami"
    path.write_bytes(b"before ")
    path.chmod(0o666)
    with recording(path) as file:
        file.write(b"after")
    assert path.read_bytes() == b"before after"
    assert path.stat().st_mode & 0o777 == 0o640


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"")
    (tmp_path / "trace.ami").symlink_to(tmp_path / "target")
    with pytest.raises(OSError, match="is a symbolic link: name the file itself"):
        RecordingFile(tmp_path / "trace.ami", 1)


def test_a_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "trace.ami")
    with pytest.raises(OSError):
        RecordingFile(tmp_path / "trace.ami", 1)


def test_a_directory_is_refused_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(OSError) as refused:
        RecordingFile(tmp_path, 1)
    assert refused.value.filename in (tmp_path, str(tmp_path))


def test_it_ends_at_its_limit_and_is_closed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "trace.ami"
    path.write_bytes(b"b" * 1000)
    with recording(path, limit=1) as file:
        file.write(b"x" * (MEBIBYTE - 500))
        file.join(PATIENCE)
        assert str(path) not in open_files()
        file.write(b"dropped")
    assert path.stat().st_size == MEBIBYTE
    (record,) = caplog.records
    assert record.getMessage() == (
        f"The recording ends here, nothing more is written to {path}: "
        "it has the 1 MiB that --record-limit allows"
    )


def test_on_a_full_disk_it_ends_and_is_closed(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "trace.ami"
    with recording(path) as file:
        monkeypatch.setattr(os, "write", full)
        file.write(b"Event: Hangup\r\n\r\n")
        file.join(PATIENCE)
        assert str(path) not in open_files()
        file.write(b"dropped")
    (record,) = caplog.records
    assert record.getMessage().endswith("trace.ami: it cannot be written (No space left on device)")


def test_a_disk_that_hangs_keeps_nobody_waiting_and_ends_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, over = threading.Event(), threading.Event()

    def hang(_descriptor: int, data: bytes) -> int:
        hanging.set()
        over.wait(PATIENCE)
        return len(data)

    with recording(tmp_path / "trace.ami", limit=100) as file:
        monkeypatch.setattr(os, "write", hang)
        file.write(b"first")
        assert hanging.wait(PATIENCE)
        for _ in range(MOST_WAITING // MEBIBYTE + 1):
            file.write(bytes(MEBIBYTE))  # this thread gets here although the disk takes nothing
        over.set()
    assert "the disk does not keep up with Asterisk" in caplog.text


def test_what_was_handed_over_before_the_stop_is_written(tmp_path: Path) -> None:
    with recording(tmp_path / "trace.ami") as file:
        for number in range(1000):
            file.write(b"%d\n" % number)
    assert (tmp_path / "trace.ami").read_bytes().splitlines()[-1] == b"999"

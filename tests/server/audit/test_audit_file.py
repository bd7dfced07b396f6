"""The audit's file: whole lines of JSON, whatever the disk does, and nobody waits for it."""

from __future__ import annotations

import fcntl
import json
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from astcti_server.audit import audit_file
from astcti_server.audit.audit_file import AuditFile
from astcti_server.audit.entries import AuditAction, AuditRecord
from tests.fake.patience import until


def record(number: int) -> AuditRecord:
    return AuditRecord(AuditAction.ORIGINATE, {"user": "mario", "exten": str(number), "result": "ok"}, 1.5)


def read(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def audit(path: Path) -> Iterator[AuditFile]:
    thread = AuditFile(path, again=0.01)
    thread.start()
    yield thread
    thread.stop()
    thread.join()


def test_an_entry_is_one_line_of_json_with_time_and_action_first(path: Path, audit: AuditFile) -> None:
    audit.write(AuditRecord(AuditAction.LOGIN, {"user": "zoë\n", "address": "::1"}, 1.5))
    until(path.exists)
    until(lambda: path.read_bytes().endswith(b"\n"))
    assert path.read_text(encoding="utf-8") == (
        '{"time": "1970-01-01T00:00:01.500Z", "action": "login", "user": "zoë\\n", "address": "::1"}\n'
    )
    assert path.stat().st_mode & 0o777 == 0o640


def test_what_is_no_text_is_written_all_the_same() -> None:
    line = AuditRecord(AuditAction.LOGIN_FAILED, {"user": "\udc80\x00"}, 0).line()
    assert json.loads(line)["user"]


def test_what_waits_at_the_stop_is_written(path: Path) -> None:
    audit = AuditFile(path)
    for number in range(2000):
        audit.write(record(number))
    audit.start()
    audit.stop()
    audit.join()
    assert [entry["exten"] for entry in read(path)] == [str(number) for number in range(2000)]


def test_without_a_file_nothing_is_kept_nor_waits(path: Path) -> None:
    audit = AuditFile(None)
    for number in range(audit_file.MOST_WAITING * 2):
        audit.write(record(number))
    assert audit.lost == 0
    audit.start()
    audit.stop()
    audit.join()


def test_a_file_that_was_moved_away_is_begun_anew(path: Path, audit: AuditFile) -> None:
    audit.write(record(1))
    until(lambda: path.exists() and len(read(path)) == 1)
    moved = path.rename(path.with_name("audit.log.1"))
    audit.reopen()
    audit.write(record(2))
    until(lambda: path.exists() and len(read(path)) == 1)
    assert [entry["exten"] for entry in (*read(moved), *read(path))] == ["1", "2"]


def test_the_file_may_be_another_one_from_now_on(path: Path, audit: AuditFile) -> None:
    other = path.with_name("other.log")
    audit.write(record(1))
    audit.write_to(other)
    audit.write(record(2))
    audit.write_to(None)
    audit.write(record(3))
    audit.write_to(other)
    audit.write(record(4))
    until(lambda: other.exists() and len(read(other)) == 2)
    assert [entry["exten"] for entry in read(path)] == ["1"]
    assert [entry["exten"] for entry in read(other)] == ["2", "4"]


def test_a_full_disk_costs_whole_lines_which_are_counted_and_told(
    path: Path, audit: AuditFile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk takes half of what is written, and then nothing: no half line stays."""
    audit.write(record(1))
    until(lambda: path.exists() and len(read(path)) == 1)
    really_write = os.write
    full = threading.Event()

    def write(descriptor: int, data: bytes) -> int:
        if threading.current_thread() is not audit or not full.is_set():
            return really_write(descriptor, data)
        if len(data) > 40:
            return really_write(descriptor, data[:40])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", write)
    full.set()
    audit.write(record(2))
    until(lambda: audit.lost == 1)
    assert audit.failure == "No space left on device"
    assert [entry["exten"] for entry in read(path)] == ["1"]
    audit.write(record(3))
    until(lambda: audit.lost == 2)
    full.clear()
    until(lambda: len(read(path)) == 2)  # by itself, though nothing more is to be written
    audit.write(record(4))
    until(lambda: len(read(path)) == 3)
    told = read(path)[1]
    assert (told["action"], told["lines"]) == ("lines-lost", 2)
    assert read(path)[2]["exten"] == "4"
    assert audit.failure == ""
    assert caplog.text.count("cannot be written") == 1
    assert caplog.text.count("can be written again; 2 lines were lost") == 1


class FullDisk:
    """Of each line that one thread writes it takes half, then tells somebody, then takes nothing more."""

    def __init__(self, thread: threading.Thread, between: Callable[[], object]) -> None:
        self._thread, self._between = thread, between
        self._write = os.write
        self.full = True

    def write(self, descriptor: int, data: bytes) -> int:
        if threading.current_thread() is not self._thread or not self.full:
            return self._write(descriptor, data)
        if len(data) > 40:
            return self._write(descriptor, data[:40])
        self._between()
        raise OSError(28, "No space left on device")


def test_two_servers_with_one_file_on_a_full_disk_do_not_cut_each_others_lines(
    path: Path, audit: AuditFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one's turn comes between half a line of this one and its end."""
    line = record(7).line()
    other = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    written = 0

    def other_writes() -> None:
        nonlocal written
        try:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # it waits
        written += os.write(other, line)
        fcntl.flock(other, fcntl.LOCK_UN)

    disk = FullDisk(audit, other_writes)
    monkeypatch.setattr(os, "write", disk.write)
    audit.write(record(1))
    until(lambda: audit.lost == 1)
    if not written:
        fcntl.flock(other, fcntl.LOCK_EX)
        fcntl.flock(other, fcntl.LOCK_UN)
        other_writes()
    assert [entry["exten"] for entry in read(path)] == ["7"]
    disk.full = False
    until(lambda: len(read(path)) == 2)
    assert read(path)[1]["action"] == "lines-lost"
    os.close(other)


def test_a_server_that_stands_still_while_it_has_the_file_keeps_no_other_from_writing(
    path: Path, audit: AuditFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then half a line stays, for what comes behind it may be another server's; it is ended by the next."""
    held = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    fcntl.flock(held, fcntl.LOCK_EX)
    disk = FullDisk(audit, lambda: None)
    monkeypatch.setattr(os, "write", disk.write)
    audit.write(record(1))
    until(lambda: audit.lost == 1)
    disk.full = False
    until(lambda: path.read_bytes().endswith(b"}\n"))
    os.close(held)
    half, *whole = path.read_text().splitlines()
    assert half and record(1).line().decode().startswith(half)
    assert [json.loads(line)["action"] for line in whole] == ["lines-lost"]


def test_a_pipe_is_refused_and_never_waited_for(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Opening one waits for somebody who reads, writing for somebody who goes on reading."""
    os.mkfifo(path)
    for reader in (-1, os.open(path, os.O_RDONLY | os.O_NONBLOCK)):
        audit = AuditFile(path)
        audit.start()
        audit.write(record(1))
        audit.stop()
        audit.join(30)
        assert not audit.is_alive()
        assert audit.lost == 1
        if reader >= 0:
            os.close(reader)
            assert audit.failure == "it is a pipe"


def test_a_disk_that_hangs_keeps_nobody_waiting(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More entries than may wait: those are lost, and told once the disk is back."""
    hangs, go_on = threading.Event(), threading.Event()
    really_open = os.open

    def slow_open(*arguments: Any, **more: Any) -> int:
        if threading.current_thread() is audit:
            hangs.set()
            go_on.wait()
        return really_open(*arguments, **more)

    monkeypatch.setattr(os, "open", slow_open)
    audit = AuditFile(path)
    audit.start()
    audit.write(record(0))
    assert hangs.wait(30)
    for number in range(audit_file.MOST_WAITING + 7):
        audit.write(record(number))
    assert audit.lost == 7
    go_on.set()
    audit.stop()
    audit.join()
    entries = read(path)
    assert [entry["lines"] for entry in entries if entry["action"] == "lines-lost"] == [7]
    assert len(entries) == audit_file.MOST_WAITING + 2

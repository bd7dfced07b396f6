"""The list of our own queue members on disk."""

import os

import pytest

from astcti_server.process.state_directory import StateError
from astcti_server.queues.state_file import StateFile

MEMBERS = {("astcti", "PJSIP/201"): "mario", ("vendité", "Local/202@agents/n"): "zoë"}


def test_what_was_saved_is_loaded(tmp_path):
    assert StateFile(tmp_path).save(MEMBERS)
    assert StateFile(tmp_path).load() == MEMBERS


def test_no_file_is_no_members(tmp_path):
    assert StateFile(tmp_path).load() == {}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": 2, "members": []}',
        b'{"format": 1, "members": [{"queue": "a"}]}',
        b'{"format": 1, "members": [{"queue": 1, "interface": "b", "username": "c"}]}',
        b"\xff\xfe",
        b"[" * 100000,
    ],
)
def test_a_damaged_file_counts_as_empty_and_is_kept_and_logged(tmp_path, caplog, content):
    state = StateFile(tmp_path)
    state.path.write_bytes(content)
    assert state.load() == {}
    assert (tmp_path / "queue-members.json.damaged").read_bytes() == content
    assert "damaged" in caplog.text
    assert state.save(MEMBERS)
    assert state.load() == MEMBERS


def test_a_crash_in_the_middle_of_writing_leaves_the_old_file(tmp_path, monkeypatch):
    state = StateFile(tmp_path)
    state.save(MEMBERS)

    def crash(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    assert not state.save({})
    assert state.load() == MEMBERS


def test_a_disk_that_fails_is_logged_once_and_its_recovery_too(tmp_path, monkeypatch, caplog):
    state = StateFile(tmp_path)
    real = os.fsync

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    state.save(MEMBERS)
    state.save(MEMBERS)
    assert caplog.text.count("No space left on device") == 1
    monkeypatch.setattr(os, "fsync", real)
    assert state.save(MEMBERS)
    assert "can be written again" in caplog.text


def test_a_file_that_cannot_be_read_is_an_error_and_not_an_empty_list(tmp_path):
    state = StateFile(tmp_path)
    state.path.mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        state.load()

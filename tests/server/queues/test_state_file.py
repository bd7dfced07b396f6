"""What outlives the server on disk: our own queue members, and the pauses."""

import os

import pytest

from astcti_server.process.state_directory import StateError
from astcti_server.queues.kept_wishes import KeptPause, LeftQueues
from astcti_server.queues.state_file import NOTHING_SAVED, SavedQueues, StateFile

MEMBERS = {("astcti", "PJSIP/201"): "mario", ("vendité", "Local/202@agents/n"): "zoë"}
PAUSES = {"mario": KeptPause("Lunch — è ora", 1795430727.25, 1795434327.0)}
LEFT = {"zoë": LeftQueues(frozenset({"sales", "vendité"}), 1795434327.5)}
SAVED = SavedQueues(MEMBERS, PAUSES, LEFT)


def test_what_was_saved_is_loaded(tmp_path):
    assert StateFile(tmp_path).save(SAVED)
    assert StateFile(tmp_path).load() == SAVED


def test_no_file_is_no_members(tmp_path):
    assert StateFile(tmp_path).load() == NOTHING_SAVED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'{"format": 0, "members": []}',
        b'{"format": "2", "members": []}',
        b'{"format": 1, "members": [{"queue": "a"}]}',
        b'{"format": 1, "members": [{"queue": 1, "interface": "b", "username": "c"}]}',
        b'{"format": 1, "members": [], "pauses": [{"username": "a", "reason": "b", "since": 1}]}',
        b'{"format": 1, "members": [], "pauses": [{"username": "a", "reason": 1, "since": 1, "seen": 1}]}',
        b'{"format": 1, "members": [], "pauses": [{"username": "a", "reason": "", "since": NaN, "seen": 1}]}',
        b'{"format": 1, "members": [], "pauses": [{"username": "", "reason": "", "since": 1, "seen": true}]}',
        b'{"format": 1, "members": [], "pauses": {"a": 1}}',
        b'{"format": 1, "members": [], "left": [{"username": "a", "queues": "sales", "seen": 1}]}',
        b'{"format": 1, "members": [], "left": [{"username": "a", "queues": [], "seen": 1}]}',
        b'{"format": 1, "members": [], "left": [{"username": "a", "queues": [1], "seen": 1}]}',
        b'{"format": 1, "members": [], "left": [{"username": "a", "queues": ["sales"]}]}',
        b"\xff\xfe",
        b"[" * 100000,
    ],
)
def test_a_damaged_file_counts_as_empty_and_is_kept_and_logged(tmp_path, caplog, content):
    state = StateFile(tmp_path)
    state.path.write_bytes(content)
    assert state.load() == NOTHING_SAVED
    assert (tmp_path / "queue-members.json.damaged").read_bytes() == content
    assert "damaged" in caplog.text
    assert state.save(SAVED)
    assert state.load() == SAVED


def test_a_file_of_a_newer_release_is_said_to_be_that_and_is_neither_lost_nor_overwritten(tmp_path, caplog):
    newer = b'{"format": 2, "members": {"astcti": ["PJSIP/201"]}}'
    for _ in range(2):
        state = StateFile(tmp_path)
        state.path.write_bytes(newer)
        assert state.load() == NOTHING_SAVED
        assert state.save(SAVED)
    assert "written by a newer release (format 2, known here: 1)" in caplog.text
    assert "damaged" not in caplog.text
    assert (tmp_path / "queue-members.json.newer").read_bytes() == newer
    assert (tmp_path / "queue-members.json.newer-2").read_bytes() == newer


def test_fields_that_a_later_release_added_do_not_disturb(tmp_path):
    state = StateFile(tmp_path)
    member = '{"queue": "astcti", "interface": "PJSIP/201", "username": "mario", "since": 1}'
    state.path.write_text(f'{{"format": 1, "members": [{member}], "release": "9"}}')
    assert state.load() == SavedQueues({("astcti", "PJSIP/201"): "mario"}, {})


def test_a_release_that_kept_less_wrote_less(tmp_path):
    state = StateFile(tmp_path)
    pause = '{"username": "mario", "reason": "Lunch", "since": 1, "seen": 2}'
    state.path.write_text(f'{{"format": 1, "members": [], "pauses": [{pause}]}}')
    assert state.load() == SavedQueues({}, {"mario": KeptPause("Lunch", 1.0, 2.0)}, {})


def test_a_queue_that_was_left_is_known_in_any_spelling(tmp_path):
    state = StateFile(tmp_path)
    left = '{"username": "mario", "queues": ["Sales"], "seen": 2}'
    state.path.write_text(f'{{"format": 1, "members": [], "left": [{left}]}}')
    assert state.load().left == {"mario": LeftQueues(frozenset({"sales"}), 2.0)}


def test_the_list_is_for_the_server_alone_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        StateFile(tmp_path).save(SAVED)
    finally:
        os.umask(before)
    assert StateFile(tmp_path).path.stat().st_mode & 0o777 == 0o600


def test_a_crash_in_the_middle_of_writing_leaves_the_old_file(tmp_path, monkeypatch):
    state = StateFile(tmp_path)
    state.save(SAVED)

    def crash(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", crash)
    assert not state.save(NOTHING_SAVED)
    assert state.load() == SAVED


def test_a_disk_that_fails_is_logged_once_and_its_recovery_too(tmp_path, monkeypatch, caplog):
    state = StateFile(tmp_path)
    real = os.fsync

    def fail(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    state.save(SAVED)
    state.save(SAVED)
    assert caplog.text.count("No space left on device") == 1
    monkeypatch.setattr(os, "fsync", real)
    assert state.save(SAVED)
    assert "can be written again" in caplog.text


def test_a_file_that_cannot_be_read_is_an_error_and_not_an_empty_list(tmp_path):
    state = StateFile(tmp_path)
    state.path.mkdir()
    with pytest.raises(StateError, match="cannot be read"):
        state.load()

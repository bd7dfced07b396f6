"""What was carried out, on a disk that may be full, read-only, damaged or shared."""

from __future__ import annotations

import logging
import os
import stat
from pathlib import Path

import pytest

from astcti_client.resume_position import ResumePosition
from astcti_client.triggers.memory_file import MemoryFile
from astcti_client.triggers.trigger_memory import LONG, MOST_TRIGGERS, TriggerMemory
from schemas.events import Action, Call, CallEvent, ConnectedParty

PAGE = Action("browser", url="https://crm.example/", key="0123456789abcdef")
EPOCH = "00000000000000aa"


def link(number: int = 1) -> CallEvent:
    call = Call(f"7.{number}", "PJSIP/201-1", "333", connected=ConnectedParty("7.0", "PJSIP/9"))
    return CallEvent("Link", call, "Demo", (PAGE,), seq=number)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "pop-ups"


def memory_in(file: Path, place: str = "cti.example 5000 mario") -> TriggerMemory:
    memory = TriggerMemory(MemoryFile(file))
    memory.enter(place)
    return memory


def carried_out(memory: TriggerMemory, number: int = 1) -> None:
    mark = memory.mark(link(number), PAGE)
    memory.take(mark)
    memory.begin(mark)
    memory.end(mark)


def state(memory: TriggerMemory, number: int = 1) -> str:
    return memory.state(memory.mark(link(number), PAGE))


def test_the_next_process_knows_what_was_done_and_what_was_only_begun(file: Path) -> None:
    memory = memory_in(file)
    carried_out(memory)
    memory.begin(memory.mark(link(2), PAGE))
    memory.take(memory.mark(link(3), PAGE))
    again = memory_in(file)
    assert [state(again, number) for number in (1, 2, 3)] == ["over", "interrupted", "new"]


def test_what_this_process_decides_about_is_not_given_out_twice(file: Path) -> None:
    memory = memory_in(file)
    mark = memory.mark(link(), PAGE)
    memory.take(mark)
    assert state(memory) == "taken"
    memory.begin(mark)
    assert state(memory) == "taken"
    memory.end(mark)
    assert state(memory) == "over"


@pytest.mark.parametrize(
    "other",
    [
        link()._replace(id="Hangup"),
        link(2),
        link()._replace(call=link().call._replace(connected=ConnectedParty("9.9", "PJSIP/8"))),
        link()._replace(triggers=(PAGE._replace(key="f" * 16),)),
    ],
)
def test_another_moment_leg_party_or_trigger_is_another_one(file: Path, other: CallEvent) -> None:
    memory = memory_in(file)
    assert memory.mark(other, other.triggers[0]) != memory.mark(link(), PAGE)
    filled_in_otherwise = PAGE._replace(url="https://crm.example/?number=333")
    assert memory.mark(link()._replace(repeat=True), filled_in_otherwise) == memory.mark(link(), PAGE)


def test_each_server_and_user_has_a_place_of_its_own(file: Path) -> None:
    memory = memory_in(file)
    memory.handled(memory.place, ResumePosition(EPOCH, 3, 5))
    carried_out(memory)
    other = memory_in(file, "cti.example 5000 anna")
    assert other.position() is None
    assert state(other) == "new"
    assert memory_in(file).position() == ResumePosition(EPOCH, 3, 5)


def test_the_file_is_for_its_user_alone_and_names_nobody(file: Path) -> None:
    memory = memory_in(file)
    carried_out(memory)
    memory.handled(memory.place, ResumePosition(EPOCH, 1, 1))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not {"mario", "cti.example", "333", "7.1"} & set(file.read_text().split())


def test_a_line_that_was_cut_off_is_passed_over_and_the_next_one_is_whole(file: Path) -> None:
    carried_out(memory_in(file))
    with file.open("ab") as torn:
        torn.write(b"h 0123")
    memory = memory_in(file)
    assert state(memory) == "over"
    with file.open("ab") as torn:
        torn.write(file.read_bytes().splitlines()[0][:-3])
    carried_out(memory, 2)
    assert state(memory_in(file), 2) == "over"


def test_a_number_that_was_cut_off_is_not_taken_for_a_smaller_one(file: Path) -> None:
    memory = memory_in(file)
    memory.handled(memory.place, ResumePosition(EPOCH, 100, 100))
    memory.handled(memory.place, ResumePosition(EPOCH, 1234, 1234))
    whole = file.read_bytes().rstrip(b"\n")
    for cut in range(1, 8):
        file.write_bytes(whole[:-cut])
        assert memory_in(file).position() == ResumePosition(EPOCH, 100, 100)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 5000,
        bytes(range(256)) * 20,
        b"astcti pop-ups 0\n1.2 Link browser done\n",
        b"h " + b"0" * 32 + b" zz 1 1 .\nb short .\nd " + b"0" * 32 + b"\n",
        "b \N{ARABIC-INDIC DIGIT ONE}".encode() * 40,
        b"x" * 5_000_000,
    ],
)
def test_garbage_and_other_formats_are_as_good_as_nothing(file: Path, content: bytes) -> None:
    file.parent.mkdir()
    file.write_bytes(content)
    memory = memory_in(file)
    assert state(memory) == "new"
    assert memory.position() is None
    carried_out(memory)
    assert state(memory_in(file)) == "over"
    assert file.stat().st_size < 1000


def test_the_oldest_are_forgotten_by_count_and_the_file_stays_short(file: Path) -> None:
    memory = memory_in(file)
    for number in range(1, LONG // 2 + 10):
        carried_out(memory, number)
        assert memory.state(memory.mark(link(number), PAGE)) == "over"
    newest = LONG // 2 + 9
    assert len(file.read_bytes().splitlines()) < LONG
    again = memory_in(file)
    assert state(again, newest) == "over"
    assert state(again, newest - MOST_TRIGGERS + 1) == "over"
    assert state(again, newest - MOST_TRIGGERS) == "new"
    assert len(file.read_bytes().splitlines()) == MOST_TRIGGERS


def test_ten_thousand_entries_are_read_and_made_few(file: Path) -> None:
    memory = memory_in(file)
    file.parent.mkdir()
    marks = [memory.mark(link(number), PAGE) for number in range(10_000)]
    file.write_text("".join(f"b {mark} .\nd {mark} .\n" for mark in marks))
    assert state(memory_in(file), 9_999) == "over"
    assert len(file.read_bytes().splitlines()) == MOST_TRIGGERS


def test_two_clients_on_one_file_keep_each_others_lines(file: Path) -> None:
    one, other = memory_in(file), memory_in(file, "cti.example 5000 anna")
    carried_out(other)
    for number in range(1, LONG // 2 + 10):  # one of them writes it anew meanwhile
        carried_out(one, number)
    carried_out(other, 2)
    again = memory_in(file, "cti.example 5000 anna")
    assert state(again, 2) == "over"
    assert state(memory_in(file), LONG // 2) == "over"


# --- a disk that does not take it ---


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


def test_without_a_folder_to_write_in_the_memory_lasts_until_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "data"
    blocked.write_text("a file where the folder should be")
    memory = memory_in(blocked / "pop-ups")
    for number in range(1, 6):
        carried_out(memory, number)
        assert state(memory, number) == "over"
    (told,) = warnings(caplog)
    assert "until this client ends" in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_no_obstacle(file: Path) -> None:
    carried_out(memory_in(file))
    file.chmod(0o400)
    file.parent.chmod(0o500)
    memory = memory_in(file)
    assert state(memory) == "over"
    carried_out(memory, 2)
    assert state(memory, 2) == "over"


def test_what_a_full_disk_did_not_take_is_written_before_anything_that_follows(
    file: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory = memory_in(file)
    carried_out(memory)
    write = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:10]))
        carried_out(memory, 2)
        assert state(memory, 2) == "over"
    memory.handled(memory.place, ResumePosition(EPOCH, 2, 2))
    again = memory_in(file)
    assert again.position() == ResumePosition(EPOCH, 2, 2)
    assert [state(again, number) for number in (1, 2)] == ["over", "over"]
    assert len(warnings(caplog)) == 1


def test_a_pipe_of_that_name_makes_nobody_wait(file: Path) -> None:
    file.parent.mkdir()
    os.mkfifo(file)
    memory = memory_in(file)
    carried_out(memory)
    assert state(memory) == "over"


def test_a_disk_that_stays_full_does_not_fill_the_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryFile(file)
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda _descriptor, _data: 0)
        for number in range(20_000):
            store.append(f"line {number:030}\n".encode())
    store.append(b"the last\n")
    lines = file.read_bytes().splitlines()
    assert lines[-1] == b"the last"
    assert b"line 000000000000000000000000019999" in lines
    assert len(file.read_bytes()) < 300_000

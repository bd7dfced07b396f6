"""A file that takes away much is held until somebody says that it is meant, over restarts too."""

import logging
import os
import stat
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from astcti_server.config.changes import ConfigLoaded
from astcti_server.config.loading import load_directory
from astcti_server.config.memory import ConfigMemory
from astcti_server.config.store import ConfigSnapshot
from astcti_server.config.watcher import AcceptError, ConfigWatcher
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration import sqlite_form
from schemas.configuration.model import Configuration, Operator, Seat, Service
from schemas.configuration.taken_away import losses, losses_in_words, much_taken_away
from schemas.configuration.xml_form import dump_xml
from schemas.problems import ConfigurationError
from tests.fake.patience import PATIENCE, until
from tests.fake.running_server import RunningServer

HASH = "md5:" + "0" * 32


def people(number: int, *, first: int = 0, disabled: int = 0) -> Configuration:
    """So many operators and seats, and a service; `disabled` operators more."""
    names = [f"user{index}" for index in range(first, first + number + disabled)]
    operators = tuple(Operator(name, name, HASH, enabled=index < number) for index, name in enumerate(names))
    seats = tuple(
        Seat(f"00:00:00:01:{index >> 8:02x}:{index & 255:02x}", f"PJSIP/{index}", f"PJSIP/{index}")
        for index in range(number)
    )
    return Configuration((Service("Demo", "demo", "inbound"),), seats, operators)


EMPTY = Configuration()


def digest_of(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("before", "after", "much"),
    [
        (1, 0, True),
        (1, 1, False),
        (10, 6, False),  # four of ten are fewer than five
        (10, 5, True),
        (25, 20, False),  # a fifth is not more than a fifth
        (24, 19, True),
        (26, 21, False),
        (1000, 800, False),
        (1000, 799, True),
    ],
)
def test_all_of_them_or_more_than_a_fifth_and_at_least_five_are_much(
    before: int, after: int, much: bool
) -> None:
    operators = tuple(Operator(f"user{index}", "Name", HASH) for index in range(before))
    found = much_taken_away(Configuration(operators=operators), Configuration(operators=operators[:after]))
    assert bool(found) is much


def test_each_kind_is_counted_and_said_with_its_numbers() -> None:
    old = people(20)
    new = replace(people(20), seats=old.seats[:14], services=())
    assert losses_in_words(much_taken_away(old, new)) == "6 of 20 seats, 1 of 1 services"


def test_what_is_disabled_is_away_and_what_was_so_before_is_not_missed() -> None:
    old = people(6, disabled=3)
    service = replace(old.services[0], enabled=False)
    assert [loss.lost for loss in losses(old, people(0, disabled=9))] == [6, 6, 0]
    assert [loss.lost for loss in losses(old, replace(old, services=(service,)))] == [0, 0, 1]
    assert next(loss.lost for loss in losses(people(0, disabled=9), EMPTY)) == 0


def test_a_seat_with_another_pc_or_phone_and_a_service_renamed_or_moved_are_still_there() -> None:
    old = people(1)
    seats = [replace(old.seats[0], mac="00:00:00:00:99:99"), replace(old.seats[0], extension="PJSIP/999")]
    services = [replace(old.services[0], name="Other"), replace(old.services[0], context="other")]
    for seat, service in zip(seats, services, strict=True):
        assert not much_taken_away(old, replace(old, seats=(seat,), services=(service,)))


class Site:
    """A configuration directory and a state directory, and a server's watcher on them."""

    def __init__(self, folder: Path) -> None:
        self.directory, self.state = folder / "astcti", folder / "state"
        self.directory.mkdir()
        self.state.mkdir()
        (self.directory / "server.xml").write_text('<server><ami username="a" secret="s"/></server>')
        self.memory = ConfigMemory(self.state)
        self.taken: list[ConfigLoaded] = []
        self.watcher: ConfigWatcher | None = None
        self._time = 1000

    def put(self, name: str, configuration: Configuration, replaces: str = "", modified: int = 0) -> Path:
        """Put a file there, whole, newer than all before unless said otherwise."""
        self._time += 10
        path = self.directory / name
        fresh = path.with_name(f".new{path.suffix}")
        if path.suffix == ".sqlite":
            sqlite_form.dump_sqlite(configuration, fresh, replaces)
        else:
            fresh.write_bytes(dump_xml(configuration, replaces))
        os.utime(fresh, (modified or self._time,) * 2)
        fresh.replace(path)
        return path

    def load(self) -> ConfigSnapshot:
        """What a start would take."""
        return load_directory(self.directory, remembered=ConfigMemory(self.state).load(self.directory))

    def start(self) -> ConfigSnapshot:
        """Start, and wait until what is in force is remembered."""
        loaded = self.load()
        self.watcher = ConfigWatcher(
            self.directory, loaded, self.taken.append, lambda rejected: None, memory=self.memory
        )
        self.watcher.start()
        until(lambda: self.remembered() == loaded.digest.hex())
        return loaded

    def remembered(self) -> str:
        found = ConfigMemory(self.state).load(self.directory)
        return found.digest.hex() if found is not None else ""

    @property
    def running(self) -> ConfigWatcher:
        assert self.watcher is not None
        return self.watcher

    def held(self) -> list[str]:
        return [file.path.name for file in self.running.held]

    def in_force(self) -> str:
        """The last file that was taken up since the start."""
        return self.taken[-1].path.name if self.taken else ""

    def stop(self) -> None:
        if self.watcher is not None:
            self.watcher.stop()
            self.watcher.join(PATIENCE)
            self.watcher = None


def _until_in_force(site: Site, name: str) -> None:
    until(lambda: site.in_force() == name)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.stop()


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    """The log's lines that contain some words."""
    caplog.set_level(logging.INFO)
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


@pytest.mark.parametrize("name", ["b.xml", "b.sqlite"])
def test_an_empty_file_is_held_said_once_and_taken_up_when_accepted(site: Site, messages, name: str) -> None:
    site.put("a.xml", people(3))
    site.start()
    path = site.put(name, EMPTY)
    until(lambda: site.held() == [name])
    until(lambda: messages("it is held"))
    said = messages("it is held")
    assert len(said) == 1
    for words in ("3 of 3 operators", "3 of 3 seats", "1 of 1 services", f"accept {digest_of(path)}"):
        assert words in said[0]
    assert site.taken == []
    assert site.running.accept(digest_of(path)) == f"{name} is in force now"
    assert (site.in_force(), site.held()) == (name, [])
    assert site.running.accept(digest_of(path)) == f"{name} is in force already"
    until(lambda: site.remembered() == digest_of(path))


def test_accept_needs_no_digest_for_one_file_and_refuses_what_is_not_held(site: Site) -> None:
    a = site.put("a.xml", people(3))
    site.start()
    with pytest.raises(AcceptError, match="no configuration is held"):
        site.running.accept()
    b = site.put("b.xml", EMPTY)
    until(lambda: site.held() == ["b.xml"])
    with pytest.raises(AcceptError, match="no configuration with this SHA-256 is held"):
        site.running.accept("0" * 64)
    assert site.running.accept(digest_of(a).upper()) == "a.xml is in force already"
    c = site.put("c.xml", people(1, first=50))
    until(lambda: site.held() == ["c.xml", "b.xml"])
    with pytest.raises(AcceptError, match="more than one configuration is held"):
        site.running.accept()
    assert site.running.accept(digest_of(c)) == "c.xml is in force now"
    assert site.held() == [] and digest_of(b)


def test_a_file_accepted_by_many_at_once_is_taken_up_once(site: Site) -> None:
    site.put("a.xml", people(3))
    site.start()
    path = site.put("b.xml", EMPTY)
    until(lambda: site.held() == ["b.xml"])
    answers: list[str] = []
    ask = lambda: answers.append(site.running.accept(digest_of(path)))  # noqa: E731
    askers = [threading.Thread(target=ask) for _ in range(8)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(PATIENCE)
    assert sorted(answers) == ["b.xml is in force already"] * 7 + ["b.xml is in force now"]
    assert len(site.taken) == 1


def test_accept_is_refused_where_nobody_answers(site: Site) -> None:
    site.put("a.xml", people(3))
    watcher = ConfigWatcher(site.directory, site.load(), site.taken.append, lambda rejected: None)
    with pytest.raises(AcceptError, match="no answer"):
        watcher.accept("", within=0.01)


def test_a_file_that_says_what_it_replaces_is_taken_up_at_once(site: Site) -> None:
    a = site.put("a.xml", people(3))
    site.start()
    site.put("b.xml", EMPTY, replaces="0" * 64)
    until(lambda: site.held() == ["b.xml"])
    site.put("c.sqlite", EMPTY, replaces=digest_of(a))
    until(lambda: site.in_force() == "c.sqlite")
    assert site.held() == []


def test_a_file_that_takes_away_little_is_taken_up_beside_a_held_one(site: Site) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.put("b.xml", people(19))
    until(lambda: site.in_force() == "b.xml")
    site.put("c.xml", EMPTY)
    until(lambda: site.held() == ["c.xml"])
    site.put("d.xml", people(18))
    until(lambda: site.in_force() == "d.xml")
    assert site.held() == []


@pytest.mark.parametrize("how", ["deleted", "corrected", "broken", "older"])
def test_a_held_file_that_changes_is_held_no_longer(site: Site, how: str) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.put("b.xml", EMPTY)
    until(lambda: site.held() == ["b.xml"])
    if how == "deleted":
        (site.directory / "b.xml").unlink()
    elif how == "corrected":
        site.put("b.xml", people(19))
        until(lambda: site.in_force() == "b.xml")
    elif how == "broken":
        (site.directory / "b.xml").write_text("<configuration")
        until(lambda: site.running.refused)
    else:
        os.utime(site.directory / "b.xml", (500, 500))
    until(lambda: site.held() == [])


def test_a_held_file_stays_so_over_a_restart_and_without_a_memory_nothing_is_held(site: Site) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    site.put("b.xml", EMPTY)  # while nobody looked
    loaded = site.start()
    assert loaded.path.name == "a.xml"
    assert [file.path.name for file in loaded.held] == ["b.xml"] == site.held()
    site.stop()
    (site.state / "configuration-in-force").unlink()
    assert site.load().path.name == "b.xml"


def test_the_file_in_force_overwritten_by_an_empty_one_stays_in_force_over_restarts(site: Site) -> None:
    site.put("older.xml", people(20, first=5))
    site.put("a.xml", people(20))
    site.start()
    path = site.put("a.xml", EMPTY)
    until(lambda: site.held() == ["a.xml"])
    for _ in range(2):
        site.stop()
        loaded = site.start()
        assert loaded.configuration == people(20)
        assert (loaded.path.name, site.held()) == ("a.xml", ["a.xml"])
    assert site.running.accept() == "a.xml is in force now"
    assert site.taken[-1].configuration == EMPTY
    until(lambda: site.remembered() == digest_of(path))
    site.stop()
    assert site.load().configuration == EMPTY


def test_the_file_in_force_overwritten_with_its_old_time_is_held_too(site: Site) -> None:
    path = site.put("a.xml", people(20))
    before = int(path.stat().st_mtime)
    site.start()
    site.put("a.xml", EMPTY, modified=before)
    until(lambda: site.held() == ["a.xml"])
    site.stop()
    assert site.load().configuration == people(20)
    site.start()
    assert site.running.accept() == "a.xml is in force now"


def test_a_database_that_is_gone_and_would_be_replaced_by_much_less_stays_in_force(site: Site) -> None:
    site.put("small.xml", people(2))
    site.put("a.sqlite", people(20))
    site.start()
    site.stop()
    (site.directory / "a.sqlite").unlink()
    loaded = site.load()
    assert (loaded.path.name, loaded.configuration) == ("a.sqlite", people(20))
    assert any("small.xml is not used: it is older" in note for note in loaded.notes)
    assert any("what it said when it was in force last" in str(warning) for warning in loaded.warnings)
    (site.directory / "small.xml").touch()  # as the note says
    site.start()
    assert site.held() == ["small.xml"]


def test_the_file_in_force_that_is_gone_is_followed_by_the_next_one_as_before(site: Site) -> None:
    site.put("older.xml", people(19))
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    (site.directory / "a.xml").unlink()
    assert site.load().path.name == "older.xml"


def test_an_invalid_directory_is_no_less_invalid_for_what_is_remembered(site: Site) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    (site.directory / "a.xml").write_text("<configuration")
    with pytest.raises(ConfigurationError):
        site.load()


def test_what_is_remembered_of_another_directory_holds_nothing(site: Site, tmp_path: Path) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    assert ConfigMemory(site.state).load(site.directory) is not None
    assert ConfigMemory(site.state).load(tmp_path / "other") is None


def test_what_a_newer_release_remembered_is_kept(site: Site, messages) -> None:
    newer = b'{"format": 2, "files": []}\nmore'
    site.state.mkdir(exist_ok=True)
    (site.state / "configuration-in-force").write_bytes(newer)
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    assert messages("written by a newer release")
    assert (site.state / "configuration-in-force.newer").read_bytes() == newer
    assert ConfigMemory(site.state).load(site.directory) is not None


@pytest.mark.parametrize("data", [b"", b"{}", b"[]\n", b'{"format": 2}\n', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_memory_is_said_and_holds_nothing(site: Site, messages, data: bytes) -> None:
    site.put("a.xml", people(20))
    site.start()
    site.stop()
    site.put("b.xml", EMPTY)
    whole = (site.state / "configuration-in-force").read_bytes()
    (site.state / "configuration-in-force").write_bytes(data)
    assert site.load().path.name == "b.xml"
    assert messages("is not understood")
    (site.state / "configuration-in-force").write_bytes(whole[:-9])
    assert site.load().path.name == "b.xml"
    (site.state / "configuration-in-force").write_bytes(whole)
    assert site.load().path.name == "a.xml"


def test_the_memory_is_for_the_server_alone_and_follows_no_link(site: Site, tmp_path: Path) -> None:
    os.umask(os.umask(0o000))
    other = tmp_path / "other"
    other.write_text("mine")
    (site.state / "configuration-in-force").symlink_to(other)
    site.put("a.xml", people(2))
    site.start()
    path = site.state / "configuration-in-force"
    assert other.read_text() == "mine" and not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in site.state.iterdir()] == [path.name]


def test_a_memory_that_cannot_be_written_is_said_once_and_changes_nothing_else(site: Site, messages) -> None:
    site.memory = ConfigMemory(site.state / "not" / "there")
    site.put("a.xml", people(2))
    site.watcher = ConfigWatcher(
        site.directory, site.load(), site.taken.append, lambda rejected: None, memory=site.memory
    )
    site.watcher.start()
    for name in ("b.xml", "c.xml"):
        site.put(name, replace(people(2), pause_reasons=(name,)))
        _until_in_force(site, name)
    assert len(messages("cannot be written")) == 1


def test_a_file_replaced_before_it_was_remembered_is_remembered_all_the_same(site: Site) -> None:
    path = site.put("a.xml", people(3))
    loaded = site.load()
    site.put("a.xml", EMPTY)
    site.memory.keep(loaded)
    found = ConfigMemory(site.state).load(site.directory)
    assert found is not None and found.configuration == people(3)
    assert found.digest.hex() != digest_of(path)


def test_a_held_file_is_in_the_status_file_and_survives_a_killed_server(tmp_path: Path) -> None:
    with DemoPbx() as pbx, RunningServer(tmp_path, pbx.address[1], people(7)) as server:

        def held() -> list[dict[str, object]]:
            found: list[dict[str, object]] = server.status["configuration"]["held"]
            return found

        server.configure(EMPTY, "empty.xml")
        until(held)
        server.kill()
        server.status_file.unlink()
        server.start()
        until(server.status_file.exists)
        told = held()[0]
        assert told["file"] == str(server.config / "empty.xml")
        assert told["sha256"] == digest_of(server.config / "empty.xml")
        assert told["counts"] == {
            "operators": {"lost": 7, "before": 7},
            "seats": {"lost": 7, "before": 7},
            "services": {"lost": 1, "before": 1},
        }
        assert "7 of 7 operators" in str(told["reason"])
        (server.config / "empty.xml").unlink()
        until(lambda: held() == [])

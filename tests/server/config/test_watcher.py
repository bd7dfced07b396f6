"""Whatever way a file changes, it is taken up; a bad one changes nothing."""

import logging
import os
import queue
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from astcti_server.config import file_events
from astcti_server.config.loading import load_directory
from astcti_server.config.watcher import LOOK_EVERY, ConfigLoaded, ConfigRejected, ConfigWatcher
from schemas.configuration import sqlite_form
from schemas.configuration.directory import SETTINGS_NAME, DirectoryScan, scan_directory
from schemas.configuration.model import Configuration
from tests.fake.patience import PATIENCE, until

SETTINGS = '<server events="{events}"><ami username="astcti" secret="{secret}"/></server>'
LOOKS_AT_START = 3
"""What is there already, what it begins with, and once more to see that nobody writes on."""


def configuration(*reasons: str) -> str:
    """A configuration that can be told from others by its pause reasons."""
    inside = "".join(f'<reason name="{reason}"/>' for reason in reasons)
    return f"<configuration><pause-reasons>{inside}</pause-reasons></configuration>"


def replace(file: Path, content: str) -> None:
    """Write a file so that nobody sees half of it."""
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(content)
    fresh.rename(file)


class Looks:
    """Looks at a directory as the watcher does, and counts. No file is young: none is read without need."""

    def __init__(self) -> None:
        self.made: queue.Queue[DirectoryScan] = queue.Queue()

    def __call__(self, directory: Path) -> DirectoryScan:
        seen = scan_directory(directory)
        old = [file._replace(changed=1000.0) for file in seen.files()]  # nobody can set this time of a file
        seen = seen._replace(
            candidates=tuple(file for file in old if file.name != SETTINGS_NAME),
            settings=next((file for file in old if file.name == SETTINGS_NAME), None),
        )
        self.made.put(seen)
        return seen


class Watched:
    """A directory with a watcher on it."""

    def __init__(
        self,
        directory: Path,
        poll: float = LOOK_EVERY,
        clock: Callable[[], float] = time.time,
        on_loaded: Callable[[ConfigLoaded], None] | None = None,
        look: Callable[[Path], DirectoryScan] | None = None,
    ) -> None:
        self.directory = directory
        self.told: queue.Queue[ConfigLoaded | ConfigRejected] = queue.Queue()
        self.deaths: list[BaseException] = []
        self.looks = Looks()
        self.watcher = ConfigWatcher(
            directory,
            load_directory(directory, clock=clock),
            on_loaded or self.told.put,
            self.told.put,
            died=lambda name, error: self.deaths.append(error),
            clock=clock,
            poll=poll,
            look=look or self.looks,
        )

    def loaded(self) -> ConfigLoaded:
        """What is taken up next, skipping refusals of what was half written."""
        while True:
            told = self.told.get(timeout=PATIENCE)
            if isinstance(told, ConfigLoaded):
                return told

    def reasons(self) -> tuple[str, ...]:
        """The pause reasons of what is taken up next."""
        return self.loaded().configuration.pause_reasons

    def rejected(self) -> ConfigRejected:
        """What is refused next."""
        told = self.told.get(timeout=PATIENCE)
        assert isinstance(told, ConfigRejected)
        return told


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with one configuration, written long ago."""
    directory = tmp_path / "astcti"
    directory.mkdir()
    (directory / "server.xml").write_text(SETTINGS.format(events="services", secret="s"))
    (directory / "a.xml").write_text(configuration("first"))
    os.utime(directory / "a.xml", (1000, 1000))
    return directory


@pytest.fixture
def watching(directory: Path) -> Iterator[Callable[..., Watched]]:
    """Start a watcher, once the test has prepared the directory; waits until it has looked."""
    started: list[Watched] = []

    def start(**options: Any) -> Watched:
        watched = Watched(directory, **options)
        started.append(watched)
        watched.watcher.start()
        for _ in range(LOOKS_AT_START):
            watched.looks.made.get(timeout=PATIENCE)
        watched.watcher.wake()
        watched.looks.made.get(timeout=PATIENCE)  # so what was seen before is compared
        assert watched.told.empty()
        return watched

    yield start
    for watched in started:
        watched.watcher.stop()
        watched.watcher.join(PATIENCE)
        assert not watched.watcher.is_alive()
        assert watched.deaths == []


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    """The log's lines that contain some words."""
    caplog.set_level(logging.INFO)
    return lambda words: [record.getMessage() for record in caplog.records if words in record.getMessage()]


def test_a_file_written_in_place_is_taken_up(watching, directory: Path) -> None:
    watched = watching()
    (directory / "a.xml").write_text(configuration("second"))
    told = watched.loaded()
    assert told.configuration.pause_reasons == ("second",)
    assert told.path == directory / "a.xml"
    assert told.configuration_changed and not told.settings_changed and told.restart_needed == ()
    assert told.previous.configuration.pause_reasons == ("first",)


def test_a_file_renamed_over_the_other_is_taken_up(watching, directory: Path) -> None:
    watched = watching()
    (directory / ".a.xml.new").write_text(configuration("second"))
    (directory / ".a.xml.new").rename(directory / "a.xml")
    assert watched.reasons() == ("second",)


def test_a_file_moved_in_from_elsewhere_is_taken_up(watching, directory: Path) -> None:
    watched = watching()
    outside = directory.parent / "b.xml"
    outside.write_text(configuration("second"))
    outside.rename(directory / "b.xml")
    assert watched.reasons() == ("second",)


def test_a_slow_copy_is_taken_up_once_it_is_whole(watching, directory: Path) -> None:
    watched = watching()
    text = configuration("second")
    with (directory / "b.xml").open("w") as stream:
        stream.write(text[:40])
        stream.flush()
        assert watched.rejected().path == directory / "b.xml"
        stream.write(text[40:])
    assert watched.reasons() == ("second",)
    assert watched.watcher.refused == ()


def test_a_new_database_is_taken_up(watching, directory: Path) -> None:
    watched = watching()
    sqlite_form.dump_sqlite(Configuration(pause_reasons=("database",)), directory / "20260101.sqlite")
    told = watched.loaded()
    assert told.path.name == "20260101.sqlite"
    assert told.configuration.pause_reasons == ("database",)


def test_a_damaged_database_is_refused(watching, directory: Path) -> None:
    watched = watching()
    hidden = directory / ".b"
    sqlite_form.dump_sqlite(Configuration(pause_reasons=("database",)), hidden)
    connection = sqlite3.connect(hidden)
    connection.execute("DROP TABLE seats")
    connection.commit()
    connection.close()
    hidden.rename(directory / "b.sqlite")
    assert [problem.message for problem in watched.rejected().problems] == ["table seats is missing"]


def test_touching_an_older_file_goes_back_to_it(watching, directory: Path) -> None:
    (directory / "b.xml").write_text(configuration("newer"))
    watched = watching()
    (directory / "a.xml").touch()
    told = watched.loaded()
    assert told.configuration.pause_reasons == ("first",)
    assert told.path == directory / "a.xml"


def test_an_older_copy_put_over_the_file_in_force_is_taken_up(watching, directory: Path) -> None:
    (directory / "a.xml").write_text(configuration("newer"))
    watched = watching()
    backup = directory.parent / "backup"
    backup.write_text(configuration("backup"))
    os.utime(backup, (500, 500))
    backup.rename(directory / "a.xml")
    assert watched.reasons() == ("backup",)


def test_a_bad_file_is_named_again_when_it_is_touched(watching, directory: Path) -> None:
    (directory / "b.xml").write_text("<configuration>")
    watched = watching()
    (directory / "b.xml").touch()
    assert watched.rejected().path.name == "b.xml"


def test_the_same_content_under_a_newer_name_is_in_force_without_a_change(watching, directory: Path) -> None:
    watched = watching()
    replace(directory / "b.xml", configuration("first"))
    told = watched.loaded()
    assert told.path.name == "b.xml"
    assert not told.configuration_changed


def test_a_link_that_is_swapped_is_taken_up(watching, directory: Path) -> None:
    outside = directory.parent
    for name in ("one", "two"):
        (outside / name).write_text(configuration(name))
    (directory / "link.xml").symlink_to(outside / "one")
    watched = watching()
    (directory / ".new").symlink_to(outside / "two")
    (directory / ".new").rename(directory / "link.xml")
    assert watched.reasons() == ("two",)


def test_a_changed_target_of_a_link_into_another_directory_is_taken_up(watching, directory: Path) -> None:
    target = directory.parent / "target"
    target.write_text(configuration("one"))
    (directory / "link.xml").symlink_to(target)
    watched = watching()
    target.write_text(configuration("two"))
    assert watched.reasons() == ("two",)


def test_a_mounted_config_map_that_is_swapped_is_taken_up(watching, directory: Path) -> None:
    for name in ("..1", "..2"):
        (directory / name).mkdir()
        (directory / name / "m.xml").write_text(configuration(name))
    (directory / "..data").symlink_to("..1")
    (directory / "m.xml").symlink_to("..data/m.xml")
    watched = watching()
    (directory / "..2" / "m.xml").write_text(configuration("swapped"))
    (directory / "..data_tmp").symlink_to("..2")
    (directory / "..data_tmp").rename(directory / "..data")
    assert watched.reasons() == ("swapped",)


def test_a_directory_that_was_replaced_is_still_watched(watching, directory: Path, messages) -> None:
    watched = watching()
    other = directory.with_name("other")
    other.mkdir()
    (other / "server.xml").write_text(SETTINGS.format(events="services", secret="s"))
    (other / "a.xml").write_text(configuration("second"))
    directory.rename(directory.with_name("aside"))
    other.rename(directory)
    assert watched.reasons() == ("second",)
    replace(directory / "a.xml", configuration("third"))
    assert watched.reasons() == ("third",)


def test_a_directory_that_is_gone_for_a_while_changes_nothing(watching, directory: Path, messages) -> None:
    watched = watching(poll=0.05)
    aside = directory.with_name("aside")
    directory.rename(aside)
    until(lambda: messages("cannot be read"))
    (aside / "a.xml").write_text(configuration("second"))
    aside.rename(directory)
    assert watched.reasons() == ("second",)
    assert len(messages("cannot be read")) == len(messages("can be read again")) == 1


def test_a_deleted_file_stays_in_force_with_a_warning(watching, directory: Path, messages) -> None:
    (directory / "b.xml").write_text(configuration("newer"))
    watched = watching()
    (directory / "b.xml").unlink()
    until(lambda: messages("b.xml was deleted: it stays in force"))
    replace(directory / "c.xml", configuration("newest"))
    assert watched.reasons() == ("newest",)


def test_a_bad_file_is_refused_with_every_error_and_the_one_in_force_stays(
    watching, directory: Path, messages
) -> None:
    watched = watching()
    replace(
        directory / "a.xml", '<configuration><seats><seat mac="x" extension="y"/></seats></configuration>'
    )
    told = watched.rejected()
    assert told.path == directory / "a.xml"
    assert len(told.problems) == 2
    until(lambda: messages("refused as a whole"))
    assert all(messages(str(problem)) for problem in told.problems)
    assert watched.watcher.refused == told.problems
    replace(directory / "a.xml", configuration("corrected"))
    assert watched.reasons() == ("corrected",)
    assert watched.watcher.refused == ()


def test_a_file_that_is_older_is_said_not_to_be_used(watching, directory: Path, messages) -> None:
    (directory / "a.xml").touch()
    watched = watching()
    outside = directory.parent / "b.xml"
    outside.write_text(configuration("older"))
    os.utime(outside, (2000, 2000))
    outside.rename(directory / "b.xml")
    replace(directory / "notes.txt", "")
    until(lambda: messages("b.xml is not used: it is older than a.xml"))
    until(lambda: messages("notes.txt is not used"))
    assert watched.told.empty()


def test_a_change_made_between_loading_and_watching_is_not_lost(directory: Path) -> None:
    watched = Watched(directory, look=scan_directory)
    (directory / "a.xml").write_text(configuration("between"))
    watched.watcher.start()
    try:
        assert watched.reasons() == ("between",)
    finally:
        watched.watcher.stop()
        watched.watcher.join(PATIENCE)


def test_settings_that_apply_at_once_are_taken_up_and_others_need_a_restart(
    watching, directory: Path, messages
) -> None:
    watched = watching()
    replace(directory / "server.xml", SETTINGS.format(events="all", secret="s"))
    told = watched.loaded()
    assert told.settings.events == "all"
    assert (told.settings_changed, told.configuration_changed, told.restart_needed) == (True, False, ())
    replace(directory / "server.xml", SETTINGS.format(events="all", secret="other"))
    told = watched.loaded()
    assert told.restart_needed == ("ami",)
    assert told.settings.ami.secret == "s"
    assert not told.settings_changed
    until(lambda: messages("<ami> changed, which takes effect at the next start only"))


def test_bad_settings_are_refused_and_those_in_force_stay(watching, directory: Path) -> None:
    watched = watching()
    replace(directory / "server.xml", "<server/>")
    assert watched.rejected().path == directory / "server.xml"
    assert watched.watcher.refused
    replace(directory / "a.xml", configuration("second"))
    assert watched.loaded().settings.ami.username == "astcti"


def test_being_asked_it_looks_again_and_says_so(watching, directory: Path, messages) -> None:
    watched = watching()
    watched.watcher.look_again()
    until(lambda: messages("looked at the configuration again: a.xml stays in force"))
    assert watched.told.empty()


def test_without_file_events_changes_are_taken_up_all_the_same(
    watching, directory: Path, messages, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhausted(*_: object) -> None:
        raise OSError(24, "inotify instance limit reached")

    monkeypatch.setattr(file_events, "Observer", exhausted)
    watched = watching()
    replace(directory / "a.xml", configuration("second"))
    assert watched.reasons() == ("second",)
    assert len(messages("no file events")) == 1


def test_a_callback_that_fails_does_not_end_the_watching(watching, directory: Path, messages) -> None:
    failing = iter([ZeroDivisionError("once")])

    def on_loaded(told: ConfigLoaded) -> None:
        watched.told.put(told)
        for error in failing:
            raise error

    watched = watching(on_loaded=on_loaded)
    replace(directory / "a.xml", configuration("second"))
    assert watched.reasons() == ("second",)
    replace(directory / "a.xml", configuration("third"))
    assert watched.reasons() == ("third",)
    assert messages("could not be looked at")


def test_reading_the_files_is_no_event_of_its_own(watching, directory: Path) -> None:
    watched = watching(poll=30.0)
    for _ in range(3):
        (directory / "a.xml").read_text()
        (directory / "server.xml").read_text()
    with pytest.raises(queue.Empty):
        watched.looks.made.get(timeout=0.5)


@pytest.mark.parametrize("deleted", [False, True])
def test_new_file_is_taken_up_although_the_clock_was_set_back(
    directory: Path, watching: Callable[..., Watched], deleted: bool
) -> None:
    ahead = 7200.0
    late = time.time() + ahead
    os.utime(directory / "a.xml", (late, late))  # written while the clock was wrong
    watched = watching(poll=0.01, clock=lambda: time.time() + ahead)
    ahead = 0.0
    looks = watched.looks
    while not looks.made.empty():
        looks.made.get()
    for _ in range(3):  # the one going on, one with the clock set back, and one that begins after it
        looks.made.get(timeout=PATIENCE)
    fresh = directory / ".b.xml"
    fresh.write_text(configuration("second"))
    os.utime(fresh, (time.time(), time.time()))  # more precise than the kernel's own
    if deleted:
        (directory / "a.xml").unlink()
    fresh.rename(directory / "b.xml")
    assert watched.reasons() == ("second",)

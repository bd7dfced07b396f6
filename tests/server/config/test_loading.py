"""Loading a whole directory, at the start and for `check`."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from astcti_server.config.checking import check_directory
from astcti_server.config.loading import load_directory
from astcti_server.config.reading import ConfigFileReader
from astcti_server.config.store import ConfigStore
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.checks import CheckedConfiguration
from schemas.configuration.directory import scan_directory
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

SETTINGS = '<server><ami username="astcti" secret="s"/></server>'


def configuration(*reasons: str) -> str:
    """A configuration that can be told from others by its pause reasons."""
    inside = "".join(f'<reason name="{reason}"/>' for reason in reasons)
    return f"<configuration><pause-reasons>{inside}</pause-reasons></configuration>"


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str, float], Path]:
    """Write a file with a time of its own; server.xml is there already."""
    (tmp_path / "server.xml").write_text(SETTINGS)

    def write(name: str, text: str, modified: float) -> Path:
        path = tmp_path / name
        path.write_text(text)
        os.utime(path, (modified, modified))
        return path

    return write


def test_the_newest_valid_file_is_loaded_and_the_others_are_explained(tmp_path: Path, write) -> None:
    write("old.xml", configuration("old"), 1000)
    path = write("new.xml", configuration("new"), 2000)
    write("broken.xml", "<configuration>", 3000)
    write("notes.txt", "", 4000)
    loaded = load_directory(tmp_path, clock=lambda: 9000.0)
    assert (loaded.path, loaded.modified, loaded.since) == (path, 2000, 9000.0)
    assert loaded.configuration.pause_reasons == ("new",)
    assert [(Path(problem.file).name, problem.line) for problem in loaded.refused] == [("broken.xml", 1)]
    assert any("old.xml is not used: it is older than new.xml" in note for note in loaded.notes)
    assert any("notes.txt is not used" in note for note in loaded.notes)


def test_xml_and_sqlite_compete_by_time(tmp_path: Path, write) -> None:
    write("a.xml", configuration("xml"), 1000)
    path = tmp_path / "b.sqlite"
    sqlite_form.dump_sqlite(Configuration(pause_reasons=("sqlite",)), path)
    os.utime(path, (2000, 2000))
    assert load_directory(tmp_path).configuration.pause_reasons == ("sqlite",)
    os.utime(tmp_path / "a.xml", (3000, 3000))
    assert load_directory(tmp_path).configuration.pause_reasons == ("xml",)


def test_a_time_in_the_future_is_no_more_than_now(tmp_path: Path, write) -> None:
    write("a.xml", configuration("a"), 5000)
    assert load_directory(tmp_path, clock=lambda: 100.0).modified == 100.0


def test_if_nothing_is_valid_every_problem_of_every_file_is_reported(tmp_path: Path, write) -> None:
    write("a.xml", "<configuration>", 1000)
    write("b.xml", '<configuration><seats><seat mac="x" extension="y"/></seats></configuration>', 2000)
    write("server.xml", "<server/>", 1000)
    with pytest.raises(ConfigurationError) as refused:
        load_directory(tmp_path)
    names = [Path(problem.file).name for problem in refused.value.problems]
    assert names == ["server.xml", "b.xml", "b.xml", "a.xml"]


@pytest.mark.parametrize(
    ("missing", "words"), [("server.xml", "it says where Asterisk is"), ("a.xml", "put one")]
)
def test_a_missing_file_is_a_problem_in_plain_words(tmp_path: Path, write, missing: str, words: str) -> None:
    write("a.xml", configuration(), 1000)
    (tmp_path / missing).unlink()
    with pytest.raises(ConfigurationError, match=words):
        load_directory(tmp_path)


def test_a_missing_directory_is_a_problem_in_plain_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="configuration directory cannot be read: No such file"):
        load_directory(tmp_path / "none")
    assert check_directory(tmp_path / "none").problems


def test_without_need_of_settings_a_configuration_alone_is_enough(tmp_path: Path, write) -> None:
    write("a.xml", configuration("a"), 1000)
    (tmp_path / "server.xml").unlink()
    loaded = load_directory(tmp_path, settings_needed=False)
    assert loaded.configuration.pause_reasons == ("a",)
    assert loaded.settings.events == "services"


def test_an_unreadable_file_is_a_problem_in_plain_words(tmp_path: Path, write, monkeypatch) -> None:
    path = write("a.xml", configuration(), 1000)

    def refuse(_: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(ConfigurationError) as refused:
        load_directory(tmp_path)
    assert f"{path}:0: it cannot be read: Permission denied" in str(refused.value)


def test_check_looks_into_the_older_files_too(tmp_path: Path, write) -> None:
    write("old.xml", "<configuration>", 1000)
    path = write("new.xml", configuration("new"), 2000)
    report = check_directory(tmp_path)
    assert report.in_force == path
    assert [Path(problem.file).name for problem in report.problems] == ["old.xml"]
    assert load_directory(tmp_path).refused == ()


def test_check_without_anything_valid_names_no_file(tmp_path: Path, write) -> None:
    write("a.xml", "<configuration>", 1000)
    report = check_directory(tmp_path)
    assert report.in_force is None
    assert len(report.problems) == 1


def test_a_content_is_checked_once_however_often_its_file_is_touched(
    tmp_path: Path, write, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    real = xml_form.parse_xml

    def parse_xml(data: bytes, file: str) -> CheckedConfiguration:
        checked.append(file)
        return real(data, file)

    monkeypatch.setattr(xml_form, "parse_xml", parse_xml)
    path = write("a.xml", configuration("a"), 1000)
    reader = ConfigFileReader(clock=lambda: path.stat().st_ctime + 100)
    for modified in (1000, 2000, 3000):
        os.utime(path, (modified, modified))
        assert reader.configuration(scan_directory(tmp_path).candidates[0]).value is not None
    assert len(checked) == 1
    write("a.xml", "<configuration>", 4000)
    for _ in range(2):
        assert reader.configuration(scan_directory(tmp_path).candidates[0]).problems
    assert len(checked) == 2


def test_a_young_file_is_read_again_although_its_times_stand_still(tmp_path: Path, write) -> None:
    path = write("a.xml", configuration("a"), 1000)
    reader = ConfigFileReader(clock=lambda: path.stat().st_ctime)
    seen = scan_directory(tmp_path).candidates[0]
    first = reader.digest(seen)
    path.write_text(configuration("b"))
    assert reader.digest(seen) != first


def test_our_own_mistake_is_a_problem_of_the_file_only(tmp_path: Path, write, monkeypatch, caplog) -> None:
    path = write("a.xml", configuration(), 1000)
    monkeypatch.setattr(xml_form, "parse_xml", lambda *_: 1 // 0)
    content = ConfigFileReader().configuration(scan_directory(tmp_path).candidates[0])
    assert content.value is None and content.problems[0].file == str(path)
    assert caplog.records[0].exc_info


def test_a_store_gives_what_was_put_last(tmp_path: Path, write) -> None:
    write("a.xml", configuration("a"), 1000)
    first = load_directory(tmp_path)
    write("a.xml", configuration("b"), 2000)
    second = load_directory(tmp_path)
    store = ConfigStore(first)
    assert store.current is first
    assert store.swap(second) is first
    assert store.current is second

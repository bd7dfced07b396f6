"""What the log says of the configuration in force: at the start, at each change, and when a file is bad."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.config.changes import ChangeDetector, Findings
from astcti_server.config.loading import load_directory
from astcti_server.config.reading import ConfigFileReader
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.directory import scan_directory
from schemas.configuration.model import Configuration, Operator, Seat, Service
from schemas.configuration.xml_form import dump_xml
from tests.fake.running_server import RunningServer

FIRST = Configuration(
    services=(Service("Demo", "demo", "inbound"), Service("Line", "line", "outbound")),
    seats=(Seat("00:00:00:00:02:01", "PJSIP/201", "PJSIP/201"),),
    operators=tuple(Operator(name, name, "md5:" + "0" * 32) for name in ("anna", "luisa", "mario")),
)
SETTINGS = '<server events="{events}"><ami username="astcti" secret="s"/><listen port="{port}"/></server>'


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    with DemoPbx() as pbx:
        yield pbx


def test_the_log_says_which_file_is_in_force_at_the_start_and_at_each_change(
    tmp_path: Path, pbx: DemoPbx
) -> None:
    with RunningServer(tmp_path, pbx.address[1], FIRST) as server:
        server.wait_for_log("configuration.xml is in force now (2 services, 1 seat, 3 operators)")
        first = server.status["configuration"]["sha256"]
        (server.config / "other.xml").write_bytes(dump_xml(Configuration(), first))
        server.wait_for_log(
            "other.xml is in force now (0 services, 0 seats, 0 operators; before: configuration.xml)"
        )
        (server.config / "configuration.xml").touch()
        server.wait_for_log("(2 services, 1 seat, 3 operators; before: other.xml)")
        (server.config / "configuration.xml").write_text("<configuration")
        server.wait_for_log("configuration.xml is refused, what it said before stays in force")
        digest = server.status["configuration"]["sha256"]
        meant = dump_xml(Configuration(pause_reasons=("Lunch",)), digest)
        (server.config / "configuration.xml").write_bytes(meant)
        server.wait_for_log("configuration.xml is in force now (0 services, 0 seats, 0 operators)")
        (server.config / "server.xml").write_text("<server/>")
        server.wait_for_log("server.xml is refused, the settings read before stay in force")


class Directory:
    """A configuration directory, and what one look after the other finds in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings("services", 5000)
        (path / "a.xml").write_bytes(dump_xml(FIRST))
        os.utime(path / "a.xml", (1000, 1000))
        self._changes = ChangeDetector(load_directory(path), ConfigFileReader())
        self.look()

    def settings(self, events: str, port: int) -> None:
        (self.path / "server.xml").write_text(SETTINGS.format(events=events, port=port))

    def look(self) -> Findings:
        return self._changes.compare(scan_directory(self.path))


def infos(findings: Findings) -> list[str]:
    return [text for level, text in findings.messages if level == logging.INFO]


def test_a_section_that_is_taken_back_needs_no_restart_any_more(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    directory.settings("services", 6000)
    found = directory.look()
    assert found.loaded is not None
    assert found.loaded.restart_needed == ("listen",)
    directory.settings("services", 5000)
    found = directory.look()
    assert found.loaded is not None
    assert found.loaded.restart_needed == ()
    assert infos(found) == ["server.xml: <listen> says again what is in use: it needs no restart any more"]
    directory.settings("all", 5000)
    assert infos(directory.look()) == []


def test_a_file_in_force_that_is_touched_is_said_to_be_so_already(tmp_path: Path) -> None:
    directory = Directory(tmp_path)
    (tmp_path / "a.xml").touch()
    assert infos(directory.look()) == ["a.xml was touched: it is in force already"]
    assert infos(directory.look()) == []

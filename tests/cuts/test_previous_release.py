"""This release beside the one before it: seats and servers of a site are not updated in one moment."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest

from tests.cuts.control import command, stop_and_keep_members
from tests.cuts.office import Office
from tests.cuts.plays import Play

ROOT = Path(__file__).parents[2]
AGENTS = 2


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", "-C", str(ROOT), *arguments], check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release before this one, unpacked: `tests/previous-release` says which commit it is."""
    commit = (ROOT / "tests" / "previous-release").read_text().strip()
    if _git("rev-parse", "--is-shallow-repository").strip() == b"true":
        pytest.skip("this clone has no history: git fetch --unshallow brings the release before this one")
    folder = tmp_path_factory.mktemp("previous")
    with tarfile.open(fileobj=BytesIO(_git("archive", "--format=tar", commit))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture
def old_server(tmp_path: Path, previous: Path) -> Iterator[Office]:
    with Office(tmp_path, AGENTS, seed=1, server_tree=previous) as office:
        yield office


def test_clients_of_the_release_before_work_with_this_server(tmp_path: Path, previous: Path) -> None:
    with Office(tmp_path, AGENTS, seed=1, client_tree=previous) as office:
        play = Play(office)
        play.plain_calls()
        assert play.verdict() == []
        assert all(" seq=" not in agent.log for agent in office.agents)


def test_these_clients_work_with_the_server_of_the_release_before(old_server: Office) -> None:
    play = Play(old_server)
    play.plain_calls()
    assert play.verdict() == []


def test_the_command_line_of_either_release_asks_and_stops_a_server_of_the_other(
    tmp_path: Path, previous: Path, old_server: Office
) -> None:
    found = command(old_server.server, "status")
    assert found.returncode == 0, found
    assert f"{AGENTS}" in found.stdout
    stop_and_keep_members(old_server.server)
    old_server.server.run_from(None)
    old_server.server.start()
    old_server.server.wait_for_log("Logged in to Asterisk", 2)
    found = command(old_server.server, "status", tree=previous)
    assert found.returncode == 0, found
    stop_and_keep_members(old_server.server, tree=previous)


def test_an_update_under_load_loses_no_pop_up_and_no_member(old_server: Office) -> None:
    server = old_server.server
    play = Play(old_server)
    play.plain_calls()

    def start_the_new_one() -> None:
        server.run_from(None)
        server.start()

    play.restarted_server(lambda: stop_and_keep_members(server), start_the_new_one)
    play.restarted_server(lambda: stop_and_keep_members(server), server.start)
    assert play.verdict() == []


def test_going_back_to_the_release_before_loses_no_member(tmp_path: Path, previous: Path) -> None:
    with Office(tmp_path, AGENTS, seed=1) as office:
        play = Play(office)
        play.plain_calls()
        members = office.members()
        stop_and_keep_members(office.server)
        office.server.run_from(previous)
        office.server.start()
        office.server.wait_for_log("Logged in to Asterisk", 2)
        for agent in office.agents:
            agent.wait_for("-- logged in as", 2)
        play.plain_calls()
        assert office.members() == members
        assert office.removed == []
        assert play.verdict() == []

"""This release beside the one before it: seats and servers of a site are not updated in one moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needed
from tests.cuts.control import command, stop_and_keep_members
from tests.cuts.office import Office
from tests.cuts.plays import Play
from tests.cuts.previous_release import ROOT, NoHistory, previous_release, unpack

AGENTS = 2


@pytest.fixture(scope="module")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release before this one, unpacked. In CI it is a failure if it cannot be had."""
    folder = tmp_path_factory.mktemp("previous")
    try:
        unpack(previous_release(), folder)
    except NoHistory as error:
        needed.lacking(str(error))
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


def test_each_version_runs_its_own_files(previous: Path) -> None:
    where = "import astcti_client, astcti_server; print(astcti_client.__file__, astcti_server.__file__)"
    for folder in (previous, ROOT):
        shown = subprocess.run(
            [sys.executable, "-c", where], cwd=folder, capture_output=True, text=True, check=True
        )
        assert [Path(file).parents[1] for file in shown.stdout.split()] == [folder, folder]


def test_a_clone_without_history_is_told_with_what_to_do(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True, capture_output=True)
    with pytest.raises(NoHistory, match=r"the release before, 0123456.*git fetch --unshallow"):
        unpack("0123456789", tmp_path, repository=tmp_path)

"""Who may say what on the control socket: the kernel says who it is, and nothing else counts."""

from __future__ import annotations

import grp
import os
from pathlib import Path

import pytest

from astcti_server.control.peer import EVERYTHING, LOOK_ONLY, NOTHING, Peer, PeerUnknownError, rights_of
from schemas.protocol import ControlCommand
from tests.fake.patience import until
from tests.needed import lacking
from tests.server.control.conftest import Asker, Requests, Serve, ask_as

SHA256 = 64 * "a"
STRANGER, GROUP, OTHER_GROUP = 54321, 1, 54322
COMMANDS = ("CAPA", "STATUS", f"ACCEPT {SHA256}", "STOP")
OWN_USER, OWN_GROUP = 990, 991


@pytest.mark.parametrize(
    ("peer", "rights"),
    [
        (Peer(1, 0, frozenset({0})), EVERYTHING),
        (Peer(1, OWN_USER, frozenset({5})), EVERYTHING),
        (Peer(1, 1000, frozenset({1000, OWN_GROUP})), LOOK_ONLY),
        (Peer(1, 1000, None), LOOK_ONLY),
        (Peer(1, 1000, frozenset({1000})), NOTHING),
    ],
)
def test_rights_go_by_user_id_and_group(peer: Peer, rights: frozenset[ControlCommand]) -> None:
    assert rights_of(peer, OWN_USER, OWN_GROUP) == rights


@pytest.fixture
def group() -> str:
    if os.geteuid() != 0:
        lacking("needs root, to be somebody else")
    return grp.getgrgid(GROUP).gr_name


def test_root_may_everything(serve: Serve, path: Path, requests: Requests, group: str) -> None:
    with serve(group):
        heard = ask_as(path, 0, 0, [], "CAPA", f"ACCEPT {SHA256}", "STOP KEEP-MEMBERS")
    assert heard == ["100 WELCOME", "110 CAPA STATUS ACCEPT STOP", "100 OK", "100 OK"]
    assert requests.accepted == [SHA256]
    assert requests.stops == ["KEEP-MEMBERS"]
    told = [(action.user, action.name, action.command, action.refusal) for action in requests.audited]
    assert told == [(0, "root", "ACCEPT", ""), (0, "root", "STOP", "")]
    assert all(action.process > 0 for action in requests.audited)


@pytest.mark.parametrize(("first", "others"), [(GROUP, []), (OTHER_GROUP, [OTHER_GROUP + 1, GROUP])])
def test_a_member_of_the_group_may_look_only(
    serve: Serve, path: Path, requests: Requests, group: str, first: int, others: list[int], caplog
) -> None:
    with serve(group):
        heard = ask_as(
            path, STRANGER, first, others, *(command for command in COMMANDS if command != "STATUS")
        )
        assert ask_as(path, STRANGER, first, others, "STATUS")[1].startswith("260 format 1")
    refusal = "101 KO you may not use {}: only root and the user that the server runs as may"
    assert heard == ["100 WELCOME", "110 CAPA STATUS", refusal.format("ACCEPT"), refusal.format("STOP")]
    assert not requests.accepted
    assert not requests.stops
    assert f"Control: somebody (user id {STRANGER}, process " in caplog.text
    assert ") asked for STOP: refused: you may not use STOP" in caplog.text


def test_a_stranger_is_kept_out_by_the_mode_of_the_socket(serve: Serve, path: Path, group: str) -> None:
    with serve(group):
        assert ask_as(path, STRANGER, OTHER_GROUP, [], "STATUS") == ["PermissionError"]


def test_a_stranger_hears_nothing_even_where_somebody_opened_the_socket_to_all(
    serve: Serve, path: Path, group: str, caplog
) -> None:
    with serve(group):
        path.chmod(0o666)
        assert ask_as(path, STRANGER, OTHER_GROUP, [])[0] == "101 KO you may not use this socket"
    [message] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert message.startswith(f"Control: user id {STRANGER}, process ")
    assert message.endswith(" was turned away: you may not use this socket")


def test_where_the_system_does_not_say_who_it_is_nobody_is_served(serve: Serve, connect, caplog) -> None:
    def unknown(_: object) -> Peer:
        raise PeerUnknownError

    with serve(peer=unknown):
        asker: Asker = connect()
        assert asker.hear() == ""
        until(lambda: "who connected to the control socket cannot be known" in caplog.text)

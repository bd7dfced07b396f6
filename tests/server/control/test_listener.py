"""What is said on the control socket, and what becomes of those who hang, fill it up, or talk nonsense."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from astcti_server.control.asking import (
    ControlConnection,
    NoAnswerError,
    NotRunningError,
    RequestRefusedError,
)
from astcti_server.control.listener import MOST, MOST_OF_OTHERS
from astcti_server.control.peer import Peer
from schemas.protocol import ControlRefusal
from tests.fake.patience import PATIENCE, until
from tests.server.control.conftest import STATUS, Asker, Requests, Serve

TOO_MANY = f"101 KO {ControlRefusal.TOO_MANY_CONNECTIONS.value}"
Connect = Callable[[], Asker]


def test_the_status_comes_in_lines_and_is_the_same_when_put_together(
    serve: Serve, connect: Connect, path: Path
) -> None:
    with serve():
        asker = connect()
        asker.say("status")
        heard = [asker.hear() for _ in range(8)]
        with ControlConnection(path) as connection:
            assert connection.document("STATUS") == STATUS
            assert connection.document("STATUS") == STATUS, "as often as one likes"
    assert heard[0] == "100 WELCOME"
    assert heard[1] == "260 format 1"
    assert heard[2] == f"260 name {json.dumps(STATUS['name'])}"
    assert heard[3:] == [
        "260 empty []",
        "260 queues []",
        '260 queues[] {"queue": "a"}',
        "260 queues[] 2",
        "260 END",
    ]


def test_the_commands_of_the_client_protocol_that_make_sense_are_there_and_no_other(
    serve: Serve, connect: Connect
) -> None:
    with serve():
        asker = connect()
        assert asker.hear() == "100 WELCOME"
        assert asker.ask("NOOP") == "100 OK"
        assert asker.ask("CAPA") == "110 CAPA STATUS ACCEPT STOP"
        assert asker.ask("USER mario") == "101 KO unknown command"
        assert asker.ask("NOOP 1") == "101 KO wrong number of parameters for NOOP"
        assert asker.ask("KICK mario") == "101 KO unknown command", "this server does not have it"
        assert asker.ask("QUIT") == "900 OK"
        assert asker.hear() == ""


def test_what_cannot_be_accepted_is_refused_with_the_reason(
    serve: Serve, path: Path, requests: Requests
) -> None:
    requests.refusal = ControlRefusal.NOTHING_HELD.text()
    with (
        serve(),
        ControlConnection(path) as connection,
        pytest.raises(RequestRefusedError, match="no configuration is held"),
    ):
        connection.do("ACCEPT")


def test_what_is_no_utf_8_is_refused_by_the_server(serve: Serve, path: Path) -> None:
    with serve(), ControlConnection(path) as connection, pytest.raises(RequestRefusedError):
        connection.do("ACCEPT", "\udcff")


def test_the_one_after_the_last_place_is_turned_away_and_let_in_when_one_is_free(
    serve: Serve, connect: Connect
) -> None:
    with serve():
        askers = [connect() for _ in range(MOST)]
        assert {asker.hear() for asker in askers} == {"100 WELCOME"}
        late = connect()
        assert (late.hear(), late.hear()) == (TOO_MANY, "")
        askers[0].close()
        until(lambda: connect().hear() == "100 WELCOME", "the place is free again", every=0.1)


def test_those_who_may_look_only_never_keep_root_out(serve: Serve, connect: Connect) -> None:
    users = iter([*[1000] * (MOST_OF_OTHERS + 1), 0])
    with serve(peer=lambda _: Peer(1, next(users), None)):
        lookers = [connect() for _ in range(MOST_OF_OTHERS)]
        assert {looker.hear() for looker in lookers} == {"100 WELCOME"}
        assert connect().hear() == TOO_MANY
        root = connect()
        assert root.hear() == "100 WELCOME"
        assert root.ask("STOP") == "100 OK"


def test_who_says_nothing_is_thrown_out_also_if_he_trickles(serve: Serve, connect: Connect) -> None:
    with serve(idle=0.3):
        silent, trickling = connect(), connect()
        over = threading.Event()

        def trickle() -> None:
            try:
                while not over.wait(0.02):
                    trickling.say(b"N")
            except OSError:
                pass  # thrown out

        thread = threading.Thread(target=trickle)
        thread.start()
        for asker in (silent, trickling):
            assert asker.hear() == "100 WELCOME"
            assert asker.hear() in ("101 KO nothing was said for 0.3 seconds", "")
        over.set()
        thread.join(PATIENCE)


def test_who_does_not_read_is_thrown_out_and_others_are_served_meanwhile(
    serve: Serve, connect: Connect, requests: Requests, path: Path
) -> None:
    requests.document = {"long": [1000 * "x"] * 4000}
    with serve(unread=0.5):
        stuck = connect()
        stuck.say("STATUS")
        with ControlConnection(path) as connection:
            assert connection.document("STATUS") == requests.document
        until(lambda: not [thread for thread in threading.enumerate() if thread.name == "control-1"])


def test_a_line_without_end_and_nonsense_end_the_connection_alone(serve: Serve, connect: Connect) -> None:
    with serve():
        asker = connect()
        assert asker.hear() == "100 WELCOME"
        asker.say(b"x" * 5000 + b"\n")
        assert asker.hear() == "101 KO line longer than 4096 bytes"
        asker.say(b"\xff\n" * 9)
        assert [asker.hear() for _ in range(10)] == ["101 KO not UTF-8"] * 9 + [""]
        assert connect().hear() == "100 WELCOME"


def test_a_failing_request_ends_its_connection_alone(
    serve: Serve, connect: Connect, requests: Requests, caplog: pytest.LogCaptureFixture
) -> None:
    requests.delay = lambda: 1 / 0
    with serve():
        asker = connect()
        assert asker.hear() == "100 WELCOME"
        assert asker.ask("STATUS") == ""
        assert connect().hear() == "100 WELCOME"
    assert "a control connection failed" in caplog.text


def test_at_the_stop_everybody_hears_a_farewell_and_the_socket_is_gone(
    serve: Serve, connect: Connect, path: Path
) -> None:
    with serve():
        asker = connect()
        assert asker.hear() == "100 WELCOME"
    assert (asker.hear(), asker.hear()) == ("910 BYE SHUTDOWN the server stops", "")
    assert not path.exists()
    with pytest.raises(NotRunningError):
        ControlConnection(path)


def test_a_server_that_accepts_and_says_nothing_is_no_answer(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen(1)
        with pytest.raises(NoAnswerError):
            ControlConnection(path, within=0.2)


@pytest.mark.parametrize("said", [b"220 smtp.example ESMTP\n", b"<event/>\n", b"\xff\n", b""])
def test_whatever_else_listens_there_is_no_answer(path: Path, said: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen(1)

        def speak() -> None:
            connection, _ = other.accept()
            connection.sendall(said)
            connection.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(NoAnswerError):
            ControlConnection(path)
        thread.join(PATIENCE)

"""`status`, `accept` and `stop`, asked of a server that runs, hangs, was killed, or is another one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.control import shown_status
from astcti_server.control.asking import is_running
from astcti_server.demo.pbx import DemoPbx
from schemas.server.status_age import OLD_AFTER, is_old
from tests.fake.asterisk import FakeAsterisk
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import ONE_SEAT, PHONE, RunningServer
from tests.needed import lacking


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that every user may enter, and with a short name."""
    place = Path(tempfile.mkdtemp(prefix="astcti-"))
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.fixture
def server(folder: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    with RunningServer(folder, pbx.address[1], ONE_SEAT) as running:
        running.wait_for_log("Channels in Asterisk")
        yield running


def ask(server: RunningServer, *words: str, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """Run a command of the server's program, told of the status file only: the socket is beside it."""
    command = [sys.executable, "-W", "error", "-m", "astcti_server", "--status", str(server.status_file)]
    return subprocess.run(
        [*command, *before, *words], capture_output=True, text=True, timeout=PATIENCE, check=False
    )


def document(server: RunningServer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(ask(server, "status", "--json").stdout)
    return found


# -- a server that runs -------------------------------------------------------------------------------------


def test_status_says_what_the_server_does(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        said = ask(server, "status")
        assert (said.returncode, said.stderr) == (0, "")
        shown = said.stdout
        assert re.search(r"^Server +0\.[0-9.]+, process [0-9]+, since .* \(single\)$", shown, re.MULTILINE)
        assert re.search(r"^Asterisk +connected \(.*spoken to as 12-22\), since ", shown, re.MULTILINE)
        assert re.search(r"^Configuration +\S+/configuration\.xml, since ", shown, re.MULTILINE)
        assert re.search(r"^Operators +1 logged in, 1 at a seat, 1 in pause$", shown, re.MULTILINE)
        assert re.search(r"^Queues +astcti: 1 of 1 members, 1 in pause$", shown, re.MULTILINE)
        assert (
            len({len(line) - len(line[14:].lstrip()) for line in shown.splitlines() if line[:1] != " "}) <= 2
        )
        found = document(server)
    assert found["pid"] == server.status["pid"]
    assert not is_old(found["sessions"][0].pop("paused_since"))
    assert found["sessions"] == [
        {
            "username": "mario",
            "full_name": "Mario Rossi",
            "extension": PHONE,
            "address": "127.0.0.1",
            "paused": True,
            "pause_reason": "Lunch",
        }
    ]
    assert found["queues"] == [
        {"queue": "astcti", "wanted": 1, "members": 1, "paused": 1, "differing": [], "more": 0}
    ]
    assert found["counters"] == {"connections": 1, "logins": 1}
    assert list(found["kept"]) == ["explanations", "events", "asterisk"] and found["kept"]["asterisk"] > 0
    assert re.search(r"^Kept +of ended calls [0-9.]+ MB, for clients ", shown, re.MULTILINE)
    assert not is_old(found["as_of"])
    assert set(server.status) < set(found), "everything that the status file says, and more"


def test_status_says_what_differs_in_a_queue_and_why(server: RunningServer, pbx: DemoPbx) -> None:
    unknown = replace(ONE_SEAT.services[0], queue_name="nowhere")
    server.configure(replace(ONE_SEAT, services=(unknown,)))
    server.wait_for_log("is in force now", 2)
    with server.client("mario") as mario:
        mario.expect("211 KO nowhere")
        [queue] = document(server)["queues"]
        [differing] = queue.pop("differing")
        assert queue == {"queue": "nowhere", "wanted": 1, "members": 0, "paused": 0, "more": 0}
        assert (differing["interface"], differing["username"], differing["differs"]) == (
            PHONE,
            "mario",
            "missing",
        )
        assert differing["reason"]
        shown = ask(server, "status").stdout
        assert f"{PHONE} (mario) wanted, but not a member: {differing['reason']}" in shown


def test_status_says_how_many_seats_talk_and_ring(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        pbx.do(lambda engine: engine.incoming_call(digits="12345"))
        mario.event("Newchannel")
        until(lambda: document(server)["ringing"] == 1, "the phone is not said to ring")
        pbx.do(lambda engine: engine.answer(PHONE))
        mario.event("Link")

        def counted() -> tuple[int, int]:  # what was counted less than a second ago is told again
            found = document(server)
            assert found["calls"] >= 2
            return found["talking"], found["ringing"]

        until(lambda: counted() == (1, 0), "the seat is not said to talk")
        assert "\nCalls          seats: 1 talking, 0 ringing\n" in ask(server, "status").stdout


def test_a_name_that_somebody_chose_forges_no_line_of_the_status(server: RunningServer) -> None:
    server.put("x\nAsterisk  connected\x1b[2J.xml", "<configuration>")
    until(lambda: document(server)["refused"], "nothing is said to be refused")
    lines = ask(server, "status").stdout.splitlines()
    assert all(line.isprintable() for line in lines)
    [asterisk] = [line for line in lines if line.startswith("Asterisk")]
    assert "manager interface" in asterisk
    assert any("x\\nAsterisk  connected\\x1b[2J.xml" in line for line in lines)


def test_status_says_what_is_refused_and_why(server: RunningServer) -> None:
    server.put("newer.xml", "<configuration>\n<seats/>\n<wrong/></configuration>")
    server.wait_for_log("newer.xml refused as a whole")
    until(lambda: document(server)["refused"], "nothing is said to be refused")
    shown = ask(server, "status")
    assert shown.returncode == 0, "what is in force serves"
    assert re.search(r"^Refused +\S+/newer\.xml, since .*\n +.*newer\.xml:3: ", shown.stdout, re.MULTILINE)


def test_status_ends_with_1_while_asterisk_is_away_and_says_why(folder: Path) -> None:
    with RunningServer(folder, free_port(), ONE_SEAT) as server:
        server.wait_for_log("No connection to Asterisk")
        said = ask(server, "status")
        assert said.returncode == 1
        assert re.search(r"^Asterisk +not reached yet, since", said.stdout, re.MULTILINE)
        assert re.search(
            r"^ +nothing listens at .* \(since .*, [0-9]+ attempts?\)$", said.stdout, re.MULTILINE
        )


def test_nothing_is_held_so_nothing_can_be_accepted(server: RunningServer) -> None:
    said = ask(server, "accept")
    assert (said.returncode, said.stderr) == (1, "astcti-server: refused: no configuration is held\n")
    assert ask(server, "accept", "nonsense").returncode == 1
    assert "asked for ACCEPT: refused: no configuration is held" in server.log


def test_held_configuration_is_shown_and_accepted_by_its_digest(server: RunningServer) -> None:
    server.put("newer.xml", "<configuration/>")
    until(lambda: document(server)["configuration"]["held"], "nothing is said to be held")
    [held] = document(server)["configuration"]["held"]
    shown = ask(server, "status").stdout
    assert "newer.xml" in shown and held["sha256"] in shown
    other = ask(server, "accept", "0" * 64)
    assert other.returncode == 1 and "no configuration with this SHA-256 is held" in other.stderr
    with server.client("mario") as mario:
        said = ask(server, "accept", held["sha256"])
        assert (said.returncode, said.stdout) == (0, "It is in force\n")
        mario.expect("910 BYE DISABLED")
    again = ask(server, "accept", held["sha256"])
    assert (again.returncode, again.stdout) == (0, "It is in force\n")
    found = document(server)["configuration"]
    assert (Path(found["file"]).name, found["held"]) == ("newer.xml", [])
    assert re.search(rf"Control: .* asked for ACCEPT {held['sha256']}: done", server.log)


def test_stop_leaves_the_queues_and_waits_until_the_server_is_gone(
    server: RunningServer, pbx: DemoPbx
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        said = ask(server, "stop")
        assert (said.returncode, said.stdout) == (0, "The server is gone\n")
        assert not server.status_file.exists()
        mario.expect("910 BYE SHUTDOWN")
    assert server.wait() == 0
    assert not pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members))
    assert re.search(r"Control: \w+ \(user id [0-9]+, process [0-9]+\) asked for STOP: done", server.log)
    assert not list(server.folder.glob("*.sock"))


def test_stop_keeps_the_members_where_that_is_asked_for(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        assert ask(server, "stop", "--keep-members").returncode == 0
    assert server.wait() == 0
    assert pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members)) == [PHONE]


def test_the_socket_is_where_the_option_says_before_or_after_the_command(folder: Path, pbx: DemoPbx) -> None:
    place = str(folder / "elsewhere" / "here.sock")
    with RunningServer(folder, pbx.address[1], ONE_SEAT, options=("--control", place)) as server:
        assert ask(server, "status", "--control", place).stdout.startswith("Server")
        assert ask(server, "status", before=("--control", place)).stdout.startswith("Server")
        assert ask(server, "stop").returncode == 3, "nobody listens beside the status file"
        assert ask(server, "stop", "--control", place).returncode == 0


# -- another server -----------------------------------------------------------------------------------------


def test_a_second_server_on_the_same_socket_ends_with_1_and_disturbs_nothing(
    server: RunningServer, pbx: DemoPbx
) -> None:
    second = RunningServer(server.folder / "second", pbx.address[1], ONE_SEAT)
    second.status_file = server.status_file
    pid = server.status["pid"]
    second.start()
    assert second.wait() == 1
    assert "another astcti-server is running and answers there: stop it first" in second.log
    assert server.status["pid"] == pid
    assert document(server)["pid"] == pid
    with server.client("mario") as mario:
        mario.expect("200 astcti")


def test_a_server_started_after_a_crash_takes_the_socket_over(folder: Path, pbx: DemoPbx) -> None:
    with RunningServer(folder, pbx.address[1], ONE_SEAT) as first:
        first.kill()
        assert (folder / "control.sock").exists()
    with RunningServer(folder, pbx.address[1], ONE_SEAT) as second:
        second.wait_for_log("Listening on", 2)
        until(lambda: ask(second, "status").returncode == 0, "it does not answer", every=0.2)


# -- a server that does not answer --------------------------------------------------------------------------


def test_status_of_a_server_that_was_killed_says_so(server: RunningServer) -> None:
    server.kill()
    said = ask(server, "status")
    assert said.returncode == 3
    assert "is gone: it was killed" in said.stderr
    assert ask(server, "stop").returncode == 3


def test_a_process_whose_end_its_parent_did_not_ask_about_does_not_run() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert is_running(child.pid)
        child.kill()
        until(lambda: not is_running(child.pid), "it counts as running for as long as nobody waits for it")
        os.kill(child.pid, 0)  # its number is still taken
    finally:
        child.communicate(timeout=PATIENCE)


def test_status_where_nothing_ever_ran_ends_with_3(folder: Path) -> None:
    server = RunningServer(folder, free_port(), ONE_SEAT)
    said = ask(server, "status")
    assert said.returncode == 3
    assert said.stderr.startswith("astcti-server: not running (")


def test_status_of_a_stopped_process_is_no_answer(server: RunningServer) -> None:
    server.send_signal(signal.SIGSTOP)
    try:
        status = server.status
        assert not is_old(status["written"])
        renewed = dict(status, written="2020-01-01T00:00:00+00:00")
        old_file = server.folder / "old.json"  # instead of a wait
        old_file.write_text(json.dumps(renewed))
        old = ("--status", str(old_file), "--control", str(server.folder / "control.sock"))
        with ThreadPoolExecutor() as pool:  # each waits as long as an answer may take
            asked = pool.submit(ask, server, "status")
            asked_of_old = pool.submit(ask, server, "status", before=old)
            said, said_of_old = asked.result(), asked_of_old.result()
        assert said.returncode == 5
        assert "no answer" in said.stderr
        assert (said_of_old.returncode, said_of_old.stdout) == (5, "")
        assert "has not renewed it for" in said_of_old.stderr
    finally:
        server.send_signal(signal.SIGCONT)


def test_status_without_a_control_socket_shows_the_status_file(folder: Path, pbx: DemoPbx) -> None:
    too_long = str(folder / ("x" * 200))
    with RunningServer(folder, pbx.address[1], ONE_SEAT, options=("--control", too_long)) as server:
        server.wait_for_log("longer than the 107 bytes that the path of a Unix socket may have")
        server.wait_for_log("commands such as status and stop cannot reach this server")
        with server.client("mario") as mario:
            mario.expect("200 astcti")  # agents are served all the same
            until(lambda: server.status["clients"] == 1)
            said = ask(server, "status")
        assert said.returncode == 0
        assert "this is what" in said.stderr
        assert re.search(r"^Operators +1 logged in$", said.stdout, re.MULTILINE)


def ask_as(user: int, group: int, server: RunningServer, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody else, for whom the server's directories are closed."""
    if os.geteuid() != 0:
        lacking("needs root, to be somebody else")
    closed = server.folder / "closed"
    closed.mkdir(mode=0o700, exist_ok=True)
    program = (
        "import os\nfrom astcti_server.cli.program import main\n"
        f"os.setgroups([])\nos.setgid({group})\nos.setuid({user})\nmain()"
    )
    options = [f"--config={closed}", f"--state={closed}", f"--status={server.status_file}"]
    return subprocess.run(
        [sys.executable, "-c", program, *options, *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_stranger_may_not_ask(server: RunningServer) -> None:
    server.status_file.chmod(0o640)
    for words in (["status"], ["stop"]):
        said = ask_as(54321, 54321, server, *words)
        assert said.returncode == 4, said.stderr
        assert "only root, the server's user and its group may ask" in said.stderr
    assert document(server)["pid"]


def test_a_member_of_the_group_may_ask_for_the_status_and_not_stop_the_server(server: RunningServer) -> None:
    group = (server.folder / "control.sock").lstat().st_gid
    assert ask_as(54321, group, server, "status").returncode == 0
    for words in (["stop"], ["accept"]):
        said = ask_as(54321, group, server, *words)
        assert said.returncode == 4, said.stderr
        assert f"you may not use {words[0].upper()}: only root and the user" in said.stderr
    assert "Control: somebody (user id 54321, process " in server.log
    assert document(server)["pid"]


# -- the status file ----------------------------------------------------------------------------------------


def test_the_status_file_is_renewed_though_nothing_changes(server: RunningServer) -> None:
    seen = [server.status]  # of a start: Asterisk may be reached between the first two

    def renewed() -> bool:
        if server.status["written"] != seen[-1]["written"]:
            seen.append(server.status)
        return len(seen) > 2

    until(renewed, "it is not renewed", every=0.2)
    assert {**seen[-1], "written": ""} == {**seen[-2], "written": ""}


@pytest.mark.parametrize(("age", "old"), [(0, False), (OLD_AFTER - 1, False), (OLD_AFTER + 1, True)])
def test_a_file_is_old_when_nobody_renewed_it(age: float, old: bool) -> None:
    assert is_old("2026-01-01T00:00:00+00:00", 1767225600 + age) is old
    assert is_old("2026-01-01T00:00:00+00:00", 1767225600 - age) is old, "the clock was set back"


def test_a_refused_login_is_in_the_status_file_with_the_reason_of_now(folder: Path) -> None:
    with FakeAsterisk(secret="other") as asterisk, RunningServer(folder, asterisk.port, ONE_SEAT) as server:
        until(lambda: server.status["ami"]["attempts"] >= 1, "no attempt is counted", every=0.1)
        ami = server.status["ami"]
        assert ami["state"] == "connecting"
        assert "Asterisk refused the login of user 'astcti'" in ami["reason"]
        asterisk.stop_listening()
        until(
            lambda: "nothing listens at" in server.status["ami"]["reason"], "an old reason stays", every=0.1
        )
        later = server.status["ami"]
        assert later["attempts"] > ami["attempts"]
        assert later["reason_since"] > ami["reason_since"]


def test_a_state_directory_that_cannot_be_written_is_in_the_status_file_until_it_can(
    server: RunningServer,
) -> None:
    state = server.folder / "state"
    (state / "queue-members.json").unlink(missing_ok=True)
    (state / "queue-members.json").mkdir()  # root may write whatever the mode says
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        until(lambda: server.status["state_directory"]["error"], "nothing is said", every=0.1)
        error = server.status["state_directory"]["error"]
        assert error.startswith(f"{state}/queue-members.json: ")
        assert error in ask(server, "status").stdout
        (state / "queue-members.json").rmdir()
        until(lambda: not server.status["state_directory"]["error"], "it is not tried again", every=0.1)
        assert PHONE in (state / "queue-members.json").read_text()


def test_the_lines_for_people_show_the_first_of_many_and_how_many_more() -> None:
    document = {
        "version": "1",
        "pid": 7,
        "started": "2026-01-01T00:00:00+00:00",
        "role": "single",
        "stuck": ["ami"],
        "ami": {
            "state": "down",
            "since": "2026-01-01T00:00:00+00:00",
            "reason": "gone",
            "reason_since": "2026-01-01T00:00:00+00:00",
            "attempts": 3,
            "lacking": ["sees no calls"],
            "version": "22.5.2",
            "manager": "11.0.0",
            "dialect": "12-22",
        },
        "configuration": {
            "file": "a.xml",
            "sha256": "00",
            "since": "",
            "held": [
                {
                    "file": "c.xml",
                    "sha256": "11",
                    "since": "2026-01-01T00:00:00+00:00",
                    "reason": "it takes away 5 of 5 seats",
                }
            ],
        },
        "refused": [{"file": "b.xml", "at": "2026-01-01T00:00:00+00:00", "errors": ["e"] * 12, "more": 5}],
        "state_directory": {"error": "full", "error_since": "2026-01-01T00:00:00+00:00"},
        "clients": 3,
        "calls": 4,
        "as_of": "",
        "counters": {"connections": 1, "logins": 1},
        "sessions": [],
        "queues": [],
    }
    lines = list(shown_status.lines_for_people(document, 1767225600 + 7200))
    text = "\n".join(lines)
    assert not shown_status.is_well(document)
    assert "its thread ami hangs" in text
    assert "not connected (22.5.2, spoken to as 12-22), since" in text
    assert "3 attempts" in text
    assert "the manager user sees no calls" in text
    assert "and 7 more: astcti-server check prints them" in text
    assert "full, since" in text
    assert "it takes away 5 of 5 seats; if that is meant: astcti-server accept 11" in text
    assert "(2 h)" in text
    assert "not known: the thread that knows them does not answer" in text
    assert "since the start: connections 1, logins 1" in text

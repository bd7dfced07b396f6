"""`sessions`, `calls`, `queues`, `kick`, `pause`, `unpause`, `log-level`, asked of a server that runs."""

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
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Operator
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.running_server import ONE_SEAT, PHONE, RunningServer, SeatClient
from tests.needed import lacking

DOCS = Path(__file__).resolve().parents[3] / "docs"
CONFIGURATION = replace(
    ONE_SEAT, operators=(*ONE_SEAT.operators, Operator("anna", "Anna Verdi", f"md5:{md5('secret')}"))
)


@pytest.fixture
def server(pbx: DemoPbx) -> Iterator[RunningServer]:
    folder = Path(tempfile.mkdtemp(prefix="astcti-"))
    folder.chmod(0o755)
    with RunningServer(folder, pbx.address[1], CONFIGURATION) as running:
        running.wait_for_log("Channels in Asterisk")
        yield running
    shutil.rmtree(folder)


def ask(server: RunningServer, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "astcti_server", "--status", str(server.status_file)]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)


def document(server: RunningServer, *words: str) -> dict[str, Any]:
    said = ask(server, *words, "--json")
    assert said.returncode == 0, said.stderr
    found: dict[str, Any] = json.loads(said.stdout)
    return found


def talk(mario: SeatClient, pbx: DemoPbx) -> None:
    """mario is in the queue, and answers a call."""
    mario.expect("200 astcti")
    pbx.do(lambda engine: engine.incoming_call(digits="12345"))
    mario.event("Newchannel")
    pbx.do(lambda engine: engine.answer(PHONE))
    mario.event("Link")


def test_who_is_logged_in_is_listed(server: RunningServer) -> None:
    assert ask(server, "sessions").stdout == "USER  NAME  SEAT  ADDRESS  PAUSE  FOR\n0 logged in\n"
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        until(lambda: document(server, "sessions")["sessions"][0]["paused"], every=0.2)
        assert re.fullmatch(
            r"USER   NAME         SEAT       ADDRESS    PAUSE        FOR\n"
            r"mario  Mario Rossi  PJSIP/201  127\.0\.0\.1  yes \(Lunch\)  0\d:\d\d\n"
            r"1 logged in\n",
            ask(server, "sessions").stdout,
        )
        assert document(server, "sessions")["sessions"] == document(server, "status")["sessions"]


def test_calls_are_listed_with_who_talks_to_whom(server: RunningServer, pbx: DemoPbx) -> None:
    assert document(server, "calls")["calls"] == []
    with server.client("mario") as mario:
        talk(mario, pbx)
        calls = document(server, "calls")["calls"]
        [own] = [call for call in calls if call["username"] == "mario"]
        [other] = [call for call in calls if call["uniqueid"] in own["talks_with"]]
        assert other["talks_with"] == [own["uniqueid"]]
        assert (own["extension"], own["service"], own["state"]) == (PHONE, "Demo", "Up")
        assert (other["queue"], other["username"], other["local"]) == ("astcti", "", False)
        shown = ask(server, "calls").stdout.splitlines()
        assert shown[0].split()[:4] == ["FOR", "CHANNEL", "STATE", "NUMBER"]
        assert any(own["channel"] in line and line.endswith(other["channel"]) for line in shown[1:])
        assert (
            shown[-1]
            == f"{len([c for c in calls if not c['local']])} channels of {len(calls)} that Asterisk has"
        )


def test_queues_are_listed_and_one_with_its_members(server: RunningServer) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        until(lambda: document(server, "queues")["queues"][0]["members"] == 1, every=0.2)
        assert ask(server, "queues").stdout == (
            "QUEUE   WANTED  MEMBERS  PAUSED  DIFFERING\nastcti  1       1        0       0\n"
        )
        found = document(server, "queues", "ASTCTI")
        [member] = found["members"]
        assert member == {
            "interface": PHONE,
            "username": "mario",
            "wanted": True,
            "member": True,
            "membership": "dynamic",
            "wanted_penalty": 1,
            "penalty": 1,
            "wanted_paused": False,
            "paused": False,
            "pause_reason": "",
            "differs": "",
            "reason": "",
            "under_way": False,
        }
        assert f"\n{PHONE}  mario  1        no\n" in ask(server, "queues", "astcti").stdout
    unknown = ask(server, "queues", "nowhere")
    assert unknown.returncode == 1
    assert "refused: no service has a queue nowhere" in unknown.stderr


def test_kick_logs_out_for_good_and_says_why_to_the_client(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        said = ask(server, "kick", "mario")
        assert (said.returncode, said.stdout) == (0, "Mario Rossi (mario) is logged out\n")
        mario.expect("910 BYE DISABLED an administrator logged you out")
        until(lambda: not pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members)), every=0.1)
    assert re.search(
        r"INFO .*Control: \w+ \(user id [0-9]+, process [0-9]+\) asked for KICK mario: done", server.log
    )
    with server.client("mario") as again:
        again.expect("200 astcti")


def test_a_forced_pause_is_told_to_the_client_and_ends_as_it_began(
    server: RunningServer, pbx: DemoPbx
) -> None:
    def member() -> tuple[bool, str]:
        [one] = pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members.values()))
        return one.paused, one.reason

    with server.client("mario") as mario:
        mario.expect("310 OUT")
        mario.expect("200 astcti")
        said = ask(server, "pause", "mario", "Team", "meeting")
        assert (said.returncode, said.stdout) == (0, "Mario Rossi (mario) is in pause (Team meeting)\n")
        mario.expect("310 IN Team meeting")
        assert member() == (True, "Team meeting")
        assert document(server, "unpause", "mario")["deferred"] is False
        mario.expect("310 OUT")
        assert not member()[0]
        mario.say("PAUSE IN Lunch")  # its own goes on as ever
        mario.expect("300 OK")
    assert "asked for PAUSE mario Team meeting: done" in server.log
    assert "asked for UNPAUSE mario: done" in server.log


def test_a_pause_while_asterisk_is_away_is_put_off(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        pbx.stop()
        mario.expect("901 PBX DOWN")
        said = ask(server, "pause", "mario")
        assert said.returncode == 0
        assert said.stdout == "Asterisk is not reached: Mario Rossi (mario) will be in pause once it is\n"


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("kick", "nobody"), "there is no operator nobody"),
        (("kick", "anna"), "anna is not logged in"),
        (("pause", "nobody", "Lunch"), "there is no operator nobody"),
        (("unpause", "anna"), "anna is not logged in"),
    ],
)
def test_what_cannot_be_done_to_somebody_is_refused_with_the_reason(
    server: RunningServer, words: tuple[str, ...], reason: str
) -> None:
    said = ask(server, *words)
    assert (said.returncode, said.stderr) == (1, f"astcti-server: refused: {reason}\n")
    assert re.search(
        rf"WARNING .*asked for {' '.join(words).upper().split()[0]} .*: refused: {reason}", server.log
    )


def test_a_word_cannot_begin_another_command_nor_stand_for_two(server: RunningServer) -> None:
    """What the shell passes on may hold anything, in a script the names come from somewhere else."""
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        for words, code in (
            (("kick", "nobody\nSTOP"), 2),
            (("queues", "astcti\nSTOP"), 2),
            (("accept", "0\nSTOP"), 2),
            (("pause", "mario for Lunch"), 2),
            (("kick", os.fsdecode(b"mario\xff")), 2),
            (("pause", "", "mario"), 1),
            (("explain", os.fsdecode(b"mario\xff")), 1),
        ):
            said = ask(server, *words)
            assert said.returncode == code, said
            assert "Traceback" not in said.stderr
        assert ask(server, "explain", "nobody\nSTOP").returncode == 0
        assert ask(server, "pause", "mario", "Lunch\nSTOP").stdout == (
            "Mario Rossi (mario) is in pause (Lunch STOP)\n"
        )
        assert "asked for STOP" not in server.log
        assert document(server, "sessions")["sessions"][0]["paused"]


def test_who_is_at_no_seat_has_no_pause(server: RunningServer) -> None:
    with server.client("anna"):
        said = ask(server, "pause", "anna")
        assert (said.returncode, "anna is at no seat" in said.stderr) == (1, True)
        assert re.search("^anna +Anna Verdi +- +127.0.0.1 +no$", ask(server, "sessions").stdout, re.MULTILINE)


def test_the_log_level_holds_until_a_sighup(server: RunningServer) -> None:
    assert ask(server, "log-level").stdout == "info\n"
    assert ask(server, "log-level", "debug").stdout == "debug (configured: info)\n"
    with server.client("mario") as mario:
        mario.expect("200 astcti")
    server.wait_for_log("DEBUG")
    server.send_signal(signal.SIGHUP)
    server.wait_for_log("SIGHUP received")
    until(lambda: document(server, "log-level") == {"level": "info", "configured": "info"}, every=0.2)
    assert "asked for LOG-LEVEL debug: done" in server.log
    assert "asked for LOG-LEVEL: done" not in server.log, "looking changes nothing"


@pytest.mark.parametrize("command", ["sessions", "calls", "queues", "kick", "pause", "unpause", "log-level"])
def test_where_no_server_runs_that_is_said(tmp_path: Path, command: str) -> None:
    words = [command, "mario"] if command in ("kick", "pause", "unpause") else [command]
    said = subprocess.run(
        [sys.executable, "-m", "astcti_server", "--control", str(tmp_path / "none.sock"), *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert said.returncode == 3
    assert said.stderr.startswith("astcti-server: not running (")


AS_GROUP = (
    "import os\nfrom astcti_server.cli.program import main\n"
    "os.setgroups([])\nos.setgid({group})\nos.setuid(54321)\nmain()"
)


def test_a_member_of_the_group_may_use_none_of_them(server: RunningServer) -> None:
    if os.geteuid() != 0:
        lacking("needs root, to be somebody else")
    group = (server.folder / "control.sock").lstat().st_gid
    closed = server.folder / "closed"
    closed.mkdir(mode=0o700)
    for words in (
        *(["sessions"], ["calls"], ["queues"], ["kick", "mario"], ["pause", "mario"], ["unpause", "mario"]),
        *(["log-level"], ["log-level", "debug"], ["explain", "last"], ["report", "last"], ["stop"]),
    ):
        said = subprocess.run(
            [
                *[sys.executable, "-c", AS_GROUP.format(group=group), f"--status={server.status_file}"],
                *[f"--config={closed}", f"--state={closed}", *words],
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert said.returncode == 4, said.stderr
        assert f"you may not use {words[0].upper()}" in said.stderr
        assert "(user id 54321, process" in server.log


# -- what `--json` prints ----------------------------------------------------------------------------------

_SESSION = "username full_name extension address paused pause_reason paused_since"
_MEMBER = (
    "interface username wanted member membership wanted_penalty penalty wanted_paused paused pause_reason"
    " differs reason under_way"
)
_LINE = "code at phone arguments names text"
NAMES = {
    "status": {
        "": "format version pid started written role configuration refused ami state_directory stuck clients"
        " calls as_of talking ringing queues sessions kept counters",
        "configuration": "file sha256 since held",
        "ami": "state since reason reason_since attempts lacking version manager dialect",
        "state_directory": "error error_since",
        "queues": "queue wanted members paused differing more",
        "sessions": _SESSION,
        "kept": "explanations events asterisk",
        "counters": "connections logins",
    },
    "sessions": {"": "as_of sessions", "sessions": _SESSION},
    "calls": {
        "": "as_of calls",
        "calls": "uniqueid linkedid channel state began local number name exten queue extension username"
        " service talks_with",
    },
    "queues": {"": "as_of queues", "queues": "queue wanted members paused differing more"},
    "queues astcti": {
        "": "as_of queues members",
        "queues": "queue wanted members paused differing more",
        "members": _MEMBER,
    },
    "explain last": {
        "": "calls",
        "calls": "phone uniqueid verdict story odd",
        "verdict": _LINE,
        "story": _LINE,
    },
    "pause mario Lunch": {"": "username full_name extension address paused pause_reason deferred"},
    "unpause mario": {"": "username full_name extension address paused pause_reason deferred"},
    "log-level": {"": "level configured"},
    "kick mario": {"": "username full_name extension address"},
}
"""Of each command the names in its object, and in the objects below a name. They stay: what reads them is a
site's. A new one is added here, and to the docs."""


def names_in(part: Any, below: str = "") -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    if isinstance(part, dict):
        found[below] = set(part)
        for name, inner in part.items():
            for key, names in names_in(inner, name).items():
                found.setdefault(key, set()).update(names)
    for entry in part if isinstance(part, list) else ():
        for key, names in names_in(entry, below).items():
            found.setdefault(key, set()).update(names)
    return found


def test_the_names_of_each_document_stay_and_are_said_in_the_docs(
    server: RunningServer, pbx: DemoPbx
) -> None:
    said = "".join((DOCS / page).read_text() for page in ("operations.md", "pop-ups.md"))
    documented = set(re.findall(r"`([a-z_0-9]+)`", said))
    with server.client("mario") as mario:
        talk(mario, pbx)
        until(lambda: document(server, "queues")["queues"][0]["members"] == 1, every=0.2)
        for command, wanted in NAMES.items():
            found = names_in(document(server, *command.split()))
            assert found == {below: set(names.split()) for below, names in wanted.items()}, command
            lacking_in_docs = set().union(*found.values()) - documented
            assert not lacking_in_docs, (command, lacking_in_docs)

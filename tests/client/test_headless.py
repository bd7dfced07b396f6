"""The client as a program: what it prints, how it ends, what it says about wrong usage."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from schemas.event_xml import encode
from schemas.events import Action, Call, CallEvent, Cause, ConnectedParty, Originate
from tests.client.conftest import Program, log_in
from tests.fake.cti_server import WELCOME, CtiServer
from tests.fake.patience import PATIENCE, until

CALL = Call(
    "1.2",
    "PJSIP/201-1",
    "3331234567",
    "Demo \x9b31m\u202eCaller",
    "astctidemo",
    (("calldata", "12345"),),
    "Up",
    "1.1",
    "inbound",
    "astcti",
    ConnectedParty("1.1", "PJSIP/out-1"),
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_logs_out_and_ends_with_0(
    server: CtiServer, headless: Callable[..., Program], number: signal.Signals
) -> None:
    program = headless()
    peer = log_in(server, program)
    program.signal(number)
    peer.expect("QUIT")
    peer.say("900 OK")
    program.line("<- 900 OK")
    assert program.end() == (0, "")
    assert program.printed[:2] == [f"-- connecting to 127.0.0.1:{server.port}", "<- 100 WELCOME"]
    assert "-- this PC is the seat 00:11:22:33:44:55 with the phone PJSIP/201" in program.printed


def test_the_operators_own_seat_is_named_where_the_pc_is_none(
    server: CtiServer, headless: Callable[..., Program]
) -> None:
    program = headless()
    server.accept().log_in(macs_refused=1, who="PJSIP/201 Mario Rossi")
    program.line("-- logged in as mario")
    assert "-- sits at PJSIP/201 by the operator's own seat" in program.printed
    assert not any("no seat was found" in line for line in program.printed)


@pytest.mark.parametrize("who", ["- Mario Rossi", ""], ids=["told-so", "not-told"])
def test_without_any_seat_it_is_said_what_helps(
    server: CtiServer, headless: Callable[..., Program], who: str
) -> None:
    program = headless()
    server.accept().log_in(macs_refused=1, who=who)
    program.line("-- logged in as mario")
    assert sum("no seat was found by the address of this PC" in line for line in program.printed) == 1


def test_events_are_printed_in_words_and_their_triggers_run(
    server: CtiServer, headless: Callable[..., Program], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    program = headless()
    peer = log_in(server, program)
    actions = (
        Action("application", "any", "touch", (str(mark),)),
        Action("application", "windows", "calc.exe"),
        Action("browser", "any", url="file:///etc/passwd"),
    )
    peer.say_bytes(encode(CallEvent("Link", CALL, "Demo", actions)))
    assert program.line("<- Link") == (
        '<- Link: PJSIP/201-1 is connected with 3331234567 "Demo \\x9b31m\\u202eCaller"; service Demo; '
        "queue astcti; context astctidemo; state Up; uniqueid 1.2; linkedid 1.1; calldata=12345"
    )
    assert program.line("=>") == f"=> started touch {mark}"
    assert "only addresses that begin with http" in program.line("!!")
    peer.say_bytes(
        encode(CallEvent("Hangup", CALL, "Demo", cause=Cause(26, "answered-elsewhere", "Elsewhere")))
    )
    assert "hung up, somebody else answered (26 Elsewhere)" in program.line("<- Hangup")
    peer.say_bytes(
        encode(CallEvent("OriginateResponse", CALL, "Out", originate=Originate("055", "Failure", 5)))
    )
    assert "the call to 055: Failure (5)" in program.line("<- OriginateResponse")
    until(mark.exists, "the program was not run")


ELSEWHERE = "0.0.0.0"  # no loopback address, but on Linux this machine answers


def test_a_connection_that_would_leave_this_pc_unencrypted_ends_the_program_with_2(
    headless: Callable[..., Program],
) -> None:
    program = headless("--host", ELSEWHERE)
    assert program.end()[0] == 2
    assert "would not be encrypted" in program.line("-- the connection to")
    assert "allow it with plain = true" in program.printed[-1]


def test_an_allowed_one_is_said_and_starts_no_program(
    server: CtiServer, headless: Callable[..., Program], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    program = headless("--host", ELSEWHERE, "--plain")
    peer = server.accept()
    peer.log_in()
    program.line("-- the connection is not encrypted (plain is on)")
    program.line("-- logged in as mario")
    action = Action("application", application="touch", arguments=(str(mark),))
    peer.say_bytes(encode(CallEvent("Link", CALL, "Demo", (action,))))
    assert "nothing proves that the server is the right one" in program.line("!! touch: not started")
    assert not mark.exists()


def test_triggers_can_be_printed_only(
    server: CtiServer, headless: Callable[..., Program], tmp_path: Path
) -> None:
    mark = tmp_path / "mark"
    program = headless("--no-triggers", "--verbose")
    peer = log_in(server, program)
    peer.say_bytes(
        encode(CallEvent("Link", CALL, "Demo", (Action("application", "any", "touch", (str(mark),)),)))
    )
    program.line('<- <event id="Link">')
    assert f"touch '{mark}'" in program.line("=> would start")
    assert "-> PASS ***" in program.printed
    assert not mark.exists()
    assert not any("098f6bcd" in line for line in program.printed)


def test_announcements_are_explained(server: CtiServer, headless: Callable[..., Program]) -> None:
    program = headless()
    log_in(server, program).say("901 PBX DOWN", "310 IN Lunch break", "200 astcti")
    program.line("<- 901 PBX DOWN")
    program.line("-- the server lost the telephone exchange")
    program.line("-- in pause: Lunch break")
    program.line("-- member of queue astcti")


@pytest.mark.parametrize("word", ["TAKEOVER", "DISABLED"])
def test_an_ended_session_ends_the_program_with_3(
    server: CtiServer, headless: Callable[..., Program], word: str
) -> None:
    program = headless()
    log_in(server, program).say(f"910 BYE {word} sorry")
    assert program.end()[0] == 3
    assert "sorry" in program.line("-- the server ends")


def test_a_wrong_password_ends_the_program_with_4(
    server: CtiServer, headless: Callable[..., Program]
) -> None:
    program = headless()
    peer = server.accept()
    assert peer.hear_password() == "PASS 098f6bcd4621d373cade4e832627b4f6"
    peer.say("101 KO wrong user name or password")
    assert program.end()[0] == 4
    assert "wrong user name or password" in program.line("-- the server refused")


def test_it_ends_quietly_when_nobody_reads_its_output(server: CtiServer, environ: dict[str, str]) -> None:
    arguments = ["--headless", "--port", str(server.port), "--user", "mario", "--mac", "00:11:22:33:44:55"]
    with subprocess.Popen(
        [sys.executable, "-m", "astcti_client", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
    ) as process:
        assert process.stdout
        assert process.stderr
        peer = server.accept()
        process.stdout.readline()
        process.stdout.close()
        peer.say(WELCOME)
        heard = ""
        while heard != "QUIT":
            heard = peer.hear()
            assert heard, "the client closed the connection without logging out"
            peer.say({"QUIT": "900 OK", "PASS": "102 OK"}.get(heard.split()[0], "100 OK"))
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""


def test_a_full_disk_below_its_output_does_not_end_it(server: CtiServer, environ: dict[str, str]) -> None:
    arguments = ["--headless", "--port", str(server.port), "--user", "mario", "--mac", "00:11:22:33:44:55"]
    with (
        Path("/dev/full").open("w") as full,
        subprocess.Popen(
            [sys.executable, "-m", "astcti_client", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            env=environ,
        ) as process,
    ):
        assert process.stderr
        peer = server.accept()
        peer.log_in()
        process.terminate()
        peer.expect("QUIT")
        peer.say("900 OK")
        assert process.wait(PATIENCE) == 0
        assert process.stderr.read() == b""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--headless"], "no user name: give --user"),
        (["--headless", "--port", "no"], "option --port: 'no' is not a port"),
        (["--headless", "--nonsense"], "No such option"),
        (["--headless", "--config", "/nowhere.toml"], "--config /nowhere.toml: there is no such file"),
        (["--headless", "--config", "/" + 300 * "x"], "cannot be read: File name too long"),
    ],
)
def test_wrong_usage_is_explained_and_ends_with_2(
    run: Callable[..., Program], arguments: list[str], words: str
) -> None:
    code, errors = run(*arguments).end()
    assert code == 2
    assert words in errors


def test_without_a_password_or_a_terminal_it_says_where_to_put_one(headless: Callable[..., Program]) -> None:
    code, errors = headless(ASTCTI_CLIENT_PASSWORD="").end()
    assert code == 2
    assert "no password: give --password-file" in errors


def test_on_a_terminal_the_password_is_asked_for(server: CtiServer, environ: dict[str, str]) -> None:
    ours, theirs = pty.openpty()
    arguments = ["--headless", "--port", str(server.port), "--user", "mario"]
    with subprocess.Popen(
        [sys.executable, "-m", "astcti_client", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        env={**environ, "ASTCTI_CLIENT_PASSWORD": ""},
    ) as process:
        shown = b""
        while b"Password of mario" not in shown:
            shown += os.read(ours, 4096)
        os.write(ours, b"test\n")
        peer = server.accept()
        assert peer.hear_password() == "PASS 098f6bcd4621d373cade4e832627b4f6"
        process.terminate()
        peer.close()
        server.stop_listening()
        process.wait(PATIENCE)
    os.close(ours)
    os.close(theirs)


def test_settings_come_from_the_users_file(
    server: CtiServer, run: Callable[..., Program], tmp_path: Path
) -> None:
    place = tmp_path / "astcti"
    place.mkdir()
    (place / "client.toml").write_text(f'port = {server.port}\nuser = "anna"\nmac = "00:11:22:33:44:55"\n')
    program = run("--headless")
    server.accept().log_in(user="anna")
    program.line("-- logged in as anna")


# --- a server that resumes ---

EPOCH = "0123456789abcdef"


def numbered(seq: int, *actions: Action) -> str:
    return encode(CallEvent("Link", CALL, "Demo", actions, seq=seq)).decode().rstrip("\n")


def test_a_killed_client_goes_on_where_it_was_and_carries_out_what_it_had_not(
    server: CtiServer, headless: Callable[..., Program], tmp_path: Path
) -> None:
    page = Action("application", application="no-such-program", key="0" * 16)
    program = headless()
    peer = server.accept()
    peer.log_in(resume="NEW")
    peer.say(f"104 RESUME {EPOCH} 0 state", numbered(1, page), "105 RESUME END")
    assert peer.hear() == f"SHOWN 1 KO {'0' * 16} not-found"
    program.line("!! no-such-program")
    peer.say(numbered(2))
    line = peer.hear().split()
    assert line[:2] == ["SHOWN", "2"]
    assert int(line[2]) < PATIENCE * 1000
    kept = tmp_path / "astcti" / "pop-ups"
    until(lambda: " 2 2 ." in kept.read_text(), "the second event is not kept as handled")
    program.signal(signal.SIGKILL)
    program.end()
    again = headless()
    peer = server.accept()
    peer.log_in(resume=f"{EPOCH} 2")
    peer.say(f"104 RESUME {EPOCH} 2 from", numbered(3, page), "105 RESUME END")
    assert peer.hear().startswith("SHOWN 3 ")  # the same pair and trigger: not carried out twice
    again.signal(signal.SIGTERM)
    peer.expect("QUIT")
    peer.say("900 OK")
    assert again.end() == (0, "")
    assert not any(line.startswith(("!!", "=>")) for line in again.printed)


def test_without_triggers_the_server_is_told_that_they_are_off(
    server: CtiServer, headless: Callable[..., Program]
) -> None:
    program = headless("--no-triggers")
    peer = server.accept()
    peer.log_in(resume="NEW")
    page = Action("browser", url="https://crm.example/", key="1" * 16)
    peer.say(f"104 RESUME {EPOCH} 0 state", "105 RESUME END", numbered(1, page))
    program.line("=> would open (browser, any): https://crm.example/")
    assert peer.hear() == f"SHOWN 1 KO {'1' * 16} triggers-off"

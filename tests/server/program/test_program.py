"""The program as operations staff meets it: exit codes, output, signals and the files it leaves."""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import astcti_server
from astcti_server.cli.program import main
from astcti_server.demo import stage
from astcti_server.demo.ami.manager import AmiUser
from astcti_server.demo.pbx import DemoPbx
from astcti_server.logs import Logs
from schemas import event_xml, passwords, scram
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.configuration.xml_form import dump_xml
from tests.fake.asterisk import FakeAsterisk, Headers, block, response
from tests.fake.certificates import make_certificate
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import RunningServer

SAMPLES = Path(astcti_server.__file__).with_name("etc") / "sample"
PHONE, MAC = "PJSIP/201", "00:00:00:00:02:01"
CONFIGURATION = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            is_queue=True,
            queue_name="astcti",
            variables=("calldata",),
            triggers=(Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}"),),
            operators=(Binding("mario", 1),),
        ),
    ),
    seats=(Seat(MAC, PHONE, PHONE),),
    operators=(Operator("mario", "Mario Rossi", f"md5:{md5('secret')}", seat=MAC),),
)
BROKEN = '<configuration>\n<seats><seat mac="x" extension="PJSIP/201"/></seats></configuration>'


def program(*arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run the program to its end."""
    command = [sys.executable, "-W", "error", "-m", "astcti_server", *arguments]
    return subprocess.run(command, input=given, capture_output=True, timeout=PATIENCE, check=False)


def command(*arguments: str, given: bytes = b"") -> Result:
    """Run a command that needs no process of its own, which is quicker."""
    return CliRunner().invoke(main, arguments, input=given)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A valid configuration directory."""
    place = tmp_path / "etc"
    place.mkdir()
    (place / "server.xml").write_text('<server><ami username="astcti" secret="s"/></server>')
    (place / "configuration.xml").write_bytes(dump_xml(CONFIGURATION))
    os.utime(place / "configuration.xml", (1000, 1000))
    return place


# -- exit codes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_asked_to_stop_ends_with_0_and_leaves_the_queues(
    tmp_path: Path, pbx: DemoPbx, number: int
) -> None:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as server:
        with server.client("mario") as client:
            client.expect("200 astcti")
            server.send_signal(number)
            client.expect("910 BYE SHUTDOWN")
        assert server.wait() == 0
    assert not pbx.do(lambda engine: list(engine.queues.by_name["astcti"].members))
    assert server.log.rstrip().endswith("Stopped")


def test_retries_that_are_used_up_end_with_1(tmp_path: Path) -> None:
    server = RunningServer(tmp_path, free_port(), CONFIGURATION, ami='retries="0"')
    server.start()
    assert server.wait() == 1
    assert "no retries are left" in server.log


def test_a_log_file_that_cannot_be_opened_after_all_is_said_in_plain_words(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a full disk, or where only the kernel knows why not."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    (directory / "server.xml").write_text(
        f'<server><ami username="astcti" secret="s"/><logging file="{directory}/x.log"/></server>'
    )
    monkeypatch.setattr(Logs, "apply", refuse)
    ended = command("--config", str(directory))
    assert ended.exit_code == 1
    assert ended.stderr == (
        f"astcti-server: cannot write to the log file {directory}/x.log: No space left on device\n"
    )


@pytest.mark.parametrize("option", ["--every=0", "--every=-1", "--port=99999", "--port=-1"])
def test_numbers_that_the_demo_cannot_use_are_wrong_usage(option: str) -> None:
    ended = command("demo-pbx", option)
    assert ended.exit_code == 2
    assert "is not in the range" in ended.stderr
    with pytest.raises(SystemExit, match="2"):
        stage.main([option])


@pytest.mark.parametrize("arguments", [("--no-such-option",), ("no-such-command",), ("--log-level", "loud")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    ended = program(*arguments)
    assert ended.returncode == 2
    assert b"Usage:" in ended.stderr


def test_without_a_valid_configuration_every_error_is_printed_and_it_ends_with_78(directory: Path) -> None:
    (directory / "configuration.xml").write_text(BROKEN)
    ended = program("--config", str(directory), "--state", str(directory / "state"))
    assert ended.returncode == 78
    assert f"{directory / 'configuration.xml'}:2: ".encode() in ended.stderr
    assert b"not started" in ended.stderr


def test_a_state_directory_that_cannot_be_made_is_said_in_plain_words_and_ends_with_1(
    directory: Path,
) -> None:
    file = directory / "file"
    file.touch()
    ended = program("--config", str(directory), "--state", str(file / "state"))
    assert ended.returncode == 1
    assert b"state directory must be writable" in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_port_in_use_is_said_in_plain_words_and_ends_with_1(directory: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (directory / "server.xml").write_text(
            f'<server><ami username="astcti" secret="s"/><listen port="{port}"/></server>'
        )
        ended = program("--config", str(directory), "--state", str(tmp_path / "state"))
    assert ended.returncode == 1
    assert f"cannot listen on 127.0.0.1 port {port}".encode() in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_pidfile_that_cannot_be_written_is_said_in_plain_words_and_ends_with_1(
    directory: Path, tmp_path: Path
) -> None:
    (directory / "server.xml").write_text(
        f'<server><ami username="astcti" secret="s"/><listen port="{free_port()}"/></server>'
    )
    (tmp_path / "file").touch()
    ended = program(
        "--config",
        str(directory),
        "--state",
        str(tmp_path / "state"),
        "--status",
        str(tmp_path / "status.json"),
        "--pidfile",
        str(tmp_path / "file" / "pid"),
    )
    assert ended.returncode == 1
    assert b"astcti-server: " in ended.stderr
    assert b"Traceback" not in ended.stderr


def test_a_second_signal_ends_a_slow_stop_at_once_with_1(tmp_path: Path) -> None:
    with FakeAsterisk(secret="astcti") as asterisk:
        asterisk.answers |= {"Status": _nothing, "QueueStatus": _no_queues, "QueueAdd": _nothing}
        with RunningServer(tmp_path, asterisk.port, CONFIGURATION) as server:
            with server.client("mario") as client:
                asterisk.next_action("QueueAdd")  # never answered: leaving the queues takes its time
                server.send_signal(signal.SIGTERM)
                client.expect("910 BYE SHUTDOWN")
            server.wait_for_log("SIGTERM received")
            server.send_signal(signal.SIGTERM)
            assert server.wait() == 1  # an orderly end, however slow, is 0


def _nothing(_action: Headers) -> bytes:
    return b""


def _no_queues(action: Headers) -> bytes:
    end = block(("Event", "QueueStatusComplete"), ("ActionID", action["ActionID"]))
    return response(action, "Success", "Queue status will follow") + end


# -- check and hash-password -----------------------------------------------------------------------------


def test_check_of_a_valid_directory_names_the_file_in_force_and_ends_with_0(directory: Path) -> None:
    ended = command("check", "--config", str(directory))
    assert ended.exit_code == 0, ended.stdout
    assert ended.stdout.splitlines() == [f"In force: {directory / 'configuration.xml'}"]


def test_check_takes_the_directory_before_the_command_too(directory: Path) -> None:
    assert command("--config", str(directory), "check").stdout.startswith("In force: ")


def test_check_prints_each_error_as_file_line_message_and_ends_with_78(directory: Path) -> None:
    (directory / "newer.xml").write_text(BROKEN)
    (directory / "notes.txt").touch()
    ended = command("check", "--config", str(directory))
    lines = ended.stdout.splitlines()
    assert ended.exit_code == 78
    assert re.fullmatch(re.escape(str(directory / "newer.xml")) + r":2: \S.*", lines[0])
    assert "notes.txt is not used as a configuration: its name ends in neither .xml nor .sqlite" in lines
    assert lines[-1] == f"In force: {directory / 'configuration.xml'}"


def test_check_marks_what_is_hardly_meant_as_a_warning_and_ends_with_0(directory: Path) -> None:
    (directory / "server.xml").write_text(
        '<server><ami username="astcti" secret="s"/><listen address="0.0.0.0" plain="yes"/></server>'
    )
    ended = command("check", "--config", str(directory))
    assert ended.exit_code == 0
    assert ended.stdout.splitlines()[0].endswith("(warning)")


def test_the_installed_samples_are_valid(tmp_path: Path) -> None:
    shutil.copytree(SAMPLES, tmp_path / "astcti")
    tmp_path.chmod(0o750)  # as `make install` makes the configuration directory
    ended = command("check", "--config", str(tmp_path / "astcti"))
    assert (ended.exit_code, ended.stdout) == (0, f"In force: {tmp_path / 'astcti' / 'configuration.xml'}\n")


def test_check_finds_a_host_and_a_log_file_that_cannot_be_used(directory: Path) -> None:
    (directory / "server.xml").write_text(
        '<server>\n<ami username="astcti" secret="s" host=""/>\n<logging file="/nonexistent/x.log"/></server>'
    )
    ended = command("check", "--config", str(directory))
    assert ended.exit_code == 78
    settings = directory / "server.xml"
    assert ended.stdout.splitlines() == [
        f"{settings}:2: the host of <ami> is empty: fill it in, or leave it out for 127.0.0.1",
        f"{settings}:3: the log file /nonexistent/x.log cannot be written:"
        " there is no directory /nonexistent",
    ]


@pytest.mark.parametrize("scheme", ["scrypt", "md5"])
def test_hash_password_prints_what_the_password_matches(scheme: str) -> None:
    ended = command("hash-password", "--scheme", scheme, given="pässword\n".encode())
    stored, *keys = ended.stdout.splitlines()
    assert ended.exit_code == 0
    assert stored.startswith(f"{scheme}:")
    assert passwords.PasswordChecker().matches(stored, md5("pässword"))
    assert len(keys) == (1 if scheme == "scrypt" else 0)
    for line in keys:
        found = scram.parse_stored_keys(line)
        assert found == scram.derive_keys(md5("pässword"), found.salt, found.iterations)
        assert found.iterations >= 200_000
        assert passwords.belong_together(stored, line)


def test_hash_password_makes_scrypt_unless_told_otherwise() -> None:
    assert command("hash-password", given=b"secret\n").stdout.startswith("scrypt:")


def test_hash_password_takes_no_empty_password() -> None:
    ended = command("hash-password", given=b"\n")
    assert (ended.exit_code, ended.stdout) == (2, "")
    assert "the password is empty" in ended.stderr


# -- signals ---------------------------------------------------------------------------------------------


def test_sighup_looks_at_the_configuration_again_and_says_so(tmp_path: Path, pbx: DemoPbx) -> None:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as server:
        server.wait_for_log("Logged in to Asterisk")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("SIGHUP received: looking at the configuration again")
        server.wait_for_log("looked at the configuration again: configuration.xml stays in force")


def test_sighup_takes_up_a_renewed_certificate(tmp_path: Path, pbx: DemoPbx) -> None:
    server = RunningServer(tmp_path, pbx.address[1], CONFIGURATION)
    settings = server.config / "server.xml"
    listen = f'<listen port="{server.port}"'
    settings.write_text(settings.read_text().replace(listen, f'{listen} certificate="a.crt" key="a.key"'))
    make_certificate(server.config, "a")
    with server:
        server.wait_for_log("Logged in to Asterisk")
        first = ssl.get_server_certificate(("127.0.0.1", server.port))
        make_certificate(server.config, "a")
        server.send_signal(signal.SIGHUP)
        until(lambda: ssl.get_server_certificate(("127.0.0.1", server.port)) != first, "the old one is shown")


def test_sigusr1_goes_on_in_a_new_log_file(tmp_path: Path, pbx: DemoPbx) -> None:
    log, rotated = tmp_path / "own.log", tmp_path / "own.log.1"
    server = RunningServer(
        tmp_path, pbx.address[1], CONFIGURATION, sections=f'<logging level="info" file="{log}"/>'
    )
    server.log_file = log
    with server:
        server.wait_for_log("Logged in to Asterisk")
        log.rename(rotated)
        server.send_signal(signal.SIGUSR1)
        server.wait_for_log("reopened")
        assert server.stop() == 0
    assert "Stopped" in log.read_text()
    assert "Stopped" not in rotated.read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_log_disk_is_said_in_one_line_and_hurts_nobody(tmp_path: Path, pbx: DemoPbx) -> None:
    sections = '<logging level="debug" file="/dev/full"/>'
    server = RunningServer(tmp_path, pbx.address[1], CONFIGURATION, sections=sections)
    server.start()
    server.wait_for_log("cannot be written")
    until(lambda: server.status_file.exists() and server.status["ami"]["state"] == "up")
    with server.client("mario") as client:
        client.expect("200 astcti")
    assert server.stop() == 0
    assert server.log == "astcti-server: the log file /dev/full cannot be written: No space left on device\n"


def test_the_name_of_a_file_forges_no_line_of_the_log(tmp_path: Path, pbx: DemoPbx) -> None:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as server:
        server.put("a\n2026-01-01 00:00:00,000 CRITICAL [main] forged.xml", BROKEN)
        server.wait_for_log("refused as a whole")
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("stays in force")
        assert server.stop() == 0
    assert "a\\n2026-01-01" in server.log
    assert not [line for line in server.log.splitlines() if line.startswith("2026-01-01")]
    ended = command("check", "--config", str(server.config))
    assert not [line for line in ended.output.splitlines() if line.startswith("2026-01-01")]


def test_the_log_level_of_the_command_line_outranks_the_settings(tmp_path: Path, pbx: DemoPbx) -> None:
    server = RunningServer(
        tmp_path,
        pbx.address[1],
        CONFIGURATION,
        sections='<logging level="error"/>',
        options=("--log-level", "debug"),
    )
    with server:
        server.wait_for_log("DEBUG")


# -- the files that it leaves ----------------------------------------------------------------------------


def test_the_pidfile_names_the_process_and_goes_with_it(tmp_path: Path, pbx: DemoPbx) -> None:
    pidfile = tmp_path / "run" / "server.pid"
    options = ("--pidfile", str(pidfile))
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, options=options) as server:
        assert int(pidfile.read_text()) == server.status["pid"]
        assert server.stop() == 0
    assert not pidfile.exists()


def test_the_status_file_says_what_the_manager_user_lacks(tmp_path: Path) -> None:
    user = AmiUser(write=frozenset({"call", "reporting", "agent"}))
    with DemoPbx(users=[user]) as pbx, RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as server:
        until(lambda: server.status["ami"]["lacking"] != [], "nothing is said to be lacking")
        [lack] = server.status["ami"]["lacking"]
        assert lack.startswith("may not ask for Originate: add originate")
        assert f"The manager user 'astcti' {lack}" in server.log


def test_a_pidfile_of_another_process_is_left_alone(tmp_path: Path, pbx: DemoPbx) -> None:
    pidfile = tmp_path / "server.pid"
    options = ("--pidfile", str(pidfile))
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, options=options) as server:
        pidfile.write_text("1\n")
        assert server.stop() == 0
    assert pidfile.read_text() == "1\n"


def test_the_status_file_says_what_the_server_is_doing_and_goes_with_it(tmp_path: Path, pbx: DemoPbx) -> None:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, ami='pause="600"') as server:
        until(lambda: server.status["ami"]["state"] == "up", "the link is not said to be up")
        with server.client("mario") as client:
            client.expect("200 astcti")
            server.send_signal(signal.SIGUSR1)  # whatever happens, the file is written anew
            until(lambda: server.status["clients"] == 1, "the client is not counted")
        status = server.status
        assert set(status) == {
            "format",
            "version",
            "pid",
            "started",
            "written",
            "role",
            "state_directory",
            "stuck",
            "configuration",
            "refused",
            "ami",
            "clients",
            "calls",
        }
        assert status["configuration"]["file"] == str(server.config / "configuration.xml")
        assert re.fullmatch("[0-9a-f]{64}", status["configuration"]["sha256"])
        assert status["refused"] == []
        assert (status["role"], status["stuck"]) == ("single", [])
        pbx.drop_connections()
        until(lambda: server.status["ami"]["state"] == "down", "the link is not said to be down")
        assert server.status["ami"]["reason"].startswith("Asterisk closed the connection")
        assert server.stop() == 0
    assert not server.status_file.exists()


def test_a_file_refused_at_the_start_is_in_the_status_file(tmp_path: Path, pbx: DemoPbx) -> None:
    server = RunningServer(tmp_path, pbx.address[1], CONFIGURATION)
    os.utime(server.config / "configuration.xml", (1000, 1000))
    (server.config / "newer.xml").write_text(BROKEN)
    with server:
        assert refused(server) == {"newer.xml"}


def test_a_refused_file_is_in_the_status_file_as_long_as_it_is_refused(tmp_path: Path, pbx: DemoPbx) -> None:
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION) as server:
        since = server.status["configuration"]
        server.put("newer.xml", BROKEN)
        until(lambda: refused(server) == {"newer.xml"}, "the refused file is not told")
        errors = server.status["refused"][0]["errors"]
        assert re.match(re.escape(str(server.config / "newer.xml")) + r":2: \S", errors[0])

        settings = (server.config / "server.xml").read_text()
        server.put("server.xml", settings.replace("<server>", '<server events="all">'))
        server.send_signal(signal.SIGHUP)
        server.wait_for_log("SIGHUP received")
        server.wait_for_log("refused as a whole", 2)
        assert refused(server) == {"newer.xml"}
        assert server.status["configuration"] == since

        (server.config / "newer.xml").unlink()
        until(lambda: refused(server) == set(), "a deleted file is still told as refused")


def refused(server: RunningServer) -> set[str]:
    return {Path(refused["file"]).name for refused in server.status["refused"]}


def test_an_unwritable_status_file_is_logged_once_and_the_server_goes_on(
    tmp_path: Path, pbx: DemoPbx
) -> None:
    (tmp_path / "file").touch()
    options = ("--status", str(tmp_path / "file" / "status.json"))
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, options=options) as server:
        server.client("mario").close()
        assert server.stop() == 0
    assert server.log.count("Cannot write the status file") == 1


# -- the init system -------------------------------------------------------------------------------------


def test_the_init_system_hears_when_the_server_is_ready_and_when_it_stops(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ready means: the configuration is valid and the port is open, whether Asterisk is there or not."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.settimeout(PATIENCE)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with RunningServer(tmp_path, free_port(), CONFIGURATION) as server:
            assert notices.recv(100) == b"READY=1"
            socket.create_connection(("127.0.0.1", server.port), PATIENCE).close()
            server.send_signal(signal.SIGTERM)
            after = next(notice for notice in iter(lambda: notices.recv(100), b"") if notice != b"WATCHDOG=1")
            assert after == b"STOPPING=1"
            assert server.wait() == 0


def test_without_a_valid_configuration_the_init_system_hears_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(str(tmp_path / "notify"))
        notices.setblocking(False)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        assert program("--config", str(tmp_path / "nowhere")).returncode == 78
        with pytest.raises(BlockingIOError):
            notices.recv(100)


# -- clients before Asterisk is there --------------------------------------------------------------------


def test_clients_are_welcomed_after_the_first_login_to_asterisk(tmp_path: Path) -> None:
    waiting = threading.Event()
    with FakeAsterisk(secret="astcti") as asterisk:

        def challenge(action: Headers) -> bytes:
            waiting.wait(PATIENCE)
            return response(action, "Success", "", ("Challenge", asterisk.challenge))

        asterisk.answers["Challenge"] = challenge
        with (
            RunningServer(tmp_path, asterisk.port, CONFIGURATION) as server,
            socket.create_connection(("127.0.0.1", server.port), PATIENCE) as client,
        ):
            waiting.set()
            assert client.recv(100) == b"100 WELCOME\n"
            server.wait_for_log("connected from")
            assert server.log.index("Logged in to Asterisk") < server.log.index("connected from")


def test_clients_are_accepted_before_asterisk_is_reached_where_the_settings_say_so(tmp_path: Path) -> None:
    with FakeAsterisk(secret="astcti") as asterisk:
        reachable = threading.Event()

        def challenge(action: Headers) -> bytes:
            reachable.wait(PATIENCE)
            return response(action, "Success", "", ("Challenge", asterisk.challenge))

        asterisk.answers |= {"Challenge": challenge, "QueueStatus": _no_queues}
        with (
            RunningServer(tmp_path, asterisk.port, CONFIGURATION, listen='before-pbx="yes"') as server,
            server.client("mario") as client,
        ):
            assert client.expect("901 ") == "901 PBX DOWN"
            client.say("HANGUP 1.1", "NOOP")
            assert client.expect("101 ") == "101 KO PBX down"
            client.expect("100 OK")
            assert "Logged in to Asterisk" not in server.log
            reachable.set()
            assert client.expect("902 ") == "902 PBX UP"
            assert asterisk.next_action("QueueAdd")["Interface"] == PHONE


# -- record and replay -----------------------------------------------------------------------------------


def events_of_a_call(server: RunningServer, pbx: DemoPbx) -> list[bytes]:
    """A caller types digits, the operator answers, the caller hangs up: the lines that the seat got."""
    with server.client("mario") as client:
        client.expect("200 astcti")
        caller = pbx.do(lambda engine: engine.incoming_call(digits="12345"))
        client.event("Newchannel")
        pbx.do(lambda engine: engine.ring(PHONE))
        pbx.do(lambda engine: engine.answer(PHONE))
        client.event("Link")
        pbx.do(lambda engine: engine.hang_up(caller))
        client.event("Hangup")
        return [line.encode() for line in client.lines if line.startswith("<")]


def test_a_replay_of_the_recording_tells_the_same_as_the_running_server_did(
    tmp_path: Path, pbx: DemoPbx
) -> None:
    trace = tmp_path / "trace.ami"
    options = ("--record", str(trace))
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, options=options) as server:
        told = events_of_a_call(server, pbx)
        assert server.stop() == 0
    assert any(b"id=12345" in line for line in told)
    expected = b"".join(PHONE.encode() + b"\t" + line + b"\n" for line in told)

    (server.config / "server.xml").unlink()  # a replay needs none
    from_a_file = command("replay", "--config", str(server.config), str(trace))
    assert (from_a_file.exit_code, from_a_file.stdout_bytes) == (0, expected), from_a_file.stderr
    from_standard_input = command("replay", "--config", str(server.config), "-", given=trace.read_bytes())
    assert from_standard_input.stdout_bytes == expected


def test_a_recording_is_continued_after_the_connection_was_lost(tmp_path: Path, pbx: DemoPbx) -> None:
    trace = tmp_path / "trace.ami"
    options = ("--record", str(trace))
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, options=options) as server:
        events_of_a_call(server, pbx)
        pbx.drop_connections()
        server.wait_for_log("Logged in to Asterisk", 2)
        events_of_a_call(server, pbx)
        assert server.stop() == 0
    recorded = trace.read_bytes()
    assert recorded.count(b"Asterisk Call Manager/") == 2
    assert b"Challenge: ***" in recorded
    ended = command("replay", "--config", str(server.config), str(trace))
    links = [line for line in ended.stdout_bytes.splitlines() if b'<event id="Link">' in line]
    assert len(links) == 2


def test_a_replay_prints_notifications_and_nothing_else(directory: Path) -> None:
    recordings = Path(__file__).parents[2] / "fixtures" / "ami"
    trace = next(recordings.glob("22-queue-call*.ami"))
    ended = command("replay", "--config", str(directory), "--events", "all", str(trace))
    assert ended.exit_code == 0
    lines = ended.stdout_bytes.splitlines()
    assert lines
    for line in lines:
        extension, _, event = line.partition(b"\t")
        assert extension == PHONE.encode()
        event_xml.decode(event)


def test_a_replay_into_a_full_disk_says_so_and_ends_with_1(directory: Path) -> None:
    trace = next((Path(__file__).parents[2] / "fixtures" / "ami").glob("22-queue-call*.ami"))
    replay = ["-m", "astcti_server", "replay", "--config", str(directory), "--events", "all", str(trace)]
    with Path("/dev/full").open("wb") as full:
        ended = subprocess.run(
            [sys.executable, *replay], stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE, check=False
        )
    assert (ended.returncode, ended.stderr) == (1, b"Error: the replay broke off: No space left on device\n")


@pytest.mark.parametrize(
    "given",
    [b"", b"Dear Mario,\r\nhello\r\n\r\n", b"Asterisk Call Manager/6\nEvent: Hangup\nUniqueid: 1\n\n"],
    ids=["empty", "a letter", "other line ends"],
)
def test_a_replay_of_what_is_no_transcript_says_so_and_ends_with_1(directory: Path, given: bytes) -> None:
    ended = command("replay", "--config", str(directory), "-", given=given)
    assert (ended.exit_code, ended.stdout_bytes) == (1, b"")
    assert "no transcript of Asterisk's manager interface" in ended.stderr


@pytest.mark.parametrize("given", [b"Asterisk Call Manager/6\r\n", b"Event: PeerStatus\r\nPeer: 1\r\n\r\n"])
def test_a_replay_of_a_transcript_without_any_call_ends_with_0(directory: Path, given: bytes) -> None:
    ended = command("replay", "--config", str(directory), "-", given=given)
    assert (ended.exit_code, ended.stdout_bytes, ended.stderr) == (0, b"", "")


def test_a_replay_with_an_invalid_configuration_ends_with_78(directory: Path) -> None:
    (directory / "configuration.xml").write_text(BROKEN)
    ended = command("replay", "--config", str(directory), "-")
    assert (ended.exit_code, ended.stdout_bytes) == (78, b"")


def test_hash_password_says_that_its_input_is_not_utf_8() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "astcti_server", "hash-password"], input=b"\xff\xfe\n", capture_output=True
    )
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr
    assert b"Traceback" not in done.stderr

"""`report` of a server that runs, and `replay` of it: what the clients heard, byte for byte."""

from __future__ import annotations

import json
import signal
import ssl
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.demo.calls.channels import ChannelState
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.fake.certificates import make_certificate
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import RunningServer, SeatClient

PASSWORD = f"md5:{md5('secret')}"
URL = "https://crm.example/ticket?id={CALLDATA}&from={CALLERID}"
SEATS = (Seat("00:00:00:00:02:01", "PJSIP/201"), Seat("00:00:00:00:02:02", "PJSIP/202"))


def configuration(url: str = URL) -> Configuration:
    inbound = Service(
        "Demo",
        "astctidemo",
        "inbound",
        is_queue=True,
        queue_name="astcti",
        variables=("calldata",),
        triggers=(Trigger("browser", url=url), Trigger("browser", on="hangup", url=url)),
        operators=(Binding("mario"), Binding("luisa")),
    )
    outbound = Service("Outside", "outbound", "outbound", operators=(Binding("mario"),))
    return Configuration(
        (inbound, outbound),
        SEATS,
        (
            Operator("mario", "Mario Rossi", PASSWORD, seat=SEATS[0].mac),
            Operator("luisa", "Luisa Verdi", PASSWORD, seat=SEATS[1].mac),
        ),
    )


@pytest.fixture
def server(pbx: DemoPbx, tmp_path: Path) -> Iterator[RunningServer]:
    with RunningServer(tmp_path, pbx.address[1], configuration()) as running:
        running.wait_for_log("Channels in Asterisk")
        yield running


def run(server: RunningServer, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error", "-m", "astcti_server", "--status", str(server.status_file)]
    return subprocess.run([*command, *words], capture_output=True, text=True, timeout=PATIENCE, check=False)


def events(client: SeatClient, extension: str) -> list[str]:
    client.settle()
    return [f"{extension}\t{line}" for line in client.lines if line.startswith("<")]


def report(server: RunningServer, what: str, *options: str) -> Path:
    path = server.folder / f"report-{len(list(server.folder.glob('report-*')))}.tar.gz"
    made = run(server, "report", what, "--out", str(path), *options)
    assert made.returncode == 0, made.stderr
    return path


def replayed(server: RunningServer, path: Path) -> list[str]:
    played = run(server, "replay", str(path))
    assert played.returncode == 0, played.stderr
    return played.stdout.splitlines()


def take_a_call(pbx: DemoPbx, client: SeatClient, phone: str) -> str:
    pbx.do(lambda engine: engine.incoming_call(digits="12345"))
    client.event("Newchannel")
    pbx.do(lambda engine: engine.answer(phone))
    linkedid = client.event("Link").call.linkedid
    pbx.do(lambda engine: engine.hang_up(phone))
    client.event("Hangup")
    return linkedid


def test_a_report_played_tells_what_the_clients_heard(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        linkedid = take_a_call(pbx, mario, "PJSIP/201")
        with server.client("luisa") as luisa:
            luisa.expect("200 astcti")
            take_a_call(pbx, mario, "PJSIP/201")
            heard = sorted(events(mario, "PJSIP/201") + events(luisa, "PJSIP/202"))
        with tarfile.open(report(server, linkedid)) as archive:
            explained = archive.extractfile("explain.json")
            assert explained is not None and linkedid in explained.read().decode()
        for what in (linkedid, "mario", "PJSIP/201", "00:00-23:59:59"):
            told = replayed(server, report(server, what))
            assert any('<event id="Link">' in line for line in told)
            assert [line for line in told if line.startswith("PJSIP/201")] == events(mario, "PJSIP/201"), what
            assert sorted(told) == heard


def test_a_report_is_played_from_a_pipe(server: RunningServer, pbx: DemoPbx) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        take_a_call(pbx, mario, "PJSIP/201")
        path = report(server, "last")
        command = f"cat {path} | {sys.executable} -m astcti_server replay -"
        piped = subprocess.run(
            command, shell=True, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert piped.stdout.splitlines() == replayed(server, path), piped.stderr


def test_a_report_knows_a_configuration_that_came_between_two_calls(
    server: RunningServer, pbx: DemoPbx
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        take_a_call(pbx, mario, "PJSIP/201")
        server.configure(configuration("https://other.example/{CALLERID}"))
        server.wait_for_log("is in force", 2)
        take_a_call(pbx, mario, "PJSIP/201")
        assert replayed(server, report(server, "last")) == events(mario, "PJSIP/201")


def test_a_report_holds_who_came_during_a_call_and_what_he_asked_for(
    server: RunningServer, pbx: DemoPbx
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        pbx.do(lambda engine: engine.incoming_call(digits="12345"))
        mario.event("Newchannel")
        pbx.do(lambda engine: engine.answer("PJSIP/201"))
        mario.event("Link")
        first = events(mario, "PJSIP/201")
    with server.client("mario") as mario:
        mario.event("Link")  # again: it goes on
        pbx.do(lambda engine: engine.hang_up("PJSIP/201"))
        mario.event("Hangup")
        mario.say("ORIG 0551234 outbound 1")
        mario.expect("100 OK")
        until(lambda: pbx.do(lambda engine: engine.legs("PJSIP/201", ChannelState.RINGING)))
        pbx.do(lambda engine: engine.answer("PJSIP/201"))
        mario.event("OriginateResponse")
        again = events(mario, "PJSIP/201")
    assert 'repeat="true"' in "".join(again)
    assert replayed(server, report(server, "mario")) == first + again


@pytest.mark.parametrize("asked", ["+39 0551234567", "551234567", "0551234567"])
def test_a_number_is_found_with_and_without_what_is_dialled_before(
    server: RunningServer, pbx: DemoPbx, asked: str
) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        pbx.do(lambda engine: engine.incoming_call("0551234567", digits="12345"))
        mario.event("Callerid")
        assert any("0551234567" in line for line in replayed(server, report(server, asked)))
        nothing = run(server, "report", "+39 0551234568", "--out", str(server.folder / "none.tar.gz"))
        assert nothing.returncode != 0


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """What is in a report, packed and not."""
    yield path.name, path.read_bytes()
    with tarfile.open(path) as archive:
        for member in archive:
            data = archive.extractfile(member)
            assert data is not None
            yield member.name, data.read()


def test_neither_the_private_key_nor_the_audit_gets_into_a_report(pbx: DemoPbx, tmp_path: Path) -> None:
    own = tmp_path / "the-sites-own-folder"
    own.mkdir()
    certificate, key = make_certificate(own)
    audit = own / "audit.log"
    with RunningServer(
        tmp_path,
        pbx.address[1],
        configuration(),
        listen=f'certificate="{certificate}" key="{key}"',
        sections=f'<audit file="{audit}"/>',
    ) as server:
        server.wait_for_log("Channels in Asterisk")
        trust = ssl.create_default_context(cafile=str(certificate))
        with SeatClient(server.port, "mario", "secret", context=trust) as mario:
            mario.expect("200 astcti")
            take_a_call(pbx, mario, "PJSIP/201")
            assert run(server, "pause", "mario", "Planted reason").returncode == 0
            # A key that cannot be read is logged, and what is in its file is not.
            key.write_text(key.read_text().replace("BEGIN", "BEGUN"))
            server.send_signal(signal.SIGHUP)
            server.wait_for_log("SIGHUP received")
            server.wait_for_log(str(key))
            made = [
                report(server, what, *mask)
                for what in ("last", "00:00-23:59:59")
                for mask in ((), ("--mask",))
            ]
        until(lambda: "Planted reason" in audit.read_text())
    secret_lines = [line for line in key.read_text().splitlines() if "-----" not in line]
    assert secret_lines
    entries = [json.loads(line) for line in audit.read_text().splitlines()]
    assert {"login", "control"} <= {entry["action"] for entry in entries}
    audited = audit.read_text().splitlines()
    for path in made:
        for name, data in contents(path):
            for planted in (*secret_lines, "PRIVATE KEY", *audited, "asked for PAUSE"):
                assert planted.encode() not in data, (path.name, name, planted)
            assert not (name.endswith(".txt") and b'"action"' in data), "a line of the audit"


def test_a_report_does_not_say_where_the_site_has_its_files_and_ports(pbx: DemoPbx, tmp_path: Path) -> None:
    own = tmp_path / "the-sites-own-folder"
    own.mkdir()
    sections = f'<audit file="{own}/audit.log"/><metrics address="127.0.0.53" port="{free_port()}"/>'
    with RunningServer(tmp_path, pbx.address[1], configuration(), sections=sections) as server:
        server.wait_for_log("Channels in Asterisk")
        with server.client("mario") as mario:
            mario.expect("200 astcti")
            take_a_call(pbx, mario, "PJSIP/201")
            with tarfile.open(report(server, "last")) as archive:
                about = archive.extractfile("about.json")
                assert about is not None
                said = about.read().decode()
    assert '"audit"' in said and '"metrics"' in said
    assert "the-sites-own-folder" not in said
    assert "127.0.0.53" not in said

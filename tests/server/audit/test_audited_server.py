"""The audit of a server that runs: everything that somebody did is in it, and no password."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.audit.entries import AuditAction
from astcti_server.clients.commands import dispatch
from astcti_server.control.audit import changes_something
from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Operator, Service
from schemas.protocol import CommandName, ControlCommand
from tests.fake.line_client import LineClient, md5
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_server import MAC, ONE_SEAT, PHONE, RunningServer

OUT = Service("Out", "outgoing", "outbound", operators=(Binding("mario"),))
CONFIGURATION = replace(
    ONE_SEAT,
    services=(*ONE_SEAT.services, OUT),
    operators=(*ONE_SEAT.operators, Operator("luisa", "Luisa Verdi", f"md5:{md5('secret')}")),
)
NOT_AUDITED = {
    CommandName.WHY,
    CommandName.NOOP,
    CommandName.CAPA,
    CommandName.WHO,
    CommandName.USER,
    CommandName.SERVICES,
    CommandName.REASONS,
    CommandName.TARGETS,
    CommandName.QUEUES,
    CommandName.COLLEAGUES,
    CommandName.PHONE,
    CommandName.RESUME,
    CommandName.SHOWN,
}
"""Commands that change nothing for anybody; each other one leaves a line."""
AUDITED = {
    CommandName.PASS: (AuditAction.LOGIN, AuditAction.LOGIN_FAILED),
    CommandName.SCRAM: (AuditAction.LOGIN, AuditAction.LOGIN_FAILED),
    CommandName.MAC: (AuditAction.SEAT,),
    CommandName.QUIT: (AuditAction.LOGOUT,),
    CommandName.PAUSE: (AuditAction.PAUSE, AuditAction.UNPAUSE),
    CommandName.QUEUE: (AuditAction.QUEUE_JOIN, AuditAction.QUEUE_LEAVE),
    CommandName.ORIG: (AuditAction.ORIGINATE,),
    CommandName.HANGUP: (AuditAction.HANGUP,),
    CommandName.TRANSFER: (AuditAction.TRANSFER,),
    CommandName.CONSULT: (AuditAction.CONSULT,),
    CommandName.COMPLETE: (AuditAction.COMPLETE,),
    CommandName.CANCEL: (AuditAction.CANCEL,),
    CommandName.ANSWER: (AuditAction.ANSWER,),
}


def entries(path: Path) -> list[dict[str, Any]]:
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]


@pytest.fixture
def audit(tmp_path: Path) -> Path:
    return tmp_path / "audit.log"


@pytest.fixture
def server(tmp_path: Path, audit: Path, pbx: DemoPbx) -> Iterator[RunningServer]:
    sections = f'<audit file="{audit}"/>'
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, sections=sections) as running:
        running.wait_for_log("Channels in Asterisk")
        yield running


def control(server: RunningServer, *words: str) -> None:
    command = [sys.executable, "-m", "astcti_server", "--status", str(server.status_file), *words]
    subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False)


def test_each_command_of_the_protocol_is_audited_or_changes_nothing() -> None:
    assert dispatch.FAMILIES
    assert set(AUDITED) | NOT_AUDITED == set(CommandName)


def test_commands_of_the_control_socket_that_change_or_take_away_something_are_audited() -> None:
    audited = {command for command in ControlCommand if changes_something(command, "WARNING")}
    assert audited == {
        ControlCommand.REPORT,  # what Asterisk said of calls leaves the server
        ControlCommand.KICK,
        ControlCommand.PAUSE,
        ControlCommand.UNPAUSE,
        ControlCommand.LOG_LEVEL,
        ControlCommand.ACCEPT,
        ControlCommand.STOP,
    }


LATE = """
import time
from astcti_server import daemon
from astcti_server.audit.entries import AuditAction, AuditRecord
from astcti_server.__main__ import main

written = AuditRecord.line

def line(record):
    if record.action is AuditAction.STOP:
        time.sleep(1000)
    return written(record)

AuditRecord.line = line
daemon.STOP_WITHIN = 1.0
main()
"""


def test_a_disk_that_hangs_does_not_keep_the_process(tmp_path: Path, pbx: DemoPbx) -> None:
    (tmp_path / "server.xml").write_text(
        f'<server><ami port="{pbx.address[1]}" username="astcti" secret="astcti"/>'
        f'<listen port="{free_port()}"/>'
        '<audit file="audit.log"/></server>'
    )
    (tmp_path / "configuration.xml").write_text("<configuration/>")
    options = [f"--config={tmp_path}", f"--state={tmp_path}/state", f"--status={tmp_path}/status"]
    server = subprocess.Popen([sys.executable, "-c", LATE, *options], stderr=subprocess.PIPE, text=True)
    try:
        until((tmp_path / "status").exists)
        server.terminate()
        _, log = server.communicate(timeout=PATIENCE)
    finally:
        server.kill()
    assert "Thread audit is late" in log
    assert server.returncode == 0


def test_everything_that_was_done_is_in_the_audit(server: RunningServer, audit: Path) -> None:
    with LineClient(server.port) as stranger:
        stranger.say("USER mario", f"PASS {md5('wrong-one')}")
        while not stranger.hear().startswith("101"):
            pass
    with server.client("luisa") as luisa:
        luisa.say("QUIT")
        luisa.expect("900")
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        mario.say("PAUSE IN Lunch")
        mario.expect("300 OK")
        mario.say("PAUSE OUT")
        mario.expect("300 OK")
        mario.say("QUEUE astcti OUT")
        mario.expect("101 KO")
        mario.say("QUEUE astcti IN")
        mario.expect("100 OK")
        mario.say("ORIG 5551234 elsewhere 1")
        mario.expect("101 KO")
        mario.say("ORIG 5551234 outgoing 1")
        mario.expect("101 KO")
        mario.say("HANGUP 1.1")
        mario.expect("101 KO")
        mario.say("TRANSFER 1.1 202 astctidemo")
        mario.expect("101 KO")
        mario.say("CONSULT 1.1 202 astctidemo")
        mario.expect("101 KO")
        mario.say("COMPLETE 1.1")
        mario.expect("101 KO")
        mario.say("CANCEL 1.1")
        mario.expect("101 KO")
        mario.say("ANSWER 1.1")
        mario.expect("101 KO")
    with server.client("luisa", mac=MAC) as luisa:
        luisa.say("QUIT")
        luisa.expect("900")
    server.put("configuration.xml", b"<astcti>")
    until(lambda: any(entry["action"] == "configuration-refused" for entry in entries(audit)))
    server.configure(replace(CONFIGURATION, seats=(), operators=CONFIGURATION.operators[1:], services=()))
    until(lambda: any(entry["action"] == "configuration-held" for entry in entries(audit)))
    server.configure(replace(CONFIGURATION, pause_reasons=("Lunch",)))
    server.wait_for_log("is in force now", 2)
    control(server, "stop")
    server.wait()

    found = entries(audit)
    assert {entry["action"] for entry in found} == set(AuditAction) - {AuditAction.LINES_LOST}
    done = [
        (entry["action"], entry.get("user", ""), entry.get("result", entry.get("why", "")))
        for entry in found
        if entry.get("user") and entry["action"] not in ("control", "logout")
    ]
    assert ("login-failed", "mario", "unknown user or wrong password") in done
    assert ("login", "luisa", "") in done
    assert ("seat", "luisa", "") in done
    assert ("pause", "mario", "ok") in done
    assert ("unpause", "mario", "ok") in done
    assert next(result for action, _, result in done if action == "originate") != "ok"
    lunch = next(entry for entry in found if entry["action"] == "pause")
    assert (lunch["reason"], lunch["owner"], lunch["extension"]) == ("Lunch", "operator", PHONE)
    reasons = next(entry for entry in found if entry.get("changes"))
    assert reasons["changes"] == ["pause reasons added (1): Lunch"]
    asked = next(entry for entry in found if entry["action"] == "control")
    assert (asked["command"], asked["uid"], asked["result"]) == ("STOP", os.getuid(), "ok")
    text = audit.read_text()
    assert md5("secret") not in text
    assert md5("wrong-one") not in text


def test_log_outs_say_why(server: RunningServer, audit: Path) -> None:
    with server.client("mario") as mario:
        mario.expect("200 astcti")
        with server.client("mario"):
            mario.expect("910 BYE TAKEOVER")
            until(lambda: any(entry["action"] == "logout" for entry in entries(audit)))
    out = next(entry for entry in entries(audit) if entry["action"] == "logout")
    assert (out["user"], out["extension"], out["address"]) == ("mario", PHONE, "127.0.0.1")
    assert out["why"].startswith("taken over by ")


def test_an_audit_on_a_full_disk_keeps_nobody_from_working(tmp_path: Path, pbx: DemoPbx) -> None:
    sections = '<audit file="/dev/full"/>'
    with RunningServer(tmp_path, pbx.address[1], CONFIGURATION, sections=sections) as server:
        with server.client("mario") as mario:
            mario.expect("200 astcti")
            server.wait_for_log("The audit file /dev/full cannot be written")
        assert server.stop() == 0

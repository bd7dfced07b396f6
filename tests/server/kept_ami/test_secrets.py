"""What must not be in a report is in none: each kind is planted, and looked for raw and unpacked."""

from __future__ import annotations

import gzip
import json
import logging
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.ami.recording import Recorder
from astcti_server.kept_ami.archive import write_archive
from astcti_server.kept_ami.marks import LinkUpMark
from astcti_server.kept_ami.report import ReportMaker, ReportRange
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from tests.server.kept_ami.conftest import KeptByTest

AMI_SECRET, CHALLENGE = "manager-secret-81", "challenge-73512"
MD5, SCRYPT = "md5:" + "5a" * 16, "scrypt:16384:8:1:c2FsdHNhbHQ=:cGxhbnRlZHBhc3N3b3Jk"
SCRAM = "4096:cGxhbnRlZHNhbHQ=:cGxhbnRlZHN0b3JlZGtleXBsYW50ZWQ=:cGxhbnRlZHNlcnZlcmtleXBsYW50ZWQ="
PIN, DIGIT_PIN = "48151623", "90817"
CONFIGURATION = Configuration(
    (
        Service(
            "Demo", "demo", "inbound", variables=("calldata",), operators=(Binding("mario"), Binding("anna"))
        ),
    ),
    (Seat("00:00:00:00:02:01", "SIP/201", description="desk of Mario Rossi"),),
    (
        Operator("mario", "Mario Rossi", MD5, seat="00:00:00:00:02:01", scram=SCRAM),
        Operator("anna", "Anna Verdi", SCRYPT),
    ),
)
LOGIN = f"Asterisk Call Manager/1.3\r\nResponse: Success\r\nActionID: 1\r\nChallenge: {CHALLENGE}\r\n\r\n"
CALLER = "Channel: SIP/trunk-0000000a\r\nUniqueid: 1800000000.7"
MESSAGES = (
    f"Event: Newchannel\r\nPrivilege: call,all\r\n{CALLER}\r\nChannelState: 4\r\nChannelStateDesc: Ring\r\n"
    f"CallerIDNum: 0551234567\r\nCallerIDName: Planted Caller\r\nAccountCode: {PIN}\r\n"
    "Exten: 500\r\nContext: demo",
    f"Event: VarSet\r\n{CALLER}\r\nVariable: PINCODE\r\nValue: {PIN}",
    f"Event: VarSet\r\n{CALLER}\r\nVariable: calldata\r\nValue: 777001",
    f"Event: Newexten\r\n{CALLER}\r\nContext: demo\r\nExtension: 500\r\nPriority: 1\r\nApplication: Set\r\n"
    f"AppData: PINCODE={PIN}",
    f"Event: Newexten\r\n{CALLER}\r\nContext: demo\r\nExtension: 500\r\nPriority: 2\r\nApplication: MSet\r\n"
    f'AppData: calldata="777,001",PINCODE={PIN},X={PIN}',
    f"Event: Newexten\r\n{CALLER}\r\nContext: demo\r\nExtension: 500\r\nPriority: 3\r\n"
    f"Application: Authenticate\r\nAppData: {PIN}",
    f"Event: Newexten\r\n{CALLER}\r\nContext: demo\r\nExtension: 500\r\nPriority: 4\r\n"
    f"Application: SendDTMF\r\nAppData: {PIN}",
    f"Event: Newstate\r\n{CALLER}\r\nChannelStateDesc: Up\r\n"
    f"ChanVariable(SIP/trunk-0000000a): PINCODE={PIN}\r\n"
    f"ChanVariable: PINCODE={PIN}",
    f"Event: AgentConnect\r\n{CALLER}\r\nQueue: q\r\nVariable: PINCODE={PIN}\r\nVariable: calldata=777001",
    f"Event: UserEvent\r\n{CALLER}\r\nUserEvent: Pin\r\nPin: {PIN}\r\nSecret: {AMI_SECRET}",
    f"Event: Newexten\r\n{CALLER}\r\nContext: demo\r\nExtension: 500\r\nApplication: Queue\r\n"
    f"AppData: support,t,,,60,{PIN}",
    *(f"Event: DTMF\r\n{CALLER}\r\nDigit: {digit}\r\nBegin: No\r\nEnd: Yes" for digit in DIGIT_PIN),
    f"Event: DTMFEnd\r\n{CALLER}\r\nDigit: {DIGIT_PIN}",
    f"Response: Success\r\nActionID: astcti-0a-9\r\nLine-000000-000001: secret={AMI_SECRET}",
    f"Response: Success\r\nActionID: astcti-0a-10\r\nVariable: PINCODE\r\nValue: {PIN}",
    f"Event: ListDialplan\r\nActionID: astcti-0a-11\r\nApplication: Authenticate\r\nAppData: {PIN}",
    f"Event: Hangup\r\n{CALLER}\r\nCause: 16\r\nCause-txt: Normal Clearing",
)
LINES = (
    f"client-7 said PASS {'5b' * 16}",
    "client-7 said SCRAM SCRAM-SHA-256 n,,n=mario,r=plantednonceplantednonce",
    f"Action astcti-0a-1: AmiAction(secret='{AMI_SECRET}')",
    f"Key: {CHALLENGE}",
    f"the operator's password {MD5} and {SCRYPT} and {SCRAM}",
    f"The event b'Event: Newexten\\r\\nAppData: {PIN}' could not be handled",
)
PLANTED = (
    AMI_SECRET,
    CHALLENGE,
    MD5[4:],
    "cGxhbnRlZH",
    "plantednonce",
    "5b" * 16,
    PIN,
    DIGIT_PIN,
    "audited-reason",
)
WHO_CALLED = (
    "0551234567",
    "Planted",
    "777001",
    "777,001",
    "mario",
    "Mario",
    "Rossi",
    "Anna",
    "SIP/201",
    "02:01",
)


def kept() -> KeptByTest:
    made = KeptByTest(CONFIGURATION, {"SIP/201": "mario"})
    recorder = Recorder(made.kept.write)
    recorder.read(LOGIN.encode())
    recorder.read(b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n")
    recorder.logged_in()
    made.kept.mark(LinkUpMark("1.3"))
    for message in MESSAGES:
        recorder.read(f"{message}\r\n\r\n".encode())
    for line in LINES:
        made.log.handle(log_record("astcti_server.ami.link", line, made.now))
    made.log.handle(
        log_record("astcti_server.control.audit", "Control: PAUSE mario audited-reason", made.now)
    )
    return made


def log_record(name: str, text: str, moment: float) -> logging.LogRecord:
    record = logging.LogRecord(name, logging.DEBUG, "", 0, "%s", (text,), None)
    record.created = moment
    return record


def contents(path: Path) -> Iterator[tuple[str, bytes]]:
    yield "the file", path.read_bytes()
    yield "unpacked", gzip.decompress(path.read_bytes())
    with tarfile.open(path) as archive:
        for member in archive:
            data = archive.extractfile(member)
            assert data is not None
            yield member.name, data.read()


def written(path: Path, *, mask: bool) -> Path:
    made = kept()
    found = ReportRange(made.now - 1, made.now + 1)
    secrets = (AMI_SECRET, *(one for who in CONFIGURATION.operators for one in (who.password, who.scram)))
    document = ReportMaker(made.kept.window()).make(found, {"report": 1}, made.log, secrets, mask=mask)
    json.dumps(document)
    write_archive(path, document)
    return path


@pytest.mark.parametrize("mask", [False, True])
def test_no_planted_secret_is_in_a_report(mask: bool, tmp_path: Path) -> None:
    found = dict(contents(written(tmp_path / "report.tar.gz", mask=mask)))
    assert {"ami.txt", "marks.jsonl", "log.txt", "about.json"} < set(found)
    for name, data in found.items():
        for secret in PLANTED:
            assert secret.encode() not in data, (name, secret)
            assert secret[::-1].encode() not in data
    assert found["log.txt"].count(b"\n") == len(LINES)


def test_a_report_holds_what_the_server_used(tmp_path: Path) -> None:
    found = dict(contents(written(tmp_path / "report.tar.gz", mask=False)))
    transcript = found["ami.txt"].decode()
    for text in (
        "CallerIDNum: 0551234567",
        "Value: 777001",
        "AppData: support\r\n",
        "PINCODE=***1",
        "Cause: 16",
    ):
        assert text in transcript, text
    assert "777\\,001" in transcript or '"777,001"' in transcript


def test_with_a_mask_nothing_says_who_called_whom(tmp_path: Path) -> None:
    for name, data in contents(written(tmp_path / "report.tar.gz", mask=True)):
        for text in WHO_CALLED:
            assert text.encode() not in data, (name, text)


def test_the_file_is_for_its_owner_alone_and_replaces_none(tmp_path: Path) -> None:
    path = written(tmp_path / "report.tar.gz", mask=False)
    assert path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        written(path, mask=False)

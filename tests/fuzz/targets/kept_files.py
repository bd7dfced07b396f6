"""Files that the programs keep for themselves, and read again: half-written, damaged, of another release."""

from __future__ import annotations

import base64
import copy
import gzip
import hashlib
import io
import json
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, lru_cache
from pathlib import Path
from random import Random

from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.config.memory import NAME as MEMORY
from astcti_server.config.memory import ConfigMemory
from astcti_server.doctor.asterisk_conf import read_conf
from astcti_server.kept_ami import archive
from astcti_server.kept_ami.archive import BadArchive, ReportArchive, write_archive
from astcti_server.process.own_user import owner_of_running_server
from astcti_server.process.state_directory import StateError
from astcti_server.queues.state_file import NAME as MEMBERS
from astcti_server.queues.state_file import StateFile
from astcti_server.report_replay import ReportReplay
from configurator.publishing.server_status import read_server_status
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.fuzz.growing import json_changed, json_like, lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets import configuration, manager

JSON_TOKENS = (
    *(
        b"null",
        b"true",
        b"1e400",
        b"NaN",
        b"-Infinity",
        b'"\\ud800"',
        b"[]",
        b"{}",
        b'""',
        b"[" * 2000,
        b'{"a":' * 2000,
    ),
    *(
        b'"format": 1',
        b'"format": 2',
        b'"format": "1"',
        b'"queue"',
        b'"interface"',
        b'"username"',
        b'"members"',
        b": ",
    ),
    *(
        b'"file"',
        b'"sha256"',
        b'"modified"',
        b'"content"',
        b'"mark"',
        b'"pauses"',
        b'"reason"',
        b'"since"',
        b'"seen"',
        b'"at"',
        b'"time"',
        b'"banner"',
        b'"taken"',
        b'"left"',
    ),
)


def folder() -> Path:
    """A directory of this process, in memory where that is possible."""
    memory = Path("/dev/shm")
    return Path(tempfile.mkdtemp(prefix="astcti-fuzz-", dir=memory if memory.is_dir() else None))


def _tidied(directory: Path, keep: str) -> None:
    """What was put aside would fill the disk."""
    for path in directory.iterdir():
        if path.name != keep:
            path.unlink()


def _members() -> Attempt:
    directory = folder()
    file = StateFile(directory)

    def attempt(data: bytes) -> str:
        file.path.write_bytes(data)
        saved = file.load()
        if not any(saved):
            _tidied(directory, MEMBERS)
            return "nothing"
        if not file.save(saved) or file.load() != saved:
            raise Broken("what was read does not come back from what is written")
        return "pauses" if saved.pauses else "members"

    return attempt


_MEMBERS: tuple[object, ...] = (
    {
        "format": 1,
        "members": [
            {"queue": "astcti", "interface": "PJSIP/201", "username": "mario"},
            {"queue": "b", "interface": "SIP/2", "username": ""},
        ],
        "pauses": [
            {"username": "mario", "reason": "Lunch", "since": 1795430727.25, "seen": 1795434327},
            {"username": "anna", "reason": "", "since": 1, "seen": 2.5},
        ],
    },
    {"format": 1, "members": [{"queue": "q", "interface": "Local/1@x/n", "username": "\u00e8"}]},
    {"format": 2, "members": []},
)
MEMBER_SEEDS = (
    b'{"format": 1, "members": [], "pauses": [{"username": "mario", "reason": "Lunch", "since": 1795430727.25,'
    b' "seen": 1795434327}]}\n',
    b'{"format": 1, "members": [{"queue": "astcti", "interface": "PJSIP/201", "username": "mario"},'
    b' {"queue": "b", "interface": "SIP/2", "username": "", "x": 1}]}\n',
    b'{"format": 2, "members": []}\n',
    b'{"format": 1, "members": {"queue": "a"}}',
)


def _memory() -> Attempt:
    directory = folder()

    configuration.keep_schemas()

    def attempt(data: bytes) -> str:
        (directory / MEMORY).write_bytes(data)
        found = ConfigMemory(directory).load(Path("/etc/astcti"))
        if found is None:
            return "nothing"
        return "remembered" if found.configuration.operators else "empty"

    return attempt


def _memory_of(said: bytes, **changes: object) -> bytes:
    head = {
        "format": 1,
        "file": "/etc/astcti/configuration.xml",
        "sha256": "ab" * 32,
        "modified": 1.0,
        "content": hashlib.sha256(said).hexdigest(),
    }
    return json.dumps(head | changes).encode() + b"\n" + said


@cache
def _contents() -> tuple[bytes, ...]:
    return tuple(xml_form.dump_xml(one) for one in configuration.small_configurations())


def _memory_seeds() -> list[bytes]:
    return [*map(_memory_of, _contents()), _memory_of(b"<configuration/>"), _memory_of(b"x", format=2), b"\n"]


def _grow_memory(random: Random) -> bytes:
    """With the right digest of what is not right."""
    content = bytearray(random.choice(_contents()))
    for _ in range(random.choice((0, 0, 1, 3))):
        content[random.randrange(len(content))] = random.randrange(256)
    odd: object = random.choice((None, 5, "", "x\0y", "/etc/astcti/a", [], 1e400, "zz", -1, True))
    key = random.choice(("format", "file", "sha256", "modified", "content"))
    return _memory_of(bytes(content), **({key: odd} if random.random() < 0.3 else {}))


# -- reports


@cache
def _office() -> Configuration:
    """Two seats of those in the recordings: each part of a report costs time with each input."""
    whole = manager.CONFIGURATION
    services = tuple(replace(service, operators=service.operators[:2]) for service in whole.services)
    return Configuration(services, whole.seats[:2], whole.operators[:2])


@cache
def _office_as_xml() -> bytes:
    return xml_form.dump_xml(_office())


@cache
def _blocks() -> bytes:
    path = next(iter(sorted(manager.RECORDINGS.glob("22-direct-call.ami"))))
    wanted = EventFilter.for_configuration(_office())
    found = [one.raw for one in AmiParser(wanted).feed(path.read_bytes()) if isinstance(one, AmiEvent)]
    return b"".join(block + b"\r\n\r\n" for block in found[:9])


MARKS: tuple[dict[str, object], ...] = (
    {"mark": "time", "at": 0, "time": 1000.0},
    {
        "mark": "configuration",
        "at": 0,
        "file": "c.xml",
        "encoding": "cp1252",
        "late-pop-up": 30,
        "events": "all",
    },
    {
        "mark": "seats",
        "at": 0,
        "left": [],
        "taken": {"PJSIP/201": "at-PJSIP/201", "PJSIP/202": "at-PJSIP/202"},
    },
    {"mark": "linked", "at": 0, "banner": "Asterisk Call Manager/11.0.0"},
    {"mark": "link-down", "at": 500, "quiet": 3.0},
    {"mark": "link-up", "at": 600, "banner": "Asterisk Call Manager/11.0.0"},
    {"mark": "arrived", "at": 700, "extension": "PJSIP/201"},
    {
        "mark": "originated",
        "at": 800,
        "extension": "PJSIP/201",
        "exten": "1",
        "context": "outbound",
        "service": "Out",
        "action-id": "astcti-a-1",
    },
    {"mark": "ended-unheard", "at": 900, "uniqueid": "1.1"},
    {"mark": "seats", "at": 1000, "left": ["PJSIP/201"], "taken": {}},
    {"mark": "lost", "at": 1100, "bytes": 5},
    {"mark": "new", "at": 1200},
)


def _unpacked(marks: list[dict[str, object]], about: object = None) -> bytes:
    """The files of a report one after the other, so that a change of a byte is not all that a tar.gz says."""
    parts = {
        "about.json": json.dumps(about or {"report": 1, "what": "last"}).encode(),
        "c.xml": _office_as_xml(),
        "marks.jsonl": b"".join(json.dumps(mark).encode() + b"\n" for mark in marks),
        "log.txt": b"x\n",
        "ami.txt": _blocks(),
    }
    return b"".join(b"--FILE " + name.encode() + b"\n" + data for name, data in parts.items())


def _packed(data: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as packed:
        for part in data.split(b"--FILE ")[1:]:
            name, _, content = part.partition(b"\n")
            entry = tarfile.TarInfo(name.decode("utf-8", "replace")[:90])
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return gzip.compress(out.getvalue(), 1, mtime=0)


def _play(data: bytes) -> str:
    """As `astcti-server replay` plays a report, and with what it takes for a mistake in it."""
    told: list[Notification] = []
    report = ReportArchive(io.BytesIO(data))
    player = ReportReplay(report.configurations, told.append)
    try:
        for piece in report.pieces():
            if isinstance(piece, bytes):
                player.feed(piece)
            else:
                player.mark(piece)
    except (LookupError, TypeError, ValueError):
        return "no proper marks"
    return "notifications" if told else "nothing told"


def _keep_configurations() -> None:
    """Read the same configuration once in this process: nearly all reports have that of the others."""
    configuration.keep_schemas()
    read = vars(archive)["parse_xml"]
    if not hasattr(read, "cache_info"):
        setattr(archive, "parse_xml", lru_cache(64)(read))  # noqa: B010


def _report_parts() -> Attempt:
    _keep_configurations()
    return lambda data: _play(_packed(data))


def _report_file() -> Attempt:
    _keep_configurations()
    return _play


def _mark_seeds() -> list[bytes]:
    return [_unpacked(list(MARKS)), _unpacked(list(MARKS[:4])), _unpacked([])]


def _grow_marks(random: Random) -> bytes:
    marks: object = copy.deepcopy([*MARKS[: random.choice((4, len(MARKS)))]])
    for _ in range(random.choice((0, 1, 1, 2, 3))):
        marks = json_changed(random, marks)
    told = [mark for mark in marks if isinstance(mark, dict)] if isinstance(marks, list) else []
    random.shuffle(told) if random.random() < 0.1 else None
    return _unpacked(told, random.choice((None,) * 12 + ([1], "x", [["a", "b"]], 5)))


def _grow_archive(random: Random) -> bytes:
    """A report that is whole as an archive, or nearly, with its parts changed, doubled, empty or elsewhere."""
    parts = _unpacked(list(MARKS[: random.randint(0, len(MARKS))])).split(b"--FILE ")[1:]
    for _ in range(random.choice((0, 1, 1, 2))):
        place = random.randrange(len(parts))
        name, _, content = parts[place].partition(b"\n")
        match random.randrange(5):
            case 0 if len(parts) > 1:
                del parts[place]
            case 1:
                parts.append(parts.pop(place))
            case 2:
                parts[place] = name + b"\n" + content[: random.randrange(len(content) + 1)]
            case 3:
                parts[place] = random.choice(
                    (b"../x", b"/etc/passwd", b"c.xml", b"d.xml", b"", name + b"x")
                ) + (b"\n" + content)
            case _:
                parts.insert(0, parts[place])
    whole = gzip.decompress(_packed(b"".join(b"--FILE " + part for part in parts)))
    if random.random() < 0.4:
        at = random.randrange(0, len(whole), 512) + random.choice(
            (0, 100, 108, 124, 136, 148, 156, 157, 257, 345)
        )
        odd = random.choice(
            (b"\xff", b"0", b"\x80" + b"\xff" * 7, b"9" * 11, b"1", b"2", b"5", b"x", b"g", b"S", b"L")
        )
        whole = whole[:at] + odd + whole[at + len(odd) :]
    return gzip.compress(whole, 1, mtime=0)


def _report_seeds() -> list[bytes]:
    directory = folder()
    try:
        document = {
            "about": {"report": 1},
            "configurations": [{"file": "c.xml", "xml": _office_as_xml().decode()}],
            "marks": list(MARKS),
            "log": ["x"],
            "ami": [base64.b64encode(zlib.compress(_blocks(), 6)).decode()],
            "explanation": [],
        }
        path = directory / "report.tar.gz"
        write_archive(path, document)
        whole = path.read_bytes()
    finally:
        shutil.rmtree(directory)
    return [whole, _packed(_unpacked(list(MARKS))), _packed(_unpacked(list(MARKS[:4]))), _tar_with_links()]


def _tar_with_links() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as packed:
        for name, kind in (
            ("about.json", tarfile.SYMTYPE),
            ("marks.jsonl", tarfile.LNKTYPE),
            ("d", tarfile.DIRTYPE),
        ):
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/passwd"
            packed.addfile(entry)
    return out.getvalue()


# -- the status file, Asterisk's files

STATUS: dict[str, object] = {
    "pid": 1,
    "written": "2026-01-01T00:00:00+00:00",
    "version": "1.0",
    "configuration": {"file": "/etc/astcti/c.xml", "sha256": "ab" * 32, "since": "2026-01-01T00:00:00+00:00",
                      "held": [{"file": "/x/y", "sha256": "c", "counts": {"seats": {"lost": 1, "before": 2}}}]},
    "refused": [{"file": "/x/z", "errors": ["a", "b"]}],
    "ami": {"state": "up", "reason": "", "reason_since": "", "attempts": 0, "lacking": []},
    "state_directory": {"error": ""},
    "stuck": False,
    "clients": 1,
    "calls": 2,
}  # fmt: skip


def _status() -> Attempt:
    path = folder() / "status.json"

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        owner_of_running_server(path)
        return "known" if read_server_status(path).known else "unknown"

    return attempt


def _statuses() -> list[dict[str, object]]:
    """As it is written; that of the release before; and one that says what it must."""
    ours = {name: value for name, value in STATUS.items() if name != "written"}
    must = ("pid", "configuration", "refused", "ami", "clients", "calls", "version")
    return [STATUS, ours, {name: STATUS[name] for name in must}]


def _status_seeds() -> list[bytes]:
    return [*(json.dumps(status).encode() for status in _statuses()), json.dumps(STATUS, indent=2).encode()]


MANAGER_CONF = b"""; comment
[general](!)
enabled = yes
[template](!)
read = call,user ;-- long
comment --;
[astcti](template,+)
secret => x\\;y
write=originate
eventfilter = !Event: RTCP.*
#include "other.conf"
#tryinclude <*.d>
#exec /bin/true
"""


def _asterisk_conf() -> Attempt:
    directory = folder()
    path = directory / "manager.conf"
    (directory / "other.conf").write_text("[other]\na = b\n", encoding="utf-8")

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        found = read_conf(path)
        return "read" if found and found.sections else "nothing"

    return attempt


_CONF_LINES = (
    *(b"[general]\n", b"[general](!)\n", b"[t](!)\n", b"[astcti](t)\n", b"[astcti](+)\n", b"[astcti](t,+)\n"),
    *(b"[a](t,astcti)\n", b"[t](t)\n", b"[](!)\n", b"[a\n", b"[ a ] (t)\n", b"[\xe8](+,!)\n", b"[a](none)\n"),
    *(
        b"enabled = yes\n",
        b"secret => x\\;y\n",
        b"SECRET=\n",
        b"read=call,user\n",
        b"write = originate ; x\n",
    ),
    *(
        b"= x\n",
        b"=>\n",
        b"x\n",
        b"eventfilter = !Event: RTCP.*\n",
        b"permit=10.0.0.0/8\n",
        b"deny = 0.0.0.0/0\n",
    ),
    *(b";-- long\n", b"--;\n", b";---\n", b"; x\n", b"a=b;--c--;d\n", b"\\;=\n"),
    *(
        b'#include "other.conf"\n',
        b"#include other.conf\n",
        b"#tryinclude <*.d>\n",
        b"#include manager.conf\n",
    ),
    *(
        b"#exec /bin/true\n",
        b"#include /dev/zero\n",
        b"#include /dev/null\n",
        b"#include .\n",
        b"#include **\n",
    ),
    *(b"#include [\n", b"#include /etc/pass?d\n", b"#x\n", b"#include\n"),
)


def _own_texts() -> Iterator[bytes]:
    yield MANAGER_CONF
    yield MANAGER_CONF.replace(b"\n", b"\r\n")
    yield b"[general]\nenabled=yes\n[astcti]\nsecret=x\nread=call\n"
    yield b"[a]\n" + b"[a](a,a)\n" * 5 + b"x=1\n"
    yield b"[a]\nx=1\n" + b"[a](a,a)\n" * 8


TARGETS = (
    FuzzTarget(
        "queue-members",
        "the server's list of its queue members, and of the pauses",
        _members,
        lambda: MEMBER_SEEDS,
        refusals=(StateError,),
        tokens=JSON_TOKENS,
        grow=json_like(_MEMBERS),
        longest=16384,
        reaches="members",
    ),
    FuzzTarget(
        "configuration-in-force",
        "the server's memory of the configuration",
        _memory,
        _memory_seeds,
        tokens=JSON_TOKENS,
        grow=_grow_memory,
        longest=16384,
        reaches="remembered",
    ),
    FuzzTarget(
        "report-parts",
        "what is in a report that somebody sent, to be replayed",
        _report_parts,
        _mark_seeds,
        refusals=(BadArchive,),
        tokens=(*JSON_TOKENS, b"--FILE ", b"ami.txt\n", b"about.json\n"),
        grow=_grow_marks,
        reaches="notifications",
    ),
    FuzzTarget(
        "report-file",
        "the same as a file: tar and gzip",
        _report_file,
        _report_seeds,
        refusals=(BadArchive,),
        grow=_grow_archive,
        longest=16384,
        reaches="notifications",
    ),
    FuzzTarget(
        "status-file",
        "the server's status file, at the Configurator",
        _status,
        _status_seeds,
        tokens=JSON_TOKENS,
        grow=json_like(_statuses()),
        longest=16384,
        reaches="known",
    ),
    FuzzTarget(
        "asterisk-conf",
        "manager.conf and what it includes, for the doctor",
        _asterisk_conf,
        lambda: list(_own_texts()),
        tokens=(
            b"[astcti]",
            b"(!)",
            b"(+)",
            b"(template)",
            b"#include ",
            b"#exec ",
            b";--",
            b"--;",
            b"\\;",
            b"manager.conf",
            b"*",
        ),
        grow=lines_like(_CONF_LINES, (b"", MANAGER_CONF, b"[t](!)\nread=all\n"), 16),
        longest=16384,
        reaches="read",
    ),
)

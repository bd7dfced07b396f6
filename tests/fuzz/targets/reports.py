"""A report that somebody sent, to be replayed: as a file, and what is in it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import shutil
import tarfile
import zlib
from dataclasses import replace
from functools import cache, lru_cache
from random import Random

from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from astcti_server.calls.notification import Notification
from astcti_server.kept_ami import archive
from astcti_server.kept_ami.archive import BadArchive, ReportArchive, write_archive
from astcti_server.report_replay import ReportReplay
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.fuzz.growing import json_changed
from tests.fuzz.target import Attempt, FuzzTarget
from tests.fuzz.targets import manager
from tests.fuzz.targets.shared import JSON_TOKENS, folder
from tests.fuzz.targets.small_configurations import keep_schemas


@cache
def _office() -> Configuration:
    """Two seats of those in the recordings: each part of a report costs time with each input."""
    whole = manager.CONFIGURATION
    services = tuple(
        replace(service, operators=service.operators[:2], triggers=service.triggers[:1])
        for service in whole.services
    )
    return Configuration(services, whole.seats[:2], whole.operators[:2])


@cache
def _office_as_xml() -> bytes:
    return xml_form.dump_xml(_office())


@cache
def _blocks() -> bytes:
    path = next(iter(sorted(manager.RECORDINGS.glob("22-direct-call.ami"))))
    wanted = EventFilter.for_configuration(_office())
    found = [one.raw for one in AmiParser(wanted).feed(path.read_bytes()) if isinstance(one, AmiEvent)]
    return b"".join(b"\r\n".join(_READ.findall(block)) + b"\r\n\r\n" for block in found[1:7])


_READ = re.compile(
    rb"(?:Event|(?:Dest)?(?:Channel|ChannelStateDesc|CallerID\w+|Context|Exten|Uniqueid|Linkedid)"
    rb"|Extension|Application|AppData|Variable|Value): [^\r\n]*"
)
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
    {"mark": "unread", "at": 650},
    {"mark": "arrived", "at": 700, "extension": "PJSIP/201"},
    {"mark": "arrived", "at": 700, "extension": "PJSIP/202", "resumes": True},
    {"mark": "had", "at": 750, "extension": "PJSIP/201", "uniqueid": "1.1", "other": "PJSIP/202"},
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


def _unpacked(marks: list[dict[str, object]], about: object = None, log: bytes = b"") -> bytes:
    """The files of a report one after the other, so that a change of a byte is not all that a tar.gz says."""
    parts = {
        "about.json": json.dumps(about or {"report": 1, "what": "last"}).encode(),
        "c.xml": _office_as_xml(),
        "marks.jsonl": b"".join(json.dumps(mark).encode() + b"\n" for mark in marks),
        "log.txt": log,
        "ami.txt": _blocks(),
    }
    return b"".join(b"--FILE " + name.encode() + b"\n" + data for name, data in parts.items() if data)


def _tar(data: bytes) -> bytes:
    blocks: list[bytes] = []
    for part in data.split(b"--FILE ")[1:]:
        name, _, content = part.partition(b"\n")
        blocks += (_header(name, len(content)), content, bytes(-len(content) % tarfile.BLOCKSIZE))
    return b"".join((*blocks, bytes(2 * tarfile.BLOCKSIZE)))


@lru_cache(1024)
def _header(name: bytes, size: int) -> bytes:
    entry = tarfile.TarInfo(name.decode("utf-8", "replace")[:90])
    entry.size = size
    return entry.tobuf()


def _packed(data: bytes) -> bytes:
    return _as_gzip(_tar(data))


def _as_gzip(data: bytes) -> bytes:
    """Not made smaller, which takes time, and lets a change of a byte reach what reads the archive."""
    return gzip.compress(data, 0, mtime=0)


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
    keep_schemas()
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
    return [_unpacked(list(MARKS)), _unpacked(list(MARKS[:4]), log=b"x\n"), _unpacked([])]


def _grow_marks(random: Random) -> bytes:
    few = [*MARKS[:4], *random.sample(MARKS[4:], random.randint(0, 3))]
    marks: object = json.loads(json.dumps(sorted(few, key=lambda mark: str(mark["at"]).zfill(9))))
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
    whole = _tar(b"".join(b"--FILE " + part for part in parts))
    if random.random() < 0.4:
        at = random.randrange(0, len(whole), 512) + random.choice(
            (0, 100, 108, 124, 136, 148, 156, 157, 257, 345)
        )
        odd = random.choice(
            (b"\xff", b"0", b"\x80" + b"\xff" * 7, b"9" * 11, b"1", b"2", b"5", b"x", b"g", b"S", b"L")
        )
        whole = whole[:at] + odd + whole[at + len(odd) :]
    return _as_gzip(whole)


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


TARGETS = (
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
)

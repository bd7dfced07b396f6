"""Files that the programs keep for themselves, and read again: half-written, damaged, of another release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from random import Random

from astcti_server.config.memory import NAME as MEMORY
from astcti_server.config.memory import ConfigMemory
from astcti_server.doctor.asterisk_conf import read_conf
from astcti_server.process.own_user import owner_of_running_server
from astcti_server.process.state_directory import StateError
from astcti_server.queues.state_file import NAME as MEMBERS
from astcti_server.queues.state_file import StateFile
from configurator.publishing.server_status import read_server_status
from schemas.configuration import xml_form
from tests.fuzz.growing import json_like, lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.shared import JSON_TOKENS, folder
from tests.fuzz.targets.small_configurations import keep_schemas, small_configurations


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

    keep_schemas()

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
    return tuple(xml_form.dump_xml(one) for one in small_configurations())


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


STATUS: dict[str, object] = {
    "pid": 1,
    "written": "2026-01-01T00:00:00+00:00",
    "version": "1.0",
    "configuration": {"file": "/etc/astcti/c.xml", "sha256": "ab" * 32, "since": "2026-01-01T00:00:00+00:00",
                      "held": [{"file": "/x/y", "sha256": "c", "counts": {"seats": {"lost": 1, "before": 2}}}]},
    "refused": [{"file": "/x/z", "errors": ["a", "b"]}],
    "ami": {"state": "up", "reason": "x", "reason_since": "2026-01-01T00:00:00+00:00", "attempts": 2,
            "lacking": ["y"]},
    "state_directory": {"error": "", "error_since": ""},
    "stuck": ["ami"],
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

"""Configuration files: edited by hand, exported by another program, or put there by somebody else."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from random import Random

from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Configuration
from schemas.configuration.sqlite_reading import TABLE_COLUMNS, USER_VERSION
from schemas.problems import ConfigurationError, Problem
from schemas.server import settings_xml
from tests.fuzz.growing import database_like, mixed, xml_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.small_configurations import keep_schemas, small_configurations

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "astcti_server" / "etc" / "sample"
LONGEST_MESSAGE = 1000
MOST_PROBLEMS = 20_000
XI = b'xmlns:xi="http://www.w3.org/2001/XInclude"'
XML_TOKENS = (
    *(
        XI,
        b'<xi:include href="file:///etc/passwd" parse="text"/>',
        b"<xi:include/>",
        b'<xi:fallback xmlns:xi="x">',
    ),
    *(
        b'<!DOCTYPE x [<!ENTITY a "b">]>',
        b'<!DOCTYPE x SYSTEM "http://127.0.0.1:1/x.dtd">',
        b"<!ENTITY % p SYSTEM 'x'>",
    ),
    *(
        b"&a;",
        b"&amp;",
        b"&#0;",
        b"&#x1F600;",
        b"&#xD800;",
        b"&lt;",
        b"%p;",
        b"<![CDATA[",
        b"]]>",
        b"<!--",
        b"-->",
        b"--",
    ),
    *(
        b"<?xml version='1.0' encoding='UTF-16'?>",
        b"<?xml version='1.1'?>",
        b"<?xml-stylesheet href='x'?>",
        b"<?x ",
        b"?>",
    ),
    *(
        b"encoding='latin-1'",
        b"encoding='utf-7'",
        b"encoding='ebcdic-cp-us'",
        b"encoding='nothing'",
        b"standalone='yes'",
    ),
    *(
        b'xmlns="urn:x"',
        b'xmlns:a="urn:x"',
        b"<a:seat/>",
        b'a:name="x"',
        b'xml:space="preserve"',
        b'xml:base="x"',
    ),
    *(
        b'xsi:schemaLocation="a b"',
        b'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"',
        b'xsi:nil="true"',
    ),
    *(
        "<\u00e8/>".encode(),
        "<\u65e5\u672c/>".encode(),
        'name="\u00e8"'.encode(),
        b"\xe8",
        b"<services>",
        b"</services>",
    ),
    *(
        b"<service ",
        b"<seats>",
        b"<seat ",
        b"<operator ",
        b"<operators>",
        b"<trigger ",
        b"<url>",
        b"<application>",
    ),
    *(
        b'name="',
        b'mac="',
        b'penalty="',
        b'password="md5:',
        b'enabled="',
        b"/>",
        b'">',
        b"<reason ",
        b'replaces="',
    ),
    *(b"{CALLDATA}", b"{{", b"{", b"https://", b"scrypt:14:8:1:", b"00:11:22:33:44:55", b"PJSIP/201"),
)
SERVER_TOKENS = (
    *(
        b"<ami ",
        b"<listen ",
        b"<clients ",
        b"<queues ",
        b"<calls ",
        b"<originate ",
        b"<kept-ami ",
        b"<transfer>",
        b"<context>",
        b"<logging ",
        b"<metrics ",
        b"<audit ",
    ),
    *(
        b'secret-file="',
        b'secret="',
        b'host="',
        b'port="',
        b'ca-file="',
        b'certificate="',
        b'key="',
        b'encoding="idna"',
    ),
    *(
        b'encoding="punycode"',
        b'encoding="rot13"',
        b'retries="forever"',
        b'level="',
        b'file="/dev/zero"',
        b"/dev/null",
    ),
    *XML_TOKENS,
)


@cache
def _read(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _demo() -> Configuration:
    return xml_form.load_xml(SAMPLES / "configuration.xml")


def _small_files() -> list[bytes]:
    return [xml_form.dump_xml(one) for one in small_configurations()]


def xml_seeds() -> list[bytes]:
    """The sample, the demo's, small files with one of each mistake that people make."""
    small = (
        b'<configuration><services><service name="D" context="d" type="inbound"><variable name="x"/>'
        b'<trigger type="browser"><url>https://h/?{X}</url></trigger><operator username="m"/></service></services>'
        b'<seats><seat mac="00:11:22:33:44:55" extension="SIP/1"/></seats><operators><operator username="m"'
        b' full-name="M" password="md5:098f6bcd4621d373cade4e832627b4f6" seat="00:11:22:33:44:55"/></operators>'
        b'<pause-reasons><reason name="L"/></pause-reasons></configuration>\n'
    )
    return [
        _read(SAMPLES / "configuration.xml"),
        _read(ROOT / "tests" / "fixtures" / "ami" / "less-plain" / "config-22" / "configuration.xml"),
        *_small_files(),
        small,
        b'<?xml version="1.0" encoding="UTF-8"?>\n' + small,
        small.decode().encode("utf-16"),
        b'<?xml version="1.0" encoding="iso-8859-1"?>' + small.replace(b'"M"', b'"M\xe8"'),
        b"<configuration " + XI + b'>\n<xi:include href="other.xml"/></configuration>',
        b"<configuration/>",
    ]


CONFIGURATION_VALUES: dict[str, Sequence[str]] = {
    "": (
        "https://crm.example/?id={CALLDATA}&n={CALLERID}",
        "https://h/{X}",
        "/usr/bin/crm",
        '-t {X} "{CALLERIDNAME}"',
    ),
    "name": ("D", "E", "x", "calldata", "L", "Lunch break"),
    "context": ("d", "e", "outbound"),
    "type": ("inbound", "outbound", "browser", "application", "internal-browser"),
    "mac": ("00:11:22:33:44:55", "00-11-22-33-44-66", "00:11:22:33:44:77", "01:00:5e:00:00:01"),
    "seat": ("00:11:22:33:44:55", "00:11:22:33:44:66", ""),
    "extension": ("SIP/1", "PJSIP/201", "SIP/2", "Local/201@x/n"),
    "queue-interface": ("Local/201@x/n", "SIP/1", "PJSIP/9"),
    "state-interface": ("SIP/1", "hint:201@x"),
    "username": ("m", "n", "mario"),
    "full-name": ("M", "Mario Rossi"),
    "password": ("md5:098f6bcd4621d373cade4e832627b4f6", "md5:x", "scrypt:14:8:1:eA==:eA=="),
    "scram": ("200000:MDEyMzQ1Njc4OWFiY2RlZg==:eA==:eA==", "x"),
    "queue-name": ("astcti", "Q", "q"),
    "is-queue": ("true", "false"),
    "penalty": ("0", "1", "2147483647"),
    "enabled": ("true", "false", "1"),
    "begin-in-pause": ("true", "false"),
    "on": ("ring", "answer", "hangup"),
    "os": ("any", "linux", "windows", "macos"),
    "again": ("true", "false"),
    "may-leave": ("true", "false"),
    "description": ("", "First row"),
    "address": ("192.0.2.7", "::1"),
    "answer": ("notify", "none"),
    "replaces": ("a" * 64,),
}
SERVER_VALUES: dict[str, Sequence[str]] = {
    "": ("a", "astctidemo"),
    "host": ("::1", "localhost", "pbx.example"),
    "port": ("5038", "0", "65535", "65536"),
    "address": ("0.0.0.0", "127.0.0.1", "::"),
    "secret": ("s",),
    "secret-file": ("secret", "none", "/dev/null", "/dev/zero", "."),
    "level": ("debug", "info", "x"),
    "file": ("x.log", "/dev/null"),
    "events": ("all", "own"),
    "encoding": ("cp1252", "utf-8", "idna", "punycode", "rot13", "nothing"),
    "retries": ("forever", "3"),
    "bytes": ("1048576", "0"),
    "minutes": ("15", "0"),
    "any-priority": ("yes", "no"),
    "on-stop": ("keep", "remove"),
}


def _shapes(root: bytes, words: Sequence[bytes]) -> Callable[[Random], bytes]:
    def grow(random: Random) -> bytes:
        """Elements in any order and depth, as large as anybody's."""
        shape = random.randrange(8)
        many = 20_000 if random.random() < 0.0005 else random.choice((1, 3, 10, 30))
        word = random.choice(words)
        if shape == 0:
            inside = b"<%s>" % word * many + b"</%s>" % word * (many - random.choice((0, 0, 1)))
        elif shape == 1:
            inside = b"<%s " % word + b" ".join(b"a%d='%d'" % (at, at) for at in range(many)) + b"/>"
        elif shape == 2:
            inside = b"<%s name='%s'/>" % (word, b"x" * many * 100)
        elif shape == 3:
            entities = b"".join(
                b"<!ENTITY e%d '&e%d;&e%d;'>" % (at + 1, at, at) for at in range(min(many, 60))
            )
            inside = b"&e%d;" % min(many, 60)
            return b"<!DOCTYPE %s [<!ENTITY e0 'lol'>%s]><%s>%s</%s>" % (root, entities, root, inside, root)
        elif shape == 4:
            inside = b"".join(b"<p%d:%s xmlns:p%d='urn:%d'/>" % (at, word, at, at % 3) for at in range(many))
        else:
            inside = b"\n".join(
                b"<%s %s='%s'%s"
                % (
                    random.choice(words),
                    random.choice(
                        (b"name", b"mac", b"type", b"context", b"username", b"port", b"x:y", b"xml:lang")
                    ),
                    random.choice(
                        (b"", b"1", b"true", b"inbound", b"00:11:22:33:44:55", b"9" * 30, "\u00e8".encode())
                    ),
                    random.choice((b"/>", b">", b"></%s>" % random.choice(words))),
                )
                for _ in range(min(many, 50))
            )
        return b"<%s>\n%s</%s>" % (root, inside, root)

    return grow


def check_problems(problems: Sequence[Problem], lines: int, *, at_line: bool) -> None:
    """Every problem says what is wrong and where, in a line that there is, and in one line."""
    if not problems or len(problems) > MOST_PROBLEMS:
        raise Broken(f"{len(problems)} problems")
    for problem in problems:
        if len(problem.message) > LONGEST_MESSAGE or len(str(problem).splitlines()) != 1:
            raise Broken(f"a problem of {len(problem.message)} characters: {str(problem)[:200]!r}")
        if at_line and not 1 <= problem.line <= lines:
            raise Broken(f"line {problem.line} of {lines}: {problem.message[:100]!r}")


def _lines(data: bytes) -> int:
    """At most so many lines has a file, however they are counted."""
    return data.count(b"\n") + data.count(b"\r") + 2


def _configuration() -> Attempt:
    keep_schemas()

    def attempt(data: bytes) -> str:
        try:
            checked = xml_form.parse_xml(data, "x.xml")
        except ConfigurationError as error:
            check_problems(error.problems, _lines(data), at_line=True)
            return "problems"
        if checked.warnings:
            check_problems(checked.warnings, _lines(data), at_line=True)
        written = xml_form.dump_xml(checked.configuration)
        if xml_form.parse_xml(written, "again").configuration != checked.configuration:
            raise Broken("what was read does not come back from what is written")
        return "valid"

    return attempt


def _settings() -> Attempt:
    keep_schemas()
    folder = Path(tempfile.mkdtemp(prefix="astcti-fuzz-"))
    (folder / "secret").write_text("secret\n", encoding="utf-8")

    def attempt(data: bytes) -> str:
        try:
            checked = settings_xml.parse_settings(data, folder / "server.xml")
        except ConfigurationError as error:
            check_problems(error.problems, _lines(data), at_line=True)
            return "problems"
        if checked.warnings:
            check_problems(checked.warnings, _lines(data), at_line=True)
        return "valid"

    return attempt


def _settings_seeds() -> list[bytes]:
    return [
        _read(SAMPLES / "server.xml"),
        b'<server><ami username="astcti" secret="s"/></server>',
        b'<server events="all">\n<ami host="::1" port="5038" username="astcti" secret-file="secret" tls="yes"/>\n'
        b'<listen address="0.0.0.0" port="5000" plain="yes"/>\n<clients keep-alive="60" grace="10" max="2000"/>\n'
        b'<calls compare="0"/><queues reconcile="300" on-stop="keep"/><originate any-priority="yes"/>\n'
        b'<transfer><context>a</context></transfer><kept-ami bytes="1048576" minutes="5"/>\n'
        b'<logging level="debug" file="x.log"/><audit file="a.log"/><metrics address="127.0.0.1" port="9105"/></server>\n',
    ]


# -- SQLite


PAGE_SIZE = 512
"""Of the databases: with the usual one nearly all of a file is empty, and nearly all changes are of nothing."""


@cache
def _image(configuration: Configuration, replaces: str = "", page_size: int = PAGE_SIZE) -> bytes:
    with closing(sqlite3.connect(":memory:")) as database, closing(sqlite3.connect(":memory:")) as usual:
        usual.deserialize(sqlite_form.database_bytes(configuration, replaces))
        database.executescript(f"PRAGMA page_size={page_size}; PRAGMA user_version={USER_VERSION};")
        database.executescript("\n".join(usual.iterdump()))
        return database.serialize()


@cache
def database_seeds() -> tuple[bytes, ...]:
    """Small ones, and one as large and as it is written."""
    *others, last = small_configurations()
    return (
        *(_image(one) for one in others),
        _image(last, "a" * 64),
        _image(_demo(), page_size=1024),
        sqlite_form.database_bytes(others[0]),
    )


EVIL = (
    "DROP TABLE publication; CREATE VIEW publication AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i AS replaces FROM n;",
    "DROP TABLE publication; CREATE TABLE Publication(id INTEGER PRIMARY KEY, replaces TEXT); INSERT INTO Publication VALUES(1, 'x');",
    "DROP TABLE publication; CREATE TABLE publication(replaces TEXT PRIMARY KEY) WITHOUT ROWID; INSERT INTO publication VALUES('x');",
    "DROP TABLE publication; CREATE TABLE publication(id INTEGER PRIMARY KEY, replaces BLOB); INSERT INTO publication VALUES(1, x'ff00');",
    "DROP TABLE seats; CREATE VIEW seats AS SELECT 1 AS id, 2 AS mac;",
    "INSERT INTO pause_reasons(name) VALUES(printf('%.*c', 100000, 'x'));",
    "INSERT INTO pause_reasons(name) VALUES(x'fffe00');",
    "UPDATE services SET name = 1e999;",
    "UPDATE operators SET seat_id = 'x';",
    "PRAGMA user_version=2;",
    "PRAGMA encoding='UTF-16';",
    "CREATE TABLE t(a); CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 1; END;",
    "CREATE INDEX ix ON seats(length(mac));",
    "ALTER TABLE seats ADD COLUMN mac2 TEXT AS (upper(mac));",
)


grow_database = database_like(_image(small_configurations()[1], "a" * 64), TABLE_COLUMNS, EVIL)


def _sqlite() -> Attempt:
    folder = Path(
        tempfile.mkdtemp(prefix="astcti-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None)
    )
    path = folder / "x.sqlite"
    keep_schemas()

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        try:
            checked = sqlite_form.read_sqlite(path)
        except ConfigurationError as error:
            check_problems(error.problems, 0, at_line=False)
            return "problems"
        if (
            xml_form.parse_xml(xml_form.dump_xml(checked.configuration), "x").configuration
            != checked.configuration
        ):
            raise Broken("what was read does not come back from what is written")
        return "valid"

    return attempt


CONFIGURATION_WORDS = (
    b"services",
    b"service",
    b"seats",
    b"seat",
    b"operators",
    b"operator",
    b"trigger",
    b"variable",
    b"url",
    b"x:y",
)
grow_xml = mixed(
    (0.2, _shapes(b"configuration", CONFIGURATION_WORDS)),
    (0.8, xml_like(_small_files(), CONFIGURATION_VALUES)),
)
SERVER_WORDS = (
    b"ami",
    b"listen",
    b"clients",
    b"calls",
    b"queues",
    b"originate",
    b"kept-ami",
    b"transfer",
    b"context",
    b"logging",
    b"metrics",
    b"audit",
    b"x:y",
)
TARGETS = (
    FuzzTarget(
        "configuration-xml",
        "the runtime configuration, and the Configurator's import of it",
        _configuration,
        xml_seeds,
        tokens=XML_TOKENS,
        grow=grow_xml,
        longest=262144,
        reaches="valid",
    ),
    FuzzTarget(
        "configuration-sqlite",
        "the same as a database",
        _sqlite,
        database_seeds,
        tokens=(
            b"SQLite format 3\0",
            b"CREATE TABLE ",
            b"CREATE VIEW ",
            b"services",
            b"seats",
            b"INTEGER PRIMARY KEY",
        ),
        grow=grow_database,
        longest=131072,
        reaches="valid",
    ),
    FuzzTarget(
        "server-xml",
        "server.xml",
        _settings,
        _settings_seeds,
        tokens=SERVER_TOKENS,
        grow=mixed(
            (0.2, _shapes(b"server", SERVER_WORDS)), (0.8, xml_like(_settings_seeds(), SERVER_VALUES))
        ),
        longest=131072,
        reaches="valid",
    ),
)

"""What the client reads beside its connection: settings, its history, numbers that were clicked or pasted."""

from __future__ import annotations

import contextlib
import io
import shutil
import sqlite3
import threading
from functools import cache
from pathlib import Path
from random import Random

from astcti_client import settings, settings_file
from astcti_client.hand_over import requests
from astcti_client.hand_over.requests import DialReply
from astcti_client.net.login_memory import LoginMemory
from astcti_client.password import Password
from astcti_client.phone_number import LONGEST_NUMBER, clean_number
from astcti_client.settings import SettingsError
from astcti_client.settings_values import SETTING_READERS
from astcti_client.ui.browser.page import host_of, read_page
from astcti_client.ui.state.history import History, HistoryEntry
from schemas import placeholders
from tests.fuzz.growing import database_like, json_like, lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.kept_files import JSON_TOKENS, folder

SETTINGS = b"""# Where to log in
host = "cti.example"
port = 5000
user = "mario"
password = "md5:098f6bcd4621d373cade4e832627b4f6"
tls = true
mac = "00:11:22:33:44:55"
keep-alive = 20.5
allowed-programs = ["firefox", "/usr/bin/crm"]
scale = 1.25
history-days = 90
hot-key = "Ctrl+Alt+D"
theme = "dark"
"""
LOCKED = b"""host = '''cti.example'''
[locked]
tls = true
ca-file = "~/ca.pem"
"""
TOML_TOKENS = (
    *(f"{key} = ".encode() for key in SETTING_READERS),
    *(
        b"[locked]\n",
        b"[[a]]\n",
        b"[",
        b"]",
        b'"""',
        b"'''",
        b"{a=1}",
        b"1979-05-27",
        b"07:32:00",
        b"inf",
        b"nan",
        b"0x1F",
    ),
    *(
        b'"~nobody/x"',
        b'"~"',
        b"true",
        b"false",
        b"1e400",
        b"9" * 5000,
        b'"\\u0000"',
        b'"\\uD800"',
        b'"F13"',
        b"[[[[[[[[",
    ),
    *(
        b'password-file = "x"',
        b'"Ctrl+F\xd9\xa3"',
        b'"/dev/zero"',
        b"[" * 2000,
        b"a.b.c = 1\n",
        b"\r",
        b'"Ctrl+"',
    ),
)


_TOML_VALUES = (
    *("true", "false", "5000", "0", "-1", "1.5", "20", "1e400", "nan", "1979-05-27", "[]", "{}", "9" * 5000),
    *(
        '"yes"',
        '"1"',
        '"5000"',
        '""',
        '"cti.example"',
        '"::1"',
        '"00:11:22:33:44:55"',
        '"Ctrl+Alt+D"',
        '"F13"',
    ),
    *(
        '"dark"',
        '"it"',
        '"bottom-left"',
        '"new"',
        '"md5:098f6bcd4621d373cade4e832627b4f6"',
        '"x y"',
        '"\u00e8"',
    ),
    *(
        '["firefox", "/usr/bin/crm"]',
        "[1]",
        '"/etc/passwd"',
        '"/dev/zero"',
        '"~nobody/x"',
        '"."',
        '"a\\nb"',
        "'x'",
    ),
)
_RIGHT: dict[str, tuple[str, ...]] = {
    "host": ('"cti.example"', '"::1"'),
    "user": ('"mario"',),
    "password": ('"test"', '"md5:098f6bcd4621d373cade4e832627b4f6"'),
    "mac": ('"00:11:22:33:44:55"',),
    "ca-file": ('"/etc/passwd"', '""'),
    "password-file": ('"/etc/passwd"',),
    "server-name": ('"x"',),
    "allowed-programs": ('["firefox", "/usr/bin/crm"]',),
    "theme": ('"dark"',),
    "language": ('"it"',),
    "notice-corner": ('"bottom-left"',),
    "browser-window": ('"new"',),
    "hot-key": ('"Ctrl+Alt+D"',),
    "keep-alive": ("20", "1.5"),
    "scale": ("1.5", "2"),
    "history-days": ("0", "90"),
    "notice-time": ("20",),
    "port": ("5000", '"5000"'),
}


def _grow_settings(random: Random) -> bytes:
    """Each setting once, most of them with what it takes."""
    lines = []
    for name in random.sample(sorted(SETTING_READERS), random.randint(0, 6)):
        right = _RIGHT.get(name, ("true", "false"))
        lines.append(f"{name} = {random.choice(right if random.random() < 0.8 else _TOML_VALUES)}")
    if random.random() < 0.3:
        lines.insert(
            random.randint(0, len(lines)), random.choice(("[locked]", "# x", "", "[other]", "[[locked]]"))
        )
    return "\n".join(lines).encode() + random.choice((b"\n", b"", b"\r\n"))


def _settings() -> Attempt:
    directory = folder()
    user, system = directory / "client.toml", directory / "system.toml"

    def attempt(data: bytes) -> str:
        user.write_bytes(data)
        system.write_bytes(data if len(data) % 3 == 0 else b"")
        try:
            loaded = settings.load_settings({}, {}, user, system)
        except SettingsError as error:
            _check_problems(error)
            return "problems"
        settings_file.save(user, {"host": 'h\u00e8"\\', "triggers": False, "mac": None, "scale": 2.0})
        again = settings.load_settings({}, {}, user, Path("/nonexistent"))
        if again.settings.triggers or (again.settings.mac and b"mac" not in data):
            raise Broken("what was changed is not in the file")
        return "changed" if loaded.settings != settings.Settings() else "as without a file"

    return attempt


def _check_problems(error: SettingsError) -> None:
    for problem in error.problems:
        if len(problem) > 3000:
            raise Broken(f"a problem of {len(problem)} characters: {problem[:200]!r}")


def _setting_words() -> Attempt:
    """Each setting as an option or a variable of the environment brings it: always a text."""
    names = sorted(SETTING_READERS)

    def attempt(data: bytes) -> str:
        text = data.decode("utf-8", "surrogateescape").replace("\0", "")
        taken = 0
        for name in names[len(data) % 7 :: 7]:
            variable = settings.ENVIRONMENT_PREFIX + name.upper().replace("-", "_")
            try:
                settings.load_settings({}, {variable: text}, None, Path("/nonexistent"))
                taken += 1
            except SettingsError as error:
                _check_problems(error)
        return "settings" if taken else "problems"

    return attempt


WORDS = (
    b"cti.example",
    b"5000",
    b"yes",
    b"00:11:22:33:44:55",
    b"~/x",
    b"Ctrl+Alt+D",
    b"F12",
    b"dark",
    b"1.5",
    b"a:b",
    b"[::1]",
)


# -- the history

ENTRY = HistoryEntry(
    1795430727.0, "missed", "3331234567", "Demo", "D", "q", 12.0, (("calldata", "1"),), "1.1", "x"
)


@cache
def _history_images() -> tuple[bytes, bytes]:
    """A history, and one of the release before; of small pages, so that a change is seldom of nothing."""
    directory = folder()
    path = directory / "history.sqlite"
    try:
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("PRAGMA page_size=512; VACUUM;")
        history = History(path, 90)
        for number in range(5):
            history.add(ENTRY)
            history.explain(number, "popped-up 1795430727.120 PJSIP/201 a b c d")
        history.close()
        whole = path.read_bytes()
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.executescript("PRAGMA user_version=1; ALTER TABLE calls DROP COLUMN why;")
        return whole, path.read_bytes()
    finally:
        shutil.rmtree(directory)


_COLUMNS = ("at", "kind", "number", "seconds", "variables", "why", "linkedid", "id", "name", "queue")
_HISTORY_SCRIPTS = (
    "PRAGMA user_version=1;",
    "PRAGMA user_version=99;",
    "PRAGMA user_version=0;",
    "DROP TABLE calls;",
    "ALTER TABLE calls DROP COLUMN why;",
    "ALTER TABLE calls ADD COLUMN x;",
    "CREATE TRIGGER t AFTER INSERT ON calls BEGIN DELETE FROM calls; END;",
    "CREATE TRIGGER t BEFORE INSERT ON calls BEGIN SELECT RAISE(ABORT, 'x'); END;",
    "CREATE TABLE other(a);",
)


def _grow_history(random: Random) -> bytes:
    return database_like(_history_images()[0], {"calls": _COLUMNS}, _HISTORY_SCRIPTS)(random)


def _history() -> Attempt:
    directory = folder()
    path = directory / "history.sqlite"

    def attempt(data: bytes) -> str:
        for left in directory.iterdir():
            left.unlink()
        path.write_bytes(data)
        try:
            history = History(path, 90)
        except (OSError, sqlite3.Error) as error:
            return f"not opened: {type(error).__name__}"
        found = history.find()
        history.find("3331 %", "missed")
        history.redial_list()
        history.add(ENTRY)
        history.export(directory / "out.csv", found)
        history.forget_old(1795430727.0 + 91 * 86400)
        problem = history.commit()
        history.close()
        return "damaged" if problem else "calls" if found else "empty"

    return attempt


# -- numbers

NUMBERS = (
    b"+49 (0)551 1234-5",
    b"tel:+39-055-1234;ext=5",
    b"sip:0551234@pbx.example",
    b"callto://0551234",
    b"tel:%2B39055",
    b"*21#",
    b"show",
    "\u202a+39 055\u202c".encode(),
    "\u0660\u0661".encode(),
    b"sips:1",
    b"0" * 60,
)


_BEFORE_NUMBER = (
    "",
    "",
    "",
    "tel:",
    "sip:",
    "sips:",
    "callto://",
    "TEL:",
    "callto:",
    " ",
    "\u202a",
    "http:",
    "tel:%2B",
)
_DIGITS = (
    "0551234",
    "+49 551",
    "(0)",
    "-",
    ".",
    "/",
    " ",
    "*21#",
    "112",
    "%20",
    "\u00a0",
    "\u0660",
    ",",
    "p",
    "w",
    "1" * 40,
)
_AFTER_NUMBER = ("", "", "", "@pbx.example", ";ext=5", ";phone-context=+39", "?x=1", "@", "#", "\u202c", "\n")


def _grow_number(random: Random) -> bytes:
    digits = "".join(random.choices(_DIGITS, k=random.randint(0, 5)))
    return f"{random.choice(_BEFORE_NUMBER)}{digits}{random.choice(_AFTER_NUMBER)}".encode()


def _number() -> Attempt:
    def attempt(data: bytes) -> str:
        found = clean_number(data.decode("utf-8", "replace"))
        if not found.isascii() or len(found) > LONGEST_NUMBER or clean_number(found) != found:
            raise Broken(f"{found!r} is dialled")
        return "number"

    return attempt


def _hand_over() -> Attempt:
    stopping = threading.Event()

    def dial(number: str, reply: DialReply) -> None:
        reply("" if len(number) % 2 else "no")

    def attempt(data: bytes) -> str:
        line = data.partition(b"\n")[0].decode("utf-8", "replace")
        answer = requests.answer_to(line, dial, lambda: None, stopping)
        answer.encode()
        if not answer.startswith(("OK", "KO")):
            raise Broken(f"the answer is {answer[:40]!r}")
        return answer[:2]

    return attempt


_PAGES: tuple[object, ...] = (
    {"url": "https://h/?a=1", "dark": True, "language": "it"},
    {"url": "http://[::1]:8080/\u00e8"},
)


def _pages() -> Attempt:
    def attempt(data: bytes) -> str:
        lines = io.TextIOWrapper(io.BytesIO(data), "utf-8", "replace")
        page = read_page(lines)
        if page is None:
            return "no page"
        host_of(page.url)
        page.written()
        return "page"

    return attempt


_PLACES = (
    *(
        b"cti.example:5000 mario\n",
        b"cti.example:5000 mario\r\n",
        b"cti.example:5000 mario",
        b"cti.example:5000 anna\n",
    ),
    *(
        b"CTI.EXAMPLE:5000 mario\n",
        b"[::1]:5000 m\xc3\xa8\n",
        b"\n",
        b" cti.example:5000 mario\n",
        b"\xff\xfe\n",
    ),
)


def _places() -> Attempt:
    path = folder() / "scram-places"
    password = Password.from_text("test")
    places = ("cti.example:5000 mario", "cti.example:5000 ma\u2028rio", "\u00e8:1 \x85x")

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        place = places[len(data) % 7 % 3]
        memory = LoginMemory(password, place=place, file=path)
        known = not memory.may_send_md5()
        memory.scram_taken()
        if LoginMemory(password, place=place, file=path).may_send_md5():
            raise Broken("where SCRAM was taken the MD5 would be sent")
        return "known" if known else "new"

    return attempt


# -- templates

TEMPLATES = (
    b"https://crm.example/{CALLDATA}?a={CALLERID}&b={{x}#{EVENT}\n3331234567",
    b'--ticket {CALLDATA} --name "{CALLERIDNAME} x" ""\na"b',
    b"http://[::1]:8080/{X}\n../..",
    b"https://h{X}/\nx",
    b"{\n}",
    "https://\u00e8.example/{A}\n\u2028".encode(),
)


_HOSTS = (
    "https://crm.example/",
    "http://[::1]:8080/",
    "https://\u00e8.example/",
    "http://a@b/",
    "https://{X}/",
    "//h/",
    "x:",
)
_PIECES = (
    *(
        "{CALLDATA}",
        "{X}",
        "{CALLERID}",
        "{CALLERIDNAME}",
        "{EVENT}",
        "{Y}",
        "{{",
        "}}",
        "{",
        "}",
        "?a=",
        "&b=",
        "#",
    ),
    *("/", "x", " ", '"', "\\", "%2f", "%", "--t ", "'", "\u00e8", ";", "@", ":", ".."),
)
_VALUES = (
    "3331234567",
    "",
    "a b",
    '"',
    "'",
    "\\",
    "../..",
    "&x=1",
    "#",
    "%2f",
    "\u00e8\u2028",
    "{X}",
    "$(x)",
    "@h/",
    "-x",
)


def _grow_template(random: Random) -> bytes:
    """An address or arguments, and a caller's value."""
    template = random.choice(("", "--ticket ", *_HOSTS)) + "".join(
        random.choices(_PIECES, k=random.randint(0, 6))
    )
    return f"{template}\n{''.join(random.choices(_VALUES, k=random.randint(0, 3)))}".encode()


def _templates() -> Attempt:
    names = ("CALLDATA", "X", "A")

    def attempt(data: bytes) -> str:
        template, _, value = (part.decode("utf-8", "surrogateescape") for part in data.partition(b"\n"))
        values = dict.fromkeys((*placeholders.BUILT_IN, *names), value)
        kind = "refused"
        if not placeholders.check_url_template(template, names):
            kind = "address"
            found = placeholders.expand_url(template, values)
            origin = template.split("/", 3)[:3]
            if found.url.split("/", 3)[:3] != origin and "{" not in "".join(origin) and "?" not in origin[2]:
                raise Broken(f"a value changed where the address leads: {found.url[:200]!r}")
        if not placeholders.check_parameters_template(template, names):
            kind += ", parameters"
            arguments = placeholders.expand_parameters(template, values).arguments
            if len(arguments) != len(placeholders.expand_parameters(template, {}).arguments):
                raise Broken("a value changed how many arguments there are")
        return kind

    return attempt


TARGETS = (
    FuzzTarget(
        "client-settings",
        "the client's settings files",
        _settings,
        lambda: [SETTINGS, LOCKED.replace(b'ca-file = "~/ca.pem"', b'theme = "dark"'), LOCKED],
        tokens=TOML_TOKENS,
        grow=_grow_settings,
        longest=16384,
        reaches="changed",
    ),
    FuzzTarget(
        "client-options",
        "its options and environment",
        _setting_words,
        lambda: WORDS,
        tokens=TOML_TOKENS,
        longest=8192,
        reaches="settings",
    ),
    FuzzTarget(
        "client-history",
        "its history",
        _history,
        _history_images,
        grow=_grow_history,
        longest=65536,
        reaches="calls",
    ),
    FuzzTarget(
        "phone-number",
        "numbers and tel: links",
        _number,
        lambda: NUMBERS,
        refusals=(ValueError,),
        tokens=NUMBERS,
        grow=_grow_number,
        longest=2048,
        reaches="number",
    ),
    FuzzTarget(
        "hand-over",
        "what other programs of the user ask of the client",
        _hand_over,
        lambda: NUMBERS,
        tokens=(*NUMBERS, b"show\n"),
        grow=_grow_number,
        longest=2048,
        reaches="OK",
    ),
    FuzzTarget(
        "page-requests",
        "which page the browser window shall show",
        _pages,
        grow=json_like(_PAGES, b"\n"),
        reaches="page",
        seeds=lambda: [
            b'{"url": "https://h/", "dark": true, "language": "it"}\n',
            b'x\n{"url": 5}\n{"url": "http://[/"}\n',
        ],
        tokens=JSON_TOKENS,
        longest=16384,
    ),
    FuzzTarget(
        "scram-places",
        "where SCRAM was taken before",
        _places,
        lambda: [b"cti.example:5000 mario\n", b"a:1 b\nc:2 d"],
        grow=lines_like(_PLACES, (b"", b"\xef\xbb\xbf", b"cti.example:5000 mario\n"), 6),
        longest=8192,
        reaches="known",
    ),
    FuzzTarget(
        "placeholders",
        "templates of addresses and arguments, with callers' values",
        _templates,
        lambda: TEMPLATES,
        grow=_grow_template,
        reaches="address, parameters",
        tokens=(b"{CALLDATA}", b"{{", b"{", b"}", b'"', b"https://", b"%2f", b"{X.}", b"\\"),
        longest=4096,
    ),
)

"""What the client reads of its own: settings, options, where SCRAM was taken."""

from __future__ import annotations

from pathlib import Path
from random import Random

from astcti_client import settings, settings_file
from astcti_client.net.login_memory import LoginMemory
from astcti_client.password import Password
from astcti_client.settings import SettingsError
from astcti_client.settings_values import SETTING_READERS
from tests.fuzz.growing import lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.shared import folder

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
    "hang-up-key": ('"Ctrl+F9"',),
    "ring-sound": ('"system"', '"/etc/passwd"'),
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
        "scram-places",
        "where SCRAM was taken before",
        _places,
        lambda: [b"cti.example:5000 mario\n", b"a:1 b\nc:2 d"],
        grow=lines_like(_PLACES, (b"", b"\xef\xbb\xbf", b"cti.example:5000 mario\n"), 6),
        longest=8192,
        reaches="known",
    ),
)

"""Small files that a program keeps for itself, or that it shares with others."""

from __future__ import annotations

import random
from random import Random

from astcti_client.resume_position import ResumePosition
from astcti_client.triggers.memory_file import MemoryFile
from astcti_client.triggers.trigger_memory import TriggerMemory
from astcti_client.ui.desktop import url_handler
from astcti_client.ui.state.pause_file import LeftPause, PauseFile
from astcti_client.ui.state.window_places import WindowPlace, WindowPlaces
from configurator.mail_settings import MailSettingsError, read_mail_settings
from tests.fuzz.growing import json_like, lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.shared import JSON_TOKENS, folder

# -- the client's windows and its pause

_PLACES: tuple[object, ...] = (
    {"main": "400x700+10+-20", "history": "99999x1+0+0"},
    {"main": "400x700+10+20", "mini": "x", "": "1x1+1+1"},
)
_SCREEN = WindowPlace(800, 480, 0, 0)


def _places() -> Attempt:
    path = folder() / "windows.json"
    window = WindowPlace(300, 200, 5, 6)

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        places = WindowPlaces(path)
        found = places.of("main")
        if found is not None:
            seen = found.inside(_SCREEN)
            if seen.inside(_SCREEN) != seen or seen.x < 0 or seen.y < 0:
                raise Broken(f"{found} is shown at {seen}")
        other = places.of("history")
        places.keep("main", window)
        again = WindowPlaces(path)
        if (again.of("main"), again.of("history")) != (window, other):
            raise Broken("what was kept does not come back")
        return "place" if found else "none"

    return attempt


_NOW = 1_795_430_727.0
_PAUSES: tuple[object, ...] = (
    {"place": "cti.example:5000 mario", "reason": "Lunch", "since": _NOW - 60},
    {"place": "cti.example:5000 mario", "reason": "", "since": str(_NOW)},
)


def _pause() -> Attempt:
    path = folder() / "pause"
    file = PauseFile(path, lambda: _NOW)
    place = "cti.example:5000 mario"

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        left = file.load(place)
        (left.reason if left else "").encode()  # it is told to the server
        file.save(place, left or LeftPause("x", 1.0))
        again = file.load(place)
        if again != (left or LeftPause("x", 1.0)):
            raise Broken(f"{left} comes back as {again}")
        return "pause" if left else "none"

    return attempt


# -- which triggers it carried out

_MARKS = tuple(f"{number:032x}" for number in (0, 1, 2**128 - 1))
_CARRIED_OUT = (
    *(f"{what} {mark} .\n".encode() for what in "bd" for mark in _MARKS),
    *(f"h {mark} {'0a' * 8} {at} .\n".encode() for mark in _MARKS for at in ("1 1", "0 2147483647", "2 1")),
    *(b"\n", b"b ", b"d 0 .\n", b"x\n", b"h 1 .\n", b" .\n", b"\xff\n", b"\r", b"\x0c", b"\xe2\x80\xa8"),
    *(b"b %s .\n" % (b"A" * 32), b"h %s %s 9999999999 9999999999 .\n" % (b"0" * 32, b"0" * 16)),
)


def _carried_out() -> Attempt:
    path = folder() / "pop-ups"
    position = ResumePosition("0" * 16, 5, 6)

    def told(memory: TriggerMemory) -> list[object]:
        return [*(memory.state(mark) for mark in _MARKS), *(memory.position(mark) for mark in _MARKS)]

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        memory = TriggerMemory(MemoryFile(path))
        before = told(memory)
        if told(TriggerMemory(MemoryFile(path))) != before:
            raise Broken("what was read is not what is written anew")
        memory.begin(_MARKS[0])
        memory.handled(_MARKS[1], position)
        after = told(TriggerMemory(MemoryFile(path)))
        if (after[0], after[4]) != ("interrupted", position):
            raise Broken("what was added is not read again")
        if (after[1:3], after[3], after[5]) != (before[1:3], before[3], before[5]):
            raise Broken("what was added changed something else")
        return "known" if any(one not in ("new", None) for one in before) else "nothing"

    return attempt


# -- the desktop's list of who opens links

_LISTS = (
    b"[Default Applications]\nx-scheme-handler/tel=other.desktop;astcti-client.desktop\ntext/html=web.desktop;\n",
    b"# mine\n[Added Associations]\nx-scheme-handler/tel=a.desktop;\n\n[Default Applications]\n text/html = b\n",
    b"[Default Applications]\n"
    b"x-scheme-handler/tel=astcti-client.desktop;\n"
    b"x-scheme-handler/callto=astcti-client.desktop;x;\n"
    b"x-scheme-handler/sip=astcti-client.desktop;\n",
    b"",
    b"no section\n",
)
_LIST_LINES = (
    *(b"[Default Applications]\n", b"[Default Applications] \r\n", b"[Added Associations]\n", b"[x\n", b"\n"),
    *(b"x-scheme-handler/tel=a.desktop;\n", b"x-scheme-handler/tel = astcti-client.desktop;b.desktop\n"),
    *(
        b"x-scheme-handler/sip=\n",
        b"x-scheme-handler/callto=;;\n",
        b"text/html=x\n",
        b"# x\n",
        b"=\n",
        b"x\n",
    ),
    *(
        b"X-Scheme-Handler/tel=c\n",
        b" x-scheme-handler/sip=astcti-client.desktop\n",
        b"%(x)s=\xc3\xa8\n",
        b"x",
    ),
)


def _links() -> Attempt:
    kinds = tuple(f"x-scheme-handler/{scheme}" for scheme in url_handler.SCHEMES)

    def others(text: str) -> list[str]:
        """What the client has no business with; empty lines at the end, and its own section's, left out."""
        lines = text.split("\n")
        kept = [line for line in lines if line.partition("=")[0].strip() not in kinds]
        return [line for line in kept if line and line.strip() != "[Default Applications]"]

    def attempt(data: bytes) -> str:
        text = data.decode("utf-8", "replace")
        registered = url_handler.with_defaults(text, add=True)
        taken_back = url_handler.with_defaults(registered, add=False)
        if not others(text) == others(registered) == others(taken_back):
            raise Broken("a line of others changed")
        if url_handler.with_defaults(registered, add=True) != registered:
            raise Broken("to register again changes something")
        _, _, ours = registered.partition("[Default Applications]")
        if any(f"{kind}={url_handler.DESKTOP_FILE};" not in ours for kind in kinds):
            raise Broken("a kind of link does not lead to the client")
        return "there already" if registered == text else "added"

    return attempt


# -- how the Configurator sends mail

_MAIL = (
    b"[mail]\nhost = smtp.example.com\nport = 587\nuser = astcti\npassword = x%y;z ; no\nencryption = starttls\n",
    b"\xef\xbb\xbf[mail]\r\nhost: h\r\nport: 465\r\nencryption: tls\r\nfrom = AsteriskCTI <cti@example.com>\r\n",
    b"[DEFAULT]\nhost = h\n[mail]\nencryption=none\n",
    b"",
)
_MAIL_LINES = (
    *(b"[mail]\n", b"[DEFAULT]\n", b"[Mail]\n", b"host = h\n", b"host\n", b"HOST: h ; x\n", b"port = 25\n"),
    *(b"port = \xd9\xa3\n", b"port = 0\n", b"port =\n", b"port = 99999\n", b"encryption = tls\n"),
    *(b"encryption = TLS\n", b"encryption = none\n", b"  folded\n", b"user = %(host)s\n", b"= x\n"),
    *(
        b"from = \xc3\xa8 <a@b>\n",
        b"from = a\n b\n",
        b"password = ;\n",
        b"# x\n",
        b"\xff\n",
        b"[x\n",
        b"\0\n",
    ),
)


def _mail() -> Attempt:
    path = folder() / "configurator.ini"

    def attempt(data: bytes) -> str:
        path.write_bytes(data)
        found = read_mail_settings(path)
        if not found["EMAIL_HOST"]:
            return "no mail"
        if not 1 <= found["EMAIL_PORT"] <= 65535 or (found["EMAIL_USE_TLS"] and found["EMAIL_USE_SSL"]):
            raise Broken(f"mail would be sent to {found}")
        return "mail"

    return attempt


def _seeds_of(lines: tuple[bytes, ...]) -> list[bytes]:
    return [b"".join(lines[:6]), *(b"".join(random.Random(seed).sample(lines, 8)) for seed in range(3))]


def _json_seeds(documents: tuple[object, ...]) -> list[bytes]:
    grow = json_like(documents, b"\n")
    return [grow(Random(seed)) for seed in range(40)]


TARGETS = (
    FuzzTarget(
        "window-places",
        "where the client's windows were",
        _places,
        lambda: _json_seeds(_PLACES),
        tokens=JSON_TOKENS,
        grow=json_like(_PLACES),
        longest=8192,
        reaches="place",
    ),
    FuzzTarget(
        "client-pause",
        "in what pause the client was killed",
        _pause,
        lambda: _json_seeds(_PAUSES),
        tokens=JSON_TOKENS,
        grow=json_like(_PAUSES),
        longest=8192,
        reaches="pause",
    ),
    FuzzTarget(
        "carried-out",
        "which triggers the client carried out",
        _carried_out,
        lambda: _seeds_of(_CARRIED_OUT),
        tokens=_CARRIED_OUT,
        grow=lines_like(_CARRIED_OUT, (b"",), 12),
        longest=8192,
        reaches="known",
    ),
    FuzzTarget(
        "desktop-links",
        "the desktop's list of who opens which links",
        _links,
        lambda: _LISTS,
        tokens=_LIST_LINES,
        grow=lines_like(_LIST_LINES, _LISTS, 8),
        longest=8192,
        reaches="there already",
    ),
    FuzzTarget(
        "mail-settings",
        "how the Configurator sends mail",
        _mail,
        lambda: _MAIL,
        refusals=(MailSettingsError,),
        tokens=_MAIL_LINES,
        grow=lines_like(_MAIL_LINES, _MAIL, 8),
        longest=8192,
        reaches="mail",
    ),
)

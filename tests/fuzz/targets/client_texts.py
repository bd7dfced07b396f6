"""What other programs and callers give to the client: numbers that were clicked or pasted, pages, values."""

from __future__ import annotations

import io
import threading
from random import Random

from astcti_client.hand_over import requests
from astcti_client.hand_over.requests import DialReply
from astcti_client.phone_number import LONGEST_NUMBER, clean_number
from astcti_client.ui.browser.page import host_of, read_page
from schemas import placeholders
from tests.fuzz.growing import json_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget
from tests.fuzz.targets.shared import JSON_TOKENS

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

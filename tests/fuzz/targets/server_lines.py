"""What a server says to the client, and what becomes of it there: anybody may answer in its place."""

from __future__ import annotations

import base64
import contextlib
import hmac
import itertools
import re
from collections.abc import Iterator, Sequence
from random import Random

from astcti_client import terminal_text
from astcti_client.net.conversation import Farewell, Lost, ServerConversation
from astcti_client.net.login import LoginRefused, PasswordWithheld
from astcti_client.net.login_memory import LoginMemory
from astcti_client.net.messages import ConnectionMessage, IssuedCommand, ServerEvent, ServerReply
from astcti_client.password import Password
from astcti_client.triggers.programs import TriggerRefused
from astcti_client.triggers.runner import PopUpMemory, actions_for_system, check_page_address
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.text import words
from schemas import event_xml, scram
from schemas.event_xml import BadEvent
from schemas.events import Action, Call, CallEvent, Cause, ConnectedParty, Originate
from schemas.explanation import lines as explanation_lines
from schemas.explanation.codes import TrailStep, Verdict
from schemas.protocol import Refusal, ReplyCode
from schemas.scram import BadScram, ScramClient, ScramSecret
from tests.fuzz.growing import lines_like, mixed, xml_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget

CALL = Call(
    uniqueid="1795430727.1",
    channel="PJSIP/201-00000001",
    calleridnum="3331234567",
    calleridname="Demo <Caller> \u00e8\u2028",
    context="astctidemo",
    appdata=(("calldata", "12345"), ("x", "&")),
    state="Up",
    linkedid="1795430724.0",
    direction="inbound",
    queue="astcti",
    connected=ConnectedParty("1795430724.0", "PJSIP/caller-00000000"),
)
TRIGGERS = (
    Action("browser", "any", url="https://crm.example/ticket?id=12345&from=333"),
    Action("application", "windows", application="C:\\crm\\crm.exe", arguments=("--ticket", "", "12345")),
)
EVENTS = (
    CallEvent("Link", CALL, "Demo", TRIGGERS),
    CallEvent("Hangup", CALL, "Demo", cause=Cause(16, "answered", "Normal Clearing")),
    CallEvent(
        "OriginateResponse",
        CALL._replace(direction="outbound"),
        "Out",
        originate=Originate("055", "Success", 4),
    ),
    CallEvent("Newstate", CALL._replace(state="Ringing", appdata=(), connected=None)),
    CallEvent("Unlink", CALL),
    CallEvent("Dial", CALL, repeat=True),
)
TOKENS = (
    *(
        b"<event id=",
        b"<call>",
        b"</call>",
        b"</event>",
        b"<trigger type=",
        b"<url>",
        b"<!DOCTYPE x>",
        b"<!ENTITY a 'b'>",
    ),
    *(
        b"<![CDATA[",
        b"]]>",
        b"<?xml version='1.0' encoding='utf-16'?>",
        b"<?x ?>",
        b"<!--",
        b"-->",
        b"&#0;",
        b"&#x10ffff;",
    ),
    *(
        b"&amp;",
        b"&a;",
        b"xmlns:xi='http://www.w3.org/2001/XInclude'",
        b"<xi:include href='file:///etc/passwd'/>",
    ),
    *(f"{code.value} ".encode() for code in ReplyCode),
    *(
        b"OK",
        b"KO",
        b"END",
        b"BYE TAKEOVER",
        b"WELCOME",
        b"IN",
        b"OUT",
        b"CAPA",
        b"SCRAM",
        b"WHY",
        b"KEEPALIVE=",
        b"seq=",
    ),
)


def _event_seeds() -> list[bytes]:
    return [event_xml.encode(event) for event in EVENTS]


EVENT_VALUES = {
    "": (
        "Up",
        "Ringing",
        "inbound",
        "outbound",
        "3331234567",
        "https://crm.example/?a=1",
        "C:\\crm.exe",
        "16",
    ),
    "id": ("Link", "Hangup", "Newstate", "OriginateResponse", "Dial", "Unlink", "Other"),
    "type": ("browser", "application", "internal-browser"),
    "on": ("ring", "answer", "hangup"),
    "os": ("any", "windows", "linux", "macos"),
    "key": ("calldata", "x"),
    "repeat": ("true", "false", "1"),
}


def _deep(random: Random) -> bytes:
    """An event that is deep, wide or large."""
    depth = 20000 if random.random() < 0.005 else random.choice((2, 10, 50, 300))
    name = random.choice((b"a", b"call", b"data"))
    shape = random.randrange(3)
    if shape == 0:
        inside = b"<%s>" % name * depth + (b"</%s>" % name * depth if random.random() < 0.7 else b"")
    elif shape == 1:
        inside = b"<data key='k'>v</data>" * depth
    else:
        inside = b"".join(b" a%d='1'" % number for number in range(depth))
        inside = b"<b%s/>" % inside
    return b"<event id='Link'><call><uniqueid>1</uniqueid><appdata>" + inside + b"</appdata></call></event>"


def _decode() -> Attempt:
    def attempt(data: bytes) -> str:
        event = event_xml.decode(data)
        _check_event(event)
        return event.id

    return attempt


def _check_event(event: CallEvent) -> None:
    """What was understood can be told, and comes back as it was."""
    line = event_xml.encode(event)
    if len(line) <= event_xml.SHORT and event_xml.encode(event_xml.decode(line)) != line:
        raise Broken("an event does not come back as it was")
    shown = terminal_text.event_in_words(event)
    if not shown.isprintable():
        raise Broken(f"a terminal is shown {shown[:80]!r}")
    memory = PopUpMemory()
    for action in actions_for_system(event.triggers, "linux"):
        memory.first_time(event, action)
        try:
            check_page_address(action.url)
        except TriggerRefused:
            continue
        if not action.url.lower().startswith(("http://", "https://")):
            raise Broken(f"a browser is given {action.url[:80]!r}")


LOG_IN = (
    "100 WELCOME\n110 CAPA MAC SERVICES REASONS WHO TARGETS WHY KEEPALIVE=60\n100 OK\n102 OK\n100 OK PJSIP/201\n"
    "240 mario PJSIP/201 Mario Rossi\n220 inbound astctidemo Demo\n220 outbound outbound Out\n220 END\n"
    "222 outbound Out\n222 END\n230 Lunch\n230 END\n"
)
MORE = (
    "200 astcti\n311 LASTS 3720\n310 IN Lunch\n301 PAUSE PENDING\n300 OK\n210 astcti\n211 KO astcti reason\n901 PBX DOWN\n902 PBX UP\n",
    "250 popped-up 1795430727.120 PJSIP/201 PJSIP/201 mario Demo answer\n250 END\n221 SERVICES\n220 END\n222 END\n",
    "101 KO no such call\n302 KO PBX silent\n100 OK keep-alive expired\n900 OK\n",
    "910 BYE TAKEOVER text\n",
    "311 x\n320 y\n999999 z\n0\n",
)
SCRAM_LOG_IN = (
    "100 WELCOME\n110 CAPA MAC SCRAM\n106 SCRAM cj1DTElFTlRTRVJWRVIscz1NREV5TXpRMU5qYzRPV0ZpWTJSbFpnPT0saT0xMDAwMA==\n"
    "102 OK dj1hYmM=\n"
)


class QuickMemory(LoginMemory):
    """Keys without the work, which is bounded elsewhere."""

    def secret(self, salt: bytes, iterations: int) -> ScramSecret:
        return SECRET


SECRET = scram.derive_secret("098f6bcd4621d373cade4e832627b4f6", b"0123456789abcdef", 1)


def _conversation_seeds() -> list[bytes]:
    events = b"".join(_event_seeds())
    whole = LOG_IN.encode()
    return [
        whole + events,
        *(whole + more.encode() for more in MORE),
        whole + MORE[0].encode() + events + MORE[1].encode(),
        SCRAM_LOG_IN.encode() + LOG_IN.encode()[60:],
        b"100 WELCOME\n101 KO unknown command\n100 OK\n101 KO wrong\n",
    ]


# What a server says to a seat that is logged in.
_SAID = (
    *(line.encode() + b"\n" for more in MORE for line in more.splitlines()),
    *(
        f"{code.value} {words}\n".encode()
        for code in ReplyCode
        for words in ("OK", "KO x", "END", "a b c d e")
    ),
    *_event_seeds(),
)
_BEFORE = (b"", b"100 WELCOME\n", SCRAM_LOG_IN.encode(), LOG_IN.encode(), LOG_IN.encode(), LOG_IN.encode())


def _pieces(data: bytes) -> Iterator[bytes]:
    random = Random(len(data))
    at = 0
    while at < len(data):
        size = random.choice((1, 30, 400, 400, 5000))
        yield data[at : at + size]
        at += size


def _listen() -> Attempt:
    password = Password.from_text("test")

    def attempt(data: bytes) -> str:
        now = [0.0]
        model = SeatModel(lambda: now[0])
        counted = [0]

        def deliver(message: ConnectionMessage) -> None:
            counted[0] += 1
            model.hear(message)
            if isinstance(message, ServerEvent):
                _check_event(message.event)
            elif isinstance(message, ServerReply):
                terminal_text.announcement_in_words(message.reply)
                words.server_reason(message.reply.text)

        numbers = itertools.count(1)
        conversation = ServerConversation(
            "mario",
            password,
            ["00:11:22:33:44:55"],
            deliver=deliver,
            clock=lambda: now[0],
            protection="plain",
            numbers=numbers,
            memory=QuickMemory(password),
        )
        outcome = "logged in"
        try:
            for piece in _pieces(data):
                conversation.feed(piece)
                now[0] += 0.7
                conversation.tick()
                model.tick()
                if conversation.up and len(conversation.outgoing) < 2000:
                    for line in ("PAUSE IN Lunch", "PAUSE OUT", "WHY 1795430727.1", "ORIG 1 outbound 1"):
                        conversation.say(IssuedCommand(next(numbers), line))
            if not conversation.up:
                outcome = "not yet logged in"
        except (Lost, LoginRefused, PasswordWithheld, Farewell) as over:
            outcome = type(over).__name__
        conversation.over()
        model.tick()
        if counted[0] > 3 * data.count(b"\n") + 200:
            raise Broken("too much is told")
        if b"\n" not in conversation.outgoing[-1:] and conversation.outgoing:
            raise Broken("what the client says does not end with a line's end")
        return outcome

    return attempt


def _scram_client() -> Attempt:
    def attempt(data: bytes) -> str:
        client = ScramClient("ma,r=io", lambda salt, iterations: SECRET, "CLIENT")
        first, _, final = data.partition(b"\n")
        message = client.final(_as_base64(first))
        if b"," in base64.b64decode(message).partition(b"p=")[2]:
            raise Broken("the client's message can be misread")
        return "proved" if client.server_proved(_as_base64(final)) else "not proved"

    return attempt


def _as_base64(data: bytes) -> str:
    return data.decode("utf-8", "replace") if len(data) % 10 == 9 else base64.b64encode(data).decode()


def _grow_answers(random: Random) -> bytes:
    """Both messages of a server; each part of them is right nine times in ten, the proof more seldom."""

    def part(right: Sequence[str], wrong: Sequence[str]) -> str:
        return random.choice(right if random.random() < 0.9 else wrong)

    nonce = part(("CLIENTSERVER", "CLIENT!", "CLIENT" + "x" * 300), ("CLIENT", "client", "", "CLIENT a", "è"))
    salt = part(("eA==", "MDEyMzQ1Njc4OWFiY2RlZg=="), ("", "x", "====", "e" * 4000, "è"))
    count = part(("10000", "200000", "10000000"), ("9999", "10000001", "010000", "0", "-1", "1e9", "٣", ""))
    more = part(("", "", ",x=y"), (",m=x", ",x", ",x=", ",xx=y", ",i=1"))
    client = ScramClient("ma,r=io", lambda salt, iterations: SECRET, "CLIENT")
    first = f"r={nonce},s={salt},i={count}{more}".encode()
    final = part(("v=YWJj", "e=other-error", "v="), ("v=====", "v=x", "V=YWJj", "v=YWJj,x=y", "è"))
    if random.random() < 0.5:
        with contextlib.suppress(BadScram):
            said = base64.b64decode(client.final(base64.b64encode(first).decode())).rpartition(b",p=")[0]
            signed = b",".join((b"n=ma=2Cr=3Dio,r=CLIENT", first, said))
            final = f"v={base64.b64encode(hmac.digest(SECRET.server_key, signed, 'sha256')).decode()}"
    return first + b"\n" + final.encode()


def _explain() -> Attempt:
    def attempt(data: bytes) -> str:
        text = data.decode("utf-8", "replace")
        shown = words.why_text(text)
        if shown and not shown.isprintable():
            raise Broken(f"the window is shown {shown[:80]!r}")
        line = explanation_lines.decode(text)
        again = explanation_lines.decode(explanation_lines.encode(line))
        if (again.phone, again.arguments) != (line.phone, line.arguments):
            raise Broken("an explanation does not come back as it was")
        return "known" if explanation_lines.known(line) else "unknown"

    return attempt


_CODES: tuple[Verdict | TrailStep, ...] = (*Verdict, *TrailStep)


def _explanation_seeds() -> list[bytes]:
    return [
        f"{'.' if isinstance(code, TrailStep) else ''}{code.value} 1795430727.120 PJSIP/201"
        f"{' a%2Cb,c' * len(code.arguments)}".encode()
        for code in _CODES
    ]


_ARGUMENTS = (
    "PJSIP/201",
    "mario",
    "1795430727.1",
    "-",
    "%2C",
    "%ff",
    "a%2Cb",
    "è",
    "%E2%80%A8",
    "x" * 300,
    "",
)


def _grow_explanation(random: Random) -> bytes:
    """A code with the arguments that it takes, or one more, or one less."""
    code = random.choice(_CODES)
    many = max(0, len(code.arguments) + random.choice((0, 0, 0, 0, 1, -1)))
    arguments = ",".join(random.choice(_ARGUMENTS) for _ in range(many))
    dot = "." if isinstance(code, TrailStep) else ""
    return f"{dot}{code.value} 1795430727.120 {random.choice(_ARGUMENTS)} {arguments}".rstrip().encode()


_FIELD = re.compile(r"\{[^{}]*\}")


def _grow_refusal(random: Random) -> bytes:
    """A reason as the server says it, with values of any kind in it."""
    words = random.choice([*Refusal]).value
    return _FIELD.sub(lambda _found: random.choice(_ARGUMENTS), words).encode()


def _refusal() -> Attempt:
    def attempt(data: bytes) -> str:
        text = data.decode("utf-8", "replace")
        words.server_reason(text)
        return "known" if Refusal.of(text) else "other"

    return attempt


TARGETS = (
    FuzzTarget(
        "event-xml",
        "an event's line at the client",
        _decode,
        _event_seeds,
        refusals=(BadEvent,),
        tokens=TOKENS,
        grow=mixed((0.15, _deep), (0.85, xml_like(_event_seeds(), EVENT_VALUES))),
        longest=262144,
        reaches="Link",
    ),
    FuzzTarget(
        "server-conversation",
        "all that a server says to the client, and the seat's state",
        _listen,
        _conversation_seeds,
        tokens=TOKENS,
        grow=lines_like(_SAID, _BEFORE, 10),
        longest=16384,
        reaches="logged in",
    ),
    FuzzTarget(
        "scram-client",
        "a server's messages of SCRAM",
        _scram_client,
        lambda: (
            b"r=CLIENTSERVER,s=MDEyMzQ1Njc4OWFiY2RlZg==,i=10000\nv=YWJj",
            b"r=CLIENT1,s=eA==,i=200000,x=y\ne=other-error",
        ),
        refusals=(BadScram,),
        tokens=(b"r=CLIENT", b"s=", b"i=", b"v=", b",", b"4096", b"m=x"),
        grow=_grow_answers,
        longest=4096,
        reaches="not proved",
    ),
    FuzzTarget(
        "explanation-lines",
        "why a call popped up or not, as it travels",
        _explain,
        _explanation_seeds,
        refusals=(ValueError,),
        tokens=(b"-", b"%2C", b"%ff", b",", b" ", b"."),
        grow=_grow_explanation,
        longest=4096,
        reaches="known",
    ),
    FuzzTarget(
        "refusals",
        "a server's reasons, to be said in the user's language",
        _refusal,
        lambda: [refusal.value.encode() for refusal in Refusal],
        grow=_grow_refusal,
        longest=2048,
        reaches="known",
    ),
)

"""What seats' PCs say to the server, and what whoever reaches its control socket says.

Anybody who reaches the port may write there, before any login.
"""

from __future__ import annotations

import base64
import hmac
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from astcti_server.clients import replies
from astcti_server.clients.commands import dispatch
from astcti_server.clients.conversation import MAX_BAD_LINES, Conversation, HandlerContext
from astcti_server.clients.password_checks.pool import Computation, ComputedT, PasswordPool
from astcti_server.clients.ports import NotCarriedOut, PauseCallback, Presence, ReplyCallback, ShownReport
from astcti_server.clients.registry import Registry
from astcti_server.clients.session import Session
from astcti_server.control.audit import ControlAction
from astcti_server.control.conversation import ControlConversation
from astcti_server.control.peer import EVERYTHING, LOOK_ONLY, Peer
from astcti_server.control.ports import ControlDocument, NotObeyed
from astcti_server.explain.explanations import Explanation
from schemas import scram, wire
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service
from schemas.protocol import CommandName, ControlCommand, PhoneAbility, Refusal
from schemas.server.settings import AmiSettings, ServerSettings
from schemas.wire import MAX_COMMAND, CommandLine, LineBuffer, Reply
from tests.fake.line_client import TakingTransport
from tests.fuzz.growing import lines_like
from tests.fuzz.target import Attempt, Broken, FuzzTarget

MD5 = "098f6bcd4621d373cade4e832627b4f6"  # of test
MAC = "00:11:22:33:44:01"
CONFIGURATION = Configuration(
    services=(
        Service("Demo", "astctidemo", "inbound", True, "astcti", operators=(Binding("mario", 1),)),
        Service("Outside line", "outbound", "outbound", operators=(Binding("mario"), Binding("anna"))),
    ),
    seats=(
        Seat(MAC, "PJSIP/201", "PJSIP/201"),
        Seat("00:11:22:33:44:02", "SIP/202", "Local/202@x/n", "SIP/202"),
    ),
    operators=(
        Operator("mario", "Mario Rossi", f"md5:{MD5}", seat=MAC),
        Operator("anna", "Anna\u00e8", f"md5:{MD5}"),
        Operator("luca", "Luca", f"md5:{MD5}", enabled=False),
    ),
    pause_reasons=("Lunch break", "Training"),
)
LOGIN = f"USER mario\nPASS {MD5}\n"
SCRIPTS = (
    f"{LOGIN}MAC {MAC}\nSERVICES\nREASONS\nPAUSE IN Lunch break\nPAUSE OUT\nNOOP\nQUIT\n",
    f"capa\r\nuser anna\r\npass {MD5.upper()}\r\nmac 00-11-22-33-44-02\r\nORIG 0551234 outbound 1\r\nQUIT\r\n",
    f"{LOGIN}ORIG 0551234|outbound|1\nHANGUP 1795430727.1\nTRANSFER 1795430727.1 202 astctidemo\nWHO\nTARGETS\n",
    f"{LOGIN}MAC {MAC}\nQUEUES\nQUEUE astcti OUT\nCOLLEAGUES\nCOLLEAGUES OFF\nQUEUE x IN\nCOLLEAGUES x\n",
    f"{LOGIN}PHONE\nCONSULT 1795430727.1 203 astctidemo\nCOMPLETE 1795430727.1\nCANCEL 1795430727.1\n",
    f"{LOGIN}PHONE\nANSWER 1795430727.1\nANSWER 1795430727.2\n",
    f"{LOGIN}WHY 1795430727.1\nWHY 1\nCAPA\nPAUSE\nPAUSE in\nPAUSE OUT x\nMAC {MAC}\nMAC x\n",
    f"MAC {MAC}\nUSER mario\nPASS {'0' * 32}\nPASS {'0' * 32}\nPASS {'0' * 32}\nNOOP\n",
    "SCRAM biwsbj1tYXJpbyxyPTEyMw==\nSCRAM Yz1iaXdzLHI9MTIzLHA9eA==\nUSER a b\nXYZ\n\n\t\nNOOP x\n",
    "x\n" * 12,
    "NOOP\n" * 5,
    "RESUME NEW\n" + LOGIN + "RESUME 0123456789abcdef 12\nSHOWN 1 20\nSHOWN 2 KO 0123456789abcdef x\n",
)
TOKENS = (
    *(name.encode() + b" " for name in CommandName),
    *(name.encode() + b"\n" for name in CommandName),
    *(
        b"mario",
        b"anna",
        b"luca",
        MD5.encode(),
        MAC.encode(),
        b"1795430727.1",
        b"0551234",
        b"outbound",
        b"astctidemo",
    ),
    *(
        b"IN",
        b"OUT",
        b"Lunch break",
        b"*#+",
        b"|1",
        b"n,,n=mario,r=1",
        b"c=biws",
        b"PJSIP/201",
        LOGIN.encode(),
    ),
)

# What a seat says once it is logged in, with arguments right and wrong.
_ARGUMENTS: Mapping[str, tuple[str, ...]] = {
    "ORIG": (
        "0551234 outbound 1",
        "0551234|outbound|1",
        "*21# outbound 2",
        "1 astctidemo",
        "x" * 90 + " outbound",
    ),
    "PAUSE": ("IN", "IN Lunch break", "OUT", "IN x", "in Training", "OUT Training"),
    "MAC": (MAC, "00-11-22-33-44-02", MAC.upper(), "00:11:22:33:44:99", "x"),
    "HANGUP": ("1795430727.1", "1795430727.2"),
    "TRANSFER": ("1795430727.1 202 astctidemo", "1795430727.1 202", "1 2 3 4"),
    "WHY": ("1795430727.1", "pbx-1795430727.12"),
    "SHOWN": ("1 20", "2 KO 0123456789abcdef x", "3"),
    "RESUME": ("NEW", "0123456789abcdef 12"),
    "QUEUE": ("astcti IN", "astcti OUT", "ASTCTI out", "other IN", "astcti x", "a b c OUT"),
    "COLLEAGUES": ("", "OFF", "off"),
    "USER": ("mario", "anna", "luca"),
    "PASS": (MD5, "0" * 32),
}
_SAID = tuple(
    f"{name} {argument}".rstrip().encode() + b"\n"
    for name in CommandName
    for argument in ("", *_ARGUMENTS.get(name, ("x", "1795430727.1")) * 2)
)
_BEFORE = (
    *(b"", f"CAPA\n{LOGIN}".encode(), LOGIN.encode(), f"USER anna\r\nPASS {MD5}\r\n".encode()),
    *[f"{LOGIN}MAC {MAC}\n".encode(), f"RESUME NEW\n{LOGIN}MAC {MAC}\n".encode()] * 3,
)


@dataclass
class Requests:
    """Does at once what clients ask for, as the demo PBX would."""

    up: bool = True
    waiting: list[Callable[[], object]] = field(default_factory=list)

    def configuration(self) -> Configuration:
        return CONFIGURATION

    def settings(self) -> ServerSettings:
        return SETTINGS

    def pbx_up(self) -> bool:
        return self.up

    def arrived(self, presence: Presence) -> None:
        pass

    def logged_out(self, session_id: int) -> None:
        pass

    def left(self, session_id: int, at_once: bool) -> None:
        pass

    def shown(self, presence: Presence, report: ShownReport, at: float) -> None:
        """Nothing is kept of it."""

    def originate(
        self, presence: Presence, exten: str, context: str, priority: int, done: ReplyCallback
    ) -> None:
        self.waiting.append(lambda: done("", unchecked=len(exten) % 2 == 0))

    def pause(self, presence: Presence, wish: bool, reason: str, progress: PauseCallback) -> None:
        progress("pending" if self.up else "deferred", "")
        self.waiting.append(lambda: progress("done", ""))

    def ask_queue(self, presence: Presence, key: str, inside: bool, done: ReplyCallback) -> None:
        self.waiting.append(lambda: done("" if inside else Refusal.FIXED_MEMBER.text()))

    def colleagues(self, presence: Presence, done: Callable[[bytes], object]) -> None:
        def tell() -> None:
            done(replies.COLLEAGUES_END)

        self.waiting.append(tell)

    def colleagues_no_more(self, presence: Presence) -> None:
        """Nothing is told anyway."""

    def cancel_call(self, presence: Presence, done: ReplyCallback) -> None:
        self.waiting.append(lambda: done(""))

    def hangup(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.waiting.append(lambda: done("" if uniqueid.endswith("1") else Refusal.CALL_NOT_KNOWN.text()))

    def answer(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        self.waiting.append(lambda: done("" if uniqueid.endswith("1") else Refusal.NOT_RINGING.text()))

    def explain(self, presence: Presence, uniqueid: str) -> Explanation:
        raise NotCarriedOut(Refusal.CALL_NOT_KNOWN)

    def transfer(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        self.waiting.append(lambda: done(Refusal.PBX_SILENT.text()))

    def introduce(self, presence: Presence, told: Callable[[bytes], object]) -> None:
        told(replies.phone_abilities(PhoneAbility))

    def consult(
        self, presence: Presence, uniqueid: str, exten: str, context: str, done: ReplyCallback
    ) -> None:
        self.waiting.append(lambda: done(Refusal.CONSULT_NOT_POSSIBLE.text()))

    def complete(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        done(Refusal.NOT_CONSULTING.text())

    def cancel(self, presence: Presence, uniqueid: str, done: ReplyCallback) -> None:
        done("")


SETTINGS = ServerSettings(ami=AmiSettings("astcti", "secret"))


class WrittenDown(TakingTransport):
    """Keeps what is sent. Nobody reads from it."""

    def fileno(self) -> int:
        return _OURS.fileno()


_OURS, _theirs = socket.socketpair()
_theirs.close()  # so that a session which hangs up waits for nobody


class AtOnce(PasswordPool):
    """Computes in the thread that asks."""

    def compute(
        self,
        address: str,
        name: str,
        work: Callable[[], ComputedT],
        finished: Callable[[], None],
        *,
        suspect: bool = False,
    ) -> Computation[ComputedT]:
        computation = Computation(address, name, work, finished)
        computation.run()
        return computation

    def forget(self, computation: Computation[Any]) -> None:
        """There is nothing to forget."""


class Clock:
    """Goes on by a second each time it is looked at."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.01
        return self.now


def _pieces(data: bytes) -> Iterator[bytes]:
    random = Random(len(data))
    at = 0
    while at < len(data):
        size = random.choice((1, 7, 100, 100, 5000, 16384))
        yield data[at : at + size]
        at += size


def check_lines(said: bytes, most: int) -> None:
    """What the server said has to be lines of the protocol, not more than `most` bytes."""
    if len(said) > most:
        raise Broken(f"{len(said)} bytes are said")
    lines = said.split(b"\n")
    if lines.pop():
        raise Broken("what is said does not end with a line's end")
    for line in lines:
        found = wire.parse_server_line(line)
        if not isinstance(found, Reply) or line.decode() != wire.clean(line.decode()):
            raise Broken(f"the server says {line[:80]!r}")


def _talk() -> Attempt:
    pool = AtOnce(threads=1)

    def attempt(data: bytes) -> str:
        requests = Requests(up=len(data) % 5 != 0)
        clock = Clock()
        context = HandlerContext.of(requests, Registry(), pool, b"k" * 32, clock)
        transport = WrittenDown()
        session = Session("client-1", transport, "192.0.2.1", 1 << 20)
        session.shake_hands()
        conversation = Conversation(session, context, dispatch.carry_out)
        limits = SETTINGS.clients
        for piece in _pieces(data):
            conversation.receive(piece)
            conversation.proceed()
            for _ in range(100):
                if not session.waiting and conversation.listening:
                    break
                while requests.waiting:
                    requests.waiting.pop(0)()
                clock.now += 6.0  # whatever it waits for is over
                conversation.proceed()
                if session.ending:
                    break
            conversation.check_time(limits)
            if session.ending:
                break
        conversation.over()
        name, ending = session.username, session.ending
        context.registry.drop(session)
        if context.registry.count:
            raise Broken("a session that is over is still known")
        session.finish()
        check_lines(transport.taken, 4096 + 400 * (data.count(b"\n") + 2))
        return ("logged in" if name else "strangers") + (", ended" if ending else "")

    return attempt


def _scripts() -> list[bytes]:
    return [script.encode() for script in SCRIPTS]


# -- SCRAM

KEYS = scram.derive_keys(MD5, b"0123456789abcdef", scram.DERIVED_ITERATIONS)
SCRAM_SEEDS = (
    b"n,,n=mario,r=abc\nc=biws,r=abcSERVER,p=PROOF",
    b"y,,n=ma=2Crio=3D,r=a+b/c,x=y\nc=eSws,r=a+b/cSERVER,x=y,p=PROOF",
    b"p=tls-unique,,n=mario,r=1\nc=biws,r=1SERVER,p=PROOF",
    b"n,a=x,n=mario,r=1\nc=biws,r=1,p=eA==",
    b"m=x,n=mario\n",
)
SCRAM_TOKENS = (
    *(
        b"n,,",
        b"y,,",
        b"p=",
        b"n=",
        b"r=",
        b"c=biws",
        b"i=",
        b"s=",
        b"v=",
        b"e=",
        b"m=",
        b"=2C",
        b"=3D",
        b"=2D",
    ),
    *(b"SERVER", b"PROOF", b",", b"\n", b"mario", b"====", b"c=eSws"),
)


def _scram_server() -> Attempt:
    def attempt(data: bytes) -> str:
        first, _, final = data.partition(b"\n")
        message = _as_base64(first)
        scram.begins_exchange(message)
        exchange = scram.ScramExchange(scram.ClientFirst.read(message), KEYS.salt, KEYS.iterations, "SERVER")
        server_first = base64.b64decode(exchange.server_first).decode()
        if not server_first.isprintable() or server_first.count(",") != 2:
            raise Broken("the server's first message can be misread")
        text = final.decode("utf-8", "surrogateescape")
        if "PROOF" in text:
            bare = first.decode("utf-8", "surrogateescape").split(",", 2)[2]
            said = ",".join((bare, server_first, text.rpartition(",p=")[0])).encode(
                "utf-8", "surrogateescape"
            )
            text = text.replace("PROOF", _proof(said))
        proof = exchange.read_final(_as_base64(text.encode("utf-8", "surrogateescape")))
        return "proved" if proof.answer(KEYS) else "not proved"

    return attempt


def _proof(said: bytes) -> str:
    signature = hmac.digest(KEYS.stored_key, said, "sha256")
    return base64.b64encode(bytes(a ^ b for a, b in zip(SECRET.client_key, signature, strict=True))).decode()


_NONCES = ("a b", "è", "x" * 1200, "\x7f", "", "a,b")
_MORE = (",m=x", ",x", ",x=", ",xx=y", ",x=y,z=a=b", ",p=x")


def _grow_exchange(random: Random) -> bytes:
    """Both messages of a client; each part of them is right nine times in ten."""

    def part(right: Sequence[str], wrong: Sequence[str]) -> str:
        return random.choice(right if random.random() < 0.9 else wrong)

    header = part(("n,,", "n,,", "y,,"), ("n,a=x,", "p=tls-unique,,", "n,", "x,,", ""))
    nonce = part(("abc", "a+b/c", "1", "!" * 90, "SERVER"), _NONCES)
    name = part(("mario", "ma=2Crio=3D", "=2C", "è", "m" * 300, "\u2028"), ("mar=io", "a\0b", "n=mario", ""))
    more = ("", "", ",x=y", ",x=y,z=a=b")
    bare = f"n={name},r={nonce}{part(more, _MORE)}"
    again = nonce + part(("SERVER",), ("server", "", "SERVERx"))
    right = base64.b64encode(header.encode()).decode()
    binding = part((right,), ("biws", "eSws", "cD10bHMtdW5pcXVlLCw=", "x", "", "====", "è"))
    proof = part(("PROOF",), ("eA==", "PROOFPROOF", "x", "", "PROOF,x=y", "é", "e" * 44))
    return f"{header}{bare}\nc={binding},r={again}{part(more, _MORE)},p={proof}".encode()


SECRET = scram.derive_secret(MD5, b"0123456789abcdef", scram.DERIVED_ITERATIONS)


def _as_base64(data: bytes) -> str:
    """A message as it travels; one in ten as it is, which is no base64 then."""
    if len(data) % 10 == 9:
        return data.decode("utf-8", "replace")
    return base64.b64encode(data).decode()


# -- the control socket


def _obey(line: CommandLine) -> ControlDocument:
    if line.rest.startswith("x"):
        raise NotObeyed(f"no {line.rest}")
    return {"line": line.rest, "list": list(line.args), "after": line.after(1)}


def _control() -> Attempt:
    def attempt(data: bytes) -> str:
        heard: list[ControlAction] = []
        rights = EVERYTHING if len(data) % 3 else LOOK_ONLY
        handlers = dict.fromkeys(ControlCommand, _obey)
        conversation = ControlConversation(Peer(1, 0, frozenset()), rights, handlers, heard.append)
        buffer = LineBuffer(MAX_COMMAND)
        said = bytearray()
        bad = 0
        for piece in _pieces(data):
            for line in buffer.feed(piece):
                if conversation.over:
                    break
                said += b"".join(conversation.answer(line))
                bad += 1
        check_lines(bytes(said), 40 * len(data) + 4096 + 200 * bad)
        return "over" if conversation.over else "goes on"

    return attempt


_CONTROL_LINES = tuple(
    f"{command} {words}".rstrip().encode() + b"\n"
    for command in ControlCommand
    for words in ("", "mario", "x", "mario Lunch break", "1795430727.1", "PJSIP/201 -1", "a b c d e")
)


def _control_seeds() -> list[bytes]:
    lines = [
        f"{command} {word}\n"
        for command in ControlCommand
        for word in ("", "mario", "x", "mario Lunch break")
    ]
    return ["".join(lines[start : start + 4]).encode() for start in range(0, len(lines), 4)] + [
        b"NOOP\nCAPA\nQUIT\n",
        b"STATUS" + b" x" * 3000 + b"\n",
        b"y\n" * (MAX_BAD_LINES + 2),
    ]


TARGETS = (
    FuzzTarget(
        "client-conversation",
        "all that a client says on a connection to the server",
        _talk,
        _scripts,
        tokens=TOKENS,
        grow=lines_like(_SAID, _BEFORE, 12),
        longest=16384,
        reaches="logged in",
    ),
    FuzzTarget(
        "scram-server",
        "a client's messages of SCRAM",
        _scram_server,
        lambda: SCRAM_SEEDS,
        refusals=(scram.BadScram,),
        tokens=SCRAM_TOKENS,
        grow=_grow_exchange,
        longest=4096,
        reaches="proved",
    ),
    FuzzTarget(
        "control-lines",
        "all that is said on the control socket",
        _control,
        _control_seeds,
        tokens=tuple(command.encode() + b" " for command in ControlCommand) + TOKENS,
        grow=lines_like(_CONTROL_LINES, (b"", b"CAPA\r\n", b"x\n"), 8),
        longest=16384,
        reaches="goes on",
    ),
)

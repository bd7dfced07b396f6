"""Telephones that know what they did: any number of them, in one thread, on asyncio.

A telephone rings (180) as soon as it is called. While a leg talks it sends sound that carries the leg's own
number, so a leg knows whom it hears without any event of Asterisk's. Asterisk passes ulaw through unchanged;
where it mixes (a conference) nobody is recognised.

Everything here belongs to the thread of the event loop.
"""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
import uuid
from collections.abc import Callable
from urllib.parse import quote

from tests.asterisk.matrix.sip import (
    SipDialog,
    SipMessage,
    media_port,
    response,
    sdp,
    tag_of,
    uri_of,
    user_of,
)
from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

LOOPBACK = "127.0.0.1"
T1 = 0.5  # RFC 3261: the first repetition of what is not answered
SOUND_EVERY = (
    0.1  # often enough for Asterisk to take Local channels out of a call; 20 ms would cost five times that
)
BETWEEN_DIGITS = 0.1  # Asterisk takes INFO digits that come quicker for bouncing keys
SETTLE = 0.4  # Answer() waits for the first sound
MARK = b"leg"  # begins the sound of a leg; silence and music do not have it
SAMPLES = 160
RECEIVE_BUFFER = 4 << 20

RTP_HEAD = 12

Address = tuple[str, int]


class TelephoneError(Exception):
    """A call did not go the way it was told to."""


def marked(number: int) -> bytes:
    """The mark of a leg, four bits a byte: ulaw has two zeros (7f, ff), and transcoding makes one of them."""
    return MARK + bytes(0x40 | (number >> shift & 0x0F) for shift in (12, 8, 4, 0))


def number_in(sound: bytes) -> int:
    """Whose sound it is, or 0."""
    if not sound.startswith(MARK):
        return 0
    number = 0
    for byte in sound[len(MARK) : len(MARK) + 4]:
        number = number << 4 | byte & 0x0F
    return number


class SipLeg:
    """One call of one telephone, from its INVITE to its end."""

    def __init__(self, phone: Telephone, dialog: SipDialog, number: int, shown: str) -> None:
        self.phone = phone
        self.dialog = dialog
        self.number = number  # in the sound it sends
        self.shown = shown  # whom the INVITE named: the caller's number, or what was dialled
        self.ringing = False  # the other end rings, or we do
        self.up = False
        self.over = ""  # "", or how it ended: bye, cancelled, elsewhere, refused NNN, hung up
        self.heard: SipLeg | None = None  # who was heard last
        self.referred = 0  # the last status that a NOTIFY told of our REFER
        self.media = 0  # Asterisk's port
        self.invite: SipMessage | None = None  # the one that began it
        self.sending = True
        self._ssrc = struct.pack("!I", uuid.uuid4().int >> 96)
        self._sent = 0

    def __repr__(self) -> str:
        return f"{self.phone.name}#{self.number}"

    async def answer(self) -> None:
        """Take a call that rings here; return once it is acknowledged."""
        assert self.invite is not None
        self.phone.socket.respond(self.invite, 200, self, sdp(self.phone.network.rtp_port))
        await self.phone.network.until(lambda: self.up or self.over, f"{self} answers")

    def refuse(self, status: int = 486) -> None:
        """Do not take a call that rings here."""
        assert self.invite is not None
        self.phone.socket.respond(self.invite, status, self)
        self.end(f"refused {status}")

    async def answered(self) -> None:
        """Wait until the call is answered; TelephoneError if it ends instead."""
        await self.phone.network.until(lambda: self.up or self.over, f"{self} is answered")
        if not self.up:
            raise TelephoneError(f"{self} was not answered: {self.over}")

    async def ended(self) -> None:
        """Wait for the end of the call."""
        await self.phone.network.until(lambda: self.over, f"{self} ends")

    async def hang_up(self) -> None:
        """End the call, in whatever state it is; harmless when it is over."""
        if self.over:
            return
        if self.up:
            await self._ask("BYE")
            self.end("hung up")
        else:
            assert self.invite is not None
            self.phone.socket.send_cancel(self.invite, self.dialog)
            await self.ended()

    async def press(self, keys: str) -> None:
        """Press keys, told as SIP INFO."""
        for key in keys:
            body = f"Signal={key}\r\nDuration=100\r\n"
            await self._ask("INFO", ("content-type", "application/dtmf-relay"), body=body)
            await asyncio.sleep(BETWEEN_DIGITS)

    async def refer(self, exten: str, into: SipLeg | None = None) -> None:
        """Transfer the other end: blind to `exten`, or into our other call (REFER, RFC 3515 and 3891)."""
        replaces = f"?Replaces={quote(into.dialog.replaces, safe='')}" if into else ""
        target = f"<sip:{exten}@{LOOPBACK}:{self.phone.network.server[1]}{replaces}>"
        by = ("referred-by", f"<{self.dialog.contact}>")
        await self._ask("REFER", ("refer-to", target), by)

    async def hold(self, held: bool = True) -> None:
        """Put the other end on hold, or take it back."""
        body = sdp(self.phone.network.rtp_port, "sendonly" if held else "sendrecv")
        await self._ask("INVITE", ("content-type", "application/sdp"), body=body)
        self.sending = not held

    def begin(self, body: str) -> None:
        """The call is up; `body` says where the other end gets its sound."""
        self.describe(body)
        if not self.up:
            self.up = True
            self.phone.network.changed()

    def describe(self, body: str) -> None:
        """Take in what the other end says of its sound."""
        if port := media_port(body):
            self.phone.network.listen_to(self, port)

    def end(self, how: str) -> None:
        """The call is over."""
        if not self.over:
            self.over = how
            self.phone.network.forget(self)

    def sound(self) -> bytes:
        """The next piece of sound: an RTP packet that says whose it is."""
        self._sent += 1
        head = struct.pack("!BBHI", 0x80, 0, self._sent & 0xFFFF, self._sent * SAMPLES & 0xFFFFFFFF)
        return head + self._ssrc + marked(self.number).ljust(SAMPLES, b"\xff")

    async def _ask(self, method: str, *headers: tuple[str, str], body: str = "") -> None:
        answer = await self.phone.socket.ask(self.dialog.request(method, *headers, body=body), self.dialog)
        if answer.status >= 300 and not self.over and answer.status != 481:
            raise TelephoneError(f"{self}: {method} was answered with {answer.start}")


class Telephone:
    """A telephone, or one number at the end of a trunk."""

    def __init__(self, network: TelephoneNetwork, name: str, line: SipPort) -> None:
        self.network = network
        self.name = name
        self.socket = line
        self.waiting: list[SipLeg] = []  # called, and nobody looked yet

    async def dial(self, exten: str, display: str = "") -> SipLeg:
        """Call `exten`; returns at once, see `SipLeg.answered`."""
        here = f"sip:{self.name}@{LOOPBACK}:{self.socket.port}"
        there = f"sip:{exten}@{LOOPBACK}:{self.network.server[1]}"
        local = f'"{display or self.name}" <{here}>;tag={uuid.uuid4().hex[:12]}'
        dialog = SipDialog(uuid.uuid4().hex, local, f"<{there}>", there, here, [("x-rig", self.socket.name)])
        leg = self.network.new_leg(self, dialog, exten)
        invite = dialog.request(
            "INVITE", ("content-type", "application/sdp"), body=sdp(self.network.rtp_port)
        )
        leg.invite = invite
        self.socket.send_invite(invite)
        return leg

    async def rings(self, timeout: float = PATIENCE) -> SipLeg:
        """The next call that rings here and that nobody has asked for yet."""
        await self.network.until(lambda: self.waiting, f"{self.name} rings", timeout)
        return self.waiting.pop(0)


class SipPort(asyncio.DatagramProtocol):
    """One UDP port with the telephones behind it."""

    def __init__(self, network: TelephoneNetwork, name: str) -> None:
        self.network = network
        self.name = name
        self.port = free_port(socket.SOCK_DGRAM)
        self._transport: asyncio.DatagramTransport | None = None
        self._repeated: dict[tuple[str, str], asyncio.TimerHandle] = {}
        self._answers: dict[tuple[str, str], asyncio.Future[SipMessage]] = {}
        self._said: dict[tuple[str, str], bytes] = {}  # our last response of each transaction

    async def open(self) -> None:
        """Bind the port."""
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        own.bind((LOOPBACK, self.port))
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, sock=own)

    def close(self) -> None:
        """Repeat nothing any more, and give the port back."""
        for timer in self._repeated.values():
            timer.cancel()
        if self._transport:
            self._transport.close()

    def send_invite(self, invite: SipMessage) -> None:
        """Send an INVITE of ours until something is heard of it."""
        self._stamp(invite)
        self._repeat(invite.transaction, invite.encoded(), T1)

    def send_cancel(self, invite: SipMessage, dialog: SipDialog) -> None:
        """Take an INVITE of ours back; the answer to it ends the leg."""
        number = int(invite.get("cseq").split()[0])
        cancel = dialog.numbered("CANCEL", number)
        cancel.headers[:0] = invite.all("via")  # the same branch: RFC 3261 section 9.1
        cancel.headers = [
            (name, invite.get("to") if name == "to" else value) for name, value in cancel.headers
        ]
        cancel.start = invite.start.replace("INVITE", "CANCEL", 1)
        self._repeat(cancel.transaction, cancel.encoded(), T1)

    async def ask(self, request: SipMessage, dialog: SipDialog) -> SipMessage:
        """Send a request within a call and return the final answer."""
        self._stamp(request)
        answer: asyncio.Future[SipMessage] = asyncio.get_running_loop().create_future()
        self._answers[request.transaction] = answer
        self._repeat(request.transaction, request.encoded(), T1)
        try:
            final = await asyncio.wait_for(answer, PATIENCE)
        except TimeoutError:
            raise TelephoneError(f"no answer to {request.start}") from None
        if request.method == "INVITE":
            number = int(request.get("cseq").split()[0])
            self._send_ack(dialog, number, final)
        return final

    def respond(self, request: SipMessage, status: int, leg: SipLeg | None, body: str = "") -> None:
        """Answer a request. A final answer to an INVITE is repeated until it is acknowledged."""
        headers: list[tuple[str, str]] = []
        if leg:
            headers.append(("contact", f"<{leg.dialog.contact}>"))
        if body:
            headers.append(("content-type", "application/sdp"))
        tag = tag_of(leg.dialog.local) if leg else uuid.uuid4().hex[:12]
        data = response(request, status, tag, *headers, body=body).encoded()
        self._said[request.transaction] = data
        if request.method == "INVITE" and status >= 200:
            self._repeat((request.get("call-id"), request.get("cseq").split()[0]), data, T1)
        else:
            self._write(data)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One datagram of Asterisk's."""
        message = SipMessage.parse(data)
        if message.status:
            self._hear_answer(message)
        elif message.method == "ACK":
            self._hear_ack(message)
        elif said := self._said.get(message.transaction):
            self._write(said)  # it did not hear our answer
        else:
            self._hear_request(message)

    def _hear_answer(self, message: SipMessage) -> None:
        self._stop(message.transaction)
        leg = self.network.legs.get((message.get("call-id"), tag_of(message.get("from"))))
        first = leg and leg.invite and leg.invite.transaction == message.transaction
        if leg and first and message.method == "INVITE":
            self._hear_of_call(leg, message)
        elif message.status >= 200 and (future := self._answers.pop(message.transaction, None)):
            if not future.done():
                future.set_result(message)
        elif message.method == "INVITE" and 200 <= message.status < 300 and leg:
            self._send_ack(leg.dialog, int(message.get("cseq").split()[0]), message)

    def _hear_of_call(self, leg: SipLeg, message: SipMessage) -> None:
        """An answer to the INVITE with which a leg of ours began."""
        if message.status < 200:
            leg.ringing = leg.ringing or message.status == 180
            self.network.changed()
            return
        assert leg.invite is not None
        leg.dialog.remote = message.get("to")
        if message.status < 300:
            leg.dialog.target = uri_of(message.get("contact")) or leg.dialog.target
            self._send_ack(leg.dialog, 1, message)
            leg.begin(message.body)
        else:
            ack = leg.dialog.numbered("ACK", 1)
            ack.headers[:0] = leg.invite.all("via")
            ack.start = leg.invite.start.replace("INVITE", "ACK", 1)
            self._write(ack.encoded())
            leg.end("cancelled" if message.status == 487 else f"refused {message.status}")

    def _hear_ack(self, message: SipMessage) -> None:
        self._stop((message.get("call-id"), message.get("cseq").split()[0]))
        leg = self.network.leg_of(message)
        if leg and not leg.over:
            leg.begin(message.body)

    def _hear_request(self, message: SipMessage) -> None:
        leg = self.network.leg_of(message)
        if message.method == "INVITE" and not tag_of(message.get("to")):
            self._hear_call(message)
        elif message.method == "CANCEL":
            self._hear_cancel(message)
        elif message.method == "OPTIONS":
            self.respond(message, 200, leg)
        elif leg is None or leg.over:
            self.respond(message, 200 if message.method in ("BYE", "NOTIFY") else 481, leg)
        else:
            self._hear_within(leg, message)

    def _hear_within(self, leg: SipLeg, message: SipMessage) -> None:
        """A request within a call."""
        offers = message.method in ("INVITE", "UPDATE")
        self.respond(message, 200, leg, sdp(self.network.rtp_port) if offers else "")
        if offers:
            leg.describe(message.body)
        elif message.method == "BYE":
            leg.end("bye")
        elif message.method == "NOTIFY" and message.body.startswith("SIP/2.0 "):
            leg.referred = int(message.body.split()[1])
            self.network.changed()

    def _hear_call(self, invite: SipMessage) -> None:
        """A new call for one of the telephones here: it rings."""
        phone = self.network.phone(invite.user, self)
        here = f"sip:{phone.name}@{LOOPBACK}:{self.port}"
        local = f"{invite.get('to')};tag={uuid.uuid4().hex[:12]}"
        target = uri_of(invite.get("contact"))
        extra = [("x-rig", self.name)]
        dialog = SipDialog(invite.get("call-id"), local, invite.get("from"), target, here, extra, cseq=100)
        leg = self.network.new_leg(phone, dialog, user_of(uri_of(invite.get("from"))))
        leg.invite = invite
        leg.ringing = True
        leg.describe(invite.body)
        phone.waiting.append(leg)
        self.respond(invite, 180, leg)
        self.network.changed()

    def _hear_cancel(self, message: SipMessage) -> None:
        self.respond(message, 200, None)
        leg = next((leg for leg in self.network.of_call(message) if leg.invite and not leg.up), None)
        if leg and leg.invite and not leg.over:
            self.respond(leg.invite, 487, leg)
            leg.end("elsewhere" if "completed elsewhere" in message.get("reason") else "cancelled")

    def _send_ack(self, dialog: SipDialog, number: int, final: SipMessage) -> None:
        if 200 <= final.status < 300:
            ack = dialog.numbered("ACK", number)
            self._stamp(ack)
            self._write(ack.encoded())

    def _stamp(self, request: SipMessage) -> None:
        branch = f"z9hG4bK{uuid.uuid4().hex[:16]}"
        request.headers.insert(0, ("via", f"SIP/2.0/UDP {LOOPBACK}:{self.port};branch={branch}"))

    def _repeat(self, key: tuple[str, str], data: bytes, after: float) -> None:
        self._write(data)
        if after < 64 * T1:
            loop = asyncio.get_running_loop()
            self._repeated[key] = loop.call_later(after, self._repeat, key, data, 2 * after)

    def _stop(self, key: tuple[str, str]) -> None:
        if timer := self._repeated.pop(key, None):
            timer.cancel()

    def _write(self, data: bytes) -> None:
        if self._transport and not self._transport.is_closing():
            self._transport.sendto(data, self.network.server)


class Sound(asyncio.DatagramProtocol):
    """The one RTP port of all legs: who a packet is for is told by the port it comes from."""

    def __init__(self, network: TelephoneNetwork) -> None:
        self.network = network
        self.transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: Address) -> None:
        """One packet of Asterisk's."""
        if number := number_in(data[RTP_HEAD:]):
            self.network.hear(addr[1], number)


class TelephoneNetwork:
    """All telephones of a run and the ports they share. `open` it within the loop, `close` it in the end."""

    def __init__(self, sip_port: int, lines: tuple[str, ...]) -> None:
        self.server = (LOOPBACK, sip_port)
        self.lines = {name: SipPort(self, name) for name in lines}
        self.legs: dict[tuple[str, str], SipLeg] = {}  # by Call-ID and our own tag
        self.rtp_port = free_port(socket.SOCK_DGRAM)
        self.hearings: list[tuple[SipLeg, SipLeg]] = []  # (who, whom), each time that it changed
        self._phones: dict[str, Telephone] = {}
        self._by_number: dict[int, SipLeg] = {}
        self._by_media: dict[int, SipLeg] = {}
        self._numbers = itertools.count(1)
        self._waiting: dict[asyncio.Future[None], Callable[[], object]] = {}
        self._sound = Sound(self)
        self._talking: asyncio.Task[None] | None = None
        self._silent = ""  # why nothing is heard any more

    async def open(self) -> None:
        """Bind all ports and begin to sound."""
        for line in self.lines.values():
            await line.open()
        own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        own.bind((LOOPBACK, self.rtp_port))
        own.setblocking(False)
        loop = asyncio.get_running_loop()
        self._sound.transport, _ = await loop.create_datagram_endpoint(lambda: self._sound, sock=own)
        self._talking = asyncio.create_task(self._talk())
        self._talking.add_done_callback(self._fell_silent)

    async def close(self) -> None:
        """Give all ports back; calls that are still up are left as they are."""
        if self._talking:
            self._talking.cancel()
        if self._sound.transport:
            self._sound.transport.close()
        for line in self.lines.values():
            line.close()
        await asyncio.sleep(0)  # a transport closes in the loop's next round

    def phone(self, name: str, line: SipPort | None = None) -> Telephone:
        """The telephone of that name, on the first line unless it is said."""
        if name not in self._phones:
            self._phones[name] = Telephone(self, name, line or next(iter(self.lines.values())))
        return self._phones[name]

    async def until(self, fact: Callable[[], object], what: str, timeout: float = PATIENCE) -> None:
        """Wait until something is so; TelephoneError with `what` if it does not come to be."""
        if self._silent:
            raise TelephoneError(self._silent)
        if fact():
            return
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[waiting] = fact
        try:
            await asyncio.wait_for(waiting, timeout)
        except TimeoutError:
            raise TelephoneError(f"it did not come true within {timeout:.0f} s: {what}") from None
        finally:
            self._waiting.pop(waiting, None)

    def changed(self) -> None:
        """Something is different: look who waited for it."""
        for waiting, fact in list(self._waiting.items()):
            if not waiting.done() and fact():
                waiting.set_result(None)

    def new_leg(self, phone: Telephone, dialog: SipDialog, shown: str) -> SipLeg:
        """A leg that begins now."""
        leg = SipLeg(phone, dialog, next(self._numbers), shown)
        self.legs[dialog.call_id, tag_of(dialog.local)] = leg
        self._by_number[leg.number] = leg
        return leg

    def leg_of(self, request: SipMessage) -> SipLeg | None:
        """Whose call a request is about."""
        return self.legs.get((request.get("call-id"), tag_of(request.get("to"))))

    def of_call(self, request: SipMessage) -> list[SipLeg]:
        """The legs with the Call-ID of the request."""
        return [leg for (call_id, _), leg in self.legs.items() if call_id == request.get("call-id")]

    def listen_to(self, leg: SipLeg, port: int) -> None:
        """What comes from that port of Asterisk's is what `leg` hears."""
        if leg.media:
            self._by_media.pop(leg.media, None)
        leg.media = port
        self._by_media[port] = leg

    def hear(self, port: int, number: int) -> None:
        """A piece of sound of the leg with that number came from that port."""
        leg, other = self._by_media.get(port), self._by_number.get(number)
        if leg and other and leg.heard is not other:
            leg.heard = other
            self.hearings.append((leg, other))
            self.changed()

    def forget(self, leg: SipLeg) -> None:
        """The leg is over: what comes from its port may soon be for another."""
        if self._by_media.get(leg.media) is leg:
            del self._by_media[leg.media]
        self.changed()

    def _fell_silent(self, task: asyncio.Task[None]) -> None:
        """Without sound no step can succeed: let all fail at once, and say why."""
        if not task.cancelled() and (error := task.exception()):
            self._silent = f"the telephones are silent: {type(error).__name__}: {error}"

    async def _talk(self) -> None:
        transport = self._sound.transport
        while transport:
            for leg in list(self._by_media.values()):
                if leg.up and leg.sending:
                    transport.sendto(leg.sound(), (LOOPBACK, leg.media))
            await asyncio.sleep(SOUND_EVERY)

"""SIP messages (RFC 3261), and the little SDP that a telephone needs. No I/O."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field

CRLF = "\r\n"
COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
REASONS = {180: "Ringing", 200: "OK", 481: "Call Does Not Exist", 486: "Busy Here", 487: "Request Terminated"}


@dataclass
class SipMessage:
    """A request or a response. Names of headers are kept in lower case; a repeated one keeps its order."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> SipMessage:
        """The message of one datagram; bytes that are no UTF-8 are replaced."""
        head, _, body = data.decode("utf-8", "replace").partition(CRLF + CRLF)
        start, *lines = head.split(CRLF)
        pairs = (line.partition(":") for line in lines)
        named = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
        return cls(start, [(COMPACT.get(name, name), value) for name, value in named], body)

    def encoded(self) -> bytes:
        """The bytes of the datagram, with the Content-Length they need."""
        body = self.body.encode()
        lines = [self.start, *(f"{name}: {value}" for name, value in self.headers)]
        lines.append(f"content-length: {len(body)}")
        return CRLF.join([*lines, "", ""]).encode() + body

    def get(self, name: str) -> str:
        """The first header of that name, or an empty string."""
        return next((value for header, value in self.headers if header == name), "")

    def all(self, name: str) -> list[tuple[str, str]]:
        """Every header of that name, as it goes into a response."""
        return [(header, value) for header, value in self.headers if header == name]

    @property
    def status(self) -> int:
        """The code of a response; 0 of a request."""
        return int(self.start.split()[1]) if self.start.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """INVITE and so on; of a response that of the request it answers."""
        return self.get("cseq").split()[-1] if self.status else self.start.split()[0]

    @property
    def user(self) -> str:
        """Who a request is for: the user of its address."""
        return user_of(self.start.split()[1])

    @property
    def transaction(self) -> tuple[str, str]:
        """What ties a response to its request: the branch of the uppermost Via, and the method."""
        found = re.search(r"branch=([^;,\s]+)", self.get("via"))
        return (found[1] if found else "", self.method)


@dataclass
class SipDialog:
    """The names of one call between two telephones (RFC 3261 section 12), as one of them sees it."""

    call_id: str
    local: str  # From of what we send, with its tag
    remote: str  # To of what we send, with its tag once known
    target: str  # where requests go
    contact: str
    extra: list[tuple[str, str]] = field(default_factory=list)  # headers of every request of ours
    cseq: int = 0

    def request(self, method: str, *headers: tuple[str, str], body: str = "") -> SipMessage:
        """The next request of this dialog, without a Via."""
        self.cseq += 1
        return self.numbered(method, self.cseq, *headers, body=body)

    def numbered(self, method: str, cseq: int, *headers: tuple[str, str], body: str = "") -> SipMessage:
        """A request with a given number, as ACK and CANCEL repeat that of their INVITE."""
        common = [
            ("from", self.local),
            ("to", self.remote),
            ("call-id", self.call_id),
            ("cseq", f"{cseq} {method}"),
            ("contact", f"<{self.contact}>"),
            ("max-forwards", "70"),
        ]
        return SipMessage(f"{method} {self.target} SIP/2.0", [*common, *self.extra, *headers], body)

    @property
    def replaces(self) -> str:
        """This call as a Replaces header names it to the other end (RFC 3891)."""
        return f"{self.call_id};to-tag={tag_of(self.remote)};from-tag={tag_of(self.local)}"


def response(
    request: SipMessage, status: int, tag: str, *headers: tuple[str, str], body: str = ""
) -> SipMessage:
    """The answer to a request; `tag` goes into its To if that has none."""
    to = request.get("to")
    copied = [*request.all("via"), ("from", request.get("from"))]
    copied += [("to", to if tag_of(to) else f"{to};tag={tag}"), ("call-id", request.get("call-id"))]
    copied += [("cseq", request.get("cseq"))]
    return SipMessage(f"SIP/2.0 {status} {REASONS.get(status, 'Said')}", [*copied, *headers], body)


def sdp(rtp_port: int, direction: str = "sendrecv") -> str:
    """A description of one ulaw stream on loopback."""
    lines = ["v=0", f"o=phone {uuid.uuid4().int >> 96} 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1"]
    lines += ["t=0 0", f"m=audio {rtp_port} RTP/AVP 0", "a=rtpmap:0 PCMU/8000", f"a={direction}", ""]
    return CRLF.join(lines)


def media_port(body: str) -> int:
    """Where the other end wants to get its sound; 0 if the body has no description."""
    found = re.search(r"^m=audio (\d+)", body, re.MULTILINE)
    return int(found[1]) if found else 0


def tag_of(address: str) -> str:
    """The tag of a From or To."""
    found = re.search(r";tag=([^;\s]+)", address)
    return found[1] if found else ""


def uri_of(address: str) -> str:
    """The address between the angle brackets of a Contact, From or To."""
    found = re.search(r"<([^>]+)>", address)
    return found[1] if found else address.partition(";")[0]


def user_of(uri: str) -> str:
    """The user of sip:user@host, or an empty string."""
    found = re.match(r"sips?:([^@;]+)@", uri)
    return found[1] if found else ""

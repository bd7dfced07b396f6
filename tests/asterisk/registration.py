"""Registering a phone, so that each phone process may have a port of its own.

A fixed port would be simpler, but then a new phone would get what Asterisk repeats for a stopped one.
"""

import socket
import uuid

from tests.fake.patience import PATIENCE
from tests.fake.ports import free_port

REGISTER = """\
REGISTER sip:127.0.0.1:{server} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{unique}
From: <sip:{name}@127.0.0.1>;tag={unique}
To: <sip:{name}@127.0.0.1>
Call-ID: {unique}
CSeq: 1 REGISTER
X-Rig: {name}
Contact: {contact}
Expires: {expires}
Max-Forwards: 70
Content-Length: 0

"""


class NotRegistered(Exception):
    """Asterisk did not accept a registration."""


def register(name: str, server: int) -> int:
    """Register the phone at the Asterisk on that UDP port; return the phone's own new UDP port."""
    return _say(name, server, 3600)


def unregister(name: str, server: int) -> None:
    """Take the phone's registration back; Asterisk then holds the phone for unavailable."""
    _say(name, server, 0)


def _say(name: str, server: int, expires: int) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.bind(("127.0.0.1", free_port(socket.SOCK_DGRAM)))
        own.settimeout(PATIENCE)
        port: int = own.getsockname()[1]
        contact = f"<sip:{name}@127.0.0.1:{port}>" if expires else "*"
        text = REGISTER.format(
            name=name, server=server, port=port, contact=contact, expires=expires, unique=uuid.uuid4().hex
        )
        own.connect(("127.0.0.1", server))  # so that a server that is gone shows at once
        try:
            own.send(text.replace("\n", "\r\n").encode())
            status = own.recv(65536).partition(b"\r\n")[0].decode("latin-1")
            while status.startswith("SIP/2.0 1"):
                status = own.recv(65536).partition(b"\r\n")[0].decode("latin-1")
        except OSError as error:
            raise NotRegistered(f"{name}: no answer from Asterisk ({error})") from None
        if not status.startswith("SIP/2.0 200"):
            raise NotRegistered(f"{name}: {status}")
        return port

"""As much of MQTT 3.1.1 as a comparison with a message broker needs: packets to bytes and back, without I/O.

Everything is sent at most once (QoS 0), as a notification is: what is acknowledged costs more.
"""

from __future__ import annotations

from typing import Final

CONNACK: Final = 0x20
SUBACK: Final = 0x90
PUBLISH: Final = 0x30
CONNACK_BYTES: Final = b"\x20\x02\x00\x00"
_KEEP_ALIVE: Final = b"\x00\x00"  # never ask whether the other end is there
_CLEAN_SESSION: Final = b"\x02"


def connect(name: str) -> bytes:
    """Ask to be let in, under a name that nobody else has."""
    return _packet(0x10, _text("MQTT") + b"\x04" + _CLEAN_SESSION + _KEEP_ALIVE + _text(name))


def subscribe(topic: str) -> bytes:
    """Subscribe to a topic."""
    return _packet(0x82, b"\x00\x01" + _text(topic) + b"\x00")


def publish(topic: str, payload: bytes) -> bytes:
    """Send to all who subscribed to a topic."""
    return _packet(PUBLISH, _text(topic) + payload)


def take(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """The whole packets at the beginning of `data`, as type and body, and what is left."""
    packets = []
    at = 0
    while (found := _length(data, at + 1)) is not None:
        size, begin = found
        if len(data) < begin + size:
            break
        packets.append((data[at] & 0xF0, data[begin : begin + size]))
        at = begin + size
    return packets, data[at:]


def payload(body: bytes) -> bytes:
    """What was published, without its topic."""
    return body[2 + int.from_bytes(body[:2], "big") :]


def _packet(first: int, body: bytes) -> bytes:
    size = bytearray()
    left = len(body)
    while left > 0x7F:
        size.append(left & 0x7F | 0x80)
        left >>= 7
    return bytes([first]) + bytes(size) + bytes([left]) + body


def _length(data: bytes, at: int) -> tuple[int, int] | None:
    """The number that begins at `at`, seven bits a byte, and where it ends; None if it is not all there."""
    size = shift = 0
    while at < len(data):
        size |= (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return size, at
        shift += 7
    return None


def _text(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded

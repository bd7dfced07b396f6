"""The whole AMI stream of a run, as the server would read it, and cutting out what is about one call."""

from __future__ import annotations

import asyncio
import re

from tests.asterisk.ami_session import BLOCK_END, Message
from tests.asterisk.matrix.combinations import Combination

LOGIN = b"Action: Login\r\nUsername: astcti\r\nSecret: astcti\r\nEvents: on\r\n\r\n"
IDS = ("Uniqueid", "Linkedid", "BridgeUniqueid")


class Recorder:
    """A manager session with the server's rights that reads everything and asks nothing."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._data = bytearray()
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Log in; everything is kept from here on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        writer.write(LOGIN)
        self._data += await reader.readuntil(b"FullyBooted")
        self._task = asyncio.create_task(self._read(reader, writer))

    async def close(self) -> bytes:
        """Stop; return the stream so far, in whole blocks."""
        if self._task:
            self._task.cancel()
        return bytes(self._data[: self._data.rfind(BLOCK_END) + len(BLOCK_END)])

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self._data += data
        finally:
            writer.close()


class Stream:
    """A recorded stream, taken apart once."""

    def __init__(self, data: bytes) -> None:
        banner, _, rest = data.partition(b"\r\n")
        self._banner = banner + b"\r\n"
        self._blocks = [block for block in rest.split(BLOCK_END) if block]
        self._messages = [Message.parse(block) for block in self._blocks]

    def about(self, combination: Combination) -> bytes:
        """What was said of one combination's channels, bridges and queues: a transcript of its own.

        Whoever has one of its telephones or numbers in any field belongs to it, and then whoever has the same
        id of a channel or bridge.
        """
        number = f"{combination.number:03}"
        names = rf"\b(4{number}[123]|{combination.caller}|05[567]{number}01|[qr]{number}|[678]{number}|7{number}[01])\b"
        named = re.compile(names.encode())
        direct = [bool(named.search(block)) for block in self._blocks]
        known: set[str] = set()
        for message, ours in zip(self._messages, direct, strict=True):
            if ours:
                known |= self._ids(message)
        kept = [
            block
            for block, message, ours in zip(self._blocks, self._messages, direct, strict=True)
            if ours or known & self._ids(message) or "Event" not in message
        ]
        return self._banner + b"".join(block + BLOCK_END for block in kept)

    def _ids(self, message: Message) -> set[str]:
        return {value for key, value in message.items() if key.endswith(IDS) and value}

"""The whole AMI stream of a run, as the server would read it, and cutting out what is about one call."""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import defaultdict

from tests.asterisk.ami_session import BLOCK_END
from tests.asterisk.matrix.combinations import Combination

LOGIN = b"Action: Login\r\nUsername: astcti\r\nSecret: astcti\r\nEvents: on\r\n\r\n"
# Telephones, numbers, queues, lots and agents of a combination; the group is its number.
NAMES = re.compile(
    rb"\b(?:4(\d{3})[123]|333(\d{3})0001|05[5-9](\d{3})01|[qr](\d{3})|7(\d{3})[01]"
    rb"|(?:Local/|Agent:)[168]\d?(\d{3}))\b"
)
AN_ID = re.compile(rb"^\w*(?:[Uu]nique[Ii][Dd]|Linkedid): (\S+)\r?$", re.MULTILINE)


class StreamRecorder:
    """A manager session with the server's rights that reads everything. What it sends is not recorded."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._data = bytearray()
        self._task: asyncio.Task[None] | None = None

    async def open(self, variables: str = "") -> None:
        """Log in; everything is kept from here on. With `variables` ask what there is, as the server does."""
        actions = f"Action: Status\r\nVariables: {variables}\r\n\r\n" if variables else ""
        await self._log_in(LOGIN + actions.encode(), b"StatusComplete" if variables else b"FullyBooted")

    async def open_early(self, actions: tuple[str, ...]) -> None:
        """Log in while Asterisk starts (ConnectionRefusedError before it listens), and ask at once."""
        asked = "".join(f"Action: {action}\r\n\r\n" for action in actions)
        await self._log_in(LOGIN + asked.encode(), b"FullyBooted")

    async def cut(self) -> None:
        """Lose the connection; the recording goes on with the next `open`."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        del self._data[self._data.rfind(BLOCK_END) + len(BLOCK_END) :]

    async def close(self) -> bytes:
        """Stop; return the stream, in whole blocks."""
        await self.cut()
        return bytes(self._data)

    async def _log_in(self, actions: bytes, until: bytes) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        writer.write(actions)
        self._data += await reader.readuntil(until)
        self._task = asyncio.create_task(self._read(reader, writer))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(1 << 16):
                self._data += data
        finally:
            writer.close()


class RecordedStream:
    """A recorded stream, taken apart once."""

    def __init__(self, data: bytes) -> None:
        banner, _, rest = data.partition(b"\r\n")
        self._banner = banner + b"\r\n"
        self._blocks = [block for block in rest.split(BLOCK_END) if block]
        self._naming: dict[bytes, set[int]] = defaultdict(set)  # blocks by combination number
        self._with_id: dict[bytes, set[int]] = defaultdict(set)  # and by the id of a channel or bridge
        self._ids = [set(AN_ID.findall(block)) for block in self._blocks]
        for index, block in enumerate(self._blocks):
            for found in NAMES.finditer(block):
                self._naming[found[found.lastindex or 0]].add(index)
            for name in self._ids[index]:
                self._with_id[name].add(index)

    def about(self, combination: Combination) -> bytes:
        """What was said of one combination's channels, bridges and queues: a transcript of its own.

        A block belongs to it that has one of its telephones or numbers in any field, and then each that has
        the same id of a channel or bridge.
        """
        direct = self._naming[f"{combination.number:03}".encode()]
        ids = set().union(*(self._ids[index] for index in direct))
        kept = direct.union(*(self._with_id[name] for name in ids))
        return self._banner + b"".join(self._blocks[index] + BLOCK_END for index in sorted(kept))

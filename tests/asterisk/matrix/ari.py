"""The ARI application of the matrix: an ACD that Asterisk knows nothing of.

A caller who comes with `agent` gets the agent A of his combination originated and bridged with him; one who
comes with `queue` is bridged with a Local channel that enters the queue.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from tests.asterisk.matrix.site import ARI_APPLICATION, ARI_SECRET, ARI_USER
from tests.fake.patience import PATIENCE

TEXT, CLOSE, PING = 1, 8, 9
BASIC = base64.b64encode(f"{ARI_USER}:{ARI_SECRET}".encode()).decode()


class AriApplication:
    """One connection. `endpoint_of` says which channel to originate, by kind and combination number.

    It belongs to the thread of the event loop, which a REST request blocks for a millisecond.
    """

    def __init__(self, port: int, endpoint_of: Callable[[str, str], str]) -> None:
        self._port = port
        self._endpoint_of = endpoint_of
        self._bridges: dict[str, str] = {}  # by channel
        self._of_number: dict[str, str] = {}  # bridges by combination number
        self._media: dict[str, str] = {}  # bridges by technical channel
        self._task: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect and register the application; it answers from then on."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET /ari/events?app={ARI_APPLICATION} HTTP/1.1",
            "Host: 127.0.0.1",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {key}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: ari",
            f"Authorization: Basic {BASIC}",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), PATIENCE)
        assert b" 101 " in head.splitlines()[0], head
        self._task = asyncio.create_task(self._listen(reader, writer))

    async def close(self) -> None:
        """Stop listening."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def add_media(self, number: str) -> str:
        """Have a technical channel join that combination's bridge; its id."""
        values = {"app": ARI_APPLICATION, "external_host": "127.0.0.1:9", "format": "ulaw"}
        channel = str(self._ask("POST", "channels/externalMedia", **values)["id"])
        self._media[channel] = self._of_number[number]
        return channel

    def remove(self, channel: str) -> None:
        """Hang a channel up."""
        self._ask("DELETE", f"channels/{channel}")

    async def _listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer):
            await self._hear_all(reader, writer)

    async def _hear_all(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            first, second = await reader.readexactly(2)
            length = second & 0x7F
            if length >= 126:
                length = int.from_bytes(await reader.readexactly(2 if length == 126 else 8), "big")
            data = await reader.readexactly(length)
            if first & 0x0F == PING:
                writer.write(bytes([0x8A, 0x80 | length]) + bytes(4) + data)
            elif first & 0x0F == TEXT:
                self._hear(json.loads(data))
            elif first & 0x0F == CLOSE:
                return

    def _hear(self, event: dict[str, Any]) -> None:
        channel = event.get("channel", {}).get("id", "")
        if event["type"] == "StasisStart" and event["args"]:
            kind, number = event["args"]
            self._bring(channel, kind, number)
        elif event["type"] == "StasisStart":
            bridge = self._media.get(channel) or self._bridges[channel]
            self._ask("POST", f"bridges/{bridge}/addChannel", channel=channel)
        elif event["type"] in ("StasisEnd", "ChannelDestroyed"):
            self._part(channel)

    def _bring(self, caller: str, kind: str, number: str) -> None:
        """Originate whom the caller shall talk to; the caller waits in the bridge."""
        bridge = self._of_number[number] = self._ask("POST", "bridges", type="mixing")["id"]
        self._ask("POST", f"bridges/{bridge}/addChannel", channel=caller)
        made = self._ask(
            "POST",
            "channels",
            endpoint=self._endpoint_of(kind, number),
            app=ARI_APPLICATION,
            originator=caller,
            timeout="60",
        )["id"]
        self._bridges[made] = self._bridges[caller] = bridge

    def _part(self, channel: str) -> None:
        """One of the two is gone: so is the other."""
        bridge = self._bridges.pop(channel, "")
        others = [other for other, same in self._bridges.items() if same == bridge]
        for other in others:
            self._bridges.pop(other)
            self._ask("DELETE", f"channels/{other}")
        if bridge and others:
            self._ask("DELETE", f"bridges/{bridge}")

    def _ask(self, method: str, path: str, **values: str) -> dict[str, Any]:
        """A REST request; what is gone already is no error."""
        query = urllib.parse.urlencode(values)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self._port}/ari/{path}?{query}",
            method=method,
            headers={"Authorization": f"Basic {BASIC}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return {}
            raise
        return dict(json.loads(body)) if body else {}

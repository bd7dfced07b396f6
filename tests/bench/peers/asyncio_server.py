"""The reference: the same parser, tracker and encoder, with asyncio streams in place of threads and sockets.

It knows enough of the protocol to log clients in, to join the queue and to notify; it checks nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import signal
import sys
from pathlib import Path

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from schemas.event_xml import encode
from schemas.passwords import PasswordChecker
from schemas.server import settings_xml
from schemas.server.settings import ServerSettings
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END

BACKLOG = 4096
CHUNK = 65536
_ADDED = re.compile(rb"Event: QueueMemberAdded\r\n(?:[^\r]+\r\n)*?Interface: ([^\r]+)\r\n")


class AsyncioServer:
    """One loop for Asterisk and all clients."""

    def __init__(self, configuration: Configuration, settings: ServerSettings) -> None:
        self._configuration = configuration
        self._settings = settings
        self._passwords = PasswordChecker()
        self._extension_of = {seat.mac: seat.extension for seat in configuration.seats}
        self._writers: dict[str, asyncio.StreamWriter] = {}
        self._replay = Replay(configuration, self._notify)

    async def serve(self) -> None:
        """Until SIGTERM."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        listen = self._settings.listen
        server = await asyncio.start_server(self._client, listen.address, listen.port, backlog=BACKLOG)
        asterisk = asyncio.create_task(self._asterisk())
        await stop.wait()
        asterisk.cancel()
        server.close()

    async def _asterisk(self) -> None:
        ami = self._settings.ami
        reader, writer = await asyncio.open_connection(ami.host, ami.port, limit=CHUNK)
        login = f"Action: Login\r\nUsername: {ami.username}\r\nSecret: {ami.secret}\r\n\r\n"
        writer.write(f"{login}Action: QueueStatus\r\n\r\n".encode())
        self._ami = writer
        unfinished = b""
        while data := await reader.read(CHUNK):
            self._replay.feed(data)
            whole, end, unfinished = (unfinished + data).rpartition(END)
            for extension in _ADDED.findall(whole + end) if b"Event: QueueMemberAdded" in whole else ():
                self._writers[extension.decode()].write(b"200 support\n")

    def _notify(self, notification: Notification) -> None:
        writer = self._writers.get(notification.extension)
        if writer is not None:
            writer.write(encode(notification.event))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"100 WELCOME\n")
        username = ""
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                token, _, argument = line.decode().strip().partition(" ")
                if token == "USER":
                    username = argument
                    writer.write(b"100 OK\n")
                elif token == "PASS":
                    writer.write(self._log_in(username, argument, writer))
        writer.close()

    def _log_in(self, username: str, password: str, writer: asyncio.StreamWriter) -> bytes:
        operator = self._configuration.operator_by_username.get(username)
        if operator is None or not self._passwords.matches(operator.password, password):
            return b"101 KO\n"
        extension = self._extension_of[operator.seat]
        self._writers[extension] = writer
        self._ami.write(f"Action: QueueAdd\r\nQueue: support\r\nInterface: {extension}\r\n\r\n".encode())
        return b"102 OK\n"


def main(directory: Path) -> None:
    """Run with the configuration in a directory."""
    configuration = xml_form.load_xml(directory / CallCentre.FILE)
    settings = settings_xml.load_settings(directory / "server.xml")
    asyncio.run(AsyncioServer(configuration, settings).serve())


if __name__ == "__main__":
    main(Path(sys.argv[sys.argv.index("--config") + 1]))

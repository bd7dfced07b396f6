"""The reference: the same parser, tracker and encoder, with asyncio streams in place of threads and sockets.

At a login it does what the server does: it checks who comes from where and with which password, keeps who
sits where and ends an older session of either, tells the client the state, writes down which members are ours
before Asterisk is asked for them, and tells the client of the queue once Asterisk has confirmed it. It logs
as much.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas import own_files
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration, Operator, Service
from schemas.event_xml import encode
from schemas.passwords import PasswordChecker
from schemas.server import settings_xml
from schemas.server.settings import ServerSettings
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END

BACKLOG = 4096
CHUNK = 65536
_ADDED = b"Event: QueueMemberAdded"
logger = logging.getLogger("asyncio_server")


@dataclass(slots=True, eq=False)
class StreamSession:
    """One client."""

    writer: asyncio.StreamWriter
    address: str
    username: str = ""
    operator: Operator | None = None
    extension: str = ""


class MemberList:
    """Which queue members are ours, on the disk before Asterisk is asked for them. The loop's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[tuple[str, str], str] = {}
        self._changed = asyncio.Event()
        self._waiting: list[bytes] = []

    def add(self, queue: str, interface: str, username: str, action: bytes) -> None:
        """The action is sent once the list that has this member is written."""
        self._members[queue, interface] = username
        self._waiting.append(action)
        self._changed.set()

    async def write(self, asterisk: asyncio.StreamWriter) -> None:
        """Write list after list: those that come while one is written are one."""
        while await self._changed.wait():
            self._changed.clear()
            waiting, self._waiting = self._waiting, []
            rows = [
                {"queue": queue, "interface": interface, "username": username}
                for (queue, interface), username in sorted(self._members.items())
            ]
            data = json.dumps({"format": 1, "members": rows}).encode()
            await asyncio.to_thread(own_files.replace_file, self._path, data, own_files.PRIVATE)
            asterisk.write(b"".join(waiting))


class AsyncioServer:
    """One loop for Asterisk and all clients."""

    def __init__(self, configuration: Configuration, settings: ServerSettings, state: Path) -> None:
        self._configuration = configuration
        self._settings = settings
        self._passwords = PasswordChecker()
        self._members = MemberList(state / "members.json")
        self._from_address: Counter[str] = Counter()
        self._at: dict[str, StreamSession] = {}
        self._of: dict[str, StreamSession] = {}
        self._joining: dict[str, tuple[str, str]] = {}
        self._joins = 0
        self._replay = Replay(configuration, self._notify)

    async def serve(self) -> None:
        """Until SIGTERM."""
        stop = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
        ami, listen = self._settings.ami, self._settings.listen
        reader, writer = await asyncio.open_connection(ami.host, ami.port, limit=CHUNK)
        login = f"Action: Login\r\nUsername: {ami.username}\r\nSecret: {ami.secret}\r\n\r\n"
        writer.write(f"{login}Action: QueueStatus\r\n\r\n".encode())
        server = await asyncio.start_server(self._client, listen.address, listen.port, backlog=BACKLOG)
        tasks = [asyncio.create_task(work) for work in (self._read(reader), self._members.write(writer))]
        await stop.wait()
        for task in tasks:
            task.cancel()
        server.close()

    async def _read(self, asterisk: asyncio.StreamReader) -> None:
        unfinished = b""
        while data := await asterisk.read(CHUNK):
            self._replay.feed(data)
            whole, end, unfinished = (unfinished + data).rpartition(END)
            if self._joining or _ADDED in whole:
                for message in (whole + end).split(END):
                    self._joined(message)

    def _joined(self, message: bytes) -> None:
        """A response to an action of ours: whether it was refused. An event: somebody is a member now."""
        response, added = message.startswith(b"Response: "), message.startswith(_ADDED)
        if not response and not added:
            return
        fields = dict(line.partition(": ")[::2] for line in message.decode().split("\r\n"))
        if response:
            queue, interface = self._joining.pop(fields.get("ActionID", ""), ("", ""))
            if interface and fields["Response"] != "Success":
                logger.warning("%s is not added to queue %s", interface, queue)
            return
        session = self._at.get(fields["Interface"])
        if session is not None:
            logger.info(
                "%s (%s) is a member of queue %s", session.username, session.extension, fields["Queue"]
            )
            session.writer.write(f"200 {fields['Queue']}\n".encode())

    def _notify(self, notification: Notification) -> None:
        session = self._at.get(notification.extension)
        if session is not None:
            session.writer.write(encode(notification.event))

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = StreamSession(writer, writer.get_extra_info("peername")[0])
        limits = self._settings.clients
        if (
            self._from_address.total() >= limits.max
            or self._from_address[session.address] >= limits.max_per_address
        ):
            writer.close()
            return
        self._from_address[session.address] += 1
        logger.info("connected from %s", session.address)
        writer.write(b"100 WELCOME\n")
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                token, _, argument = line.decode().strip().partition(" ")
                if token == "USER":
                    session.username = argument
                    writer.write(b"100 OK\n")
                elif token == "PASS":
                    self._log_in(session, argument)
        self._leave(session)

    def _log_in(self, session: StreamSession, password: str) -> None:
        operator = self._configuration.operator_by_username.get(session.username)
        if operator is None or not self._passwords.matches(operator.password, password):
            logger.warning("%s: wrong name or password from %s", session.username, session.address)
            session.writer.write(b"101 KO\n")
            return
        session.operator = operator
        session.extension = self._configuration.seat_by_mac[operator.seat].extension
        for older in {self._at.get(session.extension), self._of.get(operator.username)} - {None, session}:
            assert older is not None  # taken out above
            older.writer.close()
        self._at[session.extension] = self._of[operator.username] = session
        session.writer.write(b"102 OK\n310 OUT\n")
        services = self._configuration.services_of(operator.username)
        penalties = self._configuration.penalties_of(operator.username)
        for service, penalty in zip(services, penalties, strict=True):
            if service.is_queue:
                self._join(operator, session.extension, service, penalty)

    def _join(self, operator: Operator, extension: str, service: Service, penalty: int) -> None:
        self._joins += 1
        queue, name = service.queue_name, f"join-{self._joins}"
        self._joining[name] = (queue, extension)
        action = (
            f"Action: QueueAdd\r\nActionID: {name}\r\nQueue: {queue}\r\nInterface: {extension}\r\n"
            f"Penalty: {penalty}\r\nPaused: false\r\nMemberName: {operator.full_name}\r\n\r\n"
        )
        self._members.add(queue, extension, operator.username, action.encode())

    def _leave(self, session: StreamSession) -> None:
        if session.operator is not None and self._of.get(session.username) is session:
            del self._of[session.username], self._at[session.extension]
        self._from_address[session.address] -= 1
        logger.info("%s: closed", session.username or session.address)
        session.writer.close()


def main(directory: Path, state: Path) -> None:
    """Run with the configuration in a directory."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    configuration = xml_form.load_xml(directory / CallCentre.FILE)
    settings = settings_xml.load_settings(directory / "server.xml")
    asyncio.run(AsyncioServer(configuration, settings, state).serve())


if __name__ == "__main__":
    options = dict(zip(sys.argv[1::2], sys.argv[2::2], strict=True))
    main(Path(options["--config"]), Path(options["--state"]))

"""The feeder: a process in the place of Asterisk. It answers actions, and sends prepared events when told to.

The same process feeds the bare reader, so that both get their bytes in the same way.
"""

from __future__ import annotations

import hashlib
import selectors
import socket
import time
from pathlib import Path

from tests.bench.workload.call_centre import SECRET
from tests.bench.workload.event_script import END

CHALLENGE = "840415273"
Action = dict[str, str]


class Feeder:
    """One manager session at a time; lives in a process of its own."""

    def __init__(self, banner: bytes) -> None:
        self.selector = selectors.DefaultSelector()
        self._banner = banner
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.setblocking(False)
        self.selector.register(self._listening, selectors.EVENT_READ)
        self._session: socket.socket | None = None
        self._received = b""
        self._stream = b""
        self._members: dict[tuple[str, str], Action] = {}
        self._keeps_members = False
        self._changes = 0
        self._listed = False
        self._logged_off = False

    def port(self) -> int:
        """Where the server connects to."""
        return int(self._listening.getsockname()[1])

    def wait_until_listed(self, timeout: float) -> bool:
        """Serve until the server is logged in and has read channels and queues."""
        deadline = time.monotonic() + timeout
        while not self._listed and (left := deadline - time.monotonic()) > 0:
            self._serve(left)
        return self._listed

    def members(self) -> int:
        """How many have joined a queue."""
        return len(self._members)

    def keep_members(self) -> None:
        """From now on the end of a manager session is no restart of Asterisk; counts changes anew."""
        self._keeps_members, self._changes = True, 0

    def changes(self) -> int:
        """How often a member joined or left a queue since `keep_members`."""
        return self._changes

    def load(self, path: Path) -> int:
        """Take a prepared stream; returns its size."""
        self._stream = path.read_bytes()
        return len(self._stream)

    def send_stream(self) -> int:
        """Send the stream to the server as fast as it takes it; returns when the first byte went (ns)."""
        return self._send_stream_on(self._connected())

    def send_stream_to(self, port: int) -> int:
        """The same to whoever listens on a port."""
        with socket.create_connection(("127.0.0.1", port)) as connection:
            return self._send_stream_on(connection)

    def send(self, data: bytes) -> None:
        """Send some events."""
        sent = memoryview(data)
        session = self._connected()
        session.setblocking(True)
        session.sendall(sent)
        session.setblocking(False)

    def send_calls(self, calls: list[tuple[bytes, bytes, bytes]], pause: float) -> list[int]:
        """For each call send what comes before, then the connecting event, then the rest, pausing between.

        Returns when each connecting event was about to be sent (ns).
        """
        begun = []
        for before, connecting, after in calls:
            self.send(before)
            self._serve_for(pause)
            begun.append(time.perf_counter_ns())
            self.send(connecting)
            self._serve_for(pause)
            self.send(after)
        return begun

    def turn(self) -> None:
        """Accept, and answer what was asked."""
        self._serve(0.0)

    def close(self) -> None:
        """Hang up."""
        for connection in (self._session, self._listening):
            if connection is not None:
                connection.close()
        self.selector.close()

    # -- the manager session -------------------------------------------------------------------------------

    def _connected(self) -> socket.socket:
        if self._session is None:
            raise ConnectionError("the server is not connected")
        return self._session

    @staticmethod
    def _send_all(connection: socket.socket, data: bytes) -> int:
        connection.setblocking(True)
        begun = time.perf_counter_ns()
        connection.sendall(data)
        return begun

    def _send_stream_on(self, connection: socket.socket) -> int:
        begun = self._send_all(connection, self._stream)
        connection.setblocking(False)
        return begun

    def _serve_for(self, seconds: float) -> None:
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self._serve(left)

    def _serve(self, timeout: float) -> None:
        for key, _events in self.selector.select(timeout):
            if key.fileobj is self._listening:
                self._accept()
            elif self._session is not None:
                self._read(self._session)

    def _accept(self) -> None:
        connection, _address = self._listening.accept()
        if self._session is not None:
            self._hang_up(self._session)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        self._session, self._received, self._listed = connection, b"", False
        self._logged_off = False
        if not self._keeps_members:
            self._members.clear()
        self.selector.register(connection, selectors.EVENT_READ)
        self.send(self._banner)

    def _hang_up(self, session: socket.socket) -> None:
        self.selector.unregister(session)
        session.close()
        self._session = None

    def _read(self, session: socket.socket) -> None:
        try:
            data = session.recv(65536)
        except OSError:
            data = b""
        if not data:
            self._hang_up(session)
            return
        *actions, self._received = (self._received + data).split(END)
        answers = []
        for text in actions:
            fields = dict(line.partition(": ")[::2] for line in text.decode().split("\r\n"))
            answers.append(self._answer({key.lower(): value for key, value in fields.items()}))
        self.send("".join(answers).encode())
        if self._logged_off:
            self._hang_up(session)

    def _answer(self, action: Action) -> str:
        name = action.get("action", "").lower()
        answer = getattr(self, f"_on_{name}", None)
        if answer is not None:
            return str(answer(action))
        return _response(action, "Success")

    def _on_challenge(self, action: Action) -> str:
        return _response(action, "Success", f"Challenge: {CHALLENGE}")

    def _on_login(self, action: Action) -> str:
        key = hashlib.md5((CHALLENGE + SECRET).encode(), usedforsecurity=False).hexdigest()
        if action.get("key") != key and action.get("secret") != SECRET:
            return _response(action, "Error", "Message: Authentication failed")
        return _response(action, "Success", "Message: Authentication accepted")

    def _on_logoff(self, action: Action) -> str:
        self._logged_off = True
        return _response(action, "Goodbye", "Message: Thanks for all the fish.")

    def _on_ping(self, action: Action) -> str:
        return _response(action, "Success", "Ping: Pong")

    def _on_status(self, action: Action) -> str:
        begun = _response(action, "Success", "EventList: start", "Message: Channel status will follow")
        return begun + _event("StatusComplete", action, "EventList: Complete", "ListItems: 0", "Items: 0")

    def _on_queuestatus(self, action: Action) -> str:
        self._listed = True
        entries = [
            _event(
                "QueueMember",
                action,
                f"Queue: {queue}",
                f"Name: {member.get('membername', '')}",
                f"Location: {interface}",
                *_member_state(member),
            )
            for (queue, interface), member in self._members.items()
        ]
        done = _event("QueueStatusComplete", action, "EventList: Complete", f"ListItems: {len(entries)}")
        return _response(action, "Success", "EventList: start") + "".join(entries) + done

    def _on_queueadd(self, action: Action) -> str:
        queue, interface = action["queue"], action["interface"]
        self._members[queue, interface] = action
        self._changes += 1
        response = _response(action, "Success", "Message: Added interface to queue")
        return response + self._member_event("QueueMemberAdded", queue, interface, action)

    def _on_queueremove(self, action: Action) -> str:
        queue, interface = action["queue"], action["interface"]
        member = self._members.pop((queue, interface), None)
        if member is None:
            return _response(action, "Error", "Message: Unable to remove interface: Not there")
        self._changes += 1
        response = _response(action, "Success", "Message: Removed interface from queue")
        return response + self._member_event("QueueMemberRemoved", queue, interface, member)

    def _member_event(self, event: str, queue: str, interface: str, member: Action) -> str:
        lines = [
            f"Queue: {queue}",
            f"MemberName: {member.get('membername', '')}",
            f"Interface: {interface}",
            f"Location: {interface}",
            *_member_state(member),
        ]
        return "\r\n".join([f"Event: {event}", "Privilege: agent,all", *lines]) + "\r\n\r\n"


def _member_state(member: Action) -> tuple[str, ...]:
    return (
        f"StateInterface: {member.get('stateinterface', '')}",
        "Membership: dynamic",
        f"Penalty: {member.get('penalty', 0)}",
        "CallsTaken: 0",
        "LastCall: 0",
        "InCall: 0",
        "Status: 1",
        f"Paused: {int(member.get('paused', '0').lower() in ('1', 'yes', 'true'))}",
    )


def _response(action: Action, response: str, *lines: str) -> str:
    return "\r\n".join([f"Response: {response}", *_action_id(action), *lines]) + "\r\n\r\n"


def _event(name: str, action: Action, *lines: str) -> str:
    return "\r\n".join([f"Event: {name}", *_action_id(action), *lines]) + "\r\n\r\n"


def _action_id(action: Action) -> list[str]:
    return [f"ActionID: {action['actionid']}"] if "actionid" in action else []

"""A tiny AMI client on a blocking socket: what the rig and its own tests need, and no more.

It shares no code with the server on purpose: a test that compares the server with what Asterisk said needs
a second opinion.
"""

import itertools
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO

from tests.fake.patience import PATIENCE

BLOCK_END = b"\r\n\r\n"


class AmiError(Exception):
    """Asterisk refused something, closed the connection, or what was waited for did not come."""


class Message(dict[str, str]):
    """One block that Asterisk sent. Of a repeated key the last value is kept."""

    @classmethod
    def parse(cls, block: bytes) -> "Message":
        """The message in `block`, which has no banner and no empty line at its end."""
        pairs = (line.partition(b":") for line in block.split(b"\r\n"))
        return cls(
            (key.decode("latin-1"), value.strip().decode("utf-8", "replace")) for key, _, value in pairs
        )

    def says(self, event: str, **fields: str) -> bool:
        """Whether this is the event with these values, for example says("BridgeEnter", Exten="101")."""
        return self.get("Event") == event and all(self.get(key) == value for key, value in fields.items())


class AmiSession:
    """A logged-in AMI connection. Use it in one thread, and as a context manager.

    `tap`, if given, gets every byte read, from the banner on.
    """

    def __init__(
        self,
        port: int,
        username: str = "astcti",
        secret: str = "astcti",
        events: bool = True,
        tap: BinaryIO | None = None,
        timeout: float = PATIENCE,
    ) -> None:
        self.messages: list[Message] = []  # everything received, responses too
        self._tap = tap
        self._timeout = timeout
        self._pending = b""
        self._action_ids = itertools.count(1)
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        try:
            self._log_in(username, secret, events)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> "AmiSession":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection without a Logoff."""
        self._socket.close()

    def action(self, name: str, **fields: str) -> Message:
        """Send an action and return its response, whatever that says. Events that come before it are kept."""
        action_id = str(next(self._action_ids))
        lines = [f"Action: {name}", f"ActionID: {action_id}"]
        lines += [f"{key}: {value}" for key, value in fields.items()]
        self._socket.sendall("\r\n".join(lines).encode() + BLOCK_END)
        return self._await(
            lambda m: "Response" in m and m.get("ActionID") == action_id,
            len(self.messages),
            f"response to {name}",
        )

    def must(self, name: str, **fields: str) -> Message:
        """Like `action`, but raises AmiError if the response is an error."""
        response = self.action(name, **fields)
        if response["Response"] == "Error":
            raise AmiError(f"{name} {fields}: {response.get('Message')}")
        return response

    def entries(self, name: str, entry: str, end: str, **fields: str) -> list[Message]:
        """The `entry` events of a list action that closes with the event `end`."""
        start = len(self.messages)
        action_id = self.must(name, **fields)["ActionID"]
        self._await(lambda m: m.says(end, ActionID=action_id), start, end)
        return [m for m in self.messages[start:] if m.says(entry, ActionID=action_id)]

    def wait_for(self, event: str, since: int = 0, timeout: float | None = None, **fields: str) -> Message:
        """The first such event received from index `since` of `messages` on; waits for it if need be."""
        return self._await(lambda m: m.says(event, **fields), since, f"{event} {fields}", timeout)

    def wait_until(
        self, fact: Callable[["AmiSession"], bool], what: str, timeout: float | None = None
    ) -> None:
        """Read on until `fact(self)` holds; it is asked again after each message."""
        deadline = time.monotonic() + (timeout or self._timeout)
        while not fact(self):
            self._read_one(deadline, what)

    def read_for(self, seconds: float) -> None:
        """Read whatever comes during so many seconds."""
        deadline = time.monotonic() + seconds
        try:
            while True:
                self._read_one(deadline, "anything")
        except AmiError:
            if time.monotonic() < deadline:
                raise

    def events(self, name: str) -> list[Message]:
        """The events of that name received so far."""
        return [m for m in self.messages if m.says(name)]

    def _log_in(self, username: str, secret: str, events: bool) -> None:
        deadline = time.monotonic() + self._timeout
        while b"\r\n" not in self._pending:
            self._receive(deadline, "the banner")
        self.banner, _, self._pending = self._pending.partition(b"\r\n")
        self.must("Login", Username=username, Secret=secret, Events="on" if events else "off")

    def _await(
        self, wanted: Callable[[Message], bool], since: int, what: str, timeout: float | None = None
    ) -> Message:
        deadline = time.monotonic() + (timeout or self._timeout)
        for message in self.messages[since:]:
            if wanted(message):
                return message
        while True:
            message = self._read_one(deadline, what)
            if wanted(message):
                return message

    def _read_one(self, deadline: float, what: str) -> Message:
        while BLOCK_END not in self._pending:
            self._receive(deadline, what)
        block, _, self._pending = self._pending.partition(BLOCK_END)
        message = Message.parse(block)
        self.messages.append(message)
        return message

    def _receive(self, deadline: float, what: str) -> None:
        self._socket.settimeout(max(0.001, deadline - time.monotonic()))
        try:
            data = self._socket.recv(65536)
        except TimeoutError:
            raise AmiError(f"no {what}; {self._last_seen()}") from None
        if not data:
            raise AmiError(f"closed by Asterisk while waiting for {what}; {self._last_seen()}")
        if self._tap:
            self._tap.write(data)
        self._pending += data

    def _last_seen(self) -> str:
        names = [m.get("Event") or m.get("Response", "?") for m in self.messages[-15:]]
        return f"the last messages were {', '.join(names) or 'none'}"

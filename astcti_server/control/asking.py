"""The other end of the control socket: what commands such as `astcti-server status` say, and hear.

For the commands of the command line: they wait, a few seconds at most.
"""

from __future__ import annotations

import errno
import json
import os
import select
import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

from astcti_server.control.peer import can_tell_peers, peer_of
from astcti_server.control.ports import ControlDocument
from schemas import wire
from schemas.protocol import ControlCommand, ControlRefusal, ReplyCode, Word
from schemas.wire import BadLine, LineBuffer, Oversize, Reply

ANSWER_WITHIN: Final = 15.0
"""Seconds for everything that one command hears: the server has limits of its own, all shorter."""
LONGEST_LINE: Final = 1 << 20
LOOK_EVERY: Final = 0.1  # seconds between two looks whether a process is gone, where nothing tells


class NotRunningError(Exception):
    """No server listens there."""


class NotAllowedError(Exception):
    """The user who asks may not."""


class NoAnswerError(Exception):
    """A server listens there, but nothing comes in time, or nothing that can be understood."""


class RequestRefusedError(Exception):
    """The server said KO; the text is its reason."""


class ControlConnection:
    """A connection to a running server. Use as a context manager. Every method raises the errors above."""

    def __init__(self, path: Path, within: float = ANSWER_WITHIN) -> None:
        """Connect, and hear the welcome. `within`: seconds for everything."""
        self._deadline = time.monotonic() + within
        self._lines: list[bytes | Oversize] = []
        self._buffer = LineBuffer(LONGEST_LINE)
        self._socket = _connect(path)
        try:
            self.process = peer_of(self._socket).process if can_tell_peers() else 0
            """The server's process id; 0 if this system does not tell, or it is in another container."""
            self._expect_ok(self._hear())
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> ControlConnection:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def document(self, *words: str) -> ControlDocument:
        """Say a command that is answered by a document, and put its parts together again.

        Empty words at the end are left out. One that could not be told from another, or a word that is no
        text, raises RequestRefusedError, and nothing is said.
        """
        self._say(_line(words))
        document: dict[str, Any] = {}
        while True:
            reply = self._hear()
            if reply.number != ReplyCode.DOCUMENT_PART:
                self._expect_ok(reply)
                raise NoAnswerError(f"it said {reply.number} {reply.information}")
            if reply.token == Word.END and not reply.text:
                return document
            value = json.loads(reply.text)
            if reply.token.endswith("[]"):
                document[reply.token[:-2]].append(value)
            else:
                document[reply.token] = value

    def do(self, *words: str) -> None:
        """Say a command that is answered by `100 OK`; `words` as for `document`."""
        self._say(_line(words))
        self._expect_ok(self._hear())

    def _say(self, line: bytes) -> None:
        try:
            self._socket.settimeout(self._left())
            self._socket.sendall(line)
        except TimeoutError:
            raise NoAnswerError("it does not read") from None
        except OSError:
            pass  # it closed the connection; why, it may have said

    def _hear(self) -> Reply:
        while not self._lines:
            try:
                self._socket.settimeout(self._left())
                data = self._socket.recv(65536)
            except TimeoutError:
                raise NoAnswerError("nothing came in time") from None
            except OSError as error:
                raise NoAnswerError(error.strerror or str(error)) from None
            if not data:
                raise NoAnswerError("it closed the connection")
            self._lines += self._buffer.feed(data)
        line = self._lines.pop(0)
        try:
            found = wire.parse_server_line(line) if isinstance(line, bytes) else None
        except BadLine:
            found = None
        if not isinstance(found, Reply):
            raise NoAnswerError("what it says is not the protocol of the control socket")
        return found

    def _left(self) -> float:
        return max(0.001, self._deadline - time.monotonic())

    def _expect_ok(self, reply: Reply) -> None:
        if reply.number == ReplyCode.REFUSED:
            raise _refusal_error(reply.text)
        if reply.number != ReplyCode.OK:
            raise NoAnswerError(f"it said {reply.number} {reply.information}")


def _line(words: Sequence[str]) -> bytes:
    """A command's line: words of a shell may hold anything, and none may begin another command."""
    said = list(words)
    while said and not said[-1]:
        said.pop()
    if not all(said):  # the server would take the next one for it
        raise RequestRefusedError("one of the words is empty")
    try:
        return wire.clean(" ".join(said)).encode() + b"\n"
    except UnicodeEncodeError:
        raise RequestRefusedError("what was given is no text in UTF-8") from None


def _refusal_error(reason: str) -> Exception:
    """What a KO means for whoever asked."""
    not_allowed = [ControlRefusal.NOT_ALLOWED.text(command=command) for command in ControlCommand]
    if reason in (ControlRefusal.NOT_ALLOWED_HERE.text(), *not_allowed):
        return NotAllowedError(reason)
    if reason == ControlRefusal.TOO_MANY_CONNECTIONS.text():
        return NoAnswerError(reason)
    return RequestRefusedError(reason)


class LeavingProcess:
    """Waits for the end of a process of this machine. Made while that is known to run."""

    def __init__(self, process: int) -> None:
        """`process` is its id; 0 if that is not known."""
        self._process = process
        self._descriptor: int | None = None
        try:
            self._descriptor = os.pidfd_open(process) if process else None
        except (AttributeError, OSError):
            pass  # an older Linux: the number alone has to do, though another process may get it

    def wait(self, seconds: float) -> bool:
        """Whether it is gone within so many seconds."""
        if self._descriptor is not None:
            try:
                return _has_ended(self._descriptor, seconds)
            finally:
                os.close(self._descriptor)
        return any(not is_running(self._process) for _ in _looks(seconds))


def _looks(seconds: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(LOOK_EVERY)
        yield


def is_running(process: int) -> bool:
    """Whether there is a process with this id on this machine, whoever's it is.

    One that has ended, and that its parent did not ask about yet, does not run any more.
    """
    if process <= 0:
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError):
        return True  # an older Linux: the number alone has to do
    try:
        return not _has_ended(descriptor, 0)
    finally:
        os.close(descriptor)


def _has_ended(descriptor: int, seconds: float) -> bool:
    """Whether the process of a descriptor (pidfd_open(2)) ends within so many seconds."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(seconds * 1000))


def _connect(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(ANSWER_WITHIN)
        connection.connect(os.fspath(path))
    except OSError as error:
        connection.close()
        if error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTDIR):
            raise NotRunningError(f"{path}: {error.strerror}") from None
        if error.errno in (errno.EACCES, errno.EPERM):
            raise NotAllowedError(
                f"{path}: {error.strerror}: only root, the server's user and its group may ask"
            ) from None
        raise NoAnswerError(f"{path}: {error.strerror or error}") from None
    return connection

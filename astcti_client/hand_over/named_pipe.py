"""Hands requests to the running client through a named pipe of Windows, which has no sockets for this.

A key in a file that only the user may read is asked of both ends, so nobody else's program can have this
client dial.
"""

from __future__ import annotations

import contextlib
import logging
import secrets
import threading
from collections.abc import Callable
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path

from astcti_client.hand_over.requests import (
    ANOTHER_CLIENT,
    DIAL_REPLY_TIME,
    LONGEST_REQUEST,
    NO_CLIENT,
    NO_REPLY,
    READ_TIME,
    DialNumber,
    NoHandOver,
    OtherClient,
    answer_to,
)
from schemas import own_files

logger = logging.getLogger(__name__)
KEY_FILE = "client.key"
_STOP = b"\0stop"


def pipe_name(user: str) -> str:
    """The pipe of a user's client."""
    return rf"\\.\pipe\astcti-client-{user}"


class HandOverPipe:
    """Listens for numbers on a thread of its own, one after the other. Like `HandOverSocket`."""

    def __init__(self, name: str, place: Path, dial: DialNumber, show: Callable[[], None] | None) -> None:
        """`place` is the directory for the key. Raises OtherClient if another client has the pipe."""
        self._name, self._place, self._dial, self._show = name, place, dial, show
        if _ask(name, place, "") is not None:
            raise OtherClient(ANOTHER_CLIENT)
        self._key = secrets.token_bytes(32)
        try:
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._listener = Listener(name, authkey=self._key)
        except PermissionError:  # the pipe is taken, by a client whose key somebody tidied away
            raise OtherClient(ANOTHER_CLIENT) from None
        except OSError as error:
            raise NoHandOver(f"{name}: {error.strerror or error}") from None
        try:
            own_files.replace_file(place / KEY_FILE, self._key, own_files.PRIVATE, durable=False)
        except OSError as error:
            self._listener.close()
            raise NoHandOver(f"{name}: {error.strerror or error}") from None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="hand-over")
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the thread."""
        self._stopping.set()
        with (
            contextlib.suppress(OSError, EOFError, AuthenticationError),
            Client(self._name, authkey=self._key) as connection,
        ):
            connection.send_bytes(_STOP)
        self._thread.join()
        self._listener.close()
        with contextlib.suppress(OSError):
            (self._place / KEY_FILE).unlink(missing_ok=True)

    def _serve(self) -> None:
        # `accept` cannot be interrupted, so `close` connects and says _STOP. That must be read here: `close`
        # waits for somebody to take its connection.
        attempts = 3
        while attempts:
            try:
                with self._listener.accept() as connection:
                    if connection.poll(READ_TIME):
                        line = connection.recv_bytes(LONGEST_REQUEST)
                        if line == _STOP and self._stopping.is_set():
                            return
                        connection.send_bytes(self._outcome(line.decode("utf-8", "replace")).encode())
            except (OSError, EOFError, AuthenticationError) as error:
                attempts -= self._stopping.is_set()  # a pipe that is broken for good brings no farewell
                logger.info("a number was not handed over: %s", error)

    def _outcome(self, line: str) -> str:
        if not line:
            return "OK"  # somebody looks whether we are there
        return answer_to(line, self._dial, self._show, self._stopping)


def hand_over_by_pipe(name: str, place: Path, text: str) -> None:
    """Ask the running client to dial, or with SHOW to show its window. Raises NoHandOver."""
    answer = _ask(name, place, text)
    if answer is None:
        raise NoHandOver(NO_CLIENT)
    word, _, rest = answer.partition(" ")
    if word != "OK":
        raise NoHandOver(rest or NO_REPLY)


def _ask(name: str, place: Path, text: str) -> str | None:
    """The running client's answer; None if there is no client."""
    try:
        key = (place / KEY_FILE).read_bytes()
        connection: Connection = Client(name, authkey=key)
    except (OSError, EOFError, AuthenticationError):
        return None
    with connection:
        try:
            connection.send_bytes(text.encode())
            if connection.poll(DIAL_REPLY_TIME + READ_TIME):
                return connection.recv_bytes(LONGEST_REQUEST * 8).decode("utf-8", "replace")
        except (OSError, EOFError):
            pass
        return f"KO {NO_REPLY}"

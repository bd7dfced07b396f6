"""Hands requests to the running client through a socket in the file system.

The socket lies in a directory that only its user may enter. A lock on a file beside it tells whether a client
lives, so that a socket left by a crash is replaced and a living client's is not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import stat
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import platformdirs

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
from astcti_client.net.transport import Waiter

logger = logging.getLogger(__name__)


def socket_path() -> Path:
    """Where the running client listens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # without XDG_RUNTIME_DIR its fallback serves as well
        folder = platformdirs.user_runtime_dir("astcti", appauthor=False)
    return Path(folder) / "client.sock"


class HandOverSocket:
    """Listens for numbers on a thread of its own, one after the other."""

    def __init__(self, path: Path, dial: DialNumber, show: Callable[[], None] | None = None) -> None:
        """On the listening thread `dial` is called for each number, `show` for who wants to see the window.

        Neither may wait. Raises OtherClient if another client listens already, NoHandOver if it cannot be
        done here.
        """
        if os.name != "posix":
            raise NoHandOver("this system has no sockets in the file system")
        self._path = path
        self._dial = dial
        self._show = show
        self._stopping = threading.Event()
        self._lock = _lock_beside(path)
        try:
            path.unlink(missing_ok=True)  # left by a client that could not tidy up
            self._listening = socket.socket(socket.AF_UNIX)
            self._listening.bind(str(path))
            path.chmod(0o600)
            self._listening.listen(8)
        except OSError as error:
            os.close(self._lock)
            raise NoHandOver(f"{path}: {error.strerror or error}") from None
        self._listening.setblocking(False)
        self._waiter = Waiter()
        self._thread = threading.Thread(target=self._serve, name="hand-over")
        self._thread.start()

    def close(self) -> None:
        """Stop listening and wait for the thread. Whoever still waits for an answer gets none."""
        self._stopping.set()
        self._waiter.wake()
        self._thread.join()
        self._waiter.close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
        self._listening.close()
        os.close(self._lock)

    def _serve(self) -> None:
        while not self._stopping.is_set():
            self._waiter.wait(DIAL_REPLY_TIME, read=self._listening)
            try:
                connection, _ = self._listening.accept()
            except BlockingIOError:
                continue
            except OSError as error:  # no file descriptors left, for example: not again at once
                logger.warning("a number could not be taken: %s", error)
                self._stopping.wait(1.0)
                continue
            try:
                with connection:
                    connection.settimeout(READ_TIME)
                    connection.sendall(self._outcome(connection).encode() + b"\n")
            except OSError as error:
                logger.info("a number was not handed over: %s", error)

    def _outcome(self, connection: socket.socket) -> str:
        try:
            line = _read_line(connection)
        except ValueError as error:
            return f"KO {error}"
        return answer_to(line, self._dial, self._show, self._stopping)


def hand_over_by_socket(path: Path, number: str) -> None:
    """Ask the running client to dial, or with SHOW to show its window.

    Returns when the server accepted the call, else raises NoHandOver.
    """
    if os.name != "posix":
        raise NoHandOver("on this system numbers cannot be handed over yet")
    try:
        _check_private(path.parent)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(DIAL_REPLY_TIME + READ_TIME)
            connection.connect(str(path))
            connection.sendall(number.encode() + b"\n")
            word, _, text = _read_line(connection).partition(" ")
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoHandOver(NO_CLIENT) from None
    except (OSError, ValueError) as error:
        raise NoHandOver(f"{NO_REPLY}: {error}") from None
    if word != "OK":
        raise NoHandOver(text or NO_REPLY)


def _lock_beside(path: Path) -> int:
    import fcntl

    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_private(path.parent)
        lock = os.open(
            path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
    except OSError as error:
        raise NoHandOver(f"{path.parent}: {error.strerror or error}") from None
    try:
        # The system lets go of it when the process ends, however that ends.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise OtherClient(ANOTHER_CLIENT) from None
    return lock


def _check_private(place: Path) -> None:
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(0, "the directory must belong to this user and be closed to everyone else")


def _read_line(connection: socket.socket) -> str:
    received = b""
    while b"\n" not in received:
        data = connection.recv(LONGEST_REQUEST)
        if not data or len(received) > LONGEST_REQUEST:
            raise ValueError("no proper line arrived")
        received += data
    return received.partition(b"\n")[0].decode("utf-8", "replace")

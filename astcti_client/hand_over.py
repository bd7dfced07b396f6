"""Hands a number from `astcti-client dial` to the running client, through a socket in the file system.

A second client that is started has the first one show itself the same way.

The socket lies in a directory that only its user may enter. A lock on a file beside it tells whether a client
lives, so that a socket left by a crash is replaced and a living client's is not.
"""

from __future__ import annotations

import contextlib
import logging
import os
import queue
import socket
import stat
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import platformdirs

from astcti_client.net.transport import Waiter
from astcti_client.phone_number import clean_number

logger = logging.getLogger(__name__)

ANSWER_TIME = 20.0  # seconds; longer than the server may take for its reply
READ_TIME = 2.0  # seconds for the number to arrive
LONGEST_LINE = 512  # bytes; a number has 40
SHOW = "show"  # said instead of a number: bring the window to the front
OUT_OF_ORDER = "the running client does not answer"

Answer = Callable[[str], None]
"""Called once, from any thread: the text for the one who dials, empty if the call was accepted."""


class NoHandOver(Exception):
    """Numbers cannot be handed over. The text says why."""


class OtherClient(NoHandOver):
    """Another client of this user is running."""


def socket_path() -> Path:
    """Where the running client listens."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # without XDG_RUNTIME_DIR its fallback serves as well
        folder = platformdirs.user_runtime_dir("astcti", appauthor=False)
    return Path(folder) / "client.sock"


class Door:
    """Listens for numbers on a thread of its own, one after the other."""

    def __init__(
        self, path: Path, dial: Callable[[str, Answer], None], show: Callable[[], None] | None = None
    ) -> None:
        """On the door's thread `dial` is called for each number, `show` for whoever wants to see the window.

        Neither may wait. Raises OtherClient if another client listens already, NoHandOver if it cannot be
        done here.
        """
        if os.name != "posix":
            raise NoHandOver("this system has no sockets in the file system")
        self._path = path
        self._dial = dial
        self._show = show
        self._stopping = threading.Event()
        self._lock = _lock_place(path)
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
            self._waiter.wait(ANSWER_TIME, read=self._listening)
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


def answer_to(
    line: str, dial: Callable[[str, Answer], None], show: Callable[[], None] | None, stopping: threading.Event
) -> str:
    """What the running client answers: it shows its window, or dials and says what came of it.

    On the thread of the door, which waits for the outcome until `stopping`.
    """
    if line == SHOW:
        if show is None:
            return "KO the running client has no window"
        show()
        return f"OK {SHOW}"
    try:
        number = clean_number(line)
    except ValueError as error:
        return f"KO {error}"
    answers: queue.SimpleQueue[str] = queue.SimpleQueue()
    dial(number, answers.put)
    for _ in range(int(ANSWER_TIME / 0.5)):
        with contextlib.suppress(queue.Empty):
            problem = answers.get(timeout=0.5)
            return f"KO {problem}" if problem else f"OK {number}"
        if stopping.is_set():
            break
    return f"KO {OUT_OF_ORDER}"


def hand_over(path: Path, number: str) -> None:
    """Ask the running client to dial, or with SHOW to show its window.

    Returns when the server accepted the call, else raises NoHandOver.
    """
    if os.name != "posix":
        raise NoHandOver("on this system numbers cannot be handed over yet")
    try:
        _check_private(path.parent)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_TIME + READ_TIME)
            connection.connect(str(path))
            connection.sendall(number.encode() + b"\n")
            word, _, text = _read_line(connection).partition(" ")
    except (FileNotFoundError, ConnectionRefusedError):
        raise NoHandOver("no client is running for this user; start astcti-client first") from None
    except (OSError, ValueError) as error:
        raise NoHandOver(f"{OUT_OF_ORDER}: {error}") from None
    if word != "OK":
        raise NoHandOver(text or OUT_OF_ORDER)


def _lock_place(path: Path) -> int:
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
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise OtherClient("another client of this user is running, and gets the numbers") from None
    return lock


def _check_private(place: Path) -> None:
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise PermissionError(0, "the directory must belong to this user and be closed to everyone else")


def _read_line(connection: socket.socket) -> str:
    received = b""
    while b"\n" not in received:
        data = connection.recv(LONGEST_LINE)
        if not data or len(received) > LONGEST_LINE:
            raise ValueError("no proper line arrived")
        received += data
    return received.partition(b"\n")[0].decode("utf-8", "replace")

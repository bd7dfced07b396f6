"""The file of the control socket: made with the right mode, never taken from a living server, and removed."""

from __future__ import annotations

import errno
import fcntl
import grp
import os
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

GROUP: Final = "astcti"
"""Whose members may look, where the system has such a group; else that of the server's own user."""
LONGEST: Final = 107
"""Bytes of a Unix socket's path in Linux: 108 with the zero at its end (unix(7))."""
BACKLOG: Final = 16
LOCKED_WITHIN: Final = 5.0  # seconds that another server may take to make its socket in the same directory
NOT_TO_OTHERS: Final = 0o117  # the umask that leaves 660


class ControlSocketError(Exception):
    """The socket cannot be made; the text says where, why and what to do."""


class AlreadyServedError(Exception):
    """Another server answers at this path; the text says so to people."""


class ControlSocketFile:
    """A listening socket at a path. Main thread, but for `socket`, which is the accepting thread's."""

    def __init__(self, path: Path, group: str = GROUP) -> None:
        """Make it. Raises ControlSocketError, or AlreadyServedError where a server answers there already.

        Changes the process's umask for a moment: to be called before there are other threads that make files.
        """
        self.path = path
        if len(os.fsencode(path)) > LONGEST:
            raise ControlSocketError(
                f"{path}: longer than the {LONGEST} bytes that the path of a Unix socket may have:"
                " name a shorter one with --control"
            )
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with _alone_in(path.parent):
                self._remove_dead()
                self.socket, self.group = self._bind(group)
            self._identity = _identity(path)
        except OSError as error:
            raise ControlSocketError(
                f"{path}: {error.strerror or error}: no control socket there (see --control)"
            ) from None

    def close(self) -> None:
        """Close the socket, and remove its file unless something else stands there by now."""
        self.socket.close()
        with suppress(OSError):
            if _identity(self.path) == self._identity:
                self.path.unlink()

    def _remove_dead(self) -> None:
        """Remove what a killed server left behind. Whatever else stands there is left alone."""
        try:
            found = self.path.lstat()
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(found.st_mode):  # a symbolic link, too: what it leads to is not ours
            raise ControlSocketError(
                f"{self.path}: is no socket, so it was not replaced: remove it, or give another --control"
            )
        if _is_living(self.path):
            raise AlreadyServedError(
                f"{self.path}: another astcti-server is running and answers there: stop it first"
                " (astcti-server stop), or give this one a --control, --status and --state of its own"
            )
        self.path.unlink()

    def _bind(self, group: str) -> tuple[socket.socket, int]:
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            before = os.umask(NOT_TO_OTHERS)
            try:
                listening.bind(os.fspath(self.path))
            finally:
                os.umask(before)
            found = self._give_to(group)
            listening.listen(BACKLOG)  # last: until here the kernel refuses everybody, whatever the group was
        except OSError:
            listening.close()
            raise
        return listening, found

    def _give_to(self, group: str) -> int:
        """Give the file to the group, if there is one and that is allowed; returns the group it has."""
        with suppress(KeyError, PermissionError):
            os.chown(self.path, -1, grp.getgrnam(group).gr_gid, follow_symlinks=False)
        return self.path.lstat().st_gid


def _identity(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def _is_living(path: Path) -> bool:
    """Whether a server listens there. Only "connection refused" says that none does."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as trying:
        trying.setblocking(False)
        try:
            trying.connect(os.fspath(path))
        except OSError as error:
            return error.errno not in (errno.ECONNREFUSED, errno.ENOENT)
    return True


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other servers that start at this moment from removing what was just made.

    The directory itself is locked, which leaves no file behind. Whoever may read it can hold the lock; so
    after a while the work is done without.
    """
    deadline = time.monotonic() + LOCKED_WITHIN
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while time.monotonic() < deadline:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.05)
            except OSError:
                break  # a file system without locks
        yield
    finally:
        os.close(descriptor)

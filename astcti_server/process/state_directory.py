"""The directory given by `--state`: made, tried, and kept from a second server. Main thread."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import logging
import os
import tempfile
import time
from pathlib import Path
from typing import Final

from schemas import own_files
from schemas.server.status_age import iso_time

logger = logging.getLogger(__name__)

LOCK_NAME: Final = "server.lock"
NO_LOCKS: Final = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
"""What file systems say that have no locks: NFS without its lock daemon, some of FUSE."""
MOST_READ: Final = 4096  # bytes of what the other server wrote about itself


class StateError(Exception):
    """The state directory cannot be used; the text says which, why and what to do."""


class StateDirectory:
    """One server may use it at a time: a second one would remove the first one's queue members.

    The lock is the kernel's, on a file that stays: it ends with the process, however that ends. The file
    says who holds it. Commands such as `check` and `replay` need no lock.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def take(self, configuration: Path) -> None:
        """Make the directory, and keep it until the process ends. Raises StateError.

        `configuration` is this server's configuration directory, which a second server tells its user.
        """
        try:
            self.path.mkdir(mode=0o750, parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=self.path):
                pass
        except OSError as error:
            raise StateError(
                f"{self.path}: {error.strerror or error}: the state directory must be writable for this"
                " program's user (create it, or name another one with --state)"
            ) from error
        self._lock = self._open()
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StateError(self._used_by_another(self._lock)) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise StateError(f"{self.path}: cannot be locked: {error.strerror}") from error
            logger.warning(
                "%s: its file system has no locks (%s): nothing keeps a second server from using it, too",
                self.path,
                error.strerror,
            )
            return
        own_files.remove_leftovers(self.path)
        self._say_who(self._lock, configuration)

    def _open(self) -> int:
        path = self.path / LOCK_NAME
        try:
            # No child may inherit it: the lock would outlive this process.
            return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, own_files.PRIVATE)
        except OSError as error:
            raise StateError(
                f"{path}: {error.strerror}: cannot be locked (remove it, once no server of another user runs"
                " here, or name another directory with --state)"
            ) from error

    def _say_who(self, lock: int, configuration: Path) -> None:
        about = {
            "pid": os.getpid(),
            "since": iso_time(time.time()),
            "configuration": str(configuration.absolute()),
        }
        with contextlib.suppress(OSError):  # a full disk: the lock holds all the same
            os.ftruncate(lock, 0)
            os.pwrite(lock, json.dumps(about).encode() + b"\n", 0)

    def _used_by_another(self, lock: int) -> str:
        who = "a server that runs already"
        # What is not understood is of another release, or not written yet.
        with contextlib.suppress(OSError, ValueError, ArithmeticError, KeyError, TypeError, RecursionError):
            about = json.loads(os.pread(lock, MOST_READ, 0))
            pid, since, configuration = int(about["pid"]), str(about["since"]), str(about["configuration"])
            who += f", process {pid} since {since} with configuration {configuration!r}"
        os.close(lock)
        return (
            f"{self.path}: is used by {who}. Two servers with one state directory would remove each other's"
            " queue members: stop that one first, or give this one a directory of its own with --state"
        )

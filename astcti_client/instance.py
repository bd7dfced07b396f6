"""The one client of this user: how it is found, whatever the system."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from typing import Protocol

from astcti_client.hand_over import Answer, Door, hand_over, socket_path
from astcti_client.hand_over_pipe import PipeDoor, hand_over_by_pipe, pipe_name

# Not by what the socket module has: with AF_UNIX Windows has still no owners of files and no such locks.
_POSIX = os.name == "posix"


class Closable(Protocol):
    """An open door."""

    def close(self) -> None:
        """Listen no more."""


def open_door(dial: Callable[[str, Answer], None], show: Callable[[], None] | None = None) -> Closable:
    """Become the one client that others reach. Raises OtherClient if there is one, else NoHandOver."""
    if _POSIX:
        return Door(socket_path(), dial, show)
    return PipeDoor(pipe_name(getpass.getuser()), socket_path().parent, dial, show)


def reach(text: str) -> None:
    """Give the running client a clean number, or SHOW. Raises NoHandOver."""
    if _POSIX:
        hand_over(socket_path(), text)
    else:
        hand_over_by_pipe(pipe_name(getpass.getuser()), socket_path().parent, text)

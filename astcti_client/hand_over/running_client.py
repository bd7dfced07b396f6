"""The one client of this user: how it is found, whatever the system."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from typing import Protocol

from astcti_client.hand_over.named_pipe import HandOverPipe, hand_over_by_pipe, pipe_name
from astcti_client.hand_over.requests import DialNumber
from astcti_client.hand_over.unix_socket import HandOverSocket, hand_over_by_socket, socket_path

# Not by what the socket module has: with AF_UNIX Windows has still no owners of files and no such locks.
_POSIX = os.name == "posix"


class RequestListener(Protocol):
    """Takes the requests of other programs until it is closed."""

    def close(self) -> None:
        """Listen no more."""


def listen_for_requests(dial: DialNumber, show: Callable[[], None] | None = None) -> RequestListener:
    """Become the one client that others reach. Raises OtherClient if there is one, else NoHandOver."""
    if _POSIX:
        return HandOverSocket(socket_path(), dial, show)
    return HandOverPipe(pipe_name(getpass.getuser()), socket_path().parent, dial, show)


def ask_running_client(text: str) -> None:
    """Give the running client a clean number, or SHOW. Raises NoHandOver."""
    if _POSIX:
        hand_over_by_socket(socket_path(), text)
    else:
        hand_over_by_pipe(pipe_name(getpass.getuser()), socket_path().parent, text)

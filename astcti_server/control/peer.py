"""Who is at the other end of the control socket, and what he may ask for.

The kernel says so, as it was at connect(): user, group and process (`SO_PEERCRED`, unix(7)), and since Linux
4.13 the other groups (`SO_PEERGROUPS`). Nothing that the peer sends is believed.
"""

from __future__ import annotations

import pwd
import socket
import struct
from collections.abc import Set
from dataclasses import dataclass
from typing import Final

from schemas.protocol import ControlCommand

ROOT: Final = 0
_CREDENTIALS: Final = struct.Struct("=iII")  # struct ucred: pid_t, uid_t, gid_t
_PEER_GROUPS: Final = getattr(socket, "SO_PEERGROUPS", 59)  # asm-generic/socket.h; Python has no name for it
_MOST_BYTES: Final = 1024  # what socket.getsockopt may be asked for: 256 groups

EVERYTHING: Final = frozenset(ControlCommand)
LOOK_ONLY: Final = frozenset({ControlCommand.STATUS})
NOTHING: Final[frozenset[ControlCommand]] = frozenset()


class PeerUnknownError(Exception):
    """This system does not say who is at the other end of a Unix socket."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A process that connected."""

    process: int
    """0 if it is in a container of its own, where the server cannot see it."""
    user: int
    groups: frozenset[int] | None
    """All its groups; None where the system does not tell them all."""


def can_tell_peers() -> bool:
    """Whether this system says who is at the other end at all (Linux does)."""
    return hasattr(socket, "SO_PEERCRED")


def peer_of(connection: socket.socket) -> Peer:
    """Who connected. Raises PeerUnknownError, OSError."""
    if not can_tell_peers():
        raise PeerUnknownError
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    process, user, group = _CREDENTIALS.unpack(found)
    return Peer(process, user, _groups_of(connection, group))


def _groups_of(connection: socket.socket, first: int) -> frozenset[int] | None:
    try:
        found = connection.getsockopt(socket.SOL_SOCKET, _PEER_GROUPS, _MOST_BYTES)
    except OSError:
        return None  # an older Linux, or more groups than fit
    return frozenset({first, *(group for (group,) in struct.iter_unpack("=I", found))})


def rights_of(peer: Peer, own_user: int, group: int) -> Set[ControlCommand]:
    """What a peer may ask for: root and `own_user`, who runs the server, everything; `group` may look.

    Other user ids may be given rights of their own here.
    """
    if peer.user in (ROOT, own_user):
        return EVERYTHING
    # Where its groups are not known, the mode of the socket has kept everybody else out (unix(7)).
    return LOOK_ONLY if peer.groups is None or group in peer.groups else NOTHING


def name_of(peer: Peer) -> str:
    """The peer's user name, empty if there is none. May take a while where a network knows the names."""
    try:
        return pwd.getpwuid(peer.user).pw_name
    except KeyError:
        return ""

"""What the running server says of itself in its status file."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

from schemas.configuration.taken_away import Loss, PartsKind, losses_in_words
from schemas.server.status_age import is_old

PublicationState = Literal["unknown", "in-force", "refused", "held", "waiting"]


class HeldPublication(NamedTuple):
    """A valid file that the server does not take up, since it takes away too much of the one in force."""

    file: str
    sha256: str
    losses: tuple[Loss, ...]
    """Empty where the numbers are not known."""

    @property
    def words(self) -> str:
        """With the numbers; a sentence's end, to be translated."""
        return losses_in_words(self.losses) if self.losses else "?"


class ServerStatus(NamedTuple):
    """The file's content, as far as it matters here; `known` is False where there is none."""

    known: bool
    reason: str = ""
    file: str = ""
    sha256: str = ""
    since: datetime | None = None
    refused: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """File names that the server refused, with every error."""
    held: tuple[HeldPublication, ...] = ()
    ami: str = ""
    ami_reason: str = ""
    """Why Asterisk is not reached, in the server's words."""
    ami_since: datetime | None = None
    """Since when that is the reason."""
    ami_attempts: int = 0
    lacking: tuple[str, ...] = ()
    """What the server's user in manager.conf may not do or see, in the server's words."""
    state_error: str = ""
    """What is wrong with the server's state directory, in its words."""
    deleted: bool = False
    """The file in force is not in its directory any more: a server that starts anew would not find it."""
    ahead: int = 0
    """Seconds by which the server's clock is before this machine's; 0 for a few."""
    stuck: bool = False
    """A part of the server hangs."""
    clients: int = 0
    calls: int = 0
    version: str = ""

    def of(self, sha256: str, file: str) -> PublicationState:
        """What became of a publication."""
        if not self.known:
            return "unknown"
        if self.sha256 == sha256 and self.file == file:
            return "in-force"
        if any((held.file, held.sha256) == (file, sha256) for held in self.held):
            return "held"
        return "refused" if file in dict(self.refused) else "waiting"

    def errors(self, file: str) -> tuple[str, ...]:
        """Why the server refused a file."""
        return dict(self.refused).get(file, ())


def read_server_status(path: Path | None) -> ServerStatus:
    """Read the file. Never raises: whatever is wrong is the reason why nothing is known."""
    if path is None:
        return ServerStatus(False, "no-path")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        return _status(said)
    except FileNotFoundError:
        return ServerStatus(False, "no-file")
    except _NotRunningError as error:
        return ServerStatus(False, str(error))
    except (
        OSError,
        ValueError,
        ArithmeticError,
        LookupError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        return ServerStatus(False, str(error))


class _NotRunningError(Exception):
    """`ended`: the process that wrote the file is gone, and had no time to remove it.

    `silent`: nobody has renewed it for too long: the server hangs, or was killed on another machine.
    """


def _held(said: dict[str, Any]) -> HeldPublication:
    counts = said["counts"]
    losses = tuple(
        Loss(kind, int(counts[kind]["lost"]), int(counts[kind]["before"]))
        for kind in get_args(PartsKind)
        if kind in counts
    )
    return HeldPublication(Path(said["file"]).name, str(said["sha256"]), losses)


def _status(said: dict[str, Any]) -> ServerStatus:
    force = said["configuration"]
    try:
        os.kill(int(said["pid"]), 0)
    except ProcessLookupError:
        raise _NotRunningError("ended") from None
    except PermissionError:
        pass  # it runs, as another user
    if "written" in said and is_old(said["written"]):  # a server of the release before does not say when
        raise _NotRunningError("silent")
    ami = said["ami"]
    file = Path(force["file"])
    return ServerStatus(
        True,
        file=file.name,
        sha256=force["sha256"],
        since=_moment(force["since"]),
        refused=tuple(
            (Path(refusal["file"]).name, tuple(map(str, refusal["errors"]))) for refusal in said["refused"]
        ),
        held=tuple(_held(file) for file in force.get("held", ())),
        ami=str(ami["state"]),
        ami_reason=str(ami.get("reason", "")),
        ami_since=_moment(ami.get("reason_since", "")),
        ami_attempts=int(ami.get("attempts", 0)),
        lacking=tuple(map(str, ami.get("lacking", ()))),
        state_error=str(said.get("state_directory", {}).get("error", "")),
        deleted=file.is_absolute() and file.parent.is_dir() and not os.path.lexists(file),
        ahead=_ahead(str(said.get("written", ""))),
        stuck=bool(said.get("stuck")),
        clients=int(said["clients"]),
        calls=int(said["calls"]),
        version=str(said["version"]),
    )


def _ahead(written: str) -> int:
    """A moment that is still to come was written by another clock."""
    seconds = datetime.fromisoformat(written).timestamp() - time.time() if written else 0.0
    return round(seconds) if seconds > 2.0 else 0


def _moment(written: str) -> datetime | None:
    return datetime.fromisoformat(written) if written else None

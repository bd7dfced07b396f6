"""Which valid files are held: those that take away much of the configuration in force.

No threads, no waiting and no logging here. One thread at a time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from astcti_server.config.reading import ConfigFileReader
from schemas.configuration.directory import Candidate, Choice, InForce, SeenFile, choose_in_force
from schemas.configuration.model import Configuration
from schemas.configuration.taken_away import Loss, losses_in_words, much_taken_away
from schemas.server.status_age import iso_time


class ConfigInForce(Protocol):
    """What a file is compared with."""

    @property
    def path(self) -> Path: ...
    @property
    def digest(self) -> bytes: ...
    @property
    def modified(self) -> float: ...
    @property
    def configuration(self) -> Configuration: ...


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A valid file that is not taken up, since it takes away too much of the one in force."""

    path: Path
    digest: bytes
    losses: tuple[Loss, ...]
    in_force: Path
    """The file that it was compared with."""
    since: float
    """When it was held first by this process, in seconds since 1970."""

    @property
    def reason(self) -> str:
        """Why it is held, with the numbers."""
        return f"it takes away {losses_in_words(self.losses)} of what is in force ({self.in_force.name})"

    def described(self) -> dict[str, object]:
        """The same as the status file has it: JSON, times in UTC as ISO 8601."""
        return {
            "file": str(self.path),
            "sha256": self.digest.hex(),
            "since": iso_time(self.since),
            "reason": self.reason,
            "counts": {loss.kind: {"lost": loss.lost, "before": loss.before} for loss in self.losses},
        }

    def __str__(self) -> str:
        """For the log and `check`, as `file:line: message`, and what to do."""
        return (
            f"{self.path}:0: it is held, what was in force before stays so: {self.reason}. If that is meant: "
            f"astcti-server accept {self.digest.hex()}; if not, correct the file or delete it"
        )


class Holding:
    """Judges each content once against the one in force."""

    def __init__(self, held: Collection[HeldFile] = (), clock: Callable[[], float] = time.time) -> None:
        """`held` was held before, against what is in force now; `clock` tells seconds since 1970."""
        self._clock = clock
        self._accepted: set[bytes] = set()
        self._against = b""
        self._held = {(found.path.name, found.digest): found for found in held}

    def accept(self, digest: bytes) -> None:
        """Somebody says that the file of this digest is meant: it is not held any more."""
        self._accepted.add(digest)

    def of(self, seen: SeenFile, reader: ConfigFileReader, in_force: ConfigInForce) -> HeldFile | None:
        """Return how a candidate is held against the one in force; None if it is not, or is invalid."""
        if in_force.digest != self._against:
            kept = self._held if not self._against else {}
            self._held, self._against = kept, in_force.digest
        digest = reader.digest(seen)
        if digest in self._accepted or digest == in_force.digest:
            return None
        known = self._held.get((seen.name, digest))
        if known is not None:
            return known
        content = reader.configuration(seen)
        if content.value is None or content.replaces == in_force.digest.hex():
            return None
        losses = much_taken_away(in_force.configuration, content.value)
        if not losses:
            return None
        held = HeldFile(seen.path, content.digest, losses, in_force.path, self._clock())
        self._held[seen.name, content.digest] = held
        return held

    def among(
        self, candidates: Iterable[Candidate], reader: ConfigFileReader, in_force: ConfigInForce
    ) -> tuple[HeldFile, ...]:
        """Return those of the candidates that are held against what is in force."""
        found = (self.of(candidate.seen, reader, in_force) for candidate in candidates)
        return tuple(held for held in found if held is not None)

    def tidy(self, held: Collection[HeldFile]) -> None:
        """Forget what is held no longer, and what was accepted: it is in force, or not there any more."""
        self._held = {(found.path.name, found.digest): found for found in held}
        self._accepted.clear()


def choose_beside(
    in_force: ConfigInForce,
    candidates: Sequence[Candidate],
    reader: ConfigFileReader,
    may_be_taken: Callable[[Candidate], bool],
) -> Choice:
    """Choose the newest file that may be taken; without one, what is in force goes on."""
    name = in_force.path.name
    mine = next((candidate for candidate in candidates if candidate.name == name), None)
    unchanged = mine is not None and reader.digest(mine.seen) == in_force.digest
    replaced = mine is not None and not unchanged and may_be_taken(mine)
    return choose_in_force(candidates, may_be_taken, InForce(in_force.modified, name, unchanged, replaced))

"""The status file: what the server is doing, for the Configurator and for people. Main thread.

JSON, replaced as a whole, so that a reader never sees half of it; and renewed every few seconds even if
nothing changed, so that a reader can tell a server that was killed, or hangs.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from schemas import own_files
from schemas.problems import Problem
from schemas.server.status_age import iso_time
from schemas.version import VERSION

logger = logging.getLogger(__name__)

STATUS_FORMAT: Final = 1
RENEWED_EVERY: Final = 4.0
"""Seconds, a little less than the daemon takes between two looks. Readers: `schemas/server/status_age.py`."""


def now() -> str:
    """The time as the file writes it: UTC, ISO 8601."""
    return iso_time(time.time())


def failing_ami(ami: Mapping[str, Any], reason: str, since: float, attempts: int) -> dict[str, Any]:
    """What is said of Asterisk, with the reason why the last attempt to reach it failed."""
    return {**ami, "reason": reason, "reason_since": iso_time(since), "attempts": attempts}


class StatusFile:
    """Holds what is to be said; `write` puts it into the file if it changed, or is old."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` tells seconds, for the age of the file."""
        self.path = path
        own_files.remove_leftovers(path.parent, path.name)
        self._clock = clock
        self._written: dict[str, Any] | None = None
        self._written_at = 0.0
        self._complained = False
        self.content: dict[str, Any] = {
            "format": STATUS_FORMAT,
            "version": VERSION,
            "pid": os.getpid(),
            "started": now(),
            "written": now(),
            "role": "single",
            "configuration": {"file": "", "sha256": "", "since": "", "held": []},
            "refused": [],
            "ami": {
                "state": "connecting",
                "since": now(),
                "reason": "",
                "reason_since": "",
                "attempts": 0,
                "lacking": [],
                "version": "",
                "manager": "",
                "dialect": "",
            },
            "state_directory": {"error": "", "error_since": ""},
            "stuck": [],
            "clients": 0,
            "calls": 0,
        }
        self.published: Mapping[str, Any] = MappingProxyType(dict(self.content))
        """What was to be written last. Nobody changes it any more: any thread may read it."""

    def in_force(self, file: str, sha256: str) -> None:
        """Another configuration was taken up."""
        held = self.content["configuration"]["held"]
        self.content["configuration"] = {"file": file, "sha256": sha256, "since": now(), "held": held}

    def held(self, files: Sequence[Mapping[str, Any]]) -> None:
        """The valid files that are held now, since they take away too much; replaces what was said before."""
        self.content["configuration"] = {**self.content["configuration"], "held": list(files)}

    def refused(self, problems: Sequence[Problem]) -> None:
        """Everything wrong with the files that are refused now; replaces what was said before."""
        before = {refusal["file"]: refusal for refusal in self.content["refused"]}
        errors: dict[str, list[str]] = {}
        for problem in problems:
            errors.setdefault(problem.file, []).append(str(problem))
        found = [{"file": file, "at": now(), "errors": errors[file]} for file in errors]
        for index, refusal in enumerate(found):
            known = before.get(str(refusal["file"]))
            if known is not None and known["errors"] == refusal["errors"]:
                found[index] = known  # since when, not when it was looked at last
        self.content["refused"] = found

    def ami(self, state: str, reason: str) -> None:
        """Asterisk came, or went."""
        self._change_ami(
            state=state, since=now(), reason=reason, reason_since=now() if reason else "", attempts=0
        )

    def ami_failed(self, reason: str, since: float, attempts: int) -> None:
        """The last attempt to reach Asterisk failed, and why; `since` is when it did so first, since 1970.

        `attempts`: how many failed since the last login.
        """
        self.content["ami"] = failing_ami(self.content["ami"], reason, since, attempts)

    def ami_identity(self, version: str, manager: str, dialect: str) -> None:
        """Which Asterisk it is, of what version of the manager interface, and which dialect that speaks."""
        self._change_ami(version=version, manager=manager, dialect=dialect)

    def lacking(self, privileges: Sequence[str]) -> None:
        """What the manager user may not do or see, in words."""
        self._change_ami(lacking=list(privileges))

    def _change_ami(self, **changed: object) -> None:
        self.content["ami"] = {**self.content["ami"], **changed}

    def state_directory(self, error: str) -> None:
        """What is wrong with the state directory now; empty if nothing is."""
        if error != self.content["state_directory"]["error"]:
            self.content["state_directory"] = {"error": error, "error_since": now() if error else ""}

    def stuck(self, threads: Sequence[str]) -> None:
        """Threads that hang, by name."""
        self.content["stuck"] = list(threads)

    def counts(self, clients: int, calls: int) -> None:
        """How much is going on."""
        self.content["clients"], self.content["calls"] = clients, calls

    def write(self) -> None:
        """Replace the file if there is news, or it is old. A failure is logged once; the server goes on."""
        age = self._clock() - self._written_at
        if self.content == self._written and 0 <= age < RENEWED_EVERY:
            return
        self.content["written"] = now()
        self.published = MappingProxyType(dict(self.content))
        data = json.dumps(self.content, indent=2).encode() + b"\n"
        try:
            self.path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            # The Configurator reads it, as a member of the group. It is new every few seconds: no disk waits.
            own_files.replace_file(self.path, data, own_files.FOR_GROUP, durable=False)
        except OSError as error:
            if not self._complained:
                logger.warning("Cannot write the status file %s: %s (see --status)", self.path, error)
            self._complained = True
            return
        self._complained = False
        self._written = dict(self.content)
        self._written_at = self._clock()

    def remove(self) -> None:
        """The server is gone: nothing in the file would be true any more."""
        with contextlib.suppress(OSError):
            self.path.unlink()

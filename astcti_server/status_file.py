"""The status file: what the server is doing, for the Configurator and for people. Main thread.

JSON, replaced as a whole, so that a reader never sees half of it.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from schemas.problems import Problem
from schemas.version import VERSION

logger = logging.getLogger(__name__)

STATUS_FORMAT = 1


def now() -> str:
    """The time as the file writes it: UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class StatusFile:
    """Holds what is to be said; `write` puts it into the file if it changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, Any] | None = None
        self._complained = False
        self.content: dict[str, Any] = {
            "format": STATUS_FORMAT,
            "version": VERSION,
            "pid": os.getpid(),
            "started": now(),
            "configuration": {"file": "", "sha256": "", "since": "", "held": []},
            "refused": [],
            "ami": {"state": "connecting", "since": now(), "reason": "", "lacking": []},
            "clients": 0,
            "calls": 0,
        }

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
        lacking = self.content["ami"]["lacking"]
        self.content["ami"] = {"state": state, "since": now(), "reason": reason, "lacking": lacking}

    def lacking(self, privileges: Sequence[str]) -> None:
        """What the manager user may not do or see, in words."""
        self.content["ami"] = {**self.content["ami"], "lacking": list(privileges)}

    def counts(self, clients: int, calls: int) -> None:
        """How much is going on."""
        self.content["clients"], self.content["calls"] = clients, calls

    def write(self) -> None:
        """Replace the file if there is something new. A failure is logged once; the server goes on."""
        if self.content == self._written:
            return
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text(json.dumps(self.content, indent=2) + "\n", encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            if not self._complained:
                logger.warning("Cannot write the status file %s: %s (see --status)", self.path, error)
            self._complained = True
            return
        self._complained = False
        self._written = dict(self.content)

    def remove(self) -> None:
        """The server is gone: nothing in the file would be true any more."""
        with contextlib.suppress(OSError):
            self.path.unlink()

"""Says in the audit what became of each configuration file: in force, held, refused. Main thread."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from astcti_server.audit.entries import Audit, AuditAction, AuditRecord, AuditValue
from astcti_server.config.differences import differences
from astcti_server.config.holding import HeldFile
from astcti_server.config.store import ConfigSnapshot
from schemas.problems import Problem

MOST_ERRORS: Final = 20
"""Errors of one refused file; the log has all of them."""


class ConfigurationAudit:
    """Remembers what it said, so that what is still held or refused is not said again and again."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._held: set[tuple[str, bytes]] = set()
        self._refused: dict[str, list[str]] = {}

    def in_force(self, loaded: ConfigSnapshot, before: ConfigSnapshot | None = None) -> None:
        """Another file, or other settings, are in force; `before` is what they take the place of."""
        changes = differences(before.configuration, loaded.configuration) if before is not None else []
        if before is not None and before.settings != loaded.settings:
            changes.append("settings of server.xml changed")
        details: dict[str, AuditValue] = {
            "file": str(loaded.path),
            "sha256": loaded.digest.hex(),
            "before": str(before.path) if before is not None else "",
            "changes": changes,
        }
        self._audit(AuditRecord(AuditAction.CONFIGURATION, details))

    def held(self, files: Sequence[HeldFile]) -> None:
        """The valid files that are held now, since they take away too much."""
        known, self._held = self._held, {(str(file.path), file.digest) for file in files}
        for file in files:
            if (str(file.path), file.digest) not in known:
                details = {"file": str(file.path), "sha256": file.digest.hex(), "why": file.reason}
                self._audit(AuditRecord(AuditAction.CONFIGURATION_HELD, details))

    def refused(self, problems: Iterable[Problem]) -> None:
        """Everything wrong with the files that are refused now."""
        errors: dict[str, list[str]] = {}
        for problem in problems:
            errors.setdefault(problem.file, []).append(str(problem))
        known, self._refused = self._refused, errors
        for file, found in errors.items():
            if known.get(file) != found:
                details: dict[str, AuditValue] = {
                    "file": file,
                    "count": len(found),
                    "errors": found[:MOST_ERRORS],
                }
                self._audit(AuditRecord(AuditAction.CONFIGURATION_REFUSED, details))

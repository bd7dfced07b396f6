"""What `doctor` prints: for people, and as JSON for programs. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from astcti_server.doctor.examination import Diagnosis
from astcti_server.doctor.findings import Severity
from schemas.log_lines import harmless

EXIT_WELL: Final = 0
EXIT_WARNINGS: Final = 1
EXIT_ERRORS: Final = 2


def exit_code(diagnosis: Diagnosis) -> int:
    """By the worst finding; notes do not count."""
    severities = {finding.severity for finding in diagnosis.findings}
    if Severity.ERROR in severities:
        return EXIT_ERRORS
    return EXIT_WARNINGS if Severity.WARNING in severities else EXIT_WELL


def lines_of(diagnosis: Diagnosis) -> Iterator[str]:
    """A line a finding, then the manager user, then how many there are."""
    for finding in diagnosis.findings:
        yield harmless(f"{finding.severity.upper():<7}  {finding.text} [{finding.code}]")
    if diagnosis.least_user:
        yield ""
        yield f"The least manager user for this configuration{_version(diagnosis)} (manager.conf):"
        yield ""
        for line in diagnosis.least_user.splitlines():
            yield harmless(f"    {line}")
    yield ""
    yield _summary(diagnosis)


def as_document(diagnosis: Diagnosis) -> dict[str, Any]:
    """The same, ready for JSON; docs/operations.md lists its fields."""
    manager = diagnosis.facts.manager
    return {
        "exit_code": exit_code(diagnosis),
        "findings": [
            {
                "code": finding.code.value,
                "severity": finding.severity.value,
                "where": finding.where,
                "what": finding.what,
                "todo": finding.todo,
            }
            for finding in diagnosis.findings
        ],
        "asterisk": manager.version if manager is not None else "",
        "manager": manager.manager if manager is not None else "",
        "least_user": diagnosis.least_user,
    }


def _version(diagnosis: Diagnosis) -> str:
    manager = diagnosis.facts.manager
    if manager is None or not (manager.version or manager.manager):
        return ""
    return (
        f" and Asterisk {manager.version}" if manager.version else f" and manager interface {manager.manager}"
    )


def _summary(diagnosis: Diagnosis) -> str:
    counts = dict.fromkeys(Severity, 0)
    for finding in diagnosis.findings:
        counts[finding.severity] += 1
    return ", ".join(f"{count} {severity}{'s'[: count != 1]}" for severity, count in counts.items())

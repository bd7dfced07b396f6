"""One examination: gathers all facts, then has them judged. Waits for the network and the disk."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from astcti_server.doctor import manager_classes
from astcti_server.doctor.check_files import check_files
from astcti_server.doctor.check_manager import check_manager
from astcti_server.doctor.check_pbx import check_pbx
from astcti_server.doctor.check_server import check_server
from astcti_server.doctor.facts import Facts
from astcti_server.doctor.findings import Finding, worst_first
from astcti_server.doctor.gather_files import gather_files
from astcti_server.doctor.gather_manager import ManagerGatherer
from astcti_server.doctor.gather_server import gather_server
from astcti_server.doctor.manager_probe import ProbeTimeLimits


@dataclass(frozen=True)
class Examined:
    """Where to look, and how."""

    configuration: Path
    state: Path
    control: Path
    etc: Path | None = None
    """Asterisk's own files; None: their usual place, if Asterisk is on this machine."""
    provoking: bool = False


@dataclass(frozen=True)
class Diagnosis:
    """What came out."""

    findings: tuple[Finding, ...]
    """The worst first."""
    least_user: str
    """A section for manager.conf; empty without a valid configuration."""
    facts: Facts


def examine(
    examined: Examined, limits: ProbeTimeLimits | None = None, clock: Callable[[], float] = time.time
) -> Diagnosis:
    """Look at everything; takes some seconds. `clock` tells seconds since 1970."""
    facts = _gather(examined, limits, clock)
    return Diagnosis(judge(facts), _least_user(facts), facts)


def judge(facts: Facts) -> tuple[Finding, ...]:
    """All findings, the worst first. Pure."""
    return worst_first(
        (*check_files(facts.files, facts.now), *check_manager(facts), *check_server(facts), *check_pbx(facts))
    )


def _gather(examined: Examined, limits: ProbeTimeLimits | None, clock: Callable[[], float]) -> Facts:
    before = gather_server(examined.control)
    files = gather_files(examined.configuration, examined.state, before, clock)
    manager, after = None, before
    if files.settings is not None and files.configuration is not None:
        manager = ManagerGatherer(
            files.settings,
            files.configuration,
            etc=examined.etc,
            provoking=examined.provoking,
            limits=limits,
            clock=clock,
        ).gather()
        # Again: it has seen what was provoked, and who logged in or out meanwhile is known before or after.
        after = replace(gather_server(examined.control), earlier=before.status)
    return Facts(clock(), files, after, manager)


def _least_user(facts: Facts) -> str:
    files, manager = facts.files, facts.manager
    if files.settings is None or files.configuration is None or manager is None:
        return ""
    version = manager.manager or str(facts.server.status.get("ami", {}).get("manager", ""))
    username = files.settings.ami.username
    return manager_classes.least_user(files.configuration, version, username, manager.own_address)

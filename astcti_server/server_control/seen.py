"""SEEN: what this server has seen of Asterisk and of its own machine, for `doctor` to judge. Any thread.

Nobody is asked for it, and nothing waits.
"""

from __future__ import annotations

import os
import resource
from dataclasses import asdict

from astcti_server.control.ports import ControlDocument
from astcti_server.server_control.arguments import check_count
from astcti_server.server_control.parts import ServerParts
from schemas.wire import CommandLine


def tell_seen(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`SEEN`: docs/protocol.md lists the fields."""
    check_count(line, 0)
    settings = parts.store.current.settings  # <ami>, <listen> and <metrics> are those of the start
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    refusals = parts.privileges.refusals
    return {
        "events": sorted(parts.events_seen()),
        "refusals": [{"action": action, "message": message} for action, message in refusals],
        "ami": {name: value for name, value in asdict(settings.ami).items() if name != "secret"},
        "listen": asdict(settings.listen),
        "metrics": None if settings.metrics is None else asdict(settings.metrics),
        "user": os.geteuid(),
        "groups": sorted({os.getegid(), *os.getgroups()}),
        "descriptors": None if limit == resource.RLIM_INFINITY else limit,
    }

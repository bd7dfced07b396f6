"""What systemd is about to do with a unit of ours."""

from __future__ import annotations

import subprocess
from typing import Final

SYSTEMCTL: Final = "systemctl"
ASK_WITHIN: Final = 5.0  # seconds


class JobNotKnown(Exception):
    """systemd could not be asked; the text says why."""


def is_restarted(unit: str) -> bool:
    """Whether systemd stops this unit only to start it again. Raises JobNotKnown.

    While a unit is stopped for that its job is of type `restart`; only then it becomes one of type `start`
    (systemd.unit(5), `systemctl list-jobs`). Any user may list jobs.
    """
    try:
        listed = subprocess.run(
            [SYSTEMCTL, "list-jobs", "--full", "--no-legend", "--no-pager", "--", unit],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=ASK_WITHIN,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise JobNotKnown(f"{SYSTEMCTL}: {error}") from None
    if listed.returncode:
        raise JobNotKnown(f"{SYSTEMCTL} list-jobs: {listed.stderr.strip() or listed.returncode}")
    return any(_is_restart(line.split(), unit) for line in listed.stdout.splitlines())


def _is_restart(words: list[str], unit: str) -> bool:
    """Of a line like `1234 astcti-server.service restart running`."""
    return len(words) >= 3 and words[1] == unit and words[2] == "restart"

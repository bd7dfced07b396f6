"""What systemd has in hand for a unit: whether a stop is half of a restart. It waits for the answer."""

from __future__ import annotations

import os
import subprocess
from typing import Final

ANSWER_WITHIN: Final = 5.0  # seconds
DEFAULT_UNIT: Final = "astcti-server.service"
RESTART_JOBS: Final = ("restart", "try-restart")


class SystemdError(Exception):
    """systemd could not be asked; the text says why."""


def is_restarting(unit: str) -> bool:
    """Whether the unit's job is a restart. Raises SystemdError.

    Until the last process of the unit is gone the job of `systemctl restart` is of the type `restart`, then
    it becomes `start` (systemd's job_finish_and_invalidate). Whatever else ends a unit has the type `stop`,
    or is no job: a shutdown of the machine, too.
    """
    # No environment variable of ExecStop= tells it. As another user than root this goes by the system bus,
    # which lets everybody read it.
    command = ["systemctl", "--no-pager", "--no-legend", "--plain", "--full", "list-jobs"]
    environment = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    try:
        asked = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=environment,
            timeout=ANSWER_WITHIN,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise SystemdError(f"systemctl does not answer within {ANSWER_WITHIN:g} s") from None
    except OSError as error:
        raise SystemdError(f"systemctl: {error.strerror or error}") from None
    if asked.returncode:
        lines = asked.stderr.decode(errors="replace").strip().splitlines()
        raise SystemdError(lines[0] if lines else f"systemctl ended with {asked.returncode}")
    return job_type(asked.stdout.decode(errors="replace"), unit) in RESTART_JOBS


def job_type(listed: str, unit: str) -> str:
    """The type of a unit's job in what `systemctl list-jobs` lists; empty without one.

    The columns are number, unit, type, state; some versions put a blank before the number.
    """
    for line in listed.splitlines():
        columns = line.split()
        if len(columns) >= 3 and columns[0].isdigit() and columns[1] == unit:
            return columns[2]
    return ""

"""The command line of a version, for a server that may be of another one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.fake.running_server import RunningServer

WITHIN = 60.0  # seconds


def command(server: RunningServer, *words: str, tree: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run `astcti-server` with these words for this server; `tree`: of another version."""
    status = ("--status", str(server.status_file))
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "astcti_server", *status, *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=WITHIN,
        cwd=tree,
    )


def stop_and_keep_members(server: RunningServer, *, tree: Path | None = None) -> None:
    """Stop it as a restart does. Raises AssertionError if it does not end in order."""
    said = command(server, "stop", "--keep-members", tree=tree)
    assert said.returncode == 0, said
    assert server.wait() == 0

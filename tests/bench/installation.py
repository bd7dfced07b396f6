"""How long setting up takes: from a fresh copy of the project to an environment that runs the server."""

from __future__ import annotations

import subprocess
import time

from tests.bench.report import Report
from tests.bench.server_process import ServerFailed
from tests.bench.source_tree import source_tree


def installation(report: Report, *, rounds: int) -> None:
    """`make setup` in a copy of the last commit; packages come from wherever pip has them."""
    seconds = []
    for _ in range(rounds):
        with source_tree() as tree:
            begun = time.perf_counter()
            made = subprocess.run(["make", "-C", str(tree), "setup"], capture_output=True, check=False)
            seconds.append(time.perf_counter() - begun)
            if made.returncode:
                raise ServerFailed(made.stderr.decode(errors="replace"))
    report.values("make setup", seconds, "s")

"""A process that is killed while it saves, imports or publishes leaves nothing half done."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fake.patience import PATIENCE

ATTEMPTS = 12


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is not of Windows")
def test_what_is_killed_at_a_random_moment_leaves_nothing_half_done(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    words = [sys.executable, "-m", "tests.configurator.large.killed_process"]
    run = subprocess.run(
        [*words, str(tmp_path), str(seed), str(ATTEMPTS)],
        capture_output=True,
        text=True,
        timeout=8 * PATIENCE,
        check=False,
    )
    assert run.returncode == 0, f"seed {seed}: {run.stderr[-3000:]}"
    counts = json.loads(run.stdout.splitlines()[-1])
    assert counts["killed"] > ATTEMPTS, counts

"""The endurance run: `make soak MINUTES=60 SEED=1`. Ends with 1 if anything was wrong."""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from pathlib import Path

from tests.endurance.faults import FAULTS
from tests.endurance.report import as_json, as_markdown
from tests.endurance.soak import Soak, SoakOptions, keep_folder

BUILD = Path("build/endurance")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (default: 60)")
    parser.add_argument("--seed", type=int, help="of a run to be repeated (default: a new one)")
    parser.add_argument("--seats", type=int, default=500)
    parser.add_argument("--groups", type=int, default=10, help="client processes (default: 10)")
    parser.add_argument(
        "--rate", type=float, default=0.0, help="calls a second (default: what the machine carries)"
    )
    parser.add_argument("--only", default="", help="faults whose names have this in them, by commas")
    options = parser.parse_args()
    seed = random.SystemRandom().randrange(10**6) if options.seed is None else options.seed
    only = [word for word in options.only.split(",") if word]
    kinds = tuple(kind for kind in FAULTS if not only or any(word in kind.name for word in only))
    if not kinds:
        parser.error(f"no fault has {options.only} in its name")
    soak_options = SoakOptions(
        options.minutes, seed, options.seats, options.groups, min(2, options.groups), options.rate, kinds
    )
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(2))  # so that everything is taken down
    folder = keep_folder(BUILD)
    print(f"seed {seed}; everything is in {folder}", flush=True)
    result = Soak(soak_options, folder, sys.stdout).run()
    report = as_json(result)
    (BUILD / "report.json").write_text(json.dumps(report, indent=1) + "\n")
    (BUILD / "report.md").write_text(as_markdown(report))
    print(as_markdown(report))
    for finding in result.findings:
        print(f"WRONG: {finding.wrong.value}: {finding.text}")
    print(f"seed {seed}: {len(result.findings)} findings")
    return 1 if result.findings else 0


if __name__ == "__main__":
    sys.exit(main())

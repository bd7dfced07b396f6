"""`make fuzz`: inputs for every parser, a table of what came of them, and a file for each finding."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from tests.fuzz import findings_kept, summary
from tests.fuzz.campaign import Campaign, Plan
from tests.fuzz.progress import ProgressFiles
from tests.fuzz.targets import TARGETS


def main(arguments: list[str] | None = None) -> int:
    """The program. Returns its exit code: 0 if nothing was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000, help="of each parser")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same inputs")
    parser.add_argument("--seconds", type=float, default=0.0, help="processor time in all; 0 for no end")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes at a time")
    parser.add_argument("--only", default="", help="names of targets, or parts of them, with commas between")
    parser.add_argument("--findings", type=Path, default=findings_kept.FOLDER, help="where inputs are saved")
    parser.add_argument("--table", type=Path, help="where the table goes, as Markdown")
    parser.add_argument(
        "--progress", type=Path, help="a folder: go on where runs of the same harness ended that it tells of"
    )
    parser.add_argument("--list", action="store_true", help="only say which parsers there are")
    given = parser.parse_args(arguments)
    wanted = given.only.split(",")
    targets = [target for target in TARGETS if any(part in target.name for part in wanted)]
    if given.list or not targets:
        print("\n".join(f"{target.name:24} {target.reads}" for target in TARGETS))
        return 0 if given.list else 2
    share = given.seconds / len(targets) if given.seconds else 1e9
    plan = Plan(given.seed, given.inputs, share, given.jobs)
    files = ProgressFiles(given.seed, given.progress) if given.progress else None
    campaign = Campaign(targets, plan, lambda text: print(text, flush=True), files)
    results = campaign.run()
    table = summary.table(result.row for result in results)
    print(table)
    if given.table:
        given.table.parent.mkdir(parents=True, exist_ok=True)
        given.table.write_text(table, encoding="utf-8")
    findings = [finding for result in results for finding in result.findings.values()]
    for finding in findings:
        path = findings_kept.keep(finding.target, finding.data, given.findings)
        alone = "" if finding.alone else " (not by this input alone)"
        print(f"FOUND {finding.target}: {finding.key}{alone}: {path}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a run found, as a table for people and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from statistics import quantiles
from typing import Any

from tests.endurance.checks.findings import Wrong
from tests.endurance.soak import SoakResult


def as_json(result: SoakResult) -> dict[str, Any]:
    """Everything, as values for JSON."""
    options, tally = result.options, result.tally
    return {
        "seed": options.seed,
        "minutes": round(result.lasted / 60, 1),
        "seats": options.seats,
        "servers_started": result.servers,
        "quiet_moments": result.quiet_moments,
        "resumes": result.resumes,
        "calls": {
            "answered": tally.answered,
            "shown": tally.shown,
            "caught_up": tally.caught_up,
            "interrupted": tally.interrupted,
            "wrapped_up": tally.wrapped_up,
            "excused": dict(tally.excused),
            "delay": spread(tally.delays),
        },
        "faults": {
            name: {
                "seen": next((kind.seen for kind in options.kinds if kind.name == name), ""),
                "times": row.times,
                "combined": row.combined,
                "recovered": spread(row.recovered),
            }
            for name, row in result.rows.items()
        },
        "left_out": result.left_out,
        "findings": [asdict(finding) | {"wrong": finding.wrong.value} for finding in result.findings],
    }


def spread(values: list[float]) -> dict[str, float]:
    """Median, 99th percentile and the largest, in seconds."""
    if not values:
        return {}
    if len(values) == 1:
        return {"median": round(values[0], 3), "p99": round(values[0], 3), "largest": round(values[0], 3)}
    parts = quantiles(values, n=100, method="inclusive")
    return {"median": round(parts[49], 3), "p99": round(parts[98], 3), "largest": round(max(values), 3)}


def as_markdown(report: dict[str, Any]) -> str:
    """The tables of docs/reliability.md, from the JSON."""
    calls = report["calls"]
    wrong = Counter(finding["wrong"] for finding in report["findings"])
    excused = sum(calls["excused"].values())
    delay = calls["delay"]
    lines = [
        f"{report['minutes']:.0f} minutes, seed {report['seed']}, {report['seats']} seats, "
        f"{calls['answered']} answered calls, the server started {report['servers_started']} times, "
        f"{report['quiet_moments']} quiet moments:",
        "",
        "| answered calls | |",
        "|---|---|",
        f"| shown | {calls['shown']} |",
        f"| of these after a fault, while the call went on | {calls['caught_up']} |",
        f"| over before the seat could be reached again | {excused} |",
        f"| client killed while it opened the page: the card offers it | {calls['interrupted']} |",
        f"| pages at the end of a call | {calls['wrapped_up']} |",
        *(f"| {kind.value} | {wrong[kind.value]} |" for kind in Wrong),
    ]
    if delay:
        lines.append(
            "| from answer to page, with no fault: median, 99th percentile, longest | "
            + ", ".join(f"{delay[name] * 1000:.0f} ms" for name in ("median", "p99", "largest"))
            + " |"
        )
    lines += [
        "",
        "| fault | what is seen of it | alone | with others | all well again after: median | longest |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in sorted(report["faults"].items()):
        took = row["recovered"]
        words = f"{took['median']:.1f} s | {took['largest']:.1f} s" if took else "|"
        lines.append(f"| {name} | {row['seen']} | {row['times']} | {row['combined']} | {words} |")
    lines += [f"| {name} | left out: {why} | | | | |" for name, why in sorted(report["left_out"].items())]
    return "\n".join(lines) + "\n"

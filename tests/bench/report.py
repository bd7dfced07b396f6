"""What the bench prints: figures in plain words, each with its target; and all of it as JSON at the end."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.bench.figures import WIDE, Summary, median_interval, summarise
from tests.bench.machine import Machine
from tests.bench.processor_time import ProcessorTime, Usage

ScenarioContent = dict[str, Any]


class Report:
    """Prints as it goes, and remembers how many targets were missed."""

    def __init__(self, machine: Machine, *, version: str = "", quick: bool = False) -> None:
        """`version` is that of the tree that is measured."""
        self.missed = 0
        self._cores = machine.cores
        self._content: dict[str, Any] = {
            "machine": asdict(machine),
            "version": version,
            "measured": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            "quick": quick,
            "scenarios": [],
        }
        self._say(f"Python: {machine.python}; every process that is measured runs on it, or the run fails")
        self._say(f"its build: {machine.build}")
        self._say(f"a fixed loop: {machine.loop:.1f} ms of processor time")
        self._say(f"machine: {machine.processor}, {machine.cores} cores, {machine.kernel}")
        if quick:
            self._say("quick: fewer and shorter rounds; good for seeing that it runs, not for figures")

    def scenario(self, name: str, title: str) -> None:
        """What follows belongs to it."""
        self._content["scenarios"].append(
            {"name": name, "title": title, "figures": [], "usage": [], "notes": [], "seconds": 0.0}
        )
        print(f"\n== {title} ({name})", flush=True)

    def took(self, seconds: float) -> None:
        """How long the scenario took."""
        self._scenario["seconds"] = seconds
        self._say(f"(measured in {seconds:.0f} s)")

    def note(self, text: str) -> None:
        """Anything that is no figure."""
        self._scenario["notes"].append(text)
        self._say(text)

    def values(self, what: str, values: Sequence[float], unit: str) -> Summary:
        """The repeated measurements of one thing."""
        summary = summarise(values)
        self._figure(what, unit, median=summary.median, spread=summary.spread, values=list(values))
        self._say(f"{what}: {_number(summary.median)} {unit}{_range(summary, len(values))}")
        return summary

    def ratios(self, what: str, ratios: Sequence[float], before: str, after: str) -> None:
        """A comparison: one ratio a pair, new to old, and both as they are printed beside it."""
        summary, interval = summarise(ratios), median_interval(ratios)
        self._figure(what, "times", median=summary.median, values=list(ratios), interval=interval)
        if interval is None:
            sure = f"{len(ratios)} pairs are too few to be sure"
        else:
            sure = f"95 % interval {interval[0]:.3f} to {interval[1]:.3f}, {_verdict(interval)}"
        self._say(f"{what}: {before} -> {after}; {summary.median:.3f} times ({sure})")

    def at_most(self, what: str, figure: float, target: float, unit: str = "times") -> None:
        """A figure that should not be above its target."""
        self._judge(what, figure, target, "at most", unit, figure <= target)

    def at_least(self, what: str, figure: float, target: float, unit: str = "times") -> None:
        """A figure that should not be below its target."""
        self._judge(what, figure, target, "at least", unit, figure >= target)

    def times(self, what: str, ratios: Sequence[float], target: float) -> None:
        """Ratios, one a round, whose median should not be below the target; see `Rounds.ratios`."""
        self._judge_ratios(what, ratios, target, "at least")

    def times_at_most(self, what: str, ratios: Sequence[float], target: float) -> None:
        """Ratios, one a round, whose median should not be above the target."""
        self._judge_ratios(what, ratios, target, "at most")

    def usage(self, what: str, usage: Usage) -> None:
        """Who used the processors during one measurement, or the most typical one of several."""
        limit = usage.limit(self._cores)
        shares = {name: usage.share(name) for name in usage.processes}
        self._scenario["usage"].append(
            {"what": what} | asdict(usage) | {"noisy": usage.noisy, "shares": shares, "limit": limit}
        )
        own = "; ".join(
            f"{name} {used.total:.3f} s, {shares[name]:.0%} of a core ({_kernel(used):.0%} in the kernel)"
            for name, used in usage.processes.items()
        )
        self._say(f"{what}: {usage.seconds:.2f} s; processor time: {own}")
        noisy = ", NOISY" if usage.noisy else ""
        self._say(
            f"   the limit: {limit}; other processes used {usage.others:.0%} of the cores, "
            f"{usage.stolen:.1%} were stolen, load {usage.load:.1f}{noisy}"
        )

    def failed(self, error: Exception) -> None:
        """A scenario did not come to its end."""
        self._scenario["failed"] = str(error)
        self._say(f"FAILED: {error}")

    def left_out(self, lacking: Exception) -> None:
        """A scenario cannot be measured on this machine: neither a failure nor a missed target."""
        self._scenario["left_out"] = str(lacking)
        self._say(f"LEFT OUT: {lacking}")

    def write(self, path: Path) -> None:
        """All of it as JSON, whatever was measured until now."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(self._content | {"missed": self.missed}, indent=1, ensure_ascii=False) + "\n"
        )

    @property
    def _scenario(self) -> ScenarioContent:
        found: ScenarioContent = self._content["scenarios"][-1]
        return found

    def _judge_ratios(self, what: str, ratios: Sequence[float], target: float, words: str) -> None:
        summary = summarise(ratios)
        met = summary.median >= target if words == "at least" else summary.median <= target
        self.missed += not met
        parts = {"median": summary.median, "values": list(ratios), "spread": summary.spread}
        self._figure(what, "times", **parts, target=target, bound=words, met=met)
        self._say(
            f"{what}: {_number(summary.median)} times{_range(summary, len(ratios))}; "
            f"target {words} {target:g}: {'met' if met else 'NOT MET'}"
        )

    def _judge(self, what: str, figure: float, target: float, words: str, unit: str, met: bool) -> None:
        self.missed += not met
        self._figure(what, unit, median=figure, target=target, bound=words, met=met)
        self._say(
            f"{what}: {_number(figure)} {unit}; target {words} {target:g}: {'met' if met else 'NOT MET'}"
        )

    def _figure(self, what: str, unit: str, **parts: object) -> None:
        self._scenario["figures"].append({"what": what, "unit": unit} | parts)

    def _say(self, text: str) -> None:
        print(f"   {text}", flush=True)


def _kernel(used: ProcessorTime) -> float:
    both = used.user + used.system
    return used.system / both if both else 0.0


def _verdict(interval: tuple[float, float]) -> str:
    lowest, highest = interval
    if lowest <= 1 <= highest:
        return "no difference seen"
    return "more" if lowest > 1 else "less"


def _range(summary: Summary, count: int) -> str:
    if count < 2:
        return ""
    wide = f": SPREAD ABOVE {WIDE:.0%}" if summary.spread > WIDE else ""
    return (
        f" (median of {count}, {_number(summary.lowest)} to {_number(summary.highest)}, "
        f"spread {summary.spread:.0%}{wide})"
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"

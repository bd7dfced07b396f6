"""A run's figures as the tables of docs/performance.md, between two marks in it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from tests.bench.publishing.run_results import NoRun, RunResults

BEGIN = "<!-- figures: what follows is written by `make bench-figures` -->"
END_MARK = "<!-- figures: end -->"
EVENTS_A_SECOND = 2000  # of the PBX that costs are explained with: some 100 calls a minute of the modern mix
WIDTH = 110  # characters of a line of text
_COST = "µs of processor time an event"


def with_tables(text: str, run: RunResults, plots: list[str]) -> str:
    """The document with this run's tables in place of the last ones. Raises NoRun if there is no place."""
    before, begin, rest = text.partition(BEGIN)
    _old, end, after = rest.partition(END_MARK)
    if not begin or not end:
        raise NoRun(f"the document has no lines {BEGIN!r} and {END_MARK!r} between which the tables could be")
    parts = [_heading(run), _site(run), _costs(run), _targets(run), _shares(run), _pictures(plots)]
    return f"{before}{BEGIN}\n\n" + "\n\n".join(part for part in parts if part) + f"\n\n{END_MARK}{after}"


def _heading(run: RunResults) -> str:
    machine = run.machine
    return textwrap.fill(
        f"Measured {run.measured} with version {run.version} by `make bench`, on {machine['processor']}, "
        f"{machine['cores']} cores, {machine['kernel']}; {machine['python']} ({machine['build']}), "
        f"a fixed loop {machine['loop']:.1f} ms.{_noise(run)}",
        WIDTH,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _noise(run: RunResults) -> str:
    noisy = [usage["noisy"] for scenario in run.scenarios for usage in scenario["usage"]]
    if not any(noisy):
        return ""
    return (
        f" **{sum(noisy)} of {len(noisy)} measurements were noisy**: other programs used the cores. "
        "Processor times bear that; wall times, and ratios of them, say little."
    )


def _site(run: RunResults) -> str:
    rows = [
        f"| {what} | {figure} |"
        for what, figure in (*_load(run), *_waits(run), *_sizes(run), *_people(run))
        if figure is not None
    ]
    return "\n".join(["| what it means for a site | |", "|---|---|", *rows]) if rows else ""


def _load(run: RunResults) -> Iterator[tuple[str, str | None]]:
    for scenario, pbx in (("throughput", "an Asterisk 22"), ("throughput-1.4", "an Asterisk 1.4")):
        cost = run.medians(scenario, _COST).get("the server")
        rate = run.medians(scenario, "events/s").get("the server")
        if cost is not None and rate is not None:
            share = cost * EVENTS_A_SECOND / 1e6
            yield f"{pbx} with {EVENTS_A_SECOND:,} events a second uses", f"{share:.1%} of a core"
            yield f"the most that {pbx} can send before the server is behind", f"{rate:,.0f} events a second"


def _waits(run: RunResults) -> Iterator[tuple[str, str | None]]:
    delays = run.medians("latency", "µs") | run.medians("saturated", "µs")
    for name, words in (("the server", "1,000 agents connected"), ("saturated", "and the server saturated")):
        half, nearly_all = delays.get(f"{name}, p50"), delays.get(f"{name}, p99")
        if half is not None and nearly_all is not None:
            yield (
                f"from Asterisk's event to the line at the client, {words}",
                f"{half / 1000:.2f} ms, of 99 in 100 at most {nearly_all / 1000:.2f} ms",
            )
    for scenario, seats in (("logins", "1,000"), ("logins-5000", "5,000")):
        seconds = run.medians(scenario, "s").get("the server")
        yield f"all of {seats} agents are in, and in their queue, after", _number(seconds, "s")
    loaded = run.medians("in-force", "s").get("10,000 operators in force")
    yield "a configuration with 10,000 operators is in force after", _number(loaded, "s")
    longest = run.medians("in-force", "ms").get("the longest, while it comes in force")
    yield "the longest that an event waits meanwhile", _number(longest, "ms")


def _sizes(run: RunResults) -> Iterator[tuple[str, str | None]]:
    yield (
        "memory of an agent's connection",
        _number(run.medians("memory", "kB").get("a connected idle seat"), "kB"),
    )
    for name, value in run.medians("memory", "MB").items():
        yield f"memory of {name}", _number(value, "MB")


def _people(run: RunResults) -> Iterator[tuple[str, str | None]]:
    """What who sits before the client or the Configurator notices."""
    notice = run.medians("client", "ms").get("from the server's line to the notice, p50")
    yield "from the server's line to the client's notice on the screen", _number(notice, "ms")
    share = run.medians("client", "% of a core").get("idle, visible")
    yield "an idle client with its window open uses", _number(share, "% of a core")
    for name, words in (
        ("list of operators", "the Configurator's list of 10,000 operators takes"),
        ("saving an operator", "to save one of them takes"),
        ("publishing", "to publish them takes"),
    ):
        yield words, _number(run.medians("configurator", "ms").get(name), "ms")


def _costs(run: RunResults) -> str:
    """What an event costs each candidate, and how many times the server's that is."""
    mixes = [run.medians(scenario, _COST) for scenario in ("throughput", "throughput-1.4")]
    names = list(dict.fromkeys(name for costs in mixes for name in costs))
    if not names:
        return ""
    rows = ["| µs of processor time an event | modern mix | 1.4 mix |", "|---|---|---|"]
    for name in names:
        cells = (
            f"{costs[name]:.3g} ({costs[name] / costs['the server']:.2g} times)" if name in costs else ""
            for costs in mixes
        )
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(rows)


def _targets(run: RunResults) -> str:
    rows = ["| scenario | what | figure | target | |", "|---|---|---|---|---|"]
    for scenario in run.scenarios:
        if "failed" in scenario:
            rows.append(f"| `{scenario['name']}` | failed: {str(scenario['failed']).splitlines()[0]} | | | |")
        if "left_out" in scenario:
            rows.append(f"| `{scenario['name']}` | left out; {scenario['left_out']} | | | |")
        for figure in scenario["figures"]:
            if "target" in figure:
                rows.append(
                    f"| `{scenario['name']}` | {figure['what']} | {_number(figure['median'], figure['unit'])}"
                    f"{_spread(figure)} | {figure['bound']} {figure['target']:g} | "
                    f"{'' if figure['met'] else 'not met'} |"
                )
    return "\n".join(rows)


def _shares(run: RunResults) -> str:
    rows = [
        "| scenario | seconds | of a core: server | feeder | clients | limit | others |",
        "|---|---|---|---|---|---|---|",
    ]
    for scenario in run.scenarios:
        for usage in scenario["usage"]:
            shares = (f"{usage['shares'].get(name, 0):.0%}" for name in ("server", "feeder", "clients"))
            noisy = ", noisy" if usage["noisy"] else ""
            rows.append(
                f"| `{scenario['name']}`: {usage['what']} | {usage['seconds']:.2f} | {' | '.join(shares)} | "
                f"{usage['limit']} | {usage['others']:.0%}{noisy} |"
            )
    return "\n".join(rows)


def _pictures(plots: list[str]) -> str:
    return "\n\n".join(f"![{name.removesuffix('.svg')}](performance/{name})" for name in plots)


def _spread(figure: Mapping[str, Any]) -> str:
    if "spread" not in figure or len(figure.get("values", ())) < 2:
        return ""
    return f" ± {figure['spread'] / 2:.0%}"


def _number(value: float | None, unit: str) -> str | None:
    if value is None:
        return None
    return f"{value:,.0f} {unit}" if value >= 1000 else f"{value:.3g} {unit}"

"""A run's figures as pictures: small SVG, the same bytes for the same run, readable in light and dark."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any

import pygal
from lxml import etree
from pygal.style import Style

from tests.bench.publishing.run_results import RunResults

# pygal leaves an importer of Python 2's kind there, and whoever asks each of them for a module fails at it.
sys.meta_path[:] = [importer for importer in sys.meta_path if hasattr(importer, "find_spec")]

WIDTH, ROW, AROUND = 760, 26, 130  # pixels
_INK = "#7d8590"  # a grey that both a white and a black page leave readable
_COLOURS = ("#2f81f7", "#d29922", "#8957e5", "#3fb950")
_STYLE = Style(
    background="transparent",
    plot_background="transparent",
    foreground=_INK,
    foreground_strong=_INK,
    foreground_subtle=_INK,
    colors=_COLOURS,
    value_colors=(_INK,) * len(_COLOURS),
    font_family="sans-serif",
    value_font_size=11,
    label_font_size=12,
    major_label_font_size=12,
    title_font_size=15,
    legend_font_size=12,
    opacity="1",
)
_RATE, _COST = "events/s", "µs of processor time an event"
_SVG = "{http://www.w3.org/2000/svg}"


def plots(run: RunResults) -> Iterator[tuple[str, bytes]]:
    """The name of each file, and what is in it; only of what was measured."""
    mixes = {"modern mix": "throughput", "1.4 mix": "throughput-1.4"}
    rates = {mix: run.medians(scenario, _RATE) for mix, scenario in mixes.items()}
    if any(rates.values()):
        yield "throughput.svg", _bars("Events a second", rates, "{:,.0f}", logarithmic=True)
    costs = {mix: run.medians(scenario, _COST) for mix, scenario in mixes.items()}
    if any(costs.values()):
        yield "cost.svg", _bars("Processor time of an event, µs", costs, "{:.1f}")
    delays = {
        part: {
            name.removesuffix(f", {part}"): value
            for scenario in ("latency", "saturated")
            for name, value in run.medians(scenario, "µs").items()
            if name.endswith(f", {part}")
        }
        for part in ("p50", "p99")
    }
    if any(delays.values()):
        yield "latency.svg", _bars("From the event to the line at the client, µs", delays, "{:,.0f}")
    shares = _shares(run)
    if any(shares.values()):
        title = "Who used how much of a core, %"
        yield "shares.svg", _bars(title, shares, "{:.0f}", stacked=True)


def _shares(run: RunResults) -> dict[str, dict[str, float]]:
    """By process and scenario: of the server itself where there are several."""
    found: dict[str, dict[str, float]] = {}
    for scenario in run.scenarios:
        for usage in scenario["usage"][:1]:
            for process, share in usage["shares"].items():
                found.setdefault(process, {})[scenario["name"]] = 100 * share
    return found


def _bars(
    title: str,
    series: dict[str, dict[str, float]],
    form: str,
    *,
    stacked: bool = False,
    logarithmic: bool = False,
) -> bytes:
    """Horizontal bars, a group for each name that any of the series has; `form` is how a value is written.

    The values stand beside the names: at the bars' ends they would be on any colour.
    """
    names = list(dict.fromkeys(name for values in series.values() for name in values))[::-1]  # from below
    rows = len(names) * (1 if stacked else max(1, len(series)))
    make: Any = pygal.HorizontalStackedBar if stacked else pygal.HorizontalBar
    chart = make(
        style=_STYLE,
        no_prefix=True,  # else each drawing has an id of its own
        js=[],
        width=WIDTH,
        height=AROUND + ROW * rows,
        print_values=False,
        legend_at_bottom=True,
        legend_at_bottom_columns=len(series),
        truncate_label=-1,
        logarithmic=logarithmic,
        margin=10,
        margin_right=40,
        show_y_guides=False,
        formatter=lambda value: f"{value:,.0f}",
    )
    chart.title = title
    if logarithmic:
        found = [value for values in series.values() for value in values.values()]
        powers = range(math.floor(math.log10(min(found))), math.ceil(math.log10(max(found))) + 1)
        chart.range, chart.zero = (10 ** powers[0], 10 ** powers[-1]), 10 ** powers[0]
        chart.y_labels = [10**power for power in powers]
    chart.x_labels = [
        f"{name}  {' / '.join(form.format(values[name]) for values in series.values() if name in values)}"
        for name in names
    ]
    for name, values in series.items():
        chart.add(name, [values.get(label) for label in names])
    return _still(chart.render())


def _still(svg: bytes) -> bytes:
    """Without the date of the drawing, and without the program that would move it."""
    tree = etree.fromstring(svg, etree.XMLParser(remove_comments=True, remove_blank_text=True))
    for script in tree.findall(f".//{_SVG}script"):
        parent = script.getparent()
        if parent is not None:
            parent.remove(script)
    return etree.tostring(tree, encoding="utf-8", xml_declaration=True) + b"\n"

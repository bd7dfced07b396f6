"""How fast the parser alone is, every field reachable, compared with a bare split and with other programs."""

from __future__ import annotations

import time
from collections.abc import Callable

from astcti_server.ami.wire.event_filter import Interest
from astcti_server.ami.wire.parser import AmiParser, Event
from tests.bench.peers import other_clients
from tests.bench.report import Report, median
from tests.bench.workload.scripts import END, Script
from tests.bench.workload.site import Site
from tests.bench.workload.traffic import make_traffic

CHUNK = 65536
ROUNDS = 5


def parsing(report: Report, script: Script, *, calls: int) -> None:
    """Median of five, in turn."""
    site = Site(script.technology, seats=100)
    traffic = make_traffic(script, site.extensions, site.place, calls=calls, concurrent=50)
    stream = script.banner + traffic.data
    candidates: dict[str, Callable[[bytes], int]] = {"floor": _split, "ours": _ours}
    candidates |= dict(other_clients.available())
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(ROUNDS):
        for name, parse in candidates.items():
            begun = time.perf_counter()
            found = parse(stream)
            seconds[name].append(time.perf_counter() - begun)
            if found != traffic.events and name != "floor":  # which does not see an end cut in two
                report.note(f"{name} found {found} of {traffic.events} events")
    rates = {name: traffic.events / median(times) for name, times in seconds.items()}
    report.note(", ".join(f"{name} {rate:.0f} events/s" for name, rate in rates.items()))
    report.at_most("slower than the floor (split)", rates["floor"] / rates["ours"], 5)
    others = {name: rate for name, rate in rates.items() if name not in ("floor", "ours")}
    if "panoramisk" in others:
        report.at_least("panoramisk", rates["ours"] / others["panoramisk"], 6)
    if others:
        fastest = max(others, key=lambda name: others[name])
        report.at_least(f"the fastest Python client ({fastest})", rates["ours"] / others[fastest], 3)
    else:
        report.note("no other client to compare with: pip install '.[bench]'")


def _split(stream: bytes) -> int:
    return sum(len(stream[at : at + CHUNK].split(END)) - 1 for at in range(0, len(stream), CHUNK))


def _ours(stream: bytes) -> int:
    """Every event is kept, and one field of each read: what the others do for all that they parse."""
    parser = AmiParser(Interest(everything=True))
    found = 0
    for at in range(0, len(stream), CHUNK):
        for message in parser.feed(stream[at : at + CHUNK]):
            if isinstance(message, Event):
                message.get("Uniqueid")
                found += 1
    return found

"""How fast the parser alone is, every field reachable, compared with a bare split and with other programs."""

from __future__ import annotations

import time
from collections.abc import Callable

from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from tests.bench.peers import other_clients
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript

CHUNK = 65536
SPLIT, OWN = "split alone", "the parser"


def parsing(report: Report, script: EventScript, *, calls: int, rounds: int) -> None:
    """In memory, all of them in turn; processor time, since nothing waits."""
    traffic = CallCentre(script.technology, seats=100).traffic(script, calls=calls, concurrent=50)
    stream = script.banner + traffic.data
    candidates: dict[str, Callable[[bytes], int]] = {SPLIT: _split, OWN: _parse}
    candidates |= dict(other_clients.available())
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, parse in candidates.items():
            begun = time.process_time()
            found = parse(stream)
            rates[name].append(traffic.events / (time.process_time() - begun))
            if found != traffic.events and name != SPLIT:  # which does not see an end cut in two
                report.note(f"{name} found {found} of {traffic.events} events")
    medians = {
        name: report.values(name, found, "events a processor second").median for name, found in rates.items()
    }
    split, own = medians.pop(SPLIT), medians.pop(OWN)
    report.at_most("slower than split alone", split / own, 5)
    other_clients.compare(report, own, medians, panoramisk=6, fastest=3, what="its parser")


def _split(stream: bytes) -> int:
    return sum(len(stream[at : at + CHUNK].split(END)) - 1 for at in range(0, len(stream), CHUNK))


def _parse(stream: bytes) -> int:
    """Every event is kept, and one field of each read: what the others do for all that they parse."""
    parser = AmiParser(EventFilter(everything=True))
    found = 0
    for at in range(0, len(stream), CHUNK):
        for message in parser.feed(stream[at : at + CHUNK]):
            if isinstance(message, AmiEvent):
                message.get("Uniqueid")
                found += 1
    return found

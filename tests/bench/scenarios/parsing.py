"""How fast the parser alone is, every field reachable, compared with a bare split and with other programs."""

from __future__ import annotations

import time
from collections.abc import Callable

from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from tests.bench.figures import Rounds
from tests.bench.peers import other_clients
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript

CHUNK = 65536
SPLIT, OWN = "split alone", "the parser"
TARGETS = {"panoramisk": 6, "asterisk-ami": 3}


def parsing(report: Report, script: EventScript, *, calls: int, rounds: tuple[int, int]) -> None:
    """In memory, all of them in turn; processor time, since nothing waits."""
    traffic = CallCentre(script.technology, seats=100).traffic(script, calls=calls, concurrent=50)
    stream = script.banner + traffic.data
    candidates: dict[str, Callable[[bytes], int]] = {SPLIT: _split, OWN: _parse}
    candidates |= dict(other_clients.available())
    rates = Rounds(*rounds)
    for _ in rates:
        for name, parse in candidates.items():
            begun = time.process_time()
            found = parse(stream)
            rates.add(name, traffic.events / (time.process_time() - begun))
            if found != traffic.events and name != SPLIT:  # which does not see an end cut in two
                report.note(f"{name} found {found} of {traffic.events} events")
    for name, found_rates in rates.series.items():
        report.values(name, found_rates, "events a processor second")
    report.times_at_most("slower than split alone", rates.ratios(SPLIT, OWN), 5)
    for name, target in TARGETS.items():
        if name in rates.series:
            report.times(f"as fast as {name}, its parser", rates.ratios(OWN, name), target)
        else:
            report.note(f"not compared with {name}, which is not installed")


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

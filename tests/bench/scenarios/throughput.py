"""How many events a second the whole server takes, and what an event costs it."""

from __future__ import annotations

import time
from collections import defaultdict
from dataclasses import dataclass

from tests.bench.peers import other_clients
from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processor_time import Usage
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.traffic import Traffic, callers_waiting, make_traffic

CONCURRENT = 500
SERVER, BARE_READER = "the server", "the bare reader"
_SAMPLE = 20_000  # events that the other programs parse: they are slow


def throughput(
    report: Report,
    script: EventScript,
    *,
    calls: int,
    rounds: int,
    targets: tuple[float, float, float | None],
) -> None:
    """From the first byte on the AMI socket to the last Link, in turn with reading and splitting alone.

    Compared with what other programs need for parsing alone. `targets`: times panoramisk, times the fastest
    Python client, times slower than the bare reader.
    """
    with MeasuredServer(script, CallCentre(script.technology, seats=1000)) as measured:
        measured.log_in()
        found = _measure(measured, calls, rounds)
    traffic = found.traffic
    report.note(
        f"{traffic.events} events, {traffic.mean_fields:.1f} fields and {traffic.mean_size:.0f} bytes each; "
        f"one notified call in {traffic.events / len(traffic.expected):.0f} events; "
        f"{measured.call_centre.seats} seats logged in; every Link arrived once"
    )
    rates = {name: report.values(name, values, "events/s").median for name, values in found.rates.items()}
    costs = {
        name: report.values(name, values, "µs of processor time an event").median
        for name, values in found.costs.items()
    }
    report.usage("the last round", found.usage)
    own, bare, own_cost = rates.pop(SERVER), rates.pop(BARE_READER), costs.pop(SERVER)
    panoramisk, fastest, slower = targets
    if slower is None:
        report.note(f"{bare / own:.3g} times slower than reading and splitting alone")
    else:
        report.at_most("slower than reading and splitting alone", bare / own, slower)
    other_clients.compare(report, own, rates, panoramisk=panoramisk, fastest=fastest, what="its bare parsing")
    for name, cost in costs.items():
        report.note(f"in processor time {cost / own_cost:.3g} times as fast as {name}, its bare parsing")


@dataclass(frozen=True, slots=True)
class _Rounds:
    """A value a round of each candidate, by name, and what there is of the last round."""

    rates: dict[str, list[float]]
    """Events a second."""
    costs: dict[str, list[float]]
    """Microseconds of processor time an event."""
    traffic: Traffic
    usage: Usage


def _measure(measured: MeasuredServer, calls: int, rounds: int) -> _Rounds:
    rates: defaultdict[str, list[float]] = defaultdict(list)
    costs: defaultdict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        # Each time with calls of their own: no Asterisk uses a Uniqueid twice.
        traffic = measured.call_centre.traffic(
            measured.script, calls=calls, concurrent=CONCURRENT, first=1 + number * calls
        )
        rates[BARE_READER].append(traffic.events / measured.read_bare(traffic))
        delivery = measured.deliver(traffic)
        rates[SERVER].append(traffic.to_last_link / delivery.seconds)
        costs[SERVER].append(delivery.processor_time(traffic))
        for name, parse in other_clients.available():
            rate, cost = _parse(parse, _sample(measured.script, traffic))
            rates[name].append(rate)
            costs[name].append(cost)
    return _Rounds(rates, costs, traffic, delivery.usage)


def _sample(script: EventScript, traffic: Traffic) -> bytes:
    cut = traffic.data[: int(_SAMPLE * traffic.mean_size)]
    return script.banner + cut[: cut.rfind(END) + len(END)]


def _parse(parse: other_clients.Parse, sample: bytes) -> tuple[float, float]:
    """Events a second, and microseconds of processor time an event."""
    begun, used = time.perf_counter(), time.process_time()
    events = parse(sample)
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    return events / seconds, used / events * 1e6


def scaling(report: Report, script: EventScript, *, calls: int, rounds: int, live: int) -> None:
    """Whether the processor time of an event grows with seats, services or live calls; all in turn."""
    base = CallCentre(script.technology, seats=1000)
    candidates = {
        "10 seats": (CallCentre(script.technology, seats=10), 0),
        "1,000 seats": (base, 0),
        "1,000 services": (CallCentre(script.technology, seats=1000, services=1000), 0),
        f"{live:,} calls waiting": (base, live),
    }
    costs: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (call_centre, waiting) in candidates.items():
            costs[name].append(_cost(script, call_centre, calls, waiting))
    medians = {
        name: report.values(name, found, "µs of processor time an event").median
        for name, found in costs.items()
    }
    few, many, services, beside_waiting = medians.values()
    report.at_most("an event with 1,000 seats, of one with 10", many / few, 1.3)
    report.at_most("an event with 1,000 services, of one with one", services / many, 1.3)
    report.at_most(f"an event with {live:,} calls waiting, of one with none", beside_waiting / many, 1.3)


def _cost(script: EventScript, call_centre: CallCentre, calls: int, waiting: int) -> float:
    """Microseconds of processor time an event; not the time, for the clients' share of it varies."""
    with MeasuredServer(script, call_centre) as measured:
        measured.log_in()
        if waiting:
            callers = callers_waiting(script, call_centre.queue, count=waiting, first=5_000_000)
            measured.feeder.call("send", callers)
        costs = []
        for number in range(
            2
        ):  # in the first one the server meets the kinds of event, and the waiting callers
            traffic = make_traffic(
                script,
                call_centre.extensions[:10],
                call_centre.queue,
                calls=calls,
                concurrent=10,
                first=1 + number * calls,
            )
            costs.append(measured.deliver(traffic).processor_time(traffic))
        return costs[-1]

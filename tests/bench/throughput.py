"""How many events a second the whole server takes, and what an event costs it."""

from __future__ import annotations

import time

from tests.bench.measured_server import Delivery, MeasuredServer
from tests.bench.peers import other_clients
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.traffic import Traffic, callers_waiting, make_traffic

CONCURRENT = 500
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
    call_centre = CallCentre(script.technology, seats=1000)
    own: list[float] = []
    bare: list[float] = []
    others: dict[str, list[float]] = {}
    deliveries: list[tuple[Delivery, Traffic]] = []
    with MeasuredServer(script, call_centre) as measured:
        measured.log_in()
        for number in range(rounds):
            traffic = _traffic(measured, calls, first=1 + number * calls)
            bare.append(traffic.events / measured.read_bare(traffic))
            delivery = measured.deliver(traffic)
            own.append(traffic.to_last_link / delivery.seconds)
            deliveries.append((delivery, traffic))
            for name, parse in other_clients.available():
                others.setdefault(name, []).append(_rate(parse, _sample(script, traffic)))
    report.note(
        f"{traffic.events} events, {traffic.mean_fields:.1f} fields and {traffic.mean_size:.0f} bytes each; "
        f"one notified call in {traffic.events / len(traffic.expected):.0f} events; "
        f"{call_centre.seats} seats logged in; every Link arrived once"
    )
    rate = report.values("the server", own, "events/s").median
    cost = [delivery.processor_time(traffic) for delivery, traffic in deliveries]
    report.values("the server", cost, "µs of processor time an event")
    report.values("the bare reader", bare, "events/s")
    medians = {name: report.values(name, rates, "events/s").median for name, rates in others.items()}
    report.usage("the last round", deliveries[-1][0].usage)
    first, second, slower_target = targets
    slower = sorted(read / served for read, served in zip(bare, own, strict=True))[rounds // 2]
    if slower_target is None:
        report.note(f"{slower:.3g} times slower than reading and splitting alone")
    else:
        report.at_most("slower than reading and splitting alone", slower, slower_target)
    other_clients.compare(report, rate, medians, panoramisk=first, fastest=second, what="its bare parsing")


def _traffic(measured: MeasuredServer, calls: int, *, first: int) -> Traffic:
    """Each time with calls of their own: no Asterisk uses a Uniqueid twice."""
    call_centre = measured.call_centre
    return make_traffic(
        measured.script,
        call_centre.extensions,
        call_centre.queue,
        calls=calls,
        concurrent=CONCURRENT,
        seed=first,
        first=first,
    )


def _sample(script: EventScript, traffic: Traffic) -> bytes:
    cut = traffic.data[: int(_SAMPLE * traffic.mean_size)]
    return script.banner + cut[: cut.rfind(END) + len(END)]


def _rate(parse: other_clients.Parse, sample: bytes) -> float:
    begun = time.perf_counter()
    events = parse(sample)
    return events / (time.perf_counter() - begun)


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

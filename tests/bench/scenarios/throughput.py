"""How many events a second the whole server takes, and what an event costs it."""

from __future__ import annotations

import time
from contextlib import ExitStack
from dataclasses import dataclass, field

from tests.bench.figures import Rounds
from tests.bench.peers import other_clients
from tests.bench.peers.bare_reader import BareReader
from tests.bench.processes.measured_server import MeasuredFloor, MeasuredServer, check_python
from tests.bench.processes.server_process import ASTERISK_AMI_PROGRAM, PANORAMISK_PROGRAM
from tests.bench.processes.worker import Worker
from tests.bench.processor_time import Usage
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.traffic import Traffic, callers_waiting, make_traffic

CONCURRENT = 500
SEATS = 1000
WARM_UP, WARM_UP_FIRST = 10, 3_000_000
SERVER, FLOOR, BARE_READER = "the server", "the same-work floor", "recv and split"
PANORAMISK, ASTERISK_AMI = "panoramisk", "asterisk-ami"
PEERS = {PANORAMISK: PANORAMISK_PROGRAM, ASTERISK_AMI: ASTERISK_AMI_PROGRAM}
SAME_JOB, BARE_PARSING = "a server on {}", "{}, bare parsing"
_SAMPLE = 20_000  # events that the other programs parse: they are slow


@dataclass(frozen=True, slots=True)
class ThroughputTargets:
    """How many times as fast as which; the floor may be so many times faster."""

    same_job: dict[str, float] = field(default_factory=lambda: {PANORAMISK: 10, ASTERISK_AMI: 5})
    bare_parsing: dict[str, float] = field(default_factory=lambda: {PANORAMISK: 6, ASTERISK_AMI: 3})
    floor: float = 3


@dataclass(slots=True)
class _Measured:
    """What was measured, a value a round of each candidate, and how the last round was."""

    rates: Rounds
    """Events a second."""
    costs: Rounds
    """Microseconds of processor time an event."""
    traffic: Traffic
    usages: dict[str, Usage] = field(default_factory=dict)


def throughput(report: Report, script: EventScript, *, calls: int, rounds: tuple[int, int]) -> None:
    """From the first byte on the AMI socket to the last Link; every candidate in turn in every round.

    Beside the server, with 1,000 clients connected to each: the same-work floor, and servers on panoramisk
    and on asterisk-ami that do the same job. Beside those the bare reader, and both clients' bare parsing.
    `rounds` are the fewest and the most; each takes so many calls.
    """
    call_centre = CallCentre(script.technology, SEATS)
    with ExitStack() as running:
        servers = {
            SERVER: running.enter_context(MeasuredServer(script, call_centre)),
            FLOOR: running.enter_context(MeasuredFloor(script, call_centre)),
        }
        for name, _parse in other_clients.available():
            server = MeasuredServer(script, call_centre, PEERS[name])
            servers[SAME_JOB.format(name)] = running.enter_context(server)
        # In it the server meets the kinds of event.
        warm_up = call_centre.traffic(script, calls=WARM_UP, concurrent=WARM_UP, first=WARM_UP_FIRST)
        for server in servers.values():
            server.log_in()
            server.deliver(warm_up)
        reader = running.enter_context(Worker(BareReader))
        check_python("bare reader", reader.pid)
        found = _measure(servers, reader, calls, Rounds(*rounds))
    _report(report, found)


def _measure(servers: dict[str, MeasuredServer], reader: Worker, calls: int, rates: Rounds) -> _Measured:
    costs = Rounds(rates.fewest, rates.most)
    usages: dict[str, Usage] = {}
    own = servers[SERVER]
    for number in rates:
        # Each time with calls of their own: no Asterisk uses a Uniqueid twice.
        traffic = own.call_centre.traffic(
            own.script, calls=calls, concurrent=CONCURRENT, first=1 + number * calls
        )
        for name, measured in servers.items():
            delivery = measured.deliver(traffic)
            rates.add(name, traffic.to_last_link / delivery.seconds)
            costs.add(name, delivery.processor_time(traffic))
            usages[name] = delivery.usage
        rates.add(BARE_READER, traffic.events / own.read_bare(traffic, reader), settles=False)
        sample = _sample(own.script, traffic)
        for name, parse in other_clients.available():
            rate, cost = _parse(parse, sample)
            rates.add(BARE_PARSING.format(name), rate)
            costs.add(BARE_PARSING.format(name), cost)
    return _Measured(rates, costs, traffic, usages)


def _report(report: Report, found: _Measured) -> None:
    traffic, targets = found.traffic, ThroughputTargets()
    report.note(
        f"{traffic.events} events, {traffic.mean_fields:.1f} fields and {traffic.mean_size:.0f} bytes each; "
        f"one notified call in {traffic.events / len(traffic.expected):.0f} events; "
        f"{SEATS:,} clients connected to each server; every Link arrived once"
    )
    for name, values in found.rates.series.items():
        report.values(name, values, "events/s")
    for name, values in found.costs.series.items():
        report.values(name, values, "µs of processor time an event")
    for name, usage in found.usages.items():
        report.usage(f"{name}, the last round", usage)
    for kind, wanted in ((SAME_JOB, targets.same_job), (BARE_PARSING, targets.bare_parsing)):
        for client, target in wanted.items():
            name = kind.format(client)
            if name not in found.rates.series:
                report.note(f"not compared with {name}: it is not installed")
                continue
            report.times(f"as fast as {name}", found.rates.ratios(SERVER, to=name), target)
            report.values(
                f"{name}, of the server's processor time", found.costs.ratios(name, SERVER), "times"
            )
    report.times_at_most("slower than the same-work floor", found.rates.ratios(FLOOR, SERVER), targets.floor)
    report.values(f"{SERVER}, of the floor's processor time", found.costs.ratios(SERVER, FLOOR), "times")
    report.values("slower than recv and split", found.rates.ratios(BARE_READER, SERVER), "times")


def _sample(script: EventScript, traffic: Traffic) -> bytes:
    cut = traffic.data[: int(_SAMPLE * traffic.mean_size)]
    return script.banner + cut[: cut.rfind(END) + len(END)]


def _parse(parse: other_clients.Parse, sample: bytes) -> tuple[float, float]:
    """Events a second, and microseconds of processor time an event."""
    begun, used = time.perf_counter(), time.process_time()
    events = parse(sample)
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    return events / seconds, used / events * 1e6


def scaling(
    report: Report, script: EventScript, *, calls: int, rounds: tuple[int, int], live: int, seats: int
) -> None:
    """Whether the processor time of an event grows with seats, services or live calls; all in turn."""
    base = CallCentre(script.technology, seats=min(seats, 1000))
    few, many = "10 seats", f"{seats:,} seats"
    usual = f"{base.seats:,} seats"
    services, waiting = "1,000 services", f"{live:,} calls waiting"
    candidates = {
        few: (CallCentre(script.technology, seats=10), 0),
        usual: (base, 0),
        many: (CallCentre(script.technology, seats=seats), 0),
        services: (CallCentre(script.technology, base.seats, services=1000), 0),
        waiting: (base, live),
    }
    costs = Rounds(*rounds)
    for _ in costs:
        for name, (call_centre, callers) in candidates.items():
            costs.add(name, _cost(script, call_centre, calls, callers))
    for name, found in costs.series.items():
        report.values(name, found, "µs of processor time an event")
    for name, base_name, words in (
        (many, few, "with 10"),
        (services, usual, "with one"),
        (waiting, usual, "without"),
    ):
        report.times_at_most(f"an event with {name}, of one {words}", costs.ratios(name, base_name), 1.3)


def _cost(script: EventScript, call_centre: CallCentre, calls: int, waiting: int) -> float:
    """Microseconds of processor time an event; not the time, for the clients' share of it varies."""
    with MeasuredServer(script, call_centre) as measured:
        measured.log_in()
        if waiting:
            callers = callers_waiting(script, call_centre.queue, count=waiting, first=5_000_000)
            measured.feeder.call("send", callers)
        costs = []
        # In the first one the server meets the kinds of event, and the waiting callers.
        for number in range(2):
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

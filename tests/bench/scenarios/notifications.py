"""How long a notification takes: everybody idle, the AMI thread saturated, beside clients that never read."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice

from tests.bench.figures import percentile
from tests.bench.peers.mqtt_server import broker_program
from tests.bench.peers.saturated_server import BEGIN, COLLECT, KEEP_READABLE, MOMENTS, READY
from tests.bench.processes.measured_server import MeasuredBroker, MeasuredServer, check_links, delays
from tests.bench.processes.server_process import ASYNCIO_PROGRAM, SATURATED_PROGRAM
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript
from tests.bench.workload.traffic import expected_link, make_calls, split_at_link

SERVER, ASYNCIO, MOSQUITTO = "the server", "asyncio", "Mosquitto"
STALLED = 10


def latency(report: Report, script: EventScript, *, samples: int, rounds: int) -> None:
    """From the connecting event's write on the AMI socket to its line at the client; 1,000 seats, all idle.

    In turn with servers that have the same engine: one with asyncio streams, one that has a message broker
    notify the clients, where that is installed.
    """
    call_centre = CallCentre(script.technology, seats=1000)
    with ExitStack() as running:
        servers = {
            SERVER: running.enter_context(MeasuredServer(script, call_centre)),
            ASYNCIO: running.enter_context(MeasuredServer(script, call_centre, ASYNCIO_PROGRAM)),
        }
        if broker_program():
            servers[MOSQUITTO] = running.enter_context(MeasuredBroker(script, call_centre))
        for measured in servers.values():
            measured.log_in()
        half: dict[str, list[float]] = {name: [] for name in servers}
        nearly_all: dict[str, list[float]] = {name: [] for name in servers}
        usage = {}
        for number in range(rounds):
            calls = call_centre.calls(samples, first=1 + number * samples)
            for name, measured in servers.items():
                before = measured.meter.read()
                times = measured.notify(calls)
                usage[name] = before.until(measured.meter.read())
                half[name].append(percentile(times, 0.5))
                nearly_all[name].append(percentile(times, 0.99))
    medians = {}
    for name in servers:
        medians[name] = report.values(f"{name}, p50", half[name], "µs").median
        report.values(f"{name}, p99", nearly_all[name], "µs")
    report.usage("the server's last round", usage[SERVER])
    report.at_most("asyncio's p50, 1,000 idle seats", medians[SERVER] / medians[ASYNCIO], 1.1)
    if MOSQUITTO in medians:
        report.at_most("Mosquitto's p50", medians[SERVER] / medians[MOSQUITTO], 0.6)
    else:
        report.note("not compared with Mosquitto, which is not installed")


def saturated(report: Report, script: EventScript, *, samples: int, rounds: int) -> None:
    """From the AMI thread's read to the line at the client, while that thread has other calls to track."""
    call_centre = CallCentre(script.technology, seats=1000)
    half, nearly_all = [], []
    for _ in range(rounds):
        calls = call_centre.calls(samples)
        expected = [expected_link(call) for call in calls]
        with MeasuredServer(script, call_centre, SATURATED_PROGRAM) as measured:
            measured.log_in()
            before = measured.meter.read()
            measured.clients.call("expect", expected)
            measured.clients.begin("collect", 60.0, 0.1)
            blocks = [part for call in calls for part in split_at_link(script, call)]
            measured.feeder.call("send", b"".join([COLLECT, *blocks, BEGIN]))
            measured.process.state_file(READY)  # only then, for it must stay in the socket
            measured.feeder.call("send", KEEP_READABLE)
            collected = measured.clients.result()
            check_links(collected, measured.process)
            begun = measured.process.state_file(MOMENTS)
            usage = before.until(measured.meter.read())
        times = delays(begun, expected, collected.arrivals)
        half.append(percentile(times, 0.5))
        nearly_all.append(percentile(times, 0.99))
    p50 = report.values("p50", half, "µs").median
    p99 = report.values("p99", nearly_all, "µs").median
    report.usage("the last round", usage)
    report.at_most("p50 with the AMI thread saturated", p50, 100, "µs")
    report.at_most("p99 with the AMI thread saturated", p99, 1000, "µs")


def stalled(report: Report, script: EventScript, *, calls: int, samples: int) -> None:
    """Ten clients that never read, in a stream of calls: nobody else may lose a line or wait for one."""
    call_centre = CallCentre(script.technology, seats=2 * STALLED)
    reading = call_centre.extensions[STALLED:]
    traffic = call_centre.traffic(script, calls=calls, concurrent=STALLED)
    with MeasuredServer(script, call_centre, outbox=65_536, stalled=STALLED) as measured:
        measured.log_in()
        delivery = measured.deliver(traffic)
        report.note(
            f"{STALLED} of {call_centre.seats} clients never read: every Link of the others arrived once"
        )
        report.usage("all calls", delivery.usage)
        later = make_calls(reading, call_centre.queue, first=calls + 1)
        times = measured.notify(list(islice(later, samples)))
        ended = measured.process.whole_log.count("outbox overflow")
        report.note(f"{ended} of them filled their outbox and were cut; the kernel held the others' bytes")
    report.at_most("p99 of the others' notifications", percentile(times, 0.99) / 1000, 5, "ms")

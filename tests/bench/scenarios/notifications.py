"""How long a notification takes: everybody idle, the AMI thread saturated, beside clients that never read."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice
from statistics import median

from tests.bench.figures import Rounds, percentile
from tests.bench.peers.mqtt_server import broker_program
from tests.bench.peers.saturated_server import BEGIN, COLLECT, KEEP_READABLE, MOMENTS, READY
from tests.bench.peers.timed_server import REPORT_SENDING, SENDING
from tests.bench.processes.measured_server import MeasuredBroker, MeasuredServer, check_links, delays
from tests.bench.processes.server_process import ASYNCIO_PROGRAM, SATURATED_PROGRAM, TIMED_PROGRAM
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript, PlannedCall
from tests.bench.workload.traffic import expected_link, make_calls, split_at_link

SERVER, ASYNCIO, MOSQUITTO = "the server", "asyncio", "Mosquitto"
IDLE, SATURATED = "the AMI thread idle", "saturated"
STALLED = 10
WARM_UP, WARM_UP_FIRST = 20, 3_000_000


def latency(report: Report, script: EventScript, *, samples: int, rounds: tuple[int, int]) -> None:
    """From the connecting event's write on the AMI socket to its line at the client; 1,000 seats, all idle.

    In turn with servers that have the same engine: one with asyncio streams, one that has a message broker
    notify the clients, where that is installed. `rounds` are the fewest and the most.
    """
    call_centre = CallCentre(script.technology, seats=1000)
    half, nearly_all = Rounds(*rounds), Rounds(*rounds)
    usage = {}
    with ExitStack() as running:
        servers = {
            SERVER: running.enter_context(MeasuredServer(script, call_centre)),
            ASYNCIO: running.enter_context(MeasuredServer(script, call_centre, ASYNCIO_PROGRAM)),
        }
        if broker_program():
            servers[MOSQUITTO] = running.enter_context(MeasuredBroker(script, call_centre))
        for measured in servers.values():
            measured.log_in()
            measured.notify(call_centre.calls(WARM_UP, first=WARM_UP_FIRST))
        for number in half:
            calls = call_centre.calls(samples, first=1 + number * samples)
            for name, measured in servers.items():
                before = measured.meter.read()
                times = measured.notify(calls)
                usage[name] = before.until(measured.meter.read())
                half.add(name, percentile(times, 0.5))
                nearly_all.add(name, percentile(times, 0.99))
    for name in servers:
        report.values(f"{name}, p50", half.series[name], "µs")
        report.values(f"{name}, p99", nearly_all.series[name], "µs")
        report.usage(f"{name}, the last round", usage[name])
    report.times_at_most("asyncio's p50, 1,000 idle seats", half.ratios(SERVER, ASYNCIO), 1.0)
    if MOSQUITTO in servers:
        report.times_at_most("Mosquitto's p50", half.ratios(SERVER, MOSQUITTO), 0.6)
    else:
        report.note("not compared with Mosquitto, which is not installed")


def saturated(report: Report, script: EventScript, *, samples: int, rounds: tuple[int, int]) -> None:
    """From the AMI thread's read to the line at the client, while that thread has other calls to track.

    Before that, in the same process, as many notifications while it is idle, from the write on its socket.
    """
    call_centre = CallCentre(script.technology, seats=1000)
    half, nearly_all = Rounds(*rounds), Rounds(*rounds)
    for _ in half:
        with MeasuredServer(script, call_centre, SATURATED_PROGRAM) as measured:
            measured.log_in()
            idle = measured.notify(call_centre.calls(samples, first=WARM_UP_FIRST))
            before = measured.meter.read()
            busy = _notify_saturated(measured, call_centre.calls(samples))
            usage = before.until(measured.meter.read())
        for name, times in ((IDLE, idle), (SATURATED, busy)):
            half.add(name, percentile(times, 0.5))
            nearly_all.add(name, percentile(times, 0.99))
    for name in (IDLE, SATURATED):
        report.values(f"{name}, p50", half.series[name], "µs")
        report.values(f"{name}, p99", nearly_all.series[name], "µs")
    report.usage("saturated, the last round", usage)
    report.times_at_most("saturated, of the idle p99", nearly_all.ratios(SATURATED, IDLE), 3)
    report.at_most("p50 with the AMI thread saturated", median(half.series[SATURATED]), 100, "µs")


def _notify_saturated(measured: MeasuredServer, calls: list[PlannedCall]) -> list[float]:
    """Microseconds from each read of a connecting event to its line."""
    expected = [expected_link(call) for call in calls]
    measured.clients.call("expect", expected)
    measured.clients.begin("collect", 60.0, 0.1)
    blocks = [part for call in calls for part in split_at_link(measured.script, call)]
    measured.feeder.call("send", b"".join([COLLECT, *blocks, BEGIN]))
    measured.process.state_file(READY)  # only then, for it must stay in the socket
    measured.feeder.call("send", KEEP_READABLE)
    collected = measured.clients.result()
    check_links(collected, measured.process)
    return delays(measured.process.state_file(MOMENTS), expected, collected.arrivals)


def stalled(report: Report, script: EventScript, *, calls: int, samples: int) -> None:
    """Ten clients that never read, in a stream of calls: nobody else may lose a line or wait for one."""
    call_centre = CallCentre(script.technology, seats=2 * STALLED)
    reading = call_centre.extensions[STALLED:]
    traffic = call_centre.traffic(script, calls=calls, concurrent=STALLED)
    with MeasuredServer(script, call_centre, TIMED_PROGRAM, outbox=65_536, stalled=STALLED) as measured:
        measured.log_in()
        delivery = measured.deliver(traffic)
        report.note(
            f"{STALLED} of {call_centre.seats} clients never read: every Link of the others arrived once"
        )
        report.usage("all calls", delivery.usage)
        later = make_calls(reading, call_centre.queue, first=calls + 1)
        times = measured.notify(list(islice(later, samples)))
        measured.feeder.call("send", REPORT_SENDING)
        sending = measured.process.state_file(SENDING)
        ended = measured.process.whole_log.count("outbox overflow")
        report.note(f"{ended} of them filled their outbox and were cut; the kernel held the others' bytes")
    milliseconds = [nanoseconds / 1e6 for nanoseconds in sending["longest"]]
    report.note(
        f"{sending['count']:,} times the AMI thread sent; the longest took "
        + ", ".join(f"{took:.2f}" for took in milliseconds[:5])
        + " ms of wall time"
    )
    report.at_most("p99 of the others' notifications", percentile(times, 0.99) / 1000, 5, "ms")
    report.at_most("the longest that a notification held the AMI thread", milliseconds[0], 5, "ms")

"""What concerns the clients: a notification's way, everybody's login at once, memory, deaf clients."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import islice

from tests.bench.busy_server import BEGIN, COLLECT, KEEP_READABLE, MOMENTS, READY
from tests.bench.peers.mqtt_server import broker_program
from tests.bench.report import Report, median, percentile
from tests.bench.stage import BrokerStage, Stage, check
from tests.bench.workload.scripts import Script
from tests.bench.workload.site import Site
from tests.bench.workload.traffic import Expected, QueueCall, expect, make_calls, make_traffic, split_at_link

SERVER = "astcti_server"
BUSY = "tests.bench.busy_server"
ASYNCIO = "tests.bench.peers.asyncio_server"
MOSQUITTO = "Mosquitto"
PAUSE = 0.003  # seconds between two notifications, so that each finds everybody idle
DEAF = 10


def latency(report: Report, script: Script, *, samples: int) -> None:
    """From the connecting event's write on the AMI socket to its line at the client; 1,000 seats, all idle.

    In turn with servers that have the same engine: one with asyncio streams, one that has a message broker
    tell the clients, where that is installed.
    """
    site = Site(script.technology, seats=1000)
    stages = {SERVER: Stage(script, site), ASYNCIO: Stage(script, site, module=ASYNCIO)}
    if broker_program():
        stages[MOSQUITTO] = BrokerStage(script, site)
    times: dict[str, list[float]] = {name: [] for name in stages}
    with ExitStack() as running:
        for stage in stages.values():
            running.enter_context(stage).log_in()
        for number in range(5):
            first = 1 + number * samples
            calls = list(islice(make_calls(site.extensions, site.place, first=first), samples // 5))
            for name, stage in stages.items():
                times[name] += _paced(stage, calls)
    half = {name: percentile(found, 0.5) for name, found in times.items()}
    for name, found in times.items():
        report.note(f"{name}: p50 {half[name]:.0f} µs, p99 {percentile(found, 0.99):.0f} µs")
    report.at_most("asyncio's p50, 1,000 idle seats", half[SERVER] / half[ASYNCIO], 1.1)
    if MOSQUITTO in half:
        report.at_most("Mosquitto's p50", half[SERVER] / half[MOSQUITTO], 0.6)
    else:
        report.note("not compared with Mosquitto: apt-get install mosquitto")


def _paced(stage: Stage, calls: list[QueueCall]) -> list[float]:
    """Microseconds from write to line, for each call."""
    expected = [expect(call) for call in calls]
    stage.clients.call("expect", expected)
    stage.clients.begin("collect", 30.0 + len(calls) * PAUSE * 3, 0.1)
    begun = stage.feeder.call("pace", [split_at_link(stage.script, call) for call in calls], PAUSE)
    collected = stage.clients.result()
    check(collected, stage.server)
    return _between(begun, expected, collected.arrivals)


def _between(begun: list[int], expected: list[Expected], arrivals: dict[str, int]) -> list[float]:
    ends = [arrivals[link.calldata] for link in expected]
    return [(end - begin) / 1000 for begin, end in zip(begun, ends, strict=True)]


def saturated(report: Report, script: Script, *, samples: int) -> None:
    """From the AMI thread's read to the line at the client, while that thread has other calls to track."""
    site = Site(script.technology, seats=1000)
    calls = list(islice(make_calls(site.extensions, site.place), samples))
    expected = [expect(call) for call in calls]
    with Stage(script, site, module=BUSY) as stage:
        stage.log_in()
        stage.clients.call("expect", expected)
        stage.clients.begin("collect", 60.0, 0.1)
        blocks = [part for call in calls for part in split_at_link(script, call)]
        stage.feeder.call("send", b"".join([COLLECT, *blocks, BEGIN]))
        stage.server.state_file(READY)  # only then, for it must stay in the socket
        stage.feeder.call("send", KEEP_READABLE)
        collected = stage.clients.result()
        check(collected, stage.server)
        begun = stage.server.state_file(MOMENTS)
    times = _between(begun, expected, collected.arrivals)
    report.at_most("p50 with the AMI thread saturated", percentile(times, 0.5), 100, "µs")
    report.at_most("p99 with the AMI thread saturated", percentile(times, 0.99), 1000, "µs")


def logins(report: Report, script: Script, *, seats: int, target: float) -> None:
    """Everybody logs in at once and joins a queue, as at an asyncio server that does no more."""
    times: dict[str, list[float]] = {SERVER: [], ASYNCIO: []}
    for _ in range(3):
        for module, found in times.items():
            with Stage(script, Site(script.technology, seats), module=module) as stage:
                found.append(stage.log_in().seconds)
    ours, asyncio = median(times[SERVER]), median(times[ASYNCIO])
    report.note(f"{seats} seats at once, none lost: {ours:.2f} s; asyncio {asyncio:.2f} s")
    report.at_most("asyncio's time", ours / asyncio, target)


def memory(report: Report, script: Script) -> None:
    """What a connected, idle seat costs; plain connections, md5 passwords."""
    site = Site(script.technology, seats=1000)
    with Stage(script, site) as stage:
        before = stage.server.memory
        stage.log_in()
        after = stage.server.memory
    report.at_most("a connected idle seat", (after - before) / site.seats / 1000, 25, "kB")
    report.at_most("the whole server with 1,000 seats", after / 1_000_000, 60, "MB")


def deaf(report: Report, script: Script, *, calls: int) -> None:
    """Ten clients that never read, in the thick of the traffic: nobody else may lose or wait for anything."""
    site = Site(script.technology, seats=2 * DEAF)
    hearing = site.extensions[DEAF:]
    traffic = make_traffic(script, site.extensions, site.place, calls=calls, concurrent=DEAF)
    with Stage(script, site, outbox=65_536, deaf=DEAF) as stage:
        stage.log_in()
        stage.load(traffic)
        stage.pour(traffic.expected)
        report.note(f"{DEAF} of {site.seats} clients never read: every Link of the others arrived once")
        times = _paced(stage, list(islice(make_calls(hearing, site.place, first=calls + 1), 200)))
        ended = stage.server.whole_log.count("outbox overflow")
        report.note(f"{ended} of them filled their outbox and were cut; the kernel held the others' bytes")
    report.at_most("p99 of the others' notifications", percentile(times, 0.99) / 1000, 5, "ms")

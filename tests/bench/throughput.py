"""How many events a second the whole server takes, from the first byte on the AMI socket to the last Link."""

from __future__ import annotations

import time

from tests.bench.peers import other_clients
from tests.bench.report import Report, median
from tests.bench.stage import Stage
from tests.bench.workload.scripts import Script
from tests.bench.workload.site import Site
from tests.bench.workload.traffic import Traffic, callers_waiting, make_traffic

ROUNDS = 5
CONCURRENT = 500
_SAMPLE = 20_000  # events that the other programs parse: they are slow


def throughput(
    report: Report, script: Script, *, calls: int, targets: tuple[float, float, float | None]
) -> None:
    """Median of five, server and floor in turn; compared with what other programs need for parsing alone.

    `targets`: times panoramisk, times the fastest Python client, times slower than the floor.
    """
    site = Site(script.technology, seats=1000)
    first, second, floor_target = targets
    with Stage(script, site) as stage:
        stage.log_in()
        rates, slower, traffic = _rounds(stage, calls)
        parsing = _others(script, traffic)
    links = traffic.events / len(traffic.expected)
    report.note(
        f"{traffic.events} events, {traffic.mean_fields:.1f} fields and {traffic.mean_size:.0f} bytes each; "
        f"one notified call in {links:.0f} events; {site.seats} seats logged in; every Link arrived once"
    )
    report.note(f"{median(rates):.0f} events/s")
    what = "slower than the floor (recv and split)"
    if floor_target is None:
        report.note(f"{median(slower):.3g} times {what}")
    else:
        report.at_most(what, median(slower), floor_target)
    if "panoramisk" in parsing:
        report.at_least("panoramisk's bare parsing", median(rates) / parsing["panoramisk"], first)
    if parsing:
        fastest = max(parsing, key=lambda name: parsing[name])
        report.at_least(f"the fastest Python client's ({fastest})", median(rates) / parsing[fastest], second)
    else:
        report.note("no other client to compare with: pip install '.[bench]'")


def _rounds(stage: Stage, calls: int) -> tuple[list[float], list[float], Traffic]:
    rates, slower = [], []
    for number in range(ROUNDS):
        traffic = _traffic(stage, calls, first=1 + number * calls)
        stage.load(traffic)
        floor = len(traffic.data) / stage.pour_into_floor(len(traffic.data)) / traffic.mean_size
        rate = traffic.to_last_link / stage.pour(traffic.expected).seconds
        rates.append(rate)
        slower.append(floor / rate)
    return rates, slower, traffic


def _traffic(stage: Stage, calls: int, *, first: int) -> Traffic:
    """Each time with calls of their own: no Asterisk uses a Uniqueid twice."""
    site = stage.site
    return make_traffic(
        stage.script, site.extensions, site.place, calls=calls, concurrent=CONCURRENT, seed=first, first=first
    )


def _others(script: Script, traffic: Traffic) -> dict[str, float]:
    """Events a second that others parse, best of three."""
    cut = traffic.data[: int(_SAMPLE * traffic.mean_size)]
    sample = script.banner + cut[: cut.rfind(b"\r\n\r\n") + 4]
    rates = {}
    for name, parse in other_clients.available():
        rates[name] = max(_rate(parse, sample) for _ in range(3))
    return rates


def _rate(parse: other_clients.Parse, sample: bytes) -> float:
    begun = time.perf_counter()
    events = parse(sample)
    return events / (time.perf_counter() - begun)


def scaling(report: Report, script: Script, *, calls: int) -> None:
    """Whether the cost of an event grows with seats, services or live calls: events/s must stay the same."""
    base = _cost(script, Site(script.technology, seats=1000), calls)
    few = _cost(script, Site(script.technology, seats=10), calls)
    many = _cost(script, Site(script.technology, seats=1000, services=1000), calls)
    waiting = _cost(script, Site(script.technology, seats=1000), calls, live=10_000)
    report.at_most("an event costs with 1,000 seats, of its cost with 10", base / few, 1.3)
    report.at_most("an event costs with 1,000 services, of its cost with one", many / base, 1.3)
    report.at_most("an event costs with 10,000 calls waiting, of its cost with none", waiting / base, 1.3)


def _cost(script: Script, site: Site, calls: int, *, live: int = 0) -> float:
    """The server's processor seconds an event; not the time, for the clients' share of it varies."""
    with Stage(script, site) as stage:
        stage.log_in()
        if live:
            stage.feeder.call("send", callers_waiting(script, site.place, count=live, first=5_000_000))
        costs = []
        for number in range(3):
            traffic = make_traffic(
                script, site.extensions[:10], site.place, calls=calls, concurrent=10, first=1 + number * calls
            )
            stage.load(traffic)
            before = stage.server.processor_time()
            stage.pour(traffic.expected)
            costs.append((stage.server.processor_time() - before) / traffic.events)
        return min(costs)

"""What seats cost: everybody's login at once, and the memory of those that are connected."""

from __future__ import annotations

from tests.bench.figures import Rounds
from tests.bench.processes.measured_server import LOGIN_WITHIN, MeasuredOutage, MeasuredServer
from tests.bench.processes.server_process import ASYNCIO_PROGRAM, SERVER_PROGRAM
from tests.bench.processor_time import processor_time
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript


def logins(report: Report, script: EventScript, *, seats: int, rounds: tuple[int, int]) -> None:
    """Everybody logs in at once and joins a queue, in turn with an asyncio server that does the same work."""
    programs = {"the server": SERVER_PROGRAM, "asyncio": ASYNCIO_PROGRAM}
    seconds = Rounds(*rounds)
    usage = {}
    for _ in seconds:
        for name, program in programs.items():
            with MeasuredServer(script, CallCentre(script.technology, seats), program) as measured:
                before = measured.meter.read()
                seconds.add(name, measured.log_in().seconds)
                usage[name] = before.until(measured.meter.read())
    report.note(f"{seats:,} seats at once, none lost")
    for name, found in seconds.series.items():
        report.values(name, found, "s")
        report.usage(f"{name}, the last round", usage[name])
    report.times_at_most("asyncio's time", seconds.ratios("the server", "asyncio"), 2)


def comeback(report: Report, script: EventScript, *, seats: int, outages: tuple[float, ...]) -> None:
    """Everybody's return after the server was away for so many seconds, by the client's own pauses."""
    for outage in outages:
        with MeasuredOutage(script, CallCentre(script.technology, seats)) as measured:
            measured.log_in()
            back = measured.outage(outage, LOGIN_WITHIN)
            clients = processor_time(measured.clients.pid)
        half, last = back.seconds[len(back.seconds) // 2], back.seconds[-1]
        report.note(
            f"away for {outage:g} s: half of {seats:,} seats are back {half:.1f} s after the port opened; "
            f"{back.attempts / seats:.0f} attempts each; the clients used {clients.total:.2f} s of a core"
        )
        report.at_most(f"the last one, after {outage:g} s", last, 15.0, "s")


def restart(report: Report, script: EventScript, *, seats: int, rounds: int) -> None:
    """An orderly restart that keeps the members: how long each seat is without a session."""
    away: list[float] = []
    for _ in range(rounds):
        with MeasuredOutage(script, CallCentre(script.technology, seats)) as measured:
            measured.log_in()
            away += measured.restart(LOGIN_WITHIN).away
    away.sort()
    report.note(
        f"{seats:,} seats, {rounds} restarts, nobody left a queue; "
        f"half are back after {away[len(away) // 2]:.2f} s"
    )
    report.at_most("99 of 100 seats", away[len(away) * 99 // 100], 3.0, "s")


def memory(report: Report, script: EventScript, *, seats: int, rounds: tuple[int, int]) -> None:
    """What a connected, idle seat costs; plain connections, md5 passwords."""
    found = Rounds(*rounds)
    for _ in found:
        with MeasuredServer(script, CallCentre(script.technology, seats)) as measured:
            before, start = measured.process.memory, measured.meter.read()
            measured.log_in()
            usage, after = start.until(measured.meter.read()), measured.process.memory
        found.add("seat", (after - before) / seats / 1000)
        found.add("server", after / 1_000_000)
    seat = report.values("a connected idle seat", found.series["seat"], "kB").median
    whole = report.values(f"the whole server with {seats:,} seats", found.series["server"], "MB").median
    report.usage("all log in, the last round", usage)
    report.at_most("a connected idle seat", seat, 28, "kB")
    report.at_most(f"the whole server with {seats:,} seats", whole, 70, "MB")

"""What seats cost: everybody's login at once, and the memory of those that are connected."""

from __future__ import annotations

from tests.bench.processes.measured_server import LOGIN_WITHIN, MeasuredOutage, MeasuredServer
from tests.bench.processes.server_process import ASYNCIO_PROGRAM, SERVER_PROGRAM
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript


def logins(report: Report, script: EventScript, *, seats: int, rounds: int, target: float) -> None:
    """Everybody logs in at once and joins a queue, in turn with an asyncio server that does no more."""
    programs = {"the server": SERVER_PROGRAM, "asyncio": ASYNCIO_PROGRAM}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    usage = {}
    for _ in range(rounds):
        for name, program in programs.items():
            with MeasuredServer(script, CallCentre(script.technology, seats), program) as measured:
                before = measured.meter.read()
                seconds[name].append(measured.log_in().seconds)
                usage[name] = before.until(measured.meter.read())
    report.note(f"{seats:,} seats at once, none lost")
    medians = {name: report.values(name, found, "s").median for name, found in seconds.items()}
    for name, used in usage.items():
        report.usage(f"{name}, the last round", used)
    report.at_most("asyncio's time", medians["the server"] / medians["asyncio"], target)


def comeback(report: Report, script: EventScript, *, seats: int, outages: tuple[float, ...]) -> None:
    """Everybody's return after the server was away for so many seconds, by the client's own pauses."""
    for outage in outages:
        with MeasuredOutage(script, CallCentre(script.technology, seats)) as measured:
            measured.log_in()
            back = measured.outage(outage, LOGIN_WITHIN)
        half, last = back.seconds[len(back.seconds) // 2], back.seconds[-1]
        report.note(
            f"away for {outage:g} s: half of {seats:,} seats are back {half:.1f} s after the port opened; "
            f"{back.attempts / seats:.0f} attempts each"
        )
        report.at_most(f"the last one, after {outage:g} s", last, 15.0, "s")


def memory(report: Report, script: EventScript, *, seats: int, rounds: int) -> None:
    """What a connected, idle seat costs; plain connections, md5 passwords."""
    each, whole = [], []
    for _ in range(rounds):
        with MeasuredServer(script, CallCentre(script.technology, seats)) as measured:
            before = measured.process.memory
            measured.log_in()
            after = measured.process.memory
        each.append((after - before) / seats / 1000)
        whole.append(after / 1_000_000)
    seat = report.values("a connected idle seat", each, "kB").median
    server = report.values(f"the whole server with {seats:,} seats", whole, "MB").median
    report.at_most("a connected idle seat", seat, 25, "kB")
    report.at_most(f"the whole server with {seats:,} seats", server, 60, "MB")

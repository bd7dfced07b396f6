"""How long who runs the server waits: for the largest configuration that is promised, and for setting up."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from lxml import etree

import schemas
from astcti_server.config.loading import load_directory
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.bench.figures import Rounds
from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.source_tree import source_tree
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript
from tests.bench.workload.largest_configuration import OPERATORS, largest_configuration, write_configuration

PROMISED = 2.0  # seconds from a file's arrival until it is in force
LONGEST_WAIT = 20  # milliseconds that an event may wait meanwhile
CALL_EACH = 0.1  # seconds; with these calls, some 4,000 events a second
_IN_FORCE = "is in force now"


def loading(report: Report, *, rounds: tuple[int, int]) -> None:
    """Processor time, of both forms in turn; compared with bare parsing and validating of the same XML."""
    configuration = largest_configuration()
    with tempfile.TemporaryDirectory() as folder:
        xml = write_configuration(Path(folder) / "xml", "xml", configuration)
        sqlite = write_configuration(Path(folder) / "sqlite", "sqlite", configuration)
        schema = etree.XMLSchema(file=str(Path(schemas.__file__).with_name("configuration.xsd")))
        file = str(xml / "large.xml")
        work: dict[str, Callable[[], object]] = {
            "bare parsing and validating": lambda: schema.assertValid(etree.parse(file)),
            "XML": lambda: load_directory(xml),
            "SQLite": lambda: load_directory(sqlite),
        }
        seconds = Rounds(*rounds)
        for _ in seconds:
            for name, load in work.items():
                begun = time.thread_time()
                load()
                seconds.add(name, time.thread_time() - begun)
    for name, found in seconds.series.items():
        report.values(f"{name}, {OPERATORS:,} operators", found, "s of processor time")
    for form in ("XML", "SQLite"):
        ratios = seconds.ratios(form, "bare parsing and validating")
        report.times_at_most(f"{form}, of bare parsing and validating of the XML", ratios, 15)


def in_force(report: Report, script: EventScript, *, calls: int, rounds: tuple[int, int]) -> None:
    """From the rename that puts a new file in place until the log of the running server says it is in force.

    Ten seats are logged in and stay what they are: the new file has them too. Meanwhile they are called, one
    after the other: how long a notification takes then is how long its event waited.
    """
    call_centre = CallCentre(script.technology, seats=10)
    large = largest_configuration()
    found = Rounds(*rounds)
    for _ in found:
        with MeasuredServer(script, call_centre) as measured:
            measured.log_in()
            part = _written_beside(measured, large)
            alone = measured.notify(call_centre.calls(calls, first=1_000_000), pause=CALL_EACH / 2)
            before = measured.meter.read()
            seconds: list[float] = []
            put_in_place = partial(_put_in_place, measured, part, seconds)
            beside = measured.notify(call_centre.calls(calls), put_in_place, pause=CALL_EACH / 2)
            usage = before.until(measured.meter.read())
        found.add("in force", seconds[0])
        found.add("alone", max(alone) / 1000, settles=False)
        found.add("beside", max(beside) / 1000, settles=False)
    report.values(f"{OPERATORS:,} operators in force", found.series["in force"], "s")
    report.values(f"the longest of {calls} notifications, alone", found.series["alone"], "ms")
    longest = report.values("the longest, while it comes in force", found.series["beside"], "ms").median
    late = sorted((delay / 1000 for delay in beside), reverse=True)[:5]
    report.note(f"the longest of the last round: {', '.join(f'{delay:.1f}' for delay in late)} ms")
    report.usage("the last round", usage)
    report.at_most("in force", median(found.series["in force"]), PROMISED, "s")
    report.at_most("the longest wait of an event meanwhile", longest, LONGEST_WAIT, "ms")


def _written_beside(measured: MeasuredServer, large: Configuration) -> Path:
    """The large configuration with the seats that are there, beside the file that it is going to replace."""
    file = measured.process.configuration / CallCentre.FILE
    small = xml_form.load_xml(file)
    part = file.with_suffix(".part")
    part.write_bytes(
        xml_form.dump_xml(
            Configuration(
                small.services + large.services,
                small.seats + large.seats[len(small.seats) :],
                small.operators + large.operators,
            )
        )
    )
    return part


def _put_in_place(measured: MeasuredServer, part: Path, seconds: list[float]) -> None:
    begun = time.perf_counter()
    part.rename(measured.process.configuration / CallCentre.FILE)
    _wait_for_second_in_force(measured)
    seconds.append(time.perf_counter() - begun)


def installation(report: Report, *, rounds: int) -> None:
    """`make setup` in a copy of the last commit; packages come from wherever pip has them."""
    seconds = []
    for _ in range(rounds):
        with source_tree() as tree:
            begun = time.perf_counter()
            made = subprocess.run(["make", "-C", str(tree), "setup"], capture_output=True, check=False)
            seconds.append(time.perf_counter() - begun)
            if made.returncode:
                raise ServerFailed(made.stderr.decode(errors="replace"))
    report.values("make setup", seconds, "s")


def _wait_for_second_in_force(measured: MeasuredServer, timeout: float = 30.0) -> None:
    """The first was said at the start."""
    deadline = time.monotonic() + timeout
    while measured.process.whole_log.count(_IN_FORCE) < 2:
        if time.monotonic() > deadline:
            raise ServerFailed(f"the new configuration is not in force:\n{measured.process.log}")
        time.sleep(0.005)  # nothing but its log tells another process of it

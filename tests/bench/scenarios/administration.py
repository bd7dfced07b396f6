"""How long who runs the server waits: for the largest configuration that is promised, and for setting up."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

import schemas
from astcti_server.config.loading import load_directory
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processes.server_process import ServerFailed
from tests.bench.processes.source_tree import source_tree
from tests.bench.report import Report
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import EventScript
from tests.bench.workload.largest_configuration import OPERATORS, largest_configuration, write_configuration

PROMISED = 2.0  # seconds from a file's arrival until it is in force
_IN_FORCE = "is in force now"


def loading(report: Report, *, rounds: int) -> None:
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
        seconds: dict[str, list[float]] = {name: [] for name in work}
        for _ in range(rounds):
            for name, load in work.items():
                begun = time.thread_time()
                load()
                seconds[name].append(time.thread_time() - begun)
    medians = {
        name: report.values(f"{name}, {OPERATORS:,} operators", found, "s of processor time").median
        for name, found in seconds.items()
    }
    bare = medians["bare parsing and validating"]
    for form in ("XML", "SQLite"):
        report.at_most(f"{form}, of bare parsing and validating of the XML", medians[form] / bare, 15)


def in_force(report: Report, script: EventScript, *, rounds: int) -> None:
    """From the rename that puts a new file in place until the log of the running server says it is in force.

    Ten seats are logged in and stay what they are: the new file has them too.
    """
    call_centre = CallCentre(script.technology, seats=10)
    large = largest_configuration()
    seconds = []
    for _ in range(rounds):
        with MeasuredServer(script, call_centre) as measured:
            measured.log_in()
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
            before = measured.meter.read()
            begun = time.perf_counter()
            part.rename(file)
            _wait_for_second_in_force(measured)
            seconds.append(time.perf_counter() - begun)
            usage = before.until(measured.meter.read())
    found = report.values(f"{OPERATORS:,} operators in force", seconds, "s")
    report.usage("the last of them", usage)
    report.at_most("of the time that is promised", found.median / PROMISED, 1)


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

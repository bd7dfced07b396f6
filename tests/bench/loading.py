"""How long the largest configuration that is promised takes from its file to being ready to be taken up."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

import schemas
from astcti_server.config.loading import load_directory
from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.bench.report import Report, median

OPERATORS, SERVICES, BOUND = 10_000, 1_000, 20
ROUNDS = 3


def loading(report: Report) -> None:
    """Median of three, of processor time; compared with bare parsing and validating of the same XML."""
    configuration = largest()
    with tempfile.TemporaryDirectory() as folder:
        xml = write(Path(folder) / "xml", "xml", configuration)
        sqlite = write(Path(folder) / "sqlite", "sqlite", configuration)
        schema = etree.XMLSchema(file=str(Path(schemas.__file__).with_name("configuration.xsd")))
        file = str(xml / "large.xml")
        bare = _seconds(lambda: schema.assertValid(etree.parse(file)))
        for form, directory in (("XML", xml), ("SQLite", sqlite)):
            taken = _seconds(lambda directory=directory: load_directory(directory))
            report.note(f"{form}, {OPERATORS} operators: {taken:.2f} s; 2 s are promised")
            report.at_most(f"{form}, of bare parsing and validating of the XML", taken / bare, 15)


def _seconds(work: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        begun = time.thread_time()
        work()
        times.append(time.thread_time() - begun)
    return median(times)


def write(directory: Path, form: str, configuration: Configuration) -> Path:
    """A configuration directory with this configuration in it, as `xml` or `sqlite`, written long ago."""
    directory.mkdir()
    (directory / "server.xml").write_text('<server><ami username="a" secret="s"/></server>')
    path = directory / f"large.{form}"
    if form == "xml":
        path.write_bytes(xml_form.dump(configuration))
    else:
        sqlite_form.dump(configuration, path)
    os.utime(path, (1000, 1000))
    return directory


def largest() -> Configuration:
    """Ten thousand operators with their seats, and a thousand services."""
    triggers = (
        Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}"),
        Trigger("application", "ring", "windows", "C:\\crm.exe", '-t {TICKET} --name "{CALLERIDNAME}"'),
    )
    macs = [f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}" for number in range(OPERATORS)]
    return Configuration(
        tuple(
            Service(
                f"Service {number}",
                f"context{number}",
                "inbound",
                True,
                f"queue{number}",
                True,
                ("calldata", "ticket"),
                triggers,
                tuple(Binding(f"op{(number * BOUND + one) % OPERATORS}", one % 5) for one in range(BOUND)),
            )
            for number in range(SERVICES)
        ),
        tuple(Seat(mac, f"PJSIP/{number}", f"PJSIP/{number}") for number, mac in enumerate(macs)),
        tuple(Operator(f"op{n}", f"Operator {n}", "md5:" + "0" * 32, mac) for n, mac in enumerate(macs)),
    )

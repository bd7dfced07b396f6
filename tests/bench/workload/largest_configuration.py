"""The largest configuration that is promised, and how it is written into a directory."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from schemas.configuration import sqlite_form, xml_form
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger

OPERATORS, SERVICES, BOUND = 10_000, 1_000, 20


def largest_configuration(operators: int = OPERATORS, services: int = SERVICES) -> Configuration:
    """Ten thousand operators with their seats, and a thousand services; or a smaller one of the same kind."""
    triggers = (
        Trigger("browser", url="https://crm.example/?id={CALLDATA}&from={CALLERID}"),
        Trigger("application", "ring", "windows", "C:\\crm.exe", '-t {TICKET} --name "{CALLERIDNAME}"'),
    )
    macs = [f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}" for number in range(operators)]
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
                tuple(
                    Binding(f"op{(number * BOUND + offset) % operators}", offset % 5)
                    for offset in range(BOUND)
                ),
            )
            for number in range(services)
        ),
        tuple(Seat(mac, f"PJSIP/{number}", f"PJSIP/{number}") for number, mac in enumerate(macs)),
        tuple(
            Operator(f"op{number}", f"Operator {number}", "md5:" + "0" * 32, mac)
            for number, mac in enumerate(macs)
        ),
    )


def changed_phones(configuration: Configuration) -> Configuration:
    """Another one that is to be taken over: each seat has another phone, each operator another name."""
    seats = (
        replace(seat, extension=f"{seat.extension}x", queue_interface=f"{seat.extension}x")
        for seat in configuration.seats
    )
    operators = (
        replace(operator, full_name=f"{operator.full_name} x") for operator in configuration.operators
    )
    return replace(configuration, seats=tuple(seats), operators=tuple(operators))


def write_configuration(directory: Path, form: str, configuration: Configuration) -> Path:
    """A configuration directory with this configuration in it, as `xml` or `sqlite`, written long ago."""
    directory.mkdir()
    (directory / "server.xml").write_text('<server><ami username="a" secret="s"/></server>')
    path = directory / f"large.{form}"
    if form == "xml":
        path.write_bytes(xml_form.dump_xml(configuration))
    else:
        sqlite_form.dump_sqlite(configuration, path)
    os.utime(path, (1000, 1000))
    return directory

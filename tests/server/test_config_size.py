"""The largest configuration that is promised loads in good time, in either form."""

import os
import time
from pathlib import Path

import pytest

from astcti_server.config_loading import load_directory
from schemas import configuration_sqlite, configuration_xml
from schemas.configuration import Binding, Configuration, Operator, Seat, Service, Trigger

OPERATORS, SERVICES, BOUND = 10_000, 1_000, 20
MAY_TAKE = 1.7  # seconds of processor time, of the two from a file's arrival to its taking up


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
                f"Service {number}", f"context{number}", "inbound", True, f"queue{number}", True,
                ("calldata", "ticket"), triggers,
                tuple(Binding(f"op{(number * BOUND + one) % OPERATORS}", one % 5) for one in range(BOUND)),
            )
            for number in range(SERVICES)
        ),
        tuple(Seat(mac, f"PJSIP/{number}", f"PJSIP/{number}") for number, mac in enumerate(macs)),
        tuple(Operator(f"op{n}", f"Operator {n}", "md5:" + "0" * 32, mac) for n, mac in enumerate(macs)),
    )  # fmt: skip


@pytest.mark.parametrize("form", ["xml", "sqlite"])
def test_ten_thousand_operators_and_a_thousand_services_load_in_time(tmp_path: Path, form: str) -> None:
    configuration = largest()
    (tmp_path / "server.xml").write_text('<server><ami username="a" secret="s"/></server>')
    path = tmp_path / f"large.{form}"
    if form == "xml":
        path.write_bytes(configuration_xml.dump(configuration))
    else:
        configuration_sqlite.dump(configuration, path)
    os.utime(path, (1000, 1000))
    before = time.thread_time()
    loaded = load_directory(tmp_path)
    taken = time.thread_time() - before
    assert loaded.configuration == configuration
    assert taken < MAY_TAKE

"""What tests of two versions share: the files of the previous release, an office, its clients."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from astcti_server.demo.pbx import DemoPbx
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests import needed
from tests.client.conftest import Program
from tests.fake.line_client import md5
from tests.fake.previous_release import NoHistory, previous_release, unpack

PEOPLE = ("mario", "luisa", "anna")
PHONES = {name: f"PJSIP/20{number}" for number, name in enumerate(PEOPLE, 1)}
MACS = {name: f"00:00:00:00:02:0{number}" for number, name in enumerate(PEOPLE, 1)}
OFFICE = Configuration(
    services=(
        Service(
            "Demo",
            "astctidemo",
            "inbound",
            is_queue=True,
            queue_name="astcti",
            variables=("calldata",),
            triggers=(Trigger("browser", url="https://crm.example/?id={CALLDATA}"),),
            operators=tuple(Binding(name, 1) for name in PEOPLE),
        ),
    ),
    seats=tuple(Seat(MACS[name], PHONES[name], PHONES[name]) for name in PEOPLE),
    operators=tuple(Operator(name, name.title(), f"md5:{md5('secret')}", seat=MACS[name]) for name in PEOPLE),
)
"""Three seats in one queue."""


@pytest.fixture
def pbx() -> Iterator[DemoPbx]:
    with DemoPbx() as running:
        yield running


@pytest.fixture(scope="session")
def previous(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files of the previous release. In CI it is a failure if they cannot be had."""
    folder = tmp_path_factory.mktemp("previous-release")
    try:
        unpack(previous_release(), folder)
    except NoHistory as error:
        needed.lacking(str(error))
    return folder


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Callable[..., Program]]:
    """Starts clients: `client(name, port, tree)`, with None as tree those of this version."""
    started: list[Program] = []

    def start(name: str, port: int, tree: Path | None) -> Program:
        home = tmp_path / name
        home.mkdir(exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ASTCTI_CLIENT_")}
        places = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR"), str(home))
        words = ["--headless", "--no-triggers", "--verbose", "--port", str(port), "--user", name]
        environ = {**kept, **places, "ASTCTI_CLIENT_PASSWORD": "secret"}
        started.append(Program([*words, "--mac", MACS[name]], environ, tree))
        return started[-1]

    yield start
    for program in started:
        program.close()

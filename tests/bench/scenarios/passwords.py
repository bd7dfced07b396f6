"""What passwords stored with scrypt cost: everybody at once, by each way to log in, and beside wrong ones."""

from __future__ import annotations

import time
from functools import partial

from tests.bench.processes.measured_server import MeasuredServer
from tests.bench.processes.password_flood import PasswordFlood
from tests.bench.processes.scram_clients import ScramSeatClients
from tests.bench.processes.worker import Worker
from tests.bench.report import Report
from tests.bench.workload.call_centre import SeatLogin
from tests.bench.workload.event_script import EventScript
from tests.bench.workload.stored_passwords import ScryptCallCentre
from tests.fake.line_client import LineClient

COLD_START = 60.0  # seconds: the target
RESTART = 15.0
MEMORY = 90  # MB
LONGEST_WAIT = 2.0  # seconds
GIVEN_UP = 600.0  # seconds
WARMING_UP = 3.0  # seconds until a flood's guesses fill the queue


def passwords(report: Report, script: EventScript, *, seats: int, right: int) -> None:
    """Everybody by USER and PASS after a start, everybody by SCRAM after another one, and a flood."""
    centre = ScryptCallCentre.make(script.technology, seats)
    report.note(f"{seats:,} operators, each with a password of their own, scrypt and SCRAM beside it")
    with MeasuredServer(script, centre) as measured:
        before = measured.meter.read()
        cold = measured.log_in(GIVEN_UP).seconds
        report.usage("all by USER and PASS", before.until(measured.meter.read()))
        after_scrypt = measured.process.memory / 1_000_000
    clients = partial(ScramSeatClients, centre.secrets)
    with MeasuredServer(script, centre, clients=clients) as measured:
        before = measured.meter.read()
        restart = measured.log_in(GIVEN_UP).seconds
        report.usage("all by SCRAM", before.until(measured.meter.read()))
        after_scram = measured.process.memory / 1_000_000
    report.at_most("all in after a start, by USER and PASS", cold, COLD_START, "s")
    report.at_most("the server after that", after_scrypt, MEMORY, "MB")
    report.at_most("all in after a start, by SCRAM", restart, RESTART, "s")
    report.at_most("the server after that", after_scram, MEMORY, "MB")
    _flood(report, script, centre, right)


def _flood(report: Report, script: EventScript, centre: ScryptCallCentre, right: int) -> None:
    logins = centre.logins
    with MeasuredServer(script, centre) as measured, Worker(PasswordFlood) as flood:
        alone = [_log_in(measured.process.port, login) for login in logins[:right]]
        flood.call("begin", measured.process.port, logins[2 * right :])
        time.sleep(WARMING_UP)
        beside = [_log_in(measured.process.port, login) for login in logins[right : 2 * right]]
        refused = flood.call("end")
        memory = measured.process.memory / 1_000_000
    report.values("a right password that is computed, alone", alone, "s")
    report.values("the same beside wrong ones", beside, "s")
    report.note(f"{refused:,} wrong passwords from 16 other addresses at a time were refused meanwhile")
    report.at_most("the longest wait beside wrong passwords", max(beside), LONGEST_WAIT, "s")
    report.at_most("the server after that", memory, MEMORY, "MB")


def _log_in(port: int, login: SeatLogin) -> float:
    """Seconds from PASS to its reply."""
    with LineClient(port) as client:
        assert client.hear() == "100 WELCOME"
        assert client.ask(f"USER {login.username}") == "100 OK"
        begun = time.perf_counter()
        answer = client.ask(f"PASS {login.password_md5}")
        assert answer == "102 OK", answer
        return time.perf_counter() - begun

"""Why a call popped up or not, on a real Asterisk 22 and 16: each cause, seeded, is what is named first.

One server and one Asterisk for all of them: what differs is the configuration, taken up in between.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_server.control.asking import ControlConnection
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from schemas.explanation.codes import Verdict
from schemas.protocol import ControlCommand
from tests.asterisk import phones
from tests.asterisk.rig import Asterisk
from tests.fake.line_client import md5
from tests.fake.patience import PATIENCE, until
from tests.fake.running_server import RunningServer, SeatClient
from tests.fake.wire_cutter import WireCutter

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(240)]

NUMBER = "3331234567"
PAGE = Trigger("browser", url="https://crm.example/?from={CALLERID}")
BOTH = (Binding("mario"), Binding("luisa"))
QUEUE = Service(
    "Demo",
    "astctidemo",
    "inbound",
    is_queue=True,
    queue_name="astcti",
    variables=("calldata",),
    triggers=(PAGE,),
    operators=(Binding("mario", 1),),
)
DIRECT = Service("Direct", "direct", "inbound", variables=("calldata",), triggers=(PAGE,), operators=BOTH)
OUTSIDE = Service("Outside", "outbound", "outbound", triggers=(PAGE,), operators=BOTH)


class Site:
    """A server on a real Asterisk; mario sits at 201, luisa at 202."""

    def __init__(self, folder: Path, asterisk: Asterisk, stack: ExitStack) -> None:
        self.asterisk = asterisk
        self.device, self.other = asterisk.device("201"), asterisk.device("202")
        self.wire = stack.enter_context(WireCutter(asterisk.ami_port))
        self._told: set[str] = set()
        self.server = stack.enter_context(
            RunningServer(folder, self.wire.port, self._configuration(QUEUE, DIRECT, OUTSIDE))
        )
        self.server.wait_for_log("Channels in Asterisk")

    def _configuration(self, *services: Service, phone: str = "") -> Configuration:
        macs = ("00:00:00:00:02:01", "00:00:00:00:02:02")
        password = f"md5:{md5('secret')}"
        # One seat of two that changes would be held.
        more = [Seat(f"00:00:00:00:03:{index:02}", f"{self.device}{index}") for index in range(10, 30)]
        return Configuration(
            services,
            (Seat(macs[0], phone or self.device), Seat(macs[1], self.other), *more),
            (
                Operator("mario", "Mario", password, seat=macs[0]),
                Operator("luisa", "Luisa", password, seat=macs[1]),
            ),
        )

    def configure(self, direct: Service = DIRECT, queue: Service = QUEUE, *, phone: str = "") -> None:
        """The same services in another way: one that takes some away would be held."""
        self.server.configure(self._configuration(queue, direct, OUTSIDE, phone=phone))
        # The log counts a line that comes again and again instead of writing it.
        wanted = hashlib.sha256((self.server.config / "configuration.xml").read_bytes()).hexdigest()
        until(lambda: self.server.status["configuration"]["sha256"] == wanted)

    def call(self, exten: str, keys: str = "", **more: Any) -> None:
        """The outside calls, and the call is over."""
        with phones.caller(self.asterisk, exten, keys, **more) as calling:
            calling.wait()

    def answered(self, exten: str, keys: str = "") -> None:
        """The outside calls, and 201 answers."""
        with phones.callee(self.asterisk, "201", talk=0.3):
            self.call(exten, keys)

    def answer(self, what: str) -> dict[str, Any]:
        with ControlConnection(self.server.folder / "control.sock") as asked:
            found: dict[str, Any] = asked.document(ControlCommand.EXPLAIN, what)["calls"][0]
            return found

    def named(self, what: str = "201") -> tuple[str, list[str], list[str]]:
        """What is named first of a call that is over and new: code, arguments, and what is odd."""
        deadline = time.monotonic() + PATIENCE
        while True:
            call = self.answer(what)
            over = any(step["code"] == "hung-up" and step["phone"] == call["phone"] for step in call["story"])
            if over and call["uniqueid"] not in self._told:
                self._told.add(call["uniqueid"])
                first = call["verdict"]
                return first["code"], first["arguments"], [line["code"] for line in call["odd"]]
            assert time.monotonic() < deadline, call
            time.sleep(0.05)

    def client(self, name: str) -> SeatClient:
        return self.server.client(name)


@pytest.fixture(name="site")
def _site(asterisk: Asterisk, tmp_path: Path) -> Iterator[Site]:
    with ExitStack() as stack:
        made = Site(tmp_path, asterisk, stack)
        yield made
    assert "Traceback" not in made.server.log, made.server.log


def of_services(site: Site) -> None:
    """What the configuration says wrongly."""
    site.configure(replace(DIRECT, context="elsewhere"))
    site.answered("301")
    code, arguments, _odd = site.named()
    assert code == Verdict.NO_SERVICE and "direct" in arguments[0].split(",")
    site.configure(replace(DIRECT, context="Direct"))
    site.answered("301")
    assert site.named()[:2] == (Verdict.NEARLY_A_SERVICE, ["direct", "Direct", "case"])
    site.configure(replace(DIRECT, operators=(Binding("luisa"),)))
    site.answered("301")
    assert site.named()[:2] == (Verdict.NOT_BOUND, ["mario", "Direct"])
    site.configure(replace(DIRECT, triggers=(replace(PAGE, on="hangup"),)))
    site.answered("301")
    code, arguments, odd = site.named()
    assert (code, arguments[3], odd[0]) == (Verdict.POPPED_UP, "hangup", Verdict.OTHER_MOMENT)
    site.configure(replace(DIRECT, type="outbound"))
    site.answered("301")
    assert site.named()[:2] == (Verdict.OUTBOUND_AT_CALLED_END, ["Direct"])
    site.configure(replace(DIRECT, triggers=()))
    site.answered("301")
    assert site.named()[:2] == (Verdict.NO_TRIGGER, ["Direct"])


def of_phones(site: Site) -> None:
    """The phone is called otherwise than the seat, or is none; last, as who sits there goes."""
    other = (
        site.device.replace("PJSIP", "SIP") if "PJSIP" in site.device else site.device.replace("SIP", "PJSIP")
    )
    site.configure(phone=other)
    site.answered("301")
    assert site.named(NUMBER)[:2] == (Verdict.PHONE_NEARLY_A_SEAT, [site.device, other])
    site.configure(phone=site.asterisk.device("209"))
    site.answered("301")
    assert site.named(NUMBER)[:2] == (Verdict.PHONE_IS_NO_SEAT, [site.device])


def of_variables(site: Site) -> None:
    """What the dialplan sets otherwise than the service says."""
    site.configure(replace(DIRECT, variables=("CallData", "ticket")))
    site.answered("301")
    code, _arguments, odd = site.named()
    assert code == Verdict.POPPED_UP
    assert odd[:2] == [Verdict.VARIABLE_OTHER_NAME, Verdict.VARIABLE_NEVER_SET]
    assert Verdict.VARIABLE_OF_ANOTHER_SERVICE in odd


def of_calls(site: Site) -> None:
    """What people do."""
    asterisk = site.asterisk
    site.configure()
    with phones.refuses(asterisk, "201"):
        site.call("301")
    assert site.named()[0] == Verdict.REFUSED
    with phones.never_answers(asterisk, "201"):
        site.call("301", patience=0.7)
        assert site.named()[0] == Verdict.CALLER_LEFT
        with phones.callee(asterisk, "202", talk=0.3):
            site.call("399")
        assert site.named()[:2] == (Verdict.ANSWERED_ELSEWHERE, [site.other])
    with phones.refuses(asterisk, "caller"), phones.dials(asterisk, "201", "0551234") as dialling:
        until(lambda: site.answer("201")["verdict"]["code"] == Verdict.NOT_CONNECTED)
        site.named()
        dialling.stop()


def of_the_client(site: Site, mario: SeatClient) -> None:
    """It is gone before the call is answered."""
    mario.settle()  # rings of other calls are heard
    with (
        phones.answers_when_told(site.asterisk, "201", talk=0.3) as phone,
        phones.caller(site.asterisk, "301") as calling,
    ):
        mario.event("Callerid")
        mario.reset()
        site.server.wait_for_log("mario at")
        phone.answer()
        calling.wait()
    assert site.named()[:2] == (Verdict.CLIENT_LOST, ["mario"])


def of_the_link(site: Site) -> None:
    """Nobody listened to Asterisk when it happened."""
    site.wire.cut()
    until(lambda: site.server.status["ami"]["state"] != "up")
    site.answered("301")
    site.wire.mend()
    site.server.wait_for_log("Logged in to Asterisk", 2)
    assert site.answer("0559999999")["verdict"]["code"] == Verdict.PBX_DOWN


CAUSES: tuple[Callable[[Site], None], ...] = (of_services, of_variables, of_calls)


def test_each_cause_is_named_first(site: Site) -> None:
    with site.client("mario") as mario, site.client("luisa") as luisa:
        mario.expect("200 astcti")
        for causes in CAUSES:
            causes(site)
        luisa.settle()
        of_the_client(site, mario)
        of_the_link(site)
        of_phones(site)

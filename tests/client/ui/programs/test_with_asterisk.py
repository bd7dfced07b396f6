"""The whole path with a real Asterisk 22 and real SIP phones: a caller in the queue becomes a card."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from astcti_client.password import Password
from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.asterisk import phones
from tests.asterisk.conftest import asterisk, asterisk16, asterisk22, running_asterisk16, running_asterisk22
from tests.asterisk.rig import Asterisk
from tests.client.ui.conftest import MAC
from tests.client.ui.tools.widgets import press, texts
from tests.client.ui.tools.window_test_bed import WindowTestBed
from tests.fake.running_server import RunningServer

pytestmark = [pytest.mark.asterisk, pytest.mark.timeout(180)]
__all__ = ["asterisk", "asterisk16", "asterisk22", "running_asterisk16", "running_asterisk22"]  # fixtures


def configuration(asterisk: Asterisk, answered: Path) -> Configuration:
    """mario sits at 201; a file appears when he answers."""
    phone = asterisk.device("201")
    answer = Trigger("application", application="/usr/bin/touch", parameters=f"{answered}-{{CALLDATA}}")
    queue = Service(
        "Demo",
        "astctidemo",
        "inbound",
        is_queue=True,
        queue_name="astcti",
        variables=("calldata",),
        triggers=(answer,),
        operators=(Binding("mario", 1),),
    )
    outside = Service("Outside line", "outbound", "outbound", operators=(Binding("mario"),))
    password = f"md5:{Password.from_text('test').md5}"
    return Configuration(
        services=(queue, outside),
        seats=(Seat(MAC, phone, phone),),
        operators=(Operator("mario", "Mario Rossi", password, seat=MAC),),
    )


def test_a_queue_call_rings_is_answered_and_ends_on_the_screen(
    asterisk22: Asterisk, open_client: Callable[..., WindowTestBed], tmp_path: Path
) -> None:
    answered = tmp_path / "answered"
    wanted = configuration(asterisk22, answered)
    with RunningServer(tmp_path / "server", asterisk22.ami_port, wanted) as server:
        bed = open_client(port=server.port)
        app = bed.app
        app.start()
        bed.pump(lambda: "astcti" in app.model.queues, "not in the queue")
        with phones.callee(asterisk22, "201", talk=2.0), phones.caller(asterisk22, "101", "12345") as calling:
            bed.pump(lambda: app.windows.notices.shown, "no notice")
            calls = app.model.calls
            bed.pump(lambda: any(call.phase == "talking" for call in calls.values()), "not answered")
            bed.pump(lambda: bed.history.find(kind="answered"), "not ended")
            calling.wait()
        (entry,) = bed.history.find()
        assert (entry.number, entry.name, entry.service) == ("3331234567", "Demo Caller", "Demo")
        assert entry.variables == (("calldata", "12345"),)
        bed.pump(Path(f"{answered}-12345").exists, "the trigger did not run")
        app.session.stop()
        bed.pump(app.session.ended, "not logged out")


def test_a_dialled_call_says_in_words_how_far_it_is_and_whose_fault_it_was(
    asterisk: Asterisk, open_client: Callable[..., WindowTestBed], tmp_path: Path
) -> None:
    wanted = configuration(asterisk, tmp_path / "answered")
    with RunningServer(tmp_path / "server", asterisk.ami_port, wanted) as server:
        bed = open_client(port=server.port)
        app, main, dialling = bed.app, bed.app.windows.main, bed.app.model.dialling
        app.start()
        bed.pump(lambda: "astcti" in app.model.queues, "not in the queue")

        def dial(number: str) -> None:
            assert app.commands.dial(number) == ""
            assert dialling.busy

        def ends_as(words: str) -> None:
            bed.pump(lambda: not dialling.busy and words in texts(main), words)

        dial("0551234")
        ends_as("Your phone cannot be reached")
        with phones.refuses(asterisk, "201"):
            dial("0551234")
            ends_as("Your phone refused the call")
        with phones.never_answers(asterisk, "201"):
            dial("*77")
            ends_as("This number does not exist")
            dial("0551234")
            bed.pump(lambda: len(asterisk.channels()) == 1, "the phone does not ring")
            press(main, "Cancel")
            bed.pump(lambda: dialling.call is None and not asterisk.channels(), "not cancelled")
        with phones.callee(asterisk, "201"), phones.refuses(asterisk, "caller"):
            dial("0551234")
            ends_as("The number is busy")
        with phones.callee(asterisk, "201"), phones.never_answers(asterisk, "caller"):
            dial("0999")
            bed.pump(lambda: "Calling …" in texts(main), "not calling")
            ends_as("Nobody answered")
        assert main.dial_bar.number.get() == "0551234"
        with phones.callee(asterisk, "201"), phones.callee(asterisk, "caller", talk=1.0):
            dial("0551234")
            bed.pump(
                lambda: any(call.phase == "talking" for call in app.model.calls.values()), "not answered"
            )
            assert dialling.call is None
            assert main.dial_bar.number.get() == ""

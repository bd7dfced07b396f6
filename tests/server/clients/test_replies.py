"""Each line of the server, byte for byte."""

from __future__ import annotations

import pytest

from astcti_server.clients import replies
from schemas.configuration.model import OperatorsQueue, Service
from schemas.protocol import ByeReason, ColleagueState, ResumeMode

CAPABLE = "110 CAPA MAC SERVICES REASONS HANGUP TRANSFER WHO TARGETS QUEUES COLLEAGUES"
SERVICES = (Service("Demo", "astctidemo", "inbound"), Service("Outside line", "outbound", "outbound"))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (replies.WELCOME, "100 WELCOME"),
        (replies.OK, "100 OK"),
        (replies.KEEP_ALIVE_EXPIRED, "100 OK keep-alive expired"),
        (replies.seat_known("PJSIP/201"), "100 OK PJSIP/201"),
        (replies.refused("PBX down"), "101 KO PBX down"),
        (replies.LOGGED_IN, "102 OK"),
        (replies.capabilities(60.0), f"{CAPABLE} CONSULT WHY DIALLING RESUME SCRAM KEEPALIVE=60"),
        (replies.capabilities(2.5), f"{CAPABLE} CONSULT WHY DIALLING RESUME SCRAM KEEPALIVE=2.5"),
        (replies.resuming("8f3c21d0a94be675", 41, ResumeMode.FROM), "104 RESUME 8f3c21d0a94be675 41 from"),
        (replies.RESUMED, "105 RESUME END"),
        (replies.queue_joined("astcti"), "200 astcti"),
        (replies.queue_left("astcti"), "210 astcti"),
        (replies.queue_refused("astcti", "No such queue"), "211 KO astcti No such queue"),
        (
            replies.services(SERVICES),
            "220 inbound astctidemo Demo\n220 outbound outbound Outside line\n220 END",
        ),
        (replies.services([]), "220 END"),
        (replies.SERVICES_CHANGED, "221 SERVICES"),
        (
            replies.transfer_targets({"astctidemo": ["Demo", "Sales line"], "backoffice": [], "END": []}),
            "222 astctidemo Demo, Sales line\n222 backoffice backoffice\n222 END END\n222 END",
        ),
        (replies.transfer_targets({}), "222 END"),
        (
            replies.operators_queues(
                [OperatorsQueue("astcti", 0, False, ("Demo", "Sales")), OperatorsQueue("q", 0, True, ("Q",))]
            ),
            "223 stays astcti Demo, Sales\n223 may-leave q Q\n223 END",
        ),
        (
            replies.colleague("anna", "PJSIP/202", ColleagueState.READY, "Anna Verdi"),
            "242 anna PJSIP/202 ready Anna Verdi",
        ),
        (replies.colleague("luca", "", ColleagueState.OFFLINE, ""), "242 luca - offline"),
        (replies.COLLEAGUES_END, "242 END"),
        (replies.colleague_gone("luca"), "243 luca"),
        (replies.pause_reasons(["Lunch break", "Training"]), "230 Lunch break\n230 Training\n230 END"),
        (replies.operator("mario", "PJSIP/201", "Mario Rossi"), "240 mario PJSIP/201 Mario Rossi"),
        (replies.operator("mario", "", ""), "240 mario -"),
        (replies.PAUSE_DONE, "300 OK"),
        (replies.PAUSE_PENDING, "301 PAUSE PENDING"),
        (replies.pause_refused("refused"), "302 KO refused"),
        (replies.pause_state(True, "Lunch"), "310 IN Lunch"),
        (replies.pause_state(True), "310 IN"),
        (replies.pause_state(False), "310 OUT"),
        (replies.LOGGED_OUT, "900 OK"),
        (replies.PBX_DOWN, "901 PBX DOWN"),
        (replies.PBX_UP, "902 PBX UP"),
        (replies.bye(ByeReason.SHUTDOWN, "the server stops"), "910 BYE SHUTDOWN the server stops"),
    ],
)
def test_a_line_of_the_server_is_what_the_protocol_says(line: bytes, expected: str) -> None:
    assert line == expected.encode() + b"\n"


def test_a_text_from_elsewhere_cannot_begin_another_line() -> None:
    assert replies.refused("no\r\n100 OK") == b"101 KO no  100 OK\n"

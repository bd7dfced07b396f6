"""What the configuration does wrong, seeded into a recorded call of each dialect, is what is named first."""

from __future__ import annotations

import pytest

from astcti_server.explain.explanations import Explanation
from schemas.configuration.model import Binding, Service, Trigger
from schemas.explanation.codes import Verdict
from schemas.explanation.words import told_at
from tests.server.explain.conftest import QUEUE_CALLS, calls_of, demo, office, transcript

PAGE = "https://crm.example/"


@pytest.fixture(params=QUEUE_CALLS, name="recording")
def _recording(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def answer(recording: str, *services: Service, what: str = "201", recorded: bytes = b"") -> Explanation:
    configuration = office(*services, technology=QUEUE_CALLS[recording])
    return calls_of(recorded or transcript(recording), configuration).explain(what)[0]


def test_a_pop_up_is_said_with_phone_operator_service_and_moment(recording: str) -> None:
    found = answer(recording, demo())
    phone = f"{QUEUE_CALLS[recording]}/201"
    assert found.verdict.code == Verdict.POPPED_UP
    assert found.verdict.arguments == (phone, "mario", "Demo", "answer")
    assert told_at(found.verdict).endswith(
        f"popped up at {phone} for mario: service Demo, when it was answered."
    )
    assert found.odd == ()


@pytest.mark.parametrize(
    ("services", "verdict", "arguments"),
    [
        ((demo(enabled=False),), Verdict.SERVICE_DISABLED, ("Demo",)),
        ((demo(operators=(Binding("luisa"),)),), Verdict.NOT_BOUND, ("mario", "Demo")),
        ((demo(triggers=()),), Verdict.NO_TRIGGER, ("Demo",)),
        (
            (demo(triggers=(Trigger("browser", on="hangup", url=PAGE),)), demo(name="B", queue_name="b")),
            Verdict.POPPED_UP,
            None,
        ),
        ((demo(queue_name="Äastcti"),), Verdict.NO_SERVICE, None),
        ((demo(queue_name="astcti2"),), Verdict.NEARLY_A_SERVICE, ("astcti", "astcti2", "tail")),
        ((demo(queue_name="ast cti"),), Verdict.NEARLY_A_SERVICE, ("astcti", "ast cti", "blank")),
        (
            (demo(context="Astctidemo", is_queue=False),),
            Verdict.NEARLY_A_SERVICE,
            ("astctidemo", "Astctidemo", "case"),
        ),
        (
            (demo(context="astctidemo ", is_queue=False),),
            Verdict.NEARLY_A_SERVICE,
            ("astctidemo", "astctidemo ", "blank"),
        ),
        (
            (demo(context="astctidemo-2", is_queue=False),),
            Verdict.NEARLY_A_SERVICE,
            ("astctidemo", "astctidemo-2", "tail"),
        ),
        ((demo(type="outbound", is_queue=False),), Verdict.OUTBOUND_AT_CALLED_END, ("Demo",)),
    ],
)
def test_what_is_wrong_with_the_service_is_named_first(
    recording: str, services: tuple[Service, ...], verdict: Verdict, arguments: tuple[str, ...] | None
) -> None:
    found = answer(recording, *services)
    assert found.verdict.code == verdict, told_at(found.verdict)
    if arguments is not None:
        assert found.verdict.arguments == arguments


def test_without_any_service_what_the_caller_went_through_is_listed(recording: str) -> None:
    found = answer(recording)
    assert found.verdict.code == Verdict.NO_SERVICE
    contexts, queues = found.verdict.arguments
    assert "astctidemo" in contexts.split(",")
    assert queues == "astcti"


def test_a_trigger_for_the_ring_alone_pops_up_then(recording: str) -> None:
    found = answer(recording, demo(triggers=(Trigger("browser", on="ring", url=PAGE),)))
    assert found.verdict.code == Verdict.POPPED_UP
    assert found.verdict.arguments[3] == "ring"
    assert [line.code for line in found.odd] == [Verdict.OTHER_MOMENT]
    assert found.odd[0].arguments == ("Demo", "ring")


def test_a_trigger_for_one_system_is_odd(recording: str) -> None:
    found = answer(recording, demo(triggers=(Trigger("browser", os="windows", url=PAGE),)))
    assert found.verdict.code == Verdict.POPPED_UP
    assert [(line.code, line.arguments) for line in found.odd] == [
        (Verdict.OTHER_SYSTEM, ("Demo", "windows"))
    ]
    assert "Windows" in told_at(found.odd[0])


@pytest.mark.parametrize(
    ("variable", "odd", "arguments"),
    [
        ("ticket", Verdict.VARIABLE_NEVER_SET, ("ticket",)),
        ("CallData", Verdict.VARIABLE_OTHER_NAME, ("CallData", "calldata")),
    ],
)
def test_a_variable_that_the_trigger_lacks_is_named(
    recording: str, variable: str, odd: Verdict, arguments: tuple[str, ...]
) -> None:
    trigger = Trigger("browser", url=f"{PAGE}?id={{{variable}}}")
    found = answer(recording, demo(variables=(variable,), triggers=(trigger,)))
    assert found.verdict.code == Verdict.POPPED_UP
    assert (found.odd[0].code, found.odd[0].arguments) == (odd, arguments)


def test_a_variable_that_only_another_service_declares_is_named(recording: str) -> None:
    other = demo(name="Other", queue_name="other")
    found = answer(recording, demo(variables=()), other)
    assert (found.odd[0].code, found.odd[0].arguments) == (
        Verdict.VARIABLE_OF_ANOTHER_SERVICE,
        ("calldata", "Other"),
    )


def test_a_phone_that_is_nearly_a_seat_is_named_with_the_seat(recording: str) -> None:
    technology = QUEUE_CALLS[recording]
    other = {"PJSIP": "SIP", "SIP": "PJSIP"}[technology]
    configuration = office(demo(), technology=other)
    for what in (f"{technology}/201", number_of_the_caller(recording)):
        found = calls_of(transcript(recording), configuration).explain(what)[0]
        assert found.verdict.code == Verdict.PHONE_NEARLY_A_SEAT
        assert found.verdict.arguments[1].startswith(f"{other}/20")


def test_a_phone_that_is_no_seat_is_named(recording: str) -> None:
    technology = QUEUE_CALLS[recording]
    configuration = office(demo(), extensions=(f"{technology}/7", f"{technology}/8", f"{technology}/9"))
    found = calls_of(transcript(recording), configuration).explain(number_of_the_caller(recording))[0]
    assert (found.verdict.code, found.verdict.arguments) == (Verdict.PHONE_IS_NO_SEAT, (f"{technology}/201",))


def test_events_of_the_dialplan_that_never_come_are_the_cause(recording: str) -> None:
    blocks = transcript(recording).split(b"\r\n\r\n")
    silent = b"\r\n\r\n".join(
        block for block in blocks if not block.startswith((b"Event: VarSet", b"Event: Newexten"))
    )
    found = answer(recording, demo(context="elsewhere", is_queue=False), recorded=silent)
    assert found.verdict.code == Verdict.NO_DIALPLAN_EVENTS
    found = answer(recording, demo(), recorded=silent)
    assert found.verdict.code == Verdict.POPPED_UP
    assert found.odd[0].code == Verdict.NO_DIALPLAN_EVENTS


def test_where_what_asterisk_sent_is_not_kept_the_answer_says_so(recording: str) -> None:
    configuration = office(technology=QUEUE_CALLS[recording])
    found = calls_of(transcript(recording), configuration, kept=False).explain("201")[0]
    assert found.verdict.code == Verdict.NO_SERVICE
    assert found.odd[-1].code == Verdict.BYTES_NOT_KEPT


def test_an_inbound_service_does_not_pop_up_at_the_end_that_called(recording: str) -> None:
    technology = QUEUE_CALLS[recording]
    caller = "200" if recording.startswith("old") else "caller"
    configuration = office(
        demo(), extensions=(f"{technology}/{caller}", f"{technology}/8", f"{technology}/9")
    )
    found = calls_of(transcript(recording), configuration).explain("mario")[0]
    assert (found.verdict.code, found.verdict.arguments) == (Verdict.INBOUND_AT_CALLING_END, ("Demo",))


def number_of_the_caller(recording: str) -> str:
    configuration = office(demo(), technology=QUEUE_CALLS[recording])
    story = calls_of(transcript(recording), configuration).explain("201")[0].story
    return next(line.arguments[0] for line in story if line.code == "began")

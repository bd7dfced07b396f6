"""Green if and only if a call can reach this agent, and one sentence for why it cannot."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from astcti_client.net.messages import ConnectionState, Ending, OperatorFound, Phase
from astcti_client.ui.state.receiving import JOIN_TIME, Obstacle, ObstacleKind, obstacle
from astcti_client.ui.state.seat_model import SeatModel
from astcti_client.ui.state.seat_state import Pause, SeatQueue
from astcti_client.ui.text.obstacles import obstacle_text, tray_text
from tests.client.ui.tools.model_driver import hear_reply

UP = ConnectionState("up", "")
JOINED, LEFT = SeatQueue("astcti", "joined"), SeatQueue("sales", "left")
REFUSED = SeatQueue("vip", "refused", "no such queue")

PHASES: tuple[Phase, ...] = ("connecting", "logging-in", "up", "up", "up", "waiting")
ENDINGS: tuple[Ending, ...] = ("stopped", "taken-over", "disabled", "refused", "unencrypted", "failed")
connections = st.one_of(
    st.sampled_from(PHASES).map(lambda phase: ConnectionState(phase, "", retry_in=1.0)),
    st.sampled_from(ENDINGS).map(lambda ending: ConnectionState("ended", "", ending=ending)),
)
states = st.fixed_dictionaries(
    {
        "pbx_up": st.booleans(),
        "extension": st.sampled_from(["", "PJSIP/201"]),
        "pause": st.builds(
            Pause,
            st.sampled_from(["out", "out", "requested", "in", "leaving"]),
            st.sampled_from(["", "Lunch"]),
        ),
        "queues": st.lists(st.sampled_from([JOINED, LEFT, REFUSED]), max_size=3),
        "joining": st.booleans(),
    }
)


@hypothesis_settings(max_examples=400, deadline=None)
@given(connections, states)
def test_there_is_no_obstacle_if_and_only_if_a_call_can_come(
    connection: ConnectionState, state: dict[str, Any]
) -> None:
    asterisk_calls = JOINED in state["queues"] and state["pause"].phase in ("out", "requested")
    can_come = connection.phase == "up" and state["pbx_up"] and asterisk_calls
    found = obstacle(connection, **state)
    assert (found is None) == can_come
    if found is not None:
        assert obstacle_text(found).startswith("Not receiving calls: ")


happenings = st.lists(
    st.one_of(
        connections,
        st.just(OperatorFound("mario", "PJSIP/201", "Mario")),
        st.sampled_from(
            [
                "200 astcti",
                "210 astcti",
                "211 KO astcti no such queue",
                "310 IN Lunch",
                "310 OUT",
                "300 OK",
                "302 KO no",
                "901 PBX DOWN",
                "902 PBX UP",
                "ask pause",
                "ask return",
            ]
        ),
        st.sampled_from([0.5, JOIN_TIME]),
    ),
    max_size=30,
)


@hypothesis_settings(max_examples=300, deadline=None)
@given(happenings)
def test_whatever_happens_the_tray_is_green_if_and_only_if_a_call_can_come(happened: list[Any]) -> None:
    now = [100.0]
    model = SeatModel(lambda: now[0])
    for one in happened:
        match one:
            case float():
                now[0] += one
            case "ask pause":
                model.pause_requested("Lunch")
            case "ask return":
                model.return_requested()
            case str():
                hear_reply(model, one)
            case _:
                model.hear(one)
        can_come = (
            model.up
            and model.pbx_up
            and model.pause.phase in ("out", "requested")
            and "joined" in {queue.state for queue in model.queues.values()}
        )
        assert (model.tray_state == "available") == can_come == (model.obstacle is None)
        assert ("Not receiving calls: " in tray_text(model)) != can_come


@pytest.mark.parametrize(
    ("connection", "change", "kind", "sentence"),
    [
        (ConnectionState("connecting", ""), {}, "connecting", "connecting to the server"),
        (ConnectionState("logging-in", ""), {}, "logging-in", "logging in"),
        (ConnectionState("waiting", ""), {}, "connection-lost", "no connection to the server"),
        (
            ConnectionState("ended", "", ending="taken-over"),
            {},
            "taken-over",
            "somebody else logged in as you or at your seat",
        ),
        (ConnectionState("ended", "", ending="disabled"), {}, "disabled", "the server logged you out"),
        (ConnectionState("ended", "", ending="refused"), {}, "logged-out", "not logged in"),
        (UP, {"pbx_up": False}, "pbx-down", "the telephone system is not available"),
        (UP, {"pause": Pause("in", "Lunch")}, "paused", "in pause (Lunch)"),
        (UP, {"pause": Pause("in")}, "paused", "in pause"),
        (UP, {"pause": Pause("leaving", "Lunch")}, "coming-back", "still in pause (Lunch)"),
        (UP, {"queues": [], "extension": ""}, "seat-unknown", "the server does not know this PC"),
        (UP, {"queues": [], "joining": True}, "joining", "joining the queues"),
        (UP, {"queues": []}, "no-queue", "you have no queue"),
        (UP, {"queues": [LEFT]}, "queues-left", "you are in none of your queues"),
        (UP, {"queues": [LEFT, REFUSED]}, "queues-refuse", "your queues cannot be joined (no such queue)"),
    ],
)
def test_each_obstacle_has_its_sentence(
    connection: ConnectionState, change: dict[str, Any], kind: ObstacleKind, sentence: str
) -> None:
    well: dict[str, Any] = {
        "pbx_up": True,
        "extension": "PJSIP/201",
        "pause": Pause(),
        "queues": [JOINED],
        "joining": False,
    }
    assert obstacle(UP, **well) is None
    found = obstacle(connection, **{**well, **change})
    assert found is not None
    assert found.kind == kind
    assert obstacle_text(found) == f"Not receiving calls: {sentence}"


def test_a_queue_that_refuses_among_others_is_no_obstacle() -> None:
    assert (
        obstacle(
            UP, pbx_up=True, extension="PJSIP/201", pause=Pause(), queues=[REFUSED, JOINED], joining=False
        )
        is None
    )


def test_a_strangers_reason_is_made_harmless() -> None:
    text = obstacle_text(Obstacle("paused", "Lunch\u202e\n" + "x" * 500))
    assert "\u202e" not in text and "\n" not in text
    assert len(text) < 120

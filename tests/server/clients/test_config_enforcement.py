"""A new configuration: who is concerned hears of it, and nobody else."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import pytest

from astcti_server.clients import config_enforcement
from schemas.configuration.model import Binding, Configuration, Trigger
from tests.fake.line_client import LineClient, md5
from tests.fake.listening_server import ANNA, CONFIGURATION, LUCA, MARIO, SEAT_1, SEAT_2, ListeningServer

OTHERS = (ANNA, LUCA)
FIRST, SECOND, THIRD = CONFIGURATION.seats
DEMO, OUTSIDE, CLOSED, OTHER = CONFIGURATION.services


def reload(server: ListeningServer, **parts: object) -> None:
    old = server.requests.in_force
    new = dataclasses.replace(CONFIGURATION, **parts)  # type: ignore[arg-type]
    server.requests.in_force = new
    config_enforcement.apply(server.registry, old, new)


def told(client: LineClient) -> list[str]:
    """What the client hears of a reload, if it goes on, before its NOOP is answered."""
    client.say("NOOP")
    lines = []
    while (line := client.hear()) not in ("100 OK", ""):
        lines.append(line)
    return lines if line else [*lines, "closed"]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"operators": OTHERS}, "910 BYE DISABLED this operator was removed"),
        (
            {"operators": (replace(MARIO, enabled=False), *OTHERS)},
            "910 BYE DISABLED this operator was disabled",
        ),
        (
            {"operators": (replace(MARIO, password=f"md5:{md5('new')}"), *OTHERS)},
            "910 BYE CONFIG the password changed",
        ),
        (
            {"operators": (replace(MARIO, seat=SEAT_2), *OTHERS)},
            "910 BYE CONFIG the operator has another seat",
        ),
        (
            {"seats": (SECOND, THIRD), "operators": (replace(MARIO, seat=""), *OTHERS)},
            "910 BYE CONFIG the seat was removed",
        ),
        (
            {"seats": (replace(FIRST, extension="PJSIP/299"), SECOND, THIRD)},
            "910 BYE CONFIG the seat has another extension",
        ),
        (
            {"seats": (replace(FIRST, queue_interface="Local/201@agents/n"), SECOND, THIRD)},
            "910 BYE CONFIG the seat has another queue interface",
        ),
        (
            {"seats": (replace(FIRST, address="192.0.2.1"), SECOND, THIRD)},
            "910 BYE CONFIG the seat has another address",
        ),
    ],
)
def test_a_session_whose_operator_or_seat_changed_is_ended_and_nobody_elses(
    parts: dict[str, object], expected: str
) -> None:
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        session_id = server.requests.arrival_of("mario").session_id
        assert told(anna) == told(mario) == []
        reload(server, **parts)
        assert mario.hear_all() == [expected]
        assert server.requests.next_departure() == (session_id, True)
        assert told(anna) == []


def test_an_operator_who_is_at_no_seat_is_ended_by_a_changed_password_alone() -> None:
    with ListeningServer() as server, server.client() as anna:
        assert anna.log_in("anna", "verde") == "102 OK"
        reload(server, seats=(FIRST, THIRD))
        assert told(anna) == []
        reload(server, operators=(MARIO, LUCA, replace(ANNA, password=f"md5:{md5('new')}")))
        assert anna.hear_all() == ["910 BYE CONFIG the password changed"]


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"operators": (replace(MARIO, full_name="M. Rossi", begin_in_pause=True, seat=""), ANNA)},
        {"operators": (MARIO, replace(ANNA, seat=SEAT_2))},
        {"seats": (replace(FIRST, description="window", address="127.0.0.1"), SECOND)},
        {"services": (replace(DEMO, triggers=(Trigger("browser", url="https://x/"),)), OUTSIDE, OTHER)},
        {"services": (replace(DEMO, variables=("calldata",)), OUTSIDE, CLOSED, OTHER)},
        {"services": (replace(DEMO, operators=(Binding("mario", 7), Binding("anna", 2))), OUTSIDE, OTHER)},
        {"pause_reasons": ("Coffee",)},
    ],
)
def test_who_is_not_concerned_notices_nothing(parts: dict[str, object]) -> None:
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        assert told(mario) == told(anna) == []
        reload(server, **parts)
        assert told(mario) == told(anna) == []
        assert server.registry.seated_operators == {"PJSIP/201": "mario", "SIP/202": "anna"}


@pytest.mark.parametrize(
    "services",
    [
        (DEMO, OTHER),
        (DEMO, replace(OUTSIDE, name="City line"), OTHER),
        (DEMO, replace(OUTSIDE, enabled=False), OTHER),
        (DEMO, OUTSIDE, replace(CLOSED, enabled=True), OTHER),
        (DEMO, replace(OUTSIDE, operators=()), OTHER),
    ],
)
def test_those_whose_services_changed_are_told_to_look_again(services: tuple[object, ...]) -> None:
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        assert told(mario) == told(anna) == []
        reload(server, services=services)
        assert told(mario) == ["221 SERVICES"]
        assert told(anna) == []


def test_those_whose_transfers_are_concerned_are_told_to_look_again() -> None:
    """An outbound service of somebody else takes the context of an own inbound one."""
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        assert told(mario) == told(anna) == []
        demo = replace(DEMO, operators=(Binding("mario", 1),))
        reload(server, services=(demo, OUTSIDE, CLOSED, OTHER))
        assert (told(mario), told(anna)) == ([], ["221 SERVICES"])
        before = server.requests.in_force
        services = (demo, OUTSIDE, CLOSED, replace(OTHER, context="astctidemo"))
        server.requests.in_force = replace(before, services=services)
        config_enforcement.apply(server.registry, before, server.requests.in_force)
        assert (told(mario), told(anna)) == (["221 SERVICES"], ["221 SERVICES"])


def test_other_contexts_for_transfers_in_the_settings_are_told_to_everybody() -> None:
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        assert told(mario) == told(anna) == []
        in_force = server.requests.in_force
        config_enforcement.apply(server.registry, in_force, in_force, transfer_changed=True)
        assert told(mario) == told(anna) == ["221 SERVICES"]


def test_changes_add_up_over_several_reloads() -> None:
    with ListeningServer() as server, server.seated() as mario:
        assert told(mario) == []
        reload(server, operators=(replace(MARIO, full_name="M. Rossi"),))
        assert told(mario) == []
        reload(server, operators=(replace(MARIO, password=f"md5:{md5('new')}"),))
        assert mario.hear_all() == ["910 BYE CONFIG the password changed"]


def test_an_operator_without_a_seat_who_gets_one_has_to_log_in_again() -> None:
    with ListeningServer() as server, server.seated("anna", "verde") as anna:
        assert told(anna) == []
        reload(server, operators=(MARIO, replace(ANNA, seat=SEAT_1)))
        assert anna.hear_all() == ["910 BYE CONFIG the operator has another seat"]


def test_a_client_that_is_not_logged_in_yet_is_left_alone() -> None:
    with ListeningServer() as server, server.client() as client:
        assert client.hear() == "100 WELCOME"
        old, server.requests.in_force = server.requests.in_force, Configuration()
        config_enforcement.apply(server.registry, old, Configuration())
        assert client.ask("NOOP") == "100 OK"

"""The running server says why, on its control socket and to clients, as a replay of the same bytes does."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from astcti_client.ui.state import seat_call
from astcti_client.ui.state.verdicts import own_verdict
from schemas.configuration.model import Binding, Configuration, Operator
from schemas.explanation.codes import Verdict
from schemas.explanation.lines import ExplanationLine, decode
from tests.fake.patience import PATIENCE
from tests.fake.running_server import RunningServer, SeatClient
from tests.server.explain.conftest import QUEUE_CALLS, RECORDINGS, PlayedRecording, demo, office

CONNECTED = {"22-queue-ringall": b"Event: BridgeEnter", "16-queue-ringall": b"Event: BridgeEnter"}
"""The event at which the phone and its caller come to hear each other; the first of them is not enough."""


@pytest.fixture(params=QUEUE_CALLS, name="recording")
def _recording(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(name="asterisk")
def _asterisk(recording: str) -> Iterator[PlayedRecording]:
    with PlayedRecording(recording) as asterisk:
        yield asterisk


@pytest.fixture(name="server")
def _server(recording: str, asterisk: PlayedRecording, tmp_path: Path) -> Iterator[RunningServer]:
    everybody_bound = demo(operators=tuple(map(Binding, ("mario", "luisa", "anna", "nadia"))))
    configuration = office(everybody_bound, technology=QUEUE_CALLS[recording])
    nadia = Operator("nadia", "Nadia", configuration.operators[0].password)
    everybody = replace(configuration, operators=(*configuration.operators, nadia))
    with RunningServer(tmp_path, asterisk.port, everybody, secret="secret") as server:
        server.wait_for_log("Logged in to Asterisk")
        yield server


def run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "astcti_server", *arguments], capture_output=True, text=True, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def explain(server: RunningServer, *what: str) -> list[dict[str, Any]]:
    status = ("--status", str(server.status_file))
    found: list[dict[str, Any]] = json.loads(run(*status, "explain", "--json", *what))["calls"]
    return found


def explained_once(server: RunningServer, what: str, *, but: str = Verdict.NO_CALL) -> dict[str, Any]:
    """The first answer that is not this one: what was sent is being read."""
    deadline = time.monotonic() + PATIENCE
    while (answer := explain(server, what)[0])["verdict"]["code"] == but:
        assert time.monotonic() < deadline, answer
        time.sleep(0.05)
    return answer


def why(client: SeatClient, uniqueid: str) -> list[ExplanationLine]:
    client.say(f"WHY {uniqueid}")
    lines = []
    while (line := client.expect("250")) != "250 END":
        lines.append(decode(line.removeprefix("250 ")))
    return lines


def codes(lines: list[ExplanationLine]) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.code, line.arguments) for line in lines]


def codes_in(answer: dict[str, Any], *parts: str) -> list[tuple[str, tuple[str, ...]]]:
    entries = [answer["verdict"], *(entry for part in parts for entry in answer[part])]
    return [(entry["code"], tuple(entry["arguments"])) for entry in entries]


def test_everybody_who_is_asked_gives_the_same_answer(
    recording: str, server: RunningServer, asterisk: PlayedRecording, tmp_path: Path
) -> None:
    with server.client("mario") as mario, server.client("luisa") as luisa:
        asterisk.play()
        uniqueid = mario.event("Hangup").call.uniqueid
        told = why(mario, uniqueid)
        by_id, by_phone = explain(server, uniqueid), explain(server, "mario")
        trace = str(RECORDINGS / f"{recording}.ami")
        replayed = json.loads(
            run("replay", "--config", str(server.config), "--explain", "--json", trace, uniqueid)
        )["calls"]
        luisa.say(f"WHY {uniqueid}")
        assert luisa.expect("101") == "101 KO no call of yours that is known, or not known any more"
        if "ringall" in recording:
            lost = next(event for event in luisa.events if event.id == "Hangup").call.uniqueid
            assert codes(why(luisa, lost))[0] == (
                Verdict.ANSWERED_ELSEWHERE,
                (f"{QUEUE_CALLS[recording]}/201",),
            )
    assert told[0].code == Verdict.POPPED_UP
    assert codes(told) == codes_in(by_id[0], "story", "odd") == codes_in(by_phone[0], "story", "odd")
    assert codes_in(replayed[0], "odd") == codes_in(by_id[0], "odd")
    of_the_call = [code for code in codes_in(by_id[0], "story") if code[0] not in ("logged-in", "link-up")]
    assert codes_in(replayed[0], "story") == of_the_call
    assert codes([history_of(mario)]) == codes(told[:1])


def history_of(client: SeatClient) -> ExplanationLine:
    """What the client's history says of the call whose events it heard."""
    events = [event for event in client.events if seat_call.is_of_a_call(event)]
    call = seat_call.begin(events[0], 0.0)
    for event in events:
        call = seat_call.follow(call, event, 0.0)
    phone = events[0].call.channel.rpartition("-")[0]
    return decode(own_verdict(call, phone, "mario", triggers=True, now=0.0, wall=1.0))


def test_it_is_said_in_words_too(recording: str, server: RunningServer, asterisk: PlayedRecording) -> None:
    with server.client("mario") as mario:
        asterisk.play()
        mario.event("Hangup")
        shown = run("--status", str(server.status_file), "explain", "last")
    phone = f"{QUEUE_CALLS[recording]}/201"
    assert f"It popped up at {phone} for mario: service Demo, when it was answered." in shown.splitlines()[0]
    assert "joined the queue astcti" in shown


def test_nobody_logged_in(server: RunningServer, asterisk: PlayedRecording) -> None:
    asterisk.play()
    assert explained_once(server, "201")["verdict"]["code"] == Verdict.NOBODY_LOGGED_IN


def test_somebody_logged_in_without_a_seat(server: RunningServer, asterisk: PlayedRecording) -> None:
    with server.client("nadia") as nadia:
        nadia.settle()
        asterisk.play()
        answer = explained_once(server, "201")
        assert answer["verdict"]["code"] == Verdict.LOGGED_IN_WITHOUT_SEAT
        assert answer["verdict"]["arguments"][1] == "nadia"


def test_another_session_took_over(recording: str, server: RunningServer, asterisk: PlayedRecording) -> None:
    with server.client("mario") as first:
        asterisk.play(until=CONNECTED.get(recording, b"Event: Link"))
        explained_once(server, "201")
        mac = office(technology=QUEUE_CALLS[recording]).seats[0].mac
        with server.client("nadia", mac=mac) as second:
            first.expect("910 BYE TAKEOVER")
            asterisk.play()
            second.event("Link")
            assert explain(server, "mario")[0]["verdict"]["code"] == Verdict.TAKEN_OVER
            assert explain(server, "mario")[0]["verdict"]["arguments"] == ["mario", "nadia"]


def test_the_client_was_lost_while_the_phone_rang(
    recording: str, server: RunningServer, asterisk: PlayedRecording
) -> None:
    client = server.client("mario")
    asterisk.play(until=CONNECTED.get(recording, b"Event: Link"))
    explained_once(server, "201")
    client.reset()
    server.wait_for_log("mario at")
    asterisk.play()
    answer = explained_once(server, "201", but=Verdict.NOT_YET)
    assert answer["verdict"]["code"] == Verdict.CLIENT_LOST, answer


def test_the_link_to_asterisk_was_down(server: RunningServer, asterisk: PlayedRecording) -> None:
    asterisk.asterisk.drop()
    server.wait_for_log("Logged in to Asterisk", 2)
    answer = explained_once(server, "3331234567")
    assert answer["verdict"]["code"] == Verdict.PBX_DOWN


def test_the_configuration_changed_during_the_call(
    recording: str, server: RunningServer, asterisk: PlayedRecording
) -> None:
    without = office(demo(queue_name="other"), technology=QUEUE_CALLS[recording])
    server.configure(without)
    server.wait_for_log("is in force", 2)
    with server.client("mario") as mario:
        mario.settle()
        asterisk.play(until=CONNECTED.get(recording, b"Event: Link"))
        explained_once(server, "201")
        server.configure(Configuration(without.services, without.seats, without.operators, ("Lunch",)))
        server.wait_for_log("is in force", 3)
        asterisk.play()
        answer = explained_once(server, "201", but=Verdict.NOT_YET)
        assert Verdict.CONFIGURATION_CHANGED in {line["code"] for line in answer["odd"]}

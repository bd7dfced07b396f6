"""Who is where: one session for an operator, one for a seat, the later one wins."""

from __future__ import annotations

from typing import cast

import pytest

from astcti_server.clients.registry import Registry
from astcti_server.clients.session import Session


class Recorded:
    """As much of a session as the registry sees."""

    def __init__(self, username: str, extension: str = "") -> None:
        self.id = 0
        self.username = username
        self.extension = extension
        self.ending = "connection lost"
        self.heard: list[bytes] = []

    def numbered(self, session_id: int) -> None:
        self.id = session_id

    def announce(self, line: bytes) -> bool:
        self.heard.append(line)
        return True


def session(username: str, extension: str = "") -> Session:
    return cast(Session, Recorded(username, extension))


def heard(one: Session) -> list[bytes]:
    return cast(Recorded, one).heard


def test_a_session_is_found_by_id_extension_and_operator() -> None:
    registry, mario = Registry(), session("mario", "PJSIP/201")
    assert registry.take(mario) == []
    assert registry.with_id(mario.id) is mario
    assert registry.at_extension("PJSIP/201") is mario
    assert registry.at_extension("PJSIP/202") is None
    assert registry.sessions() == [mario]
    assert registry.count == 1
    assert registry.seated_operators == {"PJSIP/201": "mario"}


def test_the_later_session_of_an_operator_displaces_the_earlier_one_with_its_seat() -> None:
    registry = Registry()
    old, new = session("mario", "PJSIP/201"), session("mario", "PJSIP/202")
    registry.take(old)
    assert registry.take(new) == [old]
    assert registry.seated_operators == {"PJSIP/202": "mario"}
    assert new.id > old.id
    assert not registry.drop(old)
    assert registry.sessions() == [new]


def test_the_later_session_at_a_seat_displaces_the_earlier_one_and_its_operator() -> None:
    registry = Registry()
    mario, anna = session("mario", "PJSIP/201"), session("anna", "PJSIP/201")
    registry.take(mario)
    assert registry.take(anna) == [mario]
    assert registry.sessions() == [anna]
    assert registry.seated_operators == {"PJSIP/201": "anna"}


def test_one_login_can_displace_two_sessions() -> None:
    registry = Registry()
    mario, anna = session("mario", "PJSIP/201"), session("anna", "PJSIP/202")
    registry.take(mario)
    registry.take(anna)
    new = session("mario", "PJSIP/202")
    assert set(registry.take(new)) == {mario, anna}
    assert registry.sessions() == [new]


def test_the_seat_may_become_known_later() -> None:
    registry, anna = Registry(), session("anna")
    registry.take(anna)
    first = anna.id
    assert registry.seated_operators == {}
    anna.extension = "SIP/202"
    assert registry.take(anna) == []
    assert anna.id > first
    assert registry.with_id(first) is None
    assert registry.seated_operators == {"SIP/202": "anna"}
    assert registry.count == 1


def test_the_attendance_that_somebody_holds_does_not_change_under_his_eyes() -> None:
    registry, mario = Registry(), session("mario", "PJSIP/201")
    before = registry.seated_operators
    registry.take(mario)
    assert before == {}
    with pytest.raises(TypeError):
        registry.seated_operators["PJSIP/201"] = "anna"  # type: ignore[index]
    during = registry.seated_operators
    assert registry.drop(mario)
    assert not registry.drop(mario)
    assert (during, registry.seated_operators) == ({"PJSIP/201": "mario"}, {})


def test_lines_are_announced_to_a_session_or_to_everyone() -> None:
    registry = Registry()
    mario, anna = session("mario", "PJSIP/201"), session("anna")
    registry.take(mario)
    registry.take(anna)
    assert registry.send_to_session(anna.id, b"2\n")
    registry.broadcast(b"3\n")
    assert not registry.send_to_session(999, b"5\n")
    assert (heard(mario), heard(anna)) == ([b"3\n"], [b"2\n", b"3\n"])

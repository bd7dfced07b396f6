"""Who is let in, who makes room, and how it is counted."""

from __future__ import annotations

import socket

import pytest

from astcti_server.clients.admission import MOST_LEAVING, Admission, NotAdmitted
from astcti_server.clients.session import Session
from astcti_server.clients.transport import PlainTransport
from schemas.configuration.model import Operator
from schemas.server.settings import ClientSettings


class Entrance:
    """An admission, and what becomes of the sessions of those who were let in."""

    def __init__(self, descriptors: int = 1000, **limits: int) -> None:
        self.admission = Admission(lambda: ClientSettings(**limits), descriptors)
        self.sessions: list[Session] = []

    def come(self, address: str, *, username: str = "") -> Session:
        """A client comes, and logs in if it has a name."""
        place = self.admission.admit(address)
        session = Session(f"client-{len(self.sessions)}", PlainTransport(socket.socket()), address, 100)
        if username:
            session.logged_in(Operator(username, "", ""), None)
        self.admission.begin(place, session)
        self.sessions.append(session)
        return session

    def close(self) -> None:
        for session in self.sessions:
            session.finish()


@pytest.fixture
def entrance() -> Entrance:
    return Entrance(max=30, max_per_address=10)


def test_the_oldest_of_the_address_that_has_most_makes_room(entrance: Entrance) -> None:
    first = entrance.come("192.0.2.100")
    floods = [[entrance.come(f"192.0.2.{number}") for _ in range(10)] for number in (1, 2)]
    third = [entrance.come("192.0.2.3") for _ in range(9)]
    entrance.come("192.0.2.200")
    assert floods[0][0].ending == "too many clients, and it had not logged in"
    entrance.come("192.0.2.201")
    assert floods[1][0].ending
    assert not any(session.ending for session in (first, *floods[0][1:], *floods[1][1:], *third))
    entrance.close()


def test_who_is_logged_in_never_makes_room(entrance: Entrance) -> None:
    operators = [entrance.come(f"192.0.2.{number}", username=f"agent{number}") for number in range(29)]
    idle = entrance.come("192.0.2.1")
    late = entrance.come("192.0.2.100", username="mario")
    assert idle.ending and not late.ending
    with pytest.raises(NotAdmitted):
        entrance.come("192.0.2.101")
    assert not any(session.ending for session in operators)
    entrance.close()


def test_an_ipv6_network_counts_as_one_address(entrance: Entrance) -> None:
    idle = [entrance.come(f"2001:db8::{number}") for number in range(1, 11)]
    entrance.come("2001:db8::ffff")
    assert idle[0].ending == "too many clients from your address, and it had not logged in"
    entrance.come("::ffff:192.0.2.1")
    assert not idle[1].ending
    entrance.close()


def test_who_was_pushed_out_and_is_not_gone_yet_is_bounded() -> None:
    entrance = Entrance(max=5, max_per_address=5)
    for _ in range(5 + MOST_LEAVING):
        entrance.come("192.0.2.1")
    with pytest.raises(NotAdmitted, match="too many clients from your address"):
        entrance.come("192.0.2.1")
    entrance.close()


def test_who_was_pushed_out_before_it_was_served_is_ended_when_it_is() -> None:
    entrance = Entrance(max=1)
    place = entrance.admission.admit("192.0.2.1")
    entrance.come("192.0.2.2")
    session = Session("client-x", PlainTransport(socket.socket()), "192.0.2.1", 100)
    entrance.admission.begin(place, session)
    assert session.ending
    entrance.admission.leave(place)
    session.finish()
    entrance.close()


def test_places_are_free_again_however_their_clients_went() -> None:
    entrance = Entrance(max=2)
    places = [entrance.admission.admit("192.0.2.1") for _ in range(3)]
    for place in places:
        entrance.admission.leave(place)
    for number in range(2):
        entrance.come("192.0.2.1", username=f"agent{number}")
    with pytest.raises(NotAdmitted, match=r"^too many clients$"):
        entrance.come("192.0.2.1")
    entrance.close()

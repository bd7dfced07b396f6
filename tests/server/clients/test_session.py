"""Writing to clients: at once where the kernel takes it, else through the outbox; nobody ever waits."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from astcti_server.calls.notification import Notification
from astcti_server.clients import session as session_module
from astcti_server.clients.registry import Registry
from astcti_server.clients.router import Router
from astcti_server.clients.session import Session
from astcti_server.clients.transport import PlainTransport
from astcti_server.clients.wake import Wake
from schemas import event_xml, wire
from schemas.configuration.model import Operator, Seat
from schemas.events import Action, Call, CallEvent, EventId
from tests.fake.fake_requests import FakeCalls, seat_logs
from tests.fake.line_client import TakingTransport
from tests.fake.listening_server import SEAT_2, ListeningServer

LONG = b"x" * 9_999 + b"\n"


class SlowTransport(TakingTransport):
    """Takes as many bytes as it is allowed to; remembers every attempt."""

    def __init__(self) -> None:
        super().__init__()
        self.here, self.there = socket.socketpair()
        self.allowed = 0
        self.attempts: list[bytes] = []
        self.error: OSError | None = None

    def fileno(self) -> int:
        return self.here.fileno()

    def send(self, data: bytes) -> int:
        if self.error:
            raise self.error
        self.attempts.append(data)
        count = super().send(data[: self.allowed])
        self.allowed -= count
        return count

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
def slow() -> Iterator[tuple[Session, SlowTransport]]:
    transport = SlowTransport()
    session = Session("client-1", transport, "127.0.0.1", 100)
    session.shake_hands()
    yield session, transport
    transport.error = OSError("over")
    transport.there.close()
    session.finish()


def test_a_line_that_the_kernel_takes_is_sent_at_once_by_whoever_sends_it(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 100
    assert session.send(b"100 OK\n")
    assert transport.taken == b"100 OK\n"
    assert not session.poll(0, 0)


def test_a_socket_that_would_wait_is_not_waited_for() -> None:
    """Whatever the mode of the socket: setting it would be a system call for each client."""
    here, there = socket.socketpair()
    transport = PlainTransport(here)
    with there:
        assert here.gettimeout() is None
        assert transport.receive() is None
        while transport.send(LONG):
            pass
        assert transport.send(LONG) == 0
        there.send(b"NOOP\n")
        assert transport.receive() == b"NOOP\n"
    transport.close()


def test_what_is_left_over_wakes_the_handler_and_goes_out_in_order(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 3
    for line in (b"100 OK\n", b"200 a\n", b"200 b\n"):
        assert session.send(line)
    transport.allowed = 100
    session.flush()
    assert transport.taken == b"100 OK\n200 a\n200 b\n"


def test_the_handler_is_woken_when_it_can_see_what_waits_and_not_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks without the lock: woken too early it would go to sleep again, and the line would stay."""
    seen: list[int] = []

    class Watching(Wake):
        __slots__ = ()

        def set(self) -> None:
            seen.append(session.unsent)
            super().set()

    monkeypatch.setattr(session_module, "Wake", Watching)
    transport = SlowTransport()
    session = Session("client-1", transport, "127.0.0.1", 100)
    session.shake_hands()
    session.send(b"100 OK\n")
    session.send(b"200 a\n")
    assert seen == [7]
    transport.allowed = 100
    session.flush()
    session.finish()


def test_bytes_that_were_not_taken_are_tried_again_exactly_as_they_were(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    for line in (b"100 OK\n", b"200 a\n"):
        session.send(line)
    session.flush()
    session.flush()
    assert transport.attempts == [b"100 OK\n"] * 3
    transport.allowed = 4
    session.flush()
    assert transport.attempts[3:] == [b"100 OK\n", b"OK\n"]


def test_a_full_outbox_ends_the_session(slow: tuple[Session, SlowTransport]) -> None:
    session, _ = slow
    assert session.send(b"x" * 99 + b"\n")
    assert not session.send(b"y\n")
    assert session.ending == "outbox overflow: 102 bytes wait"
    assert not session.send(b"z\n")
    assert not session.close("later")


def test_a_broken_connection_ends_the_session_with_the_first_reason(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.error = ConnectionResetError(104, "Connection reset by peer")
    assert not session.send(b"100 OK\n")
    assert session.ending == "connection lost: Connection reset by peer"
    assert not session.close("another reason")
    assert session.ending == "connection lost: Connection reset by peer"


def test_announcements_are_held_back_until_the_reply_before_them_is_out(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 100
    session.hold_announcements()
    session.announce(b"200 a\n")
    session.announce(b"<event/>\n")
    session.release(b"102 OK\n")
    session.announce(b"200 b\n")
    assert transport.taken == b"102 OK\n200 a\n<event/>\n200 b\n"


def test_an_awaited_reply_is_sent_once_and_only_for_its_own_ticket(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 100
    old = session.wait()
    assert session.complete(old, b"100 OK\n")
    new = session.wait()
    assert not session.complete(old, b"101 KO\n")
    assert not session.say(old, b"301\n")
    assert session.waiting
    assert session.say(new, b"301\n")
    assert session.complete(new, b"300\n")
    assert not session.waiting
    assert not session.complete(new, b"300\n")
    assert transport.taken == b"100 OK\n301\n300\n"


def test_nothing_is_sent_before_the_handshake_is_done() -> None:
    transport = SlowTransport()
    transport.allowed = 100
    session = Session("client-1", transport, "127.0.0.1", 100)
    session.close("the server stops", b"910 BYE SHUTDOWN\n")
    session.finish()
    assert transport.attempts == []


def test_a_closed_session_ignores_whoever_still_knows_it() -> None:
    here, there = socket.socketpair()
    with there:
        session = Session("client-1", PlainTransport(here), "127.0.0.1", 100)
        session.shake_hands()
        ticket = session.wait()
        session.close("quit", b"900 OK\n")
        there.shutdown(socket.SHUT_WR)
        session.finish()
        assert there.recv(100) == b"900 OK\n"
        assert not session.send(b"x\n")
        assert not session.announce(b"x\n")
        assert not session.complete(ticket, b"x\n")
        session.rouse()


def test_notifications_go_to_the_session_of_their_extension_alone() -> None:
    event = CallEvent("Link", Call("1.1", "PJSIP/201-1", calleridname="Demo\nCaller"))
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        calls = FakeCalls()
        router = Router(server.registry, calls, seat_logs(server.registry))
        router.deliver([Notification("PJSIP/201", event), Notification("SIP/999", event)])
        assert calls.undelivered == [Notification("SIP/999", event)]
        assert wire.parse_server_line(mario.hear_bytes()) == event
        assert anna.ask("NOOP") == "100 OK"


def test_notifications_of_one_moment_arrive_in_order_each_on_its_line() -> None:
    def told(event_id: EventId, extension: str) -> Notification:
        return Notification(extension, CallEvent(event_id, Call("1.1", f"{extension}-1")))

    moment = [
        told("Newstate", "PJSIP/201"),
        told("Callerid", "PJSIP/201"),
        told("Newstate", "SIP/202"),
        told("Link", "PJSIP/201"),
    ]
    with (
        ListeningServer() as server,
        server.seated() as mario,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        Router(server.registry, FakeCalls(), seat_logs(server.registry)).deliver(moment)
        heard = [wire.parse_server_line(mario.hear_bytes()) for _ in range(3)]
        assert heard == [moment[0].event, moment[1].event, moment[3].event]
        assert wire.parse_server_line(anna.hear_bytes()) == moment[2].event


def test_of_a_chunk_a_session_gets_the_first_at_once_and_the_others_in_one_piece(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 10_000
    session.logged_in(Operator("mario", "md5:x", "Mario", ""), Seat("00:11", "PJSIP/201"))
    registry = Registry()
    registry.take(session)
    router = Router(registry, FakeCalls(), seat_logs(registry))

    def tell(event_id: EventId) -> bytes:
        event = CallEvent(event_id, Call("1.1", "PJSIP/201-1"))
        router.deliver([Notification("PJSIP/201", event)])
        return event_xml.encode(event)

    router.chunk_begins()
    first = tell("Newchannel")
    assert transport.attempts == [first]
    others = tell("Newstate") + tell("Link")
    assert transport.attempts == [first]
    router.chunk_over()
    assert transport.attempts == [first, others]
    router.chunk_over()
    later = tell("Unlink")
    assert transport.attempts == [first, others, later]


@pytest.mark.parametrize("how", ["send", "announce", "complete", "close"])
def test_what_is_gathered_comes_before_every_other_line(
    slow: tuple[Session, SlowTransport], how: str
) -> None:
    session, transport = slow
    transport.allowed = 100
    ticket = session.wait()
    session.gather(b"<a>\n")
    session.gather(b"<b>\n")
    if how == "complete":
        session.complete(ticket, b"100 OK\n")
    elif how == "close":
        session.close("over", b"100 OK\n")
    else:
        getattr(session, how)(b"100 OK\n")
    session.send_gathered()
    assert transport.attempts == [b"<a>\n<b>\n100 OK\n"]


def gathering(slow: tuple[Session, SlowTransport]) -> tuple[Router, FakeCalls]:
    """A router in a chunk, whose session has got the first notification of it and waits for more."""
    session, transport = slow
    transport.allowed = 10_000
    session.logged_in(Operator("mario", "md5:x", "Mario", ""), Seat("00:11", "PJSIP/201"))
    registry = Registry()
    registry.take(session)
    calls = FakeCalls()
    router = Router(registry, calls, seat_logs(registry))
    router.chunk_begins()
    router.deliver([told_of("Newchannel")])
    router.deliver([told_of("Callerid"), told_of("Link")])
    return router, calls


def told_of(event_id: EventId) -> Notification:
    triggers = (Action("browser", url="https://crm.example/"),) if event_id == "Link" else ()
    return Notification("PJSIP/201", CallEvent(event_id, Call("1.1", "PJSIP/201-1"), "Demo", triggers))


@pytest.mark.parametrize("meanwhile", [b"100 OK\n", b""])
def test_what_was_gathered_for_a_client_that_is_lost_meanwhile_was_not_delivered(
    slow: tuple[Session, SlowTransport], meanwhile: bytes
) -> None:
    session, transport = slow
    router, calls = gathering(slow)
    transport.error = ConnectionResetError(104, "Connection reset by peer")
    if meanwhile:
        session.send(meanwhile)
    assert calls.undelivered == []
    router.chunk_over()
    assert calls.undelivered == [told_of("Callerid"), told_of("Link")]
    assert calls.written_ones == []


def test_what_was_gathered_is_known_to_be_written_once_it_is(slow: tuple[Session, SlowTransport]) -> None:
    router, calls = gathering(slow)
    assert calls.written_ones == []
    router.chunk_over()
    assert (calls.undelivered, calls.written_ones) == ([], [told_of("Link")])


def test_what_was_gathered_for_a_client_that_left_in_order_was_written(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    router, calls = gathering(slow)
    session.close("quit", b"900 OK\n")
    router.chunk_over()
    assert (calls.undelivered, calls.written_ones) == ([], [told_of("Link")])
    assert transport.taken.endswith(event_xml.encode(told_of("Link").event) + b"900 OK\n")


def test_what_is_gathered_for_a_session_that_ends_without_a_word_is_sent(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 100
    session.gather(b"<a>\n")
    session.close("closed by the client")
    session.gather(b"<b>\n")
    session.send_gathered()
    assert transport.taken == b"<a>\n"


def test_what_is_gathered_has_the_limit_of_the_outbox(slow: tuple[Session, SlowTransport]) -> None:
    """A chunk of Asterisk may say megabytes of XML to one seat: variables are told again and again."""
    session, transport = slow
    told = 0
    while session.gather(LONG):
        told += 1
        assert told < 10
    assert "outbox overflow" in session.ending
    assert len(transport.attempts[0]) < 2 * session_module.SENT_AT_ONCE


def test_what_is_gathered_before_the_login_is_over_comes_after_its_reply(
    slow: tuple[Session, SlowTransport],
) -> None:
    session, transport = slow
    transport.allowed = 100
    session.hold_announcements()
    session.gather(b"<a>\n")
    session.send_gathered()
    session.release(b"102 OK\n")
    assert transport.taken == b"102 OK\n<a>\n"


def test_a_client_that_never_reads_is_cut_and_delays_nobody(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    with (
        ListeningServer(outbox=200_000) as server,
        server.seated(receive_buffer=4096) as deaf,
        server.seated("anna", "verde", SEAT_2) as anna,
    ):
        deaf_id = server.requests.arrival_of("mario").session_id
        count = 0
        while server.registry.at_extension("PJSIP/201") and count < 100_000:
            server.announce("PJSIP/201", LONG)  # waiting for it would last for ever
            server.announce("SIP/202", f"200 {count}\n".encode())
            assert anna.hear() == f"200 {count}"
            count += 1
        assert server.requests.next_departure() == (deaf_id, False)
        assert deaf.hear().startswith("x")
    assert "outbox overflow" in caplog.text


def test_a_client_that_reads_late_gets_every_line_in_order() -> None:
    with ListeningServer(outbox=50_000_000) as server, server.seated(receive_buffer=4096) as late:
        lines = [b"%d " % number + LONG for number in range(2000)]
        for line in lines:
            assert server.announce("PJSIP/201", line)
        assert [late.hear_bytes() + b"\n" for _ in lines] == lines
        assert late.ask("NOOP") == "100 OK"


def test_lines_sent_by_many_threads_are_never_mixed() -> None:
    with ListeningServer(outbox=50_000_000) as server, server.seated(receive_buffer=4096) as client:

        def announce(letter: bytes) -> None:
            for number in range(200):
                server.announce("PJSIP/201", letter * 5000 + b"%d\n" % number)

        threads = [threading.Thread(target=announce, args=(letter,)) for letter in (b"a", b"b", b"c", b"d")]
        for thread in threads:
            thread.start()
        seen: dict[bytes, int] = {}
        for _ in range(800):
            line = client.hear_bytes()
            letter, number = line[:1], int(line[5000:])
            assert line[:5000] == letter * 5000
            assert number == seen.get(letter, -1) + 1
            seen[letter] = number
        for thread in threads:
            thread.join()


def test_the_last_lines_arrive_although_the_client_still_sends() -> None:
    with ListeningServer() as server, server.seated() as client:
        client.say("QUIT", *["NOOP"] * 20_000)
        assert client.hear_all() == ["900 OK"]

"""The network thread against a scripted server: log-in, commands, losses, endings, TLS."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator

import pytest

from astcti_client.net.backoff import Backoff
from astcti_client.net.connection import NotConnected, connection_for
from astcti_client.net.messages import (
    ConnectionMessage,
    ConnectionState,
    OfferedTarget,
    OfferedTargets,
    OperatorFound,
    PauseReasons,
    ResumeOver,
    SeatFound,
    SeatUnknown,
    Sent,
    ServerEvent,
    ServerReply,
    Services,
    Unanswered,
)
from astcti_client.net.transport import ServerAddress
from astcti_client.password import Password
from astcti_client.resume_position import ResumePosition
from astcti_client.settings import Settings
from schemas.event_xml import encode
from schemas.events import Call, CallEvent
from tests.client.conftest import MACS, Certificate, Client, Clock
from tests.fake.cti_server import WELCOME, CtiServer, Peer
from tests.fake.patience import PATIENCE

Connect = Callable[..., Client]
MD5_OF_TEST = "098f6bcd4621d373cade4e832627b4f6"


def log_in(server: CtiServer, client: Client) -> Peer:
    peer = server.accept()
    peer.log_in()
    client.state("up")
    return peer


def test_the_log_in_goes_in_the_order_of_the_protocol(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = server.accept()
    peer.say(WELCOME)
    peer.expect("CAPA")
    peer.say("110 CAPA MAC KEEPALIVE=60")
    peer.expect("USER mario")
    peer.say("100 OK")
    peer.expect(f"PASS {MD5_OF_TEST}")
    peer.say("102 OK")
    peer.expect(f"MAC {MACS[0]}")
    peer.say("100 OK PJSIP/201")
    assert client.next(SeatFound) == SeatFound(MACS[0], "PJSIP/201")
    peer.expect("SERVICES")
    peer.say("220 inbound astctidemo Demo of it", "220 END")
    assert [service.name for service in client.next(Services).services] == ["Demo of it"]
    peer.expect("REASONS")
    peer.say("230 Lunch break", "230 END")
    assert client.next(PauseReasons).reasons == ("Lunch break",)
    client.state("up")
    assert "098f6bcd" not in repr(client.seen)


def test_the_next_mac_is_tried_until_one_is_taken(server: CtiServer, connect: Connect) -> None:
    client = connect()
    assert server.accept().log_in(macs_refused=1) == list(MACS)
    assert client.next(SeatFound).mac == MACS[1]


@pytest.mark.parametrize(("told", "extension"), [("PJSIP/201", "PJSIP/201"), ("-", "")])
def test_a_server_that_can_tell_is_asked_who_is_logged_in(
    server: CtiServer, connect: Connect, told: str, extension: str
) -> None:
    client = connect()
    server.accept().log_in(who=f"{told} Mario Rossi")
    assert client.next(OperatorFound) == OperatorFound("mario", extension, "Mario Rossi")
    client.state("up")


def test_a_connection_is_made_as_the_settings_describe_it(server: CtiServer) -> None:
    inbox: queue.Queue[ConnectionMessage] = queue.Queue()
    settings = Settings(host="127.0.0.1", port=server.port, user="mario", mac=MACS[1])
    connection = connection_for(settings, Password.from_text("test"), inbox)
    connection.start()
    assert server.accept().log_in() == [MACS[1]]
    connection.stop()
    server.close()
    assert connection.join(PATIENCE)


def test_an_operator_without_a_known_seat_is_logged_in_and_told(server: CtiServer, connect: Connect) -> None:
    client = connect()
    server.accept().log_in(macs_refused=2)
    assert client.next(SeatUnknown).tried == tuple((mac, "unknown seat") for mac in MACS)
    client.state("up")


def test_the_macs_are_chosen_by_the_address_that_reaches_the_server(
    server: CtiServer, connect: Connect
) -> None:
    asked: list[str] = []

    def macs(local_address: str) -> tuple[str, ...]:
        asked.append(local_address)
        return ()

    client = connect(macs=macs)
    log_in(server, client)
    assert asked == ["127.0.0.1"]


def test_a_wrong_password_ends_it_without_another_attempt(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = server.accept()
    peer.hear_password()
    peer.say("101 KO wrong user name or password")
    ended = client.state("ended")
    assert ended.ending == "refused"
    assert "wrong user name or password" in ended.detail


class WatchedBackoff(Backoff):
    """Tells of which attempts it heard that the server turned them away."""

    def __init__(self) -> None:
        super().__init__(first=0.01)
        self.turned_away: list[bool] = []

    def next_pause(self, *, turned_away: bool = False) -> float:
        self.turned_away.append(turned_away)
        return super().next_pause(turned_away=turned_away)


def test_a_log_in_that_is_refused_for_now_is_tried_again(server: CtiServer, connect: Connect) -> None:
    backoff = WatchedBackoff()
    client = connect(backoff=backoff)
    peer = server.accept()
    peer.hear_password()
    peer.say("101 KO too many failed logins: try again in 8 s")
    assert "too many failed logins" in client.state("waiting").detail
    server.accept().log_in()
    assert backoff.turned_away == [True]  # not in haste


def test_a_server_that_turns_us_away_before_the_log_in_is_tried_again(
    server: CtiServer, connect: Connect
) -> None:
    client = connect()
    server.accept().say("101 KO too many clients")
    assert "too many clients" in client.state("waiting").detail
    log_in(server, client)


@pytest.mark.parametrize(("word", "ending"), [("TAKEOVER", "taken-over"), ("DISABLED", "disabled")])
def test_after_a_final_farewell_it_does_not_come_back(
    server: CtiServer, connect: Connect, word: str, ending: str
) -> None:
    client = connect()
    log_in(server, client).say(f"910 BYE {word} by somebody else")
    ended = client.state("ended")
    assert ended.ending == ending
    assert "by somebody else" in ended.detail


@pytest.mark.parametrize("word", ["CONFIG", "SHUTDOWN"])
def test_after_other_farewells_it_comes_back(server: CtiServer, connect: Connect, word: str) -> None:
    client = connect()
    log_in(server, client).say(f"910 BYE {word} see you")
    assert word in client.state("waiting").detail
    log_in(server, client)


def test_a_farewell_is_heard_although_the_server_closed_at_once(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    peer.say("910 BYE TAKEOVER")
    peer.close()
    assert client.state("ended").ending == "taken-over"


def test_a_lost_connection_is_made_again(server: CtiServer, connect: Connect) -> None:
    client = connect()
    log_in(server, client).close()
    waiting = client.state("waiting")
    assert "closed the connection" in waiting.detail
    assert 0 < waiting.retry_in <= 0.02
    log_in(server, client)


def test_replies_find_their_commands_and_announcements_find_none(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    first = client.connection.send("ORIG 0551 outbound 1")
    second = client.connection.send("PAUSE IN Lunch")
    peer.expect("ORIG 0551 outbound 1", "PAUSE IN Lunch")
    peer.say("200 astcti", "100 OK", "310 OUT", "301 PAUSE PENDING", "300 OK")
    replies = [client.next(ServerReply, lambda message: message.line != "") for _ in range(5)]
    assert [reply.answers for reply in replies] == [None, first, None, second, None]


def test_a_lost_connection_answers_every_open_command(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    command = client.connection.send("HANGUP 1.1")
    peer.expect("HANGUP 1.1")
    peer.close()
    assert client.next(Unanswered).command == command


def test_nothing_can_be_sent_before_the_log_in_is_over(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = server.accept()
    peer.say(WELCOME)
    client.state("logging-in")
    with pytest.raises(NotConnected):
        client.connection.send("PAUSE OUT")


def test_a_command_cannot_smuggle_in_another_line(server: CtiServer, connect: Connect) -> None:
    client = connect()
    log_in(server, client)
    for line in ("ORIG 1\nQUIT", "ORIG 1\rQUIT", "ORIG \0", "", "X" * 5000):
        with pytest.raises(ValueError, match="command"):
            client.connection.send(line)


def test_changed_services_are_asked_for_again(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    peer.say("221 SERVICES")
    peer.expect("SERVICES")
    peer.say("220 outbound trunk Trunk", "220 END")
    changed = client.next(Services, lambda message: len(message.services) == 1)
    assert [service.context for service in changed.services] == ["trunk"]
    assert client.next(OfferedTargets).targets == ()


def test_a_server_that_tells_where_calls_may_be_transferred_to_is_asked_with_the_services(
    server: CtiServer, connect: Connect
) -> None:
    client = connect()
    peer = server.accept()
    peer.log_in(targets=["astctidemo Demo", "backoffice backoffice"])
    told = client.next(OfferedTargets).targets
    assert told == (OfferedTarget("astctidemo", "Demo"), OfferedTarget("backoffice", "backoffice"))
    client.state("up")
    peer.say("221 SERVICES")
    peer.expect("SERVICES")
    peer.say("220 inbound astctidemo Demo", "220 END")
    peer.expect("TARGETS")
    peer.say("222 astctidemo Demo", "222 END")
    assert client.next(OfferedTargets).targets == (OfferedTarget("astctidemo", "Demo"),)


def test_of_a_server_that_cannot_tell_only_inbound_services_are_taken_for_transfers(
    server: CtiServer, connect: Connect
) -> None:
    client = connect()
    peer = log_in(server, client)
    peer.say("221 SERVICES")
    peer.expect("SERVICES")
    services = ("220 inbound demo Demo", "220 outbound out Outside", "220 inbound out In and out", "220 END")
    peer.say(*services)
    told = client.next(OfferedTargets, lambda message: message.targets[0].context == "demo")
    assert told.targets == (OfferedTarget("demo", "Demo"),)


def test_events_arrive_frozen_and_in_order_between_replies(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    events = [CallEvent(name, Call("1.1", "PJSIP/201-1", "333", 'A <b> & "c"')) for name in ("Dial", "Link")]
    peer.say_bytes(encode(events[0]) + b"901 PBX DOWN\n" + encode(events[1]))
    assert client.next(ServerEvent).event == events[0]
    assert client.next(ServerReply).reply.number == 901
    assert client.next(ServerEvent).event == events[1]


def test_a_server_that_falls_silent_is_left(server: CtiServer, connect: Connect, clock: Clock) -> None:
    client = connect(clock=clock)
    peer = log_in(server, client)
    clock.now += 21
    peer.say("902 PBX UP")  # anything that makes the client look at its clock
    client.next(Sent, lambda message: message.command.line == "NOOP")
    clock.now += 16
    peer.say("902 PBX UP")
    assert "does not answer NOOP" in client.state("waiting").detail


def test_who_does_not_want_to_wait_for_the_next_attempt_need_not(server: CtiServer, connect: Connect) -> None:
    client = connect(backoff=Backoff(first=5 * PATIENCE, longest=10 * PATIENCE))
    client.connection.try_now()  # nothing is waited for: it concerns no later pause
    log_in(server, client).close()
    assert client.state("waiting").retry_in >= 5 * PATIENCE
    client.connection.try_now()
    log_in(server, client)


def test_after_a_sleep_the_server_is_asked_at_once(
    server: CtiServer, connect: Connect, clock: Clock, wall: Clock
) -> None:
    client = connect(clock=clock, wall=wall)
    peer = log_in(server, client)
    wall.now += 3600
    peer.say("902 PBX UP")
    peer.expect("NOOP")
    clock.now += 5
    peer.say("902 PBX UP")
    client.state("waiting")


def test_a_sleep_cuts_the_pause_short(server: CtiServer, connect: Connect, wall: Clock) -> None:
    client = connect(wall=wall, backoff=Backoff(first=50.0, longest=100.0))
    log_in(server, client).close()
    assert client.state("waiting").retry_in >= 30
    wall.now += 3600
    server.accept().log_in()


def test_stopping_logs_out_and_waits_for_the_reply(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    client.connection.send("PAUSE OUT")
    client.connection.stop()
    peer.expect("PAUSE OUT", "QUIT")
    peer.say("300 OK", "900 OK")
    assert client.state("ended").ending == "stopped"
    assert peer.hear() == ""


def test_stopping_while_the_server_says_nothing_ends_at_once(server: CtiServer, connect: Connect) -> None:
    client = connect()
    server.accept()
    assert client.end().ending == "stopped"


def test_stopping_while_waiting_ends_at_once(connect: Connect, server: CtiServer) -> None:
    server.stop_listening()
    client = connect(backoff=Backoff(first=50.0, longest=100.0))
    waiting = client.state("waiting")
    assert "refuses connections" in waiting.detail
    assert client.end().ending == "stopped"


def test_something_else_on_the_port_is_recognised(server: CtiServer, connect: Connect) -> None:
    client = connect()
    server.accept().say("SSH-2.0-OpenSSH_9.2")
    assert "not an AsteriskCTI server" in client.state("waiting").detail


def test_an_unknown_name_is_told_as_such(connect: Connect) -> None:
    client = connect(address=ServerAddress("no-such-host.invalid", 5000))
    assert "no-such-host.invalid is not known" in client.state("waiting").detail


def test_one_bad_line_ends_only_itself(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    peer.say_bytes(b"\xff\xfe\n<event id='Link'\n" + b"x" * 300_000 + b"\n901 PBX DOWN\n")
    assert client.next(ServerReply, lambda message: message.reply.number == 901)


def test_an_error_of_our_own_ends_the_connection_and_says_so(
    server: CtiServer, connect: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_local: str) -> tuple[str, ...]:
        raise RuntimeError("boom")

    client = connect(macs=broken)
    server.accept()
    ended = client.state("ended")
    assert ended.ending == "failed"
    assert "boom" in caplog.text


# --- TLS ---


@pytest.fixture
def tls_server(connect: Connect, certificate: Certificate) -> Iterator[CtiServer]:
    with CtiServer(certificate.context) as listening:
        yield listening


def accept_in_vain(tls_server: CtiServer) -> threading.Thread:
    def run() -> None:
        with pytest.raises(OSError):
            tls_server.accept()

    thread = threading.Thread(target=run, name="tls-server")
    thread.start()
    return thread


def test_a_trusted_certificate_is_enough_to_log_in(
    tls_server: CtiServer, certificate: Certificate, connect: Connect
) -> None:
    client = connect(
        address=ServerAddress("localhost", tls_server.port, tls=True, ca_file=str(certificate.file))
    )
    peer = log_in(tls_server, client)
    client.connection.stop()
    peer.expect("QUIT")
    peer.say("900 OK")
    assert client.state("ended").ending == "stopped"


def test_an_untrusted_certificate_stops_the_log_in(tls_server: CtiServer, connect: Connect) -> None:
    thread = accept_in_vain(tls_server)
    client = connect(address=ServerAddress("localhost", tls_server.port, tls=True))
    detail = client.state("waiting").detail
    assert "not trusted" in detail
    assert "ca-file" in detail
    client.end()
    thread.join(PATIENCE)


def test_a_certificate_for_another_name_stops_the_log_in(
    tls_server: CtiServer, certificate: Certificate, connect: Connect
) -> None:
    thread = accept_in_vain(tls_server)
    client = connect(
        address=ServerAddress("127.0.0.1", tls_server.port, tls=True, ca_file=str(certificate.file))
    )
    detail = client.state("waiting").detail
    assert "is not for 127.0.0.1" in detail
    assert "server-name" in detail
    client.end()
    thread.join(PATIENCE)


@pytest.mark.parametrize(("verify", "host"), [(True, "localhost"), (False, "0.0.0.0")])
def test_only_a_checked_certificate_makes_the_server_trusted(
    tls_server: CtiServer, certificate: Certificate, connect: Connect, verify: bool, host: str
) -> None:
    ca_file = str(certificate.file)
    address = ServerAddress(host, tls_server.port, tls=True, ca_file=ca_file, verify=verify)
    client = connect(address=address)
    peer = log_in(tls_server, client)
    peer.say_bytes(encode(CallEvent("Link", Call("1.1", "PJSIP/201-1"))))
    assert client.next(ServerEvent).trusted is verify


def test_on_this_pc_the_server_is_trusted(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    assert client.seen[-1] == ConnectionState("up", "logged in as mario", protection="loopback")
    peer.say_bytes(encode(CallEvent("Link", Call("1.1", "PJSIP/201-1"))))
    assert client.next(ServerEvent).trusted


def test_an_unencrypted_connection_that_is_not_allowed_ends_it_at_once(
    server: CtiServer, connect: Connect
) -> None:
    client = connect(address=ServerAddress("0.0.0.0", server.port))
    ended = client.state("ended")
    assert ended.ending == "unencrypted"
    assert "would not be encrypted" in ended.detail


def test_one_that_is_allowed_is_not_trusted(server: CtiServer, connect: Connect) -> None:
    client = connect(address=ServerAddress("0.0.0.0", server.port, plain=True))
    peer = log_in(server, client)
    assert client.seen[-1] == ConnectionState("up", "logged in as mario", protection="plain")
    peer.say_bytes(encode(CallEvent("Link", Call("1.1", "PJSIP/201-1"))))
    assert not client.next(ServerEvent).trusted


def test_a_server_that_is_full_is_asked_again_without_haste(server: CtiServer, connect: Connect) -> None:
    client = connect(backoff=Backoff(first=50.0, longest=1000.0))
    server.accept().say("101 KO too many clients")
    assert client.state("waiting").retry_in >= 100


def test_the_expected_name_can_be_given(
    tls_server: CtiServer, certificate: Certificate, connect: Connect
) -> None:
    address = ServerAddress(
        "127.0.0.1", tls_server.port, tls=True, ca_file=str(certificate.file), server_name="localhost"
    )
    client = connect(address=address)
    log_in(tls_server, client)


def test_verification_can_be_switched_off(tls_server: CtiServer, connect: Connect) -> None:
    client = connect(address=ServerAddress("127.0.0.1", tls_server.port, tls=True, verify=False))
    log_in(tls_server, client)


def test_a_port_without_tls_is_recognised(server: CtiServer, connect: Connect) -> None:
    client = connect(address=ServerAddress("127.0.0.1", server.port, tls=True))
    server.accept().say(WELCOME)
    assert "does not speak TLS" in client.state("waiting").detail


def test_a_large_event_over_tls_is_read_whole(
    tls_server: CtiServer, certificate: Certificate, connect: Connect
) -> None:
    client = connect(
        address=ServerAddress("localhost", tls_server.port, tls=True, ca_file=str(certificate.file))
    )
    peer = log_in(tls_server, client)
    data = tuple((f"name{number}", "v" * 8000) for number in range(25))
    event = CallEvent("Link", Call("1.1", "PJSIP/201-1", appdata=data))
    peer.say_bytes(encode(event))
    assert client.next(ServerEvent).event == event


def test_after_the_end_nothing_can_be_sent(server: CtiServer, connect: Connect) -> None:
    client = connect()
    peer = log_in(server, client)
    client.connection.stop()
    peer.expect("QUIT")
    peer.close()
    client.state("ended")
    assert client.connection.join(PATIENCE)
    with pytest.raises(NotConnected):
        client.connection.send("NOOP")


def test_what_was_shown_while_the_connection_was_lost_is_told_to_the_same_epoch_alone(
    server: CtiServer, connect: Connect
) -> None:
    epoch = "0123456789abcdef"
    client = connect(resume=ResumePosition(epoch, 3, 3))
    peer = server.accept()
    peer.log_in(resume=f"{epoch} 3")
    peer.say(f"104 RESUME {epoch} 3 from", "105 RESUME END")
    client.next(ResumeOver)
    client.connection.shown(epoch, "SHOWN 3 10")
    peer.expect("SHOWN 3 10")
    peer.close()
    client.state("waiting")
    client.connection.shown("f" * 16, "SHOWN 1 10")
    client.connection.shown(epoch, "SHOWN 3 20")
    peer = server.accept()
    peer.log_in(resume=f"{epoch} 3")
    peer.say(f"104 RESUME {epoch} 3 from", "105 RESUME END")
    peer.expect("SHOWN 3 20")

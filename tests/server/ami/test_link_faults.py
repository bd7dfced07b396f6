"""The link to Asterisk when things go wrong: refused, cut, silent, dead, flooded."""

import logging
import socket
import threading
from pathlib import Path

import pytest

from astcti_server.ami import actions
from astcti_server.ami.asterisk_identity import AsteriskIdentity
from astcti_server.ami.link_listener import LinkTimeLimits
from tests.fake.asterisk import FakeAsterisk, block, response
from tests.fake.certificates import make_certificate
from tests.fake.clock import FakeClock
from tests.fake.link_listener import Answers, FakeListener
from tests.fake.patience import PATIENCE, until
from tests.fake.ports import free_port
from tests.fake.running_link import Ami, running


def test_a_lost_connection_is_told_and_made_again() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener) as ami:
        listener.next("up")
        asterisk.drop()
        assert listener.next("down") == "Asterisk closed the connection"
        assert listener.next("up") == "11.0.0"
        assert ami.requests.up
        assert asterisk.connections == 2


def test_all_waiting_actions_are_answered_when_the_link_dies() -> None:
    listener, answers = FakeListener(), Answers()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener) as ami:
        listener.next("up")
        asterisk.silent.set()
        for queue in ("first", "second"):
            ami.requests.submit(actions.queue_add(queue, "SIP/201"), answers, timeout=60.0)
            asterisk.next_action("QueueAdd")
        asterisk.drop()
        assert [answers.next().failure, answers.next().failure] == ["down", "down"]
        assert listener.next("down")


def test_the_reason_for_a_refused_connection_says_where_to_look(caplog: pytest.LogCaptureFixture) -> None:
    listener = FakeListener()
    with running(free_port(), listener, retries=0):
        assert "nothing listens at 127.0.0.1:" in listener.next("gave up")
    assert "enabled, port and bindaddr in the [general] section of manager.conf" in caplog.text


def test_an_unknown_host_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object, **_more: object) -> object:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    listener = FakeListener()
    with running(5038, listener, host="pbx.example", retries=0):
        reason = listener.next("gave up")
    assert "'pbx.example' cannot be resolved (Name or service not known)" in reason


def test_a_wrong_secret_counts_like_any_failure_and_says_what_to_check(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener = FakeListener()
    with FakeAsterisk(secret="another") as asterisk, running(asterisk.port, listener, retries=2):
        reason = listener.next("gave up")
        assert asterisk.connections == 3
    assert "refused the login of user 'astcti' (Authentication failed)" in reason
    assert "in manager.conf check the section [astcti], its secret" in reason
    warnings = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(warnings) == 1, "one and the same reason is logged once"


def test_a_user_who_is_logged_in_elsewhere_is_told_apart() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk:
        asterisk.refuse_login = "Login Already In Use"
        with running(asterisk.port, listener, retries=0):
            assert "allowmultiplelogin" in listener.next("gave up")


def test_a_port_that_does_not_greet_is_told_apart() -> None:
    listener = FakeListener()
    limits = LinkTimeLimits(PATIENCE, 0.1, PATIENCE)
    with FakeAsterisk(banner=b"") as asterisk, running(asterisk.port, listener, limits=limits, retries=0):
        assert "does not greet as Asterisk's manager interface does" in listener.next("gave up")


def test_an_asterisk_that_never_answers_the_login_is_left() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk:
        asterisk.answers["Challenge"] = lambda action: b""
        with running(asterisk.port, listener, clock=clock, retries=0) as ami:
            asterisk.next_action("Challenge")
            clock.go_on(PATIENCE)
            ami.link.wake()
            assert listener.next("gave up") == "Asterisk did not answer the login"


def test_a_connection_that_is_closed_before_the_login_is_told_apart() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk:

        def drop(_action: dict[str, str]) -> bytes:
            asterisk.drop()
            return b""

        asterisk.answers["Challenge"] = drop
        with running(asterisk.port, listener, retries=0):
            assert "before the login was accepted" in listener.next("gave up")


def test_while_asterisk_is_not_reached_it_is_known_why_since_when_and_how_often_it_was_tried() -> None:
    listener = FakeListener()
    with FakeAsterisk(secret="another") as asterisk, running(asterisk.port, listener) as ami:
        until(lambda: ami.link.failure is not None and ami.link.failure.attempts >= 2)
        first = ami.link.failure
        assert first is not None
        assert "refused the login of user 'astcti'" in first.reason
        asterisk.secret = "secret"
        listener.next("up")
        assert ami.link.failure is None
        asterisk.stop_listening()
        asterisk.drop()
        listener.next("down")
        until(lambda: ami.link.failure is not None and "nothing listens at" in ami.link.failure.reason)
        later = ami.link.failure
        assert later is not None
        assert later.since >= first.since


def test_which_asterisk_it_is_is_asked_where_that_is_allowed() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener) as ami:
        listener.next("up")
        until(lambda: ami.link.identity.manager == "11.0.0")
        assert (ami.link.identity.version, ami.link.identity.dialect) == ("", "12-22")
        asterisk.answers["ListCommands"] = lambda action: response(
            action,
            "Success",
            "",
            ("Ping", "ok"),
            ("Logoff", "ok"),
            ("CoreSettings", "Show PBX core settings"),
        )
        asterisk.answers["CoreSettings"] = lambda action: response(
            action, "Success", "", ("AMIversion", "11.0.0"), ("AsteriskVersion", "22.5.2")
        )
        asterisk.drop()
        listener.next("down")
        listener.next("up")
        until(lambda: ami.link.identity.version == "22.5.2")


@pytest.mark.parametrize(
    ("manager", "dialect"),
    [
        ("1.0", "1.4"),
        ("1.1", "1.6-11"),
        ("1.3", "1.6-11"),
        ("2.10.5", "12-22"),
        ("11.0.0", "12-22"),
        ("", ""),
    ],
)
def test_the_greeting_promises_a_dialect(manager: str, dialect: str) -> None:
    assert AsteriskIdentity(manager).dialect == dialect


def test_retries_are_counted_anew_after_each_link_that_worked() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, retries=0):
        for _ in range(3):
            listener.next("up")
            clock.go_on(1.0)
            asterisk.drop()
            listener.next("down")
        listener.next("up")
        clock.go_on(1.0)
        asterisk.stop_listening()
        asterisk.drop()
        listener.next("down")
        assert "nothing listens" in listener.next("gave up")


def test_after_the_loss_of_a_link_that_worked_the_first_attempt_is_at_once() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, pause=5.0):
        listener.next("up")
        clock.go_on(5.0)
        asterisk.drop()
        listener.next("down")
        listener.next("up")  # the clock stands still: no pause could end


def test_after_the_first_attempt_the_pause_is_between_two() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, pause=5.0) as ami:
        listener.next("up")
        asterisk.wait_for_login()
        asterisk.refuse_login = "Authentication failed"
        clock.go_on(5.0)
        asterisk.drop()
        listener.next("down")
        until(lambda: asterisk.connections == 2)  # at once
        until(lambda: ami.link.state == "down")
        asterisk.refuse_login = ""
        assert_waits_for_its_pause(ami, asterisk, listener, clock)


def test_a_link_that_lived_for_a_moment_only_counts_as_a_failed_attempt() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, pause=5.0) as ami:
        listener.next("up")
        asterisk.wait_for_login()
        clock.go_on(4.9)
        asterisk.drop()
        listener.next("down")
        assert_waits_for_its_pause(ami, asterisk, listener, clock)


def test_an_asterisk_that_throws_us_out_after_each_login_uses_up_the_retries(
    caplog: pytest.LogCaptureFixture,
) -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, retries=1) as ami:
        for _ in range(2):
            listener.next("up")
            asterisk.drop()
            listener.next("down")
            until(lambda: ami.link.state == "down")
            turned = threading.Event()
            ami.requests.post(turned.set)
            assert turned.wait(PATIENCE)
            clock.go_on(0.02)
            ami.link.wake()
        assert listener.next("gave up") == "Asterisk closed the connection"
    assert "Asterisk closed the connection, soon after the login" in caplog.text


def assert_waits_for_its_pause(
    ami: Ami, asterisk: FakeAsterisk, listener: FakeListener, clock: FakeClock
) -> None:
    """The link tries again when five seconds are over, and not before."""

    def let_it_turn() -> None:
        turned = threading.Event()
        ami.requests.post(turned.set)
        assert turned.wait(PATIENCE)

    let_it_turn()  # what it was doing is done
    connections = asterisk.connections
    clock.go_on(4.9)
    for _ in range(3):
        let_it_turn()
    assert (asterisk.connections, ami.link.state) == (connections, "down")
    clock.go_on(0.1)
    ami.link.wake()
    listener.next("up")


def test_how_long_nothing_was_heard_is_told_with_the_loss() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock) as ami:
        listener.next("up")
        answers = Answers()
        ami.requests.submit(actions.ping(), answers)  # answered after whatever the login asked
        answers.next()
        clock.go_on(42.0)
        asterisk.drop()
        listener.next("down")
        assert listener.quiet == 42.0


def test_after_giving_up_posted_work_still_runs() -> None:
    listener, done = FakeListener(), threading.Event()
    with running(free_port(), listener, retries=0) as ami:
        listener.next("gave up")
        ami.requests.post(done.set)
        assert done.wait(PATIENCE)
        assert ami.link.is_alive()
        assert ami.link.state == "down"


def test_a_silent_asterisk_is_pinged_twice_and_then_taken_for_gone() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk:
        asterisk.answers["Ping"] = lambda action: b""
        with running(asterisk.port, listener, ping=0.05):
            listener.next("up")
            assert asterisk.next_action("Ping")
            assert asterisk.next_action("Ping")
            assert "2 pings unanswered" in listener.next("down")
            listener.next("up")


def test_anything_that_is_read_keeps_the_link() -> None:
    listener, clock = FakeListener(), FakeClock()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, clock=clock, ping=20.0) as ami:

        def read_everything() -> None:
            """Whatever Asterisk has answered so far was read once this answer is there."""
            answers = Answers()
            ami.requests.submit(actions.queue_status("astcti"), answers)
            answers.next()

        listener.next("up")
        read_everything()
        for _ in range(4):
            clock.go_on(20.0)
            ami.link.wake()
            asterisk.next_action("Ping")
            read_everything()
        assert listener.told.empty()


def test_events_cut_anywhere_arrive_whole() -> None:
    listener = FakeListener()
    data = block(("Event", "Newchannel"), ("CallerIDName", "Mário Rossi")) * 3
    with FakeAsterisk() as asterisk, running(asterisk.port, listener):
        listener.next("up")
        asterisk.send(*(data[at : at + 7] for at in range(0, len(data), 7)))
        for _ in range(3):
            assert listener.next_event().get("CallerIDName") == "Mário Rossi"


def test_garbage_between_events_is_skipped() -> None:
    listener = FakeListener()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener):
        listener.next("up")
        asterisk.send(b"\x00\xff\xfe: nothing\r\n\r\nno colon at all\r\n\r\n\r\n\r\n")
        asterisk.event("Hangup", ("Uniqueid", "1.1"))
        assert listener.next_event().get("Uniqueid") == "1.1"


def test_in_a_flood_of_events_posted_work_and_timers_still_run() -> None:
    listener = FakeListener()
    data = block(("Event", "RTCPSent"), *((f"Field{n}", "x" * 20) for n in range(20))) * 500
    flooding, timers_ran = threading.Event(), threading.Event()
    stop = threading.Event()
    with FakeAsterisk() as asterisk, running(asterisk.port, listener) as ami:
        listener.next("up")

        def run_a_timer() -> None:
            ami.requests.later(0.0, timers_ran.set)

        def flood() -> None:
            while not stop.is_set():
                asterisk.send(data)
                flooding.set()
                stop.wait(0.0001)  # lets the answer to the ping in between

        flooder = threading.Thread(target=flood)
        flooder.start()
        try:
            assert flooding.wait(PATIENCE)
            ami.requests.post(run_a_timer)
            assert timers_ran.wait(PATIENCE)
            answers = Answers()
            ami.requests.submit(actions.ping(), answers)
            assert answers.next().ok
        finally:
            stop.set()
            flooder.join(PATIENCE)


def test_an_asterisk_that_takes_nothing_any_more_is_left() -> None:
    """The link must neither wait for it nor fill the memory."""
    listener, blocked = FakeListener(), threading.Event()
    stuck = Answers()
    with FakeAsterisk() as asterisk:

        def block_the_server(_action: dict[str, str]) -> bytes:
            blocked.wait(PATIENCE)
            return b""

        asterisk.answers["QueueStatus"] = block_the_server
        with running(asterisk.port, listener) as ami:
            listener.next("up")
            for _ in range(20_000):
                ami.requests.submit(actions.queue_status("x" * 900), stuck, timeout=60.0)
            assert listener.next("down") == "Asterisk does not take our actions any more"
            assert stuck.next().failure == "down"
            blocked.set()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A certificate for localhost that signs itself."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"), subjects="DNS:localhost,IP:127.0.0.1")
    return str(certificate), str(key)


def test_tls_carries_events_and_actions(certificate: tuple[str, str]) -> None:
    listener, answers = FakeListener(), Answers()
    data = block(("Event", "Hangup"), ("Uniqueid", "1.1"), ("Cause-txt", "x" * 40_000)) * 5
    with (
        FakeAsterisk(certificate=certificate) as asterisk,
        running(asterisk.port, listener, tls=True, ca_file=certificate[0]) as ami,
    ):
        listener.next("up")
        asterisk.send(data)
        for _ in range(5):
            assert len(listener.next_event().get("Cause-txt")) == 40_000
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok


def test_a_certificate_of_another_authority_is_refused(certificate: tuple[str, str]) -> None:
    listener = FakeListener()
    with (
        FakeAsterisk(certificate=certificate) as asterisk,
        running(asterisk.port, listener, tls=True, retries=0),
    ):
        reason = listener.next("gave up")
    assert "is not accepted" in reason
    assert "ca-file in server.xml" in reason


def test_a_port_without_tls_is_told_apart(certificate: tuple[str, str]) -> None:
    listener = FakeListener()
    with (
        FakeAsterisk() as asterisk,
        running(asterisk.port, listener, tls=True, ca_file=certificate[0], retries=0),
    ):
        assert "set tlsenable" in listener.next("gave up")


def test_a_handshake_that_never_ends_is_left(certificate: tuple[str, str]) -> None:
    listener = FakeListener()
    limits = LinkTimeLimits(0.1, PATIENCE, PATIENCE)
    with (
        FakeAsterisk(banner=b"") as asterisk,
        running(asterisk.port, listener, limits=limits, tls=True, ca_file=certificate[0], retries=0),
    ):
        assert "no answer from 127.0.0.1" in listener.next("gave up")


def test_a_ca_file_that_cannot_be_read_is_told_apart(tmp_path: Path) -> None:
    listener = FakeListener()
    missing = str(tmp_path / "missing.pem")
    with FakeAsterisk() as asterisk, running(asterisk.port, listener, tls=True, ca_file=missing, retries=0):
        assert "ca-file" in listener.next("gave up")

"""The small parts of the AMI link: timers, actions, the inbox, the heartbeat, privileges."""

from __future__ import annotations

import threading
import tracemalloc

import pytest

from astcti_server.ami import actions
from astcti_server.ami.heartbeat import Heartbeat
from astcti_server.ami.inbox import AmiInbox
from astcti_server.ami.loop import AmiLoop
from astcti_server.ami.pending import MOST_LISTED, ActionOutcome, PendingActions
from astcti_server.ami.privileges import Privileges
from astcti_server.ami.timers import Timers
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse, MessageKind
from tests.fake.clock import FakeClock
from tests.fake.patience import PATIENCE


def run_due(timers: Timers) -> None:
    for work in timers.take_due():
        work()


def test_timers_run_in_the_order_of_their_time_and_only_once() -> None:
    clock, ran = FakeClock(), []
    timers = Timers(clock)
    for name, seconds in (("late", 2.0), ("first", 1.0), ("second", 1.0)):
        timers.later(seconds, lambda name=name: ran.append(name))  # type: ignore[misc]
    assert timers.wait() == 1.0
    clock.go_on(1.0)
    run_due(timers)
    assert ran == ["first", "second"]
    clock.go_on(5.0)
    assert timers.wait() == 0.0
    run_due(timers)
    run_due(timers)
    assert ran == ["first", "second", "late"]
    assert timers.wait() is None


def test_a_timer_can_be_cancelled_even_by_one_of_the_same_turn() -> None:
    clock, ran = FakeClock(), []
    timers = Timers(clock)
    timers.later(1.0, lambda: second.cancel())
    second = timers.later(1.0, lambda: ran.append("second"))
    third = timers.later(1.0, lambda: ran.append("third"))
    third.cancel()
    third.cancel()
    clock.go_on(1.0)
    run_due(timers)
    assert not ran
    assert timers.wait() is None


def test_cancelled_timers_do_not_pile_up() -> None:
    timers = Timers(FakeClock())
    kept = timers.later(60.0, lambda: None)
    tracemalloc.start()
    try:
        for _ in range(10_000):
            timers.later(3600.0, lambda: None).cancel()
        assert tracemalloc.get_traced_memory()[0] < 100_000
    finally:
        tracemalloc.stop()
    assert kept.work is not None
    assert timers.wait() == 60.0


def test_posted_work_wakes_once_and_comes_in_order() -> None:
    inbox = AmiInbox()
    sleeper = inbox.open()
    sleeper.setblocking(True)
    sleeper.settimeout(PATIENCE)
    ran: list[int] = []
    threads = [
        threading.Thread(target=inbox.post, args=(lambda number=number: ran.append(number),))
        for number in range(3)
    ]
    for thread in threads:
        thread.start()
        thread.join(PATIENCE)
    assert sleeper.recv(100) == b"w", "one wake-up is enough for all of it"
    sleeper.setblocking(False)
    inbox.woken()
    for work in inbox.take():
        work()
    assert ran == [0, 1, 2]
    assert inbox.post(lambda: None)
    assert len(inbox.close()) == 1
    assert not inbox.post(lambda: None)
    inbox.wake()


class Watch:
    """A heartbeat whose pings and end are counted."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.loop = AmiLoop(self.clock)
        self.timers = self.loop.timers
        self.pings = 0
        self.ends: list[str] = []
        self.heartbeat = Heartbeat(20.0, self.loop, self.ping, self.ends.append)

    def ping(self) -> None:
        self.pings += 1

    def go_on(self) -> None:
        self.clock.go_on(20.0)
        run_due(self.timers)


def test_a_quiet_connection_is_pinged_and_given_up_after_two_misses() -> None:
    watch = Watch()
    watch.heartbeat.start()
    watch.go_on()
    watch.go_on()
    assert (watch.pings, watch.ends) == (2, [])
    watch.go_on()
    assert watch.ends == ["nothing came from Asterisk for 60 s, 2 pings unanswered"]


@pytest.mark.parametrize(
    ("silence", "after", "unknown"),
    [(15.0, 0.1, 15.1), (15.0, 4.0, 19.0), (15.0, 6.0, 6.0), (0.5, 0.1, 0.1)],
    ids=["a burst, then the end", "read for a while", "it went on", "no silence"],
)
def test_what_came_at_the_end_of_a_silence_does_not_tell_that_all_was_heard(
    silence: float, after: float, unknown: float
) -> None:
    watch = Watch()
    watch.heartbeat.start()
    for seconds in (0.5, silence):
        watch.clock.go_on(seconds)
        watch.heartbeat.heard()
    watch.clock.go_on(after)
    assert watch.heartbeat.quiet(watch.clock()) == pytest.approx(unknown)
    watch.heartbeat.start()  # of a new connection nothing of this counts
    watch.clock.go_on(0.2)
    assert watch.heartbeat.quiet(watch.clock()) == pytest.approx(0.2)


def test_a_busy_connection_is_not_pinged() -> None:
    watch = Watch()
    watch.heartbeat.start()
    for _ in range(5):
        watch.clock.go_on(10.0)
        watch.heartbeat.heard()
        watch.clock.go_on(10.0)
        run_due(watch.timers)
    assert (watch.pings, watch.ends) == (0, [])


def test_a_connection_that_is_over_is_watched_no_more() -> None:
    watch = Watch()
    watch.heartbeat.start()
    watch.heartbeat.stop()
    watch.go_on()
    assert watch.pings == 0
    assert watch.timers.wait() is None


def review(caplog: pytest.LogCaptureFixture, *seen: str, member_changed: bool = False) -> str:
    privileges = Privileges("astcti")
    privileges.connected()
    if member_changed:
        privileges.carried_out("QueueAdd")
    for _ in range(2):
        privileges.review(lambda name: name in seen)
    return caplog.text


def test_events_that_never_come_show_what_the_user_may_not_read(caplog: pytest.LogCaptureFixture) -> None:
    assert not review(caplog)
    assert not review(caplog, "Newchannel", "Newexten", "Hangup")
    assert review(caplog, "Newchannel", "Hangup").count("add dialplan to its read = line") == 1
    caplog.clear()
    assert review(caplog, "AgentCalled").count("add call to its read = line") == 1
    caplog.clear()
    assert review(caplog, member_changed=True).count("add agent to its read = line") == 1
    caplog.clear()
    assert not review(caplog, "QueueMemberAdded", member_changed=True)


def test_steps_of_the_dialplan_that_never_come_are_told_once_a_connection_until_one_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    privileges = Privileges("astcti")
    without, with_steps = {"Newchannel", "Hangup"}, {"Newchannel", "Hangup", "VarSet"}
    for _connection in range(2):
        caplog.clear()
        privileges.connected()
        assert not privileges.lacking
        for _ in range(3):
            privileges.review(without.__contains__)
        assert caplog.text.count("add dialplan to its read = line") == 1
        assert len(privileges.lacking) == 1
        assert privileges.lacking[0].startswith("sees calls but no steps of the dialplan")
        privileges.review(with_steps.__contains__)
        assert not privileges.lacking


def test_the_end_of_a_call_from_before_the_login_proves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert not review(caplog, "Hangup")


def test_a_list_of_commands_that_is_no_such_list_proves_nothing(caplog: pytest.LogCaptureFixture) -> None:
    privileges = Privileges("astcti")
    response = AmiResponse(b"Response: Success\r\nMessage: what?", MessageKind("Response", "cp1252"))
    privileges.commands_listed(ActionOutcome(True, response.message, response))
    assert not caplog.text


def test_secrets_are_not_in_what_is_logged_of_an_action() -> None:
    assert "hunter2" not in repr(actions.login("astcti", "hunter2"))
    assert "Key='***'" in repr(actions.login_challenge("astcti", "hunter2", "1234"))
    assert "Queue='astcti'" in repr(actions.queue_remove("astcti", "SIP/201"))


def test_the_key_of_a_login_is_that_of_every_asterisk() -> None:
    headers = dict(actions.login_challenge("astcti", "secret", "123456789").headers)
    assert headers["Key"] == "7ccde16e862dfe7681297713e9e9cadb", "md5 of the challenge and the secret"


def test_an_originate_never_blocks_the_connection() -> None:
    headers = actions.originate("SIP/201", "outbound", "0551", timeout=20.5).headers
    assert ("Async", "true") in headers
    assert ("Timeout", "20500") in headers


def test_all_variables_are_asked_for_in_as_many_lines_as_they_need() -> None:
    names = [f"variable_number_{number}" for number in range(100)]
    lists = actions.status_lists(names)
    assert len(lists) > 1
    assert all(action.encode("1") for action in lists)
    assert ",".join(dict(action.headers)["Variables"] for action in lists).split(",") == names
    short = [f"v{number}" for number in range(250)]
    lists = actions.status_lists(short)
    asked = [dict(action.headers)["Variables"].split(",") for action in lists]
    assert [len(names) for names in asked] == [99, 99, 52], "Asterisk takes 99 at a time"
    assert [name for names in asked for name in names] == short
    longest = ["x" * 1000, "y" * 1000, "z"]
    assert [action.encode("1") is not None for action in actions.status_lists(longest)] == [True, True]
    (plain,) = actions.status_lists([])
    assert plain.headers == actions.status().headers == ()


def test_a_list_without_end_is_given_up() -> None:
    timers, outcomes = Timers(FakeClock()), []
    pending = PendingActions(timers, lambda _action, outcome, _done: outcomes.append(outcome))
    pending.add("1", actions.status(), lambda _outcome: None, 5.0)
    kind = MessageKind("Status", "cp1252")
    for _ in range(MOST_LISTED + 1):
        assert pending.take_event(AmiEvent(b"Event: Status\r\nActionID: 1", kind))
    (outcome,) = outcomes
    assert (outcome.ok, outcome.message, outcome.events) == (False, "the list has no end", ())
    assert not pending.take_event(AmiEvent(b"Event: Status\r\nActionID: 1", kind))


def test_empty_values_make_no_headers() -> None:
    assert dict(actions.queue_add("q", "SIP/1", 2, True).headers) == {
        "Queue": "q",
        "Interface": "SIP/1",
        "Penalty": "2",
        "Paused": "true",
    }
    assert dict(actions.queue_pause("SIP/1", False, "Lunch", "q").headers) == {
        "Interface": "SIP/1",
        "Paused": "false",
        "Reason": "Lunch",
        "Queue": "q",
    }

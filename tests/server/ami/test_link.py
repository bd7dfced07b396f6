"""The link to Asterisk: login, actions and their answers, the end."""

import io
import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest

from astcti_server.ami import actions
from astcti_server.ami.connection import AmiConnection
from astcti_server.ami.loop import AmiLoop
from astcti_server.ami.wire.event_filter import EventFilter
from tests.fake.asterisk import BOOTED, FakeAsterisk, block, response
from tests.fake.link_listener import Answers, FakeListener
from tests.fake.patience import PATIENCE, until
from tests.fake.running_link import PATIENT, Ami

RunLink = Callable[..., AbstractContextManager[Ami]]


def test_login_answers_the_challenge_and_the_secret_does_not_travel(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    with run() as ami:
        assert listener.next("up") == "11.0.0"
        login = asterisk.wait_for_login()
        assert login["AuthType"] == "MD5"
        assert "secret" not in login.values()
        assert ami.requests.up and ami.link.state == "up"


@pytest.mark.parametrize("banner", [b"Asterisk Call Manager/1.0", b"Asterisk Call Manager/11.0.0", b"Mine/9"])
def test_the_secret_is_not_sent_where_the_challenge_is_refused(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, banner: bytes
) -> None:
    asterisk.challenge, asterisk.banner = "", banner
    with run(retries=0):
        reason = listener.next("gave up")
    assert "no MD5 login (Must specify AuthType), and the secret itself is not sent" in reason
    assert 'auth="plain"' in reason
    sent = [asterisk.actions.get(timeout=PATIENCE) for _ in range(asterisk.actions.qsize())]
    assert [action["Action"] for action in sent] == ["Challenge"]


def test_the_secret_is_sent_where_the_challenge_is_refused_and_plain_is_allowed_by_name(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.challenge = ""
    with run(auth="plain"):
        listener.next("up")
        assert asterisk.wait_for_login()["Secret"] == "secret"
    assert "the secret goes over the network as it is" in caplog.text


def test_where_plain_is_allowed_a_challenge_is_answered_all_the_same(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    with run(auth="plain"):
        listener.next("up")
        assert "Secret" not in asterisk.wait_for_login()


@pytest.mark.parametrize("headers", [(), (("ActionID", "7"),)], ids=["without ActionID", "with another's"])
def test_a_response_that_is_not_to_the_logins_own_action_changes_nothing(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, headers: tuple[tuple[str, str], ...]
) -> None:
    stray = block(("Response", "Success"), *headers, ("Challenge", "1"), ("Message", "not yours"))
    usual = asterisk.challenge

    def challenged(action: dict[str, str]) -> bytes:
        return stray + response(action, "Success", "", ("Challenge", usual)) + stray

    asterisk.answers["Challenge"] = challenged
    with run() as ami:
        listener.next("up")
        assert asterisk.wait_for_login()["AuthType"] == "MD5"
        assert ami.requests.up


def test_an_answer_to_the_challenge_is_none_to_the_login(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    asked: list[str] = []

    def refuse_twice(action: dict[str, str]) -> bytes:
        late = block(("Response", "Success"), ("ActionID", asked[0]), ("Message", "late"))
        return late + response(action, "Error", "Authentication failed")

    def challenged(action: dict[str, str]) -> bytes:
        asked.append(action["ActionID"])
        return response(action, "Success", "", ("Challenge", "1"))

    asterisk.answers |= {"Challenge": challenged, "Login": refuse_twice}
    with run(retries=0):
        assert "refused the login of user" in listener.next("gave up")


def test_who_answers_without_the_actionid_is_named_when_the_login_is_late(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    asterisk.answers["Challenge"] = lambda _action: block(("Response", "Success"), ("Challenge", "1"))
    with run(retries=0, limits=replace(PATIENT, login=0.2)):
        assert "does a proxy between not?" in listener.next("gave up")


def test_a_second_greeting_begins_no_second_login(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    asterisk.banner = b"Asterisk Call Manager/11.0.0\r\nAsterisk Call Manager/1.0\r\n"
    with run():
        assert listener.next("up") == "11.0.0"
    asked = [asterisk.actions.get(timeout=PATIENCE)["Action"] for _ in range(asterisk.actions.qsize())]
    assert asked.count("Challenge") == 1


def test_nothing_but_challenge_and_login_is_asked_before_the_login_is_accepted(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    refused = Answers()
    held = threading.Event()

    def wait_before_accepting(action: dict[str, str]) -> bytes:
        held.wait(PATIENCE)
        return response(action, "Success", "Authentication accepted")

    asterisk.answers["Login"] = wait_before_accepting
    with run(ping=0.01) as ami:
        assert asterisk.actions.get(timeout=PATIENCE)["Action"] == "Challenge"
        assert asterisk.actions.get(timeout=PATIENCE)["Action"] == "Login"
        ami.requests.submit(actions.ping(), refused)
        assert refused.next().failure == "down"
        assert asterisk.actions.empty()
        held.set()
        listener.next("up")


def test_events_are_told_in_order_and_unwanted_ones_are_not(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    with run() as ami:
        ami.link.filter_events(EventFilter(variables=frozenset({"calldata"})))
        listener.next("up")
        asterisk.event("RTCPSent", ("To", "10.0.0.1"))
        asterisk.event("VarSet", ("Variable", "other"), ("Value", "1"))
        asterisk.event("VarSet", ("Variable", "calldata"), ("Value", "2"))
        asterisk.event("Hangup", ("Uniqueid", "1.1"))
        assert listener.next_event().get("Value") == "2"
        assert listener.next_event().get("Uniqueid") == "1.1"


def test_an_action_is_answered_with_the_words_of_asterisk(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    asterisk.answers["QueueAdd"] = lambda action: response(action, "Success", "Added interface to queue")
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.queue_add("astcti", "SIP/201", 1, True), answers)
        outcome = answers.next()
        assert (outcome.ok, outcome.message, outcome.failure) == (True, "Added interface to queue", "")
        sent = asterisk.next_action("QueueAdd")
        assert (sent["Queue"], sent["Interface"], sent["Paused"]) == ("astcti", "SIP/201", "true")


def test_a_refused_action_is_answered_as_refused(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.answers["QueuePause"] = lambda action: response(action, "Error", "Permission denied")
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.queue_pause("SIP/201", True), answers)
        outcome = answers.next()
    assert (outcome.ok, outcome.failure, outcome.message) == (False, "refused", "Permission denied")
    assert "may not ask for QueuePause: add agent to its write = line in manager.conf" in caplog.text


def test_missing_privileges_are_found_right_after_the_login(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.answers["ListCommands"] = lambda action: response(
        action, "Success", "", *((name, "x") for name in ("Ping", "Logoff", "Status", "Hangup", "Redirect"))
    )
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.ping(), answers)  # answered after the list of commands
        assert answers.next().ok
    assert "may not ask for QueueAdd: add agent to its write" in caplog.text
    assert "may not ask for Originate: add originate (in Asterisk 1.4: call) to its write" in caplog.text
    assert "Status" not in caplog.text


def few_commands(action: dict[str, str]) -> bytes:
    return response(action, "Success", "", ("Ping", "x"), ("Logoff", "x"))


def test_what_the_user_may_do_is_judged_once_asterisk_has_loaded_its_modules(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.booted = False
    all_commands = asterisk.answers["ListCommands"]
    asterisk.answers["ListCommands"] = few_commands
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok
        assert listener.booted.empty()
        asterisk.answers["ListCommands"] = all_commands
        asterisk.send(BOOTED)
        listener.booted.get(timeout=PATIENCE)
        asterisk.send(BOOTED)  # Asterisk 1.8.0 says it whenever anybody logs in
        assert listener.next_event().name == "FullyBooted"
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok
        assert listener.booted.empty()
    asked = [asterisk.actions.get(timeout=PATIENCE)["Action"] for _ in range(asterisk.actions.qsize())]
    assert asked.count("ListCommands") == 1
    assert "may not ask for" not in caplog.text


def test_an_asterisk_that_does_not_say_when_it_has_started_is_judged_after_a_while(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    asterisk.booted = False
    asterisk.answers["ListCommands"] = few_commands
    answers = Answers()
    with run(limits=replace(PATIENT, boot=0.02)) as ami:
        listener.next("up")
        listener.booted.get(timeout=PATIENCE)
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok
    assert "may not ask for QueueAdd: add agent to its write" in caplog.text


def test_a_list_is_collected_and_its_entries_are_not_told_as_events(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    def listed(action: dict[str, str]) -> bytes:
        ours = ("ActionID", action["ActionID"])
        return (
            response(action, "Success", "Channel status will follow")
            + block(("Event", "Status"), ("Uniqueid", "1.1"), ours)
            + block(("Event", "Hangup"), ("Uniqueid", "9.9"))
            + block(("Event", "Status"), ours, ("Uniqueid", "1.2"))
            + block(("Event", "StatusComplete"), ours)
        )

    asterisk.answers["Status"] = listed
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.status(["calldata"]), answers)
        outcome = answers.next()
        assert outcome.ok
        assert [event.get("Uniqueid") for event in outcome.events] == ["1.1", "1.2", ""]
        assert listener.next_event().name == "Hangup"
        assert asterisk.next_action("Status")["Variables"] == "calldata"


def test_a_response_without_action_id_answers_the_oldest_action(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    asterisk.answers["QueueRemove"] = lambda action: b""
    asterisk.answers["QueueAdd"] = lambda action: (
        block(("Response", "Error"), ("Message", "first")) + response(action, "Success", "second")
    )
    first, second = Answers(), Answers()
    with run() as ami:
        listener.next("up")
        asterisk.next_action("ListCommands")
        ami.requests.submit(actions.queue_remove("astcti", "SIP/201"), first)
        ami.requests.submit(actions.queue_add("astcti", "SIP/201"), second)
        assert first.next().message == "first"
        assert second.next().message == "second"


def test_an_action_without_answer_times_out_and_its_late_answer_disturbs_nobody(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    late: queue.Queue[bytes] = queue.Queue()

    def keep(action: dict[str, str]) -> bytes:
        late.put(response(action, "Success", "too late"))
        return b""

    asterisk.answers["QueueAdd"] = keep
    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.queue_add("astcti", "SIP/201"), answers, timeout=0.05)
        outcome = answers.next()
        assert (outcome.ok, outcome.failure) == (False, "timeout")
        asterisk.send(late.get(timeout=PATIENCE))
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok
        assert not answers.more


def test_values_that_would_inject_an_action_are_refused_before_anything_is_sent(
    listener: FakeListener, run: RunLink
) -> None:
    answers = Answers()
    with run() as ami:
        listener.next("up")
        with pytest.raises(ValueError, match="line break"):
            ami.requests.submit(actions.originate("SIP/201", "outbound", "1\r\nAction: Command"), answers)
        assert not answers.more


def test_an_event_whose_handling_fails_ends_only_itself(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    listener.fails_on = "Newchannel"
    with run():
        listener.next("up")
        asterisk.event("Newchannel", ("Uniqueid", "1.1"))
        asterisk.event("Hangup", ("Uniqueid", "1.1"))
        assert listener.next_event().name == "Hangup"
    assert "Event: Newchannel" in caplog.text


def test_a_chunk_whose_end_fails_does_not_end_the_link(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    with run():
        listener.next("up")
        listener.fails_on = "end of chunk"
        asterisk.event("Newchannel", ("Uniqueid", "1.1"))
        assert listener.next_event().name == "Newchannel"
        asterisk.event("Hangup", ("Uniqueid", "1.1"))
        assert listener.next_event().name == "Hangup"
    assert "this chunk cannot be ended" in caplog.text


def test_an_answer_whose_handling_fails_ends_only_itself(
    listener: FakeListener, run: RunLink, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_outcome: object) -> None:
        raise RuntimeError("this answer cannot be handled")

    answers = Answers()
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.ping(), fail)
        ami.requests.submit(actions.ping(), answers)
        assert answers.next().ok
    assert "this answer cannot be handled" in caplog.text


def test_posted_work_and_timers_run_on_the_ami_thread_even_without_a_connection(
    asterisk: FakeAsterisk, run: RunLink
) -> None:
    asterisk.stop_listening()
    done = threading.Event()
    threads: list[str] = []
    with run(pause=60.0) as ami:

        def begin() -> None:
            never = ami.requests.later(0.0, lambda: threads.append("cancelled timers must not run"))
            never.cancel()
            ami.requests.later(0.01, finish)

        def finish() -> None:
            threads.append(threading.current_thread().name)
            done.set()

        ami.requests.post(begin)
        assert done.wait(PATIENCE)
    assert threads == ["ami"]


def test_stopping_sends_what_was_submitted_then_logs_off(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    with run() as ami:
        listener.next("up")
        ami.requests.submit(actions.queue_remove("astcti", "SIP/201"), Answers())
        ami.link.stop()
        asterisk.next_action("QueueRemove")
        asterisk.next_action("Logoff")
    assert listener.told.empty()


def test_what_posted_work_submits_is_sent_at_once_and_answered_after_it(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    answers = Answers()
    answered_meanwhile: list[bool] = []
    with run() as ami:
        listener.next("up")

        def work() -> None:
            ami.requests.submit(actions.queue_remove("astcti", "SIP/201"), answers)
            answered_meanwhile.append(answers.more)

        ami.requests.post(work)
        ami.link.stop()  # what waits in the inbox after this is not sent any more
        asterisk.next_action("QueueRemove")
        asterisk.next_action("Logoff")
    assert answered_meanwhile == [False]


def test_the_listener_is_told_where_a_chunk_begins_and_ends_whatever_is_in_it(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    listener.fails_on = "Hangup"
    with run():
        listener.next("up")
        asterisk.event("Hangup", Channel="SIP/201-1")
        asterisk.event("Newchannel", Channel="SIP/201-1")
        listener.next_event()
        asterisk.drop()
        listener.next("down")
        until(lambda: listener.chunks == listener.chunks_over)
        assert listener.chunks > 0


def test_the_actions_of_one_turn_are_sent_together(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand logins at once would be a thousand system calls, in each of which another thread goes on."""
    answers = Answers()
    sent: list[bytes] = []
    send = AmiConnection.flush

    def counted(connection: AmiConnection) -> None:
        sent.append(b"")
        send(connection)

    with run() as ami:
        listener.next("up")
        asterisk.next_action("ListCommands")
        monkeypatch.setattr(AmiConnection, "flush", counted)

        def work() -> None:
            for number in range(100):
                ami.requests.submit(actions.queue_add("astcti", f"SIP/{number}"), answers)

        ami.requests.post(work)
        for number in range(100):
            assert asterisk.next_action("QueueAdd")["Interface"] == f"SIP/{number}"
        assert len(sent) == 1


def test_a_loop_that_is_woken_while_it_only_waits_is_woken_once() -> None:
    """At the goodbye the wake-up was never read: the loop went round and round until Asterisk hung up."""
    loop = AmiLoop(time.monotonic)
    loop.open()
    loop.wake()
    loop.wait(PATIENCE)
    assert loop.selector.select(0) == []
    loop.close()


def test_an_action_after_the_end_is_answered_at_once(listener: FakeListener, run: RunLink) -> None:
    with run() as ami:
        listener.next("up")
    answers = Answers()
    ami.requests.submit(actions.ping(), answers)
    assert answers.more
    assert answers.next().failure == "down"
    assert not ami.requests.up


def test_a_link_that_was_stopped_before_it_started_ends_at_once(asterisk: FakeAsterisk) -> None:
    ami = Ami(asterisk.port, FakeListener())
    answers = Answers()
    ami.requests.submit(actions.ping(), answers)
    ami.link.stop()
    ami.link.start()
    ami.link.join(PATIENCE)
    assert not ami.link.is_alive()
    assert answers.next().failure == "down"


def test_the_recording_has_every_byte_but_the_challenge(
    asterisk: FakeAsterisk, listener: FakeListener, run: RunLink
) -> None:
    file = io.BytesIO()
    with run(record=file.write) as ami:
        listener.next("up")
        pinged = Answers()
        ami.requests.submit(actions.ping(), pinged)
        pinged.next()  # all that a login asks is answered now, so no answer falls into half a block
        asterisk.event("RTCPSent", ("To", "10.0.0.1"))
        asterisk.send(b"Event: Hangup\r\nUniqueid: 1.1\r\n\r\nEvent: Newcha")
        listener.next_event()
        asterisk.drop()
        listener.next("down")
        listener.next("up")
    recorded = file.getvalue()
    assert recorded.count(b"Asterisk Call Manager/11.0.0\r\n") == 2
    assert b"RTCPSent" in recorded
    assert b"Event: Newcha\r\n\r\nAsterisk Call Manager" in recorded
    assert b"Challenge: ***\r\n" in recorded
    assert asterisk.challenge.encode() not in recorded

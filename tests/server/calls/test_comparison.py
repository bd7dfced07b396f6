"""Calls whose hang-up got lost: the channels known are compared with those that Asterisk has, old and new."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pytest

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.requests import AmiRequests
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent, AmiResponse
from astcti_server.ami.wire.parser import AmiBanner, AmiParser
from astcti_server.call_comparison import ASK_AGAIN_AFTER, ENTRIES_AT_ONCE, CallComparison
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from tests.fake.asterisk import block
from tests.fake.clock import FakeClock
from tests.fake.story import configuration

INTERVAL: Final = 300.0
LONGEST: Final = 400.0  # with all that spreads it


class Asterisk22:
    """What Asterisk 22 says: greeting, an answered direct call, an entry of a list, and no such channel."""

    version = "11.0.0"

    @staticmethod
    def call(caller: str, phone: str) -> bytes:
        caller_channel = (("Channel", f"PJSIP/trunk-{caller}"), ("Uniqueid", caller), ("Linkedid", caller))
        phone_channel = (("Channel", f"PJSIP/201-{phone}"), ("Uniqueid", phone), ("Linkedid", caller))
        dest = tuple((f"Dest{key}", value) for key, value in phone_channel)
        return b"".join(
            (
                block(
                    ("Event", "Newchannel"),
                    *caller_channel,
                    ("ChannelStateDesc", "Ring"),
                    ("CallerIDNum", "333"),
                    ("Context", "direct"),
                    ("Exten", "301"),
                ),
                block(("Event", "Newchannel"), *phone_channel, ("ChannelStateDesc", "Down")),
                block(("Event", "DialBegin"), *caller_channel, *dest),
                block(("Event", "Newstate"), *phone_channel, ("ChannelStateDesc", "Ringing")),
                block(("Event", "Newstate"), *phone_channel, ("ChannelStateDesc", "Up")),
                block(("Event", "BridgeEnter"), ("BridgeUniqueid", f"b{phone}"), *phone_channel),
                block(("Event", "BridgeEnter"), ("BridgeUniqueid", f"b{phone}"), *caller_channel),
            )
        )

    @staticmethod
    def entry(action_id: str, uniqueid: str) -> bytes:
        channel = ("Channel", f"PJSIP/{uniqueid}-1")
        return block(("Event", "Status"), channel, ("Uniqueid", uniqueid), ("ActionID", action_id))

    @staticmethod
    def end(action_id: str, count: int) -> bytes:
        return block(("Event", "StatusComplete"), ("ActionID", action_id), ("Items", str(count)))

    @staticmethod
    def nothing(action_id: str) -> bytes:
        return block(("Response", "Error"), ("ActionID", action_id), ("Message", "No such channel"))


class Asterisk14(Asterisk22):
    """What Asterisk 1.4 says; it acknowledges before it says `No such channel` (action_status)."""

    version = "1.0"

    @staticmethod
    def call(caller: str, phone: str) -> bytes:
        caller_channel = (("Channel", f"PJSIP/trunk-{caller}"), ("Uniqueid", caller))
        phone_channel = (("Channel", f"PJSIP/201-{phone}"), ("Uniqueid", phone))
        ends = (("Source", caller_channel[0][1]), ("Destination", phone_channel[0][1]))
        ids = (("SrcUniqueID", caller), ("DestUniqueID", phone))
        linked = (("Channel1", ends[0][1]), ("Channel2", ends[1][1]))
        linked_ids = (("Uniqueid1", caller), ("Uniqueid2", phone))
        newexten = (("Context", "direct"), ("Extension", "301"), ("Priority", "1"), ("Application", "Dial"))
        return b"".join(
            (
                block(("Event", "Newchannel"), *caller_channel, ("State", "Ring"), ("CallerIDNum", "333")),
                block(("Event", "Newexten"), *caller_channel, *newexten, ("AppData", "PJSIP/201")),
                block(("Event", "Newchannel"), *phone_channel, ("State", "Down")),
                block(("Event", "Dial"), *ends, ("CallerID", "333"), *ids),
                block(("Event", "Newstate"), *phone_channel, ("State", "Ringing"), ("CallerID", "333")),
                block(("Event", "Newstate"), *phone_channel, ("State", "Up"), ("CallerID", "333")),
                block(("Event", "Link"), *linked, *linked_ids),
            )
        )

    @staticmethod
    def end(action_id: str, count: int) -> bytes:
        return block(("Event", "StatusComplete"), ("ActionID", action_id))

    @staticmethod
    def nothing(action_id: str) -> bytes:
        began = block(("Response", "Success"), ("ActionID", action_id), ("Message", "will follow"))
        return began + Asterisk22.nothing(action_id)


class Comparing:
    """The AMI thread's parts without a thread: bytes in, questions and notifications out, time by hand."""

    def __init__(self, asterisk: type[Asterisk22] = Asterisk22, interval: float = INTERVAL) -> None:
        self.asterisk = asterisk
        self.clock = FakeClock()
        self.requests = AmiRequests("astcti", self.clock)
        self.sent: list[dict[str, str]] = []
        self.told: list[Notification] = []
        self._parser = AmiParser(EventFilter(everything=True))
        self._dialect = Dialect()
        self._dialect.greeting(AmiBanner(f"Asterisk Call Manager/{asterisk.version}"))
        self.tracker = Tracker(lambda: {"PJSIP/201": "mario"})
        self.tracker.configure(configuration(), all_calls=False)
        self.comparison = CallComparison(self.requests, self._dialect, self.tracker, self.told.extend)
        self.comparison.configure(interval)
        self.requests.loop.open()
        self.requests.begin(self._write)
        self._parser.feed(b"Asterisk Call Manager/1\r\n")
        self.comparison.link_up()

    def close(self) -> None:
        self.requests.loop.close()

    def _write(self, data: bytes) -> None:
        lines = data.decode().strip().split("\r\n")
        self.sent.append(dict(line.split(": ", 1) for line in lines))

    def hear(self, data: bytes) -> None:
        """Read what Asterisk sent, as the link does."""
        for message in self._parser.feed(data):
            if isinstance(message, AmiResponse):
                self.requests.take_response(message)
            elif isinstance(message, AmiEvent) and not self.requests.take_event(message):
                for happened in self._dialect.translate(message):
                    self.told.extend(self.tracker.handle(happened))

    def turn(self) -> bool:
        """One turn of the loop; whether there was anything to do."""
        due = self.requests.loop.timers.take_due()
        for work in due:
            work()
        return bool(due)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.go_on(seconds)
        while self.turn():
            pass

    def question(self) -> dict[str, str]:
        """The only question that was not answered yet."""
        (action,) = self.sent
        self.sent.clear()
        assert action["Action"] == "Status"
        return action

    def asked_for_the_list(self) -> str:
        """Wait for the next comparison; the ActionID of its question."""
        self.wait(LONGEST)
        action = self.question()
        assert "Channel" not in action
        return action["ActionID"]

    def list_has(self, action_id: str, *uniqueids: str) -> None:
        """Asterisk answers with these channels."""
        entries = b"".join(self.asterisk.entry(action_id, uniqueid) for uniqueid in uniqueids)
        begins = block(("Response", "Success"), ("ActionID", action_id), ("Message", "will follow"))
        self.hear(begins + entries + self.asterisk.end(action_id, len(uniqueids)))
        while self.turn():
            pass

    def asked_for(self) -> tuple[str, str]:
        """The name that is asked for now, and the ActionID."""
        action = self.question()
        return action["Channel"], action["ActionID"]

    def there_is_none(self, action_id: str) -> None:
        self.hear(self.asterisk.nothing(action_id))
        while self.turn():
            pass

    @property
    def ids(self) -> list[str]:
        """What mario was told since the last time."""
        told: list[str] = [notification.event.id for notification in self.told]
        self.told.clear()
        return told


@pytest.fixture(params=[Asterisk14, Asterisk22], ids=["1.4", "22"])
def talking(request: pytest.FixtureRequest) -> Iterable[Comparing]:
    """mario talks to a caller: channels `1.1` and `1.2`."""
    comparing = Comparing(request.param)
    comparing.hear(request.param.call("1.1", "1.2"))
    assert comparing.ids[-1] == "Link"
    yield comparing
    comparing.close()


@pytest.fixture
def plain() -> Iterable[Comparing]:
    comparing = Comparing()
    yield comparing
    comparing.close()


def test_a_call_that_asterisk_has_no_more_is_ended_as_by_its_hangup(
    talking: Comparing, caplog: pytest.LogCaptureFixture
) -> None:
    talking.list_has(talking.asked_for_the_list())
    assert talking.ids == [], "seen once"
    talking.wait(ASK_AGAIN_AFTER)
    for _ in range(2):
        _name, action_id = talking.asked_for()
        talking.there_is_none(action_id)
    assert talking.ids == ["Unlink", "Hangup"]
    assert len(talking.tracker.table) == 0
    assert "did not tell that they hung up: PJSIP/trunk-1.1, PJSIP/201-1.2" in caplog.text
    talking.hear(talking.asterisk.call("2.1", "2.2"))
    assert talking.ids[-1] == "Link", "the next call is told as ever"


def test_a_call_that_is_listed_is_left_alone(talking: Comparing) -> None:
    for _ in range(3):
        talking.list_has(talking.asked_for_the_list(), "1.1", "1.2", "7.7")
        talking.wait(ASK_AGAIN_AFTER)
        assert talking.sent == []
    assert talking.ids == []


def test_a_call_that_only_the_list_lacks_is_left_alone(talking: Comparing) -> None:
    talking.list_has(talking.asked_for_the_list(), "1.1")
    talking.wait(ASK_AGAIN_AFTER)
    name, action_id = talking.asked_for()
    assert name == "PJSIP/201-1.2"
    talking.list_has(action_id, "1.2")
    assert talking.ids == []
    assert talking.sent == []
    talking.list_has(talking.asked_for_the_list(), "1.1", "1.2")


def test_a_channel_whose_name_another_one_has_now_is_gone(talking: Comparing) -> None:
    talking.list_has(talking.asked_for_the_list(), "1.1")
    talking.wait(ASK_AGAIN_AFTER)
    talking.list_has(talking.asked_for()[1], "9.9")
    assert talking.ids == ["Unlink", "Hangup"]


def test_a_channel_that_is_renamed_during_the_question_is_left_alone(talking: Comparing) -> None:
    talking.list_has(talking.asked_for_the_list(), "1.1")
    talking.wait(ASK_AGAIN_AFTER)
    name, action_id = talking.asked_for()
    names = ("Oldname", name), ("Channel", name), ("Newname", f"{name}<MASQ>")
    talking.hear(block(("Event", "Rename"), *names, ("Uniqueid", "1.2")))
    talking.there_is_none(action_id)
    assert "Hangup" not in talking.ids


def test_a_call_that_began_during_the_question_is_not_looked_for(talking: Comparing) -> None:
    action_id = talking.asked_for_the_list()
    talking.hear(talking.asterisk.call("2.1", "2.2"))
    talking.list_has(action_id, "1.1", "1.2")
    talking.wait(ASK_AGAIN_AFTER)
    assert talking.sent == []
    assert talking.ids[-1] == "Link"


def test_a_call_that_ends_in_the_ordinary_way_meanwhile_is_told_once(talking: Comparing) -> None:
    talking.list_has(talking.asked_for_the_list())
    for uniqueid, name in (("1.2", "PJSIP/201-1.2"), ("1.1", "PJSIP/trunk-1.1")):
        talking.hear(block(("Event", "Hangup"), ("Channel", name), ("Uniqueid", uniqueid), ("Cause", "16")))
    assert talking.ids == ["Unlink", "Hangup"]
    talking.wait(ASK_AGAIN_AFTER)
    assert talking.sent == []
    assert talking.ids == []


@pytest.mark.parametrize("message", ["Permission denied", "Something else"])
def test_a_question_that_is_refused_proves_nothing(talking: Comparing, message: str) -> None:
    def refuse(action_id: str) -> None:
        talking.hear(block(("Response", "Error"), ("ActionID", action_id), ("Message", message)))

    refuse(talking.asked_for_the_list())
    talking.wait(ASK_AGAIN_AFTER)
    assert talking.sent == []
    talking.list_has(talking.asked_for_the_list(), "1.1")
    talking.wait(ASK_AGAIN_AFTER)
    refuse(talking.asked_for()[1])
    talking.wait(ASK_AGAIN_AFTER)
    assert talking.ids == []


def test_a_question_that_is_not_answered_proves_nothing(talking: Comparing) -> None:
    talking.asked_for_the_list()
    talking.wait(60.0)
    assert talking.sent == []
    talking.list_has(talking.asked_for_the_list(), "1.1")
    talking.wait(ASK_AGAIN_AFTER)
    talking.asked_for()
    talking.wait(60.0)
    assert talking.ids == []


def test_nothing_is_concluded_from_answers_to_a_connection_that_is_lost(talking: Comparing) -> None:
    talking.list_has(talking.asked_for_the_list())
    talking.comparison.link_lost()
    talking.requests.end("lost")
    talking.wait(LONGEST)
    assert talking.sent == []
    assert talking.ids == []


def test_where_no_call_is_known_nothing_is_asked(plain: Comparing) -> None:
    plain.wait(LONGEST)
    assert plain.sent == []
    plain.hear(Asterisk22.call("1.1", "1.2"))
    plain.asked_for_the_list()


def test_it_can_be_switched_off_and_on_while_the_link_is_up(plain: Comparing) -> None:
    plain.hear(Asterisk22.call("1.1", "1.2"))
    plain.comparison.configure(0.0)
    plain.wait(10 * LONGEST)
    assert plain.sent == []
    plain.comparison.configure(10.0)
    plain.wait(11.0)
    assert plain.question()


def test_a_thousand_channels_are_gone_through_in_many_turns(plain: Comparing) -> None:
    uniqueids = [f"{number}.{end}" for number in range(500) for end in (1, 2)]
    for number in range(500):
        plain.hear(Asterisk22.call(f"{number}.1", f"{number}.2"))
    plain.told.clear()
    action_id = plain.asked_for_the_list()
    entries = b"".join(Asterisk22.entry(action_id, uniqueid) for uniqueid in uniqueids[:-300])
    plain.hear(block(("Response", "Success"), ("ActionID", action_id)) + entries)
    plain.hear(Asterisk22.end(action_id, 700))
    turns = 0
    while plain.turn():
        turns += 1
    assert turns == 700 // ENTRIES_AT_ONCE  # the first two hundred with the answer itself
    plain.wait(ASK_AGAIN_AFTER)
    for _ in range(300):
        plain.there_is_none(plain.asked_for()[1])  # one question, and one call, at a time
    assert len(plain.tracker.table) == 700
    assert plain.sent == []

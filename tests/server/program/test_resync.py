"""What is asked of Asterisk at each login, and which of the variables that it lists are the calls' own."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.calls.notification import Notification
from astcti_server.calls.tracker import Tracker
from astcti_server.resync import MOST_GLOBALS, Resync
from tests.fake.asterisk import FakeAsterisk, Headers, block, response
from tests.fake.link_listener import FakeListener
from tests.fake.patience import PATIENCE
from tests.fake.running_link import Ami, running
from tests.fake.story import configuration


class Variables:
    """Answers Getvar and Status as Asterisk 16 and 22 do, with one channel, `c`."""

    def __init__(self) -> None:
        self.of_all: dict[str, str] = {}
        self.own: dict[str, str] = {}

    def getvar(self, action: Headers) -> bytes:
        name = action["Variable"]
        assert "Channel" not in action
        return response(action, "Success", "", ("Variable", name), ("Value", self.of_all.get(name, "")))

    def status(self, action: Headers) -> bytes:
        names = [name for name in action.get("Variables", "").split(",") if name]
        values = [self.own.get(name) or self.of_all.get(name) or "(null)" for name in names]
        listed = [("Variable", f"{name}={value}") for name, value in zip(names, values, strict=True)]
        number = ("ActionID", action["ActionID"])
        channel = (("Channel", "PJSIP/trunk-c"), ("Uniqueid", "c"), ("Linkedid", "c"))
        return (
            response(action, "Success", "Channel status will follow", ("EventList", "start"))
            + block(("Event", "Status"), number, *channel, ("ChannelStateDesc", "Up"), *listed)
            + block(("Event", "StatusComplete"), number, ("EventList", "Complete"))
        )


class Reading:
    """Reads the channels of a fake Asterisk into a tracker."""

    def __init__(self, asterisk: FakeAsterisk, ami: Ami) -> None:
        self.variables = Variables()
        asterisk.answers["Getvar"] = self.variables.getvar
        asterisk.answers["Status"] = self.variables.status
        asterisk.answers["QueueStatus"] = self._nobody_waits
        self._requests = ami.requests
        self._read: queue.Queue[dict[str, str]] = queue.Queue()
        self.told_without: queue.Queue[list[Notification]] = queue.Queue()
        """What was told because the channels could not be read."""
        self.tracker = Tracker(dict)
        self.tracker.configure(configuration(), all_calls=False)
        self.resync = Resync(
            ami.requests, Dialect(), self.tracker, lambda _told: self._note(), self._tell_without
        )

    def values(self) -> dict[str, str]:
        """Read everything; what is then known of the channel's variables."""
        self._requests.post(self.resync.start)
        self._read.get(timeout=PATIENCE)
        return self._read.get(timeout=PATIENCE)

    def start(self, *, lost: bool = True) -> None:
        """Begin to read, as after the login that follows a loss, or after the first one."""
        if lost:
            self._requests.post(lambda: self.resync.link_lost(0.0))
        self._requests.post(self.resync.start)

    def _tell_without(self) -> None:
        self.told_without.put(self.tracker.channels_unread())

    def _note(self) -> None:
        """Told of the channels first, then of the queues: when the second comes all is read."""
        call = self.tracker.table.find("c")
        self._read.put(dict(call.party.variables) if call is not None else {})

    def _nobody_waits(self, action: Headers) -> bytes:
        end = block(("Event", "QueueStatusComplete"), ("ActionID", action["ActionID"]))
        return response(action, "Success", "Queue status will follow") + end


@pytest.fixture
def asterisk() -> Iterator[FakeAsterisk]:
    with FakeAsterisk() as asterisk:
        yield asterisk


@pytest.fixture
def listener() -> FakeListener:
    return FakeListener()


@pytest.fixture
def reading(asterisk: FakeAsterisk, listener: FakeListener) -> Iterator[Reading]:
    with running(asterisk.port, listener) as ami:
        listener.next("up")
        yield Reading(asterisk, ami)


def test_a_global_variable_is_no_value_of_a_call(reading: Reading) -> None:
    reading.resync.configure(frozenset({"calldata", "ticket", "other"}), late_pop_up=30.0)
    reading.variables.of_all = {"calldata": "of all", "ticket": "of all"}
    reading.variables.own = {"ticket": "own"}
    assert reading.values() == {"ticket": "own"}


def test_a_value_stays_over_a_reading_until_the_channel_has_it_no_more(reading: Reading) -> None:
    reading.resync.configure(frozenset({"calldata", "ticket"}), late_pop_up=30.0)
    reading.variables.own = {"calldata": "12345", "ticket": "7"}
    assert reading.values() == {"calldata": "12345", "ticket": "7"}
    reading.variables.of_all = {"calldata": "12345", "ticket": "of all"}
    assert reading.values() == {"calldata": "12345", "ticket": "7"}
    reading.variables.own = {"calldata": "12345"}
    assert reading.values() == {"calldata": "12345"}


def test_who_may_not_ask_for_global_variables_reads_the_rest_as_ever(
    asterisk: FakeAsterisk, reading: Reading
) -> None:
    asterisk.answers["Getvar"] = lambda action: response(action, "Error", "Permission denied")
    reading.resync.configure(frozenset({"calldata", "ticket"}), late_pop_up=30.0)
    reading.variables.of_all = {"calldata": "of all"}
    reading.variables.own = {"ticket": "7"}
    assert reading.values() == {"calldata": "of all", "ticket": "7"}


def test_each_declared_variable_is_asked_for_once_and_nothing_else_is(
    asterisk: FakeAsterisk, reading: Reading
) -> None:
    reading.resync.configure(frozenset({"calldata", "ticket", "CDR(userfield)"}), late_pop_up=30.0)
    reading.values()
    asked = []
    while (action := asterisk.actions.get(timeout=PATIENCE))["Action"] != "Status":
        asked += [action["Variable"]] if action["Action"] == "Getvar" else []
    assert asked == ["calldata", "ticket"]
    assert action["Variables"] == "CDR(userfield),calldata,ticket"


def test_variables_without_end_are_read_but_not_all_told_from_global_ones(
    asterisk: FakeAsterisk, reading: Reading
) -> None:
    names = [f"v{number:04}" for number in range(MOST_GLOBALS + 1)]
    reading.resync.configure(frozenset(names), late_pop_up=30.0)
    reading.variables.of_all = dict.fromkeys(names, "of all")
    reading.variables.own = {names[0]: "first", names[-2]: "last but one"}
    assert reading.values() == {names[0]: "first", names[-2]: "last but one", names[-1]: "of all"}


def test_of_many_variables_each_is_forgotten_once_the_channel_has_it_no_more(reading: Reading) -> None:
    """More than Asterisk takes in one list: what those before the last one say counts as well."""
    names = [f"v{number:03}" for number in range(150)]
    reading.resync.configure(frozenset(names), late_pop_up=30.0)
    reading.variables.own = dict.fromkeys(names, "own")
    assert reading.values() == reading.variables.own
    del reading.variables.own[names[0]], reading.variables.own[names[-1]]
    assert reading.values() == reading.variables.own


def test_calls_do_not_wait_for_channels_that_may_not_be_read(
    asterisk: FakeAsterisk, reading: Reading
) -> None:
    asterisk.answers["Status"] = lambda action: response(action, "Error", "Permission denied")
    reading.start()
    assert reading.told_without.get(timeout=PATIENCE) == []
    assert not reading.tracker.awaits_channels


@pytest.mark.parametrize("lost", [True, False], ids=["after-a-loss", "at-the-start"])
def test_calls_wait_a_moment_only_for_channels_that_take_long(
    asterisk: FakeAsterisk, reading: Reading, lost: bool
) -> None:
    asterisk.answers["Status"] = lambda action: b""
    reading.start(lost=lost)
    asterisk.next_action("Status")
    assert reading.tracker.awaits_channels
    assert reading.told_without.get(timeout=PATIENCE) == []
    assert not reading.tracker.awaits_channels


def test_nobody_is_told_without_the_channels_because_the_connection_ends_before(
    asterisk: FakeAsterisk, reading: Reading, listener: FakeListener
) -> None:
    """A call without its variables, and over perhaps: the next login tells it with them, if it goes on."""
    asterisk.answers["Status"] = lambda action: b""
    reading.start(lost=False)
    asterisk.next_action("Status")
    asterisk.drop()
    listener.next("down")
    assert reading.told_without.empty()
    assert reading.tracker.awaits_channels

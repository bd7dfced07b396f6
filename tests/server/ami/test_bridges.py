"""The bridges of Asterisk 12 and later as edges, and the state that is read when connecting."""

from __future__ import annotations

import pytest

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.vocabulary import (
    Link,
    Newchannel,
    Newstate,
    QueueCaller,
    QueueServed,
    TelephoneEvent,
    Unlink,
    VariableSet,
    VariablesUnset,
)
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser


def events(text: str) -> list[AmiEvent]:
    data = "\r\n".join(line.strip() for line in text.strip().splitlines()) + "\r\n\r\n"
    parser = AmiParser(EventFilter(everything=True))
    return [message for message in parser.feed(data.encode()) if isinstance(message, AmiEvent)]


class Bridging:
    """Says BridgeEnter and BridgeLeave, and keeps the edges that the dialect tells of."""

    def __init__(self) -> None:
        self.dialect = Dialect()
        self.edges: set[frozenset[str]] = set()

    def say(self, name: str, channel: str = "", bridge: str = "b1", **more: str) -> list[TelephoneEvent]:
        lines = [f"Event: {name}", f"BridgeUniqueid: {bridge}"]
        fields = {"BridgeTechnology": "simple_bridge", "BridgeCreator": "<unknown>", **more}
        lines += [f"{key}: {value}" for key, value in fields.items()]
        lines += [f"Channel: PJSIP/{channel}-1", f"Uniqueid: {channel}"] if channel else []
        told = [
            translated for event in events("\n".join(lines)) for translated in self.dialect.translate(event)
        ]
        for event in told:
            if isinstance(event, Link):
                edge = frozenset((event.uniqueid1, event.uniqueid2))
                assert edge not in self.edges, "an edge that is there must not be told again"
                self.edges.add(edge)
            elif isinstance(event, Unlink):
                self.edges.remove(frozenset((event.uniqueid1, event.uniqueid2)))
        return told

    def enter(self, channel: str, bridge: str = "b1", **more: str) -> list[TelephoneEvent]:
        return self.say("BridgeEnter", channel, bridge, **more)

    def leave(self, channel: str, bridge: str = "b1", **more: str) -> list[TelephoneEvent]:
        return self.say("BridgeLeave", channel, bridge, **more)

    @property
    def pairs(self) -> set[str]:
        return {"-".join(sorted(edge)) for edge in self.edges}


@pytest.fixture
def pbx() -> Bridging:
    return Bridging()


def test_two_in_a_bridge_are_linked_until_one_leaves(pbx: Bridging) -> None:
    assert pbx.enter("agent") == []
    assert pbx.enter("caller") == [Link("caller", "PJSIP/caller-1", "agent", "PJSIP/agent-1")]
    assert pbx.leave("agent") == [Unlink("agent", "caller")]
    assert pbx.leave("caller") == []


def test_a_third_one_is_linked_with_both(pbx: Bridging) -> None:
    for channel in "abc":
        pbx.enter(channel, BridgeTechnology="simple_bridge" if channel != "c" else "softmix")
    assert pbx.pairs == {"a-b", "a-c", "b-c"}


def test_one_who_takes_a_place_ends_the_edges_of_the_former_first(pbx: Bridging) -> None:
    pbx.enter("half")
    pbx.enter("caller")
    told = pbx.enter("phone", SwapUniqueid="half")
    assert told == [Unlink("half", "caller"), Link("phone", "PJSIP/phone-1", "caller", "PJSIP/caller-1")]
    assert pbx.leave("half") == []
    assert pbx.pairs == {"caller-phone"}


def test_a_channel_is_in_one_bridge_at_a_time_even_if_leaving_was_not_told(pbx: Bridging) -> None:
    pbx.enter("a")
    pbx.enter("b")
    pbx.enter("c", "b2")
    pbx.enter("a", "b2")
    assert pbx.pairs == {"a-c"}
    assert pbx.leave("a", "b1") == [], "too late, it is elsewhere"
    assert pbx.pairs == {"a-c"}


def test_entering_twice_changes_nothing(pbx: Bridging) -> None:
    pbx.enter("a")
    pbx.enter("b")
    assert pbx.enter("b") == []


def test_in_a_merge_the_channels_leave_and_enter(pbx: Bridging) -> None:
    for channel, bridge in (("a", "b1"), ("boss", "b1"), ("boss2", "b2"), ("c", "b2")):
        pbx.enter(channel, bridge)
    pbx.say("BridgeMerge", ToBridgeUniqueid="b1", FromBridgeUniqueid="b2")
    assert pbx.pairs == {"a-boss", "boss2-c"}, "those who are not taken along make no pair with the rest"
    pbx.leave("boss")
    pbx.leave("c", "b2")
    pbx.enter("c", "b1")
    assert pbx.pairs == {"a-c"}


@pytest.mark.parametrize("kind", [{"BridgeTechnology": "holding_bridge"}, {"BridgeCreator": "ConfBridge"}])
def test_conferences_and_holding_bridges_link_nobody(pbx: Bridging, kind: dict[str, str]) -> None:
    assert pbx.enter("a", **kind) == []
    assert pbx.enter("b", **kind) == []
    assert pbx.leave("a", **kind) == []


def test_a_bridge_that_stops_holding_links_those_in_it_and_back(pbx: Bridging) -> None:
    pbx.enter("a", BridgeTechnology="holding_bridge")
    pbx.enter("b", BridgeTechnology="holding_bridge")
    pbx.enter("c", BridgeTechnology="softmix")
    assert pbx.pairs == {"a-b", "a-c", "b-c"}
    pbx.leave("c", BridgeTechnology="holding_bridge")
    assert pbx.pairs == set()


def test_destroying_a_bridge_ends_what_is_left(pbx: Bridging) -> None:
    pbx.enter("a")
    pbx.enter("b")
    assert pbx.say("BridgeDestroy") == [Unlink("a", "b")]
    assert pbx.say("BridgeDestroy") == []


def test_a_hangup_ends_edges_by_itself(pbx: Bridging) -> None:
    pbx.enter("a")
    pbx.enter("b")
    (event,) = events("Event: Hangup\nUniqueid: a\nChannel: PJSIP/a-1")
    assert len(pbx.dialect.translate(event)) == 1
    assert pbx.enter("c") == [Link("c", "PJSIP/c-1", "b", "PJSIP/b-1")]


def test_after_a_reset_nothing_is_known(pbx: Bridging) -> None:
    pbx.enter("a")
    pbx.dialect.reset()
    assert pbx.enter("b") == []


# -- reading the state ---------------------------------------------------------------------------------------


def test_the_channels_of_1_4_name_their_peers() -> None:
    told = Dialect().channels_from_status(
        events("""
        Event: Status
        Channel: SIP/200-1
        CallerID: 200
        CallerIDNum: 200
        CallerIDName: Demo
        State: Up
        Context: astctidemo
        Extension: 101
        Link: SIP/201-1
        Uniqueid: 1.1

        Event: Status
        Channel: SIP/201-1
        CallerIDName: <unknown>
        State: Up
        Link: SIP/200-1
        Uniqueid: 1.2

        Event: StatusComplete
        ActionID: 1

        Event: QueueEntry
        Queue: astcti
        Channel: SIP/200-1
    """)
    )
    assert told == [
        Newchannel("1.1", "SIP/200-1", "Up", "200", "Demo", "astctidemo", "101", ""),
        Newchannel("1.2", "SIP/201-1", "Up", "", "", "", "", ""),
        QueueCaller("1.1", "SIP/200-1", "astcti", True),
        Link("1.1", "SIP/200-1", "1.2", "SIP/201-1"),
    ]


def test_a_variable_that_a_channel_does_not_have_is_not_read() -> None:
    """Asterisk 16 and 22 print `(null)` for it, older ones nothing."""
    told = Dialect().channels_from_status(
        events("""
        Event: Status
        Channel: PJSIP/201-1
        ChannelStateDesc: Up
        Uniqueid: 1.1
        Linkedid: 1.1
        Variable: calldata=(null)
        Variable: ticket=
        Variable: other=7
    """)
    )
    assert told[1:] == [
        VariableSet("1.1", "PJSIP/201-1", "other", "7"),
        VariablesUnset("1.1", "PJSIP/201-1", (("calldata", ""), ("ticket", ""))),
    ]


def test_a_global_variable_is_not_taken_for_that_of_a_channel() -> None:
    """Asterisk looks among the global ones where a channel has none of that name (pbx_retrieve_variable)."""
    listed = events("""
        Event: Status
        Channel: PJSIP/201-1
        ChannelStateDesc: Up
        Uniqueid: 1.1
        Linkedid: 1.1
        Variable: calldata=of all
        Variable: ticket=own
        Variable: other=7
    """)
    told = Dialect().channels_from_status(listed, {"calldata": "of all", "ticket": "of all", "other": ""})
    assert told[1:] == [
        VariableSet("1.1", "PJSIP/201-1", "ticket", "own"),
        VariableSet("1.1", "PJSIP/201-1", "other", "7"),
        VariablesUnset("1.1", "PJSIP/201-1", (("calldata", "of all"),)),
    ]


def test_the_channels_of_1_6_to_11_name_the_ids_of_their_peers() -> None:
    told = Dialect().channels_from_status(
        events("""
        Event: Status
        Channel: SIP/200-1
        ChannelStateDesc: Up
        BridgedChannel: SIP/201-1
        BridgedUniqueid: 1.2
        Uniqueid: 1.1
        Variable: calldata=12345
        Variable: other=

        Event: Status
        Channel: SIP/201-1
        State: Up
        BridgedUniqueid: 1.1
        Uniqueid: 1.2
    """)
    )
    assert told[2:] == [
        VariableSet("1.1", "SIP/200-1", "calldata", "12345"),
        VariablesUnset("1.1", "SIP/200-1", (("other", ""),)),
        Link("1.1", "SIP/200-1", "1.2", "SIP/201-1"),
    ]


def status(channel: str, bridge: str = "", application: str = "", **more: str) -> str:
    fields = {"Channel": f"PJSIP/{channel}-1", "Uniqueid": channel, "ChannelStateDesc": "Up"}
    fields |= {"BridgeID": bridge, "Application": application, **more}
    return "Event: Status\n" + "\n".join(f"{key}: {value}" for key, value in fields.items()) + "\n\n"


def test_the_channels_of_12_and_later_name_their_bridge_which_lives_on() -> None:
    dialect = Dialect()
    told = dialect.channels_from_status(events(status("a", "b1") + status("b", "b1") + status("c")))
    assert told[3:] == [Link("b", "PJSIP/b-1", "a", "PJSIP/a-1")]
    (event,) = events("Event: BridgeLeave\nBridgeUniqueid: b1\nBridgeTechnology: simple_bridge\nUniqueid: a")
    assert dialect.translate(event) == [Unlink("a", "b")]


def test_the_caller_of_a_conversation_says_which_queue_gave_it_to_him() -> None:
    caller = status("a", "b1", "Queue", Data="astcti,htw,,,60")
    waiting = status("c", "", "Queue", Data="astcti")
    told = Dialect().channels_from_status(events(caller + status("b", "b1", "AppQueue") + waiting))
    served = [event for event in told if isinstance(event, QueueServed)]
    assert served == [QueueServed("a", "PJSIP/a-1", "astcti")]
    assert told.index(served[0]) < next(at for at, event in enumerate(told) if isinstance(event, Link))


def test_conferences_are_known_by_what_their_channels_run() -> None:
    told = Dialect().channels_from_status(events(status("a", "b1", "ConfBridge") + status("b", "b1")))
    assert not any(isinstance(event, Link) for event in told)


def test_a_ringing_phone_tells_who_is_shown_on_it() -> None:
    told = Dialect().channels_from_status(
        events(status("a", ChannelStateDesc="Ringing", ConnectedLineNum="333", ConnectedLineName="Demo"))
    )
    assert told[1] == Newstate("a", "PJSIP/a-1", "Ringing", "", "", "333", "Demo", "", "", "", False)


@pytest.mark.parametrize(
    ("said", "age"), [("7", 7), ("", None), ("0", 0), ("9" * 5000, None), ("-1", None), ("soon", None)]
)
def test_a_channel_tells_its_age_where_asterisk_says_it(said: str, age: int | None) -> None:
    more = {"Seconds": said} if said else {}
    (found,) = Dialect().channels_from_status(events(status("a", **more)))
    assert isinstance(found, Newchannel)
    assert found.age == age

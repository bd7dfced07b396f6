"""What Asterisks of all ages say, in the one vocabulary."""

from __future__ import annotations

import pytest

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.vocabulary import (
    AgentCalled,
    Dial,
    DialEnd,
    Hangup,
    HangupRequest,
    Link,
    Newchannel,
    Newexten,
    Newstate,
    OriginateResponse,
    Parked,
    QueueCaller,
    QueueMember,
    Rename,
    RingNoAnswer,
    TelephoneEvent,
    Unlink,
    Unparked,
    VariableSet,
)
from astcti_server.ami.wire.event_filter import EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiBanner, AmiParser


def events(text: str) -> list[AmiEvent]:
    """Events written with a line for each field and a blank line between them."""
    data = "\r\n".join(line.strip() for line in text.strip().splitlines()) + "\r\n\r\n"
    parser = AmiParser(EventFilter(everything=True))
    return [message for message in parser.feed(data.encode()) if isinstance(message, AmiEvent)]


class Speaker:
    """A dialect that is fed text."""

    def __init__(self, version: str = "") -> None:
        self.dialect = Dialect()
        if version:
            self.dialect.greeting(AmiBanner(f"Asterisk Call Manager/{version}"))

    def __call__(self, text: str) -> list[TelephoneEvent]:
        return [told for event in events(text) for told in self.dialect.translate(event)]


@pytest.fixture
def old() -> Speaker:
    """Asterisk 1.4."""
    return Speaker("1.0")


@pytest.fixture
def middle() -> Speaker:
    """Asterisk 11."""
    return Speaker("1.3")


@pytest.fixture
def new() -> Speaker:
    """Asterisk 22."""
    return Speaker("11.0.0")


# -- channels ------------------------------------------------------------------------------------------------


def test_a_channel_of_1_4(old: Speaker) -> None:
    assert old("""
        Event: Newchannel
        Channel: SIP/201-089639a0
        State: Down
        CallerIDNum: <unknown>
        CallerIDName: <unknown>
        Uniqueid: asterisk-1231258006.5
    """) == [Newchannel("asterisk-1231258006.5", "SIP/201-089639a0", "Down", "", "", "", "", "")]


def test_a_channel_of_12_and_later(new: Speaker) -> None:
    assert new("""
        Event: Newchannel
        Channel: PJSIP/caller-00000000
        ChannelState: 4
        ChannelStateDesc: Ring
        CallerIDNum: 3331234567
        CallerIDName: O\\'Brien \\"Bob\\"
        ConnectedLineNum: <unknown>
        Context: incoming
        Exten: 101
        Uniqueid: 1.0
        Linkedid: 1.0
    """) == [
        Newchannel(
            "1.0", "PJSIP/caller-00000000", "Ring", "3331234567", 'O\'Brien "Bob"', "incoming", "101", "1.0"
        )
    ]


def test_names_are_unescaped_only_where_asterisk_escapes_them() -> None:
    text = "Event: Newchannel\nUniqueid: 1.1\nChannel: SIP\\\\x-1\nCallerIDNum: 1\\\\2\n"
    text += "CallerIDName: a\\\\b\\nc"
    (escaped,) = Speaker("2.8.0")(text)
    (raw,) = Speaker("2.7.0")(text)
    assert isinstance(escaped, Newchannel) and isinstance(raw, Newchannel)
    assert (escaped.name, escaped.number, escaped.channel) == ("a\\b\nc", "1\\\\2", "SIP\\\\x-1")
    assert raw.name == "a\\\\b\\nc"


def newstate(number_key: str, connected: str = "") -> str:
    return f"""
        Event: Newstate
        Channel: SIP/201-1
        {"State" if number_key == "CallerID" else "ChannelStateDesc"}: Ringing
        {number_key}: 200
        CallerIDName: Demo
        {connected}
        Uniqueid: 1.5
    """.replace("\n        \n", "\n")


def test_a_ringing_channel_shows_the_caller_up_to_1_6_and_itself_later(old: Speaker) -> None:
    shown = Newstate("1.5", "SIP/201-1", "Ringing", "200", "Demo", "", "", "", "", "", True)
    assert old(newstate("CallerID")) == [shown]
    six = Speaker("1.1")
    assert six(newstate("CallerIDNum")) == [shown]
    eight = Speaker("1.1")
    assert eight(newstate("CallerIDNum", "ConnectedLineNum: 300")) == [
        shown._replace(connected_number="300", caller_shown=False)
    ]


def test_a_new_caller_id_says_no_state_and_keeps_the_family_in_mind() -> None:
    eight = Speaker("1.1")
    eight(newstate("CallerIDNum", "ConnectedLineNum: 300"))
    told = eight("Event: NewCallerid\nChannel: SIP/201-1\nCallerIDNum: 201\nCallerIDName: Me\nUniqueid: 1.5")
    assert told == [Newstate("1.5", "SIP/201-1", "", "201", "Me", "", "", "", "", "", False)]
    assert Speaker("1.0")("Event: Newcallerid\nChannel: SIP/201-1\nCallerID: 200\nUniqueid: 1.5") == [
        Newstate("1.5", "SIP/201-1", "", "200", "", "", "", "", "", "", True)
    ]


def test_renames_and_hangups(old: Speaker, middle: Speaker) -> None:
    assert old("Event: Rename\nOldname: SIP/1-1\nNewname: SIP/1-1<MASQ>\nUniqueid: 1.1") == [
        Rename("1.1", "SIP/1-1", "SIP/1-1<MASQ>")
    ]
    assert middle("Event: Rename\nChannel: SIP/1-1\nNewname: SIP/1-1<MASQ>\nUniqueid: 1.1") == [
        Rename("1.1", "SIP/1-1", "SIP/1-1<MASQ>")
    ]
    assert middle("Event: Hangup\nChannel: SIP/1-1<ZOMBIE>\nUniqueid: 1.1\nCause: 26\nCause-txt: Busy") == [
        Hangup("1.1", "SIP/1-1<ZOMBIE>", 26, "Busy")
    ]
    assert middle("Event: SoftHangupRequest\nChannel: SIP/1-1\nUniqueid: 1.1") == [HangupRequest("1.1")]


@pytest.mark.parametrize(
    ("said", "cause"),
    [("16", 16), (" 16 ", 16), ("", 0), ("x", 0), ("1_6", 0), ("9" * 11, 0), ("9" * 5000, 0), ("\u0661", 0)],
)
def test_a_number_has_as_many_digits_as_a_number_of_asterisk_can_have(
    said: str, cause: int, new: Speaker
) -> None:
    event = f"Event: Hangup\nChannel: SIP/1-1\nUniqueid: 1.1\nCause: {said}\nCause-txt: Busy"
    assert new(event) == [Hangup("1.1", "SIP/1-1", cause, "Busy")]


@pytest.mark.parametrize("version", ["9" * 5000, ".".join(["1"] * 5000), "1..0", "2.8.\u0661"])
def test_a_greeting_whose_version_is_none_leaves_it_to_the_events(version: str) -> None:
    event = "Event: Newchannel\nUniqueid: 1\nChannel: SIP/1-1\nChannelStateDesc: Up\nCallerIDName: a\\'b\n"
    (told,) = Speaker(version)(event + "Linkedid: 1")
    assert isinstance(told, Newchannel)
    assert told.name == "a'b"


def test_events_of_no_channel_say_nothing(new: Speaker) -> None:
    names = "Newchannel Newstate Newexten NewCallerid DialBegin DialEnd Link BridgeEnter BridgeLeave"
    for name in names.split():
        assert new(f"Event: {name}\nPrivilege: call,all") == []
    assert new("Event: FullyBooted\nStatus: Fully Booted") == []


# -- the dialplan and its variables --------------------------------------------------------------------------


def step(application: str, data: str) -> str:
    return f"""
        Event: Newexten
        Channel: SIP/200-1
        Context: astctidemo
        Extension: 101
        Priority: 3
        Application: {application}
        AppData: {data}
        Uniqueid: 1.4
    """


def assigned(told: list[TelephoneEvent]) -> dict[str, str]:
    return {event.name: event.value for event in told if isinstance(event, VariableSet)}


def test_a_set_is_a_step_and_a_variable(old: Speaker) -> None:
    assert old(step("Set", "calldata=12345")) == [
        Newexten("1.4", "SIP/200-1", "astctidemo", "101", "Set", "calldata=12345"),
        VariableSet("1.4", "SIP/200-1", "calldata", "12345"),
    ]


@pytest.mark.parametrize(
    ("application", "data", "expected"),
    [
        ("Set", "a=1|__b=2,3", {"a": "1", "b": "2,3"}),
        ("Set", "a=1|b=2|g", {}),
        ("Set", 'a="x|y"|b=\\|', {"a": "x|y", "b": "|"}),
        ("Set", "a=$[(1|2)]|b=2", {"a": "$[(1|2)]", "b": "2"}),
        ("Set", "GLOBAL(a)=1", {}),
        ("Set", "nothing", {}),
        ("NoOp", "a=1", {}),
    ],
)
def test_set_of_1_4_takes_several_separated_by_pipes(
    old: Speaker, application: str, data: str, expected: dict[str, str]
) -> None:
    assert assigned(old(step(application, data))) == expected


@pytest.mark.parametrize(
    ("application", "data", "expected"),
    [
        ("Set", "a=1|b=2,c=3", {"a": "1|b=2,c=3"}),
        ("Set", "_a=", {"a": ""}),
        ("MSet", 'a=1,__b="2,3"', {"a": "1", "b": "2,3"}),
        ("Set", "CDR(userfield)=x", {"CDR(userfield)": "x"}),
        ("Set", "Case=1", {"Case": "1"}),
    ],
)
def test_set_of_1_6_and_later_takes_one_and_mset_several(
    middle: Speaker, application: str, data: str, expected: dict[str, str]
) -> None:
    assert assigned(middle(step(application, data))) == expected


def test_the_family_is_known_by_the_events_where_no_greeting_was_read() -> None:
    nobody = Speaker()
    nobody("Event: Newchannel\nChannel: SIP/1-1\nState: Down\nUniqueid: 1.1")
    assert assigned(nobody(step("Set", "a=1|b=2"))) == {"a": "1", "b": "2"}
    nobody("Event: Newchannel\nChannel: SIP/1-1\nChannelStateDesc: Down\nUniqueid: 1.1")
    assert assigned(nobody(step("Set", "a=1|b=2"))) == {"a": "1|b=2"}


def test_varset_is_a_variable_unless_it_is_global(new: Speaker) -> None:
    text = "Event: VarSet\nChannel: {0}\nUniqueid: {1}\nVariable: {2}\nValue: {3}"
    assert new(text.format("SIP/1-1", "1.1", "__calldata", "a\\\\b\\nc")) == [
        VariableSet("1.1", "SIP/1-1", "calldata", "a\\b\nc")
    ]
    assert new(text.format("SIP/1-1", "1.1", "calldata", "")) == [
        VariableSet("1.1", "SIP/1-1", "calldata", "")
    ]
    assert new(text.format("none", "none", "calldata", "1")) == []


@pytest.mark.parametrize("odd", ["\t", "\x1f", "\u00a0"])
def test_only_blanks_and_underscores_before_a_name_are_no_part_of_it(new: Speaker, odd: str) -> None:
    """The filter of raw events takes such a variable for another one, too."""
    told = new(f"Event: VarSet\nChannel: SIP/1-1\nUniqueid: 1.1\nVariable: {odd}calldata\nValue: 1")
    assert told == [VariableSet("1.1", "SIP/1-1", f"{odd}calldata", "1")]
    assert assigned(new(step("Set", f" __calldata={odd}1"))) == {"calldata": f"{odd}1"}


def test_variables_that_events_carry_along(middle: Speaker, new: Speaker) -> None:
    told = middle("""
        Event: Bridge
        Bridgestate: Link
        Channel1: SIP/200-1
        Channel2: SIP/201-1
        Uniqueid1: 1.1
        Uniqueid2: 1.2
        ChanVariable(SIP/200-1): calldata=a=b
        ChanVariable(SIP/201-1): calldata=
        ChanVariable(SIP/201-1): agent=7
    """)
    assert told == [
        VariableSet("1.1", "SIP/200-1", "calldata", "a=b"),
        VariableSet("1.2", "SIP/201-1", "agent", "7"),
        Link("1.1", "SIP/200-1", "1.2", "SIP/201-1"),
    ]
    told = new("""
        Event: DialBegin
        Channel: PJSIP/caller-1
        Uniqueid: 1.1
        ChanVariable: calldata=O\\'Brien
        DestChannel: PJSIP/201-1
        DestUniqueid: 1.2
        DestChanVariable: agent=7
    """)
    assert told[:2] == [
        VariableSet("1.1", "PJSIP/caller-1", "calldata", "O'Brien"),
        VariableSet("1.2", "PJSIP/201-1", "agent", "7"),
    ]
    announced = new("Event: Newchannel\nChannel: PJSIP/1-1\nUniqueid: 1.3\nChanVariable: a=1")
    assert [type(event) for event in announced] == [Newchannel, VariableSet], "no variable before its channel"


# -- dialling ------------------------------------------------------------------------------------------------


def test_dial_of_1_4_has_only_a_start(old: Speaker) -> None:
    assert old("""
        Event: Dial
        Source: SIP/200-1
        Destination: SIP/201-1
        CallerID: 200
        CallerIDName: <unknown>
        SrcUniqueID: 1.1
        DestUniqueID: 1.2
    """) == [Dial("1.1", "SIP/200-1", "1.2", "SIP/201-1", "200", "", "")]


def test_dial_of_1_6_to_11_ends_for_the_phones_that_still_ring(middle: Speaker) -> None:
    begin = """
        Event: Dial
        SubEvent: Begin
        Channel: SIP/200-1
        Destination: SIP/20{0}-1
        CallerIDNum: 200
        CallerIDName: Demo
        UniqueID: 1.1
        DestUniqueID: 1.{0}
    """
    assert middle(begin.format(2)) == [Dial("1.1", "SIP/200-1", "1.2", "SIP/202-1", "200", "Demo", "")]
    middle(begin.format(3))
    middle("Event: Hangup\nChannel: SIP/202-1\nUniqueid: 1.2\nCause: 26")
    end = "Event: Dial\nSubEvent: End\nChannel: SIP/200-1\nUniqueID: 1.1\nDialStatus: ANSWER"
    assert middle(end) == [DialEnd("1.1", "SIP/200-1", "1.3", "SIP/203-1", "ANSWER")]
    assert middle(end) == []


def test_dial_of_12_and_later_may_have_no_source(new: Speaker) -> None:
    assert new("""
        Event: DialBegin
        DestChannel: PJSIP/201-1
        DestUniqueid: 1.2
        DestLinkedid: 1.2
        DestConnectedLineNum: <unknown>
        DestConnectedLineName: <unknown>
    """) == [Dial("", "", "1.2", "PJSIP/201-1", "", "", "1.2")]
    assert new("""
        Event: DialEnd
        Channel: PJSIP/caller-1
        Uniqueid: 1.1
        DestChannel: PJSIP/201-1
        DestUniqueid: 1.2
        DialStatus: NOANSWER
    """) == [DialEnd("1.1", "PJSIP/caller-1", "1.2", "PJSIP/201-1", "NOANSWER")]


def test_the_answer_to_an_originate(old: Speaker) -> None:
    assert old("""
        Event: OriginateResponse
        ActionID: 7
        Response: Failure
        Channel: SIP/201
        Context: outbound
        Exten: 0551
        Reason: 5
        Uniqueid: <null>
    """) == [OriginateResponse("7", "Failure", 5, "", "SIP/201", "0551", "outbound")]


# -- conversations -------------------------------------------------------------------------------------------

EDGE = "Channel1: SIP/200-1\nChannel2: SIP/201-1\nUniqueid1: 1.1\nUniqueid2: 1.2"


def test_links_before_12(old: Speaker, middle: Speaker) -> None:
    link, unlink = Link("1.1", "SIP/200-1", "1.2", "SIP/201-1"), Unlink("1.1", "1.2")
    assert old(f"Event: Link\n{EDGE}") == [link]
    assert old(f"Event: Unlink\n{EDGE}") == [unlink]
    assert middle(f"Event: Bridge\nBridgestate: Link\nBridgetype: core\n{EDGE}") == [link]
    assert middle(f"Event: Bridge\nBridgestate: Unlink\nBridgetype: core\n{EDGE}") == [unlink]
    assert middle(f"Event: Unlink\n{EDGE}") == [unlink], "the stray ones of 1.6 and 1.8"


@pytest.mark.parametrize("missing", ["Uniqueid1", "Uniqueid2"])
@pytest.mark.parametrize("event", ["Link", "Unlink"])
def test_an_edge_with_one_end_is_none(event: str, missing: str, old: Speaker) -> None:
    kept = "\n".join(line for line in EDGE.splitlines() if not line.startswith(missing))
    assert old(f"Event: {event}\n{kept}") == []


def test_a_proxy_greets_without_a_version_and_the_events_tell(new: Speaker) -> None:
    new.dialect.reset()
    new.dialect.greeting(AmiBanner("Asterisk Call Manager Proxy/1.30.0"))
    channel = "Channel: PJSIP/trunk-00000001\nChannelStateDesc: Ring\nCallerIDName: O\\'Brien\nUniqueid: 5.1"
    (told,) = new(f"Event: Newchannel\n{channel}\nLinkedid: 5.1")
    assert isinstance(told, Newchannel) and told.name == "O'Brien"


def test_a_dial_that_was_forwarded_did_not_end_by_the_caller(new: Speaker) -> None:
    ended = "Event: DialEnd\nDestChannel: PJSIP/201-1\nDestUniqueid: 1.2\nDialStatus: CANCEL"
    (told,) = new(f"{ended}\nForward: 202@phones")
    assert isinstance(told, DialEnd) and told.status == "FORWARD"


def test_a_transfer_tells_nothing_but_the_variables_it_carries(middle: Speaker, new: Speaker) -> None:
    assert middle("Event: Transfer\nTransferType: Blind\nUniqueid: 1.1\nTargetUniqueid: 1.2") == []
    assert new("""
        Event: BlindTransfer
        TransfererUniqueid: 1.1
        TransfereeChannel: PJSIP/caller-1
        TransfereeUniqueid: 1.2
        TransfereeChanVariable: calldata=12345
    """) == [VariableSet("1.2", "PJSIP/caller-1", "calldata", "12345")]
    assert new("Event: AttendedTransfer\nOrigTransfererUniqueid: 1.1\nTransfereeUniqueid: 1.2") == []


# -- queues --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "waiting"),
    [
        ("Join", True),
        ("QueueCallerJoin", True),
        ("QueueEntry", True),
        ("Leave", False),
        ("QueueCallerLeave", False),
        ("QueueCallerAbandon", False),
    ],
)
def test_callers_of_queues(new: Speaker, name: str, waiting: bool) -> None:
    assert new(f"Event: {name}\nChannel: SIP/200-1\nQueue: astcti\nUniqueid: 1.1") == [
        QueueCaller("1.1", "SIP/200-1", "astcti", waiting)
    ]
    assert new(f"Event: {name}\nChannel: SIP/200-1\nQueue: astcti") == []


def test_called_agents_of_all_ages(old: Speaker, middle: Speaker, new: Speaker) -> None:
    assert old("Event: AgentCalled\nAgentCalled: SIP/201\nChannelCalling: SIP/200-1\nVariable: a=1") == [
        AgentCalled("", "", "SIP/200-1", "", "", "SIP/201")
    ]
    assert middle("""
        Event: AgentCalled
        Queue: astcti
        AgentCalled: SIP/201
        ChannelCalling: SIP/200-1
        DestinationChannel: SIP/201-1
        Uniqueid: 1.1
        Variable: calldata=12345
        Variable: _b=2
    """) == [
        VariableSet("1.1", "SIP/200-1", "calldata", "12345"),
        VariableSet("1.1", "SIP/200-1", "b", "2"),
        AgentCalled("astcti", "1.1", "SIP/200-1", "", "SIP/201-1", "SIP/201"),
    ]
    assert new("""
        Event: AgentCalled
        Channel: PJSIP/caller-1
        Uniqueid: 1.1
        DestChannel: PJSIP/201-1
        DestUniqueid: 1.2
        Queue: astcti
        Interface: PJSIP/201
    """) == [AgentCalled("astcti", "1.1", "PJSIP/caller-1", "1.2", "PJSIP/201-1", "PJSIP/201")]
    assert new("Event: AgentRingNoAnswer\nDestChannel: PJSIP/201-1\nDestUniqueid: 1.2") == [
        RingNoAnswer("1.2", "PJSIP/201-1")
    ]
    assert old("Event: AgentConnect\nUniqueid: 1.1\nChannel: SIP/201-1\nVariable: a=1") == [
        VariableSet("1.1", "", "a", "1")
    ]


def test_members_of_all_ages(old: Speaker, new: Speaker) -> None:
    assert old("""
        Event: QueueMemberAdded
        Queue: astcti
        Location: SIP/201
        MemberName: Mario
        Membership: dynamic
        Penalty: 1
        Status: 1
        Paused: 0
    """) == [QueueMember("added", "astcti", "SIP/201", "Mario", "dynamic", 1, False, "", 1)]
    assert old("Event: QueueMemberPaused\nQueue: astcti\nLocation: SIP/201\nPaused: 1") == [
        QueueMember("paused", "astcti", "SIP/201", "", "", None, True, "", None)
    ]
    assert new("""
        Event: QueueMemberPause
        Queue: astcti
        MemberName: Mario
        Interface: PJSIP/201
        Membership: dynamic
        Penalty: 0
        Status: 5
        Paused: 1
        PausedReason: Lunch
    """) == [QueueMember("paused", "astcti", "PJSIP/201", "Mario", "dynamic", 0, True, "Lunch", 5)]
    assert new("Event: QueueMember\nQueue: astcti\nName: Mario\nLocation: PJSIP/201\nPaused: 0") == [
        QueueMember("entry", "astcti", "PJSIP/201", "Mario", "", None, False, "", None)
    ]


def test_parking_in_11_names_channels_and_who_fetched_by_name_alone(middle: Speaker) -> None:
    told = middle(
        """Event: ParkedCall
        Exten: 701
        Channel: SIP/trunk-1
        Parkinglot: default
        From: SIP/201-1
        Timeout: 45
        Uniqueid: 1.1

        Event: UnParkedCall
        Exten: 701
        Channel: SIP/trunk-1
        Parkinglot: default
        From: SIP/202-1

        Event: ParkedCallTimeOut
        Exten: 701
        Channel: SIP/trunk-2
        Parkinglot: default"""
    )
    assert told == [
        Parked("1.1", "SIP/trunk-1"),
        Unparked("", "SIP/trunk-1", "", "SIP/202-1"),
        Unparked("", "SIP/trunk-2", "", ""),
    ]


def test_parking_from_12_on_names_the_parked_and_who_fetched(new: Speaker) -> None:
    told = new(
        """Event: ParkedCall
        ParkeeChannel: PJSIP/trunk-1
        ParkeeUniqueid: 1.1
        ParkerDialString: PJSIP/201

        Event: UnParkedCall
        ParkeeChannel: PJSIP/trunk-1
        ParkeeUniqueid: 1.1
        RetrieverChannel: PJSIP/202-1
        RetrieverUniqueid: 1.2

        Event: ParkedCallGiveUp
        ParkeeChannel: PJSIP/trunk-2
        ParkeeUniqueid: 1.3"""
    )
    assert told == [
        Parked("1.1", "PJSIP/trunk-1"),
        Unparked("1.1", "PJSIP/trunk-1", "1.2", "PJSIP/202-1"),
        Unparked("1.3", "PJSIP/trunk-2", "", ""),
    ]

"""Events as XML: the specification's elements in its order, always one line, and back again."""

from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from schemas import event_xml, wire
from schemas.events import Action, Call, CallEvent, Cause, ConnectedParty, EventId, Originate
from schemas.protocol import MOST_SEQ

SCHEMA = etree.XMLSchema(etree.parse(str(Path(event_xml.__file__).with_name("event.xsd"))))
CALL = Call(
    uniqueid="1795430727.1",
    channel="PJSIP/201-00000001",
    calleridnum="3331234567",
    calleridname="Demo Caller",
    context="astctidemo",
    appdata=(("calldata", "12345"),),
    state="Up",
    linkedid="1795430724.0",
    direction="inbound",
    queue="astcti",
    connected=ConnectedParty("1795430724.0", "PJSIP/caller-00000000"),
)
LINK = CallEvent(
    "Link",
    CALL,
    "Demo",
    (
        Action("browser", url="https://crm.example/ticket?id=12345&from=3331234567"),
        Action("application", "windows", r"C:\crm\crm.exe", ("--ticket", "12345", "--name", "A Caller", "")),
    ),
)
CALL_XML = (
    "<call><uniqueid>1795430727.1</uniqueid><channel>PJSIP/201-00000001</channel>"
    "<calleridnum>3331234567</calleridnum><calleridname>Demo Caller</calleridname>"
    "<context>astctidemo</context>"
    '<appdata><data key="calldata">12345</data></appdata><state>Up</state>'
    "<linkedid>1795430724.0</linkedid><direction>inbound</direction><queue>astcti</queue>"
    "<connected><uniqueid>1795430724.0</uniqueid><channel>PJSIP/caller-00000000</channel></connected></call>"
)

anything = st.text(st.characters(codec=None), max_size=30)  # lone surrogates and control characters too
# What XML 1.0 leaves out (section 2.2), and of what it allows, tab and line ends.
forbidden = "".join(map(chr, [*range(0x20), *range(0xD800, 0xE000), 0xFFFE, 0xFFFF]))
legal = st.text(st.characters(codec="utf-8", exclude_characters=forbidden), max_size=30)


def events(text: st.SearchStrategy[str]) -> st.SearchStrategy[CallEvent]:
    named = text.filter(bool)
    calls = st.builds(
        Call,
        text,
        text,
        text,
        text,
        text,
        st.lists(st.tuples(named, text), max_size=3).map(tuple),
        text,
        text,
        st.sampled_from(["inbound", "outbound"]),
        text,
        st.none() | st.builds(ConnectedParty, text, text),
    )
    systems = st.sampled_from(["any", "linux", "windows", "macos"])
    actions = st.one_of(
        st.builds(
            Action,
            st.just("application"),
            systems,
            text,
            st.lists(text, max_size=3).map(tuple),
            st.just(""),
            st.just(""),
        ),
        st.builds(
            Action,
            st.sampled_from(["browser", "internal-browser"]),
            systems,
            st.just(""),
            st.just(()),
            text,
            st.just(""),
        ),
    )
    keyed = st.builds(Action._replace, actions, key=text)
    ends = st.sampled_from(["answered", "answered-elsewhere", "cancelled", "missed", "refused"])
    numbers = st.integers(-(2**31), 2**31 - 1)

    def told(
        triggers: st.SearchStrategy[Action], seqs: st.SearchStrategy[int]
    ) -> st.SearchStrategy[CallEvent]:
        return st.builds(
            CallEvent,
            st.sampled_from(get_args(EventId)),
            calls,
            text,
            st.lists(triggers, max_size=3).map(tuple),
            st.none() | st.builds(Cause, numbers, ends, text),
            st.none() | st.builds(Originate, text, text, numbers),
            st.booleans(),
            seqs,
            st.booleans(),
        )

    return told(actions, st.just(0)) | told(keyed, st.integers(1, MOST_SEQ))


def test_an_event_has_the_elements_of_the_specification_in_its_order_then_what_was_added() -> None:
    assert (
        event_xml.encode(LINK).decode()
        == (
            f'<event id="Link">{CALL_XML}<service>Demo</service>'
            '<trigger type="browser" os="any">'
            "<url>https://crm.example/ticket?id=12345&amp;from=3331234567</url></trigger>"
            r'<trigger type="application" os="windows"><application>C:\crm\crm.exe</application>'
            "<argument>--ticket</argument><argument>12345</argument><argument>--name</argument>"
            "<argument>A Caller</argument><argument></argument></trigger></event>"
        )
        + "\n"
    )


def test_a_hangup_tells_its_cause_and_how_the_call_ended() -> None:
    event = CallEvent("Hangup", CALL, "Demo", cause=Cause(16, "answered", "Normal Clearing"))
    assert event_xml.encode(event).decode() == (
        f'<event id="Hangup">{CALL_XML}<service>Demo</service>'
        '<cause code="16" end="answered">Normal Clearing</cause></event>\n'
    )


def test_an_originate_response_tells_what_was_dialled() -> None:
    event = CallEvent("OriginateResponse", CALL, "Out", originate=Originate("0551234", "Success", 4))
    assert event_xml.encode(event).decode() == (
        f'<event id="OriginateResponse">{CALL_XML}<service>Out</service>'
        '<originate exten="0551234" response="Success" reason="4"/></event>\n'
    )


def test_no_data_is_one_data_element_without_key_and_value() -> None:
    line = event_xml.encode(CallEvent("Newchannel", Call("1.1", "SIP/101-3f3f")))
    assert line == (
        b'<event id="Newchannel"><call><uniqueid>1.1</uniqueid><channel>SIP/101-3f3f</channel>'
        b"<calleridnum></calleridnum><calleridname></calleridname><context></context><appdata>"
        b'<data key=""></data></appdata><state></state><direction>inbound</direction></call></event>\n'
    )
    assert event_xml.decode(line).call.appdata == ()


def test_only_an_event_with_a_number_says_the_keys_of_its_triggers() -> None:
    keyed = LINK._replace(triggers=(Action("browser", url="http://crm/", key="0123456789abcdef"),), late=True)
    plain = event_xml.encode(keyed)
    numbered = event_xml.encode(keyed._replace(seq=7))
    assert b'key="0123456789abcdef"' not in plain
    assert numbered.startswith(b'<event id="Link" seq="7" late="true"><call>')
    assert b'<trigger type="browser" os="any" key="0123456789abcdef">' in numbered


def test_a_link_of_an_older_pair_says_that_it_is_repeated() -> None:
    line = event_xml.encode(CallEvent("Link", CALL, repeat=True))
    assert line.startswith(b'<event id="Link" repeat="true"><call>')


@given(events(legal))
def test_every_event_comes_back_as_it_was(event: CallEvent) -> None:
    assert event_xml.decode(event_xml.encode(event)) == event
    assert wire.parse_server_line(event_xml.encode(event)[:-1]) == event


@given(events(anything))
def test_whatever_the_values_hold_an_event_is_one_valid_line(event: CallEvent) -> None:
    line = event_xml.encode(event)
    assert line.startswith(b"<event ")
    assert line.count(b"\n") == 1
    assert line.endswith(b"</event>\n")
    assert len(line.decode().splitlines()) == 1
    SCHEMA.assertValid(etree.fromstring(line))


def test_line_breaks_and_tabs_in_a_value_survive_as_references() -> None:
    event = CallEvent("Link", Call("1.1", "SIP/1", calleridname="a\r\n100 OK\tb", appdata=(("k\n", "\n"),)))
    line = event_xml.encode(event)
    assert b"<calleridname>a&#13;&#10;100 OK&#9;b</calleridname>" in line
    assert event_xml.decode(line) == event


def test_characters_that_xml_forbids_are_dropped() -> None:
    event = CallEvent("Link", Call("1.1", "SIP/1", calleridname="a\x00b\x1bc\ud800d\ufffee"))
    assert b"<calleridname>abcde</calleridname>" in event_xml.encode(event)


@pytest.mark.parametrize("character", ["x", "é", "€", "😀", "&", "\ud800", "\x01"])
def test_a_value_is_cut_at_8_kib_between_characters_and_that_is_logged(
    character: str, caplog: pytest.LogCaptureFixture
) -> None:
    event = CallEvent("Link", Call("1.1", "SIP/1", appdata=(("k", "ab" + character * 9000),)))
    value = event_xml.decode(event_xml.encode(event)).call.appdata[0][1]
    assert len(value.encode()) <= event_xml.MAX_VALUE
    size = len(character.encode("utf-8", "ignore"))
    if character.isprintable():
        assert len(value.encode()) > event_xml.MAX_VALUE - size
        assert "cut to 8192 bytes" in caplog.text
        assert character * 10 not in caplog.text


def test_a_value_of_exactly_8_kib_is_left_alone(caplog: pytest.LogCaptureFixture) -> None:
    event = CallEvent("Link", Call("1.1", "SIP/1", calleridname="é" * 4096))
    assert event_xml.decode(event_xml.encode(event)) == event
    assert not caplog.records


@pytest.mark.parametrize(("count", "size"), [(40, 8192), (20_000, 5), (3_000, 100), (20_000, 1)])
def test_an_event_never_has_more_than_256_kib(
    count: int, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    data = tuple((f"name{number}", "&" * size) for number in range(count))
    line = event_xml.encode(CallEvent("Link", Call("1.1", "PJSIP/201-1", appdata=data), "Demo"))
    assert len(line) <= event_xml.MAX_EVENT
    SCHEMA.assertValid(etree.fromstring(line))
    found = event_xml.decode(line)
    assert (found.call.uniqueid, found.call.channel) == ("1.1", "PJSIP/201-1")
    assert ("were cut" in caplog.text) == bool(found.call.appdata)
    assert ("none is sent" in caplog.text) == (not found.call.appdata)


@pytest.mark.parametrize("character", ["x", '"', "\x7f", "😀", "\x01"])
def test_an_event_full_of_long_values_still_fits(character: str, caplog: pytest.LogCaptureFixture) -> None:
    long = character * 20_000
    data = ((long, long),) * 30
    call = Call(long, long, long, long, long, data, long, long, "inbound", long, ConnectedParty(long, long))
    actions = (Action("application", "any", long, (long,) * 50),) * 20
    event = CallEvent("Hangup", call, long, actions, Cause(16, "answered", long), Originate(long, long, 4))
    line = event_xml.encode(event)
    assert len(line) <= event_xml.MAX_EVENT
    SCHEMA.assertValid(etree.fromstring(line))
    assert caplog.records


def test_what_a_reader_does_not_know_is_skipped() -> None:
    line = (
        b'<event id="Link" new="1"><call><uniqueid>1.1</uniqueid><added><uniqueid>9</uniqueid></added>'
        b"<channel>SIP/1</channel></call><mood>good</mood>"
        b'<trigger type="hologram" os="any"><url>x</url></trigger>'
        b'<trigger type="browser" os="any"><url>https://x/</url><size>1</size></trigger></event>'
    )
    found = event_xml.decode(line)
    assert found == CallEvent("Link", Call("1.1", "SIP/1"), triggers=(Action("browser", url="https://x/"),))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "not XML"),
        (b"<event", "not XML"),
        (b"hello", "not XML"),
        (b'<event id="Link"/>', "not an event with a call"),
        (b'<evil id="Link"><call/></evil>', "not an event with a call"),
        (b'<event id="Party"><call/></event>', "unknown event 'Party'"),
        (b'<event id="Link"><call><direction>up</direction></call></event>', "unknown direction"),
        (b'<event id="Hangup"><call/><cause code="x" end="answered"/></event>', "code is not a number"),
        (
            b'<event id="Hangup"><call/><cause code="%s" end="answered"/></event>' % (b"9" * 4000),
            "code is not a number",
        ),
        (b'<event id="Hangup"><call/><cause code="16" end="eaten"/></event>', "unknown end"),
        (b'<!DOCTYPE event [<!ENTITY a "b">]><event id="Link"><call/></event>', "document type"),
        (b'<event id="Link"><call><channel>\xff</channel></call></event>', "not XML"),
    ],
)
def test_what_is_no_event_is_refused_with_a_reason(line: bytes, reason: str) -> None:
    with pytest.raises(event_xml.BadEvent, match=reason):
        event_xml.decode(line)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_event_or_refused(line: bytes) -> None:
    with pytest.raises(event_xml.BadEvent):
        event_xml.decode(b"<event>" + line)


@given(st.data())
def test_what_was_kept_of_the_last_call_never_gets_into_the_line_of_another(data: st.DataObject) -> None:
    encoder = event_xml.EventEncoder()
    event, other = data.draw(events(anything)), data.draw(events(anything))
    for field in data.draw(st.lists(st.sampled_from(Call._fields), max_size=6)):
        assert encoder.encode(event) == event_xml.encode(event)
        event = event._replace(call=event.call._replace(**{field: getattr(other.call, field)}))
        assert encoder.encode(event) == event_xml.encode(event)


def test_an_event_in_another_state_of_the_same_call_differs_in_its_state_alone() -> None:
    encoder = event_xml.EventEncoder()
    up = encoder.encode(LINK)
    ringing = encoder.encode(LINK._replace(call=CALL._replace(state="Ringing")))
    assert ringing == up.replace(b"<state>Up</state>", b"<state>Ringing</state>")
    long = encoder.encode(LINK._replace(call=CALL._replace(calleridname="x" * 10_000)))
    assert len(long) < 10_000 and encoder.encode(LINK) == up

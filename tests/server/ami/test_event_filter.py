"""What is dropped before it is parsed: exactly what nobody needs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from astcti_server.ami.dialect.translation import Dialect
from astcti_server.ami.wire.event_filter import EVENTS, EventFilter
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiParser
from schemas.configuration.model import Configuration, Service

FILTER = EventFilter(
    variables=frozenset({"calldata", "customer"}),
    contexts=frozenset({"astctidemo"}),
    queues=frozenset({"astcti"}),
)


def passes(*lines: str, event_filter: EventFilter = FILTER) -> bool:
    """Whether an event of these lines is parsed."""
    parser = AmiParser(event_filter)
    data = "\r\n".join(("Asterisk Call Manager/1.1", *lines, "", "")).encode()
    return any(isinstance(message, AmiEvent) for message in parser.feed(data))


def newexten(application: str, data: str, context: str = "default") -> tuple[str, ...]:
    return (
        "Event: Newexten",
        "Channel: SIP/200-1",
        f"Context: {context}",
        "Extension: 101",
        "Priority: 1",
        f"Application: {application}",
        f"AppData: {data}",
        "Uniqueid: 1.1",
    )


def test_a_variable_passes_if_it_is_declared() -> None:
    assert passes("Event: VarSet", "Variable: calldata", "Value: 1")
    assert passes("Event: VarSet", "Variable: __calldata", "Value: 1")
    assert passes("Event: VarSet", "Value: 1", "Variable: customer")
    assert not passes("Event: VarSet", "Variable: calldata2", "Value: calldata")
    assert not passes("Event: VarSet", "Variable: CALLDATA", "Value: 1")


def test_a_variable_that_is_not_written_as_asterisk_does_is_parsed_to_be_sure() -> None:
    assert passes("Event: VarSet", "variable:calldata", "Value: 1")


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("Set", "calldata=12345"),
        ("Set", "__calldata=12345"),
        ("set", "calldata="),
        ("Set", "other=1|calldata=2"),
        ("MSet", "other=1,_customer=2"),
        ("MSet", 'other="a,b",calldata=2'),
        ("Set", '"calldata=12345"'),
        ("Set", '__"calldata=12345"'),
        ("MSet", '" _call\\data=1"'),
        ("Queue", "astcti,htw,,,60"),
        ("Queue", "astcti|htw|||60"),
        ("Queue", "astcti"),
        ("Queue", "AstCti,htw,,,60"),
    ],
)
def test_a_step_that_sets_a_declared_variable_or_enters_a_queue_passes(application: str, data: str) -> None:
    assert passes(*newexten(application, data))


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("Set", "other=calldata"),
        ("Set", 'other="calldata"'),
        ("Set", '"other=calldata"'),
        ("MSet", "a=1,b=2"),
        ("Queue", "other,astcti"),
        ("Dial", "calldata=1"),
        ("", ""),
    ],
)
def test_any_other_step_is_dropped_unless_a_service_has_its_context(application: str, data: str) -> None:
    assert not passes(*newexten(application, data))
    assert passes(*newexten(application, data, context="astctidemo"))


def test_a_context_at_the_end_of_the_event_counts_too() -> None:
    assert passes("Event: Newexten", "Application: Dial", "Context: astctidemo")
    assert not passes("Event: Newexten", "Application: Dial", "Context: astctidemo2")


def test_an_event_that_answers_an_action_passes_whatever_it_is() -> None:
    assert passes("Event: CoreShowChannel", "ActionID: 7")
    assert not passes("Event: CoreShowChannel", "Channel: SIP/1-1")


def test_names_are_compared_without_case() -> None:
    assert passes("Event: Newcallerid", "Uniqueid: 1.1")
    assert passes("event: HANGUP", "Uniqueid: 1.1")


def test_a_members_device_status_is_skipped() -> None:
    assert not passes("Event: QueueMemberStatus", "Queue: astcti", "Interface: SIP/201", "Paused: 1")
    assert passes("Event: QueueMemberPaused", "Queue: astcti", "Interface: SIP/201", "Paused: 1")


def test_an_agent_who_answered_is_news_only_with_variables() -> None:
    assert not passes("Event: AgentConnect", "Queue: astcti", "Uniqueid: 1.1", "BridgedChannel: 1.2")
    assert passes("Event: AgentConnect", "Queue: astcti", "Uniqueid: 1.1", "Variable: calldata=1")
    assert passes("Event: AgentConnect", "Queue: astcti", "Uniqueid: 1.1", "ChanVariable: calldata=1")


def test_many_names_are_judged_as_few_are() -> None:
    many = frozenset(f"name{number}" for number in range(200))
    variables = many | FILTER.variables
    event_filter = EventFilter(variables=variables, contexts=FILTER.contexts, queues=FILTER.queues)
    for variable in ("calldata", "__calldata", "name7", "_name199", "name200", "other"):
        wanted = variable.lstrip("_") in event_filter.variables
        assert (
            passes("Event: VarSet", f"Variable: {variable}", "Value: 1", event_filter=event_filter) == wanted
        )
        assert passes(*newexten("Set", f"{variable}=1"), event_filter=event_filter) == wanted
    assert passes(*newexten("Dial", "SIP/1", context="astctidemo"), event_filter=event_filter)
    assert not passes(*newexten("Dial", "SIP/1"), event_filter=event_filter)


def test_everything_passes_when_wanted() -> None:
    assert passes("Event: RTCPSent", event_filter=EventFilter(everything=True))


def test_the_filter_of_a_configuration_is_that_of_its_enabled_services() -> None:
    services = (
        Service("Demo", "astctidemo", "inbound", True, "astcti", variables=("calldata",)),
        Service("Off", "off", "inbound", enabled=False, variables=("hidden",)),
    )
    event_filter = EventFilter.for_configuration(Configuration(services=services))
    assert event_filter == EventFilter(
        variables=frozenset({"calldata"}), contexts=frozenset({"astctidemo"}), queues=frozenset({"astcti"})
    )


def test_every_event_that_the_dialect_translates_is_parsed() -> None:
    translated = {name.lower() for name in Dialect().event_names}
    assert translated - {name.lower() for name in EVENTS} == {"varset", "newexten", "agentconnect"}


NAMES = st.sampled_from(
    ["calldata", "_calldata", "__customer", "other", "CALLDATA", "___calldata", "calldata2"]
)
APPLICATIONS = st.sampled_from(
    ["Set", "MSet", "set", "Queue", "QUEUE", "Dial", "SetVar", "Ques", "", "Macro"]
)
DATA = st.one_of(
    NAMES.map(lambda name: f"{name}=1"),
    st.lists(NAMES, min_size=2, max_size=3).map(lambda names: "|".join(f"{name}=1" for name in names)),
    st.sampled_from(["astcti", "astcti,t", "astcti|t", "astcti2,t", ",astcti", "calldata", ""]),
)
CONTEXTS = st.sampled_from(["astctidemo", "default", "", "astctidem", "astctidemo2"])


@settings(max_examples=300)
@given(APPLICATIONS, DATA, CONTEXTS, st.permutations(["Context", "Application", "AppData", "Uniqueid"]))
def test_a_step_is_judged_the_same_wherever_its_fields_stand(
    application: str, data: str, context: str, order: list[str]
) -> None:
    values = {"Context": context, "Application": application, "AppData": data, "Uniqueid": "1.1"}
    names = {piece.partition("=")[0].lstrip("_") for piece in data.split("|") if "=" in piece}
    sets = application.lower() in ("set", "mset")
    expected = (
        context == "astctidemo"
        or (sets and not names.isdisjoint(FILTER.variables))
        or (application.lower() == "queue" and data.replace("|", ",").split(",")[0] == "astcti")
    )
    found = passes("Event: Newexten", *(f"{key}: {values[key]}" for key in order))
    assert found or not expected, "a step that is needed must never be dropped"
    usual = order.index("AppData") == order.index("Application") + 1
    if usual and ("=" in data or not sets):
        assert found == expected, "what nobody needs is dropped where it is written as Asterisk does"

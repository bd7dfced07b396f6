"""The demo PBX's calls, event by event."""

import pytest

from astcti_server.demo.calls.members import ActionRefused
from tests.fake.pbx import StillEngine


@pytest.fixture
def pbx():
    return StillEngine()


def only(events, name, **fields):
    """The only event of that name with these values."""
    found = [
        event
        for event in events
        if event.name == name and all(event.get(key) == value for key, value in fields.items())
    ]
    assert len(found) == 1, (name, fields, len(found))
    return found[0]


def test_the_phone_shows_the_caller_while_it_rings(pbx):
    pbx.log_in("PJSIP/201")
    pbx.incoming_call("0551234", "O'Brien")
    ringing = only(pbx.take(), "Newstate", ChannelStateDesc="Ringing")
    assert ringing.get("CallerIDNum") == "201"
    assert ringing.get("ConnectedLineNum") == "0551234"
    assert ringing.get("ConnectedLineName") == "O\\'Brien", "names are escaped, as Asterisk does"


def test_variables_are_set_by_the_dialplan(pbx):
    pbx.incoming_call(digits="54321", variables={"ticket": "a b"})
    events = pbx.take()
    assert only(events, "VarSet", Variable="calldata").get("Value") == "54321"
    assert only(events, "VarSet", Variable="ticket").get("Value") == "a b"
    assert only(events, "Newexten", AppData="ticket=a b").get("Application") == "Set"


def test_without_a_free_member_the_caller_waits_and_is_put_through_later(pbx):
    pbx.incoming_call()
    assert "Newstate" in pbx.names()
    pbx.wheel.advance(30.0)
    assert pbx.names() == []
    pbx.log_in("PJSIP/201")
    pbx.wheel.advance()
    assert only(pbx.take(), "DialBegin").get("DialString") == "PJSIP/201"


def test_paused_and_busy_members_and_higher_penalties_do_not_ring(pbx):
    pbx.log_in("PJSIP/201", "PJSIP/202")
    pbx.log_in("PJSIP/203", penalty=2)
    pbx.queues.pause("PJSIP/201", True)
    pbx.incoming_call()
    assert [event.get("DialString") for event in pbx.take() if event.name == "DialBegin"] == ["PJSIP/202"]
    pbx.answer("PJSIP/202")
    pbx.incoming_call("2")
    assert [event.get("DialString") for event in pbx.take() if event.name == "DialBegin"] == ["PJSIP/203"]


def test_a_caller_who_gives_up_is_abandoned_and_the_phone_stops_ringing(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call()
    pbx.take()
    pbx.hang_up(caller)
    events = pbx.take()
    assert {event.get("DialStatus") for event in events if event.name == "DialEnd"} == {"CANCEL"}
    assert only(events, "QueueCallerAbandon").get("Position") == "1"
    assert only(events, "QueueCallerLeave").get("Count") == "0"
    hung_up = [event.get("Channel")[:9] for event in events if event.name == "Hangup"]
    assert hung_up == ["PJSIP/201", "PJSIP/cal"]
    assert only(events, "DeviceStateChange", Device="PJSIP/201").get("State") == "NOT_INUSE"
    assert pbx.channels == {}


def test_a_phone_that_nobody_answers_stops_and_rings_again(pbx):
    pbx.log_in("PJSIP/201")
    pbx.incoming_call()
    pbx.take()
    pbx.wheel.advance(15.0)
    events = pbx.take()
    assert only(events, "AgentRingNoAnswer").get("RingTime") == "15000"
    assert only(events, "Hangup").get("Channel").startswith("PJSIP/201")
    pbx.wheel.advance(1.0)
    assert "DialBegin" in pbx.names()


def test_a_refused_call_stays_in_the_queue(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call()
    pbx.take()
    pbx.refuse("PJSIP/201")
    events = pbx.take()
    assert only(events, "DialEnd").get("DialStatus") == "BUSY"
    assert only(events, "Hangup").get("Cause") == "17"
    assert not caller.gone


def test_a_queue_gives_up_after_a_minute(pbx):
    caller = pbx.incoming_call()
    pbx.wheel.advance(60.0)
    assert caller.gone
    assert only(pbx.take(), "VarSet", Variable="QUEUESTATUS").get("Value") == "TIMEOUT"


def test_the_agent_hangs_up(pbx):
    pbx.log_in("PJSIP/201")
    pbx.incoming_call()
    pbx.answer("PJSIP/201")
    pbx.take()
    pbx.hang_up("PJSIP/201")
    events = pbx.take()
    assert only(events, "AgentComplete").get("Reason") == "agent"
    assert only(events, "QueueMemberStatus").get("CallsTaken") == "1"
    assert pbx.channels == {}


def test_a_call_between_two_phones(pbx):
    pbx.dial_from("PJSIP/201", "202")
    begin = only(pbx.take(), "DialBegin")
    assert (begin.get("Channel")[:9], begin.get("DestChannel")[:9]) == ("PJSIP/201", "PJSIP/202")
    pbx.answer("PJSIP/202")
    entered = [event.get("Channel")[:9] for event in pbx.take() if event.name == "BridgeEnter"]
    assert entered == ["PJSIP/202", "PJSIP/201"]
    pbx.hang_up("PJSIP/202")
    assert pbx.channels == {}


def test_an_outside_number_leads_to_the_trunk(pbx):
    pbx.dial_from("PJSIP/201", "0551234", "outbound")
    assert only(pbx.take(), "DialBegin").get("DestChannel").startswith("PJSIP/caller")


def test_a_number_that_does_not_exist_ends_the_call(pbx):
    assert pbx.dial_from("PJSIP/201", "999").gone


def test_a_blind_transfer_rings_the_new_phone_and_frees_the_old_one(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call(digits="1")
    pbx.answer("PJSIP/201")
    pbx.take()
    pbx.transfer_blind("PJSIP/201", "202")
    events = pbx.take()
    names = [event.name for event in events]
    transfer = only(events, "BlindTransfer")
    assert (transfer.get("Extension"), transfer.get("Context")) == ("202", "astctidemo")
    assert transfer.get("TransfereeUniqueid") == caller.uniqueid
    assert names.index("BlindTransfer") < names.index("BridgeLeave") < names.index("DialBegin")
    assert only(events, "AgentComplete").get("Reason") == "transfer"
    assert only(events, "Hangup").get("Channel").startswith("PJSIP/201")
    pbx.answer("PJSIP/202")
    assert caller.peer is not None
    assert caller.peer.device == "PJSIP/202"
    pbx.hang_up(caller)
    assert pbx.channels == {}


def test_an_attended_transfer_puts_the_target_in_the_transferers_place(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call()
    first = pbx.answer("PJSIP/201")
    pbx.dial_from("PJSIP/201", "202")
    target = pbx.answer("PJSIP/202")
    pbx.take()
    pbx.transfer_attended("PJSIP/201")
    events = pbx.take()
    entered = only(events, "BridgeEnter")
    assert (entered.get("Uniqueid"), entered.get("SwapUniqueid")) == (target.uniqueid, first.uniqueid)
    assert only(events, "AttendedTransfer").get("DestBridgeUniqueid") == entered.get("BridgeUniqueid")
    assert [event.get("Channel")[:9] for event in events if event.name == "Hangup"] == ["PJSIP/201"] * 2
    assert caller.peer is target
    assert target.linkedid == caller.linkedid
    assert pbx.queues.by_name["astcti"].members["PJSIP/201"].calls_taken == 1
    pbx.hang_up("PJSIP/202")
    assert pbx.channels == {}


def test_a_pickup_moves_the_call_to_the_pickers_own_channel(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call()
    pbx.take()
    picker = pbx.pick_up("PJSIP/202", "PJSIP/201")
    events = pbx.take()
    assert only(events, "DialEnd").get("DestChannel") == picker.name
    assert only(events, "Pickup").get("TargetChannel").startswith("PJSIP/201")
    assert caller.peer is picker
    assert picker.linkedid == caller.linkedid
    pbx.hang_up(picker)
    assert pbx.channels == {}


def test_a_redirected_caller_leaves_whom_it_talked_to(pbx):
    pbx.log_in("PJSIP/201")
    caller = pbx.incoming_call()
    pbx.answer("PJSIP/201")
    pbx.redirect(caller, "astctidemo", "203")
    pbx.answer("PJSIP/203")
    assert caller.peer is not None
    assert caller.peer.device == "PJSIP/203"
    assert pbx.device_state("PJSIP/201") == "NOT_INUSE"


def test_the_called_party_of_an_outbound_call_can_be_redirected(pbx):
    mine = pbx.dial_from("PJSIP/201", "0551234", "outbound")
    theirs = pbx.answer("PJSIP/caller")
    pbx.redirect(theirs, "astctidemo", "202")
    assert mine.gone
    pbx.answer("PJSIP/202")
    assert theirs.peer is not None
    assert theirs.peer.device == "PJSIP/202"


def test_an_originated_call_rings_the_own_phone_first_and_then_dials(pbx):
    results = []
    pbx.originate("PJSIP/201", "outbound", "0551234", lambda *result: results.append(result))
    assert "PJSIP/201" in only(pbx.take(), "DialBegin").get("DestChannel")
    mine = pbx.answer("PJSIP/201")
    assert results == [("Success", 4, mine)]
    pbx.answer("PJSIP/caller")
    assert mine.peer is not None
    pbx.hang_up("PJSIP/201")
    assert pbx.channels == {}


def test_an_originated_call_is_in_its_extension_before_its_success_is_told(pbx):
    told = []
    pbx.originate("PJSIP/201", "outbound", "0551234", lambda *_: told.extend(pbx.take()))
    pbx.answer("PJSIP/201")
    step = only(told, "Newexten", Application="Dial")
    assert (step.get("Context"), step.get("Exten")) == ("outbound", "0551234")
    assert not any(event.name == "Newchannel" and "caller" in event.get("Channel") for event in told)


def test_an_originated_call_that_nobody_answers_fails(pbx):
    results = []
    pbx.originate("PJSIP/201", "outbound", "1", lambda *result: results.append(result), ring_time=5.0)
    pbx.wheel.advance(5.0)
    assert results == [("Failure", 3, None)]
    assert pbx.channels == {}


def test_a_queue_with_autopause_pauses_whoever_does_not_answer(pbx):
    pbx.queues.by_name["astcti"].autopause = True
    pbx.log_in("PJSIP/201")
    pbx.incoming_call()
    pbx.take()
    pbx.wheel.advance(15.0)
    paused = only(pbx.take(), "QueueMemberPause")
    assert (paused.get("Paused"), paused.get("PausedReason")) == ("1", "Auto-Pause")


def test_queue_actions_are_refused_in_asterisks_words(pbx):
    pbx.log_in("PJSIP/201")
    pbx.queues.add("astcti", "PJSIP/204", membership="static")
    for action, text in (
        (lambda: pbx.queues.add("astcti", "PJSIP/201"), "Unable to add interface: Already there"),
        (lambda: pbx.queues.add("none", "PJSIP/201"), "Unable to add interface to queue: No such queue"),
        (lambda: pbx.queues.remove("astcti", "PJSIP/203"), "Unable to remove interface: Not there"),
        (lambda: pbx.queues.remove("astcti", "PJSIP/204"), "Member not dynamic"),
        (lambda: pbx.queues.pause("PJSIP/203", True), "Interface not found"),
        (lambda: pbx.queues.set_penalty("PJSIP/203", 1), "Invalid interface, queuename or penalty"),
    ):
        with pytest.raises(ActionRefused, match=text):
            action()


def test_a_pause_in_all_queues_is_one_event_for_each_even_without_a_change(pbx):
    pbx.add_queue("sales", "sales", "s")
    pbx.log_in("PJSIP/201")
    pbx.log_in("PJSIP/201", queue="sales")
    pbx.take()
    for _ in range(2):
        pbx.queues.pause("PJSIP/201", True, "Lunch")
        events = [event for event in pbx.take() if event.name == "QueueMemberPause"]
        assert [event.get("Queue") for event in events] == ["astcti", "sales"]
        assert {event.get("PausedReason") for event in events} == {"Lunch"}


def test_the_same_seed_gives_the_same_events():
    def story():
        pbx = StillEngine(seed=7)
        pbx.log_in("PJSIP/201")
        pbx.incoming_call()
        pbx.answer("PJSIP/201")
        pbx.hang_up("PJSIP/201")
        return pbx.events

    assert story() == story()


def test_the_case_of_a_queues_name_does_not_matter(pbx):
    pbx.queues.add("ASTCTI", "PJSIP/201")
    assert only(pbx.take(), "QueueMemberAdded").get("Queue") == "astcti"
    pbx.queues.pause("PJSIP/201", True, queue_name="Astcti")
    pbx.queues.set_penalty("PJSIP/201", 3, "AstCTI")
    with pytest.raises(ActionRefused, match="Already there"):
        pbx.queues.add("astcti", "PJSIP/201")
    pbx.queues.remove("AstCti", "PJSIP/201")
    assert only(pbx.take(), "QueueMemberRemoved").get("Queue") == "astcti"

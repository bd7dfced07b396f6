"""What happens in a call that nothing pops up for is what is named first, whichever Asterisk tells of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from astcti_server.ami import vocabulary as ami
from astcti_server.calls.notification import Notification
from astcti_server.explain.explanations import Explanation
from schemas.configuration.model import Trigger
from schemas.event_xml import MAX_VALUE
from schemas.events import Call, CallEvent
from schemas.explanation.codes import TrailStep, Verdict
from schemas.explanation.words import told_at
from tests.fake.story import DEMO, DIRECT, OUTSIDE, Story, configuration
from tests.server.explain.conftest import calls_of, demo, office, transcript

TellStory = Callable[..., Story]


@pytest.fixture(params=["12 and later", "1.4 to 11"], name="tell")
def _tell(request: pytest.FixtureRequest) -> TellStory:
    def tell(*services: object, **more: object) -> Story:
        return Story(*services, old=request.param == "1.4 to 11", **more)  # type: ignore[arg-type]

    return tell


def ringing(story: Story, phone: str = "201", uid: str = "a") -> Story:
    """A caller waits in the queue, and a phone rings for him."""
    if "c" not in story.names:
        story.caller().queued().variable("c", "calldata", "12345").variable("c", "ticket", "7")
    return story.ring("c", uid, phone)


def answered(story: Story, phone: str = "201", uid: str = "a") -> Story:
    return ringing(story, phone, uid).state(uid, "Up").link("c", uid)


def first(found: Explanation) -> tuple[str, tuple[str, ...]]:
    return found.verdict.code, found.verdict.arguments


def odd(found: Explanation) -> list[tuple[str, tuple[str, ...]]]:
    return [(line.code, line.arguments) for line in found.odd]


# -- the phone was not answered ------------------------------------------------------------------------------


def test_another_phone_answered(tell: TellStory) -> None:
    story = ringing(ringing(tell(), "201", "a"), "202", "b").state("b", "Up").link("c", "b").hangup("a", 26)
    assert first(story.explained("201")) == (Verdict.POPPED_UP, ("PJSIP/201", "mario", "Demo", "ring"))
    assert odd(story.explained("201"))[0] == (Verdict.ANSWERED_ELSEWHERE, ("PJSIP/202",))


ANSWERED_ONLY = replace(DEMO, triggers=DEMO.triggers[:1])


def test_another_phone_answered_and_nothing_rings(tell: TellStory) -> None:
    story = ringing(ringing(tell(ANSWERED_ONLY), "201", "a"), "202", "b")
    story.state("b", "Up").link("c", "b").hangup("a", 26)
    assert first(story.explained("201")) == (Verdict.ANSWERED_ELSEWHERE, ("PJSIP/202",))


def test_the_caller_left(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY)).leaves("c").unqueued().hangup("a").hangup("c")
    assert first(story.explained("201")) == (Verdict.CALLER_LEFT, ())


def test_the_caller_left_before_any_phone_rang(tell: TellStory) -> None:
    story = tell(ANSWERED_ONLY).caller().queued().leaves("c").unqueued().hangup("c")
    assert first(story.explained("3331234567")) == (Verdict.CALLER_LEFT, ())


def test_nobody_answered(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY))
    story.event(ami.RingNoAnswer("a", story.names["a"])).hangup("a")
    assert first(story.explained("201")) == (Verdict.NOBODY_ANSWERED, ())


def test_the_phone_refused(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY)).hangup("a", 21)
    assert first(story.explained("201")) == (Verdict.REFUSED, ())


def test_the_phone_still_rings(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY))
    assert first(story.explained("201")) == (Verdict.NOT_YET, ())


def test_the_phone_was_connected_with_no_phone(tell: TellStory) -> None:
    story = tell().new("a", "PJSIP/201-a", "Ring", "201", "", "phones", "600").state("a", "Up")
    assert first(story.explained("201")) == (Verdict.NO_PHONE, ())
    assert first(story.hangup("a").explained("201")) == (Verdict.NO_PHONE, ())


@pytest.mark.parametrize("channel", ["Snoop/a-0001", "UnicastRTP/127.0.0.1:9999-0x1"])
def test_who_listens_in_and_a_media_channel_are_no_phones(tell: TellStory, channel: str) -> None:
    story = tell().new("a", "PJSIP/201-a", "Ring", "201", "", "phones", "600").state("a", "Up")
    story.new("s", channel, "Up").link("a", "s").hangup("a")
    assert first(story.explained("201")) == (Verdict.NO_PHONE, ())


@pytest.mark.parametrize("application", ["ConfBridge", "MeetMe", "VoiceMail", "Playback", "Echo", "ChanSpy"])
def test_what_plays_or_records_or_lets_listen_in_is_no_phone(tell: TellStory, application: str) -> None:
    story = tell().new("a", "PJSIP/201-a", "Ring", "201", "", "phones", "600").state("a", "Up")
    story.exten("a", "phones", "600", application).hangup("a")
    assert first(story.explained("201")) == (Verdict.NO_PHONE, ())


def in_a_conference(banner: str, *events: tuple[str, str]) -> bytes:
    """What Asterisk sends while two phones call a conference: each event by its name and its other lines."""
    blocks = [f"Asterisk Call Manager/{banner}".encode()]
    for number in ("201", "202"):
        own = f"Channel: PJSIP/{number}-0000000{number[-1]}\r\nUniqueid: 1.{number}\r\nLinkedid: 1.{number}"
        told = (
            (
                "Newchannel",
                "ChannelState: 4\r\nChannelStateDesc: Ring\r\nContext: phones\r\nExten: 600\r\n"
                f"CallerIDNum: {number}",
            ),
            ("Newstate", "ChannelState: 6\r\nChannelStateDesc: Up"),
            *events,
        )
        blocks += [f"Event: {name}\r\n{own}\r\n{lines}".encode() for name, lines in told]
    return blocks[0] + b"\r\n" + b"\r\n\r\n".join(blocks[1:]) + b"\r\n\r\n"


@pytest.mark.parametrize(
    ("banner", "event"),
    [
        (
            "5.0.2",
            (
                "BridgeEnter",
                "BridgeUniqueid: b1\r\nBridgeType: base\r\nBridgeTechnology: softmix\r\n"
                "BridgeCreator: ConfBridge\r\nBridgeName: 600\r\nBridgeNumChannels: 1",
            ),
        ),
        ("1.1", ("MeetmeJoin", "Meetme: 600\r\nUsernum: 1")),
    ],
    ids=["12 and later", "1.4 to 11"],
)
def test_two_in_a_conference_are_connected_with_no_phone(banner: str, event: tuple[str, str]) -> None:
    found = calls_of(in_a_conference(banner, event), office(demo()))
    for phone in ("201", "202"):
        assert first(found.explain(phone)[0]) == (Verdict.NO_PHONE, ())


def test_a_caller_who_reached_no_phone_at_all(tell: TellStory) -> None:
    story = tell(DIRECT).new("c", "PJSIP/trunk-c", "Ring", "3331234567", "", "direct", "1").state("c", "Up")
    assert first(story.hangup("c").explained("3331234567")) == (Verdict.NO_PHONE, ())


def test_a_caller_who_left_before_any_phone_rang(tell: TellStory) -> None:
    story = tell(DIRECT).new("c", "PJSIP/trunk-c", "Ring", "3331234567", "", "direct", "1").hangup("c")
    assert first(story.explained("3331234567")) == (Verdict.NO_SEAT_TOOK_PART, ())
    assert first(story.explained("last")) == (Verdict.NO_SEAT_TOOK_PART, ())


def test_the_number_that_was_called_did_not_answer(tell: TellStory) -> None:
    story = tell().new("a", "PJSIP/201-a", "Ring", "201", "", "outbound", "0551234").ring("a", "t", "trunk")
    assert first(story.hangup("t", 17).hangup("a", 17).explained("201")) == (Verdict.NOT_CONNECTED, ())


# -- who sat there -------------------------------------------------------------------------------------------


def test_nobody_was_logged_in(tell: TellStory) -> None:
    story = answered(tell(operators={})).hangup("a").hangup("c")
    assert first(story.explained("201")) == (Verdict.NOBODY_LOGGED_IN, ("PJSIP/201",))


def test_somebody_was_logged_in_without_a_seat(tell: TellStory) -> None:
    story = tell(operators={})
    story.marks.logged_in("mario", "")
    story.marks.logged_in("luisa", "PJSIP/202")
    answered(story)
    assert first(story.explained("201")) == (Verdict.LOGGED_IN_WITHOUT_SEAT, ("PJSIP/201", "mario"))


def test_the_client_was_lost_while_the_phone_rang(tell: TellStory) -> None:
    operators = {"PJSIP/201": "mario"}
    story = tell(operators=operators)
    story.marks.logged_in("mario", "PJSIP/201")
    ringing(story)
    del operators["PJSIP/201"]
    story.marks.logged_out("mario", "PJSIP/201", "connection lost: Connection reset by peer")
    story.state("a", "Up").link("c", "a").hangup("a")
    assert first(story.explained("201"))[0] == Verdict.POPPED_UP  # when it rang
    assert odd(story.explained("201"))[0] == (Verdict.CLIENT_LOST, ("mario",))


def test_the_client_could_not_be_told(tell: TellStory) -> None:
    story = answered(tell(ANSWERED_ONLY))
    link = next(told for told in story.told if told.event.id == "Link" and told.extension == "PJSIP/201")
    story.tracker.not_delivered(link)
    assert first(story.explained("201")) == (Verdict.CLIENT_LOST, ("mario",))


def test_the_client_was_lost_soon_after_the_pop_up(tell: TellStory) -> None:
    story = answered(tell(ANSWERED_ONLY)).later(4)
    story.marks.logged_out("mario", "PJSIP/201", "connection lost")
    found = story.explained("201")
    assert found.verdict.code == Verdict.POPPED_UP
    assert odd(found) == [(Verdict.CLIENT_LOST_LATER, ("mario", "4.0"))]


def test_the_session_was_taken_over(tell: TellStory) -> None:
    operators = {"PJSIP/201": "mario"}
    story = tell(ANSWERED_ONLY, operators=operators)
    story.marks.logged_in("mario", "PJSIP/201")
    ringing(story)
    story.marks.taken_over("mario", "PJSIP/201", "luisa")
    operators["PJSIP/201"] = "luisa"
    story.told += story.tracker.seated("PJSIP/201")
    story.state("a", "Up").link("c", "a")
    assert first(story.explained("mario")) == (Verdict.TAKEN_OVER, ("mario", "luisa"))
    assert first(story.explained("luisa")) == (Verdict.POPPED_UP, ("PJSIP/201", "luisa", "Demo", "answer"))


def test_somebody_who_logs_in_during_the_call_gets_no_pop_up(tell: TellStory) -> None:
    operators: dict[str, str] = {}
    story = answered(tell(operators=operators))
    operators["PJSIP/201"] = "mario"
    story.told += story.tracker.seated("PJSIP/201")
    assert first(story.explained("201")) == (Verdict.LOGGED_IN_DURING_CALL, ("mario",))


# -- it was told before --------------------------------------------------------------------------------------


def test_a_pair_that_meets_again_pops_up_once(tell: TellStory) -> None:
    story = answered(tell(ANSWERED_ONLY)).ring("a", "b", "202").state("b", "Up")
    story.unlink("c", "a").link("a", "b").unlink("a", "b").hangup("b").link("c", "a")
    found = story.explained("201")
    assert found.verdict.code == Verdict.POPPED_UP
    again = [line for line in found.story if line.code == TrailStep.TOLD_AGAIN]
    assert len(again) == 1


def test_a_pair_that_was_connected_before_the_operator_came_is_no_news_when_it_meets_again(
    tell: TellStory,
) -> None:
    operators: dict[str, str] = {"PJSIP/202": "luisa"}
    story = answered(tell(operators=operators)).ring("a", "b", "202").state("b", "Up")
    story.unlink("c", "a").link("a", "b")
    operators["PJSIP/201"] = "mario"
    story.unlink("a", "b").hangup("b").link("c", "a")
    assert first(story.explained("201")) == (Verdict.CONNECTED_BEFORE, ())


def test_a_ring_of_the_same_caller_within_a_minute_brings_nothing(tell: TellStory) -> None:
    story = ringing(tell())
    story.event(ami.RingNoAnswer("a", story.names["a"])).hangup("a").later(5)
    ringing(story, uid="b")
    story.event(ami.RingNoAnswer("b", story.names["b"])).hangup("b")
    found = story.explained("b")
    assert first(found) == (Verdict.NOBODY_ANSWERED, ())
    assert (Verdict.RUNG_BEFORE, ()) in odd(found)


def test_a_call_found_connected_after_the_link_came_back_pops_up_for_nobody(tell: TellStory) -> None:
    story = tell()
    story.marks.link(up=False)
    story.tracker.link_lost()
    story.later(30).marks.link(up=True)
    names = {"c": "PJSIP/trunk-c", "a": "PJSIP/201-a"}
    linked = ("", "") if story.old else ("c", "c")
    story.told += story.tracker.read_again(
        [
            ami.Newchannel("c", names["c"], "Up", "3331234567", "", "astctidemo", "101", linked[0]),
            ami.Newchannel("a", names["a"], "Up", "201", "", "", "", linked[1]),
            ami.Link("c", names["c"], "a", names["a"]),
            ami.QueueServed("c", names["c"], "astcti"),
        ]
    )
    assert first(story.explained("201")) == (Verdict.FOUND_CONNECTED, ())


def test_a_call_while_the_link_was_down_is_not_known(tell: TellStory) -> None:
    story = tell()
    story.marks.link(up=False)
    story.later(30).marks.link(up=True)
    assert first(story.explained("3331234567")) == (Verdict.PBX_DOWN, ("30",))


def test_a_call_during_which_the_link_was_down_says_so(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY))
    story.marks.link(up=False)
    story.later(7).marks.link(up=True)
    assert odd(story.explained("201")) == [(Verdict.PBX_DOWN, ("7.0",))]


def test_a_call_that_nobody_knows_of(tell: TellStory) -> None:
    assert first(tell().explained("3331234567")) == (Verdict.NO_CALL, ("3331234567",))


def test_a_ring_that_was_thrown_away_is_named_first(tell: TellStory) -> None:
    at_the_ring = replace(DEMO, triggers=(Trigger("browser", on="ring", url="https://crm.example/"),))
    story = tell(at_the_ring).caller().new("a", "PJSIP/201-a", "Down", "201", root="x")
    for turn in range(41):
        story.state("a", ("Ringing", "Down")[turn % 2])
    story.dial("c", "a").queued().state("a", "Up").link("c", "a")
    assert first(story.explained("201"))[0] == Verdict.HELD_EVENTS_LOST
    assert first(story.hangup("a").hangup("c").explained("201"))[0] == Verdict.HELD_EVENTS_LOST


def test_events_that_were_thrown_away_are_odd(tell: TellStory) -> None:
    story = tell().caller()
    story.new("a", "PJSIP/201-a", "Down", "201", root="x")
    for turn in range(40):
        story.state("a", ("Ringing", "Down")[turn % 2])
    story.hangup("a")
    assert (Verdict.HELD_EVENTS_LOST, ("9",)) in [
        (line.code, line.arguments) for line in story.explained("201").odd
    ]


# -- what the trigger lacks ----------------------------------------------------------------------------------


def test_a_variable_set_after_the_pop_up_is_late(tell: TellStory) -> None:
    story = tell(replace(ANSWERED_ONLY, variables=("calldata",))).caller().queued().ring("c", "a", "201")
    story.state("a", "Up").link("c", "a").later(2).variable("c", "calldata", "12345")
    found = story.explained("201")
    assert found.verdict.code == Verdict.POPPED_UP
    assert odd(found) == [(Verdict.VARIABLE_LATE, ("calldata", "2.0"))]


def test_a_variable_that_is_too_long_is_cut(tell: TellStory) -> None:
    story = tell(replace(ANSWERED_ONLY, variables=("calldata",))).caller().queued()
    story.variable("c", "calldata", "x" * (MAX_VALUE + 1)).ring("c", "a", "201").state("a", "Up").link(
        "c", "a"
    )
    found = story.explained("201")
    assert odd(found) == [(Verdict.VALUE_CUT, ("calldata", str(MAX_VALUE + 1)))]


def test_a_variable_that_was_never_set(tell: TellStory) -> None:
    story = tell(replace(ANSWERED_ONLY, variables=("calldata",))).caller().queued().ring("c", "a", "201")
    found = story.state("a", "Up").link("c", "a").explained("201")
    assert odd(found)[0] == (Verdict.VARIABLE_NEVER_SET, ("calldata",))
    assert "before Queue()" in told_at(found.odd[0])


# -- how the story tells it ----------------------------------------------------------------------------------


def how_it_ended(found: Explanation) -> list[tuple[str, ...]]:
    return [line.arguments for line in found.story if line.code == TrailStep.RING_ENDED]


def test_of_a_phone_that_a_queue_gave_up_the_story_says_once_that_nobody_answered(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY)).event(ami.RingNoAnswer("a", "PJSIP/201-a"))
    story.dial_end("c", "a", "CANCEL").hangup("a")
    assert how_it_ended(story.explained("201")) == [("NOANSWER",)]


def test_a_later_ring_of_the_same_phone_has_its_own_end(tell: TellStory) -> None:
    story = ringing(tell(ANSWERED_ONLY)).event(ami.RingNoAnswer("a", "PJSIP/201-a"))
    story.caller("d", "0551234").dial("d", "a").dial_end("d", "a", "CANCEL").hangup("a")
    assert how_it_ended(story.explained("201")) == [("NOANSWER",), ("CANCEL",)]


# -- the configuration ---------------------------------------------------------------------------------------


def test_a_configuration_that_came_during_the_call(tell: TellStory) -> None:
    story = tell(DIRECT)
    story.caller().queued().ring("c", "a", "201").state("a", "Up").link("c", "a").later(3)
    later = configuration(ANSWERED_ONLY)
    story.marks.configured(later)
    story.tracker.configure(later, all_calls=False)
    story.hangup("a").hangup("c")
    assert first(story.explained("201")) == (Verdict.CONFIGURATION_CHANGED, ("3",))


def test_an_outbound_service_pops_up_at_the_end_that_called(tell: TellStory) -> None:
    story = tell().new("a", "PJSIP/201-a", "Ring", "201", "", "outbound", "0551234").ring("a", "t", "trunk")
    story.state("t", "Up").link("a", "t")
    assert first(story.explained("201")) == (
        Verdict.POPPED_UP,
        ("PJSIP/201", "mario", "Outside line", "answer"),
    )


def test_an_outbound_service_does_not_pop_up_at_the_end_that_is_called(tell: TellStory) -> None:
    to_a_seat = replace(OUTSIDE, operators=DEMO.operators)
    story = (
        tell(to_a_seat).new("a", "PJSIP/201-a", "Ring", "201", "", "outbound", "202").ring("a", "b", "202")
    )
    story.state("b", "Up").link("a", "b")
    assert first(story.explained("202")) == (Verdict.OUTBOUND_AT_CALLED_END, ("Outside line",))


# -- what the client says of it ------------------------------------------------------------------------------


def test_a_forwarded_call_says_so() -> None:
    for name, technology in (("22-forwarding", "PJSIP"), ("16-forwarding", "SIP")):
        found = calls_of(transcript(name), office(demo(), technology=technology)).explain("201")[0]
        assert first(found) == (Verdict.FORWARDED, ())


def test_of_a_phone_that_never_rang_it_is_not_said_that_it_did() -> None:
    found = calls_of(transcript("old/11-forwarding-to-group"), office(demo(), technology="SIP"))
    assert first(found.explain("201")[0]) == (Verdict.REFUSED, ())


def test_a_phone_that_refuses_to_call_for_its_user_is_said_to_refuse() -> None:
    for name, technology in (("22-click-to-call-refused", "PJSIP"), ("16-click-to-call-refused", "SIP")):
        found = calls_of(transcript(name), office(demo(), technology=technology)).explain("201")[0]
        assert first(found) == (Verdict.REFUSED, ())


def test_of_an_unknown_leg_nothing_is_noted() -> None:
    story = answered(Story())
    story.tracker.not_delivered(
        Notification("PJSIP/201", CallEvent("Link", Call("elsewhere", "PJSIP/201-x")))
    )
    assert story.explained("201").verdict.code == Verdict.POPPED_UP


def test_triggers_for_hangup_alone_name_the_moment_while_the_call_goes_on(tell: TellStory) -> None:
    story = answered(tell(replace(DEMO, triggers=(Trigger("browser", on="hangup", url="https://crm/"),))))
    assert first(story.explained("201")) == (Verdict.OTHER_MOMENT, ("Demo", "hangup"))

"""Time on a connection: signs of life and overdue replies, with a clock set by hand and no socket."""

from __future__ import annotations

import itertools

import pytest

from astcti_client.net.conversation import MOST_UNREADABLE, Farewell, Lost, ServerConversation, TurnedAway
from astcti_client.net.messages import ConnectionMessage, IssuedCommand, ServerEvent, ServerReply, Unanswered
from astcti_client.net.resume_memory import ResumeMemory
from astcti_client.password import Password
from astcti_client.resume_position import ResumePosition
from schemas.event_xml import encode
from schemas.events import Call, CallEvent
from tests.client.conftest import Clock

LOG_IN = (
    "100 WELCOME\n110 CAPA MAC KEEPALIVE={}\n100 OK\n102 OK\n100 OK PJSIP/201\n"
    "220 outbound outbound Out\n220 END\n230 END\n"
)


class Talk:
    """A conversation and what came of it."""

    def __init__(self, clock: Clock, keep_alive: float = 0.0, resume: ResumePosition | None = None) -> None:
        self.messages: list[ConnectionMessage] = []
        self.clock, self.keep_alive = clock, keep_alive
        self.resume = ResumeMemory(resume)
        self.connect()

    def connect(self) -> None:
        """Begin anew, on a new connection."""
        self.conversation = ServerConversation(
            "mario",
            Password.from_text("test"),
            ["00:11:22:33:44:55"],
            deliver=self.messages.append,
            clock=self.clock,
            protection="verified",
            keep_alive=self.keep_alive,
            numbers=itertools.count(1),
            resume=self.resume,
        )

    def hear(self, text: str) -> list[str]:
        """Feed what the server says; the lines that the client says to it."""
        self.conversation.feed(text.encode())
        return self.said()

    def said(self) -> list[str]:
        lines = self.conversation.outgoing.decode().splitlines()
        self.conversation.outgoing.clear()
        return lines

    def after(self, seconds: float) -> list[str]:
        """What is said when so much time has passed."""
        self.clock.now += seconds
        self.conversation.tick()
        return self.said()


@pytest.fixture
def talk(clock: Clock) -> Talk:
    begun = Talk(clock)
    begun.hear(LOG_IN.format(60))
    assert begun.conversation.up
    return begun


def test_a_sign_of_life_goes_out_well_within_the_keep_alive_time(talk: Talk) -> None:
    assert talk.after(19.9) == []
    assert talk.after(0.2) == ["NOOP"]
    talk.hear("100 OK\n")
    assert talk.after(19.9) == []
    assert talk.after(0.2) == ["NOOP"]


def test_the_next_look_at_the_clock_is_not_later_than_the_sign_of_life(talk: Talk) -> None:
    assert talk.conversation.next_tick() == talk.clock.now + 20


@pytest.mark.parametrize(
    ("wish", "server", "every"),
    [(5.0, 60, 5.0), (300.0, 60, 30.0), (0.0, 9, 3.0), (0.0, 7.5, 2.5), (0.0, 0.001, 1 / 3)],
)
def test_the_wish_for_another_time_is_followed_as_far_as_the_server_allows(
    clock: Clock, wish: float, server: float, every: float
) -> None:
    talk = Talk(clock, wish)
    talk.hear(LOG_IN.format(server))
    assert talk.after(every - 0.1) == []
    assert talk.after(0.2) == ["NOOP"]


def test_any_command_counts_as_a_sign_of_life(talk: Talk) -> None:
    talk.after(15)
    talk.conversation.say(IssuedCommand(99, "PAUSE OUT"))
    talk.hear("300 OK\n")
    assert talk.said() == []
    assert talk.after(15) == []


def test_a_reply_that_does_not_come_means_the_connection_is_lost(talk: Talk) -> None:
    talk.after(21)
    with pytest.raises(Lost, match="does not answer NOOP"):
        talk.after(16)


def test_the_end_of_a_pause_waits_for_the_pbx_and_nothing_else_does(talk: Talk) -> None:
    come_back, question = IssuedCommand(90, "PAUSE OUT"), IssuedCommand(91, "CAPA")
    talk.hear("901 PBX DOWN\n")
    talk.conversation.say(come_back)
    talk.conversation.say(question)
    talk.hear("110 CAPA\n")
    assert talk.messages[-1].answers == question  # type: ignore[union-attr]
    for _ in range(10):  # for minutes the server is there, only the PBX is not
        assert talk.after(20.0) == ["NOOP"]
        talk.hear("100 OK\n")
    talk.hear("902 PBX UP\n300 OK\n")
    assert talk.messages[-1].answers == come_back  # type: ignore[union-attr]
    talk.hear("300 OK\n")
    assert talk.messages[-1].answers is None  # type: ignore[union-attr]


def test_the_end_of_a_pause_that_the_pbx_left_alone_is_answered_late(talk: Talk) -> None:
    come_back = IssuedCommand(90, "PAUSE OUT")
    talk.conversation.say(come_back)
    talk.hear("901 PBX DOWN\n")
    assert talk.after(19.0) == []
    talk.conversation.over()
    assert talk.messages[-1] == Unanswered(come_back)
    talk.messages.clear()
    talk.conversation.over()
    assert not talk.messages


def test_events_do_not_stand_in_for_a_reply(talk: Talk) -> None:
    talk.after(21)
    talk.hear("901 PBX DOWN\n")
    with pytest.raises(Lost):
        talk.after(16)


def test_each_command_in_a_row_has_its_own_time(talk: Talk) -> None:
    for number in range(4):
        talk.conversation.say(IssuedCommand(number, "TRANSFER 1.1 101 astctidemo"))
    for _ in range(4):
        talk.after(5)
        talk.hear("101 KO Asterisk does not answer\n")
    assert talk.after(1) == []  # in spite of the 20 seconds that passed since they were said


def test_a_welcome_that_does_not_come_means_the_connection_is_lost(clock: Clock) -> None:
    talk = Talk(clock)
    with pytest.raises(Lost, match="says nothing: it may be waiting for Asterisk"):
        talk.after(11)


def test_a_password_may_take_the_server_longer(clock: Clock) -> None:
    talk = Talk(clock)
    talk.hear("100 WELCOME\n110 CAPA\n100 OK\n")
    talk.after(60)  # a restart: the server has a thousand to check
    assert talk.hear("102 OK\n") == ["MAC 00:11:22:33:44:55"]


def test_a_server_that_expires_the_connection_does_not_answer_a_command(talk: Talk) -> None:
    command = IssuedCommand(99, "HANGUP 1.1")
    talk.conversation.say(command)
    talk.hear("100 OK keep-alive expired\n")
    last = talk.messages[-1]
    assert isinstance(last, ServerReply)
    assert last.answers is None


def test_a_log_in_that_took_too_long_is_not_a_wrong_password(clock: Clock) -> None:
    talk = Talk(clock)
    talk.hear(
        "100 WELCOME\n110 CAPA\n100 OK\n101 KO login time expired\n"
    )  # LoginRefused would end it for good
    last = talk.messages[-1]
    assert isinstance(last, ServerReply)
    assert last.answers is None


@pytest.mark.parametrize("reason", ["too many clients", "too many clients from your address"])
@pytest.mark.parametrize(
    "said_before", ["", "110 CAPA\n", "110 CAPA\n100 OK\n"], ids=["CAPA", "USER", "PASS"]
)
def test_who_makes_room_for_others_before_the_log_in_is_not_refused(
    clock: Clock, said_before: str, reason: str
) -> None:
    talk = Talk(clock)
    with pytest.raises(TurnedAway, match=reason):
        talk.hear(f"100 WELCOME\n{said_before}101 KO {reason}\n")
    last = talk.messages[-1]
    assert isinstance(last, ServerReply)
    assert last.answers is None


def test_a_server_that_knows_the_specification_alone_is_enough(clock: Clock) -> None:
    talk = Talk(clock)
    assert talk.hear("100 WELCOME\n101 KO unknown command\n") == ["CAPA", "USER mario"]
    talk.hear("100 OK\n102 OK\n" + "101 KO unknown command\n" * 3)
    assert talk.conversation.up


def test_goodbye_is_not_waited_for_long(talk: Talk) -> None:
    talk.conversation.quit()
    assert talk.said() == ["QUIT"]
    with pytest.raises(Lost):
        talk.after(3.1)


def test_the_reply_to_quit_ends_it(talk: Talk) -> None:
    talk.conversation.quit()
    with pytest.raises(Farewell) as farewell:
        talk.hear("900 OK\n")
    assert farewell.value.kind == "QUIT"


def test_a_peer_that_speaks_something_else_is_left(talk: Talk) -> None:
    with pytest.raises(Lost):
        talk.hear("hello\n" * (MOST_UNREADABLE + 1))


@pytest.mark.parametrize("size", [1, 2, 7])
def test_it_does_not_matter_how_the_bytes_are_cut(clock: Clock, size: int) -> None:
    talk = Talk(clock)
    text = LOG_IN.format(60)
    said = [line for at in range(0, len(text), size) for line in talk.hear(text[at : at + size])]
    assert [line.split()[0] for line in said] == ["CAPA", "USER", "PASS", "MAC", "SERVICES", "REASONS"]


# --- a server that resumes ---

EPOCH = "0123456789abcdef"
RESUMED = LOG_IN.replace("MAC KEEPALIVE", "MAC RESUME KEEPALIVE").replace("100 OK\n", "100 OK\n100 OK\n", 1)


def resumed(clock: Clock) -> Talk:
    talk = Talk(clock)
    assert "RESUME NEW" in talk.hear(RESUMED.format(60))
    talk.hear(f"104 RESUME {EPOCH} 4 state\n")
    return talk


def told(talk: Talk) -> list[tuple[int, str, bool]]:
    """Of each event its number, its epoch and whether an earlier run handled it."""
    return [
        (message.event.seq, message.epoch, message.known)
        for message in talk.messages
        if isinstance(message, ServerEvent)
    ]


def line(seq: int) -> str:
    call = Call("1.1", "PJSIP/201-1", "333")
    return encode(CallEvent("Link", call, "Demo", seq=seq)).decode()


def test_resume_is_said_after_capa_and_before_the_log_in(clock: Clock) -> None:
    talk = Talk(clock)
    said = talk.hear("100 WELCOME\n") + talk.hear("110 CAPA RESUME\n") + talk.hear("100 OK\n")
    assert said == ["CAPA", "RESUME NEW", "USER mario"]


def test_a_server_without_resume_hears_nothing_of_it(clock: Clock) -> None:
    talk = Talk(clock)
    said = talk.hear(LOG_IN.format(60))
    password = Password.from_text("test").md5
    assert said == ["CAPA", "USER mario", f"PASS {password}", "MAC 00:11:22:33:44:55", "SERVICES", "REASONS"]
    talk.hear("104 RESUME sense 1 state\n" + line(0))
    assert told(talk) == [(0, "", False)]
    assert talk.said() == []


def test_where_resume_is_refused_the_log_in_goes_on_without(clock: Clock) -> None:
    talk = Talk(clock)
    assert talk.hear("100 WELCOME\n110 CAPA RESUME\n") == ["CAPA", "RESUME NEW"]
    assert talk.hear("101 KO already logged in\n") == ["USER mario"]


def test_the_next_connection_goes_on_after_the_last_event_that_came(clock: Clock) -> None:
    talk = resumed(clock)
    talk.hear(line(5) + line(6))
    assert told(talk) == [(5, EPOCH, False), (6, EPOCH, False)]
    talk.connect()
    talk.hear("100 WELCOME\n")
    assert talk.hear("110 CAPA RESUME\n") == [f"RESUME {EPOCH} 6"]


def test_what_an_earlier_run_handled_is_told_as_known(clock: Clock) -> None:
    talk = Talk(clock, resume=ResumePosition(EPOCH, 4, 5))
    assert f"RESUME {EPOCH} 4" in talk.hear(RESUMED.format(60))
    talk.hear(f"104 RESUME {EPOCH} 4 from\n" + line(5) + line(6))
    assert told(talk) == [(5, EPOCH, True), (6, EPOCH, False)]
    talk = Talk(clock, resume=ResumePosition(EPOCH, 4, 5))
    talk.hear(RESUMED.format(60) + f"104 RESUME {'f' * 16} 0 state\n" + line(1))
    assert told(talk) == [(1, "f" * 16, False)]


def test_holes_in_the_numbers_are_logged_once_and_gone_past(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    talk = resumed(clock)
    talk.hear(line(7) + line(9) + line(10))
    assert [seq for seq, _, _ in told(talk)] == [7, 9, 10]
    assert caplog.text.count("numbered wrongly") == 1


@pytest.mark.parametrize(
    "words",
    [
        "",
        "RESUME",
        f"RESUME {EPOCH} 4",
        f"RESUME {EPOCH} x from",
        f"RESUME {EPOCH} 4 back",
        "RESUME e 4 from",
    ],
)
def test_a_104_without_sense_is_passed_over(clock: Clock, words: str) -> None:
    talk = Talk(clock)
    talk.hear(RESUMED.format(60))
    talk.hear(f"104 {words}\n" + line(5))
    assert told(talk) == [(5, "", False)]


def test_shown_waits_for_no_reply_and_is_said_while_another_one_is_awaited(clock: Clock) -> None:
    talk = resumed(clock)
    talk.conversation.say(IssuedCommand(50, "PAUSE IN"))
    talk.conversation.shown("SHOWN 5 12")
    assert talk.said() == ["PAUSE IN", "SHOWN 5 12"]
    talk.hear("300 OK\n")
    assert talk.after(19.9) == []
    assert talk.after(0.2) == ["NOOP"]

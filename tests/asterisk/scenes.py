"""Calls as they happen in an office, played on a real Asterisk from the first ring to the last hangup.

A scene is a function of an Asterisk and an AMI session of it, which began before the scene.
It returns when its calls are over. `SCENES` has them by name, with the pairs of phones that get connected:
each pair is one Link, for each of its ends that is a seat.
"""

from collections.abc import Callable
from dataclasses import dataclass

from tests.asterisk import phones
from tests.asterisk.ami_session import AmiSession
from tests.asterisk.phones import digits, pause, refer
from tests.asterisk.rig import Asterisk

Play = Callable[[Asterisk, AmiSession], None]

HOSTILE_NAME = 'Zoë "Zo" O\'Brien <b>&amp;\\ \t\x01 {CALLDATA} ${EXTEN} \u20ac'
OUTSIDE_NUMBER = "0551234"


@dataclass(frozen=True)
class Scene:
    """What happens, who gets connected with whom (in this order), and the function that plays it."""

    name: str
    story: str
    pairs: tuple[tuple[str, str], ...]
    play: Play


SCENES: dict[str, Scene] = {}


def scene(story: str, *pairs: tuple[str, str]) -> Callable[[Play], Play]:
    """List the function as a scene."""

    def listed(play: Play) -> Play:
        name = play.__name__.replace("_", "-")
        SCENES[name] = Scene(name, story, pairs, play)
        return play

    return listed


def join(asterisk: Asterisk, ami: AmiSession, phone: str, queue: str = "astcti", interface: str = "") -> None:
    """Make the phone a member of the queue, by its device or through a Local channel."""
    fields = {
        "Queue": queue,
        "Interface": interface or asterisk.device(phone),
        "MemberName": f"Agent {phone}",
        "Penalty": "1",
        "Paused": "false",
    }
    if interface:
        fields["StateInterface"] = asterisk.device(phone)
    ami.must("QueueAdd", **fields)


@scene("queue, 201 and 202 ring, 201 answers", ("caller", "201"))
def queue_ringall(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=1.0), phones.never_answers(asterisk, "202"):
        join(asterisk, ami, "201")
        join(asterisk, ami, "202")
        _call_and_wait(asterisk, "101", "12345")


@scene("hunt queue, 201 rings for a second, then 202 rings and answers", ("caller", "202"))
def queue_hunt(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"), phones.callee(asterisk, "202", talk=1.0):
        join(asterisk, ami, "201", "hunt")
        join(asterisk, ami, "202", "hunt")
        _call_and_wait(asterisk, "103")


@scene("queue, 201 does not answer, is rung again a second later and answers", ("caller", "201"))
def queue_rings_again(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.answers_when_told(asterisk, "201", talk=1.0, calls=2) as agent:
        join(asterisk, ami, "201", "insistent")
        with phones.caller(asterisk, "105") as calling:
            ami.wait_for("AgentRingNoAnswer", since=len(ami.messages))
            ami.wait_for("Newstate", since=len(ami.messages), ChannelStateDesc="Ringing")
            agent.answer()
            calling.wait()


@scene("queue, the member is Local/201@agents (optimised away), 201 answers", ("caller", "201"))
def queue_local(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=1.5):
        join(asterisk, ami, "201", interface="Local/201@agents")
        _call_and_wait(asterisk, "101", "12345")


@scene("queue, the member is Local/201@agents/n (stays), 201 answers", ("caller", "201"))
def queue_local_n(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=1.0):
        join(asterisk, ami, "201", interface="Local/201@agents/n")
        _call_and_wait(asterisk, "101", "12345")


@scene("queue with autopause, 201 does not answer and is paused by Asterisk, the caller leaves")
def queue_autopause(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"):
        join(asterisk, ami, "201", "nervous")
        with phones.caller(asterisk, "104"):
            ami.wait_for("QueueMemberPause", since=len(ami.messages), Paused="1")


@scene("queue, 201 rings, the caller leaves")
def queue_caller_gives_up(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"):
        join(asterisk, ami, "201")
        _call_and_wait(asterisk, "101", "12345", talk=0.5)


@scene(
    "two callers in two queues of one context, at the same time; 201 is in one, 202 in the other",
    ("caller", "201"),
    ("caller2", "202"),
)
def two_queues(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=1.5), phones.callee(asterisk, "202", talk=1.5):
        join(asterisk, ami, "201", "astcti")
        join(asterisk, ami, "202", "astcti2")
        with (
            phones.caller(asterisk, "101", "11111") as first,
            phones.caller(asterisk, "102", "22222", name="caller2") as second,
        ):
            first.wait()
            second.wait()


@scene("no call: 201 in two queues is paused with a reason, then not")
def pause_with_reason(asterisk: Asterisk, ami: AmiSession) -> None:
    join(asterisk, ami, "201", "astcti")
    join(asterisk, ami, "201", "astcti2")
    for paused, reason in (("true", {"Reason": "Lunch"}), ("false", {})):
        start = len(ami.messages)
        ami.must("QueuePause", Interface=asterisk.device("201"), Paused=paused, **reason)
        for queue in ("astcti", "astcti2"):
            ami.wait_for("QueueMemberPause", since=start, Queue=queue)


@scene("direct call, 201 answers", ("caller", "201"))
def direct_call(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=1.0):
        _call_and_wait(asterisk, "301")


@scene("direct call to 201 and 202 at once, 202 answers", ("caller", "202"))
def direct_group(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"), phones.callee(asterisk, "202", talk=1.0):
        _call_and_wait(asterisk, "399")


@scene("direct call, 201 is busy")
def direct_busy(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.refuses(asterisk, "201"):
        _call_and_wait(asterisk, "301")


@scene("direct call, 201 rings, the caller gives up")
def direct_caller_gives_up(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"):
        _call_and_wait(asterisk, "301", patience=1.0)


@scene(
    "direct call whose caller shows a name full of markup, quotes, accents and control characters",
    ("caller", "201"),
)
def hostile_name(asterisk: Asterisk, ami: AmiSession) -> None:
    with (
        phones.callee(asterisk, "201", talk=0.5),
        phones.caller(asterisk, "301", display=HOSTILE_NAME) as calling,
    ):
        calling.wait()


@scene("direct call, 201 is forwarded to 202 (SIP 302), 202 answers", ("caller", "202"))
def forwarding(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.forwards(asterisk, "201", "202"), phones.callee(asterisk, "202", talk=1.5):
        _call_and_wait(asterisk, "301")


@scene("direct call to 201, picked up by 203 while it rings", ("caller", "203"))
def pickup(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.never_answers(asterisk, "201"), phones.caller(asterisk, "301") as calling:
        ami.wait_for("Newstate", ChannelStateDesc="Ringing")
        with phones.dials(asterisk, "203", "*8", talk=1.0) as picking:
            picking.wait()
        calling.wait()


@scene(
    "direct call, 201 answers and transfers blind to 202 (SIP REFER)", ("caller", "201"), ("caller", "202")
)
def blind_transfer(asterisk: Asterisk, ami: AmiSession) -> None:
    steps = [*pause(0.5), *refer("202")]
    with phones.callee(asterisk, "201", then=steps, talk=1.0), phones.callee(asterisk, "202", talk=1.0):
        _call_and_wait(asterisk, "301")


@scene(
    "direct call, 201 answers and transfers blind to 202 (the ## feature)",
    ("caller", "201"),
    ("caller", "202"),
)
def blind_transfer_by_keys(asterisk: Asterisk, ami: AmiSession) -> None:
    steps = [*pause(0.5), *digits("##"), *pause(0.3), *digits("202")]
    with phones.callee(asterisk, "201", then=steps, talk=3.0), phones.callee(asterisk, "202", talk=1.0):
        _call_and_wait(asterisk, "301")


@scene(
    "queue call, 201 answers, calls 202 on a second line, and joins the two (SIP REFER with Replaces)",
    ("caller", "201"),
    ("201", "202"),
    ("caller", "202"),
)
def attended_transfer(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "201", talk=30.0) as first, phones.callee(asterisk, "202", talk=2.0):
        join(asterisk, ami, "201")
        with phones.caller(asterisk, "101", "12345") as calling:
            steps = [*pause(0.5), *refer("201", first.dialog())]
            with phones.dials(asterisk, "201", "202", then=steps, talk=1.0) as consulting:
                consulting.wait()
                first.wait()
            calling.wait()


@scene(
    "queue call, 201 answers, consults 202 (the #2 feature) and hangs up",
    ("caller", "201"),
    ("201", "202"),
    ("caller", "202"),
)
def attended_transfer_by_keys(asterisk: Asterisk, ami: AmiSession) -> None:
    steps = [*pause(0.5), *digits("#2"), *pause(0.3), *digits("202"), *pause(2.0)]
    with phones.callee(asterisk, "201", then=steps, talk=0.5), phones.callee(asterisk, "202", talk=3.0):
        join(asterisk, ami, "201")
        _call_and_wait(asterisk, "101", "12345")


@scene(
    "queue call, 201 answers, calls 202 (the #2 feature) and hangs up while that rings (blonde)",
    ("caller", "201"),
    ("caller", "202"),
)
def blonde_transfer(asterisk: Asterisk, ami: AmiSession) -> None:
    steps = [*pause(0.5), *digits("#2"), *pause(0.3), *digits("202"), *pause(1.5)]
    with (
        phones.callee(asterisk, "201", then=steps, talk=0.1),
        phones.callee(asterisk, "202", ring=3.0, talk=1.0),
    ):
        join(asterisk, ami, "201")
        _call_and_wait(asterisk, "101", "12345")


@scene("201 dials out by itself, the outside answers", ("201", "caller"))
def outbound_call(asterisk: Asterisk, ami: AmiSession) -> None:
    with (
        phones.callee(asterisk, "caller", talk=1.0),
        phones.dials(asterisk, "201", OUTSIDE_NUMBER) as dialling,
    ):
        dialling.wait()


@scene("201 is called by Originate, answers, and is connected with the outside", ("201", "caller"))
def click_to_call(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.callee(asterisk, "caller", talk=1.0), phones.callee(asterisk, "201") as agent:
        _originate(asterisk, ami)
        agent.wait()


@scene("201 is called by Originate and refuses")
def click_to_call_refused(asterisk: Asterisk, ami: AmiSession) -> None:
    with phones.refuses(asterisk, "201"):
        _originate(asterisk, ami)
        ami.wait_for("OriginateResponse", Response="Failure")


def _originate(asterisk: Asterisk, ami: AmiSession) -> None:
    ami.must(
        "Originate",
        Channel=asterisk.device("201"),
        Context="outbound",
        Exten=OUTSIDE_NUMBER,
        Priority="1",
        CallerID=f'"{OUTSIDE_NUMBER}" <{OUTSIDE_NUMBER}>',
        Timeout="10000",
        Async="true",
    )


def _call_and_wait(
    asterisk: Asterisk, exten: str, keys: str = "", talk: float = 30.0, patience: float = 30.0
) -> None:
    with phones.caller(asterisk, exten, keys, talk=talk, patience=patience) as calling:
        calling.wait()

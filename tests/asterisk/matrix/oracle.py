"""What the server must tell each seat of a call, from what its telephones did. Knows nothing of the server's ways.

The rules, and whose they are:

* One `Link` for each time that an agent's telephone is first connected with somebody, for each end that is a seat
  (docs/protocol.md).
* Whoever a queue rings, or a call is brought to, is the called end: `inbound`, whatever he dialled before. Who
  dials out is the calling end, and so stays whoever takes that call over; only the one who dialled gets its
  triggers, but a queue that rings makes a called end of anybody.
* The service is that of the queue last entered, else the context's.
* The number is the caller's own, or the one that was dialled; never a place of the dialplan, never our own.
* A ring trigger comes once for each caller and seat.
* Two agents who talk to each other have no service, and so no triggers.
* A telephone that rang and was not answered: `missed` if the ringing timed out, `cancelled` if the caller left (by
  key, too), `answered-elsewhere`, `refused`. A call that was answered is `answered`, and its `Hangup` is told with
  the party that was connected then.

Where nothing of this decides, a telling leaves the key out and nobody judges it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tests.asterisk.matrix.story import CUSTOMER, CalledOut, Came, Ended, Met, Queued, Rang, Story

Telling: TypeAlias = dict[
    str, str
]  # direction, service, queue, number, data, peer, end, and the trigger's s d n x
NO_TRIGGER = "none"


@dataclass
class Expectation:
    """What one seat is told, in this order."""

    rings: list[Telling] = field(default_factory=list)
    links: list[Telling] = field(default_factory=list)
    ends: list[Telling] = field(default_factory=list)


@dataclass
class _Call:
    """The customer's call at some point of the story."""

    service: str = ""
    queue: str = ""
    outbound: bool = False
    calling: str = ""  # the agent who called out
    in_queue: dict[str, str] = field(default_factory=dict)  # an agent waits in a queue for somebody


def expected(story: Story) -> dict[str, Expectation]:
    """By agent's letter; all of them, those too who are told nothing."""
    found = {agent: Expectation() for agent in story.numbers}
    call = _Call()
    rung: set[str] = set()  # agents who had their ring trigger
    for fact in story.facts:
        if isinstance(fact, Came):
            call.service, call.queue = fact.service, ""
        elif isinstance(fact, Queued):
            _enter(call, fact)
        elif isinstance(fact, CalledOut):
            call.service, call.outbound, call.calling = fact.service, True, fact.agent
        elif isinstance(fact, Rang):
            found[fact.agent].rings.append(_ring(story, call, fact, rung))
        elif isinstance(fact, Met):
            found[fact.agent].links.append(_link(story, call, fact))
        else:
            found[fact.agent].ends.append(_end(story, call, fact))
    return found


def _enter(call: _Call, fact: Queued) -> None:
    if fact.party == CUSTOMER:
        call.service, call.queue = f"S{fact.queue}", fact.queue
        call.outbound = False  # whoever is rung by a queue is the called end
    else:
        call.in_queue[fact.party] = fact.queue


def _ring(story: Story, call: _Call, fact: Rang, rung: set[str]) -> Telling:
    if fact.party != CUSTOMER:
        queue = call.in_queue.get(fact.party, "")
        return {"number": story.numbers[fact.party], "queue": queue} if queue else {"trigger": NO_TRIGGER}
    if call.outbound and call.calling == fact.agent:
        return {"direction": "outbound"}  # his own telephone rings before the number is dialled
    telling = _customer(story, call, fact.agent)
    if call.outbound or fact.agent in rung:
        telling["trigger"] = NO_TRIGGER
    else:
        telling |= _trigger(story, call)
    rung.add(fact.agent)
    return telling


def _link(story: Story, call: _Call, fact: Met) -> Telling:
    if fact.party != CUSTOMER:
        return {"peer": fact.party, "trigger": NO_TRIGGER}
    telling = {"peer": CUSTOMER, **_customer(story, call, fact.agent)}
    if call.outbound and call.calling != fact.agent:
        return telling | {"trigger": NO_TRIGGER}
    return telling | _trigger(story, call)


def _end(story: Story, call: _Call, fact: Ended) -> Telling:
    telling: Telling = {"end": fact.end} if fact.end else {}
    if fact.end != "answered":
        return telling | {"trigger": NO_TRIGGER}
    if fact.last != CUSTOMER:
        return telling
    telling |= {"number": story.number, "data": story.digits, "service": call.service}
    if call.outbound and call.calling != fact.agent:
        return telling | {"trigger": NO_TRIGGER}
    return telling | _trigger(story, call)


def _customer(story: Story, call: _Call, agent: str) -> Telling:
    """The customer's side of a telling."""
    return {
        "direction": "outbound" if call.outbound else "inbound",
        "service": call.service,
        "queue": call.queue,
        "number": story.number,
        "data": story.digits,
    }


def _trigger(story: Story, call: _Call) -> Telling:
    """What the address of the trigger must hold; every trigger of the configuration is written alike."""
    told = {"trigger": "one", "s": call.service, "d": story.digits, "n": story.number}
    return told | {"x": story.number} if call.outbound else told

"""What the server must tell each seat of a call, from what its telephones did.

It knows nothing of how the server finds out.

The rules, and whose they are:

* One `Link` for each time that an agent's telephone is first connected with somebody, for each end that is a
  seat (docs/protocol.md).
* Whoever a queue rings, or a call is brought to, is the called end: `inbound`, whatever he dialled before.
  Who dials out is the calling end, and so is whoever takes that call over; only the one who dialled gets
  its triggers. Whom a queue rings for such a call is a called end again.
* The service is that of the queue last entered, else the context's.
* The number is the caller's own, or the one that was dialled; never a place of the dialplan, never our own.
* A ring trigger comes once for each caller and seat.
* Two agents who talk to each other have no service, and so no triggers.
* A telephone that rang and was not answered: `missed` if the ringing timed out, `cancelled` if the caller
  left (by key, too), `answered-elsewhere`, `refused`. A call that was answered is `answered`, and its
  `Hangup` is told with the party that was connected then.

Where nothing of this decides, a expectation leaves the key out and nobody looks at it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from tests.asterisk.matrix.observed import (
    CUSTOMER,
    CalledOut,
    Came,
    Ended,
    Fact,
    Met,
    ObservedCall,
    Queued,
    Rang,
)

ExpectedEvent: TypeAlias = dict[str, str]  # by SeatEvent's names; trigger, and the s d n x of its address
NO_TRIGGER = "none"
MAY_LACK = "may lack"  # the key of a expectation that need not come


@dataclass
class SeatExpectation:
    """What one seat is told, each with the number of its leg; legs are numbered as they begin."""

    rings: list[tuple[int, ExpectedEvent]] = field(default_factory=list)
    links: list[tuple[int, ExpectedEvent]] = field(default_factory=list)
    ends: list[tuple[int, ExpectedEvent]] = field(default_factory=list)


@dataclass
class _Call:
    """The customer's call at some point of the observed."""

    service: str = ""
    queue: str = ""
    outbound: bool = False
    calling: str = ""  # the agent who called out
    in_queue: dict[str, str] = field(default_factory=dict)  # an agent waits in a queue for somebody
    linked: dict[int, ExpectedEvent] = field(
        default_factory=dict
    )  # by leg, what its Link with the customer tells


def expected(observed: ObservedCall) -> dict[str, SeatExpectation]:
    """By agent's letter; all of them, those too who are told nothing."""
    found = {agent: SeatExpectation() for agent in observed.numbers}
    call = _Call()
    rung: set[str] = set()  # agents who had their ring trigger
    for index, fact in enumerate(observed.facts):
        if isinstance(fact, Came):
            call.service, call.queue = fact.service, ""
        elif isinstance(fact, Queued):
            _enter(call, fact)
        elif isinstance(fact, CalledOut):
            call.service, call.outbound, call.calling = fact.service, True, fact.agent
        elif isinstance(fact, Rang):
            ring = _ring(observed, call, fact, rung)
            if _is_handed_over(observed.facts[index:], call.in_queue.get(fact.party, "")):
                # The telephone rings already when the colleague who waits there gives the customer his place,
                # and Asterisk may say so before it says that it rings.
                ring["number"] += f"|{observed.number}"
            found[fact.agent].rings.append((fact.leg, ring))
        elif isinstance(fact, Met):
            found[fact.agent].links.append((fact.leg, _link(observed, call, fact)))
        else:
            found[fact.agent].ends.append((fact.leg, _end(call, fact)))
    return found


def _enter(call: _Call, fact: Queued) -> None:
    if fact.party == CUSTOMER:
        call.service, call.queue = f"S{fact.queue}", fact.queue
        call.outbound = False  # whoever is rung by a queue is the called end
    else:
        call.in_queue[fact.party] = fact.queue


def _is_handed_over(facts: list[Fact], queue: str) -> bool:
    """Whether the customer comes into the queue before the agent whose ring is the first fact answers."""
    ring = facts[0]
    for fact in facts[1:]:
        if fact == Queued(CUSTOMER, queue):
            return True
        if isinstance(fact, Met | Ended) and isinstance(ring, Rang) and fact.leg == ring.leg:
            return False
    return False


def _ring(observed: ObservedCall, call: _Call, fact: Rang, rung: set[str]) -> ExpectedEvent:
    if not fact.party:  # the customer is being dialled still
        return {"direction": "inbound", "service": call.service, "queue": call.queue}
    if fact.party != CUSTOMER:
        queue = call.in_queue.get(fact.party, "")
        return {"number": observed.numbers[fact.party], "queue": queue} if queue else {"trigger": NO_TRIGGER}
    if call.outbound and call.calling == fact.agent:  # his own telephone rings before the number is dialled
        return {"trigger": NO_TRIGGER, MAY_LACK: "yes"}
    if call.outbound:
        return {"number": observed.number, "trigger": NO_TRIGGER}
    expectation = _customer(observed, call) | _trigger(observed, call)
    if fact.agent in rung:
        expectation["trigger"] = NO_TRIGGER
    rung.add(fact.agent)
    return expectation


def _link(observed: ObservedCall, call: _Call, fact: Met) -> ExpectedEvent:
    if fact.party != CUSTOMER:
        return {"peer": fact.party, "trigger": NO_TRIGGER}
    expectation = {"peer": CUSTOMER, **_customer(observed, call), **_trigger(observed, call)}
    if call.outbound and call.calling != fact.agent:
        expectation["trigger"] = NO_TRIGGER
    call.linked[fact.leg] = expectation
    return expectation


def _end(call: _Call, fact: Ended) -> ExpectedEvent:
    expectation: ExpectedEvent = {"end": fact.end} if fact.end else {}
    if fact.end and fact.end != "answered":
        return expectation | {"trigger": NO_TRIGGER}
    if fact.last != CUSTOMER:
        return expectation
    linked = call.linked[fact.leg]  # what became of the customer afterwards is not this leg's
    kept = ("service", "number", "data", "trigger", "s", "d", "n", "x")
    return expectation | {key: linked[key] for key in kept if key in linked}


def _customer(observed: ObservedCall, call: _Call) -> ExpectedEvent:
    """The customer's side of a expectation."""
    return {
        "direction": "outbound" if call.outbound else "inbound",
        "service": call.service,
        "queue": call.queue,
        "number": observed.number,
        "data": observed.digits,
    }


def _trigger(observed: ObservedCall, call: _Call) -> ExpectedEvent:
    """What the address of the trigger must hold; every trigger of the configuration is written alike."""
    told = {"trigger": "one", "s": call.service, "d": observed.digits, "n": observed.number}
    return told | {"x": observed.number} if call.outbound else told

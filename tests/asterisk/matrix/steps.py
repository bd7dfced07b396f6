"""The parts that a combination is put together from: ways in, what happens next, ways out.

A way in ends with A's telephone ringing or answered. What happens next begins once A and the customer talk,
and says who talks with the customer afterwards.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from tests.asterisk.ami_session import AmiError
from tests.asterisk.matrix import combinations as names
from tests.asterisk.matrix.live_call import A_MOMENT, A_WHILE, LiveCall
from tests.asterisk.matrix.observed import CUSTOMER, ObservedCall
from tests.asterisk.matrix.site import trunk
from tests.asterisk.matrix.telephones import SipLeg, TelephoneError

Pair: TypeAlias = tuple[SipLeg, SipLeg]  # an agent's leg and the customer's
Way: TypeAlias = Callable[[LiveCall], Awaitable[Pair]]
Next: TypeAlias = Callable[[LiveCall, SipLeg, SipLeg], Awaitable[Pair]]


async def play(call: LiveCall) -> ObservedCall:
    """Play the combination to its last hangup. What goes wrong with it is in `trouble`."""
    try:
        await _whole_call(call)
    except (TelephoneError, AmiError) as error:
        call.observed.trouble = f"{type(error).__name__}: {error}"
    await call.finish()
    return call.observed


async def _whole_call(call: LiveCall) -> None:
    combination = call.combination
    agent, customer = await WAYS[combination.way](call)
    if combination.out in names.UNANSWERED:
        await _unanswered(call, agent, customer)
        return
    if not agent.up:
        await agent.answer()
    await call.meet(agent, customer)
    agent, customer = await NEXTS[combination.then](call, agent, customer)
    await _out(call, agent, customer)


# --- ways in ---------------------------------------------------------------------------------------------


async def _into_queue(call: LiveCall, prefix: str) -> Pair:
    customer = await call.comes(prefix)
    call.queued(call.combination.queue)
    return await call.rings("a"), customer


async def _queue(call: LiveCall) -> Pair:
    return await _into_queue(call, "11")


async def _did(call: LiveCall) -> Pair:
    return await _into_queue(call, "12")


async def _through_local(call: LiveCall) -> Pair:
    return await _into_queue(call, "13")


async def _through_local_n(call: LiveCall) -> Pair:
    return await _into_queue(call, "14")


async def _ari_queue(call: LiveCall) -> Pair:
    return await _into_queue(call, "16")


async def _direct(call: LiveCall) -> Pair:
    customer = await call.comes("10")
    call.came("Direct")
    return await call.rings("a"), customer


async def _ari(call: LiveCall) -> Pair:
    customer = await call.comes("15")
    call.came("Acd")
    return await call.rings("a"), customer


async def _picked_up(call: LiveCall) -> Pair:
    customer = await call.comes("10")
    call.came("Direct")
    return await _pick_up(call), customer


async def _queue_picked_up(call: LiveCall) -> Pair:
    customer = await call.comes("11")
    call.queued(call.combination.queue)
    return await _pick_up(call), customer


async def _pick_up(call: LiveCall) -> SipLeg:
    """C's telephone rings, A takes the call to his own."""
    other = await call.rings("c")
    agent = await call.dials("a", "*8")
    await agent.answered()
    await other.ended()
    call.ended(other, "answered-elsewhere")
    return agent


async def _parked(call: LiveCall) -> Pair:
    """C answers and parks, A fetches."""
    customer = await call.comes("11")
    call.queued(call.combination.queue)
    other = await call.rings("c")
    await other.answer()
    await call.meet(other, customer)
    await _park_away(call, other)
    agent = await call.dials("a", call.combination.extension("7") + "1")
    await agent.answered()
    return agent, customer


async def _dialler(call: LiveCall, channel: str, context: str, exten: str, **variables: str) -> SipLeg:
    """Another program dials; the customer answers first."""
    call.observed.number = call.combination.outside
    call.originate(channel, context, exten, **variables)
    return await call.is_called()


def _local(call: LiveCall, context: str, suffix: str) -> str:
    return f"Local/{call.combination.outside}@{context}{suffix}"


async def _dialler_to_queue(call: LiveCall, channel: str, **variables: str) -> Pair:
    customer = await _dialler(call, channel, "queues", call.combination.extension("18"), **variables)
    call.queued(call.combination.queue)
    return await call.rings("a"), customer


async def _dialler_local_n(call: LiveCall) -> Pair:
    digits = call.combination.digits
    return await _dialler_to_queue(call, _local(call, "out-plain", "/n"), __calldata=digits)


async def _dialler_local(call: LiveCall) -> Pair:
    digits = call.combination.digits
    return await _dialler_to_queue(call, _local(call, "out-plain", ""), __calldata=digits)


async def _dialler_trunk(call: LiveCall) -> Pair:
    channel = trunk(call.asterisk, "trunk", call.combination.outside)
    return await _dialler_to_queue(call, channel, __calldata=call.combination.digits)


async def _callback(call: LiveCall) -> Pair:
    return await _dialler_to_queue(call, _local(call, "callbacks", ""))


async def _callback_n(call: LiveCall) -> Pair:
    return await _dialler_to_queue(call, _local(call, "callbacks", "/n"))


async def _dialler_reverse(call: LiveCall) -> Pair:
    """The queue is entered first and rings the agent while the customer is being dialled."""
    call.observed.digits = ""
    call.queued(call.combination.queue)
    channel = f"Local/{call.combination.extension('18')}@queues/n"
    customer = await _dialler(call, channel, "out-plain", call.combination.outside)
    return await call.rings("a", ""), customer


async def _dialler_to_agent(call: LiveCall, suffix: str) -> Pair:
    channel = _local(call, "out-plain", suffix)
    exten = call.combination.extension("17")
    customer = await _dialler(call, channel, "direct", exten, __calldata=call.combination.digits)
    call.came("Direct")
    return await call.rings("a"), customer


async def _dialler_agent(call: LiveCall) -> Pair:
    return await _dialler_to_agent(call, "")


async def _dialler_agent_n(call: LiveCall) -> Pair:
    return await _dialler_to_agent(call, "/n")


async def _calls_out(call: LiveCall) -> Pair:
    call.calls_out("a")
    agent = await call.dials("a", call.combination.outside)
    customer = await call.is_called()
    await agent.answered()
    return agent, customer


async def _click(call: LiveCall, channel: str, shown: str = "") -> Pair:
    """Another program rings A's telephone, showing this number or the customer's, and then dials."""
    call.calls_out("a")
    context = "out-company" if call.combination.way == "originate-company" else "out-plain"
    call.originate(channel, context, call.combination.outside, shown)
    agent = await call.rings("a")
    await agent.answer()
    return agent, await call.is_called()


async def _originate(call: LiveCall) -> Pair:
    return await _click(call, call.asterisk.device(call.combination.agent("a")))


async def _click_local(call: LiveCall) -> Pair:
    return await _click(call, f"Local/{call.combination.agent('a')}@agents", shown="999")


async def _click_local_n(call: LiveCall) -> Pair:
    return await _click(call, f"Local/{call.combination.agent('a')}@agents/n", shown="999")


async def _agent_login(call: LiveCall) -> Pair:
    """A's telephone is up all the time and waits for customers."""
    agent = await call.dials("a", call.combination.extension("6"))
    await agent.answered()
    customer = await call.comes("11")
    call.queued(call.combination.queue)
    return agent, customer


async def _bridge_action(call: LiveCall) -> Pair:
    """The customer waits in a queue that rings C, and another program connects him with A."""
    agent = await call.dials("a", call.combination.extension("5"))
    await agent.answered()
    customer = await call.comes("11")
    call.queued(call.combination.queue)
    other = await call.rings("c")
    channels = {"Channel1": call.channel_of(customer), "Channel2": call.channel_of(agent)}
    call.asterisk.control.must("Bridge", **channels)
    await other.ended()
    call.ended(other, "cancelled|answered-elsewhere")
    return agent, customer


WAYS: dict[str, Way] = {
    "queue": _queue,
    "did": _did,
    "through-local": _through_local,
    "through-local-n": _through_local_n,
    "direct": _direct,
    "picked-up": _picked_up,
    "queue-picked-up": _queue_picked_up,
    "parked": _parked,
    "dialler-local-n": _dialler_local_n,
    "dialler-local": _dialler_local,
    "dialler-trunk": _dialler_trunk,
    "dialler-reverse": _dialler_reverse,
    "callback": _callback,
    "callback-n": _callback_n,
    "dialler-agent": _dialler_agent,
    "dialler-agent-n": _dialler_agent_n,
    "out": _calls_out,
    "out-gosub": _calls_out,
    "out-company": _calls_out,
    "out-connected": _calls_out,
    "out-connected-i": _calls_out,
    "originate": _originate,
    "originate-company": _originate,
    "click-local": _click_local,
    "click-local-n": _click_local_n,
    "ari": _ari,
    "ari-queue": _ari_queue,
    "agent-login": _agent_login,
    "bridge-action": _bridge_action,
}


# --- what happens next -----------------------------------------------------------------------------------


async def _talk(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    return agent, customer


async def _hold(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await agent.hold()
    await asyncio.sleep(A_WHILE)
    await agent.hold(False)
    await call.hear(agent, customer)
    return agent, customer


async def _blind(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await agent.refer(call.combination.agent("b"))
    return await _goes_to_b(call, agent, customer)


async def _blind_keys(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await _feature(agent, "##", call.combination.agent("b"))
    return await _goes_to_b(call, agent, customer)


async def _requeue(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await agent.refer(call.combination.extension("19"))
    call.queued(call.combination.second_queue)
    return await _goes_to_b(call, agent, customer)


async def _goes_to_b(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    other = await call.rings("b")
    await call.leaves(agent)
    await other.answer()
    await call.meet(other, customer)
    return other, customer


async def _feature(agent: SipLeg, code: str, exten: str) -> None:
    await agent.press(code)
    await asyncio.sleep(A_MOMENT)
    await agent.press(exten)


async def _attended(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    second = await call.dials("a", call.combination.agent("b"))
    other = await call.rings("b", "a")
    await other.answer()
    await call.meet(second, other)
    await agent.refer(call.combination.agent("b"), second)
    await call.hear(other, customer)
    await _both_leave(call, agent, second, "b")
    call.met(other, customer)
    await asyncio.sleep(A_WHILE)
    return other, customer


async def _both_leave(call: LiveCall, agent: SipLeg, second: SipLeg, last: str) -> None:
    """After a transfer the agent's two legs are of no use any more."""
    for leg, party in ((agent, CUSTOMER), (second, last)):
        await leg.hang_up()
        call.ended(leg, "answered", party)


async def _consult(call: LiveCall, agent: SipLeg) -> SipLeg:
    """By keys: the customer hears music while the agent asks B."""
    await _feature(agent, "#2", call.combination.agent("b"))
    other = await call.rings("b", "a")
    await other.answer()
    await call.meet(agent, other)
    return other


async def _attended_keys(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    other = await _consult(call, agent)
    await agent.hang_up()
    call.ended(agent, last="")
    await call.meet(other, customer)
    return other, customer


async def _blonde(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await _feature(agent, "#2", call.combination.agent("b"))
    other = await call.rings("b", "a")
    await agent.hang_up()
    call.ended(agent, last="")
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await call.meet(other, customer)
    return other, customer


async def _blonde_queue(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    """The consultation call waits in the other queue when the agent hangs up."""
    await _feature(agent, "#2", call.combination.extension("19"))
    call.queued(call.combination.second_queue, "a")
    other = await call.rings("b", "a")
    await agent.hang_up()
    call.ended(agent, last="")
    call.queued(call.combination.second_queue)
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await call.meet(other, customer)
    return other, customer


async def _media(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    """A bot listens for a while: three in the bridge, and still a conversation of two."""
    channel = call.ari.add_media(f"{call.combination.number:03}")
    call.confers(agent)
    await asyncio.sleep(A_WHILE)
    call.ari.remove(channel)
    await call.hear(agent, customer)
    return agent, customer


async def _join_three(call: LiveCall, agent: SipLeg, customer: SipLeg) -> SipLeg:
    """All three hear one another: mixed, so that the telephones recognise nobody."""
    other = await _consult(call, agent)
    await agent.press("*3")
    await asyncio.sleep(2 * A_WHILE)
    call.met(other, customer)
    return other


async def _three_way(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    other = await _join_three(call, agent, customer)
    await other.hang_up()
    call.ended(other, last="")
    await call.hear(agent, customer)
    return agent, customer


async def _three_way_left(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    other = await _join_three(call, agent, customer)
    await agent.hang_up()
    call.ended(agent, last="")
    await call.hear(other, customer)
    return other, customer


async def _park_away(call: LiveCall, agent: SipLeg) -> None:
    await agent.refer(call.combination.extension("7") + "0")
    await call.leaves(agent)
    await asyncio.sleep(A_WHILE)


async def _park(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    return await _fetched_by("b", call, agent, customer)


async def _park_back(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    return await _fetched_by("a", call, agent, customer)


async def _fetched_by(letter: str, call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    await _park_away(call, agent)
    other = await call.dials(letter, call.combination.extension("7") + "1")
    await other.answered()
    await call.meet(other, customer)
    return other, customer


async def _requeue_attended(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    """The agent's second line waits in the other queue, and the customer takes its place."""
    second = await call.dials("a", call.combination.extension("19"))
    await second.answered()
    call.queued(call.combination.second_queue, "a")
    other = await call.rings("b", "a")
    await agent.refer(call.combination.extension("19"), second)
    await call.leaves(agent)
    await second.hang_up()
    call.ended(second, "", "")
    call.queued(call.combination.second_queue)
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await call.meet(other, customer)
    return other, customer


async def _conference(call: LiveCall, agent: SipLeg, customer: SipLeg) -> Pair:
    """A conference is no conversation of two: B, who joins it, is told nothing of the customer."""
    await agent.refer(call.combination.extension("8"))
    await call.leaves(agent)
    other = await call.dials("b", call.combination.extension("8"))
    call.confers(other)
    await other.answered()
    await asyncio.sleep(2 * A_WHILE)
    return other, customer


NEXTS: dict[str, Next] = {
    names.TALK: _talk,
    names.HOLD: _hold,
    names.BLIND: _blind,
    names.BLIND_KEYS: _blind_keys,
    names.ATTENDED: _attended,
    names.ATTENDED_KEYS: _attended_keys,
    names.BLONDE: _blonde,
    names.BLONDE_QUEUE: _blonde_queue,
    names.MEDIA: _media,
    names.THREE_WAY: _three_way,
    names.THREE_WAY_LEFT: _three_way_left,
    names.PARK: _park,
    names.PARK_BACK: _park_back,
    names.REQUEUE: _requeue,
    names.REQUEUE_ATTENDED: _requeue_attended,
    names.CONFERENCE: _conference,
}


# --- ways out --------------------------------------------------------------------------------------------


async def _out(call: LiveCall, agent: SipLeg, customer: SipLeg) -> None:
    """One hangs up; the other is let go by Asterisk, unless he waits for the next one."""
    combination = call.combination
    confers = combination.then == names.CONFERENCE
    if confers or (combination.way == "agent-login" and combination.out == names.CALLER):
        await customer.hang_up()
        await asyncio.sleep(A_WHILE)
        await agent.hang_up()
        call.ended(agent, "" if confers else "answered", "")
        return
    if combination.out == names.CALLER:
        await customer.hang_up()
        await agent.ended()
    else:
        await agent.hang_up()
        await customer.ended()
    call.ended(agent)


async def _unanswered(call: LiveCall, agent: SipLeg, customer: SipLeg) -> None:
    out = call.combination.out
    await asyncio.sleep(A_WHILE)
    if out == names.GIVES_UP:
        await customer.hang_up()
        end = "cancelled"
    elif out == names.KEY:
        await customer.press("9")
        end = "cancelled"
    elif out == names.TIMEOUT:
        end = "missed"
    else:
        agent.refuse()
        await asyncio.sleep(A_WHILE)
        await customer.hang_up()
        end = "refused"
    await agent.ended()
    call.ended(agent, end, "")
    await customer.ended()

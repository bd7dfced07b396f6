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
from tests.asterisk.matrix.phones import Leg, PhoneError
from tests.asterisk.matrix.site import trunk
from tests.asterisk.matrix.stage import A_MOMENT, A_WHILE, Stage
from tests.asterisk.matrix.story import CUSTOMER, Story

Pair: TypeAlias = tuple[Leg, Leg]  # an agent's leg and the customer's
Way: TypeAlias = Callable[[Stage], Awaitable[Pair]]
Next: TypeAlias = Callable[[Stage, Leg, Leg], Awaitable[Pair]]


async def play(stage: Stage) -> Story:
    """Play the combination to its last hangup. What goes wrong with it, the story tells."""
    try:
        await _whole_call(stage)
    except (PhoneError, AmiError) as error:
        stage.story.trouble = f"{type(error).__name__}: {error}"
    await stage.finish()
    return stage.story


async def _whole_call(stage: Stage) -> None:
    combination = stage.combination
    agent, customer = await WAYS[combination.way](stage)
    if combination.out in names.UNANSWERED:
        await _unanswered(stage, agent, customer)
        return
    if not agent.up:
        await agent.answer()
    await stage.meet(agent, customer)
    agent, customer = await NEXTS[combination.then](stage, agent, customer)
    await _out(stage, agent, customer)


# --- ways in ---------------------------------------------------------------------------------------------


async def _into_queue(stage: Stage, prefix: str) -> Pair:
    customer = await stage.comes(prefix)
    stage.queued(stage.combination.queue)
    return await stage.rings("a"), customer


async def _queue(stage: Stage) -> Pair:
    return await _into_queue(stage, "11")


async def _did(stage: Stage) -> Pair:
    return await _into_queue(stage, "12")


async def _through_local(stage: Stage) -> Pair:
    return await _into_queue(stage, "13")


async def _through_local_n(stage: Stage) -> Pair:
    return await _into_queue(stage, "14")


async def _ari_queue(stage: Stage) -> Pair:
    return await _into_queue(stage, "16")


async def _direct(stage: Stage) -> Pair:
    customer = await stage.comes("10")
    stage.came("Direct")
    return await stage.rings("a"), customer


async def _ari(stage: Stage) -> Pair:
    customer = await stage.comes("15")
    stage.came("Acd")
    return await stage.rings("a"), customer


async def _picked_up(stage: Stage) -> Pair:
    customer = await stage.comes("10")
    stage.came("Direct")
    return await _pick_up(stage), customer


async def _queue_picked_up(stage: Stage) -> Pair:
    customer = await stage.comes("11")
    stage.queued(stage.combination.queue)
    return await _pick_up(stage), customer


async def _pick_up(stage: Stage) -> Leg:
    """C's telephone rings, A takes the call to his own."""
    other = await stage.rings("c")
    agent = await stage.dials("a", "*8")
    await agent.answered()
    await other.ended()
    stage.ended(other, "answered-elsewhere")
    return agent


async def _parked(stage: Stage) -> Pair:
    """C answers and parks, A fetches."""
    customer = await stage.comes("11")
    stage.queued(stage.combination.queue)
    other = await stage.rings("c")
    await other.answer()
    await stage.meet(other, customer)
    await _park_away(stage, other)
    agent = await stage.dials("a", stage.combination.extension("7") + "1")
    await agent.answered()
    return agent, customer


async def _dialler(stage: Stage, channel: str, context: str, exten: str, **variables: str) -> Leg:
    """Another program dials; the customer answers first."""
    stage.story.number = stage.combination.outside
    stage.originate(channel, context, exten, **variables)
    return await stage.is_called()


def _local(stage: Stage, context: str, suffix: str) -> str:
    return f"Local/{stage.combination.outside}@{context}{suffix}"


async def _dialler_to_queue(stage: Stage, channel: str, **variables: str) -> Pair:
    customer = await _dialler(stage, channel, "queues", stage.combination.extension("18"), **variables)
    stage.queued(stage.combination.queue)
    return await stage.rings("a"), customer


async def _dialler_local_n(stage: Stage) -> Pair:
    digits = stage.combination.digits
    return await _dialler_to_queue(stage, _local(stage, "out-plain", "/n"), __calldata=digits)


async def _dialler_local(stage: Stage) -> Pair:
    digits = stage.combination.digits
    return await _dialler_to_queue(stage, _local(stage, "out-plain", ""), __calldata=digits)


async def _dialler_trunk(stage: Stage) -> Pair:
    channel = trunk(stage.asterisk, "trunk", stage.combination.outside)
    return await _dialler_to_queue(stage, channel, __calldata=stage.combination.digits)


async def _callback(stage: Stage) -> Pair:
    return await _dialler_to_queue(stage, _local(stage, "callbacks", ""))


async def _callback_n(stage: Stage) -> Pair:
    return await _dialler_to_queue(stage, _local(stage, "callbacks", "/n"))


async def _dialler_reverse(stage: Stage) -> Pair:
    """The queue is entered first and rings the agent while the customer is being dialled."""
    stage.story.digits = ""
    stage.queued(stage.combination.queue)
    channel = f"Local/{stage.combination.extension('18')}@queues/n"
    customer = await _dialler(stage, channel, "out-plain", stage.combination.outside)
    return await stage.rings("a", ""), customer


async def _dialler_to_agent(stage: Stage, suffix: str) -> Pair:
    channel = _local(stage, "out-plain", suffix)
    exten = stage.combination.extension("17")
    customer = await _dialler(stage, channel, "direct", exten, __calldata=stage.combination.digits)
    stage.came("Direct")
    return await stage.rings("a"), customer


async def _dialler_agent(stage: Stage) -> Pair:
    return await _dialler_to_agent(stage, "")


async def _dialler_agent_n(stage: Stage) -> Pair:
    return await _dialler_to_agent(stage, "/n")


async def _calls_out(stage: Stage) -> Pair:
    stage.calls_out("a")
    agent = await stage.dials("a", stage.combination.outside)
    customer = await stage.is_called()
    await agent.answered()
    return agent, customer


async def _click(stage: Stage, channel: str) -> Pair:
    """Another program rings A's telephone and then dials."""
    stage.calls_out("a")
    context = "out-company" if stage.combination.way == "originate-company" else "out-plain"
    stage.originate(channel, context, stage.combination.outside)
    agent = await stage.rings("a")
    await agent.answer()
    return agent, await stage.is_called()


async def _originate(stage: Stage) -> Pair:
    return await _click(stage, stage.asterisk.device(stage.combination.agent("a")))


async def _click_local(stage: Stage) -> Pair:
    return await _click(stage, f"Local/{stage.combination.agent('a')}@agents")


async def _click_local_n(stage: Stage) -> Pair:
    return await _click(stage, f"Local/{stage.combination.agent('a')}@agents/n")


async def _agent_login(stage: Stage) -> Pair:
    """A's telephone is up all the time and waits for customers."""
    agent = await stage.dials("a", stage.combination.extension("6"))
    await agent.answered()
    customer = await stage.comes("11")
    stage.queued(stage.combination.queue)
    return agent, customer


async def _bridge_action(stage: Stage) -> Pair:
    """The customer waits in a queue that rings C, and another program connects him with A."""
    agent = await stage.dials("a", stage.combination.extension("5"))
    await agent.answered()
    customer = await stage.comes("11")
    stage.queued(stage.combination.queue)
    other = await stage.rings("c")
    channels = {"Channel1": stage.channel_of(customer), "Channel2": stage.channel_of(agent)}
    stage.asterisk.control.must("Bridge", **channels)
    await other.ended()
    stage.ended(other, "cancelled|answered-elsewhere")
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


async def _talk(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    return agent, customer


async def _hold(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await agent.hold()
    await asyncio.sleep(A_WHILE)
    await agent.hold(False)
    await stage.hear(agent, customer)
    return agent, customer


async def _blind(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await agent.refer(stage.combination.agent("b"))
    return await _goes_to_b(stage, agent, customer)


async def _blind_keys(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await _feature(agent, "##", stage.combination.agent("b"))
    return await _goes_to_b(stage, agent, customer)


async def _requeue(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await agent.refer(stage.combination.extension("19"))
    stage.queued(stage.combination.second_queue)
    return await _goes_to_b(stage, agent, customer)


async def _goes_to_b(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    other = await stage.rings("b")
    await stage.leaves(agent)
    await other.answer()
    await stage.meet(other, customer)
    return other, customer


async def _feature(agent: Leg, code: str, exten: str) -> None:
    await agent.press(code)
    await asyncio.sleep(A_MOMENT)
    await agent.press(exten)


async def _attended(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    second = await stage.dials("a", stage.combination.agent("b"))
    other = await stage.rings("b", "a")
    await other.answer()
    await stage.meet(second, other)
    await agent.refer(stage.combination.agent("b"), second)
    await stage.hear(other, customer)
    await _both_leave(stage, agent, second, "b")
    stage.met(other, customer)
    await asyncio.sleep(A_WHILE)
    return other, customer


async def _both_leave(stage: Stage, agent: Leg, second: Leg, last: str) -> None:
    """After a transfer the agent's two legs are of no use any more."""
    for leg, party in ((agent, CUSTOMER), (second, last)):
        await leg.hang_up()
        stage.ended(leg, "answered", party)


async def _consult(stage: Stage, agent: Leg) -> Leg:
    """By keys: the customer hears music while the agent asks B."""
    await _feature(agent, "#2", stage.combination.agent("b"))
    other = await stage.rings("b", "a")
    await other.answer()
    await stage.meet(agent, other)
    return other


async def _attended_keys(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    other = await _consult(stage, agent)
    await agent.hang_up()
    stage.ended(agent, last="")
    await stage.meet(other, customer)
    return other, customer


async def _blonde(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await _feature(agent, "#2", stage.combination.agent("b"))
    other = await stage.rings("b", "a")
    await agent.hang_up()
    stage.ended(agent, last="")
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await stage.meet(other, customer)
    return other, customer


async def _blonde_queue(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    """The consultation call waits in the other queue when the agent hangs up."""
    await _feature(agent, "#2", stage.combination.extension("19"))
    stage.queued(stage.combination.second_queue, "a")
    other = await stage.rings("b", "a")
    await agent.hang_up()
    stage.ended(agent, last="")
    stage.queued(stage.combination.second_queue)
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await stage.meet(other, customer)
    return other, customer


async def _media(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    """A bot listens for a while: three in the bridge, and still a conversation of two."""
    channel = stage.ari.add_media(f"{stage.combination.number:03}")
    stage.confers(agent)
    await asyncio.sleep(A_WHILE)
    stage.ari.remove(channel)
    await stage.hear(agent, customer)
    return agent, customer


async def _join_three(stage: Stage, agent: Leg, customer: Leg) -> Leg:
    """All three hear one another: mixed, so that the telephones recognise nobody."""
    other = await _consult(stage, agent)
    await agent.press("*3")
    await asyncio.sleep(2 * A_WHILE)
    stage.met(other, customer)
    return other


async def _three_way(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    other = await _join_three(stage, agent, customer)
    await other.hang_up()
    stage.ended(other, last="")
    await stage.hear(agent, customer)
    return agent, customer


async def _three_way_left(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    other = await _join_three(stage, agent, customer)
    await agent.hang_up()
    stage.ended(agent, last="")
    await stage.hear(other, customer)
    return other, customer


async def _park_away(stage: Stage, agent: Leg) -> None:
    await agent.refer(stage.combination.extension("7") + "0")
    await stage.leaves(agent)
    await asyncio.sleep(A_WHILE)


async def _park(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    return await _fetched_by("b", stage, agent, customer)


async def _park_back(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    return await _fetched_by("a", stage, agent, customer)


async def _fetched_by(letter: str, stage: Stage, agent: Leg, customer: Leg) -> Pair:
    await _park_away(stage, agent)
    other = await stage.dials(letter, stage.combination.extension("7") + "1")
    await other.answered()
    await stage.meet(other, customer)
    return other, customer


async def _requeue_attended(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    """The agent's second line waits in the other queue, and the customer takes its place."""
    second = await stage.dials("a", stage.combination.extension("19"))
    await second.answered()
    stage.queued(stage.combination.second_queue, "a")
    other = await stage.rings("b", "a")
    await agent.refer(stage.combination.extension("19"), second)
    await stage.leaves(agent)
    await second.hang_up()
    stage.ended(second, "", "")
    stage.queued(stage.combination.second_queue)
    await asyncio.sleep(A_WHILE)
    await other.answer()
    await stage.meet(other, customer)
    return other, customer


async def _conference(stage: Stage, agent: Leg, customer: Leg) -> Pair:
    """A conference is no conversation of two: B, who joins it, is told nothing of the customer."""
    await agent.refer(stage.combination.extension("8"))
    await stage.leaves(agent)
    other = await stage.dials("b", stage.combination.extension("8"))
    stage.confers(other)
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


async def _out(stage: Stage, agent: Leg, customer: Leg) -> None:
    """One hangs up; the other is let go by Asterisk, unless he waits for the next one."""
    combination = stage.combination
    confers = combination.then == names.CONFERENCE
    if confers or (combination.way == "agent-login" and combination.out == names.CALLER):
        await customer.hang_up()
        await asyncio.sleep(A_WHILE)
        await agent.hang_up()
        stage.ended(agent, "" if confers else "answered", "")
        return
    if combination.out == names.CALLER:
        await customer.hang_up()
        await agent.ended()
    else:
        await agent.hang_up()
        await customer.ended()
    stage.ended(agent)


async def _unanswered(stage: Stage, agent: Leg, customer: Leg) -> None:
    out = stage.combination.out
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
    stage.ended(agent, end, "")
    await customer.ended()

"""Record calls that are less plain than those of scenes.py.

    python -m tests.asterisk.matrix.less_plain [22|16] [NAME...]

Each is played alone and recorded from the login on, as record.py does it: exactly what Asterisk sent to a
user with the server's rights. Writes tests/fixtures/ami/less-plain/, the server's configuration for them
too, and prints the rows of the table there.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.asterisk.matrix import site
from tests.asterisk.matrix.combinations import Combination
from tests.asterisk.matrix.live_call import A_WHILE, LiveCall
from tests.asterisk.matrix.observed import CUSTOMER, Met
from tests.asterisk.matrix.recorder import StreamRecorder
from tests.asterisk.matrix.run import MatrixSite
from tests.asterisk.matrix.steps import play
from tests.asterisk.matrix.telephones import TelephoneError
from tests.asterisk.rig import TECHNOLOGIES, Asterisk
from tests.fake.patience import PATIENCE

FOLDER = Path(__file__).parents[2] / "fixtures/ami/less-plain"
SECOND_DIGITS = "54321"

Script: TypeAlias = Callable[[LiveCall, StreamRecorder], Awaitable[None]]


@dataclass(frozen=True)
class LessPlainCall:
    """A call by the name it is known by: a combination, or a script with a combination's phones."""

    name: str
    what: str
    right: str
    combination: Combination
    script: Script | None = None


async def _two_customers_for_an_agent(call: LiveCall, _: StreamRecorder) -> None:
    agent = await call.dials("a", call.combination.extension("6"))
    await agent.answered()
    for digits in (call.combination.digits, SECOND_DIGITS):
        customer = await call.comes("11", digits)
        await call.meet(agent, customer)
        await customer.hang_up()
        await asyncio.sleep(A_WHILE)
    await agent.hang_up()


async def _link_lost_while_waiting(call: LiveCall, recorder: StreamRecorder) -> None:
    control, device = call.asterisk.control, call.asterisk.device(call.combination.agent("a"))
    control.must("QueuePause", Interface=device, Paused="true")
    customer = await call.comes("11")
    await asyncio.sleep(A_WHILE)
    await recorder.cut()
    await recorder.open("calldata,custid")
    control.must("QueuePause", Interface=device, Paused="false")
    agent = await call.rings("a")
    await agent.answer()
    await call.meet(agent, customer)
    await customer.hang_up()
    await agent.ended()


async def _link_lost_while_ringing(call: LiveCall, recorder: StreamRecorder) -> None:
    customer = await call.comes("11")
    agent = await call.rings("a")
    await asyncio.sleep(A_WHILE)
    await recorder.cut()
    await agent.answer()
    await call.meet(agent, customer)
    await recorder.open("calldata,custid")
    await asyncio.sleep(A_WHILE)
    await customer.hang_up()
    await agent.ended()


async def _left_while_screened(call: LiveCall, _: StreamRecorder) -> None:
    customer = await call.comes("20")
    agent = await call.rings("a")
    await agent.answer()
    await asyncio.sleep(A_WHILE)
    await customer.hang_up()
    await agent.ended()


def _combination(number: int, kind: str) -> Combination:
    way, member, then, out = kind.split(".")
    return Combination(number, way, member, then, out)


_CALLED = "inbound at the agent, with number, data and trigger"
_LIST: tuple[tuple[str, str, str, str, Script | None], ...] = (
    (
        "parked-call-fetched",
        "queue call answered by C, parked by REFER, A dials the place",
        f"one Link for A: {_CALLED}, service and queue of the first queue",
        "parked.device.talk.caller",
        None,
    ),
    (
        "ami_bridge_waiting",
        "the AMI action Bridge joins a customer, whom a queue rings C for, with A, who hears music",
        f"one Link for A: {_CALLED}, service and queue; C's ring is not missed",
        "bridge-action.device.talk.caller",
        None,
    ),
    (
        "agent-login-agents",
        "A logged in with AgentLogin, the member is Local/...@agentpool; two customers come in turn",
        f"two Links for A: {_CALLED}; an Unlink after each, one Hangup at the end",
        "agent-login.device.talk.caller",
        _two_customers_for_an_agent,
    ),
    (
        "queue-callback-local",
        "Originate Local/NUMBER@callbacks into a queue: the customer is rung first, A answers",
        f"Callerid and one Link for A: {_CALLED}, the number that was dialled",
        "callback.device.talk.caller",
        None,
    ),
    (
        "queue-callback-local-n",
        "the same with Local/NUMBER@callbacks/n",
        f"Callerid and one Link for A: {_CALLED}, the number that was dialled",
        "callback-n.device.talk.caller",
        None,
    ),
    (
        "callback",
        "Originate Local/...@queues enters the queue, its other half dials the customer",
        f"Callerid and one Link for A: {_CALLED}, service and queue",
        "dialler-reverse.local.talk.caller",
        None,
    ),
    (
        "campaign_local",
        "Originate Local/NUMBER@out-plain/n into a queue: customer first",
        f"one Link for A: {_CALLED}, service and queue of the queue, not of the outbound context",
        "dialler-local-n.device.talk.caller",
        None,
    ),
    (
        "campaign_reverse",
        "Originate Local/...@queues/n waits in the queue, then the customer is dialled",
        f"one Link for A: {_CALLED}, service and queue",
        "dialler-reverse.device.talk.caller",
        None,
    ),
    (
        "ari-distributed-call",
        "a Stasis application originates A with originator= and bridges him with the caller",
        f"Callerid and one Link for A: {_CALLED}, service Acd",
        "ari.device.talk.caller",
        None,
    ),
    (
        "ari-into-queue-ring",
        "a Stasis application bridges the caller with a Local channel that enters a queue",
        "service and queue are known at the ring already",
        "ari-queue.device.talk.caller",
        None,
    ),
    (
        "click_local",
        "another program originates Local/A@agents/n to a number outside",
        "one Link for A: outbound, the number that was dialled, its trigger; at the ring not A's own number",
        "click-local-n.device.talk.caller",
        None,
    ),
    (
        "outbound_then_blind",
        "A dials out and transfers blind to B",
        "a Link for B: outbound, the outbound service, the number that was dialled, no trigger",
        "out.device.blind.caller",
        None,
    ),
    (
        "out-gosub-s",
        "A dials out, the dialplan dials the trunk in a subroutine",
        "the number that was dialled, never s",
        "out-gosub.device.talk.caller",
        None,
    ),
    (
        "out-gosub-connectedline",
        "the same, and the subroutine sets CONNECTEDLINE(num,i) before",
        "the number that was dialled, never s",
        "out-connected.device.talk.caller",
        None,
    ),
    (
        "out-gosub-connectedline-i",
        "the same, and Dial has the option I",
        "the number that was dialled, never s",
        "out-connected-i.device.talk.caller",
        None,
    ),
    (
        "out_trunk_cid",
        "A dials out through a trunk that has our own number as its callerid",
        "the number that was dialled, never our own",
        "out-company.device.talk.caller",
        None,
    ),
    (
        "orig_trunk_cid",
        "the same, and A's telephone is originated",
        "the number that was dialled, never our own",
        "originate-company.device.talk.caller",
        None,
    ),
    (
        "transfer-into-queue",
        "queue call; A's second line waits in another queue, REFER with Replaces puts the customer there",
        "B's Link: service and queue of the second queue",
        "queue.device.requeue-attended.caller",
        None,
    ),
    (
        "blonde-into-queue",
        "direct call; A presses #2 and the second queue's number, and hangs up while it waits there",
        "B's Link: service and queue of the second queue, data of the customer",
        "direct.device.blonde-queue.caller",
        None,
    ),
    (
        "three-way-last-party",
        "direct call; A consults B (#2), joins all three (*3), B leaves, A and the customer talk on",
        "A's Hangup: inbound, the customer's number and data, its trigger",
        "direct.device.three-way.caller",
        None,
    ),
    (
        "keypress",
        "the customer leaves the queue by key while A rings",
        "A's Hangup: cancelled",
        "queue.device.nothing.key",
        None,
    ),
    (
        "screening_left",
        "the queue's subroutine runs on A's telephone, and the customer hangs up meanwhile",
        "no trigger: the customer has gone, though Asterisk joins the two for a moment",
        "queue.device.nothing.gives-up",
        _left_while_screened,
    ),
    (
        "wait_cut_answer",
        "the link to Asterisk is lost and back while the customer waits; then A answers",
        "A's Link: the customer's data; nothing says (null)",
        "queue.device.talk.caller",
        _link_lost_while_waiting,
    ),
    (
        "cut_while_ringing",
        "the link to Asterisk is lost while A rings, and back when they talk",
        "A's Link is no repeat and has its trigger; nothing says (null)",
        "queue.device.talk.caller",
        _link_lost_while_ringing,
    ),
    (
        "external-media",
        "as ari-distributed-call, and a media channel (UnicastRTP) is in the bridge for a while",
        "no Link and no Unlink for the media channel; A's Hangup is told with the customer",
        "ari.device.media.caller",
        None,
    ),
)
SCENES = {
    name: LessPlainCall(name, what, right, _combination(number, kind), script)
    for number, (name, what, right, kind, script) in enumerate(_LIST, start=1)
}


async def _record(running: MatrixSite, scene: LessPlainCall) -> tuple[bytes, str]:
    """Play it; return what was heard and the cell of the table that says who got connected with whom."""
    recorder = StreamRecorder(running.asterisk.ami_port)
    call = running.call(scene.combination)
    await recorder.open()
    if scene.script:
        await scene.script(call, recorder)
        await call.finish()
    else:
        await play(call)
        if call.observed.trouble:
            raise TelephoneError(f"{scene.name}: {call.observed.trouble}")
    await asyncio.sleep(2 * A_WHILE)
    technology = running.asterisk.technology
    trunk = "company" if "company" in scene.combination.way else "trunk"
    names = {CUSTOMER: trunk, **call.observed.numbers}
    met = [fact for fact in call.observed.facts if isinstance(fact, Met)]
    once = (
        fact for fact in met if fact.party == CUSTOMER or fact.agent < fact.party
    )  # of two agents both tell
    pairs = (
        sorted((f"`{technology}/{names[party]}`" for party in (fact.agent, fact.party)), reverse=True)
        for fact in once
    )
    return await recorder.close(), "; ".join(" with ".join(pair) for pair in pairs) or "none"


async def _record_all(asterisk: Asterisk, scenes: list[LessPlainCall]) -> list[str]:
    rows = []
    async with MatrixSite(asterisk, [scene.combination for scene in SCENES.values()]) as running:
        for scene in scenes:
            data, pairs = await _record(running, scene)
            file = f"{asterisk.version}-{scene.name}"
            (FOLDER / f"{file}.ami").write_bytes(data)
            rows.append(f"| `{file}` | {asterisk.version} | {scene.what} | {scene.right} | {pairs} |")
            print(rows[-1])
    return rows


async def _record_early_login(asterisk: Asterisk) -> None:
    """What a manager is told who logs in while the modules are still being loaded."""
    starting = asyncio.create_task(asyncio.to_thread(asterisk.start))
    recorder = StreamRecorder(asterisk.ami_port)
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(ConnectionRefusedError):
                await recorder.open_early(("ListCommands", "QueueStatus"))
                break
            await asyncio.sleep(0.01)  # nothing tells us when the port begins to listen
    await starting
    await asyncio.sleep(A_WHILE)
    file = f"{asterisk.version}-early-login"
    (FOLDER / f"{file}.ami").write_bytes(await recorder.close())
    right = "no advice about the user's rights; the queues are read once FullyBooted came"
    print(f"| `{file}` | {asterisk.version} | a login while Asterisk loads its modules | {right} | none |")


def main(arguments: list[str]) -> None:
    """Record what the arguments name: versions, scenes, or everything."""
    versions = [int(word) for word in arguments if word.isdigit()] or sorted(TECHNOLOGIES)
    names = [word for word in arguments if not word.isdigit()] or [*SCENES, "early-login"]
    FOLDER.mkdir(exist_ok=True)
    for version in versions:
        if "early-login" in names:
            with contextlib.closing(Asterisk(version)) as asterisk:
                asyncio.run(_record_early_login(asterisk))
        scenes = [SCENES[name] for name in names if name in SCENES]
        with contextlib.closing(Asterisk(version)) as asterisk:
            config = FOLDER / f"config-{version}"
            config.mkdir(exist_ok=True)
            combinations = [scene.combination for scene in SCENES.values()]
            (config / "configuration.xml").write_text(site.configuration(asterisk, combinations))
            asyncio.run(_record_all(asterisk, scenes))


if __name__ == "__main__":
    main(sys.argv[1:])

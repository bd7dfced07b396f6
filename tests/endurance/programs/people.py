"""The people of the endurance run: callers from outside, and hands that answer phones. One thread."""

from __future__ import annotations

from astcti_server.demo.ami.blocks import DemoEvent
from astcti_server.demo.calls.channels import Channel, ChannelState
from astcti_server.demo.calls.dialplan import Extension
from astcti_server.demo.calls.engine import Engine
from astcti_server.demo.calls.queue_call import QueueCall
from tests.endurance.history import HistoryWriter
from tests.endurance.office import DIRECT, TEAMS, Office, queue_name

NAMES = (
    "Anna Bianchi",
    "Jürgen Groß",
    "Siobhán O'Brien",
    'The "Shop"',
    "Łukasz Nowak",
    "A & B <Ltd>",
    "松本 行弘",
)
DIRECT_SHARE = 0.3
"""Of the callers: they dial a phone, which rings whether anybody is logged in there or not."""
ANSWER = (0.2, 2.0)  # seconds that a phone rings
TALK = (3.0, 14.0)  # seconds that people talk
PATIENCE = 25.0  # seconds in a queue
MOST_WAITING = 60  # callers in all queues: with more no further one comes


def furnish(engine: Engine, office: Office) -> None:
    """Put the office's phones and queues into the PBX."""
    for phone in office.phones:
        number = phone.partition("/")[2]
        engine.add_phone(phone, number, f"Agent {number}", DIRECT)
        engine.dialplan.add(DIRECT, number, Extension(device=phone))
    for team in range(office.teams):
        engine.add_queue(queue_name(team), TEAMS, f"9{team:03}")


class People:
    """Calls at a rate that can be changed; everything that a person did is in the history."""

    def __init__(self, engine: Engine, office: Office, history: HistoryWriter) -> None:
        self._engine, self._office, self._history = engine, office, history
        self.rate = 0.0
        """Callers a second; 0: nobody calls, and calls that go on end as they would."""
        self.late = 0.0
        """Seconds by which the last caller was late: what this machine cannot carry."""
        self._next = engine.scheduler.clock()
        self._serial = 0
        engine.ring_listeners.append(self._rings)
        engine.listeners.append(self._hear)
        engine.scheduler.later(0.0, self._callers)

    def _callers(self) -> None:
        now = self._engine.scheduler.clock()
        if self.rate <= 0:
            self._next = now
            self._engine.scheduler.later(0.1, self._callers)
            return
        self.late = max(0.0, now - self._next)
        self._send_caller()
        self._next = max(
            self._next + 1 / self.rate, now - 1.0
        )  # what was missed for longer is not made up for
        self._engine.scheduler.later(max(0.0, self._next - now), self._callers)

    def _send_caller(self) -> None:
        engine, chance = self._engine, self._engine.chance
        if sum(len(queue.callers) for queue in engine.queues.by_name.values()) >= MOST_WAITING:
            return
        if chance.random() < DIRECT_SHARE:
            phone = chance.choice(self._office.phones)
            if engine.legs(phone, *ChannelState):
                return
            context, exten = DIRECT, phone.partition("/")[2]
        else:
            context, exten = TEAMS, f"9{chance.randrange(self._office.teams):03}"
        self._serial += 1
        caller = engine.incoming_call(
            f"+39{chance.randrange(10**9):09}",
            chance.choice(NAMES),
            context=context,
            exten=exten,
            digits=f"{self._serial:08}",
        )
        engine.scheduler.later(PATIENCE, lambda: self._lose_patience(caller))

    def _lose_patience(self, caller: Channel) -> None:
        if not caller.gone and caller.bridge is None:
            self._engine.hang_up(caller)

    def _rings(self, channel: Channel) -> None:
        delay = self._engine.chance.uniform(*ANSWER)
        self._engine.scheduler.later(delay, lambda: self._answer(channel))

    def _answer(self, channel: Channel) -> None:
        engine = self._engine
        if channel.gone or channel.state is not ChannelState.RINGING:
            return
        call = engine.call_of[channel.uniqueid]
        call.answer(channel)
        caller = channel.peer
        if caller is None:
            return
        self._history.write(
            "answered",
            leg=channel.uniqueid,
            other=caller.uniqueid,
            phone=channel.device,
            number=caller.number,
            name=caller.caller_name,
            digits=caller.variables.get("calldata", ""),
            queue=call.queue.name if isinstance(call, QueueCall) else "",
        )
        engine.scheduler.later(engine.chance.uniform(*TALK), lambda: self._say_goodbye(channel))

    def _say_goodbye(self, channel: Channel) -> None:
        if not channel.gone:
            other = channel.peer
            self._engine.hang_up(other if other and self._engine.chance.random() < 0.5 else channel)

    def _hear(self, event: DemoEvent) -> None:
        get = event.get
        match event.name:
            case "Hangup" if not get("Channel").startswith("PJSIP/caller"):
                self._history.write("ended", leg=get("Uniqueid"))
            case "QueueMemberAdded" | "QueueMemberPause" | "QueueMemberPenalty":
                self._history.write(
                    "member",
                    queue=get("Queue"),
                    phone=get("Interface"),
                    penalty=int(get("Penalty")),
                    paused=get("Paused") == "1",
                )
            case "QueueMemberRemoved":
                self._history.write("no-member", queue=get("Queue"), phone=get("Interface"))

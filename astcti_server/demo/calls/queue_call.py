"""A caller in a queue of the demo PBX: waiting, ringing the members, talking to one of them."""

from __future__ import annotations

from astcti_server.demo.calls.call import CallSwitch, DemoCall
from astcti_server.demo.calls.channels import Channel, ChannelState
from astcti_server.demo.calls.members import DemoMember, DemoQueue, DemoQueues
from astcti_server.demo.calls.switch import ScheduledWork

QUEUE_TIME = 60.0  # seconds that a caller waits for somebody to answer
MEMBER_RING_TIME = 15.0  # seconds a member rings ...
RETRY_TIME = 1.0  # ... and that pass before all ring again


class QueueCall(DemoCall):
    """Joins the queue when it is made. Rings whoever is free, all at once, until one answers."""

    caller: Channel

    def __init__(self, switch: CallSwitch, queues: DemoQueues, caller: Channel, queue: DemoQueue) -> None:
        super().__init__(switch, caller)
        self._queues = queues
        self.queue = queue
        self.member: DemoMember | None = None
        self._members: dict[Channel, DemoMember] = {}
        self._timer: ScheduledWork | None = None
        for name in ("ANSWEREDTIME", "DIALEDTIME", "QUEUEWAIT"):
            switch.set_variable(caller, name, "")
            switch.set_variable(caller, f"{name}_MS", "")
        queue.callers.append(self)
        if len(queue.callers) == 1:
            switch.say_device(f"Queue:{queue.name}", "RINGING")
        place = str(len(queue.callers))
        self._say_caller("QueueCallerJoin", ("Position", place), ("Count", place))
        self._patience = switch.scheduler.later(QUEUE_TIME, self._timed_out)
        self.try_ring()

    def try_ring(self) -> None:
        """Ring every member that is free, unless some ring already."""
        if self.over or self.answered is not None or self.ringing or self._timer is not None:
            return
        for member in self.queue.available():
            if member.interface in self.switch.phones:
                self._call_member(member)
        if not self.ringing:
            return
        self._timer = self.switch.scheduler.later(MEMBER_RING_TIME, self._nobody_answered)
        if self.switch.rings_at_once:
            for channel in list(self.ringing):
                self.ring(channel)

    def ring(self, channel: Channel) -> None:
        if channel.state is not ChannelState.DOWN:
            return
        switch = self.switch
        switch.set_state(channel, ChannelState.RINGING)
        switch.step(channel, 1, "AppQueue", "(Outgoing Line)")
        switch.say("NewConnectedLine", channel)
        switch.check_device(channel.device)
        switch.say_dial("DialState", self.caller, channel, ("DialStatus", "RINGING"))
        switch.phone_rings(channel)

    def answer(self, channel: Channel) -> None:
        switch = self.switch
        switch.set_state(channel, ChannelState.UP)
        self._take(channel)
        self._dial_end(channel, "ANSWER")
        # app_queue says it twice of everybody else: when it has found who answered (wait_for_answer), and
        # below when it hangs them up (hangupcalls). A reader of events has to bear that.
        for other in self.ringing:
            self._dial_end(other, "CANCEL")
        switch.check_device(channel.device)
        switch.connect_line(self.caller, channel.number, channel.caller_name)
        for other in list(self.ringing):
            self._dial_end(other, "CANCEL")
            self._drop(other, 26)  # 26, answered elsewhere: the phone does not list it as a missed call
            if other.state is ChannelState.DOWN:  # what a phone says that had not even begun to ring
                switch.say("NewConnectedLine", other)
        self._connect(channel)

    def refuse(self, channel: Channel) -> None:
        self._request_busy(channel)
        self._dial_end(channel, "BUSY")
        self._say_no_answer(channel)
        self._drop(channel, 17)
        if not self.ringing:
            self._try_later()

    def give_up(self, *, requested: bool = True) -> None:
        if requested:
            self.switch.say("HangupRequest", self.caller)
        self._cancel_ringing()
        self._say_time(self.caller, "QUEUEWAIT", self._waited())
        self._say_time(self.caller, "DIALEDTIME", self._waited())
        self._say_time(self.caller, "ANSWEREDTIME", 0.0)
        self.switch.set_variable(self.caller, "ABANDONED", "TRUE")
        self.queue.abandoned += 1
        place = self._position()
        self._say_caller(
            "QueueCallerAbandon",
            ("Position", place),
            ("OriginalPosition", place),
            ("HoldTime", str(int(self._waited()))),
        )
        self._leave_queue()
        self._end_leg(self.caller, 0)

    def end(self, by: Channel, *, requested: bool = True) -> None:
        agent, caller = self.answered, self.caller
        assert agent is not None
        self.over = True
        if requested:
            self._request_hangup(by)
        self._complete("caller" if by is caller else "agent")
        self._unbridge(by, caller if by is agent else agent)
        self._say_times(caller)
        self.switch.say_hangup(agent, 16)
        self._free_agent()
        self._end_leg(caller, 16)

    def release(self, leg: Channel) -> None:
        agent = self.answered
        if agent is None:
            self._cancel_ringing()
            self._leave_queue()
            return
        self.over = True
        self._complete("transfer")
        self._unbridge(leg, agent if leg is self.caller else self.caller)
        if leg is agent:
            self._free_agent()
            self._end_leg(self.caller, 16)
        else:
            self.switch.say_hangup(agent, 16)
            self._free_agent()

    def transferred(self) -> None:
        """The agent handed the caller on; its channels were seen to."""
        self.over = True
        self._complete("transfer")
        self._free_agent()

    def picked_up(self, ringing: Channel, picker: Channel) -> None:
        switch = self.switch
        self._members[picker] = self._members[ringing]
        self.ringing.append(picker)
        switch.call_of[picker.uniqueid] = self
        switch.answer_for(ringing, picker, self.caller)
        self._take(picker)
        self._dial_end(picker, "ANSWER")
        switch.say_picked_up(ringing, picker)
        self._drop(ringing, 16)
        for other in list(self.ringing):
            self._dial_end(other, "CANCEL")
            self._drop(other, 26)
        self._connect(picker)

    # -- steps --------------------------------------------------------------------------------------------

    def _call_member(self, member: DemoMember) -> None:
        channel = self._new_leg(self.switch.phones[member.interface])
        self._members[channel] = member
        before = channel.fields("Dest")
        self._show_caller(channel)
        self._say_agent_for("AgentCalled", channel, member)
        dialled = ("DialString", member.interface)
        self.switch.emit("DialBegin", "call", [*self.caller.fields(), *before, dialled])

    def _take(self, channel: Channel) -> None:
        self._stop_timers()
        self.ringing.remove(channel)
        self.answered, self.member = channel, self._members[channel]
        self._answered_at = self.switch.scheduler.clock()

    def _connect(self, channel: Channel) -> None:
        assert self.member is not None
        self._leave_queue()
        self._say_time(self.caller, "QUEUEWAIT", self._waited())
        rung = int(self._answered_at - channel.created)
        self._say_agent("AgentConnect", ("HoldTime", str(int(self._waited()))), ("RingTime", str(rung)))
        self.switch.bridge(channel, self.caller)
        self.member.in_call = True

    def _cancel_ringing(self) -> None:
        self.over = True
        self._stop_timers()
        for channel in self.ringing:
            self._dial_end(channel, "CANCEL")
        for channel in list(self.ringing):
            self._dial_end(channel, "CANCEL")
            self._drop(channel, 0)

    def _nobody_answered(self) -> None:
        self._timer = None
        for channel in list(self.ringing):
            self._say_no_answer(channel)
            if self.queue.autopause:
                self._queues.pause(self._members[channel].interface, True, "Auto-Pause", self.queue.name)
            self._dial_end(channel, "NOANSWER")
        for channel in list(self.ringing):
            self._dial_end(channel, "CANCEL")
            self._drop(channel, 0)
        self._try_later()

    def _try_later(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self.switch.scheduler.later(RETRY_TIME, self._try_again)

    def _try_again(self) -> None:
        self._timer = None
        self.try_ring()

    def _timed_out(self) -> None:
        """Nobody came in all that time: the dialplan goes on, and here that means the end of the call."""
        self._cancel_ringing()
        self._leave_queue()
        self.switch.set_variable(self.caller, "QUEUESTATUS", "TIMEOUT")
        self.switch.step(self.caller, self.caller.priority + 1, "Hangup")
        self._end_leg(self.caller, 16)

    def _say_no_answer(self, channel: Channel) -> None:
        rung = f"{(self.switch.scheduler.clock() - channel.created) * 1000:.0f}"
        self._say_agent_for("AgentRingNoAnswer", channel, self._members[channel], ("RingTime", rung))

    def _say_agent(self, name: str, *more: tuple[str, str]) -> None:
        assert self.answered is not None and self.member is not None
        self._say_agent_for(name, self.answered, self.member, *more)

    def _say_agent_for(self, name: str, agent: Channel, member: DemoMember, *more: tuple[str, str]) -> None:
        fields = [
            *self.caller.fields(),
            *agent.fields("Dest"),
            ("Queue", self.queue.name),
            ("Interface", member.interface),
            ("MemberName", member.name),
            *more,
        ]
        self.switch.emit(name, "agent", fields)

    def _say_caller(self, name: str, *more: tuple[str, str]) -> None:
        self.switch.say(name, self.caller, ("Queue", self.queue.name), *more, privilege="agent")

    def _waited(self) -> float:
        until = self._answered_at if self.answered is not None else self.switch.scheduler.clock()
        return until - self.began

    def _position(self) -> str:
        return str(self.queue.callers.index(self) + 1)

    def _leave_queue(self) -> None:
        position = self._position()
        self.queue.callers.remove(self)
        if not self.queue.callers:
            self.switch.say_device(f"Queue:{self.queue.name}", "NOT_INUSE")
        self._say_caller("QueueCallerLeave", ("Position", position), ("Count", str(len(self.queue.callers))))
        self.switch.set_variable(self.caller, "QUEUEPOSITION", position)

    def _complete(self, reason: str) -> None:
        self.queue.completed += 1
        talked = int(self.switch.scheduler.clock() - self._answered_at)
        self._say_agent(
            "AgentComplete",
            ("HoldTime", str(int(self._waited()))),
            ("TalkTime", str(talked)),
            ("Reason", reason),
        )

    def _free_agent(self) -> None:
        assert self.member is not None and self.answered is not None
        self.member.in_call = False
        self.member.calls_taken += 1
        self.member.last_call = int(self.switch.scheduler.clock())
        self.switch.check_device(self.answered.device)

    def _stop_timers(self) -> None:
        self._patience.cancel()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

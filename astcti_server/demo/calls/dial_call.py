"""A call of the demo PBX from phone to phone: the dialplan's Dial, or the first half of an Originate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from astcti_server.demo.calls.call import CANCELLED, Call
from astcti_server.demo.calls.channels import Channel, Phone, State

if TYPE_CHECKING:
    from astcti_server.demo.calls.engine import Engine

CLEARED = (
    "DIALSTATUS",
    "DIALEDPEERNUMBER",
    "DIALEDPEERNAME",
    "ANSWEREDTIME",
    "ANSWEREDTIME_MS",
    "DIALEDTIME",
    "DIALEDTIME_MS",
    "RINGTIME",
    "RINGTIME_MS",
    "PROGRESSTIME",
    "PROGRESSTIME_MS",
)
"""The variables that Dial empties before it begins."""

NOT_PRESENTED = ("CID-CallingPres", "0 (Presentation Allowed, Not Screened)")


class DialCall(Call):
    """A channel's Dial: one phone rings for it."""

    caller: Channel
    _dialled = True

    def __init__(self, engine: Engine, caller: Channel, phone: Phone, ring_time: float) -> None:
        super().__init__(engine, caller)
        self._number = phone.peer
        for name in CLEARED:
            engine.set_variable(caller, name, "")
        channel = self._new_leg(phone)
        self._show_caller(channel)
        unnamed = not channel.number
        if unnamed:
            channel.number = caller.exten
        engine.step(channel, 1, "AppDial", "(Outgoing Line)")
        if unnamed:
            engine.say("NewCallerid", channel, NOT_PRESENTED)
        engine.say("NewConnectedLine", channel)
        engine.say_dial("DialBegin", caller, channel, ("DialString", self._number))
        engine.connect_line(caller, channel.number, channel.caller_name)
        self._timer = engine.clockwork.later(ring_time, self._not_answered)
        if engine.rings_at_once:
            self.ring(channel)

    def ring(self, channel: Channel) -> None:
        if channel.state is not State.DOWN:
            return
        engine = self.engine
        engine.set_state(channel, State.RINGING)
        engine.check_device(channel.device)
        self._say_time(self.caller, "RINGTIME", engine.clockwork.clock() - self.began)
        engine.say_dial("DialState", self.caller, channel, ("DialStatus", "RINGING"))
        engine.check_device(self.caller.device)
        engine.phone_rings(channel)

    def answer(self, channel: Channel) -> None:
        engine = self.engine
        engine.set_state(channel, State.UP)
        self._take(channel)
        self._dial_end(channel, "ANSWER")
        self._connect(channel)

    def refuse(self, channel: Channel) -> None:
        self._request_busy(channel)
        self._fail("BUSY", 17)

    def give_up(self, *, requested: bool = True) -> None:
        engine, caller = self.engine, self.caller
        self.over = True
        self._timer.cancel()
        caller.tech_cause = CANCELLED
        if requested:
            engine.say("HangupRequest", caller, ("Cause", "127"), *caller.tech_fields())
        for channel in list(self.ringing):
            self._dial_end(channel, "CANCEL")
            channel.tech_cause = 500
            self._drop(channel, 127)
        engine.set_variable(caller, "DIALSTATUS", "CANCEL")
        self._end_leg(caller, 127)

    def end(self, by: Channel, *, requested: bool = True) -> None:
        called, caller = self.answered, self.caller
        assert called is not None
        self.over = True
        if requested:
            self._request_hangup(by)
        self._unbridge(by, caller if by is called else called)
        self.engine.say_hangup(called, 16)
        self._finish(caller)
        self.engine.check_device(called.device)
        self.engine.check_device(caller.device)

    def release(self, leg: Channel) -> None:
        self.over = True
        self._timer.cancel()
        for channel in list(self.ringing):
            self._dial_end(channel, "CANCEL")
            self._drop(channel, 0)
        other = leg.peer
        if other is not None:
            self._unbridge(leg, other)
            if leg is self.caller:
                self.engine.set_variable(leg, "DIALSTATUS", "ANSWER")
            self.engine.say_hangup(other, 16)
            self.engine.check_device(other.device)

    def handed_over(self) -> None:
        """The caller transferred the called party; its own channel ends when it has left the bridge."""
        self.over = True
        self._finish(self.caller)

    def picked_up(self, ringing: Channel, picker: Channel) -> None:
        engine = self.engine
        self.ringing.append(picker)
        engine.call_of[picker.uniqueid] = self
        engine.answer_for(ringing, picker, self.caller)
        self._take(picker)
        self._dial_end(picker, "ANSWER")
        engine.say_picked_up(ringing, picker)
        self._drop(ringing, 16)
        self._connect(picker)

    def _take(self, channel: Channel) -> None:
        engine, caller = self.engine, self.caller
        self._timer.cancel()
        self.ringing.remove(channel)
        self.answered, self._answered_at = channel, engine.clockwork.clock()
        for name, value in (
            ("DIALSTATUS", "ANSWER"),
            ("DIALEDPEERNAME", channel.name),
            ("DIALEDPEERNUMBER", self._number),
        ):
            engine.set_variable(caller, name, value)
        channel.exten = ""

    def _connect(self, channel: Channel) -> None:
        engine, caller = self.engine, self.caller
        engine.set_state(caller, State.UP)
        engine.check_device(channel.device)
        engine.check_device(caller.device)
        engine.step(channel, 1, "AppDial", "(Outgoing Line)")
        engine.bridge(channel, caller)

    def _finish(self, caller: Channel) -> None:
        self._say_times(caller)
        if self._dialled:
            self.engine.set_variable(caller, "DIALSTATUS", "ANSWER")
        self.engine.say("SoftHangupRequest", caller, ("Cause", "16"), *caller.tech_fields())
        self.engine.say_hangup(caller, 16)

    def _not_answered(self) -> None:
        self._fail("NOANSWER", 0)

    def _fail(self, status: str, cause: int) -> None:
        """Nobody answers: the caller goes on in the dialplan, and here that means the end of its call."""
        caller = self.caller
        self.over = True
        self._timer.cancel()
        for channel in list(self.ringing):
            self._dial_end(channel, status)
            caller.tech_cause = channel.tech_cause
            self._drop(channel, cause)
        self.engine.set_variable(caller, "DIALSTATUS", status)
        self.engine.step(caller, caller.priority + 1, "Hangup")
        self.engine.say("SoftHangupRequest", caller, ("Cause", "16"))
        self.engine.say_hangup(caller, cause)
        self.engine.check_device(caller.device)


class Talk(DialCall):
    """Two parties that a transfer brought together."""

    def __init__(self, engine: Engine, caller: Channel, called: Channel, *, dialled: bool) -> None:
        """`dialled` if the caller's channel still executes Dial, and not Queue."""
        Call.__init__(self, engine, caller)
        self._dialled = dialled
        engine.call_of[called.uniqueid] = self
        self.answered = called
        self._timer = engine.clockwork.later(0.0, lambda: None)

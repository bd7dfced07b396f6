"""A call of the demo PBX from phone to phone: the dialplan's Dial, or the first half of an Originate."""

from __future__ import annotations

from astcti_server.demo.calls.call import CANCELLED, CallSwitch, DemoCall
from astcti_server.demo.calls.channels import Channel, ChannelState, Phone

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


class DialCall(DemoCall):
    """A channel's Dial: one phone rings for it."""

    caller: Channel
    _dialled = True

    def __init__(self, switch: CallSwitch, caller: Channel, phone: Phone, ring_time: float) -> None:
        super().__init__(switch, caller)
        self._number = phone.peer
        for name in CLEARED:
            switch.set_variable(caller, name, "")
        channel = self._new_leg(phone)
        self._show_caller(channel)
        unnamed = not channel.number
        if unnamed:
            channel.number = caller.exten
        switch.step(channel, 1, "AppDial", "(Outgoing Line)")
        if unnamed:
            switch.say("NewCallerid", channel, NOT_PRESENTED)
        switch.say("NewConnectedLine", channel)
        switch.say_dial("DialBegin", caller, channel, ("DialString", self._number))
        switch.connect_line(caller, channel.number, channel.caller_name)
        self._timer = switch.scheduler.later(ring_time, self._not_answered)
        if switch.rings_at_once:
            self.ring(channel)

    def ring(self, channel: Channel) -> None:
        if channel.state is not ChannelState.DOWN:
            return
        switch = self.switch
        switch.set_state(channel, ChannelState.RINGING)
        switch.check_device(channel.device)
        self._say_time(self.caller, "RINGTIME", switch.scheduler.clock() - self.began)
        switch.say_dial("DialState", self.caller, channel, ("DialStatus", "RINGING"))
        switch.check_device(self.caller.device)
        switch.phone_rings(channel)

    def answer(self, channel: Channel) -> None:
        switch = self.switch
        switch.set_state(channel, ChannelState.UP)
        self._take(channel)
        self._dial_end(channel, "ANSWER")
        self._connect(channel)

    def refuse(self, channel: Channel) -> None:
        self._request_busy(channel)
        self._fail("BUSY", 17)

    def give_up(self, *, requested: bool = True) -> None:
        switch, caller = self.switch, self.caller
        self.over = True
        self._timer.cancel()
        caller.tech_cause = CANCELLED
        if requested:
            switch.say("HangupRequest", caller, ("Cause", "127"), *caller.tech_fields())
        for channel in list(self.ringing):
            self._dial_end(channel, "CANCEL")
            channel.tech_cause = 500
            self._drop(channel, 127)
        switch.set_variable(caller, "DIALSTATUS", "CANCEL")
        self._end_leg(caller, 127)

    def end(self, by: Channel, *, requested: bool = True) -> None:
        called, caller = self.answered, self.caller
        assert called is not None
        self.over = True
        if requested:
            self._request_hangup(by)
        self._unbridge(by, caller if by is called else called)
        self.switch.say_hangup(called, 16)
        self._finish(caller)
        self.switch.check_device(called.device)
        self.switch.check_device(caller.device)

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
                self.switch.set_variable(leg, "DIALSTATUS", "ANSWER")
            self.switch.say_hangup(other, 16)
            self.switch.check_device(other.device)

    def handed_over(self) -> None:
        """The caller transferred the called party; its own channel ends when it has left the bridge."""
        self.over = True
        self._finish(self.caller)

    def picked_up(self, ringing: Channel, picker: Channel) -> None:
        switch = self.switch
        self.ringing.append(picker)
        switch.call_of[picker.uniqueid] = self
        switch.answer_for(ringing, picker, self.caller)
        self._take(picker)
        self._dial_end(picker, "ANSWER")
        switch.say_picked_up(ringing, picker)
        self._drop(ringing, 16)
        self._connect(picker)

    def _take(self, channel: Channel) -> None:
        switch, caller = self.switch, self.caller
        self._timer.cancel()
        self.ringing.remove(channel)
        self.answered, self._answered_at = channel, switch.scheduler.clock()
        for name, value in (
            ("DIALSTATUS", "ANSWER"),
            ("DIALEDPEERNAME", channel.name),
            ("DIALEDPEERNUMBER", self._number),
        ):
            switch.set_variable(caller, name, value)
        channel.exten = ""

    def _connect(self, channel: Channel) -> None:
        switch, caller = self.switch, self.caller
        switch.set_state(caller, ChannelState.UP)
        switch.check_device(channel.device)
        switch.check_device(caller.device)
        switch.step(channel, 1, "AppDial", "(Outgoing Line)")
        switch.bridge(channel, caller)

    def _finish(self, caller: Channel) -> None:
        self._say_times(caller)
        if self._dialled:
            self.switch.set_variable(caller, "DIALSTATUS", "ANSWER")
        self.switch.say("SoftHangupRequest", caller, ("Cause", "16"), *caller.tech_fields())
        self.switch.say_hangup(caller, 16)

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
        self.switch.set_variable(caller, "DIALSTATUS", status)
        self.switch.step(caller, caller.priority + 1, "Hangup")
        self.switch.say("SoftHangupRequest", caller, ("Cause", "16"))
        self.switch.say_hangup(caller, cause)
        self.switch.check_device(caller.device)


class TransferredCall(DialCall):
    """Two parties that a transfer brought together."""

    def __init__(self, switch: CallSwitch, caller: Channel, called: Channel, *, dialled: bool) -> None:
        """`dialled` if the caller's channel still executes Dial, and not Queue."""
        DemoCall.__init__(self, switch, caller)
        self._dialled = dialled
        switch.call_of[called.uniqueid] = self
        self.answered = called
        self._timer = switch.scheduler.later(0.0, lambda: None)

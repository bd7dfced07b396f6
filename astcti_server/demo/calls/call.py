"""What all calls of the demo PBX have in common: legs that ring, are answered, refused and hung up.

With it the switch that knows which call each channel belongs to, for either needs the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from astcti_server.demo.calls.channels import Channel, ChannelState, Phone
from astcti_server.demo.calls.switch import Scheduler, Switch

CANCELLED = 487  # SIP's number for a call whose caller hung up ...
BUSY = 486  # ... and for a phone that is busy


class CallSwitch(Switch):
    """A switch whose channels belong to calls, and whose phones ring."""

    def __init__(self, scheduler: Scheduler, seed: int = 0) -> None:
        super().__init__(scheduler, seed)
        self.call_of: dict[str, DemoCall] = {}
        """By the channel's uniqueid."""
        self.rings_at_once = True
        """Phones ring as soon as they are called; False: when `ring` is called."""
        self.ring_listeners: list[Callable[[Channel], None]] = []

    def phone_rings(self, channel: Channel) -> None:
        """Told by the calls; passed on to whoever plays the phones."""
        for listener in list(self.ring_listeners):
            listener(channel)

    def answer_for(self, ringing: Channel, picker: Channel, caller: Channel) -> None:
        """The picker's own channel goes up, and is now what the ringing one was to the caller."""
        self.connect_line(picker, ringing.connected_number, ringing.connected_name)
        self.set_state(picker, ChannelState.UP)
        self.check_device(picker.device)
        picker.exten = ringing.exten
        self.step(picker, 1, "AppDial", "(Outgoing Line)")
        self.connect_line(caller, picker.number, picker.caller_name)

    def say_picked_up(self, ringing: Channel, picker: Channel) -> None:
        exten, picker.exten = picker.exten, "*8"
        self.say("Pickup", picker, *ringing.fields("Target"))
        picker.exten, ringing.exten = exten, "*8"

    def say_hangup(self, channel: Channel, cause: int) -> None:
        super().say_hangup(channel, cause)
        self.call_of.pop(channel.uniqueid, None)


class DemoCall(ABC):
    """A caller, the phones that ring for it, and the one that answered."""

    def __init__(self, switch: CallSwitch, caller: Channel | None) -> None:
        self.switch = switch
        self.caller = caller
        self.ringing: list[Channel] = []
        self.answered: Channel | None = None
        self.over = False
        self.began = self._answered_at = switch.scheduler.clock()
        if caller is not None:
            switch.call_of[caller.uniqueid] = self

    @abstractmethod
    def ring(self, channel: Channel) -> None:
        """The phone, called already, begins to ring."""

    @abstractmethod
    def answer(self, channel: Channel) -> None:
        """A ringing phone is picked up."""

    @abstractmethod
    def refuse(self, channel: Channel) -> None:
        """A ringing phone says that it is busy."""

    @abstractmethod
    def give_up(self, *, requested: bool = True) -> None:
        """The caller hangs up before anybody answered."""

    @abstractmethod
    def end(self, by: Channel, *, requested: bool = True) -> None:
        """One of the two parties hangs up. `requested` is False where an AMI action did it."""

    @abstractmethod
    def release(self, leg: Channel) -> None:
        """This leg was sent elsewhere: end everything else."""

    @abstractmethod
    def picked_up(self, ringing: Channel, picker: Channel) -> None:
        """Another phone takes the call of one that rings."""

    def hang_up(self, channel: Channel, *, requested: bool = True) -> None:
        """Whatever that means for this leg now."""
        if self.over or channel.gone:
            return
        if channel in self.ringing:
            self.refuse(channel)
        elif self.answered is not None:
            self.end(channel, requested=requested)
        else:
            self.give_up(requested=requested)

    def _new_leg(self, phone: Phone) -> Channel:
        channel = self.switch.new_channel(phone, ChannelState.DOWN, linked=self.caller)
        channel.called = True
        self.switch.call_of[channel.uniqueid] = self
        self.ringing.append(channel)
        if self.caller is not None:
            self.switch.set_variable(channel, "DIALEDPEERNUMBER", phone.peer)
        return channel

    def _show_caller(self, channel: Channel) -> None:
        """What the ringing phone displays. No event of its own."""
        if self.caller is not None:
            channel.connected_number, channel.connected_name = self.caller.number, self.caller.caller_name
            channel.exten = self.caller.exten

    def _dial_end(self, channel: Channel, status: str) -> None:
        self.switch.say_dial("DialEnd", self.caller, channel, ("DialStatus", status))

    def _request_busy(self, channel: Channel) -> None:
        channel.tech_cause = BUSY
        self.switch.say("HangupRequest", channel, ("Cause", "17"), *channel.tech_fields())

    def _drop(self, channel: Channel, cause: int) -> None:
        """End a leg that was not answered."""
        self.ringing.remove(channel)
        self.switch.say_hangup(channel, cause)
        self.switch.check_device(channel.device)

    def _request_hangup(self, by: Channel) -> None:
        """The phone says goodbye. Asterisk tells a cause only of legs that it called itself."""
        self.switch.say("HangupRequest", by, *([("Cause", "16")] if by.called else []))

    def _unbridge(self, first: Channel, second: Channel) -> None:
        switch = self.switch
        switch.forget_peers(first, second)
        bridge = switch.leave(first)
        switch.leave(second)
        if bridge is not None:
            switch.destroy(bridge)

    def _say_time(self, channel: Channel, name: str, seconds: float) -> None:
        self.switch.set_variable(channel, name, str(int(seconds)))
        self.switch.set_variable(channel, f"{name}_MS", f"{seconds * 1000:.0f}")

    def _say_times(self, channel: Channel) -> None:
        """How long it lasted, and how long with the ringing."""
        now = self.switch.scheduler.clock()
        self._say_time(channel, "ANSWEREDTIME", now - self._answered_at)
        self._say_time(channel, "DIALEDTIME", now - self.began)

    def _end_leg(self, channel: Channel, cause: int) -> None:
        """The dialplan is through with a channel."""
        self.switch.say("SoftHangupRequest", channel, ("Cause", "16"), *channel.tech_fields())
        self.switch.say_hangup(channel, cause)
        self.switch.check_device(channel.device)

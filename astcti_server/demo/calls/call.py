"""What all calls of the demo PBX have in common: legs that ring, are answered, refused and hung up."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from astcti_server.demo.calls.channels import Channel, Phone, State

if TYPE_CHECKING:
    from astcti_server.demo.calls.engine import Engine

CANCELLED = 487  # SIP's number for a call whose caller hung up ...
BUSY = 486  # ... and for a phone that is busy


class Call(ABC):
    """A caller, the phones that ring for it, and the one that answered."""

    def __init__(self, engine: Engine, caller: Channel | None) -> None:
        self.engine = engine
        self.caller = caller
        self.ringing: list[Channel] = []
        self.answered: Channel | None = None
        self.over = False
        self.began = self._answered_at = engine.clockwork.clock()
        if caller is not None:
            engine.call_of[caller.uniqueid] = self

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
        channel = self.engine.new_channel(phone, State.DOWN, linked=self.caller)
        channel.called = True
        self.engine.call_of[channel.uniqueid] = self
        self.ringing.append(channel)
        if self.caller is not None:
            self.engine.set_variable(channel, "DIALEDPEERNUMBER", phone.peer)
        return channel

    def _show_caller(self, channel: Channel) -> None:
        """What the ringing phone displays. No event of its own."""
        if self.caller is not None:
            channel.connected_number, channel.connected_name = self.caller.number, self.caller.caller_name
            channel.exten = self.caller.exten

    def _dial_end(self, channel: Channel, status: str) -> None:
        self.engine.say_dial("DialEnd", self.caller, channel, ("DialStatus", status))

    def _request_busy(self, channel: Channel) -> None:
        channel.tech_cause = BUSY
        self.engine.say("HangupRequest", channel, ("Cause", "17"), *channel.tech_fields())

    def _drop(self, channel: Channel, cause: int) -> None:
        """End a leg that was not answered."""
        self.ringing.remove(channel)
        self.engine.say_hangup(channel, cause)
        self.engine.check_device(channel.device)

    def _request_hangup(self, by: Channel) -> None:
        """The phone says goodbye. Asterisk tells a cause only of legs that it called itself."""
        self.engine.say("HangupRequest", by, *([("Cause", "16")] if by.called else []))

    def _unbridge(self, first: Channel, second: Channel) -> None:
        engine = self.engine
        engine.forget_peers(first, second)
        bridge = engine.leave(first)
        engine.leave(second)
        if bridge is not None:
            engine.destroy(bridge)

    def _say_time(self, channel: Channel, name: str, seconds: float) -> None:
        self.engine.set_variable(channel, name, str(int(seconds)))
        self.engine.set_variable(channel, f"{name}_MS", f"{seconds * 1000:.0f}")

    def _say_times(self, channel: Channel) -> None:
        """How long it lasted, and how long with the ringing."""
        now = self.engine.clockwork.clock()
        self._say_time(channel, "ANSWEREDTIME", now - self._answered_at)
        self._say_time(channel, "DIALEDTIME", now - self.began)

    def _end_leg(self, channel: Channel, cause: int) -> None:
        """The dialplan is through with a channel."""
        self.engine.say("SoftHangupRequest", channel, ("Cause", "16"), *channel.tech_fields())
        self.engine.say_hangup(channel, cause)
        self.engine.check_device(channel.device)

"""The first half of a call that an AMI client asked for: its own phone rings, and then dials."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from astcti_server.demo.calls.call import CallSwitch, DemoCall
from astcti_server.demo.calls.channels import Channel, ChannelState, Phone
from astcti_server.demo.calls.dial_call import NOT_PRESENTED


class OriginatedCall(DemoCall):
    """Rings a phone for nobody; once answered, the leg executes the dialplan."""

    def __init__(
        self,
        switch: CallSwitch,
        phone: Phone,
        *,
        ring_time: float = 30.0,
        number: str = "",
        name: str = "",
        variables: Mapping[str, str] | None = None,
        answered: Callable[[Channel], None],
        failed: Callable[[int], None],
    ) -> None:
        """`answered` has the leg execute the dialplan. `failed` is told OriginateResponse's `Reason`."""
        super().__init__(switch, None)
        self._on_answered, self._on_failed = answered, failed
        channel = self._new_leg(phone)
        for key, value in (variables or {}).items():
            switch.set_variable(channel, key, value)
        switch.step(channel, 1, "AppDial2", "(Outgoing Line)")
        if number:
            channel.number, channel.caller_name = number, name
            switch.say("NewCallerid", channel, NOT_PRESENTED)
            switch.connect_line(channel, number, name)
        switch.say_dial("DialBegin", None, channel, ("DialString", phone.peer))
        self._timer = switch.scheduler.later(ring_time, self._not_answered)
        if switch.rings_at_once:
            self.ring(channel)

    def ring(self, channel: Channel) -> None:
        if channel.state is not ChannelState.DOWN:
            return
        self.switch.set_state(channel, ChannelState.RINGING)
        self.switch.check_device(channel.device)
        self.switch.say_dial("DialState", None, channel, ("DialStatus", "RINGING"))
        self.switch.phone_rings(channel)

    def answer(self, channel: Channel) -> None:
        self.over = True
        self._timer.cancel()
        self.ringing.remove(channel)
        self.switch.set_state(channel, ChannelState.UP)
        self._dial_end(channel, "ANSWER")
        self.switch.check_device(channel.device)
        self._on_answered(channel)

    def refuse(self, channel: Channel) -> None:
        self._request_busy(channel)
        self._fail(channel, "BUSY", 17, 0)

    def give_up(self, *, requested: bool = True) -> None:
        """Nobody waits here, so nobody gives up."""

    def end(self, by: Channel, *, requested: bool = True) -> None:
        """An answered leg has another call already."""

    def release(self, leg: Channel) -> None:
        self.over = True
        self._timer.cancel()
        self.ringing.clear()

    def picked_up(self, ringing: Channel, picker: Channel) -> None:
        raise ValueError("nobody calls that phone: there is nothing to pick up")

    def _not_answered(self) -> None:
        for channel in list(self.ringing):
            self._fail(channel, "NOANSWER", 0, 3)

    def _fail(self, channel: Channel, status: str, cause: int, reason: int) -> None:
        self.over = True
        self._timer.cancel()
        self._dial_end(channel, status)
        self._on_failed(reason)
        self._drop(channel, cause)

"""The first half of a call that an AMI client asked for: its own phone rings, and then dials."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from astcti_server.demo.calls.call import Call
from astcti_server.demo.calls.channels import Channel, Phone, State
from astcti_server.demo.calls.dial_call import NOT_PRESENTED

if TYPE_CHECKING:
    from astcti_server.demo.calls.engine import Engine

Result = Callable[[str, int, Channel | None], None]
"""Told once: `Success` or `Failure`, the reason's number, and the leg if it was answered."""


class OriginatedCall(Call):
    """Rings a phone for nobody; once answered, the leg executes the dialplan."""

    def __init__(
        self,
        engine: Engine,
        phone: Phone,
        context: str,
        exten: str,
        *,
        ring_time: float = 30.0,
        number: str = "",
        name: str = "",
        variables: Mapping[str, str] | None = None,
        result: Result,
    ) -> None:
        super().__init__(engine, None)
        self._context, self._exten, self._result = context, exten, result
        channel = self._new_leg(phone)
        for key, value in (variables or {}).items():
            engine.set_variable(channel, key, value)
        engine.step(channel, 1, "AppDial2", "(Outgoing Line)")
        if number:
            channel.number, channel.caller_name = number, name
            engine.say("NewCallerid", channel, NOT_PRESENTED)
            engine.connect_line(channel, number, name)
        engine.say_dial("DialBegin", None, channel, ("DialString", phone.peer))
        self._timer = engine.clockwork.later(ring_time, self._not_answered)
        if engine.rings_at_once:
            self.ring(channel)

    def ring(self, channel: Channel) -> None:
        if channel.state is not State.DOWN:
            return
        self.engine.set_state(channel, State.RINGING)
        self.engine.check_device(channel.device)
        self.engine.say_dial("DialState", None, channel, ("DialStatus", "RINGING"))
        self.engine.phone_rings(channel)

    def answer(self, channel: Channel) -> None:
        self.over = True
        self._timer.cancel()
        self.ringing.remove(channel)
        self.engine.set_state(channel, State.UP)
        self._dial_end(channel, "ANSWER")
        self.engine.check_device(channel.device)
        self.engine.run(
            channel, self._context, self._exten, entered=lambda: self._result("Success", 4, channel)
        )

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
        self._result("Failure", reason, None)
        self._drop(channel, cause)

"""The demo PBX as an object: everything that people with telephones can do to it.

No sockets and no threads: one thread calls everything, timers included. Events go to `listeners`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from astcti_server.demo.calls.call import CallSwitch
from astcti_server.demo.calls.channels import Channel, ChannelState
from astcti_server.demo.calls.dial_call import DialCall
from astcti_server.demo.calls.dialplan import TRUNK_TIME, Dialplan, Extension
from astcti_server.demo.calls.members import DemoQueues
from astcti_server.demo.calls.originated import OriginatedCall
from astcti_server.demo.calls.queue_call import QueueCall
from astcti_server.demo.calls.switch import Scheduler
from astcti_server.demo.calls.transfers import attended_transfer, blind_transfer
from schemas.configuration.model import queue_key

OriginateResult: TypeAlias = Callable[[str, int, Channel | None], None]
"""Told once: `Success` or `Failure`, the reason's number, and the leg if it was answered."""

TRUNK = "PJSIP/caller"
AGENTS = (("201", "Agent One"), ("202", "Agent Two"), ("203", "Agent Three"), ("204", "Agent Four"))


class Engine(CallSwitch):
    """The switch with queues, a dialplan and its calls.

    Out of the box: the trunk, the phones PJSIP/201 to PJSIP/204, the queue `astcti` as 101 of the context
    `astctidemo`, every phone under its number there, and `outbound`, where every number is dialled out.
    """

    def __init__(self, scheduler: Scheduler, seed: int = 0) -> None:
        super().__init__(scheduler, seed)
        self.dialplan = Dialplan()
        self.queues = DemoQueues(self)
        self.queues.member_freed.append(self._ring_for_waiting)
        self.add_phone(TRUNK, "", "", "incoming")
        for number, name in AGENTS:
            phone = self.add_phone(f"PJSIP/{number}", number, name)
            self.dialplan.add("astctidemo", number, Extension(device=phone.device))
        self.dialplan.add("outbound", Dialplan.ANY, Extension(device=TRUNK, ring_time=TRUNK_TIME))
        self.add_queue("astcti", "astctidemo", "101")

    def add_queue(self, name: str, context: str, exten: str) -> None:
        """A queue, reached through an extension of the dialplan."""
        self.queues.create(name)
        self.dialplan.add(context, exten, Extension(queue=name))

    # -- what people do -----------------------------------------------------------------------------------

    def incoming_call(
        self,
        number: str = "3331234567",
        name: str = "Demo Caller",
        *,
        context: str = "astctidemo",
        exten: str = "101",
        digits: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> Channel:
        """Somebody calls from outside; the channel is what to hang up.

        `digits` are what the caller types when the dialplan reads them into `calldata`; `variables` are set
        before the call gets to its queue or phone.
        """
        caller = self.new_channel(
            self.phones[TRUNK], ChannelState.RING, number=number, name=name, exten=exten
        )
        self.set_variable(caller, "SIPDOMAIN", "127.0.0.1")
        self.step(caller, 1, "Goto", f"{context},{exten},1")
        self.run(caller, context, exten, digits=digits, variables=variables)
        return caller

    def dial_from(self, device: str, exten: str, context: str = "") -> Channel:
        """A phone dials a number."""
        phone = self.phones[device]
        channel = self.new_channel(phone, ChannelState.RING, exten=exten)
        self.set_variable(channel, "SIPDOMAIN", "127.0.0.1")
        if context and context != phone.context:
            self.step(channel, 1, "Goto", f"{context},{exten},1")
        self.run(channel, context or phone.context, exten)
        return channel

    def originate(
        self,
        device: str,
        context: str,
        exten: str,
        result: OriginateResult,
        *,
        ring_time: float = 30.0,
        number: str = "",
        name: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """A phone is called, and dials as soon as it is answered."""

        def answered(channel: Channel) -> None:
            self.run(channel, context, exten, entered=lambda: result("Success", 4, channel))

        OriginatedCall(
            self,
            self.phones[device],
            ring_time=ring_time,
            number=number,
            name=name,
            variables=variables,
            answered=answered,
            failed=lambda reason: result("Failure", reason, None),
        )

    def ring(self, device: str) -> None:
        """The phone, called already, begins to ring."""
        for channel in self.legs(device, ChannelState.DOWN):
            self.call_of[channel.uniqueid].ring(channel)

    def answer(self, device: str) -> Channel:
        """The phone that rings (or is about to) is picked up."""
        channel = self._leg(device, ChannelState.RINGING, ChannelState.DOWN)
        self.call_of[channel.uniqueid].answer(channel)
        return channel

    def refuse(self, device: str) -> None:
        """The phone that rings says that it is busy."""
        channel = self._leg(device, ChannelState.RINGING, ChannelState.DOWN)
        self.call_of[channel.uniqueid].refuse(channel)

    def hang_up(self, leg: Channel | str, *, requested: bool = True) -> None:
        """A leg, or the phone's only one, is hung up: ends the call, gives up waiting, or refuses."""
        channel = (
            leg
            if isinstance(leg, Channel)
            else self._leg(leg, ChannelState.UP, ChannelState.RING, ChannelState.RINGING)
        )
        call = self.call_of.get(channel.uniqueid)
        if call is not None and not call.over:
            call.hang_up(channel, requested=requested)
        elif not channel.gone:
            self._hang_up_alone(channel)

    def pick_up(self, device: str, ringing: str) -> Channel:
        """A phone takes the call that rings at another one."""
        target = self._leg(ringing, ChannelState.RINGING)
        picker = self.new_channel(self.phones[device], ChannelState.RING, exten="*8")
        self.set_variable(picker, "SIPDOMAIN", "127.0.0.1")
        self.call_of[target.uniqueid].picked_up(target, picker)
        return picker

    def transfer_blind(self, device: str, exten: str, context: str = "") -> None:
        """A phone sends whom it talks to elsewhere. Raises ValueError if it talks to nobody."""
        transferer = self.talking(device)
        context = context or self.phones[device].context
        self.redirect(blind_transfer(self, transferer, exten, context), context, exten)

    def transfer_attended(self, device: str) -> None:
        """A phone with two calls connects the first one's party with the second one's."""
        legs = [leg for leg in self.legs(device, ChannelState.UP) if leg.bridge is not None]
        if len(legs) != 2:
            raise ValueError(f"{device} does not have two calls")
        attended_transfer(self, *legs)

    def redirect(self, channel: Channel, context: str, exten: str) -> None:
        """Send a channel elsewhere in the dialplan; whoever it talked to is hung up."""
        channel.context, channel.exten = context, exten
        self.step(channel, 1, channel.application, channel.data)  # told before the first step is executed
        call = self.call_of.get(channel.uniqueid)
        if call is not None and not call.over:
            call.release(channel)
        self.run(channel, context, exten)

    # -- the dialplan -------------------------------------------------------------------------------------

    def run(
        self,
        channel: Channel,
        context: str,
        exten: str,
        *,
        digits: str = "",
        variables: Mapping[str, str] | None = None,
        entered: Callable[[], None] = lambda: None,
    ) -> None:
        """Execute the extension from its first priority on; a number that does not exist ends the call.

        `entered` is called when the first step was told: then Asterisk says what became of an Originate.
        """
        extension = self.dialplan.find(context, exten)
        channel.context, channel.exten, priority = context, exten, 1
        if extension is None:
            entered()
            self._hang_up_alone(channel)
            return
        if extension.queue:
            self.step(channel, priority, "Answer")
            entered()
            self.set_state(channel, ChannelState.UP)
            self.check_device(channel.device)
            priority += 1
        given = {**extension.variables, **(variables or {})}
        if digits:
            self._read_digits(channel, priority, digits)
            given["calldata"] = digits
            priority += 1
        for name, value in given.items():
            self.step(channel, priority, "Set", f"{name}={value}")
            self.set_variable(channel, name, value)
            priority += 1
        self.step(channel, priority, *extension.application)
        if extension.queue:
            QueueCall(self, self.queues, channel, self.queues.by_name[queue_key(extension.queue)])
        else:
            entered()
            DialCall(self, channel, self.phones[extension.device], extension.ring_time)

    def _read_digits(self, channel: Channel, priority: int, digits: str) -> None:
        self.step(channel, priority, "Read", f"cdata,silence/1,{len(digits)}")
        self.set_variable(channel, "READSTATUS", "ERROR")
        self.set_variable(channel, "cdata", digits)
        self.set_variable(channel, "READSTATUS", "OK")

    # -- looking up ----------------------------------------------------------------------------------------

    def legs(self, device: str, *states: ChannelState) -> list[Channel]:
        """The phone's channels in one of these states, oldest first."""
        channels = self.channels.values()
        return [channel for channel in channels if channel.device == device and channel.state in states]

    def talking(self, device: str) -> Channel:
        """The phone's channel that is connected with another; ValueError if there is none."""
        for channel in self.legs(device, ChannelState.UP):
            if channel.peer is not None:
                return channel
        raise ValueError(f"{device} talks to nobody")

    def _leg(self, device: str, *states: ChannelState) -> Channel:
        for state in states:
            for channel in self.legs(device, state):
                return channel
        raise ValueError(f"{device} has no call to do that with")

    def _hang_up_alone(self, channel: Channel) -> None:
        """End a channel that has no call."""
        self.leave(channel)
        self.say_hangup(channel, 16)
        self.check_device(channel.device)

    def _ring_for_waiting(self) -> None:
        self.scheduler.later(0.0, self._try_waiting)

    def _try_waiting(self) -> None:
        for queue in self.queues.by_name.values():
            for call in list(queue.callers):
                call.try_ring()

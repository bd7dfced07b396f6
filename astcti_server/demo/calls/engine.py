"""The demo PBX as an object: everything that people with telephones can do to it.

No sockets and no threads: one thread calls everything, timers included. Events go to `listeners`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from astcti_server.demo.calls.call import Call
from astcti_server.demo.calls.channels import Channel, State
from astcti_server.demo.calls.dial_call import DialCall
from astcti_server.demo.calls.dialplan import TRUNK_TIME, Dialplan, Extension
from astcti_server.demo.calls.members import Queues
from astcti_server.demo.calls.originated import OriginatedCall, Result
from astcti_server.demo.calls.queue_call import QueueCall
from astcti_server.demo.calls.switch import Clockwork, Switch
from astcti_server.demo.calls.transfers import attended_transfer, blind_transfer
from schemas.configuration.model import queue_key

TRUNK = "PJSIP/caller"
AGENTS = (("201", "Agent One"), ("202", "Agent Two"), ("203", "Agent Three"), ("204", "Agent Four"))


class Engine(Switch):
    """The switch with queues, a dialplan and its calls.

    Out of the box: the trunk, the phones PJSIP/201 to PJSIP/204, the queue `astcti` as 101 of the context
    `astctidemo`, every phone under its number there, and `outbound`, where every number is dialled out.
    """

    def __init__(self, clockwork: Clockwork, seed: int = 0) -> None:
        super().__init__(clockwork, seed)
        self.call_of: dict[str, Call] = {}
        self.rings_at_once = True
        """Phones ring as soon as they are called; False: when `ring` is called."""
        self.ring_listeners: list[Callable[[Channel], None]] = []
        self.dialplan = Dialplan()
        self.queues = Queues(self)
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
        caller = self.new_channel(self.phones[TRUNK], State.RING, number=number, name=name, exten=exten)
        self.set_variable(caller, "SIPDOMAIN", "127.0.0.1")
        self.step(caller, 1, "Goto", f"{context},{exten},1")
        self.run(caller, context, exten, digits=digits, variables=variables)
        return caller

    def dial_from(self, device: str, exten: str, context: str = "") -> Channel:
        """A phone dials a number."""
        phone = self.phones[device]
        channel = self.new_channel(phone, State.RING, exten=exten)
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
        result: Result,
        *,
        ring_time: float = 30.0,
        number: str = "",
        name: str = "",
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """A phone is called, and dials as soon as it is answered."""
        OriginatedCall(
            self,
            self.phones[device],
            context,
            exten,
            ring_time=ring_time,
            number=number,
            name=name,
            variables=variables,
            result=result,
        )

    def ring(self, device: str) -> None:
        """The phone, called already, begins to ring."""
        for channel in self.legs(device, State.DOWN):
            self.call_of[channel.uniqueid].ring(channel)

    def answer(self, device: str) -> Channel:
        """The phone that rings (or is about to) is picked up."""
        channel = self._leg(device, State.RINGING, State.DOWN)
        self.call_of[channel.uniqueid].answer(channel)
        return channel

    def refuse(self, device: str) -> None:
        """The phone that rings says that it is busy."""
        channel = self._leg(device, State.RINGING, State.DOWN)
        self.call_of[channel.uniqueid].refuse(channel)

    def hang_up(self, leg: Channel | str, *, requested: bool = True) -> None:
        """A leg, or the phone's only one, is hung up: ends the call, gives up waiting, or refuses."""
        channel = leg if isinstance(leg, Channel) else self._leg(leg, State.UP, State.RING, State.RINGING)
        call = self.call_of.get(channel.uniqueid)
        if call is not None and not call.over:
            call.hang_up(channel, requested=requested)
        elif not channel.gone:
            self._hang_up_alone(channel)

    def pick_up(self, device: str, ringing: str) -> Channel:
        """A phone takes the call that rings at another one."""
        target = self._leg(ringing, State.RINGING)
        picker = self.new_channel(self.phones[device], State.RING, exten="*8")
        self.set_variable(picker, "SIPDOMAIN", "127.0.0.1")
        self.call_of[target.uniqueid].picked_up(target, picker)
        return picker

    def transfer_blind(self, device: str, exten: str, context: str = "") -> None:
        """A phone sends whom it talks to elsewhere. Raises ValueError if it talks to nobody."""
        blind_transfer(self, self.talking(device), exten, context or self.phones[device].context)

    def transfer_attended(self, device: str) -> None:
        """A phone with two calls connects the first one's party with the second one's."""
        legs = [one for one in self.legs(device, State.UP) if one.bridge is not None]
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
            self.set_state(channel, State.UP)
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
            QueueCall(self, channel, self.queues.by_name[queue_key(extension.queue)])
        else:
            entered()
            DialCall(self, channel, self.phones[extension.device], extension.ring_time)

    def _read_digits(self, channel: Channel, priority: int, digits: str) -> None:
        self.step(channel, priority, "Read", f"cdata,silence/1,{len(digits)}")
        self.set_variable(channel, "READSTATUS", "ERROR")
        self.set_variable(channel, "cdata", digits)
        self.set_variable(channel, "READSTATUS", "OK")

    # -- what calls ask for -------------------------------------------------------------------------------

    def phone_rings(self, channel: Channel) -> None:
        """Told by the calls; passed on to whoever plays the phones."""
        for listener in list(self.ring_listeners):
            listener(channel)

    def answer_for(self, ringing: Channel, picker: Channel, caller: Channel) -> None:
        """The picker's own channel goes up, and is now what the ringing one was to the caller."""
        self.connect_line(picker, ringing.connected_number, ringing.connected_name)
        self.set_state(picker, State.UP)
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

    def legs(self, device: str, *states: State) -> list[Channel]:
        """The phone's channels in one of these states, oldest first."""
        return [one for one in self.channels.values() if one.device == device and one.state in states]

    def talking(self, device: str) -> Channel:
        """The phone's channel that is connected with another; ValueError if there is none."""
        for channel in self.legs(device, State.UP):
            if channel.peer is not None:
                return channel
        raise ValueError(f"{device} talks to nobody")

    def _leg(self, device: str, *states: State) -> Channel:
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
        self.clockwork.later(0.0, self._try_waiting)

    def _try_waiting(self) -> None:
        for queue in self.queues.by_name.values():
            for call in list(queue.callers):
                call.try_ring()

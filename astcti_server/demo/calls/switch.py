"""The demo PBX's channels and bridges, and the events of each change. No sockets, no threads.

Written after what Asterisk 22 with PJSIP sends; time, timers and chance are handed in.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from typing import Protocol

from astcti_server.demo.ami.blocks import DemoEvent, Fields, escape
from astcti_server.demo.calls.channels import CAUSES, Bridge, Channel, ChannelState, Phone


class ScheduledWork(Protocol):
    """What `later` gives back."""

    def cancel(self) -> None:
        """Do not run it. Harmless if it ran already."""


class Scheduler(Protocol):
    """Time as the PBX knows it."""

    def clock(self) -> float:
        """Seconds since 1970: they show in Uniqueids."""

    def later(self, seconds: float, work: Callable[[], None]) -> ScheduledWork:
        """Run `work` after so many seconds, on the thread that everything here runs on."""


class Switch:
    """Channels, bridges, device states. `listeners` are called with each event, in order."""

    def __init__(self, scheduler: Scheduler, seed: int = 0) -> None:
        self.scheduler = scheduler
        self.chance = random.Random(seed)
        self.started = scheduler.clock()
        self.listeners: list[Callable[[DemoEvent], None]] = []
        self.device_listeners: list[Callable[[str], None]] = []
        self.phones: dict[str, Phone] = {}
        self.channels: dict[str, Channel] = {}
        self._sequence = 0
        self._names = 0
        self._devices: dict[str, str] = {}

    # -- events -------------------------------------------------------------------------------------------

    def emit(self, name: str, privilege: str, fields: Sequence[tuple[str, str]]) -> None:
        event = DemoEvent(name, privilege, tuple(fields))
        for listener in list(self.listeners):
            listener(event)

    def say(self, name: str, channel: Channel, *more: tuple[str, str], privilege: str = "call") -> None:
        """An event about one channel: its snapshot, then what is special."""
        self.emit(name, privilege, [*channel.fields(), *more])

    def say_dial(self, name: str, caller: Channel | None, called: Channel, *more: tuple[str, str]) -> None:
        source: Fields = caller.fields() if caller is not None else []
        self.emit(name, "call", [*source, *called.fields("Dest"), *more])

    # -- phones and devices -------------------------------------------------------------------------------

    def add_phone(self, device: str, number: str, name: str, context: str = "astctidemo") -> Phone:
        phone = self.phones[device] = Phone(device, number, name, context)
        return phone

    def device_state(self, device: str) -> str:
        """`NOT_INUSE`, `RINGING`, `INUSE` or `RINGINUSE`; `INVALID` for a phone that is not there."""
        if device not in self.phones:
            return "INVALID"
        states = {channel.state for channel in self.channels.values() if channel.device == device}
        if ChannelState.UP in states:
            return "RINGINUSE" if ChannelState.RINGING in states else "INUSE"
        return "RINGING" if ChannelState.RINGING in states else "NOT_INUSE"

    def check_device(self, device: str) -> None:
        """Announce the device's state if it is another one now."""
        state = self.device_state(device)
        if device in self.phones and self._devices.get(device, "NOT_INUSE") != state:
            self._devices[device] = state
            self.say_device(device, state)
            for listener in self.device_listeners:
                listener(device)

    def say_device(self, device: str, state: str) -> None:
        self.emit("DeviceStateChange", "call", [("Device", device), ("State", state)])

    # -- channels -----------------------------------------------------------------------------------------

    def new_channel(
        self,
        phone: Phone,
        state: ChannelState,
        *,
        number: str = "",
        name: str = "",
        context: str = "",
        exten: str = "s",
        linked: Channel | None = None,
    ) -> Channel:
        """A channel appears. `linked` is the channel that called for it."""
        now = self.scheduler.clock()
        uniqueid = f"{int(now)}.{self._sequence}"
        channel = Channel(
            name=f"{phone.device}-{self._names:08x}",
            uniqueid=uniqueid,
            linkedid=linked.linkedid if linked else uniqueid,
            device=phone.device,
            number=number or phone.number,
            caller_name=name or phone.name,
            context=context or phone.context,
            exten=exten,
            state=state,
            created=now,
        )
        self._sequence += 1
        self._names += 1
        self.channels[uniqueid] = channel
        self.say("Newchannel", channel)
        return channel

    def by_name(self, name: str) -> Channel | None:
        channels = self.channels.values()
        return next((channel for channel in channels if channel.name.lower() == name.lower()), None)

    def set_state(self, channel: Channel, state: ChannelState) -> None:
        if channel.state is not state:
            channel.state = state
            self.say("Newstate", channel)

    def set_variable(self, channel: Channel, name: str, value: str) -> None:
        channel.variables[name] = value
        self.say("VarSet", channel, ("Variable", name), ("Value", escape(value)), privilege="dialplan")

    def step(self, channel: Channel, priority: int, application: str, data: str = "") -> None:
        """The channel executes a step of the dialplan. Asterisk tells that only where it is another place."""
        channel.priority, channel.application, channel.data = priority, application, data
        place = channel.context, channel.exten, priority
        if channel.executed == place:
            return
        channel.executed = place
        fields = (("Extension", channel.exten), ("Application", application), ("AppData", data))
        self.say("Newexten", channel, *fields, privilege="dialplan")

    def connect_line(self, channel: Channel, number: str, name: str) -> None:
        channel.connected_number, channel.connected_name = number, name
        self.say("NewConnectedLine", channel)

    def say_hangup(self, channel: Channel, cause: int) -> None:
        """The channel is gone. Its device's state is checked by the caller, when the time has come."""
        if channel.gone:
            return
        channel.gone = True
        self.channels.pop(channel.uniqueid, None)
        text = CAUSES.get(cause, "Unknown")
        self.say("Hangup", channel, ("Cause", str(cause)), ("Cause-txt", text), *channel.tech_fields())

    # -- bridges ------------------------------------------------------------------------------------------

    def bridge(self, first: Channel, second: Channel) -> Bridge:
        """Connect two channels: the called one enters first."""
        bridge = Bridge(self._bridge_id(), since=self.scheduler.clock())
        self.emit("BridgeCreate", "call", bridge.fields())
        self.enter(bridge, first)
        self.enter(bridge, second)
        for channel, other in ((second, first), (first, second)):
            self.set_variable(channel, "BRIDGEPEER", other.name)
            self.set_variable(channel, "BRIDGEPVTCALLID", self._call_id())
        return bridge

    def enter(self, bridge: Bridge, channel: Channel, swap: Channel | None = None) -> None:
        bridge.channels.append(channel)
        channel.bridge = bridge
        self._share_linkedid(bridge)
        more = [("SwapUniqueid", swap.uniqueid)] if swap is not None else []
        self.emit("BridgeEnter", "call", [*bridge.fields(), *channel.fields(), *more])

    def leave(self, channel: Channel) -> Bridge | None:
        """Leave its bridge, if it is in one; returns that."""
        bridge, channel.bridge = channel.bridge, None
        if bridge is not None:
            bridge.channels.remove(channel)
            self.emit("BridgeLeave", "call", [*bridge.fields(), *channel.fields()])
        return bridge

    def forget_peers(self, *channels: Channel) -> None:
        for channel in channels:
            self.set_variable(channel, "BRIDGEPEER", "")
            self.set_variable(channel, "BRIDGEPVTCALLID", "")

    def destroy(self, bridge: Bridge) -> None:
        self.emit("BridgeDestroy", "call", bridge.fields())

    def _share_linkedid(self, bridge: Bridge) -> None:
        oldest = min(bridge.channels, key=lambda channel: _age(channel.linkedid))
        for channel in bridge.channels:
            channel.linkedid = oldest.linkedid

    def _bridge_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))

    def _call_id(self) -> str:
        return str(uuid.UUID(int=self.chance.getrandbits(128), version=4))


def _age(uniqueid: str) -> tuple[int, int]:
    seconds, _, number = uniqueid.partition(".")
    return int(seconds), int(number)

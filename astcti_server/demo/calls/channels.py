"""Channels, bridges and phones of the demo PBX, and how their state is written in events."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from astcti_server.demo.ami.blocks import UNKNOWN, Fields, escape


class ChannelState(IntEnum):
    """The channel states that occur here, with Asterisk's numbers."""

    DOWN = 0
    RING = 4
    RINGING = 5
    UP = 6

    @property
    def text(self) -> str:
        return self.name.capitalize()


CAUSES = {
    0: "Unknown",
    16: "Normal Clearing",
    17: "User busy",
    19: "User alerting, no answer",
    26: "Answered elsewhere",
    31: "Normal, unspecified",
    127: "Interworking, unspecified",
}


@dataclass
class Phone:
    """A telephone, or the trunk that outside callers come from."""

    device: str
    """As Asterisk names it: `PJSIP/201`."""
    number: str
    name: str
    context: str = "astctidemo"

    @property
    def peer(self) -> str:
        """The device without its technology."""
        return self.device.partition("/")[2]


@dataclass(eq=False)
class Bridge:
    """Channels that hear each other."""

    uniqueid: str
    channels: list[Channel] = field(default_factory=list)
    since: float = 0.0

    def fields(self, prefix: str = "") -> Fields:
        return [
            (f"{prefix}BridgeUniqueid", self.uniqueid),
            (f"{prefix}BridgeType", "basic"),
            (f"{prefix}BridgeTechnology", "simple_bridge"),
            (f"{prefix}BridgeCreator", UNKNOWN),
            (f"{prefix}BridgeName", UNKNOWN),
            (f"{prefix}BridgeNumChannels", str(len(self.channels))),
            (f"{prefix}BridgeVideoSourceMode", "none"),
        ]


@dataclass(eq=False)
class Channel:
    """One leg of a call."""

    name: str
    uniqueid: str
    linkedid: str
    device: str
    number: str
    caller_name: str
    context: str
    exten: str
    state: ChannelState
    created: float
    priority: int = 1
    connected_number: str = ""
    connected_name: str = ""
    application: str = ""
    data: str = ""
    executed: tuple[str, str, int] | None = None
    """Context, extension and priority that were told last."""
    variables: dict[str, str] = field(default_factory=dict)
    bridge: Bridge | None = None
    called: bool = False
    """Asterisk called this phone; otherwise the phone called Asterisk."""
    tech_cause: int = 0
    """The number that SIP gave for the end, where it did."""
    gone: bool = False

    @property
    def peer(self) -> Channel | None:
        """The other channel of its bridge."""
        channels = self.bridge.channels if self.bridge else []
        return next((channel for channel in channels if channel is not self), None)

    def tech_fields(self) -> Fields:
        return [("TechCause", str(self.tech_cause))] if self.tech_cause else []

    def fields(self, prefix: str = "") -> Fields:
        """The snapshot that nearly every event of a channel has."""
        return [
            (f"{prefix}Channel", self.name),
            (f"{prefix}ChannelState", str(int(self.state))),
            (f"{prefix}ChannelStateDesc", self.state.text),
            (f"{prefix}CallerIDNum", self.number or UNKNOWN),
            (f"{prefix}CallerIDName", escape(self.caller_name) or UNKNOWN),
            (f"{prefix}ConnectedLineNum", self.connected_number or UNKNOWN),
            (f"{prefix}ConnectedLineName", escape(self.connected_name) or UNKNOWN),
            (f"{prefix}Language", "en"),
            (f"{prefix}AccountCode", ""),
            (f"{prefix}Context", self.context),
            (f"{prefix}Exten", self.exten),
            (f"{prefix}Priority", str(self.priority)),
            (f"{prefix}Uniqueid", self.uniqueid),
            (f"{prefix}Linkedid", self.linkedid),
        ]

"""The events of Asterisk 22 that a call consists of, with placeholders such as `%(caller.uid)s` in them."""

from __future__ import annotations

from tests.bench.workload.event_script import block

_STATES = {"Down": 0, "Ring": 4, "Ringing": 5, "Up": 6}


class ChannelFields:
    """What an event says of one channel of the call, in the state that it has at that moment.

    `position` is context, extension and priority in the dialplan.
    """

    def __init__(self, who: str, state: str, peer: str, position: tuple[str, str, int]) -> None:
        self.who, self.state, self.peer, self.position = who, state, peer, position

    def fields(self, prefix: str = "") -> list[tuple[str, object]]:
        """The fields as key and value; those of a second channel in the event have a prefix."""
        context, exten, priority = self.position
        known = bool(self.peer)
        pairs: list[tuple[str, object]] = [
            ("Channel", f"%({self.who}.channel)s"),
            ("ChannelState", _STATES[self.state]),
            ("ChannelStateDesc", self.state),
            ("CallerIDNum", f"%({self.who}.number)s"),
            ("CallerIDName", f"%({self.who}.name)s"),
            ("ConnectedLineNum", f"%({self.peer}.number)s" if known else "<unknown>"),
            ("ConnectedLineName", f"%({self.peer}.name)s" if known else "<unknown>"),
            ("Language", "en"),
            ("AccountCode", ""),
            ("Context", context),
            ("Exten", exten),
            ("Priority", priority),
            ("Uniqueid", f"%({self.who}.uid)s"),
            ("Linkedid", "%(caller.uid)s"),
        ]
        return [(prefix + key, value) for key, value in pairs]


def of_channel(event: str, channel: ChannelFields, *more: tuple[str, object], privilege: str = "call") -> str:
    """An event about one channel."""
    return block(event, privilege, *channel.fields(), *more)


def variable_set(channel: ChannelFields, name: str, value: str = "") -> str:
    """VarSet."""
    return of_channel("VarSet", channel, ("Variable", name), ("Value", value), privilege="dialplan")


def dialplan_step(channel: ChannelFields, application: str, data: str = "") -> str:
    """Newexten."""
    more = (("Extension", "101"), ("Application", application), ("AppData", data))
    return of_channel("Newexten", channel, *more, privilege="dialplan")


def queue_caller(event: str, channel: ChannelFields, left: int) -> str:
    """The caller enters or leaves the queue."""
    return of_channel(
        event, channel, ("Queue", "%(queue)s"), ("Position", 1), ("Count", left), privilege="agent"
    )


def device_state(name: str, state: str) -> str:
    """DeviceStateChange."""
    return block("DeviceStateChange", "call", ("Device", name), ("State", state))


def member_status(index: int, status: int) -> str:
    """QueueMemberStatus of an agent; 0 answers, the others ring in vain."""
    return block(
        "QueueMemberStatus",
        "agent",
        ("Queue", "%(queue)s"),
        ("MemberName", f"%(agent{index}.name)s"),
        ("Interface", f"%(agent{index}.device)s"),
        ("StateInterface", f"%(agent{index}.device)s"),
        ("Membership", "dynamic"),
        ("Penalty", 1),
        ("CallsTaken", 3),
        ("LastCall", 1795438230),
        ("LastPause", 0),
        ("LoginTime", 1795438228),
        ("InCall", int(status == 2)),
        ("Status", status),
        ("Paused", 0),
        ("PausedReason", ""),
        ("Ringinuse", 0),
        ("Wrapuptime", 0),
    )


def of_two_channels(
    event: str,
    caller: ChannelFields,
    agent: ChannelFields,
    *more: tuple[str, object],
    privilege: str = "call",
) -> str:
    """An event about two channels."""
    return block(event, privilege, *caller.fields(), *agent.fields("Dest"), *more)


def bridge_event(event: str, channels: int, channel: ChannelFields | None = None) -> str:
    """An event of the bridge, and of the channel that it is about."""
    return block(
        event,
        "call",
        ("BridgeUniqueid", "%(bridge)s"),
        ("BridgeType", "basic"),
        ("BridgeTechnology", "simple_bridge"),
        ("BridgeCreator", "<unknown>"),
        ("BridgeName", "<unknown>"),
        ("BridgeNumChannels", channels),
        ("BridgeVideoSourceMode", "none"),
        *(channel.fields() if channel else ()),
    )


def rtcp_report(channel: ChannelFields, *, sent: bool, number: int) -> str:
    """RTCPSent or RTCPReceived."""
    return of_channel(
        "RTCPSent" if sent else "RTCPReceived",
        channel,
        ("To", "192.0.2.10:6009"),
        ("From", "192.0.2.1:22925"),
        *(() if sent else (("RTT", "0.0021"),)),
        ("MES", "88.1"),
        ("SSRC", "0x2f9cdd80"),
        ("PT", "200(SR)"),
        ("ReportCount", 1),
        ("SentNTP", f"1795438{303 + 5 * number // 4:03d}.017754"),
        ("SentRTP", 39656 + 40000 * number),
        ("SentPackets", 247 + 250 * number),
        ("SentOctets", 39520 + 40000 * number),
        ("Report0SourceSSRC", "0xca110000"),
        ("Report0FractionLost", 0),
        ("Report0CumulativeLost", 0),
        ("Report0HighestSequence", 250 + 250 * number),
        ("Report0SequenceNumberCycles", 0),
        ("Report0IAJitter", 1),
        ("Report0LSR", 0),
        ("Report0DLSR", "0.0000"),
        privilege="reporting",
    )

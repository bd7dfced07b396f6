"""The events of Asterisk 22 that a call consists of, with placeholders such as `%(caller.uid)s` in them."""

from __future__ import annotations

from tests.bench.workload.scripts import block

_STATES = {"Down": 0, "Ring": 4, "Ringing": 5, "Up": 6}


class Side:
    """One channel of the call, in the state it has at that moment; writes its fields."""

    def __init__(self, who: str, state: str, peer: str, step: tuple[str, str, int]) -> None:
        self.who, self.state, self.peer, self.step = who, state, peer, step

    def fields(self, prefix: str = "") -> list[tuple[str, object]]:
        """What each event says of a channel; a second one in the event has a prefix."""
        context, exten, priority = self.step
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


def on(event: str, side: Side, *more: tuple[str, object], privilege: str = "call") -> str:
    """An event of one channel."""
    return block(event, privilege, *side.fields(), *more)


def variable(side: Side, name: str, value: str = "") -> str:
    """VarSet."""
    return on("VarSet", side, ("Variable", name), ("Value", value), privilege="dialplan")


def step(side: Side, application: str, data: str = "") -> str:
    """Newexten."""
    more = (("Extension", "101"), ("Application", application), ("AppData", data))
    return on("Newexten", side, *more, privilege="dialplan")


def queue_caller(event: str, side: Side, left: int) -> str:
    """The caller enters or leaves the queue."""
    return on(event, side, ("Queue", "%(queue)s"), ("Position", 1), ("Count", left), privilege="agent")


def device(device: str, state: str) -> str:
    """DeviceStateChange."""
    return block("DeviceStateChange", "call", ("Device", device), ("State", state))


def member(place: int, status: int) -> str:
    """QueueMemberStatus of the agent at a place in the order of ringing."""
    return block(
        "QueueMemberStatus",
        "agent",
        ("Queue", "%(queue)s"),
        ("MemberName", f"%(agent{place}.name)s"),
        ("Interface", f"%(agent{place}.device)s"),
        ("StateInterface", f"%(agent{place}.device)s"),
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


def both(event: str, caller: Side, agent: Side, *more: tuple[str, object], privilege: str = "call") -> str:
    """An event of two channels."""
    return block(event, privilege, *caller.fields(), *agent.fields("Dest"), *more)


def bridge_event(event: str, channels: int, side: Side | None = None) -> str:
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
        *(side.fields() if side else ()),
    )


def report(side: Side, *, sent: bool, number: int) -> str:
    """RTCPSent or RTCPReceived."""
    return on(
        "RTCPSent" if sent else "RTCPReceived",
        side,
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

"""Queue calls as Asterisk 22 with PJSIP tells them, with the statistics of a real conversation.

Recorded calls of seconds have 17 fields and 390 bytes an event. In a conversation of minutes both phones'
media streams are reported each few seconds, so that two events in five are RTCP reports, and as many are
steps of the dialplan and variables that they set: 24.6 fields and 541 bytes an event.
"""

from __future__ import annotations

from functools import cache

from tests.bench import dialplan
from tests.bench.scripts import END, QueueCall, Script, block

_STATES = {"Down": 0, "Ring": 4, "Ringing": 5, "Up": 6}
_REPORTS = 176  # sent and received at both ends, one each five seconds, in under four minutes of conversation
_SILENCE = {
    "RTPAUDIOQOS": (
        "ssrc=1818427527;themssrc=3390111744;lp=0;rxjitter=0.000000;rxcount=9312;txjitter=0.000125;txcount=9310;"
        "rlp=0;rtt=0.000000;rxmes=0.000000;txmes=0.000000"
    ),
    "RTPAUDIOQOSJITTER": (
        "minrxjitter=000.000000;maxrxjitter=000.000250;avgrxjitter=000.000109;stdevrxjitter=000.000095;"
        "mintxjitter=000.000000;maxtxjitter=000.000000;avgtxjitter=000.000000;stdevtxjitter=000.000000;"
    ),
    "RTPAUDIOQOSLOSS": (
        "  minrxlost=000.000000;  maxrxlost=000.000000;  avgrxlost=000.000000;  stdevrxlost=000.000000;"
        "  mintxlost=000.000000;  maxtxlost=000.000000;  avgtxlost=000.000000;  stdevtxlost=000.000000;"
    ),
    "RTPAUDIOQOSRTT": (
        "     minrtt=000.000000;     maxrtt=000.000000;     avgrtt=000.000000;     stdevrtt=000.000000;"
    ),
    "RTPAUDIOQOSMES": (
        "   minrxmes=000.000000;   maxrxmes=000.000000;   avgrxmes=000.000000;   stdevrxmes=000.000000;"
        "   mintxmes=000.000000;   maxtxmes=000.000000;   avgtxmes=000.000000;   stdevtxmes=000.000000;"
    ),
}


class ModernCalls(Script):
    """Asterisk 22."""

    name = "modern mix (Asterisk 22)"
    banner = b"Asterisk Call Manager/11.0.0\r\n"
    technology = "PJSIP"
    fields, size = 24.6, 541

    def blocks(self, call: QueueCall) -> list[bytes]:
        """The whole call; the block that connects the phones is at `connecting`."""
        text = _template(len(call.ringing)) % self._values(call)
        return [part + END for part in text.encode().split(END)[:-1]]

    def connecting(self, call: QueueCall) -> int:
        """Where the caller enters the bridge in which the operator already is."""
        return _connecting(len(call.ringing))

    @staticmethod
    def _values(call: QueueCall) -> dict[str, str]:
        values = {
            "caller.channel": f"PJSIP/trunk-{call.serial * 4:08x}",
            "caller.number": call.number,
            "caller.name": call.name,
            "caller.uid": f"{call.begun}.{call.serial * 4}",
            "device": "PJSIP/trunk",
            "calldata": call.calldata,
            "context": call.context,
            "queue": call.queue,
            "bridge": f"{call.serial:08x}-6db1-4ac2-b2cf-3c2142775fe3",
        }
        for place, seat in enumerate((call.seat, *call.ringing)):
            values |= {
                f"agent{place}.channel": f"{seat}-{call.serial * 4 + 1 + place:08x}",
                f"agent{place}.number": seat.rpartition("/")[2],
                f"agent{place}.name": f"Agent {seat.rpartition('/')[2]}",
                f"agent{place}.uid": f"{call.begun + 1}.{call.serial * 4 + 1 + place}",
                f"agent{place}.device": seat,
            }
        return values


class _Side:
    """One channel of the call, in the state it has at that moment; writes its fields."""

    def __init__(self, who: str, state: str, peer: str, step: tuple[str, str, int]) -> None:
        self.who, self.state, self.peer, self.step = who, state, peer, step

    def fields(self, prefix: str = "") -> list[tuple[str, object]]:
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


def _caller(state: str, priority: int, *, peer: str = "", context: str = "%(context)s") -> _Side:
    return _Side("caller", state, peer, (context, "101", priority))


def _agent(place: int, state: str, *, dialled: bool = True) -> _Side:
    peer = "caller" if dialled else ""
    return _Side(f"agent{place}", state, peer, ("phones", "101" if dialled else "s", 1))


@cache
def _template(others: int) -> str:
    return "".join(part for part, _connects in _parts(others))


@cache
def _connecting(others: int) -> int:
    return next(index for index, (_part, connects) in enumerate(_parts(others)) if connects)


def _parts(others: int) -> list[tuple[str, bool]]:
    places = range(1 + others)
    before = [*_arrival(), *(event for place in places for event in _ring(place)), *_answer(others)]
    after = [*_bridged(), *_reports(), *_end()]
    return [
        *((event, False) for event in before),
        (_bridge_event("BridgeEnter", 2, _caller("Up", 4, peer="agent0")), True),
        *((event, False) for event in after),
    ]


def _on(event: str, side: _Side, *more: tuple[str, object], privilege: str = "call") -> str:
    return block(event, privilege, *side.fields(), *more)


def _variable(side: _Side, name: str, value: str = "") -> str:
    return _on("VarSet", side, ("Variable", name), ("Value", value), privilege="dialplan")


def _step(side: _Side, application: str, data: str = "") -> str:
    more = (("Extension", "101"), ("Application", application), ("AppData", data))
    return _on("Newexten", side, *more, privilege="dialplan")


def _queue_caller(event: str, side: _Side, left: int) -> str:
    return _on(event, side, ("Queue", "%(queue)s"), ("Position", 1), ("Count", left), privilege="agent")


def _device(device: str, state: str) -> str:
    return block("DeviceStateChange", "call", ("Device", device), ("State", state))


def _member(place: int, status: int) -> str:
    return block(
        "QueueMemberStatus", "agent", ("Queue", "%(queue)s"), ("MemberName", f"%(agent{place}.name)s"),
        ("Interface", f"%(agent{place}.device)s"), ("StateInterface", f"%(agent{place}.device)s"),
        ("Membership", "dynamic"), ("Penalty", 1), ("CallsTaken", 3), ("LastCall", 1795438230),
        ("LastPause", 0), ("LoginTime", 1795438228), ("InCall", int(status == 2)), ("Status", status),
        ("Paused", 0), ("PausedReason", ""), ("Ringinuse", 0), ("Wrapuptime", 0),
    )  # fmt: skip


def _both(event: str, caller: _Side, agent: _Side, *more: tuple[str, object], privilege: str = "call") -> str:
    return block(event, privilege, *caller.fields(), *agent.fields("Dest"), *more)


def _bridge_event(event: str, channels: int, side: _Side | None = None) -> str:
    return block(
        event, "call", ("BridgeUniqueid", "%(bridge)s"), ("BridgeType", "basic"),
        ("BridgeTechnology", "simple_bridge"), ("BridgeCreator", "<unknown>"), ("BridgeName", "<unknown>"),
        ("BridgeNumChannels", channels), ("BridgeVideoSourceMode", "none"), *(side.fields() if side else ()),
    )  # fmt: skip


def _arrival() -> list[str]:
    ring = _caller("Ring", 1, context="incoming")
    up = [_caller("Up", priority) for priority in range(5)]
    waiting = ("ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME", "DIALEDTIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS")
    return [
        _on("Newchannel", ring),
        _variable(ring, "SIPDOMAIN", "127.0.0.1"),
        *_way(),
        _step(ring, "Goto", "%(context)s,101,1"),
        _step(_caller("Ring", 1), "Answer"),
        _on("Newstate", up[1]),
        _device("%(device)s", "INUSE"),
        _step(up[2], "Read", "cdata,,5"),
        _variable(up[2], "READSTATUS", "ERROR"),
        _variable(up[2], "cdata", "%(calldata)s"),
        _variable(up[2], "READSTATUS", "OK"),
        _step(up[3], "Set", "calldata=%(calldata)s"),
        _variable(up[3], "calldata", "%(calldata)s"),
        _step(up[4], "Queue", "%(queue)s,htw,,,60"),
        *(_variable(up[4], name) for name in waiting),
        _device("Queue:%(queue)s", "RINGING"),
        _queue_caller("QueueCallerJoin", up[4], 1),
        _on("MusicOnHoldStart", up[4], ("Class", "default")),
    ]


def _way() -> list[str]:
    """The steps of the dialplan before the service's own."""
    told = []
    for step in dialplan.steps():
        side = _caller("Ring", step.priority, context=step.context)
        told.append(_step(side, step.application, step.data.replace("%", "%%")))
        if step.name:
            told.append(_variable(side, step.name, step.value))
    return told


def _ring(place: int) -> list[str]:
    caller = _caller("Up", 4)
    fresh, ringing = _agent(place, "Down", dialled=False), _agent(place, "Ringing")
    device = f"%(agent{place}.device)s"
    member = (("Queue", "%(queue)s"), ("Interface", device), ("MemberName", f"%(agent{place}.name)s"))
    return [
        _on("Newchannel", fresh),
        _variable(fresh, "DIALEDPEERNUMBER", f"%(agent{place}.number)s"),
        _both("AgentCalled", caller, _agent(place, "Down"), *member, privilege="agent"),
        _both("DialBegin", caller, fresh, ("DialString", device)),
        _on("Newstate", ringing),
        _step(ringing, "AppQueue", "(Outgoing Line)"),
        _on("NewConnectedLine", ringing),
        _member(place, 6),
        _device(device, "RINGING"),
        _both("DialState", caller, ringing, ("DialStatus", "RINGING")),
    ]


def _answer(others: int) -> list[str]:
    waiting, served = _caller("Up", 4), _caller("Up", 4, peer="agent0")
    agent = _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    elsewhere = [event for place in range(1, 1 + others) for event in _rung_in_vain(place)]
    return [
        _on("Newstate", agent),
        _both("DialEnd", waiting, agent, ("DialStatus", "ANSWER")),
        _on("NewConnectedLine", served),
        _on("MusicOnHoldStop", served),
        _device("%(agent0.device)s", "INUSE"),
        _device("Queue:%(queue)s", "NOT_INUSE"),
        _queue_caller("QueueCallerLeave", served, 0),
        _variable(served, "QUEUEPOSITION", "1"),
        _variable(served, "QUEUEWAIT", "0"),
        _variable(served, "QUEUEWAIT_MS", "0"),
        _both("AgentConnect", served, agent, *member, ("HoldTime", 0), ("RingTime", 0), privilege="agent"),
        _member(0, 2),
        *elsewhere,
        _bridge_event("BridgeCreate", 0),
        _bridge_event("BridgeEnter", 1, agent),
    ]


def _rung_in_vain(place: int) -> list[str]:
    ringing = _agent(place, "Ringing")
    return [
        _both("DialEnd", _caller("Up", 4, peer="agent0"), ringing, ("DialStatus", "CANCEL")),
        _on("Hangup", ringing, ("Cause", 26), ("Cause-txt", "Answered elsewhere")),
        _member(place, 1),
        _device(f"%(agent{place}.device)s", "NOT_INUSE"),
    ]


def _bridged() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    once = [
        _variable(caller, "BRIDGEPEER", "%(agent0.channel)s"),
        _variable(caller, "BRIDGEPVTCALLID", "9d4a3c18-a24c-4090-afcf-276fdeb05f5d"),
        _variable(agent, "BRIDGEPEER", "%(caller.channel)s"),
        _variable(agent, "BRIDGEPVTCALLID", "1-27041@127.0.0.1"),
    ]
    return once * 3


def _reports() -> list[str]:
    sides = (_caller("Up", 4, peer="agent0"), _agent(0, "Up"))
    numbers = range(_REPORTS)
    return [_report(sides[number // 2 % 2], sent=number % 2 == 0, number=number) for number in numbers]


def _report(side: _Side, *, sent: bool, number: int) -> str:
    return _on(
        "RTCPSent" if sent else "RTCPReceived", side,
        ("To", "192.0.2.10:6009"), ("From", "192.0.2.1:22925"), *(() if sent else (("RTT", "0.0021"),)),
        ("MES", "88.1"), ("SSRC", "0x2f9cdd80"), ("PT", "200(SR)"), ("ReportCount", 1),
        ("SentNTP", f"1795438{303 + 5 * number // 4:03d}.017754"), ("SentRTP", 39656 + 40000 * number),
        ("SentPackets", 247 + 250 * number), ("SentOctets", 39520 + 40000 * number),
        ("Report0SourceSSRC", "0xca110000"), ("Report0FractionLost", 0), ("Report0CumulativeLost", 0),
        ("Report0HighestSequence", 250 + 250 * number), ("Report0SequenceNumberCycles", 0),
        ("Report0IAJitter", 1), ("Report0LSR", 0), ("Report0DLSR", "0.0000"), privilege="reporting",
    )  # fmt: skip


def _end() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    talk = (("HoldTime", 0), ("TalkTime", 180), ("Reason", "agent"))
    clearing = (("Cause", 16), ("Cause-txt", "Normal Clearing"))
    times = {"ANSWEREDTIME": 180, "ANSWEREDTIME_MS": 180004, "DIALEDTIME": 181, "DIALEDTIME_MS": 181855}
    return [
        *(_variable(side, name + suffix, value) for name, value in _SILENCE.items()
          for side, suffix in ((agent, ""), (caller, "BRIDGED"))),
        _on("HangupRequest", agent),
        _both("AgentComplete", caller, agent, *member, *talk, privilege="agent"),
        *(_variable(side, name) for side in (agent, caller) for name in ("BRIDGEPEER", "BRIDGEPVTCALLID")),
        _bridge_event("BridgeLeave", 1, agent),
        _on("Hangup", agent, *clearing),
        _bridge_event("BridgeLeave", 0, caller),
        _bridge_event("BridgeDestroy", 0),
        *(_variable(caller, name, str(value)) for name, value in times.items()),
        _member(0, 1),
        _device("%(agent0.device)s", "NOT_INUSE"),
        _on("SoftHangupRequest", caller, ("Cause", 16)),
        *(_variable(caller, name, value) for name, value in _SILENCE.items()),
        _on("Hangup", caller, *clearing),
        _device("%(device)s", "NOT_INUSE"),
    ]  # fmt: skip

"""Queue calls as Asterisk 22 with PJSIP reports them, with the statistics of a real conversation.

Recorded calls of seconds have 17 fields and 390 bytes an event. In a conversation of minutes both phones'
media streams are reported each few seconds, so that two events in five are RTCP reports, and as many are
steps of the dialplan and variables that they set: 24.6 fields and 541 bytes an event.
"""

from __future__ import annotations

from functools import cache

from tests.bench.workload import dialplan
from tests.bench.workload import modern_events as events
from tests.bench.workload.event_script import END, EventScript, PlannedCall

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


class ModernCalls(EventScript):
    """Asterisk 22."""

    name = "modern mix (Asterisk 22)"
    banner = b"Asterisk Call Manager/11.0.0\r\n"
    technology = "PJSIP"
    fields, size = 24.6, 541

    def blocks(self, call: PlannedCall) -> list[bytes]:
        """The whole call; the block that connects the phones is at `connecting`."""
        text = _template(len(call.ringing)) % self._values(call)
        return [part + END for part in text.encode().split(END)[:-1]]

    def connecting(self, call: PlannedCall) -> int:
        """Where the caller enters the bridge in which the operator already is."""
        return _connecting(len(call.ringing))

    @staticmethod
    def _values(call: PlannedCall) -> dict[str, str]:
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
        for index, seat in enumerate((call.seat, *call.ringing)):
            values |= {
                f"agent{index}.channel": f"{seat}-{call.serial * 4 + 1 + index:08x}",
                f"agent{index}.number": seat.rpartition("/")[2],
                f"agent{index}.name": f"Agent {seat.rpartition('/')[2]}",
                f"agent{index}.uid": f"{call.begun + 1}.{call.serial * 4 + 1 + index}",
                f"agent{index}.device": seat,
            }
        return values


def _caller(
    state: str, priority: int, *, peer: str = "", context: str = "%(context)s"
) -> events.ChannelFields:
    return events.ChannelFields("caller", state, peer, (context, "101", priority))


def _agent(index: int, state: str, *, dialled: bool = True) -> events.ChannelFields:
    peer = "caller" if dialled else ""
    return events.ChannelFields(f"agent{index}", state, peer, ("phones", "101" if dialled else "s", 1))


@cache
def _template(others: int) -> str:
    return "".join(part for part, _connects in _parts(others))


@cache
def _connecting(others: int) -> int:
    return next(index for index, (_part, connects) in enumerate(_parts(others)) if connects)


def _parts(others: int) -> list[tuple[str, bool]]:
    agents = range(1 + others)
    before = [*_arrival(), *(event for index in agents for event in _ring(index)), *_answer(others)]
    after = [*_bridged(), *_reports(), *_end()]
    return [
        *((event, False) for event in before),
        (events.bridge_event("BridgeEnter", 2, _caller("Up", 4, peer="agent0")), True),
        *((event, False) for event in after),
    ]


def _arrival() -> list[str]:
    ring = _caller("Ring", 1, context="incoming")
    up = [_caller("Up", priority) for priority in range(5)]
    waiting = ("ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME", "DIALEDTIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS")
    return [
        events.of_channel("Newchannel", ring),
        events.variable_set(ring, "SIPDOMAIN", "127.0.0.1"),
        *_dialplan_events(),
        events.dialplan_step(ring, "Goto", "%(context)s,101,1"),
        events.dialplan_step(_caller("Ring", 1), "Answer"),
        events.of_channel("Newstate", up[1]),
        events.device_state("%(device)s", "INUSE"),
        events.dialplan_step(up[2], "Read", "cdata,,5"),
        events.variable_set(up[2], "READSTATUS", "ERROR"),
        events.variable_set(up[2], "cdata", "%(calldata)s"),
        events.variable_set(up[2], "READSTATUS", "OK"),
        events.dialplan_step(up[3], "Set", "calldata=%(calldata)s"),
        events.variable_set(up[3], "calldata", "%(calldata)s"),
        events.dialplan_step(up[4], "Queue", "%(queue)s,htw,,,60"),
        *(events.variable_set(up[4], name) for name in waiting),
        events.device_state("Queue:%(queue)s", "RINGING"),
        events.queue_caller("QueueCallerJoin", up[4], 1),
        events.of_channel("MusicOnHoldStart", up[4], ("Class", "default")),
    ]


def _dialplan_events() -> list[str]:
    """The steps of the dialplan before the service's own."""
    blocks = []
    for step in dialplan.steps():
        channel = _caller("Ring", step.priority, context=step.context)
        blocks.append(events.dialplan_step(channel, step.application, step.data.replace("%", "%%")))
        if step.name:
            blocks.append(events.variable_set(channel, step.name, step.value))
    return blocks


def _ring(index: int) -> list[str]:
    caller = _caller("Up", 4)
    fresh, ringing = _agent(index, "Down", dialled=False), _agent(index, "Ringing")
    device = f"%(agent{index}.device)s"
    member = (("Queue", "%(queue)s"), ("Interface", device), ("MemberName", f"%(agent{index}.name)s"))
    return [
        events.of_channel("Newchannel", fresh),
        events.variable_set(fresh, "DIALEDPEERNUMBER", f"%(agent{index}.number)s"),
        events.of_two_channels("AgentCalled", caller, _agent(index, "Down"), *member, privilege="agent"),
        events.of_two_channels("DialBegin", caller, fresh, ("DialString", device)),
        events.of_channel("Newstate", ringing),
        events.dialplan_step(ringing, "AppQueue", "(Outgoing Line)"),
        events.of_channel("NewConnectedLine", ringing),
        events.member_status(index, 6),
        events.device_state(device, "RINGING"),
        events.of_two_channels("DialState", caller, ringing, ("DialStatus", "RINGING")),
    ]


def _answer(others: int) -> list[str]:
    waiting, served = _caller("Up", 4), _caller("Up", 4, peer="agent0")
    agent = _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    times = (("HoldTime", 0), ("RingTime", 0))
    elsewhere = [event for index in range(1, 1 + others) for event in _rung_in_vain(index)]
    return [
        events.of_channel("Newstate", agent),
        events.of_two_channels("DialEnd", waiting, agent, ("DialStatus", "ANSWER")),
        events.of_channel("NewConnectedLine", served),
        events.of_channel("MusicOnHoldStop", served),
        events.device_state("%(agent0.device)s", "INUSE"),
        events.device_state("Queue:%(queue)s", "NOT_INUSE"),
        events.queue_caller("QueueCallerLeave", served, 0),
        events.variable_set(served, "QUEUEPOSITION", "1"),
        events.variable_set(served, "QUEUEWAIT", "0"),
        events.variable_set(served, "QUEUEWAIT_MS", "0"),
        events.of_two_channels("AgentConnect", served, agent, *member, *times, privilege="agent"),
        events.member_status(0, 2),
        *elsewhere,
        events.bridge_event("BridgeCreate", 0),
        events.bridge_event("BridgeEnter", 1, agent),
    ]


def _rung_in_vain(index: int) -> list[str]:
    ringing = _agent(index, "Ringing")
    return [
        events.of_two_channels("DialEnd", _caller("Up", 4, peer="agent0"), ringing, ("DialStatus", "CANCEL")),
        events.of_channel("Hangup", ringing, ("Cause", 26), ("Cause-txt", "Answered elsewhere")),
        events.member_status(index, 1),
        events.device_state(f"%(agent{index}.device)s", "NOT_INUSE"),
    ]


def _bridged() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    once = [
        events.variable_set(caller, "BRIDGEPEER", "%(agent0.channel)s"),
        events.variable_set(caller, "BRIDGEPVTCALLID", "9d4a3c18-a24c-4090-afcf-276fdeb05f5d"),
        events.variable_set(agent, "BRIDGEPEER", "%(caller.channel)s"),
        events.variable_set(agent, "BRIDGEPVTCALLID", "1-27041@127.0.0.1"),
    ]
    return once * 3


def _reports() -> list[str]:
    sides = (_caller("Up", 4, peer="agent0"), _agent(0, "Up"))
    numbers = range(_REPORTS)
    return [
        events.rtcp_report(sides[number // 2 % 2], sent=number % 2 == 0, number=number) for number in numbers
    ]


def _end() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    peer = ("BRIDGEPEER", "BRIDGEPVTCALLID")
    talk = (("HoldTime", 0), ("TalkTime", 180), ("Reason", "agent"))
    clearing = (("Cause", 16), ("Cause-txt", "Normal Clearing"))
    times = {"ANSWEREDTIME": 180, "ANSWEREDTIME_MS": 180004, "DIALEDTIME": 181, "DIALEDTIME_MS": 181855}
    return [
        *(
            events.variable_set(side, name + suffix, value)
            for name, value in _SILENCE.items()
            for side, suffix in ((agent, ""), (caller, "BRIDGED"))
        ),
        events.of_channel("HangupRequest", agent),
        events.of_two_channels("AgentComplete", caller, agent, *member, *talk, privilege="agent"),
        *(events.variable_set(side, name) for side in (agent, caller) for name in peer),
        events.bridge_event("BridgeLeave", 1, agent),
        events.of_channel("Hangup", agent, *clearing),
        events.bridge_event("BridgeLeave", 0, caller),
        events.bridge_event("BridgeDestroy", 0),
        *(events.variable_set(caller, name, str(value)) for name, value in times.items()),
        events.member_status(0, 1),
        events.device_state("%(agent0.device)s", "NOT_INUSE"),
        events.of_channel("SoftHangupRequest", caller, ("Cause", 16)),
        *(events.variable_set(caller, name, value) for name, value in _SILENCE.items()),
        events.of_channel("Hangup", caller, *clearing),
        events.device_state("%(device)s", "NOT_INUSE"),
    ]

"""Queue calls as Asterisk 22 with PJSIP tells them, with the statistics of a real conversation.

Recorded calls of seconds have 17 fields and 390 bytes an event. In a conversation of minutes both phones'
media streams are reported each few seconds, so that two events in five are RTCP reports, and as many are
steps of the dialplan and variables that they set: 24.6 fields and 541 bytes an event.
"""

from __future__ import annotations

from functools import cache

from tests.bench.workload import dialplan
from tests.bench.workload import modern_events as tell
from tests.bench.workload.scripts import END, QueueCall, Script

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


def _caller(state: str, priority: int, *, peer: str = "", context: str = "%(context)s") -> tell.Side:
    return tell.Side("caller", state, peer, (context, "101", priority))


def _agent(place: int, state: str, *, dialled: bool = True) -> tell.Side:
    peer = "caller" if dialled else ""
    return tell.Side(f"agent{place}", state, peer, ("phones", "101" if dialled else "s", 1))


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
        (tell.bridge_event("BridgeEnter", 2, _caller("Up", 4, peer="agent0")), True),
        *((event, False) for event in after),
    ]


def _arrival() -> list[str]:
    ring = _caller("Ring", 1, context="incoming")
    up = [_caller("Up", priority) for priority in range(5)]
    waiting = ("ANSWEREDTIME", "ANSWEREDTIME_MS", "DIALEDTIME", "DIALEDTIME_MS", "QUEUEWAIT", "QUEUEWAIT_MS")
    return [
        tell.on("Newchannel", ring),
        tell.variable(ring, "SIPDOMAIN", "127.0.0.1"),
        *_way(),
        tell.step(ring, "Goto", "%(context)s,101,1"),
        tell.step(_caller("Ring", 1), "Answer"),
        tell.on("Newstate", up[1]),
        tell.device("%(device)s", "INUSE"),
        tell.step(up[2], "Read", "cdata,,5"),
        tell.variable(up[2], "READSTATUS", "ERROR"),
        tell.variable(up[2], "cdata", "%(calldata)s"),
        tell.variable(up[2], "READSTATUS", "OK"),
        tell.step(up[3], "Set", "calldata=%(calldata)s"),
        tell.variable(up[3], "calldata", "%(calldata)s"),
        tell.step(up[4], "Queue", "%(queue)s,htw,,,60"),
        *(tell.variable(up[4], name) for name in waiting),
        tell.device("Queue:%(queue)s", "RINGING"),
        tell.queue_caller("QueueCallerJoin", up[4], 1),
        tell.on("MusicOnHoldStart", up[4], ("Class", "default")),
    ]


def _way() -> list[str]:
    """The steps of the dialplan before the service's own."""
    told = []
    for step in dialplan.steps():
        side = _caller("Ring", step.priority, context=step.context)
        told.append(tell.step(side, step.application, step.data.replace("%", "%%")))
        if step.name:
            told.append(tell.variable(side, step.name, step.value))
    return told


def _ring(place: int) -> list[str]:
    caller = _caller("Up", 4)
    fresh, ringing = _agent(place, "Down", dialled=False), _agent(place, "Ringing")
    device = f"%(agent{place}.device)s"
    member = (("Queue", "%(queue)s"), ("Interface", device), ("MemberName", f"%(agent{place}.name)s"))
    return [
        tell.on("Newchannel", fresh),
        tell.variable(fresh, "DIALEDPEERNUMBER", f"%(agent{place}.number)s"),
        tell.both("AgentCalled", caller, _agent(place, "Down"), *member, privilege="agent"),
        tell.both("DialBegin", caller, fresh, ("DialString", device)),
        tell.on("Newstate", ringing),
        tell.step(ringing, "AppQueue", "(Outgoing Line)"),
        tell.on("NewConnectedLine", ringing),
        tell.member(place, 6),
        tell.device(device, "RINGING"),
        tell.both("DialState", caller, ringing, ("DialStatus", "RINGING")),
    ]


def _answer(others: int) -> list[str]:
    waiting, served = _caller("Up", 4), _caller("Up", 4, peer="agent0")
    agent = _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    times = (("HoldTime", 0), ("RingTime", 0))
    elsewhere = [event for place in range(1, 1 + others) for event in _rung_in_vain(place)]
    return [
        tell.on("Newstate", agent),
        tell.both("DialEnd", waiting, agent, ("DialStatus", "ANSWER")),
        tell.on("NewConnectedLine", served),
        tell.on("MusicOnHoldStop", served),
        tell.device("%(agent0.device)s", "INUSE"),
        tell.device("Queue:%(queue)s", "NOT_INUSE"),
        tell.queue_caller("QueueCallerLeave", served, 0),
        tell.variable(served, "QUEUEPOSITION", "1"),
        tell.variable(served, "QUEUEWAIT", "0"),
        tell.variable(served, "QUEUEWAIT_MS", "0"),
        tell.both("AgentConnect", served, agent, *member, *times, privilege="agent"),
        tell.member(0, 2),
        *elsewhere,
        tell.bridge_event("BridgeCreate", 0),
        tell.bridge_event("BridgeEnter", 1, agent),
    ]


def _rung_in_vain(place: int) -> list[str]:
    ringing = _agent(place, "Ringing")
    return [
        tell.both("DialEnd", _caller("Up", 4, peer="agent0"), ringing, ("DialStatus", "CANCEL")),
        tell.on("Hangup", ringing, ("Cause", 26), ("Cause-txt", "Answered elsewhere")),
        tell.member(place, 1),
        tell.device(f"%(agent{place}.device)s", "NOT_INUSE"),
    ]


def _bridged() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    once = [
        tell.variable(caller, "BRIDGEPEER", "%(agent0.channel)s"),
        tell.variable(caller, "BRIDGEPVTCALLID", "9d4a3c18-a24c-4090-afcf-276fdeb05f5d"),
        tell.variable(agent, "BRIDGEPEER", "%(caller.channel)s"),
        tell.variable(agent, "BRIDGEPVTCALLID", "1-27041@127.0.0.1"),
    ]
    return once * 3


def _reports() -> list[str]:
    sides = (_caller("Up", 4, peer="agent0"), _agent(0, "Up"))
    numbers = range(_REPORTS)
    return [tell.report(sides[number // 2 % 2], sent=number % 2 == 0, number=number) for number in numbers]


def _end() -> list[str]:
    caller, agent = _caller("Up", 4, peer="agent0"), _agent(0, "Up")
    member = (("Queue", "%(queue)s"), ("Interface", "%(agent0.device)s"), ("MemberName", "%(agent0.name)s"))
    peer = ("BRIDGEPEER", "BRIDGEPVTCALLID")
    talk = (("HoldTime", 0), ("TalkTime", 180), ("Reason", "agent"))
    clearing = (("Cause", 16), ("Cause-txt", "Normal Clearing"))
    times = {"ANSWEREDTIME": 180, "ANSWEREDTIME_MS": 180004, "DIALEDTIME": 181, "DIALEDTIME_MS": 181855}
    return [
        *(
            tell.variable(side, name + suffix, value)
            for name, value in _SILENCE.items()
            for side, suffix in ((agent, ""), (caller, "BRIDGED"))
        ),
        tell.on("HangupRequest", agent),
        tell.both("AgentComplete", caller, agent, *member, *talk, privilege="agent"),
        *(tell.variable(side, name) for side in (agent, caller) for name in peer),
        tell.bridge_event("BridgeLeave", 1, agent),
        tell.on("Hangup", agent, *clearing),
        tell.bridge_event("BridgeLeave", 0, caller),
        tell.bridge_event("BridgeDestroy", 0),
        *(tell.variable(caller, name, str(value)) for name, value in times.items()),
        tell.member(0, 1),
        tell.device("%(agent0.device)s", "NOT_INUSE"),
        tell.on("SoftHangupRequest", caller, ("Cause", 16)),
        *(tell.variable(caller, name, value) for name, value in _SILENCE.items()),
        tell.on("Hangup", caller, *clearing),
        tell.device("%(device)s", "NOT_INUSE"),
    ]

"""Queue calls as Asterisk 1.4 with chan_sip reports them: 8.2 fields and 173 bytes an event."""

from __future__ import annotations

from functools import cache

from tests.bench.workload import dialplan
from tests.bench.workload.event_script import END, EventScript, PlannedCall, block

_LINKS = 3  # a native bridge that is made anew is reported again


class OldCalls(EventScript):
    """Asterisk 1.4."""

    name = "1.4 mix"
    banner = b"Asterisk Call Manager/1.0\r\n"
    technology = "SIP"
    fields, size = 8.2, 173

    def blocks(self, call: PlannedCall) -> list[bytes]:
        """The whole call; the first Link connects the phones."""
        text = _template(len(call.ringing)) % self._values(call)
        return [part + END for part in text.encode().split(END)[:-1]]

    def connecting(self, call: PlannedCall) -> int:
        """The first Link."""
        return _connecting(len(call.ringing))

    @staticmethod
    def _values(call: PlannedCall) -> dict[str, str]:
        values = {
            "caller.channel": f"SIP/trunk-{0x08000000 + call.serial * 64:08x}",
            "number": call.number,
            "name": call.name,
            "caller.uid": f"{call.begun}.{call.serial * 4}",
            "calldata": call.calldata,
            "context": call.context,
            "queue": call.queue,
        }
        for index, seat in enumerate((call.seat, *call.ringing)):
            values |= {
                f"agent{index}.channel": f"{seat}-{0x08000000 + call.serial * 64 + 16 + index:08x}",
                f"agent{index}.uid": f"{call.begun + 1}.{call.serial * 4 + 1 + index}",
                f"agent{index}.device": seat,
                f"agent{index}.number": seat.rpartition("/")[2],
            }
        return values


@cache
def _template(others: int) -> str:
    return "".join(_parts(others))


@cache
def _connecting(others: int) -> int:
    return next(index for index, part in enumerate(_parts(others)) if part.startswith("Event: Link\r\n"))


def _of_channel(event: str, who: str, *fields: tuple[str, object]) -> str:
    uniqueid = ("Uniqueid", f"%({who}.uid)s")
    return block(event, "call", ("Channel", f"%({who}.channel)s"), *fields, uniqueid)


def _state(who: str, state: str) -> str:
    return _of_channel(
        "Newstate", who, ("State", state), ("CallerID", "%(number)s"), ("CallerIDName", "%(name)s")
    )


def _step(priority: int, application: str, data: str, context: str = "%(context)s") -> str:
    return _of_channel(
        "Newexten",
        "caller",
        ("Context", context),
        ("Extension", "101"),
        ("Priority", priority),
        ("Application", application),
        ("AppData", data),
    )


def _dialplan_events() -> list[str]:
    """The steps of the dialplan before the service's own, and what phones and peers report meanwhile."""
    blocks = []
    for number, step in enumerate(dialplan.steps()):
        blocks.append(_step(step.priority, step.application, step.data, step.context))
        if number % 8 == 0:
            peer = ("Peer", f"SIP/{200 + number}")
            blocks.append(block("PeerStatus", "system", peer, ("PeerStatus", "Reachable"), ("Time", 12)))
        elif number % 8 == 4:
            exten = ("Exten", 200 + number)
            blocks.append(block("ExtensionStatus", "call", exten, ("Context", "phones"), ("Status", 1)))
    return blocks


def _member_status(index: int, status: int) -> list[str]:
    """What follows a change of the phone's state: the phone is a member of two queues."""
    device = f"%(agent{index}.device)s"
    return [
        block(
            "QueueMemberStatus",
            "agent",
            ("Queue", queue),
            ("Location", device),
            ("MemberName", f"Agent %(agent{index}.number)s"),
            ("Membership", "dynamic"),
            ("Penalty", 1),
            ("CallsTaken", 3),
            ("LastCall", 1231258001),
            ("Status", status),
            ("Paused", 0),
        )
        for queue in ("%(queue)s", "night")
    ]


def _linked(event: str) -> str:
    return block(
        event,
        "call",
        ("Channel1", "%(caller.channel)s"),
        ("Channel2", "%(agent0.channel)s"),
        ("Uniqueid1", "%(caller.uid)s"),
        ("Uniqueid2", "%(agent0.uid)s"),
        ("CallerID1", "%(number)s"),
        ("CallerID2", "%(agent0.number)s"),
    )


def _hangup(who: str, cause: int, text: str) -> str:
    return block(
        "Hangup",
        "call",
        ("Channel", f"%({who}.channel)s"),
        ("Uniqueid", f"%({who}.uid)s"),
        ("Cause", cause),
        ("Cause-txt", text),
    )


def _ring(index: int) -> list[str]:
    who = f"agent{index}"
    unknown = (("State", "Down"), ("CallerIDNum", "<unknown>"), ("CallerIDName", "<unknown>"))
    return [_of_channel("Newchannel", who, *unknown), _state(who, "Ringing"), *_member_status(index, 6)]


def _parts(others: int) -> list[str]:
    down = (("State", "Down"), ("CallerIDNum", "%(number)s"), ("CallerIDName", "%(name)s"))
    waiting = (("CallerID", "%(number)s"), ("CallerIDName", "%(name)s"), ("Queue", "%(queue)s"))
    rung_in_vain = [
        event
        for index in range(1, 1 + others)
        for event in (_hangup(f"agent{index}", 0, "Unknown"), *_member_status(index, 1))
    ]
    return [
        _of_channel("Newchannel", "caller", *down),
        _state("caller", "Ring"),
        *_dialplan_events(),
        _step(1, "Answer", ""),
        _state("caller", "Up"),
        _step(2, "Read", "cdata|five_digits|5|"),
        _step(3, "Set", "calldata=%(calldata)s"),
        _step(4, "Queue", "%(queue)s|htw|||60"),
        _of_channel("Join", "caller", *waiting, ("Position", 1), ("Count", 1)),
        *(event for index in range(1 + others) for event in _ring(index)),
        _state("agent0", "Up"),
        *rung_in_vain,
        _of_channel("Leave", "caller", ("Queue", "%(queue)s"), ("Count", 0)),
        *_member_status(0, 2),
        *[_linked("Link"), _linked("Unlink")] * _LINKS,
        _hangup("agent0", 16, "Normal Clearing"),
        *_member_status(0, 1),
        _hangup("caller", 0, "Unknown"),
    ]

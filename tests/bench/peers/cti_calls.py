"""The calls of a CTI server on somebody else's manager client: legs, declared variables, pairs, lines of XML.

Written as one would for a site: it takes an event's name and its fields as a mapping, keeps what a call
needs, and says the same lines as the server does for these calls (a test compares them). No more: no
transfers, no list of channels at the start, nothing for an Asterisk that leaves something out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote
from xml.sax.saxutils import escape

from schemas.configuration.model import Configuration, Service

Fields = Mapping[str, str]
Tell = Callable[[str, bytes], None]
"""Brings a line to the client at an extension."""

NO_DATA = '<data key=""></data>'
_REFUSED = {"17", "21"}  # busy, rejected: Q.850


@dataclass(slots=True)
class PeerLeg:
    """One channel of Asterisk."""

    uniqueid: str
    channel: str
    linkedid: str
    number: str = ""
    name: str = ""
    context: str = ""
    state: str = "Down"
    queue: str = ""
    service: Service | None = None
    data: dict[str, str] = field(default_factory=dict)
    seat: str = ""
    """The extension that this leg is the phone of; empty for a caller."""
    caller: PeerLeg | None = None
    """Who is on the other end, once that is known; a caller's is None."""
    answered: bool = False
    """A caller: whether a phone was answered for them."""
    linked: bool = False


class PeerCalls:
    """All calls. One thread; tells each line as soon as its event is there."""

    def __init__(self, configuration: Configuration, tell: Tell) -> None:
        self._tell = tell
        self._seats = configuration.seat_by_extension
        self._service_of = {service.queue_name: service for service in configuration.services}
        self._declared = {name for service in configuration.services for name in service.variables}
        self._legs: dict[str, PeerLeg] = {}
        self._waiting: dict[str, PeerLeg] = {}  # callers in a queue by number: old Asterisks name no pair
        self._bridges: dict[str, list[PeerLeg]] = {}
        self.handlers: dict[str, Callable[[Fields], None]] = {
            "Newchannel": self._new,
            "Newstate": self._state,
            "VarSet": self._variable,
            "Newexten": self._step,
            "QueueCallerJoin": self._join,
            "Join": self._join,
            "AgentCalled": self._called,
            "DialBegin": self._dial,
            "BridgeEnter": self._enter,
            "BridgeLeave": self._leave,
            "Link": self._link,
            "Hangup": self._hangup,
        }
        """What is to be called with the fields of an event, by its name; others are of no use."""

    def _new(self, event: Fields) -> None:
        uniqueid, channel = event["Uniqueid"], event["Channel"]
        leg = self._legs[uniqueid] = PeerLeg(uniqueid, channel, event.get("Linkedid", uniqueid))
        leg.number, leg.name = event.get("CallerIDNum", ""), event.get("CallerIDName", "")
        extension = channel.rpartition("-")[0]
        if extension in self._seats:
            leg.seat = extension

    def _state(self, event: Fields) -> None:
        leg = self._legs.get(event["Uniqueid"])
        if leg is None:
            return
        state = event.get("ChannelStateDesc") or event["State"]
        if leg.seat and leg.caller is None and "CallerID" in event:
            caller = self._waiting.get(event["CallerID"])
            if caller is not None:
                leg.linkedid = caller.uniqueid
                self._pair(leg, caller)
        leg.state = state
        if leg.caller is not None:
            self._say("Newstate", leg)
            if state == "Ringing":
                self._say("Callerid", leg)
            elif state == "Up":
                leg.caller.answered = True

    def _variable(self, event: Fields) -> None:
        name = event["Variable"]
        if name in self._declared and (leg := self._legs.get(event["Uniqueid"])) is not None:
            leg.data[name] = event["Value"]

    def _step(self, event: Fields) -> None:
        """Old Asterisks report a variable as the step that sets it, and the context only so."""
        application = event["Application"]
        if application == "Set":
            name, _, value = event["AppData"].partition("=")
            if name in self._declared and (leg := self._legs.get(event["Uniqueid"])) is not None:
                leg.data[name] = value
        elif application == "Queue" and (leg := self._legs.get(event["Uniqueid"])) is not None:
            leg.context = event["Context"]

    def _join(self, event: Fields) -> None:
        leg = self._legs.get(event["Uniqueid"])
        if leg is not None:
            leg.queue = event["Queue"]
            leg.service = self._service_of.get(leg.queue)
            leg.number = event.get("CallerIDNum") or event["CallerID"]
            leg.name = event["CallerIDName"]
            self._waiting[leg.number] = leg

    def _called(self, event: Fields) -> None:
        leg, caller = self._legs.get(event["DestUniqueid"]), self._legs.get(event["Uniqueid"])
        if leg is not None and caller is not None and leg.seat:
            self._pair(leg, caller)

    def _pair(self, leg: PeerLeg, caller: PeerLeg) -> None:
        leg.caller = caller
        self._say("Newchannel", leg)

    def _dial(self, event: Fields) -> None:
        leg = self._legs.get(event["DestUniqueid"])
        if leg is not None and leg.caller is not None:
            self._say("Dial", leg)

    def _enter(self, event: Fields) -> None:
        leg = self._legs.get(event["Uniqueid"])
        if leg is None:
            return
        inside = self._bridges.setdefault(event["BridgeUniqueid"], [])
        inside.append(leg)
        if len(inside) == 2:
            self._connected(*inside)

    def _leave(self, event: Fields) -> None:
        inside = self._bridges.get(event["BridgeUniqueid"], [])
        inside[:] = [leg for leg in inside if leg.uniqueid != event["Uniqueid"]]
        if not inside:
            self._bridges.pop(event["BridgeUniqueid"], None)

    def _link(self, event: Fields) -> None:
        one, other = self._legs.get(event["Uniqueid1"]), self._legs.get(event["Uniqueid2"])
        if one is not None and other is not None:
            self._connected(one, other)

    def _connected(self, *legs: PeerLeg) -> None:
        for leg in legs:
            if leg.caller is not None and not leg.linked:
                leg.linked = True
                self._say("Link", leg, _triggers(leg.caller))

    def _hangup(self, event: Fields) -> None:
        leg = self._legs.pop(event["Uniqueid"], None)
        if leg is None:
            return
        if self._waiting.get(leg.number) is leg:
            del self._waiting[leg.number]
        if leg.caller is None:
            return
        code, text = event["Cause"], event["Cause-txt"]
        if leg.linked:
            self._say("Unlink", leg)
            end = "answered"
        elif code in _REFUSED:
            end = "refused"
        else:
            end = "answered-elsewhere" if leg.caller.answered else "missed"
        self._say("Hangup", leg, f'<cause code="{code}" end="{end}">{escape(text)}</cause>')

    def _say(self, event: str, leg: PeerLeg, more: str = "") -> None:
        caller = leg.caller
        assert caller is not None  # nobody is told of a call without one
        data = "".join([f'<data key="{key}">{escape(value)}</data>' for key, value in caller.data.items()])
        queue = f"<queue>{escape(caller.queue)}</queue>" if caller.queue else ""
        service = f"<service>{escape(caller.service.name)}</service>" if caller.service else ""
        line = (
            f'<event id="{event}"><call><uniqueid>{leg.uniqueid}</uniqueid><channel>{leg.channel}</channel>'
            f"<calleridnum>{escape(caller.number)}</calleridnum>"
            f"<calleridname>{escape(caller.name)}</calleridname><context>{caller.context}</context>"
            f"<appdata>{data or NO_DATA}</appdata><state>{leg.state}</state>"
            f"<linkedid>{leg.linkedid}</linkedid><direction>inbound</direction>{queue}"
            f"<connected><uniqueid>{caller.uniqueid}</uniqueid><channel>{caller.channel}</channel></connected>"
            f"</call>{service}{more}</event>\n"
        )
        self._tell(leg.seat, line.encode())


def _triggers(caller: PeerLeg) -> str:
    """What the client is to open when the call is answered."""
    if caller.service is None:
        return ""
    parts = []
    for trigger in caller.service.triggers:
        if trigger.on == "answer":
            url = trigger.url.replace("{CALLERID}", quote(caller.number, safe=""))
            for name, value in caller.data.items():
                url = url.replace(f"{{{name.upper()}}}", quote(value, safe=""))
            parts.append(
                f'<trigger type="{trigger.type}" os="{trigger.os}"><url>{escape(url)}</url></trigger>'
            )
    return "".join(parts)

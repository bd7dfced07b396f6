"""Translates what any Asterisk from 1.4 on says into the events of `vocabulary.py`.

This folder alone knows how versions differ. The version in the greeting is only
a hint, for forks port things back: which family speaks is told by the events and fields themselves. No I/O;
AMI thread only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Final

from astcti_server.ami.dialect import parking, status
from astcti_server.ami.dialect import queues as queues
from astcti_server.ami.dialect.bridges import Bridges
from astcti_server.ami.dialect.dials import Dials
from astcti_server.ami.dialect.text import (
    is_global,
    known,
    number,
    set_many,
    set_one,
    unescaped,
    variable_name,
)
from astcti_server.ami.dialect.variables import channel_variables
from astcti_server.ami.vocabulary import (
    Hangup,
    HangupRequest,
    Link,
    Newchannel,
    Newexten,
    Newstate,
    OriginateResponse,
    Pickup,
    Rename,
    TelephoneEvent,
    Unlink,
    VariableSet,
)
from astcti_server.ami.wire.messages import AmiEvent
from astcti_server.ami.wire.parser import AmiBanner

ESCAPING_SINCE: Final = (2, 8)  # AMI 2.8.0, Asterisk 13.5: names and variables are C-escaped
MOST_VERSION_PARTS: Final = 8  # it has three

_NEWCHANNEL: Final = (
    "Uniqueid",
    "Channel",
    "ChannelStateDesc",
    "State",
    "CallerIDNum",
    "CallerIDName",
    "Context",
    "Exten",
    "Linkedid",
)
_NEWSTATE: Final = (
    "Uniqueid",
    "Channel",
    "ChannelStateDesc",
    "State",
    "CallerIDNum",
    "CallerID",
    "CallerIDName",
    "ConnectedLineNum",
    "ConnectedLineName",
    "Context",
    "Exten",
    "Linkedid",
)
_NEWEXTEN: Final = ("Uniqueid", "Channel", "Context", "Extension", "Exten", "Application", "AppData")
_VARSET: Final = ("Uniqueid", "Channel", "Variable", "Value")
_LINK: Final = ("Uniqueid1", "Channel1", "Uniqueid2", "Channel2", "Bridgestate")
_RENAME: Final = ("Uniqueid", "Oldname", "Channel", "Newname")
_HANGUP: Final = ("Uniqueid", "Channel", "Cause", "Cause-txt")
_NO_GLOBALS: Final[Mapping[str, str]] = MappingProxyType({})
_ORIGINATED: Final = ("ActionID", "Response", "Reason", "Uniqueid", "Channel", "Exten", "Context")

Telephone = list[TelephoneEvent]


class Dialect:
    """One connection's translator. What it has to remember is small: bridges, dials under way, the family."""

    def __init__(self) -> None:
        self._bridges = Bridges()
        self._dials = Dials(self._plain)
        self._methods = self._table()
        self.reset()

    def reset(self) -> None:
        """Forget everything: another connection, perhaps to another Asterisk."""
        self._bridges.clear()
        self._dials.clear()
        self._escaped = False
        self._unsure = False
        """The greeting says no version, as that of a proxy for the manager interface: events have to tell."""
        self._pipes = False
        """Asterisk 1.4: arguments are separated by `|`, and `Set` takes several."""
        self._caller_shown = False
        """Up to 1.6: a ringing channel's caller ID is the caller's."""

    def greeting(self, banner: AmiBanner) -> None:
        """Take the hints of a connection's first line."""
        version = _version(banner.version)
        self._unsure = not version
        self._escaped = version >= ESCAPING_SINCE
        self._pipes = version == (1, 0)
        self._caller_shown = version == (1, 0)

    @property
    def event_names(self) -> frozenset[str]:
        """Asterisk's names of the events that mean something to it, as written there and in lower case."""
        return frozenset(self._methods)

    def translate(self, event: AmiEvent) -> Telephone:
        """What an event means; nothing for one that does not concern calls or queues."""
        name = event.name
        method = self._methods.get(name) or self._methods.get(name.lower())
        if method is None:
            return []
        told = method(event)
        if event.lists_variables:
            found = channel_variables(event, self._value)
            return [*told, *found] if name == "Newchannel" else [*found, *told]
        return told

    def channels_from_status(
        self, events: Iterable[AmiEvent], global_values: Mapping[str, str] = _NO_GLOBALS
    ) -> Telephone:
        """The state of the PBX from the events of `Status` (and of `QueueStatus`, if they are among them).

        Every channel, its variables, the callers in queues, then the edges. What was known of bridges is
        replaced. `global_values` are global variables, which Asterisk lists as if each channel had them.
        """
        events = list(events)
        if self._unsure and any(event.has("Linkedid") for event in events):
            self._escaped = True
        return status.read(events, self._bridges, self._plain, global_values)

    def hung_up(self, uniqueid: str) -> None:
        """A channel is gone, whoever says so."""
        self._bridges.hung_up(uniqueid)
        self._dials.hung_up(uniqueid)

    def _table(self) -> dict[str, Callable[[AmiEvent], Telephone]]:
        methods: dict[str, Callable[[AmiEvent], Telephone]] = {
            "Newchannel": self._newchannel, "Newstate": self._newstate, "NewCallerid": self._new_caller,
            "NewConnectedLine": self._new_caller, "Newexten": self._newexten, "VarSet": self._varset,
            "Dial": self._dials.dialled, "DialBegin": self._dials.began, "DialEnd": self._dials.ended,
            "Link": self._link, "Unlink": self._unlink, "Bridge": self._bridge,
            "BridgeCreate": self._bridges.told, "BridgeEnter": self._bridges.entered,
            "BridgeLeave": self._bridges.left, "BridgeDestroy": self._bridges.destroyed,
            "Rename": self._rename, "Hangup": self._hangup,
            "HangupRequest": self._hangup_request, "SoftHangupRequest": self._hangup_request,
            "OriginateResponse": self._originate_response,
            "Transfer": _nothing, "BlindTransfer": _nothing, "AttendedTransfer": _nothing,
            "Pickup": self._pickup,
            "ParkedCall": parking.parked, "UnParkedCall": parking.fetched,
            "ParkedCallGiveUp": parking.not_fetched, "ParkedCallTimeOut": parking.not_fetched,
            "Join": queues.caller_entered, "QueueCallerJoin": queues.caller_entered,
            "QueueEntry": queues.caller_entered, "Leave": queues.caller_left,
            "QueueCallerLeave": queues.caller_left, "QueueCallerAbandon": queues.caller_left,
            "AgentCalled": queues.agent_called, "AgentConnect": queues.agent_connected,
            "AgentRingNoAnswer": queues.agent_did_not_answer,
            "QueueMember": queues.member("entry"), "QueueMemberAdded": queues.member("added"),
            "QueueMemberRemoved": queues.member("removed"), "QueueMemberPaused": queues.member("paused"),
            "QueueMemberPause": queues.member("paused"), "QueueMemberPenalty": queues.member("penalty"),
        }  # fmt: skip
        return methods | {name.lower(): method for name, method in methods.items()}

    def _plain(self, name: str) -> str:
        """A name as it was meant, empty if unknown."""
        return known(unescaped(name) if self._escaped and "\\" in name else name)

    def _value(self, value: str) -> str:
        """A variable's value as it was meant."""
        return unescaped(value) if self._escaped and "\\" in value else value

    # -- channels ------------------------------------------------------------------------------------------

    def _newchannel(self, event: AmiEvent) -> Telephone:
        uniqueid, channel, state, old_state, caller, name, context, exten, linkedid = event.values(
            _NEWCHANNEL
        )
        if not uniqueid:
            return []
        self._pipes = not state  # 1.4 alone has State here, later ones ChannelState and ChannelStateDesc
        if self._unsure and linkedid:  # 12 or later, and 12 to 13.4, which do not escape, are rare
            self._escaped = True
        caller, name = known(caller), self._plain(name)
        return [Newchannel(uniqueid, channel, state or old_state, caller, name, context, exten, linkedid)]

    def _newstate(self, event: AmiEvent) -> Telephone:
        values = event.values(_NEWSTATE)
        if values[-1]:  # Linkedid, so 12 or later: before, it is in CEL events alone (cel_manager.c, 1.8)
            self._caller_shown = self._pipes = False
        else:
            # 1.8 brought the connected line, and put the phone's own number where 1.6 shows the caller's
            # (UPGRADE.txt of 1.8): an event without the field is of 1.6 or older.
            self._pipes = not event.has("ChannelStateDesc")
            self._caller_shown = self._pipes or not event.has("ConnectedLineNum")
        return self._state_of(values)

    def _new_caller(self, event: AmiEvent) -> Telephone:
        """Caller ID or connected line changed; the state, where the event has it, is no news."""
        return self._state_of(event.values(_NEWSTATE), news=False)

    def _state_of(self, values: tuple[str, ...], *, news: bool = True) -> Telephone:
        """What an event with these values of `_NEWSTATE` says; `news`: of the channel's state, too."""
        (
            uniqueid,
            channel,
            state,
            old_state,
            caller,
            old_caller,
            name,
            connected,
            connected_name,
            context,
            exten,
            linkedid,
        ) = values
        if not uniqueid:
            return []
        told = Newstate(
            uniqueid,
            channel,
            (state or old_state) if news else "",
            known(caller or old_caller),
            self._plain(name),
            known(connected),
            self._plain(connected_name),
            context,
            exten,
            linkedid,
            self._caller_shown,
        )
        return [told]

    def _rename(self, event: AmiEvent) -> Telephone:
        uniqueid, old, channel, new = event.values(_RENAME)  # Oldname in 1.4, Channel later
        return [Rename(uniqueid, old or channel, new)]

    def _hangup(self, event: AmiEvent) -> Telephone:
        uniqueid, channel, cause, text = event.values(_HANGUP)
        self.hung_up(uniqueid)
        return [Hangup(uniqueid, channel, number(cause) or 0, text)]

    def _hangup_request(self, event: AmiEvent) -> Telephone:
        return [HangupRequest(event.get("Uniqueid"))]

    # -- dialplan ------------------------------------------------------------------------------------------

    def _newexten(self, event: AmiEvent) -> Telephone:
        uniqueid, channel, context, exten, snapshot_exten, application, data = event.values(_NEWEXTEN)
        if not uniqueid:
            return []
        told: Telephone = [Newexten(uniqueid, channel, context, exten or snapshot_exten, application, data)]
        # What a step sets is all that is seen of a variable in 1.4, which has no VarSet, and from 12 to 18.16
        # and 20.1 where its value is not UTF-8: such a VarSet was never sent (stasis_channels.c).
        lower = application.lower()
        if lower == "mset":
            assigned = set_many(data, ",")
        elif lower == "set":
            assigned = set_many(data, "|") if self._pipes else set_one(data)
        else:
            return told
        for name, value in assigned:
            if not is_global(name):
                told.append(VariableSet(uniqueid, channel, name, value))
        return told

    def _varset(self, event: AmiEvent) -> Telephone:
        uniqueid, channel, name, value = event.values(_VARSET)
        self._pipes = False  # 1.4 has no VarSet
        if not known(uniqueid):
            return []  # a global variable
        return [VariableSet(uniqueid, channel, variable_name(name), self._value(value))]

    def _originate_response(self, event: AmiEvent) -> Telephone:
        action_id, response, reason, uniqueid, channel, exten, context = event.values(_ORIGINATED)
        told = OriginateResponse(
            action_id, response, number(reason) or 0, known(uniqueid), known(channel), exten, context
        )
        return [told]

    # -- conversations -------------------------------------------------------------------------------------

    def _link(self, event: AmiEvent) -> Telephone:
        first, first_channel, second, second_channel, _state = event.values(_LINK)
        return [Link(first, first_channel, second, second_channel)] if first and second else []

    def _unlink(self, event: AmiEvent) -> Telephone:
        """Unlink of 1.4. 1.6 and 1.8 send it too, beside `Bridge`: that the edge is gone is no news then."""
        first, _channel, second, _channel, _state = event.values(_LINK)
        return [Unlink(first, second)] if first and second else []

    def _bridge(self, event: AmiEvent) -> Telephone:
        return self._unlink(event) if event.get("Bridgestate").lower() == "unlink" else self._link(event)

    def _pickup(self, event: AmiEvent) -> Telephone:
        return [Pickup(*event.values(("Uniqueid", "Channel", "TargetUniqueid", "TargetChannel")))]


def _nothing(_event: AmiEvent) -> Telephone:
    """A transfer: who talks to whom is said by the links that follow. It may carry variables, though."""
    return []


def _version(text: str) -> tuple[int, ...]:
    """`11.0.0` -> (11, 0, 0); the empty tuple, older than any, for what is no version."""
    parts = [number(part) for part in text.split(".", MOST_VERSION_PARTS)]
    return tuple(part for part in parts if part is not None) if None not in parts else ()

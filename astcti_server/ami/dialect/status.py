"""The channels that the `Status` action lists, as if they had been announced one by one. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from astcti_server.ami.dialect.bridges import Bridges
from astcti_server.ami.dialect.text import known, variable_name
from astcti_server.ami.vocabulary import (
    Link,
    Newchannel,
    Newstate,
    QueueCaller,
    QueueServed,
    TelephoneEvent,
    VariableSet,
)
from astcti_server.ami.wire.messages import AmiEvent

_FIELDS: Final = (
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
    "Extension",
    "Linkedid",
    "Link",
    "BridgedUniqueid",
    "BridgeID",
    "Application",
    "Data",
)
# A channel that runs one of these is in a bridge with people it does not talk to, or in a conference.
_SILENT: Final = frozenset(
    {"confbridge", "meetme", "park", "parkandannounce", "agentlogin", "page", "bridgewait"}
)


class _Channel(NamedTuple):
    uniqueid: str
    channel: str
    state_name: str
    state: str
    number: str
    caller_id: str
    name: str
    connected_number: str
    connected_name: str
    context: str
    exten: str
    extension: str
    linkedid: str
    link: str
    bridged: str
    bridge: str
    application: str
    data: str


def read(events: Iterable[AmiEvent], bridges: Bridges, plain: Callable[[str], str]) -> list[TelephoneEvent]:
    """All channels with their variables, the callers in queues, and who hears whom, in this order.

    `events` are those of `Status`, and may have those of `QueueStatus` among them. `plain` makes names plain.
    """
    events = list(events)
    channels: dict[str, _Channel] = {}
    variables: list[TelephoneEvent] = []
    for event in events:
        if event.name == "Status" and (channel := _Channel(*event.values(_FIELDS))).uniqueid:
            channels[channel.uniqueid] = channel
            variables += _variables(event, channel)
    told: list[TelephoneEvent] = []
    for channel in channels.values():
        told += _announced(channel, plain)
    by_name = {channel.channel: channel.uniqueid for channel in channels.values()}
    return [
        *told,
        *variables,
        *_queue_callers(events, by_name),
        *_served(channels.values()),
        *_links(channels, by_name),
        *bridges.read(
            [
                (one.bridge, one.uniqueid, one.channel, one.application.lower() in _SILENT)
                for one in channels.values()
                if one.bridge
            ]
        ),
    ]


def _announced(one: _Channel, plain: Callable[[str], str]) -> Iterator[TelephoneEvent]:
    state = one.state_name or one.state
    exten = one.exten or one.extension
    number, name = known(one.number or one.caller_id), plain(one.name)
    yield Newchannel(one.uniqueid, one.channel, state, number, name, one.context, exten, one.linkedid)
    connected = known(one.connected_number)
    if state == "Ringing" and connected:
        yield Newstate(
            one.uniqueid,
            one.channel,
            state,
            number,
            name,
            connected,
            plain(one.connected_name),
            one.context,
            exten,
            one.linkedid,
            caller_shown=False,
        )


def _variables(event: AmiEvent, channel: _Channel) -> Iterator[VariableSet]:
    """What `Variables:` asked for; an empty value only says that the channel does not have the variable."""
    for line in event.get_all("Variable"):
        name, _, value = line.partition("=")
        if value:
            yield VariableSet(channel.uniqueid, channel.channel, variable_name(name), value)


def _queue_callers(events: Iterable[AmiEvent], by_name: dict[str, str]) -> Iterator[QueueCaller]:
    for event in events:
        if event.name == "QueueEntry":
            uniqueid, channel, queue = event.values(("Uniqueid", "Channel", "Queue"))
            uniqueid = known(uniqueid) or by_name.get(channel, "")
            if uniqueid:
                yield QueueCaller(uniqueid, channel, queue, waiting=True)


def _served(channels: Iterable[_Channel]) -> Iterator[QueueServed]:
    """From 12 on the caller's channel says which `Queue` it is in, also once somebody answered."""
    for one in channels:
        queue = one.data.partition(",")[0].strip()
        if one.application.lower() == "queue" and one.bridge and queue:
            yield QueueServed(one.uniqueid, one.channel, queue)


def _links(channels: dict[str, _Channel], by_name: dict[str, str]) -> Iterator[Link]:
    """Before 12 each channel names its peer: by name in 1.4 (`Link`), by id later (`BridgedUniqueid`)."""
    done: set[frozenset[str]] = set()
    for one in channels.values():
        peer = channels.get(known(one.bridged) or by_name.get(one.link, ""))
        if peer is not None and (edge := frozenset((one.uniqueid, peer.uniqueid))) not in done:
            done.add(edge)
            yield Link(one.uniqueid, one.channel, peer.uniqueid, peer.channel)

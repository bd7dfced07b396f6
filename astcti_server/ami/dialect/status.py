"""The channels that the `Status` action lists, as if they had been announced one by one. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from astcti_server.ami.dialect.bridges import Bridges
from astcti_server.ami.dialect.text import known, number, variable_name
from astcti_server.ami.vocabulary import (
    Link,
    Newchannel,
    Newstate,
    QueueCaller,
    QueueServed,
    TelephoneEvent,
    VariableSet,
    VariablesUnset,
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
    "Seconds",
)
# A channel that runs one of these is in a bridge with people it does not talk to, or in a conference.
_SILENT: Final = frozenset(
    {"confbridge", "meetme", "park", "parkandannounce", "agentlogin", "page", "bridgewait"}
)


class _Channel(NamedTuple):
    uniqueid: str
    channel_name: str
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
    seconds: str


def read(
    events: Iterable[AmiEvent],
    bridges: Bridges,
    plain: Callable[[str], str],
    global_values: Mapping[str, str],
) -> list[TelephoneEvent]:
    """All channels with their variables, the callers in queues, and who hears whom, in this order.

    `events` are those of `Status`, and may have those of `QueueStatus` among them. `plain` makes names plain.
    `global_values` are global variables by their names, as far as they are known.
    """
    events = list(events)
    channels: dict[str, _Channel] = {}
    variables: list[TelephoneEvent] = []
    for event in events:
        if event.name == "Status" and (channel := _Channel(*event.values(_FIELDS))).uniqueid:
            channels[channel.uniqueid] = channel
            variables += _variables(event, channel, global_values)
    told: list[TelephoneEvent] = []
    for channel in channels.values():
        told += _announced(channel, plain)
    by_name = {channel.channel_name: channel.uniqueid for channel in channels.values()}
    return [
        *told,
        *variables,
        *_queue_callers(events, by_name),
        *_served(channels.values()),
        *_links(channels, by_name),
        *bridges.read(
            [
                (
                    channel.bridge,
                    channel.uniqueid,
                    channel.channel_name,
                    channel.application.lower() in _SILENT,
                )
                for channel in channels.values()
                if channel.bridge
            ]
        ),
    ]


def _announced(channel: _Channel, plain: Callable[[str], str]) -> Iterator[TelephoneEvent]:
    state = channel.state_name or channel.state
    exten = channel.exten or channel.extension
    caller, name = known(channel.number or channel.caller_id), plain(channel.name)
    yield Newchannel(
        channel.uniqueid,
        channel.channel_name,
        state,
        caller,
        name,
        channel.context,
        exten,
        channel.linkedid,
        _age(channel.seconds),
    )
    # Newchannel has no connected line, and a phone that rings is known by it from 1.8 on.
    connected = known(channel.connected_number)
    if state == "Ringing" and connected:
        yield Newstate(
            channel.uniqueid,
            channel.channel_name,
            state,
            caller,
            name,
            connected,
            plain(channel.connected_name),
            channel.context,
            exten,
            channel.linkedid,
            caller_shown=False,
        )


def _age(seconds: str) -> int | None:
    """From 12 on of every channel; before, of those that run a dialplan, so of the caller (action_status).

    Asterisk subtracts times of day: a clock that was set back makes a number below 0, and that says nothing.
    """
    age = number(seconds)
    return age if age is not None and age >= 0 else None


def _variables(
    event: AmiEvent, channel: _Channel, global_values: Mapping[str, str]
) -> Iterator[VariableSet | VariablesUnset]:
    """What `Variables:` asked for: Asterisk prints each for every channel.

    An empty value says that the channel does not have the variable, or, in 16 and 22, `(null)` does
    (action_status, manager.c). Where the channel has none, Asterisk prints the global one of that name: a
    value that is equal to it is taken for that, since nothing tells the two apart.
    """
    unset: list[tuple[str, str]] = []
    for line in event.get_all("Variable"):
        name, _, value = line.partition("=")
        if value in ("", "(null)"):
            unset.append((variable_name(name), ""))
        elif value == global_values.get(name):
            unset.append((variable_name(name), value))
        else:
            yield VariableSet(channel.uniqueid, channel.channel_name, variable_name(name), value)
    if unset:
        yield VariablesUnset(channel.uniqueid, channel.channel_name, tuple(unset))


def _queue_callers(events: Iterable[AmiEvent], by_name: dict[str, str]) -> Iterator[QueueCaller]:
    for event in events:
        if event.name == "QueueEntry":
            uniqueid, channel, queue = event.values(("Uniqueid", "Channel", "Queue"))
            uniqueid = known(uniqueid) or by_name.get(channel, "")
            if uniqueid:
                yield QueueCaller(uniqueid, channel, queue, waiting=True)


def _served(channels: Iterable[_Channel]) -> Iterator[QueueServed]:
    """From 12 on the caller's channel says which `Queue` it runs, also once somebody answered.

    Before, a caller who is served is in no list at all.
    """
    for channel in channels:
        queue = channel.data.partition(",")[0].strip()
        if channel.application.lower() == "queue" and channel.bridge and queue:
            yield QueueServed(channel.uniqueid, channel.channel_name, queue)


def _links(channels: dict[str, _Channel], by_name: dict[str, str]) -> Iterator[Link]:
    """Before 12 each channel names its peer: by name in 1.4 (`Link`), by id later (`BridgedUniqueid`).

    Both ends name one another; from 12 on there is a BridgeID instead.
    """
    done: set[frozenset[str]] = set()
    for channel in channels.values():
        peer = channels.get(known(channel.bridged) or by_name.get(channel.link, ""))
        if peer is not None and (edge := frozenset((channel.uniqueid, peer.uniqueid))) not in done:
            done.add(edge)
            yield Link(channel.uniqueid, channel.channel_name, peer.uniqueid, peer.channel_name)

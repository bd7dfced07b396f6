"""Variables that events carry along (`channelvars` in manager.conf). Pure functions."""

from __future__ import annotations

from collections.abc import Callable

from astcti_server.ami.dialect.text import variable_name
from astcti_server.ami.vocabulary import TelephoneEvent, VariableSet
from astcti_server.ami.wire.messages import AmiEvent

# Which field has the Uniqueid of the channel that a field names, in the events that have several.
_ID_OF_CHANNEL = {
    "channel": "uniqueid",
    "channel1": "uniqueid1",
    "channel2": "uniqueid2",
    "destination": "destuniqueid",
    "source": "srcuniqueid",
}


def channel_variables(event: AmiEvent, value_of: Callable[[str], str]) -> list[TelephoneEvent]:
    """The variables of every channel in the event.

    `ChanVariable: n=v` with a prefix for other channels than the event's own (12 and later), or
    `ChanVariable(SIP/201-1): n=v` (1.8 to 11). An empty value only says that the channel lacks the variable.
    `value_of` makes a value plain text.
    """
    items = [(key.lower(), value) for key, value in event.items()]
    fields = dict(reversed(items))
    by_name = {
        fields[channel]: fields[uniqueid]
        for channel, uniqueid in _ID_OF_CHANNEL.items()
        if channel in fields and uniqueid in fields
    }
    original = {value.lower(): value for value in by_name}
    told: list[TelephoneEvent] = []
    for key, text in items:
        prefix, found, rest = key.partition("chanvariable")
        name, equals, value = text.partition("=")
        if not found or not equals or not value:
            continue
        if rest.startswith("("):
            channel = original.get(rest[1:-1], "")
            uniqueid = by_name.get(channel, "")
        else:
            channel, uniqueid = fields.get(prefix + "channel", ""), fields.get(prefix + "uniqueid", "")
        if uniqueid:
            told.append(VariableSet(uniqueid, channel, variable_name(name), value_of(value)))
    return told

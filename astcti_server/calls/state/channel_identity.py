"""One channel of Asterisk: its id, its state, and what its name says. AMI thread only."""

from __future__ import annotations

from typing import Final

TECHNICAL: Final = (
    "UnicastRTP/",
    "MulticastRTP/",
    "AudioSocket/",
    "WebSocket/",
    "Snoop/",
    "Recorder/",
    "Announcer/",
    "CBAnn/",
    "Message/",
    "Surrogate/",
)
"""Channels that Asterisk puts into bridges to record, announce, listen or stream: nobody is on them."""


def device_of(channel: str) -> str:
    """`PJSIP/201-0000001a` -> `PJSIP/201`; a name without a suffix stays as it is."""
    device, dash, _suffix = channel.rpartition("-")  # the last dash: a peer's name may hold others
    return device if dash else channel


class ChannelIdentity:
    """A channel by its Uniqueid, which it keeps, with its present name and state."""

    __slots__ = ("channel", "edgeless", "is_local", "living_name", "other_half_name", "state", "uniqueid")

    def __init__(self, uniqueid: str, channel: str) -> None:
        self.uniqueid = uniqueid
        self.state = ""
        self.rename(channel)

    def rename(self, channel: str) -> None:
        """Take a name, and what the name says: a half of a Local channel, or somebody without edges.

        Without are the zombies that a masquerade leaves, and technical channels.
        """
        self.channel = channel
        self.living_name = channel
        """The name without what a masquerade appends to it."""
        if channel[-1:] == ">":
            self.living_name = channel.removesuffix("<ZOMBIE>").removesuffix("<MASQ>")
        self.edgeless = self.living_name != channel or channel.startswith(TECHNICAL)
        self.is_local = channel.startswith("Local/") and not self.edgeless
        self.other_half_name = ""
        if self.is_local and channel[-2:] in (";1", ";2", ",1", ",2"):  # with a comma in 1.4
            self.other_half_name = channel[:-1] + ("2" if channel[-1] == "1" else "1")

    def enter_state(self, state: str) -> bool:
        """Take the state that an event tells, if it tells one. True if it is another than before."""
        if not state or state == self.state:
            return False
        self.state = state
        return True

"""Telling a phone that rings to answer. AMI thread only.

By a NOTIFY with `Event: talk` inside the call that rings, which the phones of most makers answer on. Tried on
Asterisk 22 (chan_pjsip) and 16 (chan_pjsip and chan_sip). Whether a phone understands it Asterisk does not
tell, so the configuration has to say it for each seat.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests
from astcti_server.calls.model import Party
from astcti_server.phones.outcomes import reason_of
from schemas.configuration.model import Configuration
from schemas.protocol import Refusal

ASKED_WITHIN: Final = 1.0  # seconds for the question about the call's id
TOLD_WITHIN: Final = 4.0  # seconds for the phone to be told
_TALK: Final = "talk"
_NEEDED: Final = {"PJSIP": ("pjsipnotify",), "SIP": ("sipnotify", "getvar")}
"""The actions that it takes, by the driver that a channel's name begins with."""

Told = Callable[[str], None]
"""Told once what became of it: empty for success, else why not."""


class PhoneAnswering:
    """Which phones can be told to answer, and how each is."""

    def __init__(self, requests: AmiRequests, configuration: Configuration) -> None:
        self._requests = requests
        self._configuration = configuration
        self._listed: frozenset[str] = frozenset()

    def configure(self, configuration: Configuration) -> None:
        """The seats are these from now on."""
        self._configuration = configuration

    def actions_known(self, listed: frozenset[str]) -> None:
        """What the manager user may ask for, in lower case; nothing while Asterisk is not connected."""
        self._listed = listed

    def possible(self, extension: str) -> bool:
        """Whether the phone of the seat with this extension can be told to answer."""
        seat = self._configuration.seat_by_extension.get(extension)
        needed = _NEEDED.get(_driver(extension))
        return bool(
            seat is not None and seat.can_be_told_to_answer and needed and self._listed.issuperset(needed)
        )

    def answer(self, extension: str, phone: Party, done: Told) -> None:
        """Tell the seat's phone to answer the call that rings there. `done` once Asterisk has told it."""
        channel = phone.call.channel
        if not self.possible(extension):
            done(Refusal.CANNOT_ANSWER.text())
        elif not phone.live or phone.call.state != "Ringing":
            done(Refusal.NOT_RINGING.text())
        elif _driver(channel) == "PJSIP":
            self._tell(actions.pjsip_notify(channel, _TALK), done)
        else:
            self._find_call(channel, done)

    def _find_call(self, channel: str, done: Told) -> None:
        def found(outcome: ActionOutcome) -> None:
            call_id = outcome.response.get("Value") if outcome.ok and outcome.response else ""
            if call_id:
                peer = channel.partition("/")[2].rpartition("-")[0]
                self._tell(actions.sip_notify(peer, call_id, _TALK), done)
            else:  # the channel is gone, if nothing is the matter with Asterisk
                done(reason_of(outcome) or Refusal.NOT_RINGING.text())

        self._requests.submit(actions.channel_variable(channel, "SIPCALLID"), found, timeout=ASKED_WITHIN)

    def _tell(self, action: AmiAction, done: Told) -> None:
        self._requests.submit(action, lambda outcome: done(reason_of(outcome)), timeout=TOLD_WITHIN)


def _driver(device: str) -> str:
    """`PJSIP` of PJSIP/201 and of PJSIP/201-0000001a."""
    return device.partition("/")[0]

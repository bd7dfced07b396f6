"""Which way of asking a colleague before a call is handed over Asterisk allows. AMI thread only.

Two ways, both tried on Asterisk 16 and 22. An attended transfer (`Atxfer`) needs no second call of the phone.
Asterisk does it as if the phone had pressed keys, so it needs `atxfer` in features.conf, and the option `t`
or `T` of Dial or Queue for this end. Everywhere else the phone is rung for a second call, and `Bridge` (1.6
and later) connects the two others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.pending import ActionOutcome
from astcti_server.ami.requests import AmiRequests

ASKED_WITHIN: Final = 1.0  # seconds for each question; the client waits meanwhile
_BY_TRANSFER: Final = frozenset(("atxfer", "hangup", "getvar", "getconfig"))
_BY_CALL: Final = frozenset(("originate", "bridge", "hangup"))
_BY_KEYS: Final = re.compile(r"[0-9*#A-D]+")
_LINE: Final = re.compile(r"line-\d+-\d+")
_TRANSFER, _HANG_UP = "T", "H"


class ConsultMeans:
    """What this connection's manager user may ask for, and what is allowed to one channel."""

    def __init__(self, requests: AmiRequests) -> None:
        self._requests = requests
        self.listed: frozenset[str] = frozenset()
        """The actions that the manager user may ask for, in lower case."""

    @property
    def possible(self) -> bool:
        """Whether colleagues can be asked at all."""
        return self.by_call or self.by_transfer

    @property
    def by_call(self) -> bool:
        """Whether it can be done by a second call of the phone."""
        return self.listed >= _BY_CALL

    @property
    def by_transfer(self) -> bool:
        """Whether it can be done by an attended transfer, where dialplan and features.conf allow it."""
        return self.listed >= _BY_TRANSFER

    def connected(self, known: Callable[[], None]) -> None:
        """Asterisk is there, its modules too: find out; `known` is called when that is done."""

        def listed(outcome: ActionOutcome) -> None:
            if outcome.ok and outcome.response is not None:
                # A header for each action that the user may ask for (manager.c, action_listcommands).
                self.listed = frozenset(key.lower() for key, _value in outcome.response.items())
            known()

        self._requests.submit(actions.list_commands(), listed)

    def lost(self) -> None:
        """The connection is gone: nothing can be asked for."""
        self.listed = frozenset()

    def choose(self, channel: str, exten: str, chosen: Callable[[bool], None]) -> None:
        """Which way for this channel to this number: `chosen` gets True for an attended transfer."""
        if not self.by_transfer or not _BY_KEYS.fullmatch(exten):
            chosen(False)
            return

        def told(outcome: ActionOutcome) -> None:
            features = outcome.response.get("Value") if outcome.ok and outcome.response else ""
            if _TRANSFER in features:
                self._read_codes(features, chosen)
            else:
                chosen(False)

        # Of this channel's own end, whichever of the options `t` and `T` that is; not before Asterisk 12.
        action = actions.channel_variable(channel, "CHANNEL(dtmf_features)")
        self._requests.submit(action, told, timeout=ASKED_WITHIN)

    def _read_codes(self, features: str, chosen: Callable[[bool], None]) -> None:
        def told(outcome: ActionOutcome) -> None:
            code = _transfer_code(outcome)
            # `*` alone hangs up where option `h` or `H` allows it to this end, and is recognised first.
            chosen(bool(code) and not (_HANG_UP in features and code.startswith("*")))

        action = actions.configuration_file("features.conf", "featuremap")
        self._requests.submit(action, told, timeout=ASKED_WITHIN)


def _transfer_code(outcome: ActionOutcome) -> str:
    """The keys of an attended transfer; empty without any."""
    if not outcome.ok or outcome.response is None:
        return ""
    for key, line in outcome.response.items():
        name, _, value = line.partition("=")
        if _LINE.fullmatch(key.lower()) and name.strip().lower() == "atxfer":
            return value.lstrip(">").strip()
    return ""

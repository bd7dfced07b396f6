"""Finds out what the manager user lacks, and says what to add in manager.conf. AMI thread, but for `lacking`.

Asterisk never tells a user's privileges. What it may ask for is seen from ListCommands, which lists exactly
that, and from refusals; what it may read only from events that should have come and did not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

from astcti_server.ami.pending import ActionOutcome
from schemas.server.missing_rights import MissingRight

logger = logging.getLogger(__name__)

_WRITE_CLASS: Final = {
    "QueueAdd": "agent",
    "QueueRemove": "agent",
    "QueuePause": "agent",
    "QueuePenalty": "agent",
    "Originate": "originate",
    "Status": "call",
    "Hangup": "call",
    "Redirect": "call",
    "ShowDialPlan": "reporting",
    "Getvar": "reporting",
    "PJSIPNotify": "system",
    "SIPnotify": "system",
}
_CALL_IN_1_4: Final = ("Originate", "Getvar")
_NEEDED: Final = ("QueueAdd", "QueueRemove", "QueuePause", "Originate", "Status", "Hangup", "Redirect")
_ALWAYS_ALLOWED: Final = ("Ping", "Logoff")
_MEMBER_EVENTS: Final = (
    "QueueMemberAdded",
    "QueueMemberRemoved",
    "QueueMemberPaused",
    "QueueMemberPause",
    "QueueMemberStatus",
)
_MEMBER_ACTIONS: Final = frozenset({"QueueAdd", "QueueRemove", "QueuePause"})


class Privileges:
    """Watches one link. Each lack is logged once a connection, until it is gone and comes back."""

    def __init__(self, username: str) -> None:
        self._username = username
        self._told: dict[str, str] = {}
        self.lacking: tuple[str, ...] = ()
        """What is lacking now, in words. Replaced as a whole: any thread may read it."""
        self.refusals: tuple[tuple[str, str], ...] = ()
        """Actions refused in this connection for want of a class, each with Asterisk's words. Replaced as a
        whole: any thread may read it."""
        self._members_changed = False

    @property
    def dialplan_heard(self) -> bool:
        """Whether nothing says that events of the dialplan are missing. Any thread."""
        return MissingRight.DIALPLAN.text() not in self.lacking

    def connected(self) -> None:
        """A new connection: what was seen in the last one proves nothing."""
        self._members_changed = False
        self._told.clear()
        self.lacking = ()
        self.refusals = ()

    def commands_listed(self, outcome: ActionOutcome) -> None:
        """What ListCommands brought: actions that are not in it are not allowed, or not there."""
        if outcome.response is None or not outcome.ok:
            return
        # It has a header for each action that the user may ask for, and no other (manager.c,
        # action_listcommands, all versions).
        allowed = {key.lower() for key, _value in outcome.response.items()}
        if not all(name.lower() in allowed for name in _ALWAYS_ALLOWED):
            return  # not the list that it should be
        for name in _NEEDED:
            self._report(f"write {name}", name.lower() not in allowed, _may_not_ask_for(name))

    def refused(self, action: str, message: str) -> None:
        """An action failed."""
        if "permission denied" in message.lower():
            self.refusals = (*(known for known in self.refusals if known[0] != action), (action, message))
            self._report(f"write {action}", True, _may_not_ask_for(action))

    def carried_out(self, action: str) -> None:
        """An action succeeded; changes of a queue's members have to be followed by an event."""
        if action in _MEMBER_ACTIONS:
            self._members_changed = True

    def review(self, seen: Callable[[str], bool]) -> None:
        """Ask now and then: is anything missing that should have come by now?

        `seen` tells whether an event of a name came in this connection.
        """
        self._report(
            "read agent",
            self._members_changed and not any(map(seen, _MEMBER_EVENTS)),
            MissingRight.MEMBERS.text(),
        )
        calls = seen("Hangup") or seen("Newchannel")
        self._report(
            "read dialplan",
            # Of a call that was there before, the end alone may come. 1.4 has Newexten in the class `call`.
            seen("Newchannel") and seen("Hangup") and not (seen("Newexten") or seen("VarSet")),
            MissingRight.DIALPLAN.text(),
        )
        self._report(
            "read call",
            not calls and (seen("AgentCalled") or seen("QueueCallerJoin")),
            MissingRight.CALLS.text(),
        )

    def _report(self, what: str, lacking: bool, message: str) -> None:
        if lacking == (what in self._told):
            return
        if lacking:
            self._told[what] = message
            logger.warning("The manager user %r %s", self._username, message)
        else:
            del self._told[what]
        self.lacking = tuple(self._told.values())


def _may_not_ask_for(action: str) -> str:
    needed = _WRITE_CLASS.get(action)
    if needed is None:
        return MissingRight.ASK_UNKNOWN.text(action=action)
    right = MissingRight.ASK_BY_VERSION if action in _CALL_IN_1_4 else MissingRight.ASK
    return right.text(action=action, classes=needed)

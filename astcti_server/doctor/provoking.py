"""Makes harmless events, so that it is known which classes of them the manager user reads.

* `call` and `dialplan`: a Local channel to a context that nobody has, with a variable. No phone rings and no
  dialplan runs; Asterisk gives up at once (`No such extension/context` in its log).
* `agent`: a paused member whose device nobody has joins a queue and leaves it again. Nobody rings it.
"""

from __future__ import annotations

from typing import Final

from astcti_server.ami import actions
from astcti_server.ami.actions import AmiAction
from astcti_server.doctor.manager_probe import ManagerProbe

NOBODY: Final = "Local/astcti-doctor@astcti-doctor"
VARIABLE: Final = "ASTCTI_DOCTOR"
LAST: Final = 1000  # penalty: after everybody else, should anything go wrong


_OF_A_CALL: Final = frozenset({"Newchannel", "VarSet", "Hangup"})
_OF_A_MEMBER: Final = frozenset({"QueueMemberAdded", "QueueMemberRemoved"})
_ORIGINATE: Final = AmiAction(
    "Originate",
    (
        ("Channel", NOBODY),
        ("Application", "NoOp"),
        ("Variable", f"{VARIABLE}=1"),
        ("Timeout", "1000"),
        ("Async", "true"),
    ),
)


def provoke(probe: ManagerProbe, allowed: frozenset[str] | None, queue: str) -> frozenset[str]:
    """Make the events that the user may make, and wait a moment for them; returns the names of those made.

    `allowed`: actions in lower case. `queue`: the one to join for a moment; empty if there is none.
    """
    made: frozenset[str] = frozenset()
    if (allowed is None or "originate" in allowed) and probe.ask(_ORIGINATE).ok:
        # Seen in 16 and 22: it counts as a step of the dialplan, too.
        made |= _OF_A_CALL | ({"Newexten"} if _is_16_or_later(probe.manager) else set())
        probe.await_event(made.issubset)
    if queue and (allowed is None or {"queueadd", "queueremove"} <= allowed):
        added = probe.ask(actions.queue_add(queue, NOBODY, LAST, paused=True, member_name="astcti-doctor"))
        if added.ok or "already there" in added.message.lower():
            probe.ask(actions.queue_remove(queue, NOBODY))
            made |= _OF_A_MEMBER
            probe.await_event(made.issubset)
    return made


def _is_16_or_later(manager: str) -> bool:
    """Asterisk 16 has 5.0; 1.6 to 11 have 1.1 to 1.3, 12 to 15 have 2 to 4."""
    major = manager.partition(".")[0]
    return major.isdecimal() and int(major) >= 5

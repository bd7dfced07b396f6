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


def provoke(probe: ManagerProbe, allowed: frozenset[str] | None, queue: str) -> frozenset[str]:
    """Make the events that the user may make; returns the classes that they are of.

    `allowed`: actions in lower case. `queue`: the one to join for a moment; empty if there is none.
    """
    provoked: set[str] = set()
    if allowed is None or "originate" in allowed:
        originate = AmiAction(
            "Originate",
            (
                ("Channel", NOBODY),
                ("Application", "NoOp"),
                ("Variable", f"{VARIABLE}=1"),
                ("Timeout", "1000"),
                ("Async", "true"),
            ),
        )
        if probe.ask(originate).ok:
            provoked |= {"call", "dialplan"}
            probe.await_event(lambda names: {"Hangup", "VarSet"} <= names)
    if queue and (allowed is None or {"queueadd", "queueremove"} <= allowed):
        added = probe.ask(actions.queue_add(queue, NOBODY, LAST, paused=True, member_name="astcti-doctor"))
        if added.ok or "already there" in added.message.lower():
            probe.ask(actions.queue_remove(queue, NOBODY))
            provoked.add("agent")
            probe.await_event(lambda names: "QueueMemberRemoved" in names)
    return frozenset(provoked)

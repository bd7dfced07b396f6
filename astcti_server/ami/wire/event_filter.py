"""Which of Asterisk's events anybody needs: decided on the raw bytes, before an event is parsed.

A busy Asterisk tells far more than a CTI server uses: statistics of every media stream, device states, every
variable that any application sets. What is dropped here costs next to nothing. No I/O, any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from astcti_server.ami.wire import event_filter_rules
from astcti_server.ami.wire.event_filter_rules import EventRule
from schemas.configuration.model import Configuration

CALL_EVENTS: Final = frozenset(
    {
        "Newchannel",
        "Newstate",
        "NewCallerid",
        "NewConnectedLine",
        "Rename",
        "Hangup",
        "HangupRequest",
        "SoftHangupRequest",
        "Dial",
        "DialBegin",
        "DialEnd",
        "OriginateResponse",
        "Link",
        "Unlink",
        "Bridge",
        "BridgeCreate",
        "BridgeEnter",
        "BridgeLeave",
        "BridgeDestroy",
        "Transfer",
        "BlindTransfer",
        "AttendedTransfer",
        "Pickup",
        "ParkedCall",
        "UnParkedCall",
        "ParkedCallGiveUp",
        "ParkedCallTimeOut",
    }
)
QUEUE_EVENTS: Final = frozenset(
    {
        "Join",
        "Leave",
        "QueueCallerJoin",
        "QueueCallerLeave",
        "QueueCallerAbandon",
        "QueueEntry",
        "AgentCalled",
        "AgentRingNoAnswer",
        "QueueMember",
        "QueueMemberAdded",
        "QueueMemberRemoved",
        "QueueMemberPaused",
        "QueueMemberPause",
        "QueueMemberPenalty",
    }
)
SYSTEM_EVENTS: Final = frozenset({"FullyBooted"})
LIST_EVENTS: Final = frozenset({"Status", "StatusComplete", "QueueParams", "QueueStatusComplete"})
LIST_ENTRIES: Final = LIST_EVENTS | {"QueueMember", "QueueEntry"}
"""Events that come only when a list was asked for."""
EVENTS: Final = CALL_EVENTS | QUEUE_EVENTS | SYSTEM_EVENTS | LIST_EVENTS
"""Parsed whenever they come. VarSet, Newexten and AgentConnect are not among them: they are looked into
first."""

# Frequent, unwanted, and never an entry of a list that we ask for: not even searched for an ActionID.
_NOISE: Final = frozenset(
    {
        "rtcpsent",
        "rtcpreceived",
        "rtpsenderstat",
        "rtpreceiverstat",
        "devicestatechange",
        "extensionstatus",
        "presencestatechange",
        "peerstatus",
        "registry",
        "contactstatus",
        "dtmf",
        "dtmfbegin",
        "dtmfend",
        "dialstate",
        "musiconhold",
        "musiconholdstart",
        "musiconholdstop",
        "newaccountcode",
        "testevent",
        "challengesent",
        "challengeresponsefailed",
        "successfulauth",
        "localbridge",
        "jabberevent",
        "cel",
        "cdr",
        "userevent",
        "queuememberstatus",
        "queuememberringinuse",  # what matters of it, other events say
    }
)
DROP: Final = EventRule(event_filter_rules.never)
"""The rule for events that nobody needs."""
_ONLY_ANSWERS: Final = EventRule(event_filter_rules.answers_an_action)


@dataclass(frozen=True)
class EventFilter:
    """What is to be parsed. Names and queues are compared without case, variables and contexts exactly.

    A `VarSet` passes if its variable is declared. A `Newexten` passes if it sets a declared variable, is a
    step in one of the contexts, or enters one of the queues; an `AgentConnect` if it brings variables. An
    event with an ActionID answers an action and always passes, so that lists come whole. `everything` lets
    every event through.
    """

    events: frozenset[str] = EVENTS
    variables: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def for_configuration(cls, configuration: Configuration) -> EventFilter:
        """What the enabled services of a configuration need."""
        return cls(
            variables=configuration.variables, contexts=configuration.contexts, queues=configuration.queues
        )

    def rules(self) -> Callable[[str], EventRule | None]:
        """Prepare the look-up from an event's name to its rule; None: events of that name always pass."""
        wanted = frozenset(name.lower() for name in self.events)
        special = {
            "varset": event_filter_rules.for_variables(self.variables),
            "newexten": event_filter_rules.for_steps(self.contexts, self.queues, self.variables),
            "agentconnect": EventRule(event_filter_rules.brings_variables),
        }

        def rule_of(name: str) -> EventRule | None:
            lower = name.lower()
            if self.everything or lower in wanted:
                return None
            return special.get(lower) or (DROP if lower in _NOISE else _ONLY_ANSWERS)

        return rule_of

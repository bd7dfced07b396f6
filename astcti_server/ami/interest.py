"""Which of Asterisk's events anybody needs: decided on the raw bytes, before an event is parsed.

A busy Asterisk tells far more than a CTI server uses: statistics of every media stream, device states, every
variable that any application sets. What is dropped here costs next to nothing. No I/O, any thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from schemas.configuration import Configuration

Sieve: TypeAlias = Callable[[bytes], bool]
"""Says of one event, given as its raw block without the final blank line, whether it is wanted."""

CALL_EVENTS: Final = frozenset({
    "Newchannel", "Newstate", "NewCallerid", "NewConnectedLine", "Rename", "Hangup", "HangupRequest",
    "SoftHangupRequest", "Dial", "DialBegin", "DialEnd", "OriginateResponse", "Link", "Unlink", "Bridge",
    "BridgeCreate", "BridgeEnter", "BridgeLeave", "BridgeDestroy", "BridgeMerge", "Transfer", "BlindTransfer",
    "AttendedTransfer", "Pickup",
})  # fmt: skip
QUEUE_EVENTS: Final = frozenset({
    "Join", "Leave", "QueueCallerJoin", "QueueCallerLeave", "QueueCallerAbandon", "QueueEntry", "AgentCalled",
    "AgentConnect", "AgentRingNoAnswer", "QueueMember", "QueueMemberAdded", "QueueMemberRemoved",
    "QueueMemberPaused", "QueueMemberPause", "QueueMemberStatus", "QueueMemberPenalty",
    "QueueMemberRinginuse",
})  # fmt: skip
LIST_EVENTS: Final = frozenset({
    "Status", "StatusComplete", "QueueParams", "QueueStatusComplete",
})  # fmt: skip
LIST_ENTRIES: Final = LIST_EVENTS | {"QueueMember", "QueueEntry"}
"""Events that come only when a list was asked for."""
SYSTEM_EVENTS: Final = frozenset({"Shutdown"})
EVENTS: Final = CALL_EVENTS | QUEUE_EVENTS | LIST_EVENTS | SYSTEM_EVENTS
"""Parsed whenever they come. VarSet and Newexten are not among them: they are looked into first."""

# Frequent, unwanted, and never an entry of a list that we ask for: not even searched for an ActionID.
_NOISE: Final = frozenset({
    "rtcpsent", "rtcpreceived", "rtpsenderstat", "rtpreceiverstat", "devicestatechange", "extensionstatus",
    "presencestatechange", "peerstatus", "registry", "contactstatus", "dtmf", "dtmfbegin", "dtmfend",
    "dialstate", "musiconhold", "musiconholdstart", "musiconholdstop", "newaccountcode", "testevent",
    "challengesent", "challengeresponsefailed", "successfulauth", "localbridge", "jabberevent", "cel",
    "cdr", "userevent",
})  # fmt: skip
_SETTERS: Final = frozenset({b"set", b"mset"})
_BEGINNINGS: Final = frozenset(
    first + second for word in (b"se", b"ms", b"qu") for first in (word[:1], word[:1].upper())
    for second in (word[1:], word[1:].upper())
)  # fmt: skip
"""How the names of applications begin that set variables or are a queue; others are sifted out at once."""


@dataclass(frozen=True)
class Interest:
    """What is to be parsed. Names are compared without case, variables, contexts and queues exactly.

    A `VarSet` passes if its variable is declared. A `Newexten` passes if it sets a declared variable, is a
    step in one of the contexts, or enters one of the queues. An event with an ActionID answers an action and
    always passes, so that lists come whole. `everything` lets every event through.
    """

    events: frozenset[str] = EVENTS
    variables: frozenset[str] = frozenset()
    contexts: frozenset[str] = frozenset()
    queues: frozenset[str] = frozenset()
    everything: bool = False

    @classmethod
    def for_configuration(cls, configuration: Configuration) -> Interest:
        """What the enabled services of a configuration need."""
        return cls(
            variables=configuration.variables,
            contexts=configuration.contexts,
            queues=configuration.queues,
        )

    def sieves(self) -> Callable[[str], Sieve | None]:
        """Prepare the look-up from an event's name to its sieve; None: events of that name always pass."""
        wanted = frozenset(name.lower() for name in self.events)
        special = {"varset": _variable_sieve(self.variables), "newexten": self._dialplan_sieve()}

        def sieve_of(name: str) -> Sieve | None:
            lower = name.lower()
            if self.everything or lower in wanted:
                return None
            return special.get(lower) or (never if lower in _NOISE else _answers_an_action)

        return sieve_of

    def _dialplan_sieve(self) -> Sieve:
        contexts = _encoded(self.contexts)
        queues = _encoded(self.queues)
        variables = _encoded(self.variables)

        def wanted(block: bytes) -> bool:
            # Written out, without a call for each value: a dialplan takes a hundred steps for each call.
            find = block.find
            start = find(b"\r\nContext: ") + 11
            if start > 10:
                end = find(b"\r\n", start)
                if (block[start:end] if end >= 0 else block[start:]) in contexts:
                    return True
            start = block.rfind(b"\r\nApplication: ") + 15
            if start < 15:
                return True  # not as Asterisk writes it: have it parsed properly
            if block[start : start + 2] not in _BEGINNINGS:
                return False
            application, _, rest = block[start:].partition(b"\r\n")
            if rest.startswith(b"AppData: "):  # as every Asterisk writes it
                return passes(application.lower(), rest.partition(b"\r\n")[0][9:])
            return passes(application.lower(), _value(block, b"\r\nAppData: "))

        def passes(application: bytes, data: bytes | None) -> bool:
            if application in _SETTERS:
                return _sets_one_of(variables, data)
            if application == b"queue" and queues:
                return data is None or data.replace(b"|", b",").partition(b",")[0].strip() in queues
            return False

        return wanted


def never(_block: bytes) -> bool:
    """The sieve that lets nothing through."""
    return False


def _answers_an_action(block: bytes) -> bool:
    return b"\r\nActionID: " in block


def _variable_sieve(names: frozenset[str]) -> Sieve:
    variables = _encoded(names)

    def wanted(block: bytes) -> bool:
        line = block.rsplit(b"\r\n", 2)[-2:][0]  # from Asterisk 12 on the last but one
        if line[:10] == b"Variable: ":
            name = line[10:]
        else:
            value = _value(block, b"\r\nVariable: ")
            if value is None:
                return True  # not as Asterisk writes it: have it parsed properly
            name = value
        return name in variables or (name[:1] == b"_" and name.lstrip(b"_") in variables)

    return wanted


def _sets_one_of(variables: frozenset[bytes], data: bytes | None) -> bool:
    """Whether `Set` or `MSet` arguments, in whichever dialect, may name a declared variable."""
    if data is None:
        return True
    name, _, rest = data.partition(b"=")
    if name in variables or name.strip(b" _") in variables:
        return True
    if b"=" not in rest:
        return False
    names = (piece.partition(b"=")[0] for piece in data.replace(b"|", b",").split(b","))
    return any(name.strip(b' "').lstrip(b"_") in variables for name in names)


def _value(block: bytes, key: bytes) -> bytes | None:
    start = block.find(key)
    if start < 0:
        return None
    start += len(key)
    end = block.find(b"\r\n", start)
    return block[start:end] if end >= 0 else block[start:]


def _encoded(names: frozenset[str]) -> frozenset[bytes]:
    return frozenset(name.encode() for name in names)

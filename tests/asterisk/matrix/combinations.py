"""The combinations that are played: way in x member x what happens next x way out, where it exists.

A combination has a number of its own, and from it follow its telephones, queues, digits and numbers: many
can be played on one Asterisk at the same time without meeting.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

DEVICE, LOCAL, LOCAL_N = "device", "local", "local-n"
MEMBERS = (DEVICE, LOCAL_N, LOCAL)  # how a queue or a dialplan reaches the agent's telephone

# Ways in, by what the caller goes through. Each brings a customer and the agent A together.
QUEUES = ("queue", "did", "through-local", "through-local-n")
DIALLER_QUEUES = (
    "dialler-local-n",
    "dialler-local",
    "dialler-trunk",
    "dialler-reverse",
    "callback",
    "callback-n",
)
DIALLER_AGENTS = ("dialler-agent", "dialler-agent-n")
OUTBOUND = (
    "out",
    "out-gosub",
    "out-company",
    "out-connected",
    "out-connected-i",
    "originate",
    "originate-company",
    "click-local",
    "click-local-n",
)
WAITING = ("agent-login", "bridge-action")  # the agent's telephone is up before the customer comes

# What happens next. With keys: a feature of Asterisk; without: the telephone's own (SIP REFER).
TALK, HOLD = "talk", "hold"
BLIND, BLIND_KEYS = "blind", "blind-keys"
ATTENDED, ATTENDED_KEYS, BLONDE = "attended", "attended-keys", "blonde"
BLONDE_QUEUE = "blonde-queue"
THREE_WAY, THREE_WAY_LEFT = "three-way", "three-way-left"
PARK, PARK_BACK = "park", "park-back"
REQUEUE, REQUEUE_ATTENDED = "requeue", "requeue-attended"
CONFERENCE = "conference"
MEDIA = "media"  # a technical channel joins the two for a while
BY_KEYS = (BLIND_KEYS, ATTENDED_KEYS, BLONDE, BLONDE_QUEUE, THREE_WAY, THREE_WAY_LEFT)
BY_PHONE = (TALK, HOLD, BLIND, ATTENDED, PARK, PARK_BACK, REQUEUE, REQUEUE_ATTENDED, CONFERENCE)
EVERYTHING = BY_PHONE + BY_KEYS

# Ways out. Nobody talked after the last four.
CALLER, AGENT = "caller", "agent"
GIVES_UP, TIMEOUT, KEY, REFUSED = "gives-up", "timeout", "key", "refused"
UNANSWERED = (GIVES_UP, TIMEOUT, KEY, REFUSED)
NOTHING = "nothing"  # what happens next where nobody answered


@dataclass(frozen=True)
class Combination:
    """One call to be played. `number` (0 to 999) is the same in every run as long as the rules below are."""

    number: int
    way: str
    member: str
    then: str
    out: str

    @property
    def name(self) -> str:
        """For files and people."""
        return f"{self.number:03}-{self.kind}"

    @property
    def kind(self) -> str:
        """The combination without its number."""
        return f"{self.way}.{self.member}.{self.then}.{self.out}"

    @property
    def digits(self) -> str:
        """What the caller presses, or what a dialler passes on: the calldata."""
        return f"9{self.number:03}5"

    @property
    def caller(self) -> str:
        """The number of a caller from outside."""
        return f"333{self.number:03}0001"

    @property
    def outside(self) -> str:
        """The number of somebody outside who is called."""
        prefixes = {
            "out-gosub": "056",
            "out-company": "057",
            "originate-company": "057",
            "out-connected": "058",
            "out-connected-i": "059",
        }
        return f"{prefixes.get(self.way, '055')}{self.number:03}01"

    @property
    def queue(self) -> str:
        """Where agent A, and C as far as told, is a member."""
        return f"q{self.number:03}"

    @property
    def second_queue(self) -> str:
        """Where agent B is a member."""
        return f"r{self.number:03}"

    def extension(self, prefix: str) -> str:
        """An extension of the dialplan that is this combination's own: a prefix and the number."""
        return f"{prefix}{self.number:03}"

    def agent(self, letter: str) -> str:
        """The telephone of agent a, b or c."""
        return f"4{self.number:03}{'abc'.index(letter) + 1}"


def combinations() -> list[Combination]:
    """All of them. Asterisk 16 and 22 can do the same; the numbers stay as long as the rules below do."""
    return [Combination(number, *parts) for number, parts in enumerate(dict.fromkeys(_all_parts()))]


def _all_parts() -> Iterator[tuple[str, str, str, str]]:
    """Way, member, next, out. Who hangs up alternates, but for a plain talk, which has both."""
    outs = itertools.cycle((CALLER, AGENT))
    for way, members, nexts in _answered():
        for member, then in itertools.product(members, nexts):
            for out in (CALLER, AGENT) if then == TALK else (next(outs),):
                yield way, member, then, out
    for way, member, out in itertools.product((*QUEUES, "direct"), MEMBERS, UNANSWERED):
        if way != "direct" or out != KEY:  # only a queue can be left by key
            yield way, member, NOTHING, out


def _answered() -> Iterator[tuple[str, tuple[str, ...], tuple[str, ...]]]:
    """Ways in with their members and what may happen next."""
    for way in (*QUEUES, "direct"):
        yield way, MEMBERS, EVERYTHING
    yield "picked-up", (DEVICE,), (TALK, HOLD, BLIND, ATTENDED, PARK, REQUEUE)
    yield "queue-picked-up", MEMBERS, (TALK, BLIND, ATTENDED, REQUEUE_ATTENDED)
    yield "parked", MEMBERS, (TALK, HOLD, BLIND, ATTENDED, PARK, REQUEUE, REQUEUE_ATTENDED, CONFERENCE)
    for way in DIALLER_QUEUES:
        yield way, MEMBERS, (TALK, HOLD, BLIND, ATTENDED, ATTENDED_KEYS, REQUEUE, PARK)
    for way in DIALLER_AGENTS:
        yield way, (DEVICE,), (TALK, HOLD, BLIND, ATTENDED, REQUEUE)
    for way in OUTBOUND:
        yield way, (DEVICE,), (TALK, HOLD, BLIND, ATTENDED, REQUEUE, THREE_WAY, PARK)
    yield "ari", (DEVICE,), (TALK, HOLD, MEDIA)
    for way in ("ari-queue", *WAITING):
        yield way, (DEVICE,), (TALK, HOLD)

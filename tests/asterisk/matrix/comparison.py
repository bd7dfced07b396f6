"""Replays a recorded run and compares what the server tells with what the oracle says."""

from __future__ import annotations

import subprocess
import sys
import urllib.parse
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tests.asterisk.matrix.combinations import Combination
from tests.asterisk.matrix.observed import CUSTOMER, ObservedCall
from tests.asterisk.matrix.oracle import MAY_LACK, NO_TRIGGER, ExpectedEvent, SeatExpectation, expected

MODES = ("all", "services")
MOMENTS = {"Callerid": "ring", "Link": "answer", "Hangup": "hangup"}
NEVER_NUMBERS = {"s", "i", "t", "h", "o", "e", "T", "0559999"}  # places of the dialplan, and our own
PARTIES = ("PJSIP/", "SIP/")  # everything else is technical
REPLAY_TIME = 600.0


@dataclass
class SeatEvent:
    """One event as a client gets it."""

    xml: str
    event: str
    leg: str
    direction: str
    service: str
    queue: str
    number: str
    data: str
    peer: str  # the other party's channel
    end: str
    repeat: bool
    triggers: list[dict[str, str]] = field(default_factory=list)

    @classmethod
    def parse(cls, xml: str) -> SeatEvent:
        """From one line of the replay."""
        root = ElementTree.fromstring(xml)
        cause = root.find("cause")
        data = {item.get("key"): item.text or "" for item in root.iter("data")}
        told = cls(
            xml,
            root.get("id", ""),
            root.findtext("call/uniqueid") or "",
            root.findtext("call/direction") or "",
            root.findtext("service") or "",
            root.findtext("call/queue") or "",
            root.findtext("call/calleridnum") or "",
            data.get("calldata", ""),
            root.findtext("call/connected/channel") or "",
            "" if cause is None else cause.get("end", ""),
            root.get("repeat") == "true",
        )
        for url in root.iter("url"):
            parts = urllib.parse.urlsplit(url.text or "")
            values = {"moment": parts.path.strip("/"), **dict(urllib.parse.parse_qsl(parts.query))}
            told.triggers.append(values)
        return told


Replayed = dict[str, list[SeatEvent]]  # by the seat's extension


def replay(trace: Path, config: Path, mode: str) -> Replayed:
    """What the server's own code tells each seat of a transcript."""
    server = [
        sys.executable,
        "-m",
        "astcti_server",
        "replay",
        "--config",
        str(config),
        "--events",
        mode,
        str(trace),
    ]
    done = subprocess.run(server, capture_output=True, text=True, timeout=REPLAY_TIME, check=False)
    if done.returncode:
        raise RuntimeError(f"the replay failed with {done.returncode}: {done.stderr[-2000:]}")
    found: Replayed = defaultdict(list)
    for line in done.stdout.splitlines():
        extension, tab, xml = line.partition("\t")
        if tab:
            found[extension].append(SeatEvent.parse(xml))
    return found


def faults(
    combination: Combination, observed: ObservedCall, told: Replayed, technology: str, mode: str
) -> list[str]:
    """What the server told this combination's seats and should not have, or should have told and did not."""
    found = []
    for agent, wanted in expected(observed).items():
        seat = f"{technology}/{combination.agent(agent)}"
        events = told.get(seat, [])
        compare = _Comparison(agent, observed, technology, mode)
        for what, expectations in (
            ("Callerid", wanted.rings),
            ("Link", wanted.links),
            ("Hangup", wanted.ends),
        ):
            found += compare.sequence(what, expectations, events)
        found += [f"{agent}: {fault}" for fault in _never(events, combination.agent(agent))]
        found += [f"{agent}: {fault}" for fault in _unlinks(events)]
    return [f"[{mode}] {fault}" for fault in found]


class _Comparison:
    """One seat's events against its expectation."""

    def __init__(self, agent: str, observed: ObservedCall, technology: str, mode: str) -> None:
        self._agent = agent
        self._peers: dict[str, tuple[str, ...]] = {
            letter: (f"{technology}/{number}-",) for letter, number in observed.numbers.items()
        }
        self._peers[CUSTOMER] = (f"{technology}/trunk-", f"{technology}/company-")
        self._mode = mode

    def sequence(
        self, what: str, expectations: list[tuple[int, ExpectedEvent]], events: list[SeatEvent]
    ) -> list[str]:
        """Pair by pair, leg after leg: the ends of two legs may come in any order."""
        legs = list(dict.fromkeys(event.leg for event in events))
        told = [event for event in events if event.event == what and not event.repeat]
        told.sort(key=lambda event: legs.index(event.leg))
        wanted = [expectation for _, expectation in sorted(expectations, key=lambda pair: pair[0])]
        if self._mode == "services":
            if what != "Link" and not all(expectation.get("service") for expectation in wanted):
                return []  # what is told of a leg that got its service later only is nobody's to say
            wanted = [expectation for expectation in wanted if expectation.get("service")]
            told = [event for event in told if what != "Link" or event.peer.startswith(self._peers[CUSTOMER])]
        if len(told) < len(wanted):
            wanted = [expectation for expectation in wanted if MAY_LACK not in expectation]
        if len(told) != len(wanted):
            seen = ", ".join(f"{event.number or '-'} {event.peer or '-'}" for event in told)
            return [f"{self._agent}: {len(told)} {what} instead of {len(wanted)} ({seen})"]
        return [
            f"{self._agent}: {what} {index + 1}: {fault}"
            for index, (expectation, event) in enumerate(zip(wanted, told, strict=True))
            for fault in self._differences(expectation, event)
        ]

    def _differences(self, expectation: ExpectedEvent, event: SeatEvent) -> list[str]:
        found = []
        for key in ("direction", "service", "queue", "number", "data", "end"):
            value = getattr(event, key)
            if key in expectation and value not in expectation[key].split("|"):
                found.append(f"{key} is {value!r}, not {expectation[key]!r}")
        if "peer" in expectation and not event.peer.startswith(self._peers[expectation["peer"]]):
            found.append(f"the other party is {event.peer!r}, not {expectation['peer']}")
        return found + self._triggers(expectation, event)

    def _triggers(self, expectation: ExpectedEvent, event: SeatEvent) -> list[str]:
        wanted = expectation.get("trigger")
        told = [trigger for trigger in event.triggers if trigger["moment"] == MOMENTS[event.event]]
        if wanted == NO_TRIGGER:
            return [f"a trigger: {trigger}" for trigger in event.triggers]
        if wanted and len(told) != 1:
            return [f"{len(told)} triggers instead of one"]
        if not wanted:
            return []
        return [
            f"trigger's {key} is {told[0].get(key, '')!r}, not {expectation[key]!r}"
            for key in "sdnx"
            if key in expectation and told[0].get(key, "") != expectation[key]
        ]


def _never(events: list[SeatEvent], own: str) -> list[str]:
    """What no event may say, whatever the call. `own` is the seat's own number, never the other party's."""
    found = []
    for event in events:
        if event.number in NEVER_NUMBERS or event.number == own:
            found.append(f"{event.event} has the number {event.number!r}")
        found += [
            f"{event.event}: a trigger has x={trigger['x']!r}"
            for trigger in event.triggers
            if trigger.get("x") in NEVER_NUMBERS
        ]
        if event.event in ("Link", "Unlink") and not event.peer.startswith(PARTIES):
            found.append(f"{event.event} with {event.peer!r}")
        if "(null)" in event.xml:
            found.append(f"{event.event} says (null)")
    return sorted(set(found))


def _unlinks(events: list[SeatEvent]) -> list[str]:
    """Each Link has its Unlink, before the leg's Hangup."""
    found = []
    linked: dict[str, list[str]] = defaultdict(list)
    for event in events:
        if event.event == "Link":
            linked[event.leg].append(event.peer)
        elif event.event == "Unlink" and event.peer in linked[event.leg]:
            linked[event.leg].remove(event.peer)
        elif event.event == "Unlink":
            found.append(f"Unlink of {event.peer} without its Link")
        elif event.event == "Hangup" and linked[event.leg]:
            found.append(f"Hangup without the Unlink of {linked.pop(event.leg)}")
    return found


def lines_of(expectation: dict[str, SeatExpectation]) -> list[str]:
    """For people."""
    found = []
    for agent, wanted in expectation.items():
        for what, expectations in (("ring", wanted.rings), ("Link", wanted.links), ("Hangup", wanted.ends)):
            found += [f"{agent}: {what} {expectation}" for expectation in expectations]
    return found

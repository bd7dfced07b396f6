"""What happens in the office, with cuts of every kind, and what has to have been carried out afterwards."""

from __future__ import annotations

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tests.cuts.cutting_relay import PlannedCut
from tests.cuts.office import ANSWER, HANGUP, THERE, Agent, CarriedOut, Office, settle
from tests.fake.patience import until

BYTES_OF_A_CALL: Final = 8000
"""More than the server says of one, so that some cuts come in the next call, or in the resuming."""
BYTES_OF_A_REPLY: Final = 60
SLEPT: Final = 3600.0
"""Seconds by which the clock of a PC is ahead that woke up."""


@dataclass(slots=True)
class Expectation:
    """Of each call, by operator and calldata: what was answered, and whether every answer has to be shown."""

    always: set[tuple[str, str]] = field(default_factory=set)
    """The call went on until its answer was shown: exactly once."""
    at_most: set[tuple[str, str]] = field(default_factory=set)
    """It was over before everybody was back: its answer may have been missed, its end may not."""
    interrupted: set[CarriedOut] = field(default_factory=set)
    """The client was killed while it carried this out: it is not begun again, and that was said."""

    def check(self, found: dict[CarriedOut, int]) -> list[str]:
        """What is wrong, in words."""
        wrong = [f"{what}: {count} times" for what, count in found.items() if count > 1]
        known = self.always | self.at_most
        wrong += [f"nobody's: {what}" for what in found if (what.operator, what.calldata) not in known]
        lost = [(ANSWER, call) for call in self.always] + [
            (HANGUP, call) for call in self.always | self.at_most
        ]
        wrong += [
            f"lost: {operator} {event} {calldata}"
            for event, (operator, calldata) in lost
            if not found.get(what := CarriedOut(operator, event, calldata)) and what not in self.interrupted
        ]
        return wrong


class Play:
    """Calls with numbers of their own, in one office."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.expected = Expectation()
        self._numbers: Iterator[int] = itertools.count(1)
        self._killed = False
        """Whether a client ever was: only then one may be interrupted."""

    def verdict(self) -> list[str]:
        """What is wrong once everything is over."""
        settle()
        return self.expected.check(self.office.carried_out())

    def cuts(self, count: int) -> int:
        """Rounds of calls to everybody, each connection cut at a random byte, until so many were cut."""
        office, chance = self.office, self.office.chance
        while (made := sum(agent.relay.cuts for agent in office.agents)) < count:
            for agent in office.agents:
                to_client = chance.random() < 0.8
                after = chance.randrange(BYTES_OF_A_CALL if to_client else BYTES_OF_A_REPLY)
                agent.relay.plan(PlannedCut(after, from_server=to_client))
            self._round(lambda: None)
        self._no_more_cuts()
        return made

    def _no_more_cuts(self) -> None:
        """What was planned and did not come is not to come in another play, which does not expect it."""
        for agent in self.office.agents:
            agent.relay.cancel()

    def _round(self, meanwhile: Callable[[], None]) -> None:
        """Everybody is called and answers; one half hangs up at once, the others once it was shown."""
        office, chance = self.office, self.office.chance
        calls = {agent: f"{next(self._numbers):06}" for agent in office.agents}
        order = list(calls)
        chance.shuffle(order)
        for agent in order:
            office.call(agent, calls[agent])
            time.sleep(chance.random() * 0.05)  # so that the others are cut in other places
        hasty = set(order[::2])
        for agent in order:
            time.sleep(chance.random() * 0.05)
            office.answer(agent)
            key = (agent.username, calls[agent])
            if agent in hasty:
                self.expected.at_most.add(key)
            else:
                self.expected.always.add(key)
            if agent in hasty:
                time.sleep(chance.random() * 0.05)
                office.hang_up(agent)
        meanwhile()
        for agent in order:
            if agent not in hasty:
                self._told(agent, ANSWER, calls[agent])
                office.hang_up(agent)
        for agent in order:
            self._told(agent, HANGUP, calls[agent])

    def _told(self, agent: Agent, event: str, calldata: str) -> None:
        """Until it was carried out, or the client said that it had been interrupted."""
        what = CarriedOut(agent.username, event, calldata)

        def told() -> bool:
            if self.office.carried_out()[what]:
                return True
            if self._killed and agent.interrupted(what):
                self.expected.interrupted.add(what)
            return what in self.expected.interrupted

        self.office.wait_until(agent, told, f"neither carried out nor interrupted: {what}")

    def sleeping_clients(self, expired: Callable[[], bool]) -> None:
        """Every other client stops as a laptop that sleeps, until the server gave it up; then it wakes.

        The clock of each is ahead then, as that of a PC is whose other clock stood still.
        """
        sleepers = self.office.agents[::2]
        for agent in sleepers:
            agent.signal(signal.SIGSTOP)

        def wake() -> None:
            until(expired, "the server did not give up the clients that sleep")
            for agent in sleepers:
                agent.move_clock(SLEPT)
                agent.signal(signal.SIGCONT)

        self._round(wake)
        for agent in sleepers:  # it is set back while the client runs
            agent.move_clock(0.0)
        self._round(lambda: None)

    def other_addresses(self) -> None:
        """Every client's connection breaks and comes back from another address."""
        for number, agent in enumerate(self.office.agents):
            agent.relay.come_from(f"127.0.1.{number + 1}")
            agent.relay.plan(PlannedCut(self.office.chance.randrange(2000), from_server=True))
        self._round(lambda: None)
        self._no_more_cuts()

    def killed_clients(self) -> None:
        """Every client is killed somewhere in its call and started again."""

        self._killed = True

        def kill() -> None:
            for agent in self.office.agents:
                agent.kill()
                agent.start()

        self._round(kill)

    def killed_server(self) -> None:
        """The server is killed while calls are answered; those that go on are shown once it is back."""
        self._away(self.office.server.kill, self.office.server.start)

    def restarted_server(self, stop: Callable[[], object], start: Callable[[], object]) -> None:
        """The server is stopped so that members stay, and started: nobody leaves the queue for a moment."""
        members, removed = self.office.members(), len(self.office.removed)
        self._away(stop, start)
        assert self.office.members() == members
        assert self.office.removed[removed:] == []

    def plain_calls(self) -> None:
        """Everybody is called, answers, and hangs up once it was shown."""
        self._round(lambda: None)

    def _away(self, stop: Callable[[], object], start: Callable[[], object]) -> None:
        """Half of the calls are answered before the server stops, the others before it is back."""
        office = self.office
        calls = {agent: f"{next(self._numbers):06}" for agent in office.agents}
        for agent, calldata in calls.items():
            office.call(agent, calldata)
        half = len(calls) // 2
        welcomes = {agent: agent.log.count(THERE) for agent in calls}
        for agent in list(calls)[:half]:
            office.answer(agent)
        stop()
        for agent in list(calls)[half:]:
            office.answer(agent)
        start()
        for agent in calls:  # what ends while no server is there nobody can tell of
            agent.wait_for(THERE, welcomes[agent] + 1)
        for agent, calldata in calls.items():
            self.expected.always.add((agent.username, calldata))
            office.wait_for(agent, ANSWER, calldata)
            office.hang_up(agent)
        for agent, calldata in calls.items():
            office.wait_for(agent, HANGUP, calldata)

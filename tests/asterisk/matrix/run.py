"""A whole run: one Asterisk, many combinations at the same time, one recording, and the verdicts."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.asterisk.matrix import judge, site
from tests.asterisk.matrix.ari import AriApplication
from tests.asterisk.matrix.combinations import Combination, combinations
from tests.asterisk.matrix.oracle import expected
from tests.asterisk.matrix.phones import House
from tests.asterisk.matrix.recorder import Recorder, Stream
from tests.asterisk.matrix.stage import Stage
from tests.asterisk.matrix.steps import play
from tests.asterisk.matrix.story import Story
from tests.asterisk.rig import Asterisk
from tests.fake.ports import free_port

LINES = ("agents", *site.TRUNKS)
AT_ONCE = 20  # combinations; more would only wait for one another on two processors
CALM = 0.5  # after the last call: events that are on their way


@dataclass
class Verdict:
    """One combination: what happened, and what is wrong with what was told of it."""

    combination: Combination
    story: Story
    faults: list[str] = field(default_factory=list)


def sample(size: int, seed: int) -> list[Combination]:
    """So many combinations, different ones for each seed; all of them if there are no more."""
    everything = combinations()
    if size <= 0 or size >= len(everything):
        return everything
    chosen = random.Random(seed).sample(everything, size)
    return sorted(chosen, key=lambda combination: combination.number)


def judged(version: int, chosen: Sequence[Combination], folder: Path) -> list[Verdict]:
    """Play and judge them. `folder` gets the recording, and a folder for each that is not right.

    What did not come about is played once more, on an Asterisk of its own, into `folder`/again: in one call
    of some hundreds a busy Asterisk itself loses a transfer.
    """
    shutil.rmtree(folder, ignore_errors=True)
    verdicts = _judged_once(version, chosen, folder)
    missing = [verdict.combination for verdict in verdicts if verdict.story.trouble]
    if missing:
        again = {verdict.combination: verdict for verdict in _judged_once(version, missing, folder / "again")}
        verdicts = [again.get(verdict.combination, verdict) for verdict in verdicts]
    return verdicts


def _judged_once(version: int, chosen: Sequence[Combination], folder: Path) -> list[Verdict]:
    config = folder / "config"
    config.mkdir(parents=True)
    with contextlib.closing(Asterisk(version)) as asterisk:
        (config / "configuration.xml").write_text(site.configuration(asterisk, chosen))
        verdicts, recording = asyncio.run(_play(asterisk, chosen))
    trace = folder / "trace.ami"
    trace.write_bytes(recording)
    for mode in judge.MODES:
        told = judge.replay(trace, config, mode)
        for verdict in verdicts:
            verdict.faults += judge.faults(
                verdict.combination, verdict.story, told, asterisk.technology, mode
            )
    _keep(folder, verdicts, Stream(recording), asterisk.technology)
    return verdicts


class Site:
    """A running Asterisk with everything that the chosen combinations need. Use it as `async with`."""

    def __init__(self, asterisk: Asterisk, chosen: Sequence[Combination]) -> None:
        self.asterisk = asterisk
        self.house = House(asterisk.sip_port, LINES)
        self._http_port = free_port()
        self._ari = AriApplication(self._http_port, self._endpoint)
        self._by_number = {f"{combination.number:03}": combination for combination in chosen}
        site.prepare(asterisk, chosen, self.house, self._http_port)

    async def __aenter__(self) -> Site:
        await asyncio.to_thread(self.asterisk.start)
        await self.house.open()
        await self._ari.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ari.close()
        await self.house.close()

    def stage(self, combination: Combination) -> Stage:
        """Where that combination is played."""
        return Stage(combination, self.asterisk, self.house, self._ari)

    def _endpoint(self, kind: str, number: str) -> str:
        """Whom the ARI application shall originate for a caller of that combination."""
        combination = self._by_number[number]
        if kind == "queue":
            return f"Local/{combination.extension('18')}@queues"
        return site.target(self.asterisk, combination)


async def _play(asterisk: Asterisk, chosen: Sequence[Combination]) -> tuple[list[Verdict], bytes]:
    turns = asyncio.Semaphore(AT_ONCE)
    recorder = Recorder(asterisk.ami_port)

    async def played(stage: Stage) -> Verdict:
        async with turns:
            return Verdict(stage.combination, await play(stage))

    async with Site(asterisk, chosen) as running:
        await recorder.open()
        verdicts = await asyncio.gather(*(played(running.stage(combination)) for combination in chosen))
        await asyncio.sleep(CALM)
        return list(verdicts), await recorder.close()


def _keep(folder: Path, verdicts: Sequence[Verdict], stream: Stream, technology: str) -> None:
    """A folder for each combination that is not right: its own transcript, and what was expected."""
    for verdict in verdicts:
        if not verdict.faults and not verdict.story.trouble:
            continue
        own = folder / verdict.combination.name
        own.mkdir()
        (own / "trace.ami").write_bytes(stream.about(verdict.combination))
        (own / "story.txt").write_text(text_of(verdict, technology), encoding="utf-8")


def text_of(verdict: Verdict, technology: str) -> str:
    """All that is known of one combination, for people."""
    combination, story = verdict.combination, verdict.story
    seats = ", ".join(f"{letter} is {technology}/{combination.agent(letter)}" for letter in "abc")
    customer = f"the customer is {story.number}, calldata {story.digits!r}"
    parts = [
        [combination.kind, f"{seats}; {customer}", f"queues {combination.queue}, {combination.second_queue}"],
        ["What the telephones did:", *story.lines()],
        ["What is right:", *judge.lines_of(expected(story))],
    ]
    if story.trouble:
        parts.append(["It did not come about as it should have:", story.trouble])
    if verdict.faults:
        parts.append(["What is wrong:", *verdict.faults])
    parts.append(["To see it again:", "astcti-server replay --config ../config --events all trace.ami"])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"

"""A whole run: one Asterisk, many combinations at the same time, one recording, and the results."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.asterisk.matrix import comparison, site
from tests.asterisk.matrix.ari import AriApplication
from tests.asterisk.matrix.combinations import Combination, combinations
from tests.asterisk.matrix.live_call import LiveCall
from tests.asterisk.matrix.observed import ObservedCall
from tests.asterisk.matrix.oracle import expected
from tests.asterisk.matrix.recorder import RecordedStream, StreamRecorder
from tests.asterisk.matrix.steps import play
from tests.asterisk.matrix.telephones import TelephoneNetwork
from tests.asterisk.rig import Asterisk
from tests.fake.ports import free_port

LINES = ("agents", *site.TRUNKS)
AT_ONCE = 20  # combinations; more would only wait for one another on two processors
CALM = 0.5  # after the last call: events that are on their way


@dataclass
class PlayedCombination:
    """One combination: what happened, and what is wrong with what was told of it."""

    combination: Combination
    observed: ObservedCall
    faults: list[str] = field(default_factory=list)


def sample(size: int, seed: int) -> list[Combination]:
    """So many combinations, different ones for each seed; all of them if there are no more."""
    everything = combinations()
    if size <= 0 or size >= len(everything):
        return everything
    chosen = random.Random(seed).sample(everything, size)
    return sorted(chosen, key=lambda combination: combination.number)


def play_and_compare(version: int, chosen: Sequence[Combination], folder: Path) -> list[PlayedCombination]:
    """Play them, and compare what the server tells with what is right.

    `folder` gets the recording, and a folder for each combination that is not right.

    What did not come about is played once more, on an Asterisk of its own, into `folder`/again: in one call
    of some hundreds a busy Asterisk itself loses a transfer.
    """
    shutil.rmtree(folder, ignore_errors=True)
    results = _play_once(version, chosen, folder)
    missing = [result.combination for result in results if result.observed.trouble]
    if missing:
        again = {result.combination: result for result in _play_once(version, missing, folder / "again")}
        results = [again.get(result.combination, result) for result in results]
    return results


def _play_once(version: int, chosen: Sequence[Combination], folder: Path) -> list[PlayedCombination]:
    config = folder / "config"
    config.mkdir(parents=True)
    with contextlib.closing(Asterisk(version)) as asterisk:
        (config / "configuration.xml").write_text(site.configuration(asterisk, chosen))
        results, recording = asyncio.run(_play(asterisk, chosen))
    trace = folder / "trace.ami"
    trace.write_bytes(recording)
    for mode in comparison.MODES:
        told = comparison.replay(trace, config, mode)
        for result in results:
            result.faults += comparison.faults(
                result.combination, result.observed, told, asterisk.technology, mode
            )
    _keep(folder, results, RecordedStream(recording), asterisk.technology)
    return results


class MatrixSite:
    """A running Asterisk with everything that the chosen combinations need. Use it as `async with`."""

    def __init__(self, asterisk: Asterisk, chosen: Sequence[Combination]) -> None:
        self.asterisk = asterisk
        self.network = TelephoneNetwork(asterisk.sip_port, LINES)
        self._http_port = free_port()
        self._ari = AriApplication(self._http_port, self._endpoint)
        self._by_number = {f"{combination.number:03}": combination for combination in chosen}
        site.prepare(asterisk, chosen, self.network, self._http_port)

    async def __aenter__(self) -> MatrixSite:
        await asyncio.to_thread(self.asterisk.start)
        await self.network.open()
        await self._ari.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._ari.close()
        await self.network.close()

    def call(self, combination: Combination) -> LiveCall:
        """Where that combination is played."""
        return LiveCall(combination, self.asterisk, self.network, self._ari)

    def _endpoint(self, kind: str, number: str) -> str:
        """Whom the ARI application shall originate for a caller of that combination."""
        combination = self._by_number[number]
        if kind == "queue":
            return f"Local/{combination.extension('18')}@queues"
        return site.target(self.asterisk, combination)


async def _play(asterisk: Asterisk, chosen: Sequence[Combination]) -> tuple[list[PlayedCombination], bytes]:
    turns = asyncio.Semaphore(AT_ONCE)
    recorder = StreamRecorder(asterisk.ami_port)

    async def played(call: LiveCall) -> PlayedCombination:
        async with turns:
            return PlayedCombination(call.combination, await play(call))

    async with MatrixSite(asterisk, chosen) as running:
        await recorder.open()
        results = await asyncio.gather(*(played(running.call(combination)) for combination in chosen))
        await asyncio.sleep(CALM)
        return list(results), await recorder.close()


def _keep(
    folder: Path, results: Sequence[PlayedCombination], stream: RecordedStream, technology: str
) -> None:
    """A folder for each combination that is not right: its own transcript, and what was expected."""
    for result in results:
        if not result.faults and not result.observed.trouble:
            continue
        own = folder / result.combination.name
        own.mkdir()
        (own / "trace.ami").write_bytes(stream.about(result.combination))
        (own / "observed.txt").write_text(text_of(result, technology), encoding="utf-8")


def text_of(result: PlayedCombination, technology: str) -> str:
    """All that is known of one combination, for people."""
    combination, observed = result.combination, result.observed
    seats = ", ".join(f"{letter} is {technology}/{combination.agent(letter)}" for letter in "abc")
    customer = f"the customer is {observed.number}, calldata {observed.digits!r}"
    parts = [
        [combination.kind, f"{seats}; {customer}", f"queues {combination.queue}, {combination.second_queue}"],
        ["What the telephones did:", *observed.lines()],
        ["What is right:", *comparison.lines_of(expected(observed))],
    ]
    if observed.trouble:
        parts.append(["It did not come about as it should have:", observed.trouble])
    if result.faults:
        parts.append(["What is wrong:", *result.faults])
    parts.append(["To see it again:", "astcti-server replay --config ../config --events all trace.ami"])
    return "\n\n".join("\n".join(part) for part in parts) + "\n"

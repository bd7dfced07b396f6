"""The run: calls all the time, faults in rounds, quiet moments between them; then everything is compared."""

from __future__ import annotations

import random
import shutil
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from tests.endurance.checks.calls import CallCheck, CallTally, Limits
from tests.endurance.checks.findings import Finding, Wrong
from tests.endurance.checks.growth import check_growth
from tests.endurance.checks.members import check_members
from tests.endurance.checks.rest import check_log, check_rest
from tests.endurance.checks.seat_times import Fault, SeatTimes, follow
from tests.endurance.faults import FAULTS, FaultKind, RunningFault, can_happen
from tests.endurance.history import Fact, read_history
from tests.endurance.office import Office
from tests.endurance.site import Site

START_WITHIN = 90.0  # seconds until everybody is there
WELL_WITHIN = 90.0  # seconds after a fault; what takes longer is a finding
EMPTY_WITHIN = 60.0  # seconds until the last call has ended by itself
SETTLED_WITHIN = 30.0  # seconds until members are as they should be, once all is well
ROUNDS_TO_QUIET = 4
STRETCH = 1800.0  # seconds; of each such stretch the server's process lives on for so long, if it can:
LONG_LIFE = 1380.0
ABOUT_CALLS = ("shown", "not-shown")
COMBINATION = "combinations"
USUAL_LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """What a run is like. A `rate` of 0: as many calls as the machine carries with margin."""

    minutes: float = 60.0
    seed: int = 0
    seats: int = 500
    groups: int = 10
    wired: int = 2
    rate: float = 0.0
    kinds: tuple[FaultKind, ...] = tuple(FAULTS)
    short: bool = False
    """Each kind once, together with others, and that is all."""
    limits: Limits = USUAL_LIMITS


@dataclass
class FaultRow:
    """What was seen of a kind of fault, and how long it took until all was well again (s)."""

    times: int = 0
    combined: int = 0
    """How often together with others."""
    recovered: list[float] = field(default_factory=list)
    """After those alone."""


@dataclass
class SoakResult:
    """What a run found."""

    options: SoakOptions
    findings: list[Finding] = field(default_factory=list)
    tally: CallTally = field(default_factory=CallTally)
    rows: dict[str, FaultRow] = field(default_factory=lambda: defaultdict(FaultRow))
    left_out: dict[str, str] = field(default_factory=dict)
    quiet_moments: int = 0
    resumes: bool = False
    servers: int = 0
    lasted: float = 0.0


class CallRate:
    """As many calls as the machine carries with margin: more while it idles, fewer when it does not."""

    LEAST, MOST = 5.0, 60.0
    IDLE_ENOUGH, BUSY = 0.35, 0.15  # of the processors' time
    LATE = 0.25  # seconds

    def __init__(self, fixed: float) -> None:
        self._fixed = fixed
        self.rate = fixed or 8.0
        self._last = self._times()

    def adapt(self, late: float) -> float:
        """The rate from now on. `late`: seconds by which the PBX was late with the last caller."""
        idle, total = self._times()
        share = (idle - self._last[0]) / max(1, total - self._last[1])
        self._last = idle, total
        if not self._fixed:
            if late > self.LATE or share < self.BUSY:
                self.rate = max(self.LEAST, self.rate * 0.8)
            elif share > self.IDLE_ENOUGH:
                self.rate = min(self.MOST, self.rate * 1.1)
        return self.rate

    @staticmethod
    def _times() -> tuple[int, int]:
        numbers = [int(number) for number in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        return numbers[3] + numbers[4], sum(numbers)


class Soak:
    """`run` it once."""

    def __init__(self, options: SoakOptions, folder: Path, output: TextIO) -> None:
        self._options, self._folder, self._output = options, folder, output
        self._chance = random.Random(options.seed)
        self._result = SoakResult(options)
        self._rate = CallRate(options.rate)
        self._adapted = 0.0
        self._number = 0

    def run(self) -> SoakResult:
        """All of it. What went wrong is in the result."""
        options, began = self._options, time.monotonic()
        office = Office(options.seats, options.groups)
        with Site(self._folder, office, options.seed, wired=options.wired) as site:
            self._site = site
            _at, wrong = site.wait_well(START_WITHIN)
            site.faults.write("end", number=0)
            self._say(f"everybody is there after {time.monotonic() - began:.1f} s {wrong}")
            if wrong:
                self._find(Wrong.BROKEN_PROMISE, f"at the start: {wrong}")
            site.take_breaks(True)
            self._pass(3.0)
            until = began + options.minutes * 60 - 25.0
            rounds = self._rounds()
            while time.monotonic() < until and (kinds := next(rounds, None)):
                self._round(kinds)
                if self._rounds_done % ROUNDS_TO_QUIET == 0:
                    self._quiet_moment()
                    site.take_breaks(True)
                    self._adapted = 0.0
                    self._pass(2.0)
            self._quiet_moment()
            site.call(0.0)
            over = time.monotonic()
            log = site.server.log
            self._result.servers = site.server.started
        self._check(site, over, log)
        self._result.lasted = time.monotonic() - began
        return self._result

    # -- rounds -------------------------------------------------------------------------------------------

    _rounds_done = 0

    def _rounds(self) -> Iterator[list[FaultKind]]:
        """Each kind once alone, then combinations without end."""
        kinds = []
        for kind in self._options.kinds:
            if why := can_happen(kind, self._site):
                self._result.left_out[kind.name] = why
            else:
                kinds.append(kind)
        first = self._chance.sample(kinds, len(kinds))
        if self._options.short:
            while first:
                chosen = compatible(first, 3)
                first = [kind for kind in first if kind not in chosen]
                yield chosen
            return
        # The process of the server that is there when the last of these has begun lives for a while.
        yield from ([kind] for kind in sorted(first, key=lambda kind: not kind.ends_server))
        began = time.monotonic()
        while True:
            long_life = (time.monotonic() - began) % STRETCH < LONG_LIFE
            fitting = [kind for kind in kinds if not (long_life and kind.ends_server)] or kinds
            drawn = self._chance.sample(fitting, len(fitting))
            yield compatible(drawn, self._chance.choice((1, 2, 2, 3, 4)))

    def _round(self, kinds: list[FaultKind]) -> None:
        self._rounds_done += 1
        faults = []
        for kind in kinds:
            self._number += 1
            seed = f"{self._options.seed} {self._number}"
            faults.append(RunningFault(kind, self._site, random.Random(seed), self._number))
        for fault in faults:
            fault.start()
        may_end = any("server" in kind.claims for kind in kinds)
        while any(fault.is_alive() for fault in faults):
            self._pass(0.1, server_may_end=may_end)
        for fault in faults:
            fault.join()
        at, wrong = self._wait_well()
        self._judge(faults, at, wrong)
        self._pass(self._chance.uniform(2.0, 5.0))

    def _judge(self, faults: list[RunningFault], at: float, wrong: str) -> None:
        single = len(faults) == 1
        name = faults[0].kind.name if single else COMBINATION
        row = self._result.rows[name]
        row.times += 1
        if single:
            since = faults[0].begun_at if faults[0].kind.from_begin else faults[0].ended_at
        else:
            since = max(fault.ended_at for fault in faults)
        words = " + ".join(f"{fault.kind.name} ({fault.ended_at - fault.begun_at:.1f} s)" for fault in faults)
        for fault in faults:
            self._result.rows[fault.kind.name].combined += not single
            if fault.not_met:
                self._find(Wrong.BROKEN_PROMISE, f"{fault.kind.name}: {fault.not_met}")
        if wrong:
            self._find(Wrong.BROKEN_PROMISE, f"not well {WELL_WITHIN:.0f} s after {words}: {wrong}")
        else:
            row.recovered.append(at - since)
        self._say(f"{words}: {wrong or f'well {at - since:.1f} s later'}, {self._rate.rate:.1f} calls/s")

    def _quiet_moment(self) -> None:
        """Nobody calls: then there is no call, and the members are those who are logged in."""
        site = self._site
        site.call(0.0)
        site.take_breaks(False)
        self._result.quiet_moments += 1
        _at, wrong = site.wait_until(
            lambda: f"{site.pbx.ask('channels')} channels" if site.pbx.ask("channels") else "", EMPTY_WITHIN
        )
        if wrong:
            self._find(Wrong.BROKEN_PROMISE, f"the PBX of the test did not come to rest: {wrong}")
        self._wait_well()
        found: list[Finding] = []

        def members() -> str:
            site.look()
            found[:] = check_members(site.pbx.ask("members"), site.seats, site.office, time.monotonic())
            return found[0].text if found else ""

        site.wait_until(members, SETTLED_WITHIN)
        self._result.findings += found
        self._say(f"quiet moment {self._result.quiet_moments}: {len(found)} members wrong")

        unrest: list[Finding] = []

        def calls() -> str:
            now = time.monotonic()
            unrest[:] = check_rest(site.server.sample(now), now)
            return unrest[0].text if unrest else ""

        site.wait_until(calls, SETTLED_WITHIN)
        for finding in unrest:
            self._found(finding)

    def _wait_well(self) -> tuple[float, str]:
        until = time.monotonic() + WELL_WITHIN
        while True:
            at, wrong = self._site.wait_well(1.0)
            if not wrong or at > until:
                return at, wrong
            self._pass(0.0)
            self._revive()

    def _revive(self) -> None:
        if not self._site.server.running():
            self._find(Wrong.BROKEN_PROMISE, "the server ended by itself")
            self._site.server.start()

    def _pass(self, seconds: float, *, server_may_end: bool = False) -> None:
        """Let time pass, and look after the rest meanwhile."""
        until = time.monotonic() + seconds
        while (now := time.monotonic()) < until:
            if now - self._adapted > 3.0:
                self._adapted = now
                late = self._site.call(self._rate.rate)
                self._rate.adapt(late)
            if not server_may_end:
                self._revive()
                self._site.sample()
            time.sleep(0.1)

    # -- the comparison -----------------------------------------------------------------------------------

    def _check(self, site: Site, over: float, log: str) -> None:
        result = self._result
        seats: dict[str, SeatTimes] = {}
        facts = [fact for group in range(site.office.groups) for fact in read_history(site.seats_file(group))]
        facts = [fact for fact in facts if fact["at"] <= over]
        follow((fact for fact in facts if fact["what"] not in ABOUT_CALLS), seats)
        for times in seats.values():
            times.close(over)
        pbx = [fact for fact in read_history(self._folder / "pbx.jsonl") if fact["at"] <= over]
        faults = list(read_faults(read_history(self._folder / "faults.jsonl"), over))
        check = CallCheck(
            pbx,
            (fact for fact in facts if fact["what"] in ABOUT_CALLS),
            seats,
            faults,
            over=over,
            limits=self._options.limits,
        )
        result.findings += check.run()
        result.tally = check.tally
        for times in seats.values():
            for span in times.unexplained(faults):
                text = f"{times.seat} for {span.end - span.begin:.1f} s"
                result.findings.append(Finding(Wrong.AWAY, span.begin, text))
        result.findings += check_growth(site.samples)
        result.resumes = any(times.resumes for times in seats.values())
        for finding in check_log(log, time.monotonic()):
            self._found(finding)

    def _find(self, wrong: Wrong, text: str) -> None:
        self._found(Finding(wrong, time.monotonic(), text))

    def _found(self, finding: Finding) -> None:
        self._result.findings.append(finding)
        self._say(f"WRONG: {finding.text}")

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=self._output, flush=True)


def compatible(kinds: list[FaultKind], most: int) -> list[FaultKind]:
    """The first of these that do not need the same thing for themselves."""
    chosen: list[FaultKind] = []
    for kind in kinds:
        if len(chosen) < most and not any(kind.claims & other.claims for other in chosen):
            chosen.append(kind)
    return chosen


def read_faults(facts: list[Fact], over: float) -> Iterator[Fault]:
    """The fault log as values; what has not ended lasts until the end."""
    ends = {fact["number"]: fact["at"] for fact in facts if fact["what"] == "end"}
    for fact in facts:
        if fact["what"] == "begin":
            seats = None if fact["seats"] is None else frozenset(fact["seats"])
            yield Fault(fact["kind"], fact["at"], ends.get(fact["number"], over), seats, fact["settle"])


def keep_folder(build: Path) -> Path:
    """Where a run's files go; those of the run before are replaced."""
    folder = build.absolute() / "last"
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder

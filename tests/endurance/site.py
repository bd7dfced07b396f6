"""Everything that runs: the PBX, the server, the seats, the wires between them; and whether all is well."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from tests.endurance.checks.growth import Sample
from tests.endurance.checks.seat_times import SeatTimes, follow
from tests.endurance.history import HistoryTail, HistoryWriter
from tests.endurance.office import Office
from tests.endurance.programs.orders import HelperProcess
from tests.endurance.server import ServerUnderTest
from tests.endurance.wire import Wire
from tests.fake.ports import free_port

LOOK_EVERY = 0.05  # seconds
SAMPLE_EVERY = 5.0  # seconds


class Site:
    """A context manager. One thread looks; faults come from others."""

    def __init__(self, folder: Path, office: Office, seed: int, *, wired: int) -> None:
        """The first `wired` groups of seats reach the server through a wire that can be spoilt."""
        self.folder, self.office, self.seed = folder, office, seed
        self.wired = frozenset(range(wired))
        self.faults = HistoryWriter(folder / "faults.jsonl")
        self._looks = HistoryWriter(folder / "looks.jsonl")
        self._pbx_file = folder / "pbx.jsonl"
        self._pbx_port = free_port()
        self._pbx_starts = 0
        self._tails: list[HistoryTail] = [
            HistoryTail(self.seats_file(group)) for group in range(office.groups)
        ]
        self._pbx_tail = HistoryTail(self._pbx_file)
        self._members: set[tuple[str, str]] = set()
        self.seats: dict[str, SeatTimes] = {}
        self.samples: list[Sample] = []
        self._rate = 0.0
        self._breaks = False
        self._stack = contextlib.ExitStack()
        self.groups: dict[int, HelperProcess] = {}

    def __enter__(self) -> Site:
        self.faults.write("begin", number=0, kind="start", seats=None, settle=0.0)
        with contextlib.ExitStack() as stack:
            self.start_pbx()
            self.pbx.ask("late")
            stack.callback(lambda: self.pbx.end(signal.SIGKILL))
            self.ami = stack.enter_context(Wire(self._pbx_port))
            self.server = ServerUnderTest(self.folder / "server", self.ami.port, self.office)
            stack.callback(self.server.close)
            self.server.start()
            self.server.wait_until_it_listens()
            self.lan = stack.enter_context(Wire(self.server.port))
            stack.callback(self._end_groups)
            for group in range(self.office.groups):
                self.start_group(group)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    # -- the PBX ------------------------------------------------------------------------------------------

    def start_pbx(self) -> None:
        self._pbx_starts += 1
        self.pbx = HelperProcess(
            "tests.endurance.programs.pbx_process",
            str(self._pbx_port),
            str(self.office.seats),
            str(self.office.groups),
            str(self.seed * 1000 + self._pbx_starts),
            str(self._rate),
            str(self._pbx_file),
            log=self.folder / "pbx.log",
        )

    def kill_pbx(self) -> None:
        self.pbx.kill()
        self._write_for_the_dead(self._pbx_file, "killed")

    @staticmethod
    def _write_for_the_dead(file: Path, what: str, **more: object) -> None:
        history = HistoryWriter(file)
        history.write(what, **more)
        history.close()

    def call(self, rate: float) -> float:
        """From now on so many callers a second; by how many seconds the PBX was late with the last one."""
        self._rate = rate
        with contextlib.suppress(ConnectionError):  # it is being restarted, and will hear then
            return float(self.pbx.ask("call", rate=rate))
        return 0.0

    # -- the seats ----------------------------------------------------------------------------------------

    def seats_file(self, group: int) -> Path:
        return self.folder / f"seats-{group}.jsonl"

    def seats_of(self, *groups: int) -> frozenset[str]:
        return frozenset(phone for group in groups for phone in self.office.group(group))

    def start_group(self, group: int) -> None:
        port = self.lan.port if group in self.wired else self.server.port
        home = self.folder / f"home-{group}"
        home.mkdir(exist_ok=True)
        self.groups[group] = HelperProcess(
            "tests.endurance.programs.seats_process",
            str(port),
            str(self.office.seats),
            str(self.office.groups),
            str(group),
            str(self.seed),
            str(int(self._breaks)),
            str(self.seats_file(group)),
            log=self.folder / f"seats-{group}.log",
            environ=os.environ | {"XDG_DATA_HOME": str(home), "XDG_STATE_HOME": str(home), "HOME": str(home)},
        )

    def kill_group(self, group: int) -> None:
        self.groups[group].kill()
        self._write_for_the_dead(self.seats_file(group), "killed", seats=self.office.group(group))

    def take_breaks(self, wanted: bool) -> None:
        """Whether operators go into pause now and then."""
        self._breaks = wanted
        for process in list(self.groups.values()):
            with contextlib.suppress(ConnectionError):
                process.ask("breaks", wanted=wanted)

    def _end_groups(self) -> None:
        for process in self.groups.values():
            process.send_signal(signal.SIGCONT)
            process.send_signal(signal.SIGTERM)
        for process in self.groups.values():
            process.kill()

    # -- whether all is well -------------------------------------------------------------------------------

    def look(self) -> None:
        """Take in what was written down since the last look."""
        for tail in self._tails:
            follow(tail.more(), self.seats)
        for fact in self._pbx_tail.more():
            match fact["what"]:
                case "member":
                    self._members.add((fact["queue"], fact["phone"]))
                case "no-member":
                    self._members.discard((fact["queue"], fact["phone"]))
                case "killed" | "started":
                    self._members.clear()

    def not_well(self) -> str:
        """What is not as it should be, for people; empty if all is well."""
        self.look()
        if not self.server.running():
            return "the server does not run"
        phones = self.office.phones
        away = [phone for phone in phones if phone not in self.seats or not self.seats[phone].up]
        if away:
            return f"{len(away)} seats are away, such as {away[0]}"
        without = [phone for phone in phones if not self.seats[phone].pbx_up]
        if without:
            return f"{len(without)} seats hear that the PBX is down, such as {without[0]}"
        wanted = {(queue, phone) for phone in phones for queue in self.office.queues_of(phone)}
        if wrong := self._members ^ wanted:
            return f"{len(wrong)} members are not as they should be, such as {min(wrong)}"
        return ""

    def wait_well(self, seconds: float) -> tuple[float, str]:
        """Wait until all is well, so long at most: the time at which it was, and what is not well then."""
        return self.wait_until(self.not_well, seconds)

    def wait_until(self, wrong: Callable[[], str], seconds: float) -> tuple[float, str]:
        """Wait until nothing is wrong any more, so long at most."""
        deadline = time.monotonic() + seconds
        while (text := wrong()) and time.monotonic() < deadline:
            time.sleep(LOOK_EVERY)
        return time.monotonic(), text

    def sample(self) -> None:
        """Look what the server takes, if it is time."""
        now = time.monotonic()
        if not self.samples or now - self.samples[-1].at >= SAMPLE_EVERY:
            found = self.server.sample(now)
            if found is not None:
                self.samples.append(found)
                self._looks.write("look", pid=found.pid, **found.values)

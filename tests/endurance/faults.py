"""The faults: each is a function that disturbs the site step by step, and says how long each step lasts."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.endurance.site import Site
from tests.endurance.wire import WireState

Scope = Literal["all", "group", "wired", "nobody"]
"""Which seats a fault may cut off: `wired` are those behind the wire that can be spoilt."""

NOTICED_WITHIN = 60.0  # seconds in which whoever was left alone on a connection has to notice


class NotMet(Exception):
    """The server did not do what it has to do with this fault. The text says what."""


@dataclass(frozen=True, slots=True)
class FaultTarget:
    """What a fault works on."""

    site: Site
    chance: random.Random
    group: int


Disturb: TypeAlias = Callable[[FaultTarget], Iterator[float]]
"""Yields seconds to wait. When it returns all is in order again but for the effects. May raise NotMet."""


@dataclass(frozen=True, slots=True)
class FaultKind:
    """A row of the table."""

    name: str
    scope: Scope
    claims: frozenset[str]
    """What it needs for itself alone."""
    settle: float
    """Seconds that its effects may last once it is over."""
    disturb: Disturb
    short: bool
    """Fit for the short run: it is over within a few seconds."""
    ends_server: bool
    """A new process begins: what the old one took is not comparable."""
    from_begin: bool
    """Its end is that it was noticed: what counts is the time from its beginning."""

    @property
    def seen(self) -> str:
        """What people see of it: the first line of what the function says of itself."""
        return (self.disturb.__doc__ or "").splitlines()[0]


FAULTS: list[FaultKind] = []


def fault(
    name: str,
    *claims: str,
    scope: Scope = "all",
    settle: float = 45.0,
    short: bool = True,
    ends_server: bool = False,
    from_begin: bool = False,
) -> Callable[[Disturb], Disturb]:
    """Make a function a fault. Its docstring says what people see of it, for the table."""

    def register(disturb: Disturb) -> Disturb:
        FAULTS.append(
            FaultKind(name, scope, frozenset(claims), settle, disturb, short, ends_server, from_begin)
        )
        return disturb

    return register


def can_happen(kind: FaultKind, site: Site) -> str:
    """Why a fault is left out on this machine; empty if it is not."""
    if "disk" in kind.claims and not site.server.own_disk:
        return "needs root, for a disk of its own"
    return ""


# -- the link to the PBX -----------------------------------------------------------------------------------


@fault("link to the PBX cut", "ami")
def ami_cut(target: FaultTarget) -> Iterator[float]:
    """Clients hear that the PBX is down; calls answered meanwhile pop up when it is back, if they go on."""
    target.site.ami.become(WireState.CUT)
    yield target.chance.uniform(0.0, 8.0)
    target.site.ami.become(WireState.WHOLE)


@fault("link to the PBX stalled", "ami", short=False)
def ami_stalled(target: FaultTarget) -> Iterator[float]:
    """Nothing for a while, then all that was held up, in order; after two unanswered pings a new link."""
    target.site.ami.become(WireState.STALLED)
    yield target.chance.uniform(2.0, 20.0)
    target.site.ami.become(WireState.WHOLE)


@fault("link to the PBX half open", "ami", short=False, from_begin=True)
def ami_half_open(target: FaultTarget) -> Iterator[float]:
    """After two unanswered pings (here 5 s apart) a new link; then as after a cut."""
    target.site.ami.vanish()
    yield from _until_noticed(lambda: target.site.ami.unnoticed, "the server did not notice a dead link")


@fault("link to the PBX trickling", "ami", short=False)
def ami_slow(target: FaultTarget) -> Iterator[float]:
    """Pop-ups come as slowly as the link, none is missed."""
    target.site.ami.become(WireState.SLOW)
    yield target.chance.uniform(3.0, 10.0)
    target.site.ami.become(WireState.WHOLE)


@fault("garbage from the PBX", "ami", scope="nobody", settle=5.0)
def ami_garbage(target: FaultTarget) -> Iterator[float]:
    """Nothing: what is no message of Asterisk is passed over."""
    target.site.ami.become(WireState.GARBLED)
    yield target.chance.uniform(2.0, 6.0)
    target.site.ami.become(WireState.WHOLE)


@fault("PBX killed and started", "pbx")
def pbx_restarted(target: FaultTarget) -> Iterator[float]:
    """Its calls are gone; cards end; everybody is put back into the queues, with penalty and pause."""
    target.site.kill_pbx()
    yield target.chance.uniform(1.0, 6.0)
    target.site.start_pbx()


# -- the clients -------------------------------------------------------------------------------------------


@fault("clients killed and started", "group", scope="group")
def clients_killed(target: FaultTarget) -> Iterator[float]:
    """Its operators leave the queues after the time of grace; later they log in again."""
    target.site.kill_group(target.group)
    yield target.chance.uniform(0.5, 14.0)  # with and without the server's time of grace
    target.site.start_group(target.group)


@fault("clients stopped and continued", "group", scope="group", short=False)
def clients_stopped(target: FaultTarget) -> Iterator[float]:
    """As after a lost connection once the server has heard nothing for the keep-alive time (here 20 s)."""
    process = target.site.groups[target.group]
    process.send_signal(signal.SIGSTOP)
    yield target.chance.uniform(2.0, 30.0)
    process.send_signal(signal.SIGCONT)


@fault("clients deaf", "lan", scope="wired", short=False)
def clients_deaf(target: FaultTarget) -> Iterator[float]:
    """What the server says waits, up to its limit; then as after a lost connection."""
    target.site.lan.become(WireState.DEAF)
    yield target.chance.uniform(3.0, 14.0)
    target.site.lan.become(WireState.WHOLE)


@fault("clients half open", "lan", scope="wired", short=False, from_begin=True)
def clients_half_open(target: FaultTarget) -> Iterator[float]:
    """The client asks (here each 7 s), waits 15 s for the reply, and connects anew in place of itself."""
    target.site.lan.vanish()
    yield from _until_noticed(
        lambda: target.site.lan.unnoticed, "the clients did not notice dead connections"
    )


@fault("clients cut off", "lan", scope="wired")
def clients_cut_off(target: FaultTarget) -> Iterator[float]:
    """The client tries again at once and then every 0.3 to 0.6 s."""
    target.site.lan.become(WireState.CUT)
    yield target.chance.uniform(0.0, 14.0)
    target.site.lan.become(WireState.WHOLE)


# -- the server --------------------------------------------------------------------------------------------


@fault("server killed and started", "server", ends_server=True)
def server_killed(target: FaultTarget) -> Iterator[float]:
    """Members stay in the queues, clients come back, the new server adopts the members."""
    target.site.server.kill()
    yield target.chance.uniform(0.5, 4.0)
    target.site.server.start()


@fault("server stopped and continued", "server", short=False)
def server_stopped(target: FaultTarget) -> Iterator[float]:
    """Nothing for a while, then all that was held up; clients that waited too long connect anew."""
    target.site.server.send_signal(signal.SIGSTOP)
    yield target.chance.uniform(2.0, 15.0)
    target.site.server.send_signal(signal.SIGCONT)


@fault("server restarted", "server", short=False, ends_server=True)
def server_restarted(target: FaultTarget) -> Iterator[float]:
    """Everybody leaves the queues and is put back after the log-in."""
    _ended_in_order(target.site.server.stop())
    yield target.chance.uniform(0.0, 1.0)
    target.site.server.start()


@fault("server restarted, members kept", "server", ends_server=True)
def server_updated(target: FaultTarget) -> Iterator[float]:
    """Members stay in the queues, clients come back."""
    _ended_in_order(target.site.server.stop_keeping_members())
    yield target.chance.uniform(0.0, 1.0)
    target.site.server.start()


@fault("second server started by mistake", "server", scope="nobody", settle=5.0)
def second_server(target: FaultTarget) -> Iterator[float]:
    """The second one says why and ends with code 1; the first one goes on."""
    code, words = target.site.server.start_a_second()
    yield 0.0
    if code != 1:
        raise NotMet(f"a second server on the same state ended with {code}: {words}")


@fault("descriptors exhausted while clients come back", "server", "group", scope="group")
def descriptors_exhausted(target: FaultTarget) -> Iterator[float]:
    """Who is connected goes on; who comes back waits until there are descriptors."""
    site = target.site
    site.kill_group(target.group)
    yield 1.0
    site.server.limit_descriptors(3)
    site.start_group(target.group)
    yield target.chance.uniform(3.0, 8.0)
    site.server.limit_descriptors(None)


@fault("disk full", "disk", "server", scope="nobody", settle=5.0)
def disk_full(target: FaultTarget) -> Iterator[float]:
    """Nothing: no call needs the disk. The log says what could not be written."""
    target.site.server.fill_disk()
    yield target.chance.uniform(4.0, 12.0)
    target.site.server.free_disk()


@fault("clock an hour ahead and back", "clock", scope="nobody", settle=5.0, short=False)
def clock_ahead(target: FaultTarget) -> Iterator[float]:
    """Nothing."""
    target.site.server.spoil(clock=3600.0)
    yield target.chance.uniform(3.0, 8.0)
    target.site.server.spoil()
    yield 0.5


@fault("clock an hour behind and back", "clock", scope="nobody", settle=5.0)
def clock_behind(target: FaultTarget) -> Iterator[float]:
    """Nothing."""
    target.site.server.spoil(clock=-3600.0)
    yield target.chance.uniform(3.0, 8.0)
    target.site.server.spoil()
    yield 0.5


@fault("slow name resolution while the link to the PBX is cut", "ami", "clock")
def slow_names(target: FaultTarget) -> Iterator[float]:
    """Clients are not held up; the link comes back as late as the name is found."""
    target.site.server.spoil(names=target.chance.uniform(2.0, 8.0))
    yield 0.5
    target.site.ami.become(WireState.CUT)
    yield 1.0
    target.site.ami.become(WireState.WHOLE)
    yield 8.0
    target.site.server.spoil()


@fault("good, bad and held configurations", "configuration", scope="nobody", settle=5.0)
def configurations(target: FaultTarget) -> Iterator[float]:
    """A good one is taken up, a bad one refused, an empty one held; nobody is sent away."""
    server = target.site.server
    for turn in range(target.chance.randrange(3, 9)):
        match turn % 3:
            case 0:
                server.put_another("<configuration><services><service name='no end'")
            case 1:
                server.put_another("<configuration/>")
            case _:
                server.configure(f"turn {turn} at {time.monotonic():.1f}")
        yield 1.0
    server.take_another_away()
    server.configure("")
    yield 2.0


@fault("storm of SIGHUP", "server", scope="nobody", settle=5.0, short=False)
def hang_ups(target: FaultTarget) -> Iterator[float]:
    """Nothing."""
    for _ in range(100):
        target.site.server.send_signal(signal.SIGHUP)
        yield 0.03


def _until_noticed(unnoticed: Callable[[], int], otherwise: str) -> Iterator[float]:
    until = time.monotonic() + NOTICED_WITHIN
    while unnoticed():
        if time.monotonic() > until:
            raise NotMet(otherwise)
        yield 0.05


def _ended_in_order(code: int) -> None:
    if code:
        raise NotMet(f"the server ended with {code} when it was told to stop")


# -- carrying them out -------------------------------------------------------------------------------------


class RunningFault(threading.Thread):
    """One fault at work. It is written down when it begins and when it is over."""

    def __init__(self, kind: FaultKind, site: Site, chance: random.Random, number: int) -> None:
        super().__init__(name=f"fault-{kind.name}")
        self.kind, self.number = kind, number
        self._site = site
        wired = sorted(site.wired)
        self._target = FaultTarget(
            site, chance, chance.choice([g for g in site.groups if g not in wired] or wired)
        )
        self.delay = chance.uniform(0.0, 3.0)
        self.begun_at = self.ended_at = 0.0
        self.not_met = ""

    @property
    def seats(self) -> list[str] | None:
        match self.kind.scope:
            case "all":
                return None
            case "group":
                return sorted(self._site.seats_of(self._target.group))
            case "wired":
                return sorted(self._site.seats_of(*self._site.wired))
            case _:
                return []

    def run(self) -> None:
        time.sleep(self.delay)
        log = self._site.faults
        self.begun_at = log.write(
            "begin", number=self.number, kind=self.kind.name, seats=self.seats, settle=self.kind.settle
        )
        try:
            for seconds in self.kind.disturb(self._target):
                time.sleep(seconds)
        except NotMet as error:
            self.not_met = str(error)
        except Exception as error:  # it is a finding, and the run goes on
            self.not_met = f"{type(error).__name__}: {error}"
        self.ended_at = log.write("end", number=self.number)

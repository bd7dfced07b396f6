"""Plays the people of the demo: callers who ring, and phones that get answered. The PBX's thread only."""

from __future__ import annotations

from dataclasses import dataclass

from astcti_server.demo.calls.channels import Channel, ChannelState
from astcti_server.demo.calls.engine import Engine

CALLERS = (
    ("Anna Bianchi", "0551234567"),
    ("Demo Caller", "3331234567"),
    ("Jürgen Groß", "+493012345678"),
    ("Siobhán O'Brien", "+35315550123"),
    ("Acme Srl", "0287654321"),
    ("Łukasz Nowak", "+48225550199"),
    ("Marie Lefèvre", "+33155501234"),
    ("Paolo Verdi", "3479876543"),
)
WAITING_AT_MOST = 3
"""Callers in the queue: with more, the next one is not sent."""


@dataclass(frozen=True, slots=True)
class Tempo:
    """Seconds; each is drawn anew between half of it and half as much again, but the first."""

    interval: float = 6.0
    answer: float = 2.0
    talk: float = 8.0
    patience: float = 40.0
    gives_up: float = 0.15
    """The share of callers without any patience."""


class Player:
    """Sends callers through the queue, answers phones after a while, and hangs up again.

    With `answers` False the phones only ring: then it is for somebody else to pick them up.
    """

    def __init__(self, engine: Engine, tempo: Tempo | None = None, *, answers: bool = True) -> None:
        self._engine = engine
        self._tempo = tempo or Tempo()
        self._stopped = False
        if answers:
            engine.ring_listeners.append(self._rings)

    def start(self) -> None:
        """Send the first caller, and then one at every interval."""
        self._next_caller()

    def stop(self) -> None:
        """Send no more callers; those who are there finish their calls."""
        self._stopped = True

    def _next_caller(self) -> None:
        if self._stopped:
            return
        waiting = sum(len(queue.callers) for queue in self._engine.queues.by_name.values())
        if waiting < WAITING_AT_MOST:
            self._send_caller()
        self._engine.scheduler.later(self._tempo.interval, self._next_caller)

    def _send_caller(self) -> None:
        engine = self._engine
        name, number = engine.chance.choice(CALLERS)
        caller = engine.incoming_call(number, name, digits=f"{engine.chance.randrange(10**5):05}")
        impatient = engine.chance.random() < self._tempo.gives_up
        patience = self._tempo.answer / 2 if impatient else self._about(self._tempo.patience)
        engine.scheduler.later(patience, lambda: self._lose_patience(caller))

    def _lose_patience(self, caller: Channel) -> None:
        if not caller.gone and caller.bridge is None:
            self._engine.hang_up(caller)

    def _rings(self, channel: Channel) -> None:
        self._engine.scheduler.later(self._about(self._tempo.answer), lambda: self._answer(channel))

    def _answer(self, channel: Channel) -> None:
        if channel.gone or channel.state is not ChannelState.RINGING:
            return
        self._engine.call_of[channel.uniqueid].answer(channel)
        self._engine.scheduler.later(self._about(self._tempo.talk), lambda: self._say_goodbye(channel))

    def _say_goodbye(self, channel: Channel) -> None:
        """One of the two hangs up; a leg that waits for its other party is left in peace."""
        if channel.gone:
            return
        other = channel.peer
        if other is None:
            self._engine.scheduler.later(self._about(self._tempo.talk), lambda: self._say_goodbye(channel))
            return
        self._engine.hang_up(other if self._engine.chance.random() < 0.5 else channel)

    def _about(self, seconds: float) -> float:
        return seconds * self._engine.chance.uniform(0.5, 1.5)

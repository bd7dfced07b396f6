"""Signals are acted on once however often they come, and the end before all others."""

from __future__ import annotations

import signal

import pytest

from astcti_server.process.signals import PendingSignals, SignalReceived


class Told:
    """Keeps what would reach the main thread."""

    def __init__(self) -> None:
        self.messages: list[SignalReceived] = []
        self.ended_at_once = 0
        self.signals = PendingSignals(self.messages.append, self._end)

    def _end(self) -> None:
        self.ended_at_once += 1


@pytest.fixture
def told() -> Told:
    return Told()


def test_what_comes_thousands_of_times_is_told_once(told: Told) -> None:
    for _ in range(3600):
        told.signals.receive(signal.SIGHUP)
        told.signals.receive(signal.SIGUSR1)
    assert told.messages == [SignalReceived(signal.SIGHUP), SignalReceived(signal.SIGUSR1)]
    assert not told.signals.end


def test_what_comes_while_it_is_acted_on_is_told_again(told: Told) -> None:
    told.signals.receive(signal.SIGHUP)
    told.signals.taken_up(signal.SIGHUP)
    told.signals.receive(signal.SIGHUP)
    told.signals.receive(signal.SIGHUP)
    assert told.messages == [SignalReceived(signal.SIGHUP)] * 2


def test_the_end_is_known_before_anything_that_came_earlier_was_acted_on(told: Told) -> None:
    told.signals.receive(signal.SIGHUP)
    told.signals.receive(signal.SIGTERM)
    assert told.signals.end == "SIGTERM"
    assert told.ended_at_once == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_the_end_asked_for_twice_is_at_once(told: Told, second: signal.Signals) -> None:
    told.signals.receive(signal.SIGTERM)
    told.signals.receive(second)
    assert told.ended_at_once == 1

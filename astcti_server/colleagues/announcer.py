"""Tells clients that asked what their colleagues do: all of it once, then at most once a second what changed.

AMI thread. As long as nobody asked nothing is looked at, and no event of Asterisk costs more: what everybody
does is read once a second from those who know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from astcti_server.clients import replies
from astcti_server.colleagues.team import ColleagueRow, TeamSnapshot, colleague_rows, team_of
from schemas.configuration.model import Configuration

LOOK_EVERY: Final = 1.0
"""Seconds: what lasts shorter is not told, and nobody is told more often."""

TellSession: TypeAlias = Callable[[int, bytes], bool]
"""Announce lines to a session by its id, without waiting; False if it is over."""


class AnnouncerTimers(Protocol):
    """What is needed of the AMI thread's timers."""

    def later(self, seconds: float, work: Callable[[], None], /) -> object:
        """Do `work` after so many seconds."""


@dataclass(frozen=True, slots=True)
class _Subscriber:
    username: str
    team: frozenset[str]
    """With himself, so that a thousand clients of one service share it: one for each would be megabytes."""


class ColleagueAnnouncer:
    """Who asked, and what they were told."""

    def __init__(
        self,
        configuration: Configuration,
        look: Callable[[], TeamSnapshot],
        tell: TellSession,
        timers: AnnouncerTimers,
    ) -> None:
        """`look` says what everybody does now."""
        self._configuration = configuration
        self._look = look
        self._tell = tell
        self._timers = timers
        self._subscribers: dict[int, _Subscriber] = {}
        self._rows: Mapping[str, ColleagueRow] = {}
        """As the subscribers know them."""
        self._lines: dict[str, bytes] = {}
        self._looking = False

    def configure(self, configuration: Configuration) -> None:
        """Take up another configuration: who is whose colleague, and how everybody is called."""
        if configuration is self._configuration:
            return
        self._configuration = configuration
        teams: _Teams = {}
        for session_id, subscriber in list(self._subscribers.items()):
            now = self._team(subscriber.username, teams)
            self._subscribers[session_id] = _Subscriber(subscriber.username, now)
            if now != subscriber.team:
                self._tell_difference(session_id, subscriber, now)

    def ask(self, session_id: int, username: str) -> bytes:
        """All colleagues as lines, then their end; from now on this session is told what changes."""
        if not self._subscribers:
            self._take_up(colleague_rows(self._configuration, self._look()))
        team = self._team(username, {other.team: other.team for other in self._subscribers.values()})
        self._subscribers[session_id] = _Subscriber(username, team)
        if not self._looking:
            self._looking = True
            self._timers.later(LOOK_EVERY, self._look_again)
        told = [self._lines[name] for name in self._rows if name in team and name != username]
        return b"".join(told) + replies.COLLEAGUES_END

    def forget(self, session_id: int) -> None:
        """This session is over, or wants to hear no more. Harmless if it never asked."""
        self._subscribers.pop(session_id, None)

    def _look_again(self) -> None:
        self._looking = bool(self._subscribers)
        if not self._looking:
            self._rows, self._lines = {}, {}
            return
        before = self._rows
        rows = colleague_rows(self._configuration, self._look())
        changed = [name for name, row in rows.items() if before.get(name) != row]
        gone = [name for name in before if name not in rows]
        self._take_up(rows)
        if changed or gone:
            self._announce(changed, gone)
        self._timers.later(LOOK_EVERY, self._look_again)

    def _announce(self, changed: list[str], gone: list[str]) -> None:
        """To everybody what concerns him, put together once for a team; nobody hears of himself."""
        news = {name: self._lines[name] for name in changed}
        news |= {name: replies.colleague_gone(name) for name in gone}
        pieces: dict[frozenset[str], bytes] = {}
        for session_id, subscriber in list(self._subscribers.items()):
            team, own = subscriber.team, subscriber.username
            if own in news:
                lines = b"".join([line for name, line in news.items() if name in team and name != own])
            elif team in pieces:
                lines = pieces[team]
            else:
                lines = pieces[team] = b"".join([line for name, line in news.items() if name in team])
            if lines and not self._tell(session_id, lines):
                self.forget(session_id)

    def _tell_difference(self, session_id: int, before: _Subscriber, now: frozenset[str]) -> None:
        came, went = now - before.team - {before.username}, before.team - now - {before.username}
        lines = [self._lines[name] for name in self._rows if name in came]
        lines += [replies.colleague_gone(name) for name in sorted(went) if name in self._rows]
        if lines and not self._tell(session_id, b"".join(lines)):
            self.forget(session_id)

    def _take_up(self, rows: Mapping[str, ColleagueRow]) -> None:
        before, lines = self._rows, self._lines
        self._lines = {
            name: lines[name] if before.get(name) == row else replies.colleague(*row)
            for name, row in rows.items()
        }
        self._rows = rows

    def _team(self, username: str, known: _Teams) -> frozenset[str]:
        """An equal set that is there already, if one is."""
        team = team_of(self._configuration, username)
        return known.setdefault(team, team)


_Teams: TypeAlias = dict[frozenset[str], frozenset[str]]

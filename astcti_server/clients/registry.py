"""Who is logged in, and where: the sessions by id, operator and extension. Any thread.

One lock, a leaf: sessions are found under it and spoken to after it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from types import MappingProxyType

from astcti_server.clients.session import Session
from astcti_server.explain.server_marks import ServerMarks

_NOBODY: Mapping[str, str] = MappingProxyType({})


class Registry:
    """The sessions after `102 OK`: at most one for an operator, and one for a seat."""

    def __init__(self, marks: ServerMarks | None = None) -> None:
        """`marks` are told who comes and goes."""
        self._marks = marks if marks is not None else ServerMarks()
        self._lock = threading.Lock()
        self._by_id: dict[int, Session] = {}
        self._by_username: dict[str, Session] = {}
        self._by_extension: dict[str, Session] = {}
        self._present: dict[str, str] = {}
        self._seated_operators = _NOBODY
        self._last_id = 0

    @property
    def seated_operators(self) -> Mapping[str, str]:
        """Extension to user name of everyone on a seat. Never changes: a new mapping replaces it."""
        return self._seated_operators

    @property
    def count(self) -> int:
        """How many operators are logged in, on a seat or not."""
        return len(self._by_id)

    @property
    def logins(self) -> int:
        """How many sessions were entered since the start; one whose seat got known later counts twice."""
        return self._last_id

    @property
    def unsent(self) -> int:
        """Bytes that wait for all of them together."""
        return sum(session.unsent for session in self.sessions())

    def take(self, session: Session) -> list[Session]:
        """Enter a session by its operator and, once known, its seat; called again when the seat gets known.

        Gives the session a new id, larger than any before, so that of two sessions for one seat the later one
        is known, whichever was connected first. Returns the sessions that had the operator or the seat until
        now. They are out of the registry; the caller ends them.
        """
        with self._lock:
            of_operator = self._by_username.get(session.username)
            at_seat = self._by_extension.get(session.extension) if session.extension else None
            displaced = {
                other.id: other
                for other in (of_operator, at_seat)
                if other is not None and other is not session
            }
            for other in displaced.values():
                self._remove(other)
            # A new id also where only the seat gets known: what is still on its way for the old one, such as
            # the end of a queue's membership, must not be taken for this one.
            self._by_id.pop(session.id, None)
            self._last_id += 1
            session.numbered(self._last_id)
            self._by_id[session.id] = session
            self._by_username[session.username] = session
            if session.extension:
                self._by_extension[session.extension] = session
                self._present[session.extension] = session.username
            self._publish()
        for other in displaced.values():
            self._marks.taken_over(other.username, other.extension, session.username)
        self._marks.logged_in(session.username, session.extension)
        return list(displaced.values())

    def drop(self, session: Session) -> bool:
        """Take a session out, if it is (still) in. Never touches the one that took it over."""
        with self._lock:
            if self._by_id.get(session.id) is not session:
                return False
            self._remove(session)
            self._publish()
        self._marks.logged_out(session.username, session.extension, session.ending)
        return True

    def _remove(self, session: Session) -> None:
        del self._by_id[session.id]
        if self._by_username.get(session.username) is session:
            del self._by_username[session.username]
        if self._by_extension.get(session.extension) is session:
            del self._by_extension[session.extension]
            del self._present[session.extension]

    def _publish(self) -> None:
        # A whole copy costs microseconds even for thousands; made one by one it would take a login's time.
        self._seated_operators = MappingProxyType(self._present.copy())

    def sessions(self) -> list[Session]:
        """Everyone who is logged in."""
        with self._lock:
            return list(self._by_id.values())

    def of_operator(self, username: str) -> Session | None:
        """The session of an operator."""
        with self._lock:
            return self._by_username.get(username)

    def at_extension(self, extension: str) -> Session | None:
        """The session on a seat."""
        with self._lock:
            return self._by_extension.get(extension)

    def with_id(self, session_id: int) -> Session | None:
        """The session with an id."""
        with self._lock:
            return self._by_id.get(session_id)

    def send_to_session(self, session_id: int, line: bytes) -> bool:
        """Announce a line to one session. Never waits; False if it is over."""
        session = self.with_id(session_id)
        return session is not None and session.announce(line)

    def broadcast(self, line: bytes) -> None:
        """Announce a line to everyone who is logged in. Never waits."""
        for session in self.sessions():
            session.announce(line)

"""The register of the clients' handler threads: who is at work, from the accept to the very end.

An orderly stop waits for it, and it tells whether a thread was left behind: `threading` does not know these.
"""

from __future__ import annotations

import _thread
import socket
import threading
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from astcti_server.clients.session import Session
from astcti_server.threads import forget_light_thread, name_light_thread

Serve: TypeAlias = Callable[[str, socket.socket, Any], None]
"""A handler's work, from its name, its client's socket and address."""

STACK_SIZE = 256 * 1024
"""Bytes of address space for a handler. The deepest it goes is a log record."""


class HandlerThreads:
    """Handlers by name (`client-7`). Any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._sessions: dict[str, Session | None] = {}
        self._last = 0
        self._ending: Callable[[Session], None] | None = None

    @property
    def started(self) -> int:
        """How many handlers there were since the start."""
        return self._last

    def start(self, serve: Serve, request: socket.socket, address: Any) -> str:
        """Run `serve(name, request, address)` in a new thread; returns the name.

        Raises RuntimeError if there can be no thread.
        """
        with self._changed:
            self._last += 1
            name = f"client-{self._last}"
            self._sessions[name] = None
        usual = threading.stack_size(STACK_SIZE)
        try:
            # Not a threading.Thread: its start waits until the new thread runs, and the accept thread has to
            # give way a thousand times. A thousand logins at once, ten runs of each in turn on two busy
            # processors (Python 3.11): 4.9 s instead of 2.2 s, 1.9 s instead of 1.2 s of processor time, and
            # 1.2 kB more for each client.
            _thread.start_new_thread(self._run, (name, serve, request, address))
        except RuntimeError:
            self._end(name)
            raise
        finally:
            threading.stack_size(usual)
        return name

    def _run(self, name: str, serve: Serve, request: socket.socket, address: Any) -> None:
        name_light_thread(name)
        try:
            serve(name, request, address)
        finally:
            forget_light_thread()
            # A library may have asked for the thread's object, which Python before 3.13 keeps for ever.
            getattr(threading, "_active", {}).pop(threading.get_ident(), None)
            self._end(name)

    def _end(self, name: str) -> None:
        with self._changed:
            del self._sessions[name]
            self._changed.notify_all()

    def session_begun(self, name: str, session: Session) -> None:
        """A handler has a session now. It is ended at once if all sessions are being ended."""
        with self._changed:
            self._sessions[name] = session
            end = self._ending
        if end is not None:
            end(session)

    def end_sessions(self, end: Callable[[Session], None]) -> None:
        """End every session, also those that come later."""
        with self._changed:
            self._ending = end
        for session in self.sessions():
            end(session)

    def sessions(self) -> list[Session]:
        """All sessions, logged in or not."""
        with self._changed:
            return [session for session in self._sessions.values() if session is not None]

    def names(self) -> list[str]:
        """The handlers that are at work."""
        with self._changed:
            return list(self._sessions)

    def wait(self, seconds: float) -> list[str]:
        """Wait until no handler is left. Returns the names of those that are late."""
        deadline = time.monotonic() + seconds
        with self._changed:
            self._changed.wait_for(lambda: not self._sessions, max(0.0, deadline - time.monotonic()))
            return list(self._sessions)

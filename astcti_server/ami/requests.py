"""What is asked of Asterisk over one link: every action gets a number, is sent, and is answered exactly once.

Numbers are for any thread; everything else is the AMI thread's.
"""

from __future__ import annotations

import itertools
import logging
import secrets
from collections.abc import Callable
from functools import partial
from typing import Final

from astcti_server.ami.actions import Action
from astcti_server.ami.connection import Connection, ConnectionFailedError
from astcti_server.ami.loop import Loop
from astcti_server.ami.pending import Done, Outcome, PendingActions
from astcti_server.ami.privileges import Privileges
from astcti_server.ami.wire.event_filter import LIST_ENTRIES
from astcti_server.ami.wire.messages import Event, Response

logger = logging.getLogger(__name__)

ANSWER_WITHIN: Final = 30.0  # seconds, for what the link itself asks


class Requests:
    """The actions of one link. While there is no connection each is answered with `down`."""

    def __init__(self, loop: Loop, privileges: Privileges, broken: Callable[[Connection, str], None]) -> None:
        """`privileges` is told what was carried out or refused, `broken` when nothing can be sent."""
        self._loop = loop
        self._privileges = privileges
        self._broken = broken
        self._pending = PendingActions(loop.timers, self._answered)
        self._connection: Connection | None = None
        self._prefix = f"astcti-{secrets.token_hex(4)}-"
        self._numbers = itertools.count(1)

    @property
    def login_id(self) -> str:
        """The ActionID of the login's own actions."""
        return f"{self._prefix}login"

    @property
    def logoff_id(self) -> str:
        """The ActionID of the farewell."""
        return f"{self._prefix}logoff"

    def next_id(self) -> str:
        """An ActionID of its own. Any thread."""
        return f"{self._prefix}{next(self._numbers)}"

    def begin(self, connection: Connection) -> None:
        """Logged in: from now on actions go out."""
        self._connection = connection

    def end(self, reason: str) -> None:
        """The connection is gone: nobody gets an answer any more."""
        self._connection = None
        self._pending.fail_all(reason)

    def send(self, action_id: str, action: Action, data: bytes, done: Done, timeout: float) -> None:
        """Send an action's bytes; `done` gets the outcome."""
        connection = self._connection
        if connection is None:
            self._answered(action, Outcome(False, "Asterisk is not connected", failure="down"), done)
            return
        logger.debug("Action %s: %r", action_id, action)
        self._pending.add(action_id, action, done, timeout)
        try:
            connection.send(data)
        except ConnectionFailedError as error:
            # Whoever submits does not expect the link to go down meanwhile.
            self._loop.post(partial(self._broken, connection, str(error)))

    def ask(self, action: Action, done: Done, timeout: float = ANSWER_WITHIN) -> None:
        """Send an action at once."""
        action_id = self.next_id()
        self.send(action_id, action, action.encode(action_id), done, timeout)

    def take_response(self, response: Response) -> None:
        """Give a response to whom it belongs."""
        self._pending.take_response(response)

    def take_event(self, event: Event) -> bool:
        """Keep an event that is part of an answer, or of one that nobody waits for any more; else False."""
        listed = event.name in LIST_ENTRIES
        if (listed or self._pending.lists) and self._pending.take_event(event):
            return True
        return listed and bool(event.action_id)

    def _answered(self, action: Action, outcome: Outcome, done: Done) -> None:
        if outcome.ok:
            self._privileges.carried_out(action.name)
        elif outcome.failure == "refused":
            self._privileges.refused(action.name, outcome.message)
        self._loop.guarded(partial(done, outcome))

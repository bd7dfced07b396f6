"""One client's lines, in order: each to its command, and the reply back. Handler thread only; no sockets."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from astcti_server.audit.entries import Audit, AuditAction, AuditRecord, AuditValue, not_audited
from astcti_server.clients import addresses, replies
from astcti_server.clients.command_allowance import CommandAllowance
from astcti_server.clients.login_protection import LoginThrottle
from astcti_server.clients.password_checks.pool import Computation, ComputedT, PasswordPool
from astcti_server.clients.password_checks.scram_keys import ScramDirectory, ScramEntry
from astcti_server.clients.ports import ClientRequestsPort, NotCarriedOut
from astcti_server.clients.registry import Registry
from astcti_server.clients.session import Session
from schemas import wire
from schemas.passwords import PasswordChecker
from schemas.protocol import CommandName, Refusal
from schemas.scram import ScramExchange
from schemas.server.settings import ClientSettings
from schemas.wire import MAX_COMMAND, BadLine, CommandLine, LineBuffer, Oversize

ANSWER_TIME: Final = 5.5
"""Seconds until an awaited reply is given up. Who was asked has five, and knows better what went wrong."""
MAX_BAD_LINES: Final = 10
"""One after the other; a program that speaks the protocol sends none."""
MOST_WAITING_LINES: Final = 64
"""Lines that a client says while one waits; then it is not read, as a client without RESUME never is."""
SHOWN_BURST: Final = 1000
SHOWN_RATE: Final = 50.0
"""How many SHOWN may come at once, and a second: more than there are events. Each is AMI thread's work."""
LOOK_AGAIN: Final = 3600.0
"""Seconds at most until a handler looks at the time although nothing is due: `poll` takes no endless time."""


class UnansweredBadLine(BadLine):
    """A bad line to which nothing is said; it counts as one all the same."""


@dataclass(frozen=True, slots=True)
class HandlerContext:
    """What the handlers of all clients share. Every part may be called from any thread."""

    requests: ClientRequestsPort
    registry: Registry
    passwords: PasswordChecker
    pool: PasswordPool
    """Started and stopped by whoever made it."""
    scram: ScramDirectory
    login_throttle: LoginThrottle
    allowance: CommandAllowance
    audit: Audit
    clock: Callable[[], float]
    """Monotonic, in seconds."""

    @classmethod
    def of(
        cls,
        requests: ClientRequestsPort,
        registry: Registry,
        pool: PasswordPool,
        login_key: bytes,
        clock: Callable[[], float] = time.monotonic,
        audit: Audit = not_audited,
    ) -> HandlerContext:
        """The usual one. `login_key` is the secret of `ScramDirectory`."""
        passwords, scram = PasswordChecker(), ScramDirectory(login_key)
        throttle, allowance = LoginThrottle(clock), CommandAllowance(clock)
        return cls(requests, registry, passwords, pool, scram, throttle, allowance, audit, clock)


class Conversation:
    """What a client says, and the limits of time and patience. The session says when it is over."""

    __slots__ = (
        "_bad_lines",
        "_buffer",
        "_carry_out",
        "_computation",
        "_failed_logins",
        "_given_up",
        "_hung_up",
        "_last_line",
        "_lines",
        "_opened",
        "_patient",
        "_resume",
        "_shown_at",
        "_shown_left",
        "_ticket",
        "_until",
        "context",
        "login_name",
        "mac",
        "scram",
        "session",
    )

    def __init__(self, session: Session, context: HandlerContext, carry_out: CarryOut) -> None:
        """`carry_out` does what a line says: it returns the reply, or None if that comes later or was sent.

        It raises BadLine for a line out of order, NotCarriedOut for one that is not carried out.
        """
        self.session = session
        self.context = context
        self.login_name = ""
        """What USER said last; nobody is logged in by that."""
        self.mac = ""
        """Of a known seat; its phone is the operator's after the login."""
        self.scram: tuple[ScramExchange, ScramEntry] | None = None
        """A login by SCRAM that has begun, and what it goes by."""
        self._carry_out = carry_out
        self._failed_logins = 0
        self._buffer = LineBuffer(MAX_COMMAND)
        self._lines: list[bytes | Oversize] = []  # the next one last
        self._bad_lines = 0
        self._opened = self._last_line = context.clock()
        self._hung_up = False
        self._shown_left, self._shown_at = float(SHOWN_BURST), self._opened
        self._ticket = 0
        self._patient = False
        self._until = 0.0
        self._given_up = b""
        self._resume: Callable[[], bytes | None] | None = None
        self._computation: Computation[Any] | None = None

    @property
    def idle(self) -> bool:
        """Whether no line of the client waits."""
        return not self._lines and self._resume is None and not self.session.waiting

    @property
    def listening(self) -> bool:
        """Whether the client's next lines are read: not while one waits, unless it may say SHOWN."""
        return self.idle or (self._says_shown and not self._hung_up and len(self._lines) < MOST_WAITING_LINES)

    def hang_up(self) -> None:
        """Nothing more comes from the client: once nothing waits any more, it will be found so again."""
        self._hung_up = True

    def receive(self, data: bytes) -> None:
        """Bytes of the client."""
        lines = self._buffer.feed(data)
        if lines:
            if self._says_shown:  # as it came, whatever waits: it is about that moment
                lines = [line for line in lines if not self._taken_at_once(line)]
            self._lines = [*reversed(lines), *self._lines]
            self._last_line = self.context.clock()

    def proceed(self) -> None:
        """Do what can be done now: the wait that is over, then the lines up to the next wait."""
        session = self.session
        if self._resume is not None and self._due():
            resume, self._resume, self._computation = self._resume, None, None
            self._answer(resume)
        if session.waiting and self.context.clock() >= self._until:
            session.complete(self._ticket, self._given_up)
        if self._patient and self._resume is None and not session.waiting:
            self._patient = False
            self._last_line = self.context.clock()  # what it said meanwhile was not read
        while self._lines and self._resume is None and not session.waiting and not session.ending:
            self._answer(partial(self._obey, self._lines.pop()))

    def time_left(self, limits: ClientSettings) -> float:
        """Seconds until `proceed` or `check_time` has something to do."""
        now = self.context.clock()
        timed = self._resume is not None and self._computation is None
        until = self._until if timed or self.session.waiting else math.inf
        return min(LOOK_AGAIN, max(0.0, min(until, *self._deadlines(limits)) - now))

    def check_time(self, limits: ClientSettings) -> None:
        """End the session of a client that is silent for too long, or takes too long to log in."""
        now = self.context.clock()
        login, keep_alive = self._deadlines(limits)
        if now >= login:
            text = Refusal.LOGIN_TIME_EXPIRED.text()
            self.session.close(text, replies.refused(text))
        elif now >= keep_alive and not self._patient:  # the end of its wait was not taken up yet
            self.session.close(Refusal.KEEP_ALIVE_EXPIRED.text(), replies.KEEP_ALIVE_EXPIRED)

    def _deadlines(self, limits: ClientSettings) -> tuple[float, float]:
        computing = self._computation is not None  # that is our time, not the client's
        login = math.inf if self.session.username or computing else self._opened + limits.login_time
        return login, self._last_line + limits.keep_alive if self.idle else math.inf

    # -- for the commands ----------------------------------------------------------------------------------

    def user_named(self, username: str) -> None:
        """USER: whose password comes next."""
        self.login_name = username

    def seat_named(self, mac: str) -> None:
        """MAC: at which seat the client is, a known one."""
        self.mac = mac

    def scram_begun(self, exchange: ScramExchange, entry: ScramEntry) -> None:
        """SCRAM: the client's proof comes next."""
        self.scram = exchange, entry

    def scram_over(self) -> None:
        """SCRAM: the client has given its proof, or gives up."""
        self.scram = None

    def login_failed(self) -> int:
        """Count a wrong password. Returns how many there were on this connection."""
        self._failed_logins += 1
        return self._failed_logins

    def record(self, action: AuditAction, **details: AuditValue) -> None:
        """Put into the audit what this operator did, at which phone and from where. Any thread."""
        session = self.session
        who = {"user": session.username, "extension": session.extension, "address": session.address}
        self.context.audit(AuditRecord(action, who | details))

    def take_allowance(self) -> None:
        """A command makes work for Asterisk. Raises NotCarriedOut if this operator gave too many."""
        limits = self.context.requests.settings().clients
        self.context.allowance.take(self.session.username, limits)

    def take_shown_allowance(self) -> None:
        """A client says SHOWN. Raises BadLine if it does so far too often."""
        now = self.context.clock()
        left = self._shown_left + (now - self._shown_at) * SHOWN_RATE
        self._shown_left, self._shown_at = min(float(SHOWN_BURST), left), now
        if self._shown_left < 1.0:
            raise BadLine(Refusal.TOO_MANY_COMMANDS.text(seconds=1))
        self._shown_left -= 1.0

    def wait(self, given_up: bytes) -> int:
        """The command's reply comes from elsewhere, through `session.complete` with this ticket.

        `given_up` is the reply if nothing has come in `ANSWER_TIME`.
        """
        self._given_up = given_up
        self._until = self.context.clock() + ANSWER_TIME
        self._ticket = self.session.wait()
        self._patient = True
        return self._ticket

    def later(self, seconds: float, work: Callable[[], bytes | None]) -> None:
        """Let the client wait, then go on with its command. Its time to log in stands still meanwhile."""
        self._until = self.context.clock() + seconds
        self._opened += seconds
        self._resume = work
        self._patient = True

    def compute(
        self, username: str, work: Callable[[], ComputedT], then: Callable[[ComputedT], bytes | None]
    ) -> None:
        """Have `work` done by the pool's threads, then go on with the command: `then` gets what came of it.

        It waits for its turn among those with this user name at this client's address.
        `work` has to leave this conversation alone. The client waits as long as it takes: the time to log in
        stands still, and no reply is given up.
        """
        began = self.context.clock()
        address = self.session.address
        computation = self.context.pool.compute(
            addresses.network(address),
            username,
            work,
            self.session.rouse,
            suspect=self.context.login_throttle.suspects(address, username),
        )

        def go_on() -> bytes | None:
            self._opened += self.context.clock() - began
            return then(computation.result())

        self._computation = computation
        self._resume = go_on
        self._patient = True

    def over(self) -> None:
        """The session ended: nothing is waited for any more."""
        if self._computation is not None:
            self.context.pool.forget(self._computation)

    def _due(self) -> bool:
        if self._computation is not None:
            return self._computation.done
        return self.context.clock() >= self._until

    # -- one line ------------------------------------------------------------------------------------------

    @property
    def _says_shown(self) -> bool:
        return self.session.resume is not None and self.session.presence is not None

    def _taken_at_once(self, line: bytes | Oversize) -> bool:
        if isinstance(line, Oversize) or line[: len(_SHOWN)].rstrip().upper() != _SHOWN.rstrip():
            return False
        if not self.session.ending:
            self._answer(partial(self._obey, line))
        return True

    def _answer(self, run: Callable[[], bytes | None]) -> None:
        try:
            reply = run()
        except NotCarriedOut as refused:
            self.session.send(replies.refused(str(refused)))
        except BadLine as error:
            self._bad_line(str(error), answered=not isinstance(error, UnansweredBadLine))
        else:
            self._bad_lines = 0
            if reply:
                self.session.send(reply)

    def _obey(self, line: bytes | Oversize) -> bytes | None:
        if isinstance(line, Oversize):
            raise BadLine(Refusal.LINE_TOO_LONG.text(limit=line.limit))
        return self._carry_out(self, wire.parse_command(line))

    def _bad_line(self, reason: str, *, answered: bool) -> None:
        self._bad_lines += 1
        reply = replies.refused(reason) if answered else b""
        if self._bad_lines < MAX_BAD_LINES:
            self.session.send(reply)
        else:
            self.session.close(f"too many bad lines, the last: {reason}", reply)


_SHOWN: Final = f"{CommandName.SHOWN} ".encode()
CarryOut: TypeAlias = Callable[[Conversation, CommandLine], bytes | None]

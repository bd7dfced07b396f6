"""What the client says on one connection and what it makes of the answers. No I/O: bytes in, bytes out.

Used by the network thread alone. The order of the replies is the order of the commands, so each command waits
in a queue until its last reply came; every other numbered line is an announcement.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from astcti_client.net.login import REPLY_TIME, Answered, LogIn, is_end
from astcti_client.net.login_memory import LoginMemory
from astcti_client.net.messages import (
    ConnectionMessage,
    ConnectionState,
    IssuedCommand,
    Protection,
    ResumeOver,
    Sent,
    ServerEvent,
    ServerReply,
    Unanswered,
    Unreadable,
)
from astcti_client.net.resume_memory import ResumeMemory
from astcti_client.password import Password
from schemas.events import CallEvent
from schemas.protocol import CommandName, PauseWord, Refusal, ReplyCode
from schemas.sentences import said
from schemas.wire import MAX_COMMAND, MAX_EVENT, BadLine, LineBuffer, Oversize, Reply, parse_server_line

logger = logging.getLogger(__name__)

WELCOME_TIME = 10.0  # seconds for the first line
GOODBYE_TIME = 3.0  # seconds for the reply to QUIT
CHECK_TIME = 4.0  # seconds for the reply to a NOOP after the PC has slept
USUAL_KEEP_ALIVE = 60.0  # seconds; taken if the server does not tell
NOOPS_PER_KEEP_ALIVE = 3  # two of them may get lost before the server gives up
LEAST_KEEP_ALIVE = 1.0  # seconds; a server that tells less does not get a flood of NOOPs
TRUSTED: tuple[Protection, ...] = ("verified", "loopback")  # from there the server's word is its own
MOST_UNREADABLE = 20  # lines in a row; then the peer does not speak this protocol

_REPLIES: dict[str, tuple[ReplyCode, ...]] = {
    CommandName.PASS: (ReplyCode.LOGGED_IN, ReplyCode.REFUSED),
    CommandName.SCRAM: (ReplyCode.SCRAM, ReplyCode.LOGGED_IN, ReplyCode.REFUSED),
    CommandName.CAPA: (ReplyCode.CAPABILITIES, ReplyCode.REFUSED),
    CommandName.SERVICES: (ReplyCode.SERVICE, ReplyCode.REFUSED),
    CommandName.TARGETS: (ReplyCode.TRANSFER_TARGET, ReplyCode.REFUSED),
    CommandName.QUEUES: (ReplyCode.OPERATORS_QUEUE, ReplyCode.REFUSED),
    CommandName.COLLEAGUES: (ReplyCode.COLLEAGUE, ReplyCode.OK, ReplyCode.REFUSED),
    CommandName.PHONE: (ReplyCode.PHONE, ReplyCode.REFUSED),
    CommandName.REASONS: (ReplyCode.PAUSE_REASON, ReplyCode.REFUSED),
    CommandName.WHY: (ReplyCode.EXPLANATION, ReplyCode.REFUSED),
    CommandName.WHO: (ReplyCode.OPERATOR, ReplyCode.REFUSED),
    CommandName.PAUSE: (
        ReplyCode.PAUSE_DONE,
        ReplyCode.PAUSE_PENDING,
        ReplyCode.PAUSE_REFUSED,
        ReplyCode.REFUSED,
    ),
    CommandName.QUIT: (ReplyCode.LOGGED_OUT,),
}
_USUAL_REPLIES = (ReplyCode.OK, ReplyCode.REFUSED)
# What the server says before it closes, unasked.
_EXPIRED = (Refusal.KEEP_ALIVE_EXPIRED.text(), Refusal.LOGIN_TIME_EXPIRED.text())
_FULL = (Refusal.TOO_MANY_CLIENTS.text(), Refusal.TOO_MANY_FROM_ADDRESS.text())
_LISTS = (
    ReplyCode.SERVICE,
    ReplyCode.TRANSFER_TARGET,
    ReplyCode.OPERATORS_QUEUE,
    ReplyCode.COLLEAGUE,
    ReplyCode.PAUSE_REASON,
    ReplyCode.EXPLANATION,
)  # these reply with several lines, the last being END


class Lost(Exception):
    """The connection is of no more use; another attempt may be. The text says why."""


class TurnedAway(Lost):
    """The server is there and takes no client now."""


class Farewell(Exception):
    """The server ends the session. `kind` is the word after BYE, or QUIT for the reply to our own QUIT."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(slots=True)
class _Pending:
    command: IssuedCommand
    verb: str
    time: float
    answered: Answered | None


class ServerConversation:
    """The state of one connection, from the welcome on."""

    def __init__(
        self,
        user: str,
        password: Password,
        macs: Sequence[str],
        *,
        deliver: Callable[[ConnectionMessage], None],
        clock: Callable[[], float],
        protection: Protection,
        keep_alive: float = 0.0,
        numbers: Iterator[int],
        memory: LoginMemory | None = None,
        resume: ResumeMemory | None = None,
    ) -> None:
        """`macs` are tried in this order; `keep_alive` is the time between NOOPs, 0 to follow the server.

        `numbers` gives each command its number. `memory` and `resume` are of earlier connections, if there
        were any.
        """
        self.outgoing = bytearray()
        self.up = False
        """Whether the log-in is over: then commands of the user may be said."""
        self._user = user
        self._protection: Protection = protection
        self._deliver = deliver
        self._clock = clock
        self._wanted_keep_alive = keep_alive
        self._noop_every = keep_alive or USUAL_KEEP_ALIVE / NOOPS_PER_KEEP_ALIVE
        self._lines = LineBuffer(MAX_EVENT)
        self._welcomed = False
        self._pending: deque[_Pending] = deque()
        self._deadline: float | None = clock() + WELCOME_TIME
        self._last_said = clock()
        self._numbers = numbers
        self._unreadable = 0
        self._pbx_up = True
        self._resume = resume or ResumeMemory()
        self.epoch = ""
        """What the numbers of events belong to; empty as long as none came."""
        self._returning: IssuedCommand | None = None
        """The end of a pause that was asked for without the PBX: its reply comes once that is back."""
        self._login = LogIn(
            user,
            password,
            macs,
            memory or LoginMemory(password),
            self._resume,
            say=self._say,
            deliver=deliver,
            keep_alive_told=self._follow_keep_alive,
            done=self._logged_in,
        )

    # --- what comes in ---

    def feed(self, data: bytes) -> None:
        """Take bytes from the server. Raises Lost, LoginRefused, PasswordWithheld or Farewell at the end."""
        for line in self._lines.feed(data):
            if isinstance(line, Oversize):
                self._count_unreadable("", f"a line of more than {line.limit} bytes")
                continue
            text = line.decode("utf-8", "replace")
            try:
                message = parse_server_line(line)
            except BadLine as error:
                self._count_unreadable(text, str(error))
                continue
            self._unreadable = 0
            if not isinstance(message, Reply):
                self._event(text, message)
            elif self._welcomed:
                self._reply(text, message)
            else:
                self._welcome(text, message)

    def _event(self, text: str, event: CallEvent) -> None:
        trusted = self._protection in TRUSTED
        if not event.seq or not self.epoch:
            self._deliver(ServerEvent(text, event, trusted))
            return
        known = self._resume.heard(event.seq)
        self._deliver(ServerEvent(text, event, trusted, self.epoch, self._clock(), known))

    def _count_unreadable(self, text: str, reason: str) -> None:
        self._deliver(Unreadable(text, reason))
        self._unreadable += 1
        if not self._welcomed or self._unreadable > MOST_UNREADABLE:
            raise Lost("what answers there is not an AsteriskCTI server; check host and port")

    def _welcome(self, text: str, reply: Reply) -> None:
        self._deliver(ServerReply(text, reply))
        if reply.number == ReplyCode.SESSION_ENDED:
            raise _farewell(reply)
        if reply.number != ReplyCode.OK:
            raise _turned_away(reply)
        self._welcomed = True
        self._deadline = None
        detail = f"logging in as {self._user}"
        self._deliver(ConnectionState("logging-in", detail, protection=self._protection))
        self._login.begin()

    def _reply(self, text: str, reply: Reply) -> None:
        late = self._late_return(reply)
        pending = None if late else self._answered_by(reply)
        final = reply.number not in _LISTS or is_end(reply) or pending is None
        shown = _shown(text, reply, pending)
        self._deliver(ServerReply(shown, reply, pending.command if pending else late, final))
        if reply.number in (ReplyCode.PBX_DOWN, ReplyCode.PBX_UP):
            self._pbx_changed(up=reply.number == ReplyCode.PBX_UP)
        if reply.number == ReplyCode.SESSION_ENDED:
            raise _farewell(reply)
        if reply.number == ReplyCode.LOGGED_OUT:
            raise Farewell(CommandName.QUIT, "logged out")
        if _is_full(reply):  # whoever has not logged in yet makes room for others
            raise _turned_away(reply)
        if pending is None:
            self._announced(reply)
            return
        if final:
            self._pending.popleft()
            self._await_next()
        if pending.answered is not None:
            pending.answered(reply)

    def _announced(self, reply: Reply) -> None:
        if reply.number == ReplyCode.SERVICES_CHANGED:
            self._login.ask_services()
        elif reply.number == ReplyCode.RESUMING:
            resumed = self._resume.resumed(reply)
            if resumed is None:
                logger.warning("the server resumes in a way that makes no sense: %s", reply.information)
            else:
                self.epoch = resumed.epoch
                self._deliver(resumed)
        elif reply.number == ReplyCode.RESUMED and self.epoch:
            self._deliver(ResumeOver())

    def _answered_by(self, reply: Reply) -> _Pending | None:
        if not self._pending or _is_full(reply):
            return None
        if reply.number in _USUAL_REPLIES and reply.text in _EXPIRED:
            return None
        first = self._pending[0]
        return first if reply.number in _REPLIES.get(first.verb, _USUAL_REPLIES) else None

    def _await_next(self) -> None:
        self._deadline = self._clock() + self._pending[0].time if self._pending else None

    def _pbx_changed(self, *, up: bool) -> None:
        self._pbx_up = up
        returning = [pending for pending in self._pending if not up and _ends_pause(pending.command)]
        for pending in returning:
            self._returning = pending.command
            self._pending.remove(pending)
        if returning:
            self._await_next()

    def _late_return(self, reply: Reply) -> IssuedCommand | None:
        if reply.number not in (ReplyCode.PAUSE_DONE, ReplyCode.PAUSE_REFUSED):
            return None
        command, self._returning = self._returning, None
        return command

    def _follow_keep_alive(self, seconds: float) -> None:
        seconds = max(seconds, LEAST_KEEP_ALIVE)
        every = seconds / NOOPS_PER_KEEP_ALIVE
        if self._wanted_keep_alive:
            every = min(self._wanted_keep_alive, seconds / 2)
        self._noop_every = every

    def _logged_in(self) -> None:
        self.up = True
        self._deliver(ConnectionState("up", f"logged in as {self._user}", protection=self._protection))

    # --- what goes out ---

    def say(self, command: IssuedCommand) -> None:
        """Say a command of the user's."""
        self._queue(command, command.line, REPLY_TIME, None)

    def shown(self, line: str) -> None:
        """Say that an event is on the screen, or why not; `line` is a SHOWN. It has no reply."""
        self._last_said = self._clock()
        self.outgoing += line.encode() + b"\n"
        self._deliver(Sent(IssuedCommand(next(self._numbers), line)))

    def quit(self) -> None:
        """Log out: Farewell("QUIT") follows, or Lost when the server does not answer in time. Once."""
        if not self._welcomed:
            raise Farewell(CommandName.QUIT, "stopped before the log-in")
        self._say(CommandName.QUIT, None, time=GOODBYE_TIME)
        self._deadline = self._clock() + GOODBYE_TIME

    def check_now(self) -> None:
        """Find out at once whether the server is still there: the PC slept and the connection may be gone."""
        if self._welcomed:
            self._say(CommandName.NOOP, None, time=CHECK_TIME)
            soon = self._clock() + CHECK_TIME
            self._deadline = min(self._deadline or soon, soon)

    def tick(self) -> None:
        """Say NOOP when it is time. Raises Lost if a reply is overdue."""
        now = self._clock()
        if self._deadline is not None and now >= self._deadline:
            if not self._welcomed:
                raise Lost(
                    "connected, but the server says nothing: it may be waiting for Asterisk"
                    " (if that goes on, its port may expect TLS: switch tls on)"
                )
            raise Lost(f"the server does not answer {self._pending[0].command.line}")
        if self._welcomed and now - self._last_said >= self._noop_every:
            self._say(CommandName.NOOP, None)

    def next_tick(self) -> float:
        """The clock's value at which `tick` has something to do."""
        noop = self._last_said + self._noop_every
        return noop if self._deadline is None else min(noop, self._deadline)

    def over(self) -> None:
        """Tell of the user's commands that got no reply."""
        for pending in self._pending:
            if pending.answered is None and pending.verb not in (CommandName.NOOP, CommandName.QUIT):
                self._deliver(Unanswered(pending.command))
        self._pending.clear()
        if self._returning is not None:
            self._deliver(Unanswered(self._returning))
            self._returning = None

    def _say(
        self, line: str, answered: Answered | None, *, time: float = REPLY_TIME, shown: str = ""
    ) -> None:
        self._queue(IssuedCommand(next(self._numbers), shown or line), line, time, answered)

    def _queue(self, command: IssuedCommand, line: str, time: float, answered: Answered | None) -> None:
        verb = line.partition(" ")[0].upper()
        if not self._pbx_up and _ends_pause(command):  # its reply comes once the PBX is back
            self._returning = command
        else:
            if not self._pending and self._deadline is None:
                self._deadline = self._clock() + time
            self._pending.append(_Pending(command, verb, time, answered))
        self._last_said = self._clock()
        self.outgoing += line.encode() + b"\n"
        self._deliver(Sent(command))


def checked_command(line: str) -> str:
    """The command as it may go out, without blanks around. Raises ValueError."""
    text = line.strip(" \t")
    if not text or not text.isprintable():
        raise ValueError(said("a command is one line of printable text"))
    if len(text.encode()) > MAX_COMMAND:
        raise ValueError(said("a command has at most {limit} bytes", limit=MAX_COMMAND))
    return text


def _ends_pause(command: IssuedCommand) -> bool:
    return command.line.upper().split() == [CommandName.PAUSE, PauseWord.OUT]


def _shown(text: str, reply: Reply, pending: _Pending | None) -> str:
    # With what the server says in SCRAM a reader of our output could try out passwords, as with a stored one.
    if pending is None or pending.verb != CommandName.SCRAM or reply.number == ReplyCode.REFUSED:
        return text
    return f"{reply.number} {reply.token} ***"


def _is_full(reply: Reply) -> bool:
    return reply.number == ReplyCode.REFUSED and reply.text in _FULL


def _turned_away(reply: Reply) -> TurnedAway:
    return TurnedAway(f"the server turned this client away: {reply.text or reply.token}")


def _farewell(reply: Reply) -> Farewell:
    kind, _, text = reply.text.partition(" ")
    return Farewell(kind.upper(), text.strip())

"""The log-in step by step: what the server can do, who we are, which seat this is, what it offers.

No I/O, and for the network thread alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Protocol

from astcti_client.net.login_memory import LoginMemory
from astcti_client.net.messages import (
    ConnectionMessage,
    OfferedService,
    OfferedTarget,
    OfferedTargets,
    OperatorFound,
    OwnQueue,
    OwnQueues,
    PauseReasons,
    SeatFound,
    SeatUnknown,
    Services,
)
from astcti_client.net.resume_memory import ResumeMemory
from astcti_client.password import Password
from schemas.protocol import NO_SEAT, SERVICE_TYPES, Capability, CommandName, QueueWord, ReplyCode, Word
from schemas.scram import BadScram, ScramClient
from schemas.wire import Reply

REPLY_TIME = 15.0  # seconds for a reply; the server itself waits at most 5 s for Asterisk
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?", re.ASCII)
# Seconds for the reply to a password: after a restart the server checks everybody's at once, and says nothing
# to those who wait for their turn (a thousand in a minute).
LOGIN_TIME = 120.0

Answered = Callable[[Reply], None]
"""What is to be done with each line of a reply."""


class LoginRefused(Exception):
    """The server did not take the user name or the password."""


class PasswordWithheld(Exception):
    """The log-in would not be safe, so it was not done. The text says why and what to do."""


class Say(Protocol):
    """Sends a line. `shown` is what may be shown of it, `time` how long its reply may take."""

    def __call__(
        self, line: str, answered: Answered, *, time: float = REPLY_TIME, shown: str = ""
    ) -> None: ...


class LogIn:
    """Goes from the welcome to the moment when commands of the user are welcome."""

    def __init__(
        self,
        user: str,
        password: Password,
        macs: Sequence[str],
        memory: LoginMemory,
        resume: ResumeMemory,
        *,
        say: Say,
        deliver: Callable[[ConnectionMessage], None],
        keep_alive_told: Callable[[float], None],
        done: Callable[[], None],
    ) -> None:
        """`macs` are tried in this order. `keep_alive_told` hears the server's keep-alive time in seconds."""
        self._user = user
        self._password = password
        self._macs = list(macs)
        self._memory = memory
        self._resume = resume
        self._scram = ScramClient(user, memory.secret)
        self._refused_macs: list[tuple[str, str]] = []
        self._knows_who = self._knows_targets = self._knows_queues = self._knows_scram = False
        self._knows_phone = False
        self._say = say
        self._deliver = deliver
        self._keep_alive_told = keep_alive_told
        self._done = done

    def begin(self) -> None:
        """Say the first command. LoginRefused and PasswordWithheld may come out of the answers."""
        self._say(CommandName.CAPA, self._capabilities_answered)

    def ask_services(self, then: Callable[[], None] | None = None) -> None:
        """Ask for the operator's services, and for where calls may be transferred to, and deliver both."""
        offered: list[OfferedService] = []

        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.SERVICE and not is_end(reply):
                context, _, name = reply.text.partition(" ")
                if reply.token in SERVICE_TYPES:
                    offered.append(OfferedService(reply.token, context, name.strip()))
                return
            self._deliver(Services(tuple(offered)))
            if self._knows_targets:
                self._ask_targets(then)
                return
            self._deliver(OfferedTargets(_targets_among(offered)))
            self._ask_queues(then)

        self._say(CommandName.SERVICES, answered)

    def _ask_targets(self, then: Callable[[], None] | None) -> None:
        targets: list[OfferedTarget] = []

        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.TRANSFER_TARGET and not is_end(reply):
                targets.append(OfferedTarget(reply.token, reply.text.strip()))
                return
            self._deliver(OfferedTargets(tuple(targets)))
            self._ask_queues(then)

        self._say(CommandName.TARGETS, answered)

    def _ask_queues(self, then: Callable[[], None] | None) -> None:
        queues: list[OwnQueue] = []

        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.OPERATORS_QUEUE and not is_end(reply):
                name, _, services = reply.text.partition(" ")
                queues.append(OwnQueue(name, reply.token == QueueWord.MAY_LEAVE, services.strip()))
                return
            if reply.number == ReplyCode.OPERATORS_QUEUE:  # a refusal does not say that there are none
                self._deliver(OwnQueues(tuple(queues)))
            if then is not None:
                then()

        if self._knows_queues:
            self._say(CommandName.QUEUES, answered)
        elif then is not None:
            then()

    def _user_answered(self, reply: Reply) -> None:
        if reply.number != ReplyCode.OK:
            raise LoginRefused(reply.text or "the user name was refused")
        line = f"{CommandName.PASS} {self._password.md5}"
        shown = f"{CommandName.PASS} ***"
        self._say(line, self._password_answered, time=LOGIN_TIME, shown=shown)

    def _password_answered(self, reply: Reply) -> None:
        if reply.number != ReplyCode.LOGGED_IN:
            raise LoginRefused(reply.text or "the password was refused")
        self._try_next_mac()

    def _begin_plain(self) -> None:
        if not self._memory.may_send_md5():
            raise PasswordWithheld(
                "the server took this log-in by SCRAM before and now asks for the password's MD5, which "
                "others on the way could use; if the server was changed on purpose, set allow-md5 = true"
            )
        self._say(f"{CommandName.USER} {self._user}", self._user_answered)

    def _say_scram(self, message: str, answered: Answered) -> None:
        self._say(
            f"{CommandName.SCRAM} {message}", answered, time=LOGIN_TIME, shown=f"{CommandName.SCRAM} ***"
        )

    def _scram_begun(self, reply: Reply) -> None:
        if reply.number != ReplyCode.SCRAM:  # stored so that there can be none
            self._begin_plain()
            return
        try:
            final = self._scram.final(reply.text)
        except BadScram as error:
            raise PasswordWithheld(f"the server's part of SCRAM is not to be trusted: {error}") from None
        self._say_scram(final, self._scram_answered)

    def _scram_answered(self, reply: Reply) -> None:
        if reply.number != ReplyCode.LOGGED_IN:
            raise LoginRefused(reply.text or "the password was refused")
        if not self._scram.server_proved(reply.text):
            raise PasswordWithheld(
                "the server did not prove that it knows the password; it may be another one in its place"
            )
        self._memory.scram_taken()
        self._try_next_mac()

    def _capabilities_answered(self, reply: Reply) -> None:
        words = reply.information.split() if reply.number == ReplyCode.CAPABILITIES else []
        for word in words:
            name, _, value = word.partition("=")
            if name == Capability.KEEPALIVE and _SECONDS.fullmatch(value) and float(value) > 0:
                self._keep_alive_told(float(value))
        self._knows_who = Capability.WHO in words
        self._knows_targets = Capability.TARGETS in words
        self._knows_queues = Capability.QUEUES in words
        self._knows_scram = Capability.SCRAM in words
        self._knows_phone = Capability.CONSULT in words
        if Capability.RESUME in words:
            # A refusal is as good as a server that does not have it: then the events carry no numbers.
            self._say(self._resume.command(), lambda _reply: self._begin_password())
        else:
            self._begin_password()

    def _begin_password(self) -> None:
        if self._knows_scram:
            self._say_scram(self._scram.first(), self._scram_begun)
        else:
            self._begin_plain()

    def _ask_operator(self) -> None:
        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.OPERATOR:
                extension, _, full_name = reply.text.partition(" ")
                found = "" if extension == NO_SEAT else extension
                self._deliver(OperatorFound(reply.token, found, full_name))
            self.ask_services(self._ask_reasons)

        if self._knows_who:
            self._say(CommandName.WHO, answered)
        else:
            self.ask_services(self._ask_reasons)

    def _try_next_mac(self) -> None:
        if not self._macs:
            self._deliver(SeatUnknown(tuple(self._refused_macs)))
            self._ask_operator()
            return
        mac = self._macs.pop(0)

        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.OK:
                self._deliver(SeatFound(mac, reply.text))
                self._ask_operator()
            else:
                self._refused_macs.append((mac, reply.text))
                self._try_next_mac()

        self._say(f"{CommandName.MAC} {mac}", answered)

    def _ask_reasons(self) -> None:
        reasons: list[str] = []

        def answered(reply: Reply) -> None:
            if reply.number == ReplyCode.PAUSE_REASON and not is_end(reply):
                reasons.append(reply.information)
                return
            self._deliver(PauseReasons(tuple(reasons)))
            if self._knows_phone:  # refused without a seat, which is as good as a phone that can do nothing
                self._say(CommandName.PHONE, lambda _reply: self._done())
            else:
                self._done()

        self._say(CommandName.REASONS, answered)


def _targets_among(services: Sequence[OfferedService]) -> tuple[OfferedTarget, ...]:
    """What a server that cannot tell surely takes: contexts of inbound services alone."""
    outbound = {service.context for service in services if service.type == "outbound"}
    return tuple(
        OfferedTarget(service.context, service.name)
        for service in services
        if service.context not in outbound
    )


def is_end(reply: Reply) -> bool:
    """Whether this is the last line of a list."""
    return reply.token == Word.END and not reply.text

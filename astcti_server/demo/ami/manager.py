"""One AMI connection of the demo PBX: its login, what it may do and wants to hear, and its actions.

No sockets: actions go in as headers, bytes come out through `send`. Texts are Asterisk's own.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from astcti_server.demo.ami import manager_lists
from astcti_server.demo.ami.blocks import DemoEvent, Fields, encode
from astcti_server.demo.calls.channels import Channel
from astcti_server.demo.calls.members import ActionRefused
from astcti_server.demo.calls.switch import ScheduledWork

if TYPE_CHECKING:
    from astcti_server.demo.calls.engine import Engine

AMI_VERSION = "11.0.0"  # what Asterisk 22 says
MOST_DIGITS = 10  # of a number in an action
LOGIN_PAUSE = 1.0  # seconds that a wrong secret costs

ALL_CLASSES = frozenset(
    {
        "system",
        "call",
        "log",
        "verbose",
        "agent",
        "user",
        "config",
        "command",
        "dtmf",
        "reporting",
        "cdr",
        "dialplan",
        "originate",
        "agi",
        "cc",
        "aoc",
        "test",
        "security",
        "message",
    }
)


@dataclass(frozen=True, slots=True)
class AmiUser:
    """A section of manager.conf."""

    name: str = "astcti"
    secret: str = "astcti"
    read: frozenset[str] = ALL_CLASSES
    write: frozenset[str] = ALL_CLASSES


class ActionHeaders:
    """An action's headers; names in any case, values may repeat."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def get(self, key: str, default: str = "") -> str:
        return next((value for name, value in self._fields if name.lower() == key.lower()), default)

    def get_all(self, key: str) -> list[str]:
        return [value for name, value in self._fields if name.lower() == key.lower()]

    def truth(self, key: str) -> bool:
        return self.get(key).lower() in {"true", "yes", "1", "on", "y", "t"}

    def number(self, key: str, default: int = 0) -> int:
        text = self.get(key)
        return int(text) if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS else default

    @property
    def action_id(self) -> Fields:
        text = self.get("ActionID")
        return [("ActionID", text)] if text else []


@dataclass
class Filters:
    """What a connection wants to hear, beyond the classes."""

    shown: list[re.Pattern[str]] = field(default_factory=list)
    hidden: list[re.Pattern[str]] = field(default_factory=list)

    def add(self, text: str) -> None:
        """A regular expression; `!` before it hides what fits. Raises re.error."""
        target = self.hidden if text.startswith("!") else self.shown
        target.append(re.compile(text.removeprefix("!"), re.MULTILINE))

    def let_through(self, data: bytes) -> bool:
        if not self.shown and not self.hidden:
            return True
        text = data.decode("utf-8", "replace")
        if self.shown and not any(pattern.search(text) for pattern in self.shown):
            return False
        return not any(pattern.search(text) for pattern in self.hidden)


@dataclass(frozen=True, slots=True)
class DemoAction:
    """Something that an AMI client can ask for."""

    name: str
    act: Callable[[ManagerSession, ActionHeaders], None]
    classes: tuple[str, ...]
    """Permission for one of these is needed; none: everybody may."""

    def allowed(self, user: AmiUser) -> bool:
        return not self.classes or not user.write.isdisjoint(self.classes)


@dataclass
class ManagerSession:
    """Begin with `greet`; every event of the engine is offered to `hear`, after the responses."""

    engine: Engine
    users: dict[str, AmiUser]
    actions: Mapping[str, DemoAction]
    send: Callable[[bytes], None]
    close: Callable[[], None]
    login_pause: float = LOGIN_PAUSE
    user: AmiUser | None = None
    wanted: frozenset[str] = ALL_CLASSES
    _challenge: str = ""
    _filters: Filters = field(default_factory=Filters)
    _turning_away: ScheduledWork | None = None

    def greet(self) -> None:
        self.send(f"Asterisk Call Manager/{AMI_VERSION}\r\n".encode())

    def hear(self, event: DemoEvent, data: bytes) -> None:
        """Send the event, encoded already, to whoever may and wants to hear it."""
        if self.user is None or event.privilege not in self.user.read or event.privilege not in self.wanted:
            return
        if self._filters.let_through(data):
            self.send(data)

    def act(self, headers: ActionHeaders) -> None:
        """Carry out one action."""
        if self._turning_away is not None:
            return  # Asterisk sleeps in that second, and reads nothing of this connection any more
        name = headers.get("Action")
        known = self.actions.get(name.lower())
        if not name:
            self.error(headers, "Missing action in request")
        elif self.user is None and name.lower() not in {"login", "challenge", "logoff"}:
            self.error(headers, "Permission denied")
        elif known is None:
            self.error(
                headers,
                f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands.",
            )
        elif self.user is not None and not known.allowed(self.user):
            self.error(headers, "Permission denied")
        else:
            try:
                known.act(self, headers)
            except ActionRefused as refusal:
                self.error(headers, str(refusal))

    def respond(self, headers: ActionHeaders, *fields: tuple[str, str], response: str = "Success") -> None:
        self.send(encode([("Response", response), *headers.action_id, *fields]))

    def ack(self, headers: ActionHeaders, message: str) -> None:
        self.respond(headers, ("Message", message))

    def error(self, headers: ActionHeaders, message: str) -> None:
        self.respond(headers, ("Message", message), response="Error")

    def stop(self) -> None:
        """The connection is gone."""
        if self._turning_away is not None:
            self._turning_away.cancel()

    # -- login --------------------------------------------------------------------------------------------

    def challenge(self) -> str:
        self._challenge = str(self.engine.chance.randrange(10**8, 10**9))
        return self._challenge

    def log_in(self, headers: ActionHeaders) -> None:
        user = self.users.get(headers.get("Username"))
        if user is None or not self._proven(user, headers):
            self._turning_away = self.engine.scheduler.later(
                self.login_pause, lambda: self._turn_away(headers)
            )
            return
        self.user = user
        if headers.get("Events"):
            self.want(headers.get("Events"))
        self.ack(headers, "Authentication accepted")
        booted = DemoEvent(
            "FullyBooted",
            "system",
            (
                ("Uptime", str(int(self.engine.scheduler.clock() - self.engine.started))),
                ("LastReload", str(int(self.engine.scheduler.clock() - self.engine.started))),
                ("Status", "Fully Booted"),
            ),
        )
        self.hear(booted, booted.encode())

    def want(self, mask: str) -> bool:
        """Take an event mask: on, off, or classes. True if anything is wanted."""
        text = mask.strip().lower()
        if text in {"on", "all", "yes", "true", "1"}:
            self.wanted = ALL_CLASSES
        elif text in {"off", "no", "none", "false", "0"}:
            self.wanted = frozenset()
        else:
            self.wanted = frozenset(part.strip() for part in text.split(","))
        return bool(self.wanted)

    def add_filter(self, text: str) -> None:
        self._filters.add(text)

    def _proven(self, user: AmiUser, headers: ActionHeaders) -> bool:
        if headers.get("AuthType").upper() == "MD5":
            right = hashlib.md5((self._challenge + user.secret).encode(), usedforsecurity=False).hexdigest()
            return bool(self._challenge) and hmac.compare_digest(headers.get("Key").encode(), right.encode())
        return hmac.compare_digest(headers.get("Secret").encode(), user.secret.encode())

    def _turn_away(self, headers: ActionHeaders) -> None:
        self.error(headers, "Authentication failed")
        self.close()

    def channel(self, headers: ActionHeaders, message: str = "No such channel") -> Channel:
        """The channel that an action names. Raises ActionRefused."""
        found = self.engine.by_name(headers.get("Channel"))
        if found is None:
            raise ActionRefused(message)
        return found

    def status(self, headers: ActionHeaders) -> bytes:
        names = [name.strip() for name in headers.get("Variables").split(",") if name.strip()]
        chosen = [self.channel(headers)] if headers.get("Channel") else list(self.engine.channels.values())
        return manager_lists.status(self.engine, headers.action_id, chosen, names)

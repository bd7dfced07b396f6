"""The actions that the server asks of Asterisk, as frozen values. No I/O.

Values are not escaped, for Asterisk knows no escaping: encoding an action with a line break in it fails.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from astcti_server.ami.wire.parser import LONGEST_LINE, encode_action

_SECRET_HEADERS: Final = frozenset({"Secret", "Key"})
_LONGEST_VARIABLES: Final = LONGEST_LINE - len("Variables: ") - 2


@dataclass(frozen=True, slots=True)
class Action:
    """One action without its ActionID. Safe to log: its `repr` hides secrets."""

    name: str
    headers: tuple[tuple[str, str], ...] = ()
    list_end: str = ""
    """The event that ends the answer of an action which lists something; empty for any other action."""

    def encode(self, action_id: str) -> bytes:
        """The bytes for the wire. Raises ValueError for values that Asterisk would misread."""
        return encode_action((("Action", self.name), ("ActionID", action_id), *self.headers))

    def __repr__(self) -> str:
        shown = (f"{key}={'***' if key in _SECRET_HEADERS else value!r}" for key, value in self.headers)
        return f"{self.name}({' '.join(shown)})"


def challenge() -> Action:
    """Ask for a challenge, so that the secret does not travel."""
    return Action("Challenge", (("AuthType", "MD5"),))


def login_challenge(username: str, secret: str, challenge: str) -> Action:
    """Log in with the answer to a challenge; all events that the user may read are wanted."""
    key = hashlib.md5((challenge + secret).encode(), usedforsecurity=False).hexdigest()
    return Action("Login", (("AuthType", "MD5"), ("Username", username), ("Key", key), ("Events", "on")))


def login(username: str, secret: str) -> Action:
    """Log in with the secret itself."""
    return Action("Login", (("Username", username), ("Secret", secret), ("Events", "on")))


def logoff() -> Action:
    """Say goodbye; Asterisk closes the connection."""
    return Action("Logoff")


def ping() -> Action:
    """Ask whether Asterisk is there."""
    return Action("Ping")


def list_commands() -> Action:
    """List the actions that this user may ask for: each is a header of the response."""
    return Action("ListCommands")


def status(variables: Iterable[str] = ()) -> Action:
    """List all channels, with these variables (1.6.1 and later), as many as one line can name."""
    names = ",".join(variables)
    return Action("Status", (("Variables", names),) if names else (), list_end="StatusComplete")


def status_lists(variables: Iterable[str]) -> list[Action]:
    """As many `Status` actions as it takes to ask for all these variables; at least one."""
    groups = [""]
    for name in variables:
        longer = f"{groups[-1]},{name}" if groups[-1] else name
        if len(longer.encode()) <= _LONGEST_VARIABLES:
            groups[-1] = longer
        else:
            groups.append(name)
    return [status([names] if names else []) for names in groups]


def queue_status(queue: str = "") -> Action:
    """List members and callers of one queue, or of all."""
    return Action("QueueStatus", _given(Queue=queue), list_end="QueueStatusComplete")


def queue_add(
    queue: str,
    interface: str,
    penalty: int = 0,
    paused: bool = False,
    member_name: str = "",
    state_interface: str = "",
    reason: str = "",
) -> Action:
    """Make an interface a member of a queue, paused or not from the first moment on."""
    headers = (
        ("Queue", queue),
        ("Interface", interface),
        ("Penalty", str(penalty)),
        ("Paused", _truth(paused)),
    )
    more = _given(MemberName=member_name, StateInterface=state_interface, Reason=reason)
    return Action("QueueAdd", headers + more)


def queue_remove(queue: str, interface: str) -> Action:
    """End a membership."""
    return Action("QueueRemove", (("Queue", queue), ("Interface", interface)))


def queue_pause(interface: str, paused: bool, reason: str = "", queue: str = "") -> Action:
    """Pause a member in one queue, or in every queue it is in; or end its pause."""
    headers = (("Interface", interface), ("Paused", _truth(paused)))
    return Action("QueuePause", headers + _given(Queue=queue, Reason=reason))


def queue_penalty(queue: str, interface: str, penalty: int) -> Action:
    """Change a member's penalty (1.6 and later)."""
    return Action("QueuePenalty", (("Queue", queue), ("Interface", interface), ("Penalty", str(penalty))))


def originate(
    channel: str,
    context: str,
    exten: str,
    priority: int = 1,
    *,
    caller_id: str = "",
    timeout: float = 30.0,
    variables: Mapping[str, str] | None = None,
) -> Action:
    """Ring `channel` for at most `timeout` seconds, then send it to an extension.

    Always asynchronous, for otherwise Asterisk says nothing at all until the phone is answered: the response
    only says that the call is queued, and an OriginateResponse event tells the result.
    """
    headers = (
        ("Channel", channel),
        ("Context", context),
        ("Exten", exten),
        ("Priority", str(priority)),
        ("Timeout", str(int(timeout * 1000))),
        ("Async", "true"),
    )
    # One header each: within a header 1.4 separates variables by a pipe and later ones by a comma.
    assigned = tuple(("Variable", f"{name}={value}") for name, value in (variables or {}).items())
    return Action("Originate", headers + _given(CallerID=caller_id) + assigned)


def hangup(channel: str) -> Action:
    """Hang up a channel."""
    return Action("Hangup", (("Channel", channel),))


def redirect(channel: str, context: str, exten: str, priority: int = 1, *, extra_channel: str = "") -> Action:
    """Send a channel to an extension: a blind transfer. `extra_channel` goes to the same place."""
    headers = (("Channel", channel), ("Context", context), ("Exten", exten), ("Priority", str(priority)))
    extra = (
        ("ExtraChannel", extra_channel),
        ("ExtraContext", context),
        ("ExtraExten", exten),
        ("ExtraPriority", str(priority)),
    )
    return Action("Redirect", headers + extra if extra_channel else headers)


def getvar(channel: str, variable: str) -> Action:
    """Read a channel's variable; the response has it as `Value`."""
    return Action("Getvar", (("Channel", channel), ("Variable", variable)))


def event_filter(pattern: str) -> Action:
    """Add a filter for this connection's events (10 and later): a regular expression, `!` before it hides."""
    return Action("Filter", (("Operation", "Add"), ("Filter", pattern)))


def _given(**headers: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in headers.items() if value)


def _truth(value: bool) -> str:
    return "true" if value else "false"

"""How a command is declared, found, and its parameters checked, once for all of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from schemas.protocol import CommandName, Refusal
from schemas.wire import BadLine, CommandLine

if TYPE_CHECKING:
    from astcti_server.clients.conversation import Conversation

State = Literal["any", "before-login", "logged-in", "seated"]
"""When a command may be given."""

Run: TypeAlias = Callable[..., bytes | None]
"""Gets the conversation and the parameters. Returns the reply, or None if that is sent some other way."""

RunT = TypeVar("RunT", bound=Run)


class Refused(Exception):
    """A command in order that is not carried out: its text becomes `101 KO text`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A declared command. `readers` turn each parameter's text into its value, or raise BadLine."""

    token: CommandName
    state: State
    readers: tuple[Callable[[str], Any], ...]
    to_end: bool
    also_split: str
    run: Run

    def arguments(self, command: CommandLine) -> list[Any]:
        """The parameters' values. Raises BadLine."""
        words = command.args
        if self.also_split and len(words) == 1:
            words = tuple(words[0].split(self.also_split))
        if self.to_end:
            last = len(self.readers) - 1
            words = (*words[:last], command.after(last)) if len(words) >= last else ()
        if len(words) != len(self.readers):
            raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=self.token))
        return [read(word) for read, word in zip(self.readers, words, strict=True)]


_rules: dict[str, Rule] = {}


def command(
    token: CommandName,
    *readers: Callable[[str], Any],
    state: State,
    to_end: bool = False,
    also_split: str = "",
) -> Callable[[RunT], RunT]:
    """Declare a command; the function stays as it is.

    `to_end`: the last parameter reaches to the end of the line and may be empty. `also_split`: a character
    that may separate the parameters instead of blanks.
    """

    def declare(run: RunT) -> RunT:
        _rules[token] = Rule(token, state, readers, to_end, also_split, run)
        return run

    return declare


def find(token: str) -> Rule:
    """The command with this token. Raises BadLine."""
    try:
        return _rules[token]
    except KeyError:
        raise BadLine(Refusal.UNKNOWN_COMMAND.text()) from None


def check_state(rule: Rule, conversation: Conversation) -> None:
    """Raise BadLine if the command is out of place now."""
    session = conversation.session
    if rule.state == "any":
        return
    if rule.state == "before-login":
        if session.username:
            raise BadLine(Refusal.ALREADY_LOGGED_IN.text())
    elif not session.username:
        raise BadLine(Refusal.LOG_IN_FIRST.text())
    elif rule.state == "seated" and session.presence is None:
        raise BadLine(Refusal.MAC_FIRST.text())

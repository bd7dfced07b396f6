"""How a command is declared, found, and its parameters read, once for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from astcti_server.clients.conversation import Conversation
from schemas.protocol import CommandName, Refusal
from schemas.wire import BadLine, CommandLine

LoginStage = Literal["any", "before-login", "logged-in", "seated"]
"""When a command may be given."""

CommandFunction: TypeAlias = Callable[..., bytes | None]
"""Gets the conversation and the parameters. Returns the reply, or None if that is sent some other way.

Raises BadLine for what is out of order, NotCarriedOut for what is not carried out.
"""

CommandFunctionT = TypeVar("CommandFunctionT", bound=CommandFunction)


@dataclass(frozen=True, slots=True)
class CommandRule:
    """A declared command. `readers` turn each parameter's text into its value, or raise BadLine."""

    name: CommandName
    stage: LoginStage
    readers: tuple[Callable[[str], Any], ...]
    to_end: bool
    also_split: str
    silent: bool
    run: CommandFunction

    def check_stage(self, conversation: Conversation) -> None:
        """Raise BadLine if the command is out of place now."""
        session = conversation.session
        if self.stage == "any":
            return
        if self.stage == "before-login":
            if session.username:
                raise BadLine(Refusal.ALREADY_LOGGED_IN.text())
        elif not session.username:
            raise BadLine(Refusal.LOG_IN_FIRST.text())
        elif self.stage == "seated" and session.presence is None:
            raise BadLine(Refusal.MAC_FIRST.text())

    def parameters_of(self, line: CommandLine) -> list[Any]:
        """The parameters' values. Raises BadLine."""
        words = line.args
        if self.also_split and len(words) == 1:
            words = tuple(words[0].split(self.also_split))
        if self.to_end:
            last = len(self.readers) - 1
            words = (*words[:last], line.after(last)) if len(words) >= last else ()
        if len(words) != len(self.readers):
            raise BadLine(Refusal.WRONG_PARAMETER_COUNT.text(command=self.name))
        return [read(word) for read, word in zip(self.readers, words, strict=True)]


_rules: dict[str, CommandRule] = {}


def command(
    name: CommandName,
    *readers: Callable[[str], Any],
    stage: LoginStage,
    to_end: bool = False,
    also_split: str = "",
    silent: bool = False,
) -> Callable[[CommandFunctionT], CommandFunctionT]:
    """Declare a command; the function stays as it is.

    `to_end`: the last parameter reaches to the end of the line and may be empty. `also_split`: a character
    that may separate the parameters instead of blanks. `silent`: nothing is said to it, whatever it is.
    """

    def declare(run: CommandFunctionT) -> CommandFunctionT:
        _rules[name] = CommandRule(name, stage, readers, to_end, also_split, silent, run)
        return run

    return declare


def declared() -> Iterator[CommandRule]:
    """Every command of the modules imported so far."""
    return iter(_rules.values())


def rule_of(token: str) -> CommandRule:
    """The command that a line begins with, in upper case. Raises BadLine."""
    try:
        return _rules[token]
    except KeyError:
        raise BadLine(Refusal.UNKNOWN_COMMAND.text()) from None

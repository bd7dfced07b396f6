"""What server and client say to each other is spelled once, in schemas/protocol.py, and never again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from astcti_server.clients.commands import dispatch
from astcti_server.clients.commands.table import declared
from schemas.protocol import (
    KEEP_MEMBERS,
    ByeReason,
    Capability,
    CommandName,
    ControlCommand,
    ControlRefusal,
    PauseWord,
    Refusal,
    ReplyCode,
    Word,
)

ROOT = Path(__file__).parent.parent
MODULES = sorted(
    [
        *(ROOT / "astcti_server" / "clients").rglob("*.py"),
        *(ROOT / "astcti_server" / "queues").rglob("*.py"),
        *(ROOT / "astcti_server" / "control").rglob("*.py"),
        *(ROOT / "astcti_server").glob("*.py"),
        *(ROOT / "astcti_client").rglob("*.py"),
    ]
)
# What draws. There 100 is a width, so only what looks like a reply's number counts.
DRAWING = (
    ROOT / "astcti_client" / "cli.py",
    *(
        ROOT / "astcti_client" / "ui" / name
        for name in ("app", "browser", "desktop", "theme", "widgets", "windows")
    ),
)
# Where each refusal is said in the user's words, some of which are the same in English.
IN_THE_USERS_WORDS = ROOT / "astcti_client" / "ui" / "text" / "refusals.py"

# What others say in the same words.
OF_OTHERS = {
    "unknown command"  # Asterisk 1.4, of an action that it does not have
}
# One client hands a number to another one in a protocol of its own, which also says OK.
HAND_OVER = "hand_over/*.py"

NUMBERS = {int(code) for code in ReplyCode}
COMMANDS = {str(name) for name in (*CommandName, *ControlCommand)}
ON_THE_CONTROL_SOCKET = {str(refusal.value) for refusal in ControlRefusal}
WORDS = {KEEP_MEMBERS, *(str(word) for words in (Word, PauseWord, ByeReason, Capability) for word in words)}
ABOUT_REPLIES = re.compile("number|code|reply|answer|announce|tell|refus", re.IGNORECASE)

assert dispatch  # importing it declares the commands


def numbers_spelled(tree: ast.Module, *, drawing: bool) -> Iterator[int]:
    """Lines where a number of the table is used as one.

    Everywhere: compared with, matched, a key, or given to something that is about replies; also by way of a
    constant of the module. Where nothing is drawn: any such literal but the value of a module's constant.
    """
    constants = {
        target.id: statement.value
        for statement in tree.body
        if isinstance(statement, ast.Assign | ast.AnnAssign) and is_number(statement.value)
        for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        if isinstance(target, ast.Name)
    }

    def spelled(node: ast.AST) -> bool:
        return is_number(node) or (isinstance(node, ast.Name) and node.id in constants)

    for node in ast.walk(tree):
        for place in number_places(node):
            yield from (inner.lineno for inner in ast.walk(place) if spelled(inner))  # type: ignore[attr-defined]
        if not drawing and is_number(node) and node not in constants.values():
            yield node.lineno  # type: ignore[attr-defined]


def number_places(node: ast.AST) -> Iterator[ast.AST]:
    """Where, in this node, the number of a reply would stand."""
    match node:
        case ast.Compare(left=left, comparators=others) if ABOUT_REPLIES.search(ast.unparse(node)):
            yield from (left, *others)
        case ast.MatchValue(value=value):
            yield value
        case ast.Dict(keys=keys, values=values):
            yield from (key for key in keys if key is not None)
            yield from (value for value in values if isinstance(value, ast.Tuple))
        case ast.Call(func=function, args=arguments, keywords=named) if ABOUT_REPLIES.search(
            ast.unparse(function)
        ):
            yield from (*arguments, *(keyword.value for keyword in named))


def is_number(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int and node.value in NUMBERS


def texts_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Each text that is no docstring, with its line; `x` stands for the values in it."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    known = docstrings | inner
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "x" for part in node.values]
            yield node.lineno, "".join(map(str, parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in known:
            yield node.lineno, node.value


def texts_spelled(tree: ast.Module, *, drawing: bool) -> Iterator[tuple[int, str]]:
    """Texts that are a command, a refusal, or (where nothing is drawn) another word of the protocol."""
    for line, text in texts_of(tree):
        first = text.removeprefix("MAC address").split(" ")[0]  # which is no command
        filled = re.sub(r"{\w*}", "x", text)
        # "refused" is also a state
        refusal = (
            " " in text and text not in OF_OTHERS and (Refusal.of(filled) or text in ON_THE_CONTROL_SOCKET)
        )
        if first in COMMANDS or refusal or (not drawing and text in WORDS):
            yield line, text


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_number_command_or_refusal_is_spelled_outside_of_the_table(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    drawing = any(path.is_relative_to(folder) for folder in DRAWING)
    assert not sorted(set(numbers_spelled(tree, drawing=drawing)))
    if path != IN_THE_USERS_WORDS and not path.match(HAND_OVER):
        assert not list(texts_spelled(tree, drawing=drawing))


@pytest.mark.parametrize(
    "code",
    [
        "wire.reply(100, 'x')",
        "self._tell(somebody, 200, queue)",
        "if reply.number == 101: pass",
        "if reply.number in (901, 902): pass",
        "DONE = 300\nif reply.number == DONE: pass",
        "match reply.number:\n    case 310: pass",
        "match number:\n    case 300 | 302: pass",
        "NAMES = {200: 'joined'}",
        "REPLIES = {name: (300, 302)}",
        "reply = Reply(number=240)",
    ],
)
def test_a_number_of_the_table_is_noticed(code: str) -> None:
    assert list(numbers_spelled(ast.parse(code), drawing=True))
    assert list(numbers_spelled(ast.parse(code), drawing=False))


def test_other_numbers_are_no_concern() -> None:
    assert not list(
        numbers_spelled(ast.parse("LIMIT = 100\nwait(LIMIT)\nif reply.number == 4: pass"), drawing=False)
    )
    assert not list(numbers_spelled(ast.parse("label(width=300)\nif width < 200: pass"), drawing=True))
    assert list(numbers_spelled(ast.parse("x = y + 100"), drawing=False))


@pytest.mark.parametrize(
    "code",
    [
        "say('PAUSE')",
        "say(f'HANGUP {key}')",
        "say('MAC ' + mac)",
        "done('PBX down')",
        "done(f'no answer from the PBX within {ANSWER:.0f} seconds')",
        "TEXT = 'already at {extension}'",
        "say('STATUS')",
        "raise Held('no configuration is held')",
    ],
)
def test_a_command_or_a_refusal_is_noticed(code: str) -> None:
    assert list(texts_spelled(ast.parse(code), drawing=True))


def test_other_texts_are_no_concern() -> None:
    code = "def pause():\n    '''PAUSE is a command.'''\n    label('Pause the music')\n    label('OK')"
    assert not list(texts_spelled(ast.parse(code), drawing=True))
    assert [text for _, text in texts_spelled(ast.parse(code), drawing=False)] == ["OK"]


def test_every_command_of_the_table_can_be_given_and_no_other() -> None:
    assert sorted(rule.name for rule in declared()) == sorted(CommandName)

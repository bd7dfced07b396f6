"""The documents are complete and true: what a user can see or change is in them, what they name exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path

import click
import pytest
from lxml import etree

import astcti_client.cli
import astcti_server.cli.program
from astcti_client import headless
from astcti_client.settings_values import SETTING_READERS
from astcti_server import daemon
from astcti_server.cli import asking
from astcti_server.doctor import report
from astcti_server.doctor.examination import Diagnosis
from astcti_server.doctor.facts import Facts, FileFacts, ServerFacts
from astcti_server.doctor.findings import Finding, FindingCode, Severity
from astcti_server.status_file import StatusFile
from schemas import placeholders
from schemas.explanation.codes import RESERVED, Verdict
from schemas.protocol import (
    KEEP_MEMBERS,
    SERVICE_TYPES,
    UNCHECKED,
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
from schemas.version import VERSION

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *ROOT.glob("*.md")])
WIDTH = 120
OPERATIONS, CLIENT, WINDOW, PROTOCOL, CONFORMANCE = (
    (DOCS / f"{name}.md").read_text()
    for name in ("operations", "client", "client-window", "protocol", "conformance")
)
XS = "{http://www.w3.org/2001/XMLSchema}"
LEVELS = {"warning": "WARNING", "error": "ERROR", "exception": "ERROR", "critical": "CRITICAL"}


def section(text: str, heading: str) -> str:
    """A heading's text, down to the next one of its level."""
    level = heading.partition(" ")[0]
    start = text.index(f"{heading}\n") + len(heading)
    end = re.compile(rf"^#{{1,{len(level)}}} ", re.MULTILINE).search(text, start)
    return text[start : end.start() if end else len(text)]


def line_with(text: str, beginning: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(beginning))


def calls(path: Path) -> Iterator[ast.Call]:
    return (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call))


def text_of(node: ast.AST) -> str | None:
    """A text that is written there, if it is one."""
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


# -- the protocol ----------------------------------------------------------------------------------------


def cells(text: str, column: int) -> list[str]:
    """A column of each table's row, its header left out."""
    rows = [re.split(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("|")]
    headed = pairwise([*rows, ["", ""]])
    return [row[column].strip() for row, below in headed if "---" not in row[1] + below[1]]


def spans(text: str) -> list[str]:
    """What is written as code."""
    return re.findall(r"`([^`]+)`", text)


def test_every_command_of_the_protocol_is_documented_and_no_other() -> None:
    rows = cells(section(PROTOCOL, "## Commands"), 1)
    documented = [spans(row)[0].split()[0] for row in rows if spans(row)]
    assert sorted(set(documented)) == sorted(CommandName)


def test_everything_that_is_said_on_the_control_socket_is_documented_and_nothing_else() -> None:
    commands, refusals = section(PROTOCOL, "## The control socket").split("Beside the refusals below")
    documented = [spans(row)[0].split()[0] for row in cells(commands, 1) if spans(row)]
    assert sorted(documented) == sorted(ControlCommand)
    assert f"`{ControlCommand.STOP} [{KEEP_MEMBERS}]`" in commands
    reasons = [spans(cell)[0] for cell in cells(refusals, 1)]
    assert sorted(reasons) == sorted(refusal.value for refusal in ControlRefusal)
    assert all(cells(refusals, 2)) and all(cells(refusals, 3))


def test_every_number_that_the_server_sends_is_documented_and_no_other() -> None:
    headings = ("## Commands", "## Announcements", "## The control socket")
    tables = "".join(section(PROTOCOL, heading) for heading in headings)
    assert set(re.findall(r"`([0-9]{3})\b", tables)) == {str(code) for code in ReplyCode}


def test_every_word_of_a_reply_is_documented_and_no_other() -> None:
    tables = section(PROTOCOL, "## Commands") + section(PROTOCOL, "## Announcements")
    documented = set()
    for line in (span.split(maxsplit=1) for span in spans(tables) if re.match("[0-9]{3} ", span)):
        words = list(takewhile(lambda word: re.fullmatch("[A-Z]{2,}", word), line[1].split()))
        if words[:1] in ([Word.BYE], [Word.RESUME]):
            documented |= set(words)
        elif words[:1] != [Word.KO]:  # what follows that is a refusal
            documented.add(" ".join(words))
    known = {*Word, *PauseWord, *ByeReason, ""} - {Word.KO}
    assert documented - known == set()
    assert known - documented == set()


def test_what_an_unchecked_transfer_is_answered_with_is_documented() -> None:
    assert f"`{ReplyCode.OK} {Word.OK} {UNCHECKED}`" in line_with(PROTOCOL, "| `TRANSFER ")


@pytest.mark.parametrize("kind", SERVICE_TYPES)
def test_a_type_of_service_is_documented(kind: str) -> None:
    assert f"`{kind}`" in line_with(PROTOCOL, "| `SERVICES` |")


def test_the_capabilities_are_documented_in_their_order() -> None:
    told = spans(line_with(PROTOCOL, "| `CAPA` |"))[-1]
    assert [word.partition("=")[0] for word in told.split()] == [str(name) for name in Capability]


def test_every_refusal_is_documented_and_no_other() -> None:
    text = section(PROTOCOL, "## Refusals")
    documented = [spans(cell)[0] for cell in cells(text, 1)]
    assert sorted(documented) == sorted(refusal.value for refusal in Refusal)
    assert all(cells(text, 2)) and all(cells(text, 3))


# -- files -----------------------------------------------------------------------------------------------


def names_of(schema: str) -> list[str]:
    root = etree.parse(str(ROOT / "schemas" / schema)).getroot()
    return sorted(
        {str(node.get("name")) for kind in ("element", "attribute") for node in root.iter(XS + kind)}
    )


@pytest.mark.parametrize(
    ("schema", "name"),
    [(schema, name) for schema in ("server.xsd", "configuration.xsd") for name in names_of(schema)],
)
def test_a_setting_of_the_server_is_documented(schema: str, name: str) -> None:
    part = "### server.xml" if schema == "server.xsd" else "### The runtime configuration"
    assert re.search(rf"`<?{name}>?`", section(OPERATIONS, part))


@pytest.mark.parametrize("name", names_of("event.xsd"))
def test_a_part_of_an_event_is_documented(name: str) -> None:
    assert re.search(rf"[`<]{name}\b", section(PROTOCOL, "## Events"))


def test_the_defaults_of_server_xml_are_those_of_its_schema() -> None:
    root = etree.parse(str(ROOT / "schemas" / "server.xsd")).getroot()
    table = section(OPERATIONS, "### server.xml")
    for attribute in root.iter(XS + "attribute"):
        if (default := attribute.get("default")) is not None:
            shown = f"`{default}`" if default else r"\*\(empty\)\*"
            assert re.search(rf"\| `{attribute.get('name')}` \| {shown} \|", table), attribute.get("name")


@pytest.mark.parametrize("name", sorted(placeholders.BUILT_IN))
def test_a_placeholder_is_documented(name: str) -> None:
    assert f"`{name}`" in section(OPERATIONS, "### Placeholders")


def test_every_field_of_the_status_file_is_documented(tmp_path: Path) -> None:
    text = section(OPERATIONS, "### The status file")
    content = StatusFile(tmp_path / "status.json").content
    inner = [key for value in content.values() if isinstance(value, dict) for key in value]
    for field in [*content, *inner, "at", "errors"]:
        assert f"`{field}`" in text, field


# -- the command lines -----------------------------------------------------------------------------------


def options_of(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield from (
                option for option in (*parameter.opts, *parameter.secondary_opts) if option.startswith("--")
            )
    for inner in getattr(command, "commands", {}).values():
        yield from options_of(inner)


SERVER_OPTIONS, CLIENT_OPTIONS = (
    {*options_of(program), "--help"} for program in (astcti_server.cli.program.main, astcti_client.cli.main)
)


@pytest.mark.parametrize("option", sorted(SERVER_OPTIONS))
def test_an_option_of_the_server_is_documented(option: str) -> None:
    assert re.search(rf"`{option}\b", section(OPERATIONS, "## Running"))


@pytest.mark.parametrize("option", sorted(CLIENT_OPTIONS))
def test_an_option_of_the_client_is_documented(option: str) -> None:
    assert re.search(rf"`{option}\b", section(CLIENT, "## Options") + WINDOW)


@pytest.mark.parametrize("command", sorted(astcti_server.cli.program.main.commands))
def test_a_command_of_the_server_is_documented(command: str) -> None:
    assert re.search(rf"^\| `{command}\b", section(OPERATIONS, "## Running"), re.MULTILINE)


@pytest.mark.parametrize(
    "command", sorted(name for name, one in astcti_client.cli.main.commands.items() if not one.hidden)
)
def test_a_command_of_the_client_is_documented(command: str) -> None:
    assert re.search(rf"astcti-client {command}\b", CLIENT + WINDOW)


def test_no_option_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(r"`(--[a-z][a-z0-9-]*)", OPERATIONS + CLIENT + WINDOW))
    assert documented <= SERVER_OPTIONS | CLIENT_OPTIONS


@pytest.mark.parametrize("setting", sorted(SETTING_READERS))
def test_a_setting_of_the_client_is_documented(setting: str) -> None:
    options = section(CLIENT, "## Options") + section(WINDOW, "## Settings of the window")
    assert f"| `{setting}` |" in options or f"| | `{setting}` |" in CLIENT


def test_the_exit_codes_are_documented() -> None:
    of_server = {value for name, value in vars(daemon).items() if name.startswith("EXIT_")}
    of_client = {*headless.EXIT_CODES.values(), click.UsageError.exit_code}
    assert exit_codes(section(OPERATIONS, "## Running")) == of_server
    assert exit_codes(section(CLIENT, "## What it prints")) == of_client


def test_the_exit_codes_of_the_commands_that_ask_a_running_server_are_documented() -> None:
    codes = {value for name, value in vars(asking).items() if name.startswith("EXIT_")}
    text = section(OPERATIONS, "### Asking the running server")
    assert {int(code) for code in re.findall(r"^\| ([0-9]+) \|", text, re.MULTILINE)} == codes


ASKING = [
    "status",
    "sessions",
    "calls",
    "queues",
    "report",
    "kick",
    "pause",
    "unpause",
    "log-level",
    "accept",
    "stop",
]


@pytest.mark.parametrize("name", ASKING)
def test_the_help_of_a_command_that_asks_a_running_server_has_its_exit_codes(name: str) -> None:
    codes = {value for name, value in vars(asking).items() if name.startswith("EXIT_")}
    text = astcti_server.cli.program.main.commands[name].help or ""
    assert {int(code) for code in re.findall(r"^ +([0-9]+)  ", text, re.MULTILINE)} == codes


def exit_codes(text: str) -> set[int]:
    return {int(code) for code in re.findall(r"^\| `([0-9]+)` \|", text, re.MULTILINE)}


@pytest.mark.parametrize(
    ("program", "page"), [("astcti_server/daemon.py", OPERATIONS), ("astcti_client/stop_signals.py", CLIENT)]
)
def test_the_signals_are_documented(program: str, page: str) -> None:
    found = set(re.findall(r"signal\.(SIG[A-Z0-9]+)", (ROOT / program).read_text()))
    assert found
    assert not {name for name in found if f"`{name}`" not in page}


def test_the_marks_of_the_clients_output_are_documented() -> None:
    marks = {
        text
        for call in calls(ROOT / "astcti_client" / "headless.py")
        if isinstance(call.func, ast.Attribute) and call.func.attr == "_print"
        for node in ast.walk(call.args[0])
        if (text := text_of(node)) is not None
    }
    assert marks == set(re.findall(r"^\| `(\S\S)` \|", section(CLIENT, "## What it prints"), re.MULTILINE))


def test_every_finding_of_doctor_is_documented_and_no_other() -> None:
    text = section(OPERATIONS, "### doctor")
    documented = [code for cell in cells(text, 1) for code in spans(cell)]
    assert sorted(documented) == sorted(FindingCode)


def test_what_doctor_prints_as_json_is_documented(tmp_path: Path) -> None:
    found = Finding(FindingCode.CLOCK, Severity.NOTE, "here", "this", "that")
    facts = Facts(0.0, FileFacts(tmp_path), ServerFacts())
    told = report.as_document(Diagnosis((found,), "", facts))
    text = section(OPERATIONS, "### doctor")
    assert not {name for name in (*told, *told["findings"][0], *Severity) if f"`{name}`" not in text}


def test_the_exit_codes_of_doctor_are_those_of_its_help() -> None:
    codes = {value for name, value in vars(report).items() if name.startswith("EXIT_")}
    text = astcti_server.cli.program.main.commands["doctor"].help or ""
    assert {int(code) for code in re.findall(r"^ +([0-9]+)  ", text, re.MULTILINE)} == codes


# -- the log ---------------------------------------------------------------------------------------------


def messages() -> dict[str, set[str]]:
    """Each message at WARNING and above, `…` for what varies, with its levels ("" where that varies)."""
    found: dict[str, set[str]] = {}
    for package in ("astcti_server", "schemas"):
        for path in sorted((ROOT / package).rglob("*.py")):
            for level, text in messages_of(path):
                if re.search("[a-z]", text):  # the others are texts from elsewhere: problems, warnings
                    found.setdefault(text, set()).add(level)
    return found


def messages_of(path: Path) -> Iterator[tuple[str, str]]:
    for call in calls(path):
        if isinstance(call.func, ast.Attribute) and is_logger(call.func.value):
            text = text_of(call.args[1 if call.func.attr == "log" else 0])
            if call.func.attr in (*LEVELS, "log"):
                assert text is not None, f"{path}:{call.lineno}: a message is a literal, its values follow"
                yield LEVELS.get(call.func.attr, ""), re.sub(r"%[0-9.]*[a-z]", "…", text)
    for function in ast.walk(ast.parse(path.read_text())):
        if isinstance(function, ast.FunctionDef):
            yield from messages_put_off(function)


def messages_put_off(function: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    """Those that are collected as (level, text) to be logged by somebody else."""
    texts: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            texts.setdefault(node.targets[0].id, []).append(node.value)
    for node in ast.walk(function):
        if isinstance(node, ast.Tuple) and len(node.elts) == 2:
            level = ast.unparse(node.elts[0]).removeprefix("logging.")
            if level in LEVELS.values():
                text = node.elts[1]
                for value in texts.get(text.id, []) if isinstance(text, ast.Name) else [text]:
                    if isinstance(value, ast.JoinedStr):
                        yield level, "".join(text_of(part) or "…" for part in value.values)


def is_logger(node: ast.expr) -> bool:
    return ast.unparse(node) == "logger" or ast.unparse(node).startswith("logging.getLogger(")


MESSAGES = messages()
ROWS = dict(re.findall(r"^\| (?:WARNING|ERROR|CRITICAL) \| `(.+?)` \|()", OPERATIONS, re.MULTILINE))


@pytest.mark.parametrize("message", sorted(MESSAGES))
def test_a_message_of_the_log_is_explained(message: str) -> None:
    level = "|".join(filter(None, MESSAGES[message])) or "WARNING"
    assert re.search(rf"^\| ({level}) \| `{re.escape(message)}` \| \S", OPERATIONS, re.MULTILINE), message


def test_no_message_is_explained_that_does_not_exist() -> None:
    assert {row for row in ROWS if not row.startswith("FILE:LINE")} <= set(MESSAGES)


# -- what the documents name -----------------------------------------------------------------------------


def test_every_test_named_in_the_conformance_exists() -> None:
    named = set(re.findall(r"`([a-z_/]+\.py)::(\w+)`", CONFORMANCE))
    assert len(named) > 100
    tests: dict[str, set[str]] = {}
    for path in {path for path, _ in named}:
        tree = ast.parse((ROOT / "tests" / path).read_text())
        tests[path] = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert not {f"{path}::{name}" for path, name in named if name not in tests[path]}


def test_every_statement_of_the_conformance_has_a_test_or_is_said_to_come_later() -> None:
    rows = [line for line in CONFORMANCE.splitlines() if line.startswith("| ")]
    assert len(rows) > 100
    header = ("| the specification says |", "| what Asterisk does |", "| complaint |")
    assert not [
        row for row in rows if "::test_" not in row and "later" not in row and not row.startswith(header)
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = page.parent / name if name else page
        assert linked.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in anchors(linked.read_text()), f"{page.name}: {target}"


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_make_targets_that_the_documents_name_exist_and_all_are_named() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(line_with(makefile, ".PHONY:").split()[1:])
    text = "\n".join(page.read_text() for page in PAGES)
    named = set(re.findall(r"(?:`|^|sudo )make ([a-z-]+)", text, re.MULTILINE))
    assert named <= targets
    assert targets - named <= {"dist", "clean"}, "a target that nobody is told of"


def test_make_help_has_a_line_for_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    explained = set(re.findall(r"^([a-z-]+):.* ## \S", makefile, re.MULTILINE))
    assert explained == set(line_with(makefile, ".PHONY:").split()[1:])


def paragraphs(text: str) -> list[list[str]]:
    """The lines between empty ones, without code, tables, pictures and headings."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    found = [block.splitlines() for block in re.split(r"\n\s*\n", text) if block.strip()]
    return [[line for line in block if not line.lstrip().startswith(("|", "![", "#"))] for block in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_lines_of_a_page_can_be_read_in_any_window(page: Path) -> None:
    lines = [line for paragraph in paragraphs(page.read_text()) for line in paragraph]
    assert not [line for line in lines if len(line) > WIDTH]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_rows_of_a_table_stand_in_lines_of_their_own(page: Path) -> None:
    lines = page.read_text().splitlines()
    assert not [line for line in lines if "|---|" in line and not re.fullmatch(r" *\|(---\|)+", line)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_begins_with_one_sentence_about_its_purpose(page: Path) -> None:
    title, purpose = page.read_text().split("\n\n")[:2]
    assert title.startswith("# ")
    assert re.match("[A-Z`]", purpose)
    assert purpose.endswith(".")
    assert not re.search(r"[.;]\s", purpose)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_of_the_project_that_a_page_names_exist(page: Path) -> None:
    tops = "astcti_server|astcti_client|schemas|tests|docs"
    for name in re.findall(rf"`((?:{tops})/[\w./-]+)`", page.read_text()):
        assert (ROOT / name).exists(), f"{page.name}: {name}"


def test_every_page_can_be_reached_from_the_readme() -> None:
    linked = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", (ROOT / "README.md").read_text()))
    assert linked == {page.name for page in DOCS.glob("*.md")}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_an_installation_names_what_is_there_to_be_installed(page: Path) -> None:
    text = page.read_text()
    assert not re.findall(r"pip install ['\"]?asteriskcti", text)  # on no package index
    assert set(re.findall(r"asteriskcti-(\S+?)-py3", text)) <= {VERSION}


def test_every_verdict_is_explained_and_no_other() -> None:
    page = (DOCS / "pop-ups.md").read_text(encoding="utf-8")
    verdicts = {verdict.value for verdict in Verdict if verdict not in RESERVED}
    named = {code for code in re.findall(r"`([a-z]+(?:-[a-z]+)*)`", page) if "-" in code or code in verdicts}
    assert named - {"late-pop-up"} == verdicts

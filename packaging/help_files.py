"""Manual pages and shell completion of the programs, made from what `--help` says.

    python packaging/help_files.py DIRECTORY PROGRAM...

makes `man1` and `man8`, `bash` and `zsh` in the directory. The same sources make the same bytes: no time, no
home and no terminal goes in. click-man was looked at: it cuts the first sentence, loses the epilog and the
lines of exit codes, knows section 1 only, and dates a page today.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from click.shell_completion import BashComplete, ShellComplete, ZshComplete

from schemas.version import DATE, VERSION

PROGRAMS: Final = {
    "astcti-server": ("astcti_server.cli.program", 8),
    "astcti-configurator": ("configurator.cli", 8),
    "astcti-client": ("astcti_client.cli", 1),
}
"""Where each one's command line is, and the section of the manual it belongs to."""
ALIASES: Final = {"astcti-client": ("astcti-client-window",)}
SEE_ALSO: Final = {
    "astcti-server": ("astcti-configurator(8)", "astcti-client(1)"),
    "astcti-configurator": ("astcti-server(8)",),
    "astcti-client": ("astcti-server(8)",),
}
MANUAL: Final = "AsteriskCTI"
SOMEBODYS_HOME: Final = "/home/somebody"
AS_IT_STANDS: Final = "\b"
"""click: a paragraph that begins with it keeps its lines."""
_EXIT_CODE: Final = re.compile(r" +([0-9]+) +(.*)")


def main() -> None:
    """What stands above."""
    directory, *programs = sys.argv[1:]
    as_for_everybody()
    for program in programs:
        write_program(Path(directory), program)


def as_for_everybody() -> None:
    """Texts name files in the reader's home: `~` stands for it. Before the programs are imported."""
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        del os.environ[name]
    os.environ["HOME"] = SOMEBODYS_HOME


def write_program(directory: Path, program: str) -> None:
    """All files of one program."""
    module, section = PROGRAMS[program]
    command: click.Command = import_module(module).main
    for context in contexts(click.Context(command, info_name=program, **command.context_settings)):
        name = context.command_path.replace(" ", "-")
        for alias in (name, *ALIASES.get(name, ())):
            write(directory / f"man{section}" / f"{alias}.{section}", page(context, section))
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    for kind, place in ((BashComplete, f"bash/{program}"), (ZshComplete, f"zsh/_{program}")):
        # The base class's `source`: bash's own one runs the bash that is here, to say that it is too old.
        write(directory / place, ShellComplete.source(kind(command, {}, program, variable)))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def contexts(context: click.Context) -> Iterator[click.Context]:
    """A command's and those of all its commands that are no secret."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            if inner is not None and not inner.hidden:
                yield from contexts(click.Context(inner, info_name=name, parent=context))


# -- one page ------------------------------------------------------------------------------------------------


def page(context: click.Context, section: int) -> str:
    """In roff, with the macros of man(7)."""
    command = context.command
    name = context.command_path.replace(" ", "-")
    texts = [*paragraphs(command.help or ""), *paragraphs(command.epilog or "")]
    first, rest = texts[0], texts[1:]
    lines = [
        f'.TH "{name.upper()}" "{section}" "{DATE}" "{MANUAL} {VERSION}" "{MANUAL}"',
        ".SH NAME",
        f"{escaped(name)} \\- {inline(summary(first))}",
        ".SH SYNOPSIS",
        f".B {escaped(context.command_path)}",
        escaped(" ".join(command.collect_usage_pieces(context))),
        ".SH DESCRIPTION",
        inline(first),
    ]
    after: list[str] = []
    for text in rest:
        block = text.startswith(AS_IT_STANDS)
        title = text.splitlines()[1] if block else ""
        if title == "Exit codes:":
            after += exit_status(text.splitlines()[2:])
        elif title == "Examples:":
            after += [".SH EXAMPLES", *as_it_stands(text.splitlines()[2:])]
        else:
            lines += [".PP", *(as_it_stands(text.splitlines()[1:]) if block else [inline(text)])]
    lines += [*options(context), *commands(context, section), *after, *see_also(context, section)]
    return "\n".join(lines).replace(SOMEBODYS_HOME, "~") + "\n"


def paragraphs(text: str) -> list[str]:
    """The text of a help or an epilog, without its indentation."""
    lines = [line.rstrip() for line in text.strip("\n").split("\n")]
    indents = [len(line) - len(line.lstrip(" ")) for line in lines[1:] if line.strip(" \b")]
    common = min(indents, default=0)
    cleaned = [
        lines[0].lstrip(" "),
        *(line[common:] if line[:common].isspace() else line for line in lines[1:]),
    ]
    found = "\n".join(line.strip(" ") if line.strip(" ") == AS_IT_STANDS else line for line in cleaned)
    return [paragraph.strip("\n") for paragraph in re.split(r"\n(?: *\n)+", found) if paragraph.strip()]


def summary(paragraph: str) -> str:
    """The first sentence, as it stands in the line of NAME."""
    sentence = re.split(r"(?<=[.])\s", " ".join(paragraph.split()))[0].rstrip(".")
    return sentence[:1].lower() + sentence[1:] if sentence[1:2].islower() else sentence


def exit_status(lines: list[str]) -> list[str]:
    """Codes with what each means, on further lines if they are indented; then what is said of all of them."""
    made = [".SH EXIT STATUS"]
    among_codes = False
    for line in lines:
        if found := _EXIT_CODE.fullmatch(line):
            made += [".TP", f".B {found[1]}", inline(found[2])]
            among_codes = True
            continue
        if among_codes and not line.startswith(" "):
            made.append(".PP")
            among_codes = False
        made.append(inline(line))
    return made


def as_it_stands(lines: list[str]) -> list[str]:
    return [".nf", *(guarded(escaped(line)) if line else ".sp" for line in lines), ".fi"]


def options(context: click.Context) -> list[str]:
    records = [
        record
        for parameter in context.command.get_params(context)
        if isinstance(parameter, click.Option) and (record := parameter.get_help_record(context))
    ]
    made = [".SH OPTIONS"] if records else []
    for names, text in records:
        bold = re.sub(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", lambda found: rf"\fB{found[1]}\fR", names)
        made += [".TP", escaped(bold, keep=r"\f"), inline(text)]
    return made


def commands(context: click.Context, section: int) -> list[str]:
    inner = [other for other in contexts(context) if other.parent is context]
    made = [".SH COMMANDS"] if inner else []
    for other in inner:
        name = other.command_path.replace(" ", "-")
        said = inline(summary(paragraphs(other.command.help or "")[0]))
        made += [".TP", f".BR {escaped(name)} ({section})", said]
    return made


def see_also(context: click.Context, section: int) -> list[str]:
    others = SEE_ALSO[context.find_root().command_path]
    if context.parent is not None:
        others = (f"{context.parent.command_path}({section})",)
    references = [
        re.sub(r"(.*)\((.)\)", lambda found: rf".BR {escaped(found[1])} ({found[2]})", other)
        for other in others
    ]
    return [".SH SEE ALSO", *(f"{reference} ," for reference in references[:-1]), references[-1]]


# -- roff ----------------------------------------------------------------------------------------------------


def escaped(text: str, keep: str = "") -> str:
    """So that roff prints just this; `keep` is an escape that is meant."""
    parts = text.split(keep) if keep else [text]
    return keep.join(part.replace("\\", "\\e").replace("-", "\\-") for part in parts)


def guarded(line: str) -> str:
    """A line that begins with a dot or an apostrophe would be a request."""
    return f"\\&{line}" if line.startswith((".", "'")) else line


def inline(text: str) -> str:
    """A paragraph on one line; what stands in backquotes is bold, the hyphens of options can be copied."""
    joined = " ".join(text.split()).replace("\\", "\\e")
    joined = re.sub(r"(?<![\w-])--?[A-Za-z][\w-]*", lambda found: found[0].replace("-", "\\-"), joined)
    joined = re.sub(r"`([^`]+)`", lambda found: rf"\fB{found[1]}\fR", joined)
    return guarded(joined)


if __name__ == "__main__":
    main()

"""Options that several commands have, and what was given before the command."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click

SOCKET_NAME: Final = "control.sock"


@dataclass(frozen=True, slots=True)
class ProgramOptions:
    """What was given before the command."""

    configuration: Path
    state: Path
    status: Path
    control: Path


def program_options(context: click.Context) -> ProgramOptions:
    """What was given before the command that runs in this context."""
    options = context.obj
    assert isinstance(options, ProgramOptions)  # the group made them
    return options


def control_beside(status: Path) -> Path:
    """Where the control socket is unless `--control` says so."""
    return status.with_name(SOCKET_NAME)


control_option = click.option(
    "--control",
    type=click.Path(path_type=Path, readable=False),
    help="The server's control socket (default: as given before the command, or beside the status file).",
)


def one_word(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """Callback of an argument that is one word in the lines of the control socket; it may be empty.

    A second word would be taken for something else there.
    """
    if value and (value.split() != [value] or not value.isprintable()):
        raise click.BadParameter(f"{value!r} is not one word")
    return value


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object, see docs/operations.md."
)

command_config_option = click.option(
    "--config",
    "directory",
    type=click.Path(path_type=Path, readable=False),
    help="The configuration directory (default: the one given before the command, or /etc/astcti).",
)

"""Sets up the data directory before a command runs, but not before one that only shows its help."""

from __future__ import annotations

from typing import Any

import click

from configurator.commands import start
from configurator.mail_settings import MailError
from configurator.options import Options


def prepare(options: Options) -> None:
    """Set up Django and the databases; says what was done. Raises ClickException with a sentence."""
    try:
        for line in start.prepare(options):
            click.echo(f"astcti-configurator: {line}", err=True)
    except (OSError, MailError) as error:
        raise click.ClickException(str(error)) from None


class PreparedCommand(click.Command):
    """A command that needs the data directory. The context's `obj` is the group's `Options`."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command, whose line was read without a mistake."""
        prepare(ctx.obj)
        return super().invoke(ctx)


class PreparedGroup(click.Group):
    """Whose commands are prepared."""

    command_class = PreparedCommand

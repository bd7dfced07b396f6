"""`astcti-server stop` and `log-level`: what concerns the running server as a whole."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from astcti_server.cli.asking import EXIT_TROUBLE, ask, ask_to_show
from astcti_server.cli.options import control_option, json_option
from astcti_server.control.asking import ControlConnection, LeavingProcess
from astcti_server.logs import LEVELS
from astcti_server.process.systemd_job import DEFAULT_UNIT, SystemdError, is_restarting
from schemas.protocol import KEEP_MEMBERS, ControlCommand

GONE_WITHIN: Final = 20.0  # seconds; an orderly stop takes ten at most


@click.command()
@control_option
@click.option(
    "--keep-members", is_flag=True, help="Leave the members in their queues, whatever on-stop says."
)
@click.option(
    "--for-job",
    "unit",
    metavar="[UNIT]",
    is_flag=False,
    flag_value=DEFAULT_UNIT,
    help=f"For ExecStop=: --keep-members if the job of this systemd unit ({DEFAULT_UNIT}) is a restart.",
)
@click.option(
    "--within",
    type=click.FloatRange(0.1, 3600.0),
    default=GONE_WITHIN,
    show_default=True,
    help="Seconds to wait until it is gone.",
)
@click.pass_context
def stop(
    context: click.Context, control: Path | None, keep_members: bool, unit: str | None, within: float
) -> None:
    """Stop the running server in order, as SIGTERM does, and wait until it is gone.

    For a restart say --keep-members: nobody leaves a queue, and the next server takes the members over.

    \b
    Exit codes:
      0  it is gone
      1  refused, or it is not gone yet
      3  it did not run
      4  you may not: only root and the server's user may
      5  it does not answer
    """
    keep_members = keep_members or (unit is not None and _is_restart(unit))

    def tell(connection: ControlConnection) -> LeavingProcess:
        leaving = LeavingProcess(connection.process)
        connection.do(ControlCommand.STOP, KEEP_MEMBERS if keep_members else "")
        return leaving

    if not ask(context, control, tell).wait(within):
        click.echo(f"astcti-server: it was told to stop, but is not gone after {within:g} s", err=True)
        context.exit(EXIT_TROUBLE)
    click.echo("The server is gone")


def _is_restart(unit: str) -> bool:
    try:
        return is_restarting(unit)
    except SystemdError as error:
        click.echo(
            f"astcti-server: whether this is a restart is not known ({error}): on-stop counts", err=True
        )
        return False


@click.command()
@control_option
@json_option
@click.argument("level", type=click.Choice(LEVELS, case_sensitive=False), required=False)
@click.pass_context
def log_level(context: click.Context, control: Path | None, as_json: bool, level: str | None) -> None:
    """Say how much the running server logs; with LEVEL, log so much from now on.

    It holds until the server is restarted, or looks at its configuration again (SIGHUP): then what is
    configured counts.

    \b
    Exit codes:
      0  done
      1  refused
      3  the server does not run
      4  you may not: only root and the server's user may
      5  the server does not answer
    """
    document = ask_to_show(context, control, as_json, ControlCommand.LOG_LEVEL, level or "")
    if document is None:
        return
    configured = (
        "" if document["level"] == document["configured"] else f" (configured: {document['configured']})"
    )
    click.echo(f"{document['level']}{configured}")

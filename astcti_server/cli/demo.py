"""`astcti-server demo-pbx`: a PBX to try things out with."""

from __future__ import annotations

import logging
import os
import signal
from typing import Final

import click

from astcti_server.daemon import EXIT_STOPPED
from astcti_server.logs import LOG_FORMAT
from schemas.log_lines import log_to_standard_error

SHORTEST_INTERVAL: Final = 0.1  # seconds between the demo's callers
LONGEST_INTERVAL: Final = 86400.0


@click.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=5038,
    show_default=True,
    help="Port of the manager interface, on 127.0.0.1; 0 for any free one.",
)
@click.option(
    "--every",
    type=click.FloatRange(SHORTEST_INTERVAL, LONGEST_INTERVAL),
    default=8.0,
    show_default=True,
    help="Seconds between simulated callers.",
)
@click.option("--username", default="astcti", show_default=True, help="Name of the manager user.")
@click.option("--secret", default="astcti", show_default=True, help="Secret of the manager user.")
@click.option("--narrate/--quiet", default=True, show_default=True, help="Say in plain words what happens.")
@click.pass_context
def demo_pbx(
    context: click.Context, port: int, every: float, username: str, secret: str, narrate: bool
) -> None:
    """Run the embedded PBX: a manager interface that plays calls and answers as Asterisk does.

    For trying things out without an Asterisk. A caller rings through queue `astcti` every few seconds; phones
    (PJSIP/201 and so on) answer once they are members of the queue. Ctrl-C ends it.
    """
    from astcti_server.demo.ami.manager import AmiUser  # only this command needs it
    from astcti_server.demo.pbx import DemoPbx

    log_to_standard_error(logging.INFO, LOG_FORMAT)
    narration = _Narration()
    pbx = DemoPbx(
        port=port,
        interval=every,
        users=[AmiUser(username, secret)],
        narrate=narration.say if narrate else None,
        died=lambda name, error: os.kill(os.getpid(), signal.SIGTERM),
    )
    numbers = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, numbers)  # the PBX's thread inherits it: the main thread waits
    try:
        pbx.start()
    except OSError as error:
        raise click.ClickException(f"cannot listen on port {port}: {error.strerror}") from None
    try:
        click.echo("Demo PBX on {}:{}, user {}; Ctrl-C ends it".format(*pbx.address, username))
        signal.sigwait(numbers)
    finally:
        pbx.stop()
    if narration.failure is not None:
        raise narration.failure
    context.exit(EXIT_STOPPED)


class _Narration:
    """Prints what happens. That it cannot is no fault of the PBX, which is ended from the main thread."""

    def __init__(self) -> None:
        self.failure: OSError | None = None

    def say(self, text: str) -> None:
        """On the PBX's thread."""
        try:
            click.echo(text)
        except OSError as error:
            self.failure = error
            os.kill(os.getpid(), signal.SIGTERM)

"""What is printed where there is no valid configuration."""

from __future__ import annotations

import click

from astcti_server.daemon import EXIT_CONFIGURATION
from schemas.problems import ConfigurationError


def print_problems(error: ConfigurationError) -> int:
    """Print every problem; returns how the program ends because of them."""
    for problem in error.problems:
        click.echo(str(problem), err=True)
    click.echo("astcti-server: no valid configuration, not started", err=True)
    return EXIT_CONFIGURATION

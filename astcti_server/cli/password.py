"""`astcti-server hash-password`: what the configuration has in place of a password."""

from __future__ import annotations

import getpass
import sys
from typing import Literal

import click

from schemas import passwords


@click.command()
@click.option(
    "--scheme",
    type=click.Choice(["scrypt", "md5"]),
    default="scrypt",
    show_default=True,
    help="scrypt: a stolen configuration logs nobody in; md5: less memory and time a login.",
)
def hash_password(scheme: Literal["scrypt", "md5"]) -> None:
    """Read a password and print what belongs into an operator's `password` and, with scrypt, `scram`.

    The first line is the value of `password`, the second one that of `scram`: with it, clients log in without
    sending anything that would log somebody else in. An md5: password needs none.

    Asks twice on a terminal; otherwise reads one line from standard input.
    """
    if sys.stdin.isatty():
        password = getpass.getpass("Password: ")
        if getpass.getpass("Again: ") != password:
            raise click.UsageError("the two passwords differ")
    else:
        try:
            password = sys.stdin.buffer.readline().decode().rstrip("\r\n")
        except UnicodeDecodeError:
            raise click.UsageError("the password on standard input is not UTF-8") from None
    if not password:
        raise click.UsageError("the password is empty")
    forms = passwords.make_stored_forms(password, scheme)
    for value in filter(None, forms):
        click.echo(value)

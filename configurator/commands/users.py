"""The commands of the command line that are about manager users."""

from __future__ import annotations

import getpass
import os
import sys

import click

from configurator.commands.data_directory import PreparedCommand

USER_VARIABLES = ("ASTCTI_CONFIGURATOR_USER", "ASTCTI_CONFIGURATOR_PASSWORD")


@click.command(cls=PreparedCommand, name="first-user")
def first_user() -> None:
    """Make the first user, asked for or from the environment, and start nothing: for a service to be enabled.

    Does nothing where there is a user already.
    """
    make_first_user()


@click.command(cls=PreparedCommand, name="reset-password")
@click.argument("userid")
def reset_password(userid: str) -> None:
    """Give a manager user another password, asked for twice, or read from standard input.

    The user is enabled again if need be, and every session of the user ends. A second factor is removed.
    """
    from django.core.exceptions import ValidationError

    from configurator import audit_log
    from configurator.models import ManagerUser
    from configurator.openid.sessions import may_use_password
    from configurator.users import authentication, password_rules, second_factor

    user = ManagerUser.objects.filter(userid=userid).first()
    if user is None:
        raise click.ClickException(f"there is no manager user {userid}")
    password = _ask_password()
    try:
        password_rules.check_password(password, user)
    except ValidationError as error:
        raise click.ClickException(" ".join(error.messages)) from None
    user.set_password(password)
    user.enabled = True
    user.raise_revision()
    user.save()
    authentication.forget_failures(userid)
    if second_factor.remove(user):
        click.echo(f"astcti-configurator: {userid} logs in without a code again", err=True)
    audit_log.record(audit_name(), "password-reset", "manageruser", userid)
    if not may_use_password(user):
        click.echo(f"configurator.ini ([openid], local-login) does not let {userid} use it", err=True)
    click.echo(f"{userid} has another password")


def make_first_user() -> None:
    """Ask for the first user, or take it from the environment, if there is none. UsageError."""
    from configurator.models import ManagerUser

    if ManagerUser.objects.exists():
        return
    userid, password = (os.environ.get(name, "") for name in USER_VARIABLES)
    full_name, email = (os.environ.get(f"ASTCTI_CONFIGURATOR_{name}", "") for name in ("FULL_NAME", "EMAIL"))
    if not (userid and password):
        if not sys.stdin.isatty():
            raise click.UsageError(f"there is no user yet: name one with {' and '.join(USER_VARIABLES)}")
        click.echo("There is no user yet. The first one may do everything.")
        userid, full_name = click.prompt("User id"), click.prompt("Full name")
        password = _ask_password()
    try:
        _store_first_user(userid, password, full_name, email)
    except ValueError as error:
        raise click.UsageError(f"the first user: {error}") from None
    click.echo(f"astcti-configurator: {userid} may log in as administrator", err=True)


def _store_first_user(userid: str, password: str, full_name: str, email: str) -> None:
    """ValueError says what is wrong with the values."""
    from django.core.exceptions import ValidationError

    from configurator.models import ManagerUser
    from configurator.users import password_rules

    user = ManagerUser(
        userid=userid,
        full_name=full_name or userid,
        email=email,
        role=ManagerUser.Role.ADMINISTRATOR,
        enabled=True,
    )
    user.set_password(password)
    try:
        user.full_clean()
    except ValidationError as error:
        raise ValueError(
            "; ".join(f"{field}: {' '.join(said)}" for field, said in error.message_dict.items())
        ) from None
    try:
        password_rules.check_password(password, user)
    except ValidationError as error:
        raise ValueError(f"password: {' '.join(error.messages)}") from None
    user.save()


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("Password: ")
    if getpass.getpass("Again: ") != password:
        raise click.UsageError("the two passwords differ")
    return password


def audit_name() -> str:
    """Whom the audit log names for what a command did."""
    return f"{getpass.getuser()} (command line)"

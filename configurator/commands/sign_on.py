"""The command check-sign-on: whether configurator.ini and the OpenID Connect provider fit each other."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import Any

import click

from configurator import options
from configurator.commands.data_directory import PreparedCommand
from configurator.openid.openid_settings import LOOPBACK
from configurator.options import Options

CLOCKS_APART = 10.0
"""Seconds between the clocks from which on it is told; logins fail from 30 on."""


@click.command(cls=PreparedCommand, name="check-sign-on")
@click.pass_context
def check_sign_on(context: click.Context) -> None:
    """Ask the OpenID Connect provider of configurator.ini whether all fits, and say what to register there.

    A user is not needed. With the --host and --https of the running application before the command, the
    addresses to register are those of that application. Exit code 1 where something does not fit.
    """
    from django.conf import settings

    if settings.OPENID is None:
        ini = options.current_options().data / options.MAIL_NAME
        raise click.ClickException(f"{ini} has no section [openid]")
    from configurator.openid.provider import provider_of
    from configurator.openid.refusals import SignOnError

    for line in _addresses(context.obj):
        click.echo(line)
    try:
        metadata = provider_of(settings.OPENID).metadata()
    except SignOnError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"the provider answers: {metadata['issuer']}")
    problems = _problems(settings.OPENID, metadata)
    for problem in problems:
        click.echo(problem, err=True)
    if problems:
        raise click.exceptions.Exit(1)
    click.echo("issuer, client and secret fit; which roles a user gets shows with a login")


def _addresses(chosen: Options) -> list[str]:
    from django.urls import reverse

    names = [host for host in chosen.hosts if host.strip("[]") not in LOOPBACK] or ["HOST"]
    found = []
    for host in names:
        origin = f"https://{host}" if chosen.https else f"http://{host}:PORT"
        found.append(f"redirect URI to register: {origin}{reverse('sign_on_callback')}")
        found.append(f"post logout redirect URI: {origin}{reverse('login')}")
    return found


def _problems(openid: Any, metadata: Any) -> list[str]:
    import requests

    from configurator.openid.code_flow import client_refusal
    from configurator.openid.provider import TIMEOUT

    found = []
    methods = metadata.get("code_challenge_methods_supported")
    if isinstance(methods, list) and "S256" not in methods:
        found.append(
            "the provider knows no PKCE with S256: logins are refused there if it insists on another"
        )
    try:
        refused = client_refusal(openid)
        answer = requests.get(metadata["jwks_uri"], timeout=TIMEOUT, verify=openid.ca_file or True)
    except requests.RequestException as error:
        return [*found, f"the provider stopped answering: {error}"]
    if refused:
        found.append(refused)
    if answer.status_code != 200:
        found.append(
            f"{metadata['jwks_uri']} answers {answer.status_code}: there should be the provider's keys"
        )
    apart = _clocks_apart(answer.headers.get("Date", ""))
    if abs(apart) > CLOCKS_APART:
        found.append(f"the provider's clock and this machine's differ by {abs(apart):.0f} s: set both by NTP")
    return found


def _clocks_apart(said: str) -> float:
    from django.utils import timezone

    try:
        return (parsedate_to_datetime(said) - timezone.now()).total_seconds()
    except (TypeError, ValueError):
        return 0.0  # it does not say

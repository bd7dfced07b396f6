"""The audit log: one entry for each change, each login, each publication."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from configurator.models import AuditEntry

logger = logging.getLogger(__name__)

ACTIONS = {
    "login": _("logged in"),
    "login-failed": _("failed to log in"),
    "logout": _("logged out"),
    "add": _("added"),
    "edit": _("changed"),
    "remove": _("removed"),
    "publish": _("published"),
    "roll-back": _("rolled back"),
    "import": _("imported"),
    "export": _("exported"),
    "password": _("changed the password"),
    "password-reset": _("reset the password"),
}
KINDS = {
    "service": _("service"),
    "variable": _("variable"),
    "seat": _("seat"),
    "operator": _("operator"),
    "pausereason": _("pause reason"),
    "manageruser": _("manager user"),
    "configuration": _("configuration"),
    "session": _("session"),
}
LONGEST = 500  # characters of one value that an entry keeps

Change = tuple[str, str, str]
"""A field's name, what it was, what it is. Never a password."""


def record(
    who: HttpRequest | str, action: str, kind: str = "", name: str = "", changes: Iterable[Change] = ()
) -> None:
    """Write an entry. `who` is the request, or a name where there is none (the command line)."""
    if isinstance(who, str):
        userid, address = who, ""
    else:
        userid, address = who.session.get("userid", ""), address_of(who)
    details: list[list[Any]] = [[field, old[:LONGEST], new[:LONGEST]] for field, old, new in changes]
    AuditEntry.objects.create(
        userid=userid[:150], address=address, action=action, kind=kind, name=name[:300], details=details
    )
    logger.info("%r %s %s %r", userid, action, kind, name[:300])


def address_of(request: HttpRequest) -> str:
    """Where a request comes from."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]

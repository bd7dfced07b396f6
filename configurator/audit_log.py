"""The audit log: one entry for each change, each login, each publication."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from configurator.models import AuditEntry
from configurator.publishing.differences import FieldChange

# Not __name__: whoever filters the output by this name shall go on finding it.
logger = logging.getLogger("configurator.audit")

ACTION_WORDS = {
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
    "undo": _("went back to"),
    "restore": _("restored a backup"),
    "password": _("changed the password"),
    "password-reset": _("reset the password"),
}
KIND_WORDS = {
    "service": _("service"),
    "variable": _("variable"),
    "seat": _("seat"),
    "operator": _("operator"),
    "pausereason": _("pause reason"),
    "manageruser": _("manager user"),
    "configuration": _("configuration"),
    "session": _("session"),
}
LONGEST_VALUE = 500  # characters of one value that an entry keeps


def record(
    actor: HttpRequest | str, action: str, kind: str = "", name: str = "", changes: Iterable[FieldChange] = ()
) -> None:
    """Write an entry. `actor` is the request, or a name where there is none (the command line).

    `action` is one of `ACTION_WORDS`, `kind` one of `KIND_WORDS`, `name` what people call the entry.
    """
    record_many(actor, action, kind, [(name, changes)])


def record_many(
    actor: HttpRequest | str, action: str, kind: str, entries: Iterable[tuple[str, Iterable[FieldChange]]]
) -> None:
    """Write an entry for each of many, with one statement: pairs of a name and what changed."""
    if isinstance(actor, str):
        userid, address = actor, ""
    else:
        userid, address = actor.session.get("userid", ""), address_of(actor)
    rows = [
        AuditEntry(
            userid=userid[:150],
            address=address,
            action=action,
            kind=kind,
            name=name[:300],
            details=[[field, old[:LONGEST_VALUE], new[:LONGEST_VALUE]] for field, old, new in changes],
        )
        for name, changes in entries
    ]
    gathered = _gathered.get()
    if gathered is None:
        _write(rows)
    else:
        gathered += rows


_gathered: ContextVar[list[AuditEntry] | None] = ContextVar("gathered", default=None)


@contextmanager
def gathered_entries() -> Iterator[None]:
    """Write what this block records when it is done, together, and nothing of it if it fails.

    Until then nobody waits for the file with the log, which has the sessions, too.
    """
    rows: list[AuditEntry] = []
    token = _gathered.set(rows)
    try:
        yield
    finally:
        _gathered.reset(token)
    with transaction.atomic("default"):
        _write(rows)


def _write(rows: list[AuditEntry]) -> None:
    AuditEntry.objects.bulk_create(rows, batch_size=500)
    for row in rows:
        logger.info("%r %s %s %r", row.userid, row.action, row.kind, row.name)


def address_of(request: HttpRequest) -> str:
    """Where a request comes from. With --https waitress has put there what the proxy says of the browser."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]

"""The audit log: one entry for each change, each login, each publication."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from configurator.database.many_rows import insert_rows
from configurator.models import AuditEntry
from configurator.publishing.differences import Difference, FieldChange

# Not __name__: whoever filters the output by this name shall go on finding it.
logger = logging.getLogger("configurator.audit")

ACTION_WORDS = {
    "login": pgettext_lazy("somebody", "logged in"),
    "login-failed": pgettext_lazy("somebody", "failed to log in"),
    "logout": pgettext_lazy("somebody", "logged out"),
    "add": pgettext_lazy("somebody", "added"),
    "edit": pgettext_lazy("somebody", "changed"),
    "remove": pgettext_lazy("somebody", "removed"),
    "publish": pgettext_lazy("somebody", "published"),
    "roll-back": pgettext_lazy("somebody", "rolled back"),
    "import": pgettext_lazy("somebody", "imported"),
    "export": pgettext_lazy("somebody", "exported"),
    "undo": pgettext_lazy("somebody", "went back to"),
    "ask": pgettext_lazy("somebody", "asked for"),
    "carry-out": pgettext_lazy("somebody", "carried out"),
    "put-away": pgettext_lazy("somebody", "put away"),
    "take-back": pgettext_lazy("somebody", "took back"),
    "restore": pgettext_lazy("somebody", "restored a backup"),
    "password": pgettext_lazy("somebody", "changed the password"),
    "password-reset": pgettext_lazy("somebody", "reset the password"),
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
    "request": _("request for a publication"),
}
LONGEST_VALUE = 500  # characters of one value that an entry keeps
MOST_FIELDS = 100
"""Changes that one entry keeps: a service may have lost ten thousand operators at once."""
MOST_LOGGED = 100
"""Of an import of ten thousand, so many lines go to the program's log; the audit log has them all."""


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
            details=_details(changes),
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
    insert_rows(rows)
    told: Counter[tuple[str, str, str]] = Counter()
    for row in rows:
        deed = (row.userid, row.action, row.kind)
        told[deed] += 1
        if told[deed] <= MOST_LOGGED:
            logger.info("%r %s %s %r", *deed, row.name)
    for deed, count in told.items():
        if count > MOST_LOGGED:
            logger.info("%r %s %s: %d more, see the audit log", *deed, count - MOST_LOGGED)


def record_differences(actor: HttpRequest | str, action: str, found: Iterable[Difference]) -> None:
    """Write an entry for each entry that an import, a take-over or an undo made another one.

    What went is `remove`d, whatever the action.
    """
    by_kind: dict[tuple[str, str], list[tuple[str, Iterable[FieldChange]]]] = {}
    for difference in found:
        deed = "remove" if difference.what == "removed" else action
        by_kind.setdefault((deed, difference.kind), []).append((difference.entry_name, difference.changes))
    for (deed, kind), entries in by_kind.items():
        record_many(actor, deed, kind, entries)


def _details(changes: Iterable[FieldChange]) -> list[list[str]]:
    changes = list(changes)
    kept = [[field, old[:LONGEST_VALUE], new[:LONGEST_VALUE]] for field, old, new in changes[:MOST_FIELDS]]
    return [*kept, ["More", "", str(len(changes) - len(kept))]] if len(changes) > len(kept) else kept


def address_of(request: HttpRequest) -> str:
    """Where a request comes from. With --https waitress has put there what the proxy says of the browser."""
    return str(request.META.get("REMOTE_ADDR", ""))[:45]

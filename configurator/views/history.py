"""What the audit log says of one entry, under the names it had."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice

from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from configurator.models import AuditEntry
from configurator.sections.registry import readable_section
from configurator.users import roles

MOST_SHOWN = 200
NAMING_FIELDS = frozenset({"Name", "User name", "User id", "MAC address", "Extension"})
"""Fields whose change gives an entry another name in the audit log."""


_MENTIONED_AS = {"service": "Service", "operator": "Operator"}
"""Kinds of entries that change with others, and the field of these others that names them."""
MOST_LOOKED_THROUGH = 1000
MOST_SEARCHED = 50_000
"""Entries of the log in which a conflict and a history look for changes by way of another entry."""


def log_position() -> int:
    """Where the audit log ends now, for `last_change`."""
    return AuditEntry.objects.values_list("pk", flat=True).first() or 0


def last_change(kind: str, name: str, since: int | None) -> AuditEntry | None:
    """Who changed an entry last, behind a position of the log; also who did so by way of another entry.

    Without a position only what the log says of the entry itself counts. None if it is not known.
    """
    if since is None:
        return AuditEntry.objects.filter(kind=kind, name=name).first()
    later = AuditEntry.objects.filter(pk__gt=since)[:MOST_LOOKED_THROUGH]
    return next((said for said in later if _is_about(said, kind, name)), None)


def _is_about(said: AuditEntry, kind: str, name: str) -> bool:
    return (said.kind, said.name) == (kind, name) or bool(_changes_of(said, kind, name))


def _changes_of(said: AuditEntry, kind: str, name: str) -> list[list[str]]:
    """What an entry of the log says of another entry than its own."""
    return [
        [field, *values]
        for field, *values in said.details
        if field == _MENTIONED_AS.get(kind)
        and any(value == name or value.startswith(f"{name} (") for value in values)
    ]


def _by_way_of_others(kind: str, name: str) -> Iterator[AuditEntry]:
    """What changed an entry by way of another one, as a service by its operators', the latest first.

    Each has only those changes. The log may be long: only its last part is looked through.
    """
    if kind not in _MENTIONED_AS:
        return
    stored = json.dumps(name)[1:-1]  # as it stands in the column
    log = AuditEntry.objects.exclude(kind=kind).filter(pk__gt=log_position() - MOST_SEARCHED)
    for said in log.annotate(text=Cast("details", TextField())).filter(text__contains=stored).iterator():
        said.details = _changes_of(said, kind, name)
        if said.details:
            yield said


@require_GET
@roles.allow_only(roles.SENIORS)
def entry_history(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Who changed an entry when, the latest first."""
    section = readable_section(request, key)
    entry = section.rows().filter(pk=pk).first()
    if entry is None:
        return render(request, "configurator/gone.html", {"section": section})
    found = list(islice(_entries_about(section.kind, str(entry)), MOST_SHOWN))
    began = found[-1].pk if found and len(found) < MOST_SHOWN and _is_first(found[-1]) else 0
    others = [said for said in _by_way_of_others(section.kind, str(entry)) if said.pk > began]
    found = sorted((*found, *others), key=lambda said: said.pk, reverse=True)[:MOST_SHOWN]
    context = {"section": section, "entry": entry, "found": found, "most": MOST_SHOWN}
    return render(request, "configurator/history.html", context)


def _entries_about(kind: str, name: str) -> Iterator[AuditEntry]:
    """The entries back to the one that added it: before that, the name was another entry's."""
    before: int | None = None
    while True:
        about = AuditEntry.objects.filter(kind=kind, name=name)
        if before is not None:
            about = about.filter(pk__lt=before)
        for said in about:
            yield said
            if _is_first(said):
                return
            if (former := _former_name(said)) != name:
                name, before = former, said.pk
                break
        else:
            return


def _is_first(said: AuditEntry) -> bool:
    """Tell whether it made the entry; of an import each field that is told of was empty."""
    named = [old for field, old, _ in said.details if field in NAMING_FIELDS]
    return said.action == "add" or (said.action == "import" and bool(named) and not any(named))


def _former_name(said: AuditEntry) -> str:
    """What the entry was called before this change."""
    name = said.name
    for field, old, new in said.details:
        if field in NAMING_FIELDS and old and new:
            name = name.replace(new, old)
    return name

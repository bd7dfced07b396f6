"""What the audit log says of one entry, under the names it had."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from configurator.models import AuditEntry
from configurator.sections.registry import readable_section
from configurator.users import roles

MOST_SHOWN = 200
NAMING_FIELDS = frozenset({"Name", "User name", "User id", "MAC address", "Extension"})
"""Fields whose change gives an entry another name in the audit log."""


@require_GET
@roles.allow_only(roles.SENIORS)
def entry_history(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """Who changed an entry when, the latest first."""
    section = readable_section(request, key)
    entry = section.rows().filter(pk=pk).first()
    if entry is None:
        return render(request, "configurator/gone.html", {"section": section})
    found = list(islice(_entries_about(section.kind, str(entry)), MOST_SHOWN))
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
            if said.action == "add" or _is_new(said):
                return
            if (former := _former_name(said)) != name:
                name, before = former, said.pk
                break
        else:
            return


def _is_new(said: AuditEntry) -> bool:
    """Tell whether an import made the entry: each field that is told of was empty."""
    named = [old for field, old, _ in said.details if field in NAMING_FIELDS]
    return said.action == "import" and bool(named) and not any(named)


def _former_name(said: AuditEntry) -> str:
    """What the entry was called before this change."""
    name = said.name
    for field, old, new in said.details:
        if field in NAMING_FIELDS and old and new:
            name = name.replace(new, old)
    return name

"""Actions on many entries of a list: first what they would do, in numbers; then all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from configurator.bulk import bulk_actions
from configurator.bulk.bulk_actions import BulkAction, BulkOutcome
from configurator.bulk.bulk_change import apply_bulk
from configurator.sections.registry import editable_section
from configurator.sections.section import Section

MOST_CHOSEN = 10_000
"""Entries named one by one; all that a search finds may be more."""

_ROW = re.compile("[0-9]{1,18}")


@require_POST
def change_many(request: HttpRequest, key: str, action_key: str) -> HttpResponse:
    """Ask whether this is meant, with what it needs to know; with `confirmed`, do it.

    Which entries: `pk` for each, or `all` for those that the search `q` and the filters find.
    """
    section = editable_section(request, key)
    action = next((one for one in bulk_actions.actions_of(section) if one.key == action_key), None)
    if action is None:
        raise Http404
    confirmed = request.POST.get("confirmed") == "yes"
    form = action.form(request.POST if confirmed else None)
    if not confirmed or not form.is_valid():
        return _ask(request, section, action, form, _chosen(request, section))
    rows: list[int] = []

    def choose() -> list[int] | None:
        rows[:] = _chosen(request, section)
        return rows if request.POST.get("digest") == _digest(rows) else None

    outcome = apply_bulk(request, section, choose, action, form.cleaned_data)
    if outcome is None:
        return _ask(request, section, action, form, rows, moved=True)
    return _done(request, section, action, outcome, len(rows))


def _chosen(request: HttpRequest, section: Section) -> list[int]:
    """The rows of the entries, those that are gone left out."""
    if request.POST.get("all"):
        found = section.find(request.POST.get("q", "").strip()[:200], request.POST.getlist("filter"))
    else:
        named = [int(pk) for pk in request.POST.getlist("pk")[:MOST_CHOSEN] if _ROW.fullmatch(pk)]
        found = section.model._default_manager.filter(pk__in=named)
    return list(found.order_by("pk").values_list("pk", flat=True))


def _digest(rows: list[int]) -> str:
    """A mark of the choice, to notice that it is another one than was looked at."""
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _ask(
    request: HttpRequest,
    section: Section,
    action: BulkAction,
    form: Any,
    rows: list[int],
    *,
    moved: bool = False,
) -> HttpResponse:
    context = {
        "section": section,
        "action": action,
        "form": form,
        "count": len(rows),
        "digest": _digest(rows),
        "consequences": action.consequences(section, rows),
        "moved": moved,
        "chosen": [
            (name, value)
            for name in ("all", "q", "filter", "pk")
            for value in request.POST.getlist(name)[:MOST_CHOSEN]
        ],
    }
    return render(request, "configurator/bulk.html", context)


def _done(
    request: HttpRequest, section: Section, action: BulkAction, outcome: BulkOutcome, chosen: int
) -> HttpResponse:
    message = _("%(action)s: %(changed)d of %(chosen)d changed.") % {
        "action": action.label,
        "changed": len(outcome.entries),
        "chosen": chosen,
    }
    if not request.headers.get("HX-Request"):
        messages.success(request, message)
        return redirect("list", key=section.key)
    said: dict[str, Any] = {"message": message, "pk": None, "many": True}
    if outcome.snapshot is not None:
        said["undo"] = {"address": reverse("undo", args=[outcome.snapshot.pk]), "label": _("Undo")}
    return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"entrySaved": said})})

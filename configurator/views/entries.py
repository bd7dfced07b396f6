"""The forms of every section: add, edit, remove, with the audit log and with two people at once."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from configurator import audit_log
from configurator.forms import trigger_preview
from configurator.publishing import differences, working_copy
from configurator.publishing.differences import FieldValue
from configurator.sections.registry import editable_section, readable_section
from configurator.sections.section import Section
from configurator.users import roles
from configurator.views import history
from schemas.configuration.model import Trigger
from schemas.placeholders import BUILT_IN

PLACEHOLDERS = [f"{{{name}}}" for name in trigger_preview.SAMPLES if name in BUILT_IN]


@require_http_methods(["GET", "POST"])
def add_entry(request: HttpRequest, key: str) -> HttpResponse:
    """An empty form, or with `like` one filled in as another entry; then a new entry."""
    section = editable_section(request, key)
    if request.method == "GET":
        like = request.GET.get("like", "")
        model = _stored(section, int(like)) if like.isascii() and like.isdigit() and len(like) < 19 else None
        return _show(request, section, section.form() if model is None else section.form.like(model), None)
    ahead = section.form.work_ahead(request.POST)
    with working_copy.writing():
        form = section.form(request.POST, **ahead)
        if not form.is_valid():
            return _show(request, section, form, None)
        entry = form.save()
        working_copy.raise_revisions(form.touched)
        changes = differences.field_changes({}, section.describe(_stored(section, entry.pk)))
        audit_log.record(request, "add", section.kind, str(entry), changes)
    message = _("%(name)s was added.") % {"name": entry}
    return entry_done(request, section.key, f"{message} {form.advice}".strip(), entry.pk)


@require_http_methods(["GET", "POST"])
def edit_entry(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """An entry's form; then the changed entry, unless somebody else was faster."""
    section = readable_section(request, key)
    if request.method == "GET":
        entry = _stored(section, pk)
        if entry is None:
            return _gone(request, section)
        form = section.form(instance=entry, **section.form_arguments(request, entry))
        return _show(request, section, form, entry)
    roles.require_role(request, section.editors)
    ahead = section.form.work_ahead(request.POST)
    with working_copy.writing():
        entry = _stored(section, pk)
        if entry is None and request.method == "POST":
            return _show(request, section, section.form(request.POST), None, removed=True)
        if entry is None:
            return _gone(request, section)
        before, revision = dict(section.describe(entry)), entry.revision  # checking the form changes `entry`
        arguments = {**ahead, **section.form_arguments(request, entry)}
        form = section.form(request.POST, instance=entry, **arguments)
        valid = form.is_valid()
        known = request.POST.get("revision") == str(revision)
        if not valid and known:
            return _show(request, section, form, _stored(section, pk))
        if not valid or not (known or _says_already(section, form, pk, before)):
            return _conflict(request, section, form, _stored(section, pk))
        form.save()
        saved = _stored(section, pk)
        changes = differences.field_changes(before, section.describe(saved))
        if changes:  # else nobody's open form is out of date
            working_copy.raise_revisions([saved, *form.touched])
            audit_log.record(request, "edit", section.kind, str(saved), changes)
    section.after_save(request, saved)
    message = _("%(name)s was saved.") % {"name": saved}
    return entry_done(request, section.key, f"{message} {form.advice}".strip(), pk)


@require_http_methods(["GET", "POST"])
def remove_entry(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """The question whether to remove, with what depends on it; then the removal."""
    section = editable_section(request, key)
    if request.method == "GET":
        entry = _stored(section, pk)
        return _gone(request, section) if entry is None else _ask(request, section, entry)
    with working_copy.writing():
        entry = _stored(section, pk)
        if entry is None:
            return _gone(request, section)
        stale = request.POST.get("revision") != str(entry.revision)
        if stale or section.forbids_removal(entry):
            return _ask(request, section, entry, stale=stale)
        name, before = str(entry), dict(section.describe(entry))
        section.remove(entry)
        audit_log.record(request, "remove", section.kind, name, differences.field_changes(before, {}))
    return entry_done(request, section.key, _("%(name)s was removed.") % {"name": name})


def _ask(request: HttpRequest, section: Section, entry: Any, *, stale: bool = False) -> HttpResponse:
    context = {
        "section": section,
        "entry": entry,
        "name": str(entry),
        "dependents": section.dependents(entry),
        "forbidden": section.forbids_removal(entry),
        "stale": stale,
    }
    return render(request, "configurator/remove.html", context)


@require_http_methods(["POST"])
def trigger_preview_part(request: HttpRequest, number: int) -> HttpResponse:
    """One trigger of a service's form, filled in with sample values. Stores nothing."""
    data, prefix = request.POST, f"triggers-{number}"
    names = [
        data[key].strip()
        for key in data
        if key.startswith("variables-") and key.endswith("-name") and not data.get(f"{key[:-5]}-DELETE")
    ]
    trigger = Trigger(
        type=data.get(f"{prefix}-type") or "browser",
        application=data.get(f"{prefix}-application", "").strip()[:4096],
        parameters=data.get(f"{prefix}-parameters", "").strip()[:4096],
        url=data.get(f"{prefix}-url", "").strip()[:4096],
    )
    if trigger.type == "application":
        trigger = Trigger(type="application", application=trigger.application, parameters=trigger.parameters)
    else:
        trigger = Trigger(type=trigger.type, url=trigger.url)
    known = {
        "SERVICE": data.get("name", ""),
        "CONTEXT": data.get("context", ""),
        "QUEUE": data.get("queue_name", "") if data.get("is_queue") else "",
    }
    preview = trigger_preview.preview_trigger(trigger, names[:500], known)
    return render(request, "configurator/preview.html", {"preview": preview, "trigger": trigger})


def entry_done(request: HttpRequest, key: str, message: str, pk: int | None = None) -> HttpResponse:
    """Close the dialog and renew the list, and say `message`; without scripts, on the list's own page."""
    if not request.headers.get("HX-Request"):
        messages.success(request, message)
        return redirect("list", key=key)
    said = json.dumps({"entrySaved": {"message": message, "pk": pk}})
    return HttpResponse(status=204, headers={"HX-Trigger": said})


def _stored(section: Section, pk: int) -> Any:
    return section.rows().filter(pk=pk).first()


def _show(request: HttpRequest, section: Section, form: Any, entry: Any, **more: Any) -> HttpResponse:
    seen = None if "conflict" in more else _log_seen(request)
    context = {
        "section": section,
        "form": form,
        "entry": entry,
        "log": history.log_position() if seen is None else seen,
        "may_edit": roles.has_role(request, section.editors),
        "placeholders": PLACEHOLDERS,
        "may_see_history": entry is not None and roles.has_role(request, roles.SENIORS),
        **more,
    }
    return render(request, section.form_template, context)


def _log_seen(request: HttpRequest) -> int | None:
    """Where the audit log ended when a form was opened."""
    sent = request.POST.get("log", "")
    return int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else None


class _OnlyTried(Exception):
    """Takes back what was stored only to be looked at."""


def _says_already(section: Section, form: Any, pk: int, before: dict[str, FieldValue]) -> bool:
    """Tell whether the form would store what is stored: the answer to the same form was lost on its way."""
    try:
        with transaction.atomic("configuration"), transaction.atomic("default"):
            form.save()
            same = section.describe(_stored(section, pk)) == before
            raise _OnlyTried
    except _OnlyTried:
        return same


def _gone(request: HttpRequest, section: Section) -> HttpResponse:
    return render(request, "configurator/gone.html", {"section": section})


def _conflict(request: HttpRequest, section: Section, form: Any, present: Any) -> HttpResponse:
    """Tell the second of two: what the entry says now, and who changed it. Saving again is a decision."""
    last = history.last_change(section.kind, str(present), _log_seen(request))
    form.data = form.data.copy()
    form.data["revision"] = str(present.revision)
    said = [
        (field, value if isinstance(value, tuple) else (value,))
        for field, value in section.describe(present).items()
        if field != differences.PASSWORD_FIELD
    ]
    oneself = last is not None and last.userid == request.session.get("userid")
    conflict = {"last": last, "said": said, "oneself": oneself}
    return _show(request, section, form, present, conflict=conflict)

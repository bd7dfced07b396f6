"""The forms of every module: add, edit, remove, with the audit log and with two people at once."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from configurator import audit_log
from configurator.forms import trigger_preview
from configurator.models import AuditEntry
from configurator.publishing import differences, working_copy
from configurator.sections import Module
from configurator.users import roles
from configurator.views.lists import module_of
from schemas.configuration.model import Trigger
from schemas.placeholders import BUILT_IN

PLACEHOLDERS = [f"{{{name}}}" for name in trigger_preview.SAMPLES if name in BUILT_IN]


@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, key: str) -> HttpResponse:
    """An empty form; then a new entry."""
    module = _to_edit(request, key)
    if request.method == "GET":
        return _show(request, module, module.form(), None)
    with working_copy.writing():
        form = module.form(request.POST)
        if not form.is_valid():
            return _show(request, module, form, None)
        entry = form.save()
        working_copy.touch(getattr(form, "touched", ()))
        changes = differences.changes({}, module.describe(_fresh(module, entry.pk)))
        audit_log.record(request, "add", module.kind, str(entry), changes)
    return done(request, module.key, _("%(name)s was added.") % {"name": entry}, entry.pk)


@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """An entry's form; then the changed entry, unless somebody else was faster."""
    module = module_of(request, key)
    if request.method == "POST":
        roles.demand(request, module.editors)
    with working_copy.writing():
        entry = _fresh(module, pk)
        if entry is None:
            return _gone(request, module)
        if request.method == "GET":
            return _show(request, module, module.form(instance=entry), entry)
        before, revision = dict(module.describe(entry)), entry.revision
        form = module.form(request.POST, instance=entry)
        valid = form.is_valid()
        if request.POST.get("revision") != str(revision):
            return _conflict(request, module, form, _fresh(module, pk))
        if not valid:
            return _show(request, module, form, _fresh(module, pk))
        form.instance.revision = revision + 1
        form.save()
        working_copy.touch(getattr(form, "touched", ()))
        saved = _fresh(module, pk)
        changes = differences.changes(before, module.describe(saved))
        if changes:
            audit_log.record(request, "edit", module.kind, str(saved), changes)
    _keep_session(request, module, saved)
    return done(request, module.key, _("%(name)s was saved.") % {"name": saved}, pk)


@require_http_methods(["GET", "POST"])
def remove(request: HttpRequest, key: str, pk: int) -> HttpResponse:
    """The question whether to remove, with what depends on it; then the removal."""
    module = _to_edit(request, key)
    with working_copy.writing():
        entry = _fresh(module, pk)
        if entry is None:
            return _gone(request, module)
        forbidden = module.forbids_removal(entry)
        stale = request.method == "POST" and request.POST.get("revision") != str(entry.revision)
        if request.method == "GET" or forbidden or stale:
            context = {
                "module": module,
                "entry": entry,
                "name": str(entry),
                "dependents": module.dependents(entry),
                "forbidden": forbidden,
                "stale": stale,
            }
            return render(request, "configurator/remove.html", context)
        name, before = str(entry), dict(module.describe(entry))
        if module.key == "seats":
            working_copy.touch(entry.operators.all())
        elif module.key == "variables":
            working_copy.touch([entry.service])
        elif hasattr(entry, "bindings"):
            other = "service" if module.key == "operators" else "operator"
            working_copy.touch(getattr(binding, other) for binding in entry.bindings.select_related(other))
        entry.delete()
        audit_log.record(request, "remove", module.kind, name, differences.changes(before, {}))
    return done(request, module.key, _("%(name)s was removed.") % {"name": name})


@require_http_methods(["POST"])
def preview_trigger(request: HttpRequest, number: int) -> HttpResponse:
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
    shown = trigger_preview.of(trigger, names[:500], known)
    return render(request, "configurator/preview.html", {"preview": shown, "trigger": trigger})


def done(request: HttpRequest, key: str, message: str, pk: int | None = None) -> HttpResponse:
    """Close the dialog and renew the list; without scripts, go back to the list."""
    if not request.headers.get("HX-Request"):
        return redirect("list", key=key)
    said = json.dumps({"entrySaved": {"message": message, "pk": pk}})
    return HttpResponse(status=204, headers={"HX-Trigger": said})


def _to_edit(request: HttpRequest, key: str) -> Module:
    module = module_of(request, key)
    roles.demand(request, module.editors)
    return module


def _fresh(module: Module, pk: int) -> Any:
    return module.model._default_manager.filter(pk=pk).first()


def _show(request: HttpRequest, module: Module, form: Any, entry: Any, **more: Any) -> HttpResponse:
    context = {
        "module": module,
        "form": form,
        "entry": entry,
        "may_edit": roles.may(request, module.editors),
        "placeholders": PLACEHOLDERS,
        **more,
    }
    return render(request, module.form_template, context)


def _gone(request: HttpRequest, module: Module) -> HttpResponse:
    return render(request, "configurator/gone.html", {"module": module})


def _conflict(request: HttpRequest, module: Module, form: Any, present: Any) -> HttpResponse:
    """Tell the second of two: what the entry says now, and who changed it. Saving again is a decision."""
    last = AuditEntry.objects.filter(kind=module.kind, name=str(present)).first()
    form.data = form.data.copy()
    form.data["revision"] = str(present.revision)
    said = [
        (field, value if isinstance(value, tuple) else (value,))
        for field, value in module.describe(present).items()
        if field != differences.SECRET
    ]
    return _show(request, module, form, present, conflict={"last": last, "said": said})


def _keep_session(request: HttpRequest, module: Module, saved: Any) -> None:
    """Changing one's own password here must not end one's own session; disabling oneself does."""
    if module.key != "managers" or saved.pk != request.user.pk:
        return
    if saved.enabled:
        update_session_auth_hash(request, saved)
    else:
        logout(request)

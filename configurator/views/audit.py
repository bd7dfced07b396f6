"""The audit log: read, filtered, paged."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Paginator
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from configurator import audit_log
from configurator.importing import csv_export
from configurator.models import AuditEntry
from configurator.users import roles
from configurator.views.imports import csv_answer, csv_separator

PAGE_SIZE = 50
_READ_AT_ONCE = 2000
_CSV_COLUMNS = ("at", "userid", "address", "action", "kind", "name", "field", "before", "after")
_CENTURIES = [MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(2999, 12, 31))]
"""A date field says the year 0002 while 2026 is typed into it, and has no time zone at the ends of time."""


class AuditFilterForm(forms.Form):
    """What to look for. Dates are picked; a typed ISO date is understood too."""

    userid = forms.CharField(label=_("User"), required=False, max_length=150)
    action = forms.ChoiceField(
        label=_("Action"), required=False, choices=[("", _("All")), *audit_log.ACTION_WORDS.items()]
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("All kinds")), *audit_log.KIND_WORDS.items()]
    )
    name = forms.CharField(label=_("Name"), required=False, max_length=150)
    since = forms.DateField(
        label=_("From"),
        required=False,
        input_formats=["%Y-%m-%d"],
        validators=_CENTURIES,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("To"),
        required=False,
        input_formats=["%Y-%m-%d"],
        validators=_CENTURIES,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )


@require_GET
@roles.allow_only(roles.SENIORS)
def audit_page(request: HttpRequest) -> HttpResponse:
    """The log, newest first."""
    form, found = _asked(request)
    entries = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    query = urlencode({key: value for key, value in request.GET.items() if key != "page" and value})
    context = {"form": form, "page": entries, "query": query}
    whole = not request.headers.get("HX-Request") or request.headers.get("HX-History-Restore-Request")
    return render(request, "configurator/audit.html" if whole else "configurator/audit_rows.html", context)


@require_GET
@roles.allow_only(roles.SENIORS)
def audit_csv(request: HttpRequest) -> HttpResponse:
    """What the filter finds, as CSV: a row for each field that changed, in the words of the database."""
    rows: list[tuple[str, ...]] = [_CSV_COLUMNS]
    for entry in _asked(request)[1].iterator(chunk_size=_READ_AT_ONCE):
        at = timezone.localtime(entry.at).isoformat(sep=" ", timespec="seconds")
        about = (at, entry.userid, entry.address, entry.action, entry.kind, entry.name)
        rows += [(*about, *change) for change in entry.details or [("", "", "")]]
    return csv_answer(csv_export.write_csv(rows, csv_separator(request)), "audit.csv")


def _asked(request: HttpRequest) -> tuple[AuditFilterForm, QuerySet[AuditEntry]]:
    form = AuditFilterForm(request.GET or None, label_suffix="")
    if form.is_bound and not form.is_valid():
        return form, AuditEntry.objects.none()
    return form, _find(form.cleaned_data if form.is_bound else {})


def _find(asked: dict[str, Any]) -> QuerySet[AuditEntry]:
    found = AuditEntry.objects.all()
    for field in ("userid", "name"):
        if asked.get(field):
            found = found.filter(**{f"{field}__resembles": asked[field]})
    for field in ("action", "kind"):
        if asked.get(field):
            found = found.filter(**{field: asked[field]})
    if asked.get("since"):
        found = found.filter(at__gte=_start(asked["since"]))
    if asked.get("until"):
        found = found.filter(at__lt=_start(asked["until"] + timedelta(days=1)))
    return found


def _start(day: Any) -> datetime:
    return timezone.make_aware(datetime.combine(day, time()), timezone.get_current_timezone()).astimezone(UTC)

"""What fields suggest while one types: found by the server, since there may be thousands."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from configurator.database.text_order import ordered_by
from configurator.sections.registry import SECTIONS

MOST_SUGGESTED = 25


@require_GET
def suggest_seats(request: HttpRequest) -> HttpResponse:
    """Options for the field of a seat: its extension, with what describes it."""
    found = SECTIONS["seats"].find(request.GET.get("seat", "").strip()[:200])
    seats = found.prefetch_related(None).order_by(ordered_by("extension"))[:MOST_SUGGESTED]
    return render(request, "configurator/suggested_seats.html", {"seats": seats})

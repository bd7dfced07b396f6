"""What fields suggest while one types: found by the server, since there may be thousands."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_http_methods

from configurator.database.text_order import ordered_by
from configurator.forms import picker
from configurator.importing.service_words import full_name
from configurator.sections.registry import SECTIONS

MOST_SUGGESTED = 25


@require_GET
def suggest_seats(request: HttpRequest) -> HttpResponse:
    """Options for the field of a seat: its extension, with what describes it."""
    found = SECTIONS["seats"].find(request.GET.get("seat", "").strip()[:200])
    seats = found.prefetch_related(None).order_by(ordered_by("extension"))[:MOST_SUGGESTED]
    return render(request, "configurator/suggested_seats.html", {"seats": seats})


@require_GET
def suggest_services(request: HttpRequest) -> HttpResponse:
    """Options for the field of a service: its name, with what tells it from others of this name."""
    words = request.GET.get("service", "").strip()[:200].replace("(", " ").replace(")", " ")
    found = SECTIONS["services"].find(words).prefetch_related(None)
    services = found.order_by(ordered_by("name"), "pk")[:MOST_SUGGESTED]
    names = [full_name(service) for service in services]
    return render(request, "configurator/suggested_services.html", {"names": names})


@require_http_methods(["GET", "POST"])
def pick_entries(request: HttpRequest, kind: str) -> HttpResponse:
    """Operators or services to pick: those that a search `q` finds, or those of a list that was `pasted`."""
    if kind not in ("operators", "services"):
        raise Http404
    if request.method == "POST":
        told = picker.pasted_rows(kind, request.POST.get("pasted", ""))
        unknown = told.unknown
        context = {
            "rows": told.rows,
            "unknown": unknown[: picker.MOST_UNKNOWN],
            "more_unknown": max(0, len(unknown) - picker.MOST_UNKNOWN),
            "left": "\n".join(unknown),
            "all": True,
            "kind": kind,
        }
        return render(request, "configurator/picker_found.html", context)
    words = request.GET.get("q", "").strip()[:200]
    everything = request.GET.get("all") == "yes"
    order = ordered_by("full_name" if kind == "operators" else "name")
    found = SECTIONS[kind].find(words).prefetch_related(None).order_by(order, "pk")
    row = picker.operator_row if kind == "operators" else picker.service_row
    total = found.count()
    chosen = found[: picker.MOST_PICKED if everything else MOST_SUGGESTED]
    context = {
        "rows": [row(entry) for entry in chosen],
        "all": everything,
        "more": not everything and 0 < total <= picker.MOST_PICKED,
        "total": total,
        "q": words,
        "kind": kind,
    }
    return render(request, "configurator/picker_found.html", context)

"""The first page: the steps to a published configuration, and what is still missing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from configurator.publishing import publication_requests
from configurator.sections import first_steps
from configurator.users import roles


@require_GET
def home_page(request: HttpRequest) -> HttpResponse:
    """Begin with the first steps until they are done, then with the services."""
    if first_steps.first_steps_done():
        return redirect("list", key="services")
    return redirect("overview")


@require_GET
def overview_page(request: HttpRequest) -> HttpResponse:
    """What is done and what is missing; counts only, however many entries there are."""
    steps = first_steps.first_steps(request)
    missing = first_steps.missing_parts()
    may_answer = roles.has_role(request, roles.ADMINISTRATORS)
    context = {
        "asked": publication_requests.open_count() if may_answer else 0,
        "steps": steps,
        "all_done": all(step.done for step in steps),
        "is_empty": not any(step.done for step in steps),
        "wrong": [part for part in missing if not part.may_be_meant],
        "told": [part for part in missing if part.may_be_meant],
        "may_import": may_answer,
    }
    return render(request, "configurator/overview.html", context)

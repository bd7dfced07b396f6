"""Asking for a publication, and putting such a request away; publishing itself carries it out."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from configurator import audit_log
from configurator.publishing import publication_requests, published, working_copy
from configurator.publishing.differences import Difference, FieldChange
from configurator.publishing.unpublished import unpublished_differences
from configurator.users import roles
from configurator.users.request_mails import request_mails
from configurator.views import replacing


@require_POST
@roles.allow_only(roles.SENIORS)
def ask_for_publication(request: HttpRequest) -> HttpResponse:
    """Ask the administrators to publish; asked again, it is the same request with what is new."""
    note = " ".join(request.POST.get("note", "").split())[:500]
    waiting = _asked_for()
    with working_copy.writing():
        asked, is_new = publication_requests.ask(request.user.userid, note, waiting)
        details = [FieldChange("Note", "", note)] if note else []
        audit_log.record(request, "ask", "request", str(asked), details)
    if is_new:
        page = request.build_absolute_uri(reverse("publish"))
        request_mails.add(asked, request.user.full_name, page)
    messages.success(request, _("The administrators see that you ask for a publication."))
    return redirect("publish")


def _asked_for() -> list[Difference]:
    """Seats and operators that are not published as they are here, and services whose operators are not."""
    found = unpublished_differences(working_copy.read_working_copy(), published.last_publication())
    return [
        difference
        for difference in found
        if difference.kind in replacing.OF_SUPERVISORS
        or any(change.field == "Operator" for change in difference.changes)
    ]


@require_POST
@roles.allow_only(roles.SENIORS)
def take_back(request: HttpRequest) -> HttpResponse:
    """Take one's own request back."""
    with working_copy.writing():
        asked = publication_requests.take_back(request.user.userid)
        if asked is not None:
            audit_log.record(request, "take-back", "request", str(asked))
    if asked is None:
        messages.error(request, _("There is no request of yours that waits."))
    return redirect("publish")


@require_POST
@roles.allow_only(roles.ADMINISTRATORS)
def put_away(request: HttpRequest, pk: int) -> HttpResponse:
    """Close somebody's request without a publication; whoever asked reads why."""
    why = " ".join(request.POST.get("why", "").split())[:200]
    with working_copy.writing():
        asked = publication_requests.put_away(pk, request.user.userid, why)
        if asked is not None:
            details = [FieldChange("Note", "", why)] if why else []
            audit_log.record(request, "put-away", "request", str(asked), details)
    if asked is None:
        messages.error(request, _("Somebody answered this request in the meantime."))
    else:
        messages.success(request, _("The request of %(who)s was put away.") % {"who": asked.userid})
    return redirect("publish")

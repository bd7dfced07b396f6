"""What belongs to no section: the first page, the picture in the tab, and answers to what makes no sense."""

from __future__ import annotations

import logging

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.views.decorators.http import require_GET

logger = logging.getLogger(__name__)


@require_GET
def home_page(request: HttpRequest) -> HttpResponse:
    """Begin with the services."""
    return redirect("list", key="services")


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """The picture in the browser's tab."""
    return redirect(static("configurator/icon.svg"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What makes no sense. Nothing of the request is looked at: its host may be anything."""
    unknown_host = isinstance(exception, DisallowedHost)
    return HttpResponse(render_to_string("400.html", {"unknown_host": unknown_host}), status=400)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from elsewhere, or one that was open for too long: a page with scripts renews its token."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401)
    over_tls = (
        request.headers.get("Origin", "") == f"https://{request.get_host()}" and not request.is_secure()
    )
    if over_tls:
        logger.warning("a browser speaks TLS, but --https was not given: nobody can log in")
    return render(request, "403_csrf.html", {"over_tls": over_tls}, status=403)

"""What belongs to no section: the picture in the tab, and answers to what makes no sense."""

from __future__ import annotations

import errno
import json
import logging
import sys

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import get_messages
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import DisallowedHost
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port, validate_host
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

logger = logging.getLogger(__name__)


@require_GET
def favicon(request: HttpRequest) -> HttpResponse:
    """The picture in the browser's tab."""
    return redirect(static("configurator/icon.svg"))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What makes no sense. Nothing of the request is looked at: its host may be anything.

    A session that somebody ended while the request was answered is no such thing: one logs in again.
    """
    if isinstance(exception, SessionInterrupted):
        return redirect_to_login("/") if not request.headers.get("HX-Request") else HttpResponse(status=401)
    unknown_host = isinstance(exception, DisallowedHost)
    return HttpResponse(render_to_string("400.html", {"unknown_host": unknown_host}), status=400)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form from elsewhere, or one that was open for too long: a page with scripts renews its token."""
    if request.headers.get("HX-Request"):
        return HttpResponse(status=401)
    context = {"proxy_lacks": _what_a_proxy_lacks(request)}
    return render(request, "403_csrf.html", context, status=403)


def _what_a_proxy_lacks(request: HttpRequest) -> str:
    """Why nobody can log in through the proxy in front, also for the log; empty where it is not that."""
    origin, host = request.headers.get("Origin", ""), request.get_host()
    if origin == f"https://{host}" and not request.is_secure():
        if not settings.SESSION_COOKIE_SECURE:
            logger.warning("a browser speaks TLS, but --https was not given: nobody can log in")
            return "option"
        logger.warning("the proxy in front does not send X-Forwarded-Proto: nobody can log in")
        return "scheme"
    name, _port = split_domain_port(origin.partition("://")[2])
    if name and validate_host(name, settings.ALLOWED_HOSTS) and not origin.endswith(f"://{host}"):
        logger.warning("the proxy in front passes on Host %s for %s: nobody can log in", host, origin)
        return "host"
    return ""


_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def server_error(request: HttpRequest) -> HttpResponse:
    """Something failed. A full disk and a busy database are nobody's mistake, and are called so."""
    error = sys.exc_info()[1]
    with translation.override(translation.get_language_from_request(request)):
        return _said_of(request, error)


def _said_of(request: HttpRequest, error: BaseException | None) -> HttpResponse:
    status, title, text = _trouble(error)
    if status != 500:
        logger.error("%s: %s", request.path, error)
    if request.headers.get("HX-Request"):
        said = json.dumps({"trouble": {"message": f"{title}. {text}"}})
        return HttpResponse(status=status, headers={"HX-Trigger": said})
    return HttpResponse(render_to_string("500.html", {"title": title, "text": text}), status=status)


def unstored_session(request: HttpRequest, response: HttpResponse, error: OperationalError) -> HttpResponse:
    """What a browser gets where its session could not be stored: the same as else, mostly.

    What is kept in the session for the next page to say would be lost with it: it is said here.
    """
    logger.error("%s: the session was not stored: %s", request.path, error)
    said = " ".join(str(message) for message in get_messages(request))
    if not said or not 300 <= response.status_code < 400:
        return response
    with translation.override(getattr(request, "LANGUAGE_CODE", None) or translation.get_language()):
        status, title, _text = _trouble(error)
        return HttpResponse(render_to_string("500.html", {"title": title, "text": said}), status=status)


def _trouble(error: BaseException | None) -> tuple[int, str, str]:
    words = str(error)
    if (isinstance(error, OSError) and error.errno in _FULL) or "disk is full" in words:
        text = _("Nothing of this was stored. Make room on the server's disk, then do it again.")
        return 507, _("The disk is full"), text
    if isinstance(error, OperationalError) and (
        "locked" in words or "readonly" in words or "disk I/O" in words
    ):
        text = _("Nothing of this was stored. Wait a moment, then do it again; the log says more.")
        return 503, _("The database cannot be written"), text
    return 500, _("Something went wrong"), _("The log of the Configurator has the details.")

"""What happens to every request and answer: policy for browsers, login, end of sessions, language."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.exceptions import SessionInterrupted
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone, translation

from configurator.users import second_factor
from configurator.views.site import unstored_session
from configurator.web.memory import memory_of_answers, quiet_moments

GetResponse = Callable[[HttpRequest], HttpResponse]

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
OPEN_VIEWS = frozenset(
    {
        "login",
        "password_lost",
        "password_lost_sent",
        "password_new",
        "password_new_done",
        "set_language",
        "favicon",
        "sign_on",
        "sign_on_callback",
        "sign_on_connect",
        "sign_on_done",
        "logged_out",
    }
)
"""Views that need no login."""


class MemoryGivenBack:
    """Lets the system have what an answer took: an import takes as much as all the rest.

    And notes that somebody waits, as long as that is so.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with quiet_moments.answering():
            try:
                return self._answer(request)
            finally:
                memory_of_answers.give_back()


class ContentSecurity:
    """Sends the content security policy: nothing from another host, no script or style in a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self._answer(request)
        response["Content-Security-Policy"] = POLICY
        response["Permissions-Policy"] = "camera=(), microphone=(), geolocation=()"
        if not request.path.startswith(settings.STATIC_URL):
            response["Cache-Control"] = "no-store"
        return response


class Sessions(SessionMiddleware):
    """Stores sessions. Where that fails, what was asked for is answered all the same.

    On a full disk the session stays as it was stored before: mostly its renewal is missing.
    """

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Store what changed. SessionInterrupted where the session was ended meanwhile."""
        try:
            return super().process_response(request, response)
        except SessionInterrupted as error:
            cause = _trouble_behind(error)
            if cause is None:
                raise
            return unstored_session(request, response, cause)


def _trouble_behind(error: BaseException | None) -> OperationalError | None:
    """What the database could not do, where an error came of that: Django takes it for an ended session."""
    while error is not None and not isinstance(error, OperationalError):
        error = error.__cause__ or error.__context__
    return error


class SessionEnd:
    """Ends a session some hours after its login, however busy it is; until then it knows its user's name."""

    def __init__(self, get_response: GetResponse) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            age = timezone.now().timestamp() - request.session.get("since", 0)
            if age > settings.SESSION_LONGEST:
                logout(request)
            elif request.session.get("userid") != request.user.userid:
                request.session["userid"] = request.user.userid  # renamed since the login
            self._renew(request)
        return self._answer(request)

    @staticmethod
    def _renew(request: HttpRequest) -> None:
        """Let it live on. With each page that would wait for whoever writes an import's audit log."""
        now = timezone.now().timestamp()
        if not 0 <= now - request.session.get("renewed", 0) < settings.SESSION_RENEWED:
            request.session["renewed"] = now


class UserLanguage:
    """Speaks the user's language, else the one chosen before the login, else the browser's."""

    def __init__(self, get_response: GetResponse) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        language = getattr(request.user, "language", "") or translation.get_language_from_request(request)
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self._answer(request)
            response.headers.setdefault("Content-Language", language)
            if hasattr(response, "render") and not response.is_rendered:
                response.render()  # Django would do it later, in the language of the process
            return response


class _Gate:
    """What has a say before a view is called, and nothing afterwards."""

    def __init__(self, get_response: GetResponse) -> None:
        self._answer = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self._answer(request)


class LoginNeeded(_Gate):
    """Lets nobody in without a login, whatever the address."""

    def process_view(
        self, request: HttpRequest, view: object, arguments: object, named: object
    ) -> HttpResponse | None:
        """Send to the login page; where a part of a page is asked for, the page logs in and asks again."""
        if request.user.is_authenticated or request.resolver_match.url_name in OPEN_VIEWS:
            return None
        if request.headers.get("HX-Request"):
            # A redirection would put the login page into the middle of this one.
            return HttpResponse(status=401)
        return redirect_to_login(request.get_full_path() if request.method == "GET" else "/")


class SecondFactorNeeded(_Gate):
    """Lets users who have to have a second factor do nothing before they set it up."""

    def process_view(
        self, request: HttpRequest, view: object, arguments: object, named: object
    ) -> HttpResponse | None:
        """Send to the page where it is set up."""
        name = request.resolver_match.url_name
        if not request.user.is_authenticated or name in OPEN_VIEWS | {"logout", "session", "second_factor"}:
            return None
        if not second_factor.keeps_out(request):
            return None
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": reverse("second_factor")})
        return redirect("second_factor")

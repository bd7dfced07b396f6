"""Logging in with an account of an OpenID Connect provider, and out again."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.conf import settings
from django.contrib import auth
from django.contrib.auth import views as auth_views
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.log import log_response
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from configurator import audit_log
from configurator.forms.users import refuse_too_many
from configurator.models import ManagerUser
from configurator.openid import identities, sessions
from configurator.openid.identities import Person
from configurator.openid.openid_settings import BACKEND, OpenIdSettings
from configurator.openid.refusals import TEXTS, SignOnError, SignOnRefusal
from configurator.users import second_factor

logger = logging.getLogger(__name__)
PROOF_LIVES = 10 * 60
"""Seconds for which the provider's word about a person is kept until the password is typed, too."""


@require_GET
def begin(request: HttpRequest) -> HttpResponse:
    """Send the browser to the provider. A link, no form: pages let forms be sent to this host alone."""
    chosen = _settings()
    from configurator.openid.code_flow import SignOnBeginView

    try:
        return SignOnBeginView(chosen).get(request)
    except SignOnError as error:
        return _refused(request, error)


@require_GET
def come_back(request: HttpRequest) -> HttpResponse:
    """Where the provider sends the browser: log in, or say why not and what to do."""
    chosen = _settings()
    from configurator.openid.code_flow import SignOnCallbackView

    view = SignOnCallbackView(chosen)
    view.setup(request)
    try:
        return view.get(request)
    except SignOnError as error:
        return _refused(request, error)


@require_POST
def connect_page(request: HttpRequest) -> HttpResponse:
    """Make an account that of a user who is there already, whose password was typed."""
    from configurator.openid.code_flow import end_sign_on

    _settings()
    kept = request.session.get("openid_person")
    if kept is None or not 0 <= time.time() - kept[0] <= PROOF_LIVES:
        return _refused(request, SignOnError(SignOnRefusal.STATE))
    person = Person(*kept[1:])
    user = identities.user_to_connect(person)
    taken = SignOnError(SignOnRefusal.TAKEN, userid=person.userid)
    if user is None:
        return _refused(request, taken)
    address = audit_log.address_of(request)
    try:
        refuse_too_many(user.userid, address)
    except ValidationError as error:
        return _refused(request, taken, error=" ".join(error.messages))
    proven = user.check_password(request.POST.get("password", ""))
    if not proven or not second_factor.accepts(user, request.POST.get("code", ""), address):
        audit_log.record(request, "login-failed", "session", user.userid)
        return _refused(request, taken, error=_("User id, password or code are wrong."))
    try:
        user = identities.connect(user, person)
    except SignOnError as error:
        return _refused(request, error)
    where = request.session.get("oidc_login_next") or reverse("home")
    auth.login(request, user, BACKEND)
    end_sign_on(request)
    return redirect(where)


@require_GET
def done_page(request: HttpRequest) -> HttpResponse:
    """In the window that was opened to log in again: the page that opened it hears of it."""
    if not request.user.is_authenticated:
        return redirect("login")
    return render(request, "configurator/sign_on_done.html")


class LogOutPage(auth_views.LogoutView):
    """Ends the session; who came by the provider hears that its own session goes on."""

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Log out."""
        signed_on = settings.OPENID is not None and sessions.is_signed_on(request)
        response = super().post(request, *arguments, **named)
        return redirect("logged_out") if signed_on else response


@require_GET
def logged_out_page(request: HttpRequest) -> HttpResponse:
    """Where one logs out at the provider, too."""
    chosen = _settings()
    from configurator.openid.code_flow import log_out_address

    context = {"openid": chosen, "address": log_out_address(request, chosen)}
    return render(request, "configurator/logged_out.html", context)


def _settings() -> OpenIdSettings:
    chosen: OpenIdSettings | None = settings.OPENID
    if chosen is None:
        raise Http404
    return chosen


def _refused(request: HttpRequest, why: SignOnError, error: str = "") -> HttpResponse:
    """A page that says why, with what to do; one line in the log."""
    chosen = _settings()
    said = TEXTS[why.refusal]
    names = {
        "name": chosen.name,
        "userid": why.userid,
        "user_claim": chosen.user_claim,
        "role_claim": chosen.role_claim,
    }
    where = request.session.get("oidc_login_next")
    context: dict[str, Any] = {
        "name": chosen.name,
        "title": str(said.title) % names,
        "text": str(said.text) % names,
        "what_to_do": str(said.what_to_do) % names,
        "again": reverse("sign_on") + (f"?{urlencode({'next': where})}" if where else ""),
        "has_local": bool(chosen.local_login),
        "error": error,
    }
    if why.refusal is SignOnRefusal.ROLE:
        labels = dict(ManagerUser.Role.choices)
        context["roles"] = [(labels[role], sorted(values)) for role, values in chosen.roles if values]
    if why.refusal is SignOnRefusal.TAKEN:
        kept = request.session.get("openid_person")
        user = identities.user_to_connect(Person(*kept[1:])) if kept else None
        context |= {"can_connect": user is not None, "asks_code": second_factor.is_used()}
    response = render(request, "configurator/sign_on_refused.html", context, status=said.status)
    log_response(
        "sign-on refused: %s (%s) %s",
        why.refusal.value,
        why,
        why.userid,
        response=response,
        request=request,
        logger=logger,
        level="warning",
    )
    return response

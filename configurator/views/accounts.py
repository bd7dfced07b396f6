"""Login, lost passwords, one's own account."""

from __future__ import annotations

import base64
import json
from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from configurator import audit_log
from configurator.forms.users import (
    AccountForm,
    LoginForm,
    NewPasswordForm,
    PasswordChangeForm,
    PasswordLostForm,
    refuse_too_many,
)
from configurator.models import ManagerUser
from configurator.openid.sessions import may_use_password
from configurator.publishing import differences
from configurator.publishing.differences import FieldChange
from configurator.sections.managers import describe_manager_user
from configurator.users import authentication, second_factor
from configurator.users.lost_passwords import LostPassword, mails


class LoginPage(auth_views.LoginView):
    """The login page."""

    template_name = "configurator/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Answer the dialog of a page whose session ended: its typing stays, only its token is renewed."""
        if request.htmx and request.user.is_authenticated:
            return _logged_in(request)
        return super().dispatch(request, *arguments, **named)

    def get_template_names(self) -> list[str]:
        """The form alone for a dialog."""
        return ["configurator/login_dialog.html"] if self.request.htmx else [self.template_name]

    def get_form_kwargs(self) -> dict[str, Any]:
        """The dialog's fields are called otherwise than those of the form below it."""
        return {**super().get_form_kwargs(), **({"auto_id": "login_%s"} if self.request.htmx else {})}

    def get_form(self, *arguments: Any) -> Any:
        """In the dialog the user is known: the password comes next."""
        form = super().get_form(*arguments)
        if self.request.htmx or settings.OPENID is not None:
            form.fields["username"].widget.attrs.pop("autofocus", None)
        if self.request.htmx:
            form.fields["username"].widget.attrs["readonly"] = True
        return form

    def get_initial(self) -> dict[str, Any]:
        """The dialog is for the user whose page it is."""
        return {**super().get_initial(), "username": self.request.GET.get("userid", "")}

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """The provider whose accounts log in, too, and whether the dialog's user is such a one."""
        only = settings.OPENID is not None and not settings.OPENID.local_login
        away = only or (settings.OPENID is not None and "signed-on" in self.request.GET)
        return {**super().get_context_data(**named), "openid": settings.OPENID, "without_password": away}

    def form_valid(self, form: Any) -> HttpResponse:
        """Log in, and go on where the page was."""
        response = super().form_valid(form)
        return _logged_in(self.request) if self.request.htmx else response


def _logged_in(request: HttpRequest) -> HttpResponse:
    said = json.dumps({"loggedIn": {"userid": request.user.userid, "token": get_token(request)}})
    return HttpResponse(status=204, headers={"HX-Trigger": said})


@require_GET
def session_state(request: HttpRequest) -> HttpResponse:
    """Nothing, where there is a session; a page asks before it sends a form that would be lost otherwise."""
    return HttpResponse(status=204)


class PasswordLostPage(auth_views.PasswordResetView):
    """Sends a link by mail; without a mail server it says who can help."""

    template_name = "configurator/password_lost.html"
    form_class = PasswordLostForm
    success_url = reverse_lazy("password_lost_sent")

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """Whether mail can be sent, and who administrates."""
        administrators = ManagerUser.objects.filter(role="administrator", enabled=True)
        return {
            **super().get_context_data(**named),
            "has_mail": bool(settings.EMAIL_HOST),
            "failed": mails.state().failed,
            "administrators": [user.full_name for user in administrators[:10]],
        }

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Throttled like a login: nobody's mailbox is filled from here."""
        if not settings.EMAIL_HOST:
            return self.get(request)
        form = self.get_form()
        if not form.is_valid():
            return self.form_invalid(form)
        if not authentication.count_attempt("", audit_log.address_of(request)):
            email, language = form.cleaned_data["email"], translation.get_language() or "en"
            mails.add(LostPassword(email, request.get_host(), request.is_secure(), language))
        return redirect("password_lost_sent")


class PasswordLostSentPage(auth_views.PasswordResetDoneView):
    """Says that a mail is on its way, or that none can be sent: for every address the same."""

    template_name = "configurator/password_lost_sent.html"

    def get(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Look again while it is not known yet."""
        response = super().get(request, *arguments, **named)
        if mails.state().waiting:
            response["Refresh"] = "3"
        return response

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """Whether the mail server could not be reached; while a mail waits, that is not known."""
        state = mails.state()
        return {**super().get_context_data(**named), "failed": state.failed and not state.waiting}


class PasswordNewPage(auth_views.PasswordResetConfirmView):
    """The page behind the link."""

    template_name = "configurator/password_new.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("password_new_done")

    def get_user(self, uidb64: str) -> ManagerUser | None:
        """Whose link it is, as long as a password would let that user in."""
        user = super().get_user(uidb64)
        return user if user is not None and user.enabled and may_use_password(user) else None

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password and note it."""
        response = super().form_valid(form)
        authentication.forget_failures(self.user.userid)
        audit_log.record(self.user.userid, "password-reset", "manageruser", self.user.userid)
        return response


@require_http_methods(["GET", "POST"])
def account_page(request: HttpRequest) -> HttpResponse:
    """One's own name, mail, language and appearance."""
    user = ManagerUser.objects.get(pk=request.user.pk)
    before = dict(describe_manager_user(user))
    form = AccountForm(request.POST or None, instance=user, address=audit_log.address_of(request))
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        saved.raise_revision()
        saved.save(update_fields=[*AccountForm.Meta.fields, "revision"])
        changes = differences.field_changes(before, describe_manager_user(saved))
        audit_log.record(request, "edit", "manageruser", saved.userid, changes)
        return redirect("account")
    context = {"form": form, "second_factor": settings.TWO_FACTOR, "has_password": user.has_usable_password()}
    return render(request, "configurator/account.html", context)


class PasswordChangePage(auth_views.PasswordChangeView):
    """One's own password."""

    template_name = "configurator/password_change.html"
    form_class = PasswordChangeForm
    success_url = reverse_lazy("account")

    def get_form_kwargs(self) -> dict[str, Any]:
        """Where the attempt comes from."""
        return {**super().get_form_kwargs(), "address": audit_log.address_of(self.request)}

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password and note it; other sessions of this user end."""
        audit_log.record(self.request, "password", "manageruser", self.request.user.userid)
        return super().form_valid(form)


@require_http_methods(["GET", "POST"])
def second_factor_page(request: HttpRequest) -> HttpResponse:
    """Set up an app whose codes are asked for at the login, or end that; both need the password, if any."""
    if not settings.TWO_FACTOR:
        raise Http404
    user = ManagerUser.objects.get(pk=request.user.pk)
    error = _change_second_factor(request, user) if request.method == "POST" else ""
    if request.method == "POST" and not error:
        return redirect("second_factor")
    context: dict[str, Any] = {"error": error, "has_one": second_factor.device_of(user) is not None}
    context["is_needed"] = user.role in settings.SECOND_FACTOR_FOR
    if not context["has_one"]:
        device = second_factor.begin(user)
        context["picture"] = second_factor.picture(device)
        context["secret"] = base64.b32encode(device.bin_key).decode()
        context["asks_password"] = user.has_usable_password()
    return render(request, "configurator/second_factor.html", context)


def _change_second_factor(request: HttpRequest, user: ManagerUser) -> str:
    """Do what the form says; returns what is wrong, or nothing."""
    had = second_factor.device_of(user) is not None
    try:
        refuse_too_many(user.userid, audit_log.address_of(request))
    except ValidationError as error:
        return " ".join(error.messages)
    # Who found a page open must not bind the account to a phone of his, nor free it of one.
    asks_password = had or user.has_usable_password()
    if asks_password and not user.check_password(request.POST.get("present_password", "")):
        return _("The password is wrong.")
    if not had and not second_factor.confirm(user, request.POST.get("code", "")):
        return _("This is not the code that the app shows now. Look at its clock, too.")
    if had:
        second_factor.remove(user)
    authentication.forget_failures(user.userid)
    words = ("yes", "no") if had else ("no", "yes")
    audit_log.record(request, "edit", "manageruser", user.userid, [FieldChange("Second factor", *words)])
    return ""


@require_http_methods(["POST"])
def switch_appearance(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark from the menu bar."""
    theme = request.POST.get("theme", "")
    if theme in ManagerUser.Theme.values:
        ManagerUser.objects.filter(pk=request.user.pk).update(theme=theme)
    return HttpResponse(status=204)

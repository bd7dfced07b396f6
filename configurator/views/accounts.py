"""Login, logout, lost passwords, one's own account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.contrib.auth import views as auth_views
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_GET, require_http_methods

from configurator import audit_log, section_facts
from configurator.forms.entries import AccountForm
from configurator.models import ManagerUser
from configurator.publishing import differences
from configurator.users import authentication


class LoginForm(auth_forms.AuthenticationForm):
    """User id and password, and no more attempts than are welcome."""

    error_messages = {
        "invalid_login": gettext_lazy("User id or password are wrong, or the user is disabled."),
        "inactive": gettext_lazy("User id or password are wrong, or the user is disabled."),
    }

    def __init__(self, request: Any = None, *arguments: Any, **named: Any) -> None:
        super().__init__(request, *arguments, **named)
        self.label_suffix = ""
        self.fields["username"].label = _("User id")

    def clean(self) -> dict[str, Any]:
        """Look at the password only while attempts are welcome."""
        assert self.request is not None
        userid = self.cleaned_data.get("username", "")
        if not (userid and self.cleaned_data.get("password")):
            return super().clean()
        minutes = authentication.attempt(userid, audit_log.address_of(self.request))
        if minutes:
            raise forms.ValidationError(
                ngettext(
                    "Too many failed attempts: try again in a minute.",
                    "Too many failed attempts: try again in %(minutes)d minutes.",
                    minutes,
                )
                % {"minutes": minutes},
                code="throttled",
            )
        try:
            return super().clean()
        except forms.ValidationError:
            audit_log.record(self.request, "login-failed", "session", userid)
            raise


class Login(auth_views.LoginView):
    """The login page."""

    template_name = "configurator/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class LostForm(auth_forms.PasswordResetForm):
    """The address to send a link to."""

    def get_users(self, email: str) -> Iterator[ManagerUser]:
        """Enabled users with exactly this address."""
        return (user for user in ManagerUser.objects.filter(email__iexact=email, enabled=True) if user.email)


class PasswordLost(auth_views.PasswordResetView):
    """Sends a link by mail; without a mail server it says who can help."""

    template_name = "configurator/password_lost.html"
    form_class = LostForm
    email_template_name = "configurator/password_mail.txt"
    subject_template_name = "configurator/password_mail_subject.txt"
    success_url = reverse_lazy("password_lost_sent")

    def get_context_data(self, **named: Any) -> dict[str, Any]:
        """Whether mail can be sent, and who administrates."""
        administrators = ManagerUser.objects.filter(role="administrator", enabled=True)
        return {
            **super().get_context_data(**named),
            "has_mail": bool(settings.EMAIL_HOST),
            "administrators": [user.full_name for user in administrators[:10]],
        }

    def post(self, request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
        """Throttled like a login: nobody's mailbox is filled from here."""
        if not settings.EMAIL_HOST:
            return self.get(request)
        address = audit_log.address_of(request)
        if authentication.attempt("", address):
            return redirect("password_lost_sent")
        return super().post(request, *arguments, **named)


class _PasswordAlone:
    """Stores a password and nothing else: a role that is taken away at the same moment stays away."""

    cleaned_data: dict[str, Any]

    def set_password_and_save(self, user: Any, password_field_name: str, commit: bool = True) -> Any:
        """Django's own, which stores the user as it was read."""
        user.set_password(self.cleaned_data[password_field_name])
        user.save(update_fields=["password"])
        return user


class NewPasswordForm(_PasswordAlone, auth_forms.SetPasswordForm):
    """A password behind a link."""


class ChangeForm(_PasswordAlone, auth_forms.PasswordChangeForm):
    """A password of one's own, with the old one."""


class PasswordNew(auth_views.PasswordResetConfirmView):
    """The page behind the link."""

    template_name = "configurator/password_new.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("password_new_done")

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password and note it."""
        response = super().form_valid(form)
        authentication.forget_failures(self.user.userid)
        audit_log.record(self.user.userid, "password-reset", "manageruser", self.user.userid)
        return response


@require_http_methods(["GET", "POST"])
def account(request: HttpRequest) -> HttpResponse:
    """One's own name, mail, language and appearance."""
    user = ManagerUser.objects.get(pk=request.user.pk)
    before = dict(section_facts.describe_manager(user))
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        saved.revision += 1
        saved.save(update_fields=[*form.fields, "revision"])
        changes = differences.changes(before, section_facts.describe_manager(saved))
        audit_log.record(request, "edit", "manageruser", saved.userid, changes)
        return redirect("account")
    return render(request, "configurator/account.html", {"form": form})


class PasswordChange(auth_views.PasswordChangeView):
    """One's own password."""

    template_name = "configurator/password_change.html"
    form_class = ChangeForm
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password and note it; other sessions of this user end."""
        audit_log.record(self.request, "password", "manageruser", self.request.user.userid)
        return super().form_valid(form)


@require_http_methods(["POST"])
def appearance(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark from the menu bar."""
    theme = request.POST.get("theme", "")
    if theme in ManagerUser.Theme.values:
        ManagerUser.objects.filter(pk=request.user.pk).update(theme=theme)
    return HttpResponse(status=204)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
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
    """A form from elsewhere, or one that was open for too long."""
    return render(request, "403_csrf.html", status=403)

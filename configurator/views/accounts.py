"""Login, lost passwords, one's own account."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import views as auth_views
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.http import require_http_methods

from configurator import audit_log
from configurator.forms.users import (
    AccountForm,
    LoginForm,
    NewPasswordForm,
    PasswordChangeForm,
    PasswordLostForm,
)
from configurator.models import ManagerUser
from configurator.publishing import differences
from configurator.sections.managers import describe_manager_user
from configurator.users import authentication


class LoginPage(auth_views.LoginView):
    """The login page."""

    template_name = "configurator/login.html"
    authentication_form = LoginForm
    redirect_authenticated_user = True


class PasswordLostPage(auth_views.PasswordResetView):
    """Sends a link by mail; without a mail server it says who can help."""

    template_name = "configurator/password_lost.html"
    form_class = PasswordLostForm
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
        if authentication.count_attempt("", address):
            return redirect("password_lost_sent")
        return super().post(request, *arguments, **named)


class PasswordNewPage(auth_views.PasswordResetConfirmView):
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
def account_page(request: HttpRequest) -> HttpResponse:
    """One's own name, mail, language and appearance."""
    user = ManagerUser.objects.get(pk=request.user.pk)
    before = dict(describe_manager_user(user))
    form = AccountForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        saved = form.save(commit=False)
        saved.raise_revision()
        saved.save(update_fields=[*form.fields, "revision"])
        changes = differences.field_changes(before, describe_manager_user(saved))
        audit_log.record(request, "edit", "manageruser", saved.userid, changes)
        return redirect("account")
    return render(request, "configurator/account.html", {"form": form})


class PasswordChangePage(auth_views.PasswordChangeView):
    """One's own password."""

    template_name = "configurator/password_change.html"
    form_class = PasswordChangeForm
    success_url = reverse_lazy("account")

    def form_valid(self, form: Any) -> HttpResponse:
        """Store the password and note it; other sessions of this user end."""
        audit_log.record(self.request, "password", "manageruser", self.request.user.userid)
        return super().form_valid(form)


@require_http_methods(["POST"])
def switch_appearance(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark from the menu bar."""
    theme = request.POST.get("theme", "")
    if theme in ManagerUser.Theme.values:
        ManagerUser.objects.filter(pk=request.user.pk).update(theme=theme)
    return HttpResponse(status=204)

"""The forms about manager users: one's entry, one's own account, login and passwords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib.auth import forms as auth_forms
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.template import loader
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from configurator import audit_log
from configurator.forms.entries import EntryForm
from configurator.models import ManagerUser
from configurator.openid.sessions import may_use_password
from configurator.users import authentication, password_rules, second_factor


def refuse_too_many(userid: str, address: str) -> None:
    """Count an attempt at a password. ValidationError where there were too many."""
    minutes = authentication.count_attempt(userid, address)
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


def present_password_field(help_text: Any) -> forms.CharField:
    """The password that one has: who finds a screen unlocked does not know it."""
    return forms.CharField(
        label=_("Present password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
        help_text=help_text,
    )


def prove_present_password(form: forms.Form, user: ManagerUser, address: str) -> None:
    """Add an error where the form does not say it. ValidationError where there were too many attempts."""
    stored = ManagerUser.objects.get(pk=user.pk)  # the form may have another user id already
    refuse_too_many(stored.userid, address)
    if not stored.check_password(form.cleaned_data.get("present_password") or ""):
        form.add_error("present_password", gettext("This needs your present password."))
    else:
        authentication.forget_failures(stored.userid)


class ManagerUserForm(EntryForm):
    """A manager user, as an administrator sees one."""

    own_fields = frozenset({"userid", "full_name", "email"})

    new_password = forms.CharField(
        label=_("Password"),
        required=False,
        strip=False,
        max_length=200,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("At least 10 characters."),
    )

    class Meta:
        model = ManagerUser
        fields: ClassVar = ["full_name", "userid", "email", "role", "language", "enabled"]

    field_order: ClassVar = [
        "full_name",
        "userid",
        "email",
        "new_password",
        "present_password",
        "role",
        "language",
        "enabled",
    ]

    def __init__(self, *arguments: Any, asked_from: str | None = None, **named: Any) -> None:
        """Who changes the own entry does so from the address `asked_from`; that of others from None."""
        super().__init__(*arguments, **named)
        self._asked_from = asked_from
        if asked_from is not None and self.instance.has_usable_password():
            self.fields["present_password"] = present_password_field(
                _("Only if your e-mail address or your password changes.")
            )
            self.order_fields(self.field_order)
        if self.instance.pk:
            self.fields["new_password"].help_text = _("Leave empty to keep the present one.")
        else:
            self.fields["new_password"].required = True

    def clean(self) -> dict[str, Any]:
        """Somebody always has to be able to administrate."""
        data = super().clean() or {}
        plain = data.get("new_password")
        if plain:
            try:
                names = {key: data.get(key, "") for key in ("userid", "full_name", "email")}
                password_rules.check_password(plain, ManagerUser(**names))  # as they will be
            except ValidationError as error:
                self.add_error("new_password", error)
        if "present_password" in self.fields and (plain or "email" in self.changed_data):
            prove_present_password(self, self.instance, self._asked_from or "")
        stays = data.get("role") == ManagerUser.Role.ADMINISTRATOR and data.get("enabled")
        if self.instance.pk and not stays and self.instance.is_last_administrator():
            self.add_error("role", _("The last enabled administrator has to stay one."))
        return data

    def save(self, commit: bool = True) -> ManagerUser:
        """Store the user; another password ends this user's sessions."""
        plain = self.cleaned_data.get("new_password")
        if plain:
            self.instance.set_password(plain)
            authentication.forget_failures(self.instance.userid)
        if not self.instance.enabled:
            authentication.end_sessions(self.instance)
        return super().save(commit)


class AccountForm(forms.ModelForm):
    """What everybody may change of themselves; the address for a lost password only with the present one."""

    present_password = present_password_field(_("Only if the e-mail address changes."))

    class Meta:
        model = ManagerUser
        fields: ClassVar = ["full_name", "email", "language", "theme"]

    field_order: ClassVar = ["full_name", "email", "present_password", "language", "theme"]
    label_suffix = ""

    def __init__(self, *arguments: Any, address: str = "", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._address = address
        if not self.instance.has_usable_password():
            del self.fields["present_password"]
            self.fields["email"].disabled = self.fields["full_name"].disabled = True

    def clean(self) -> dict[str, Any]:
        """Who finds a screen unlocked shall not have a link to a new password sent to himself."""
        data = super().clean() or {}
        if "email" in self.changed_data and "present_password" in self.fields:
            prove_present_password(self, self.instance, self._address)
        return data


class LoginForm(auth_forms.AuthenticationForm):
    """User id and password, and no more attempts than are welcome."""

    error_messages = {
        "invalid_login": _("User id or password are wrong, or the user is disabled."),
        "inactive": _("User id or password are wrong, or the user is disabled."),
    }

    def __init__(self, request: Any = None, *arguments: Any, **named: Any) -> None:
        super().__init__(request, *arguments, **named)
        self.label_suffix = ""
        self.fields["username"].label = gettext("User id")
        asks_code = second_factor.is_used()
        self.error_messages = {**self.error_messages, "invalid_login": self._refusal(asks_code)}
        if asks_code:
            self.fields["code"] = forms.CharField(
                label=gettext("Code"),
                required=False,
                max_length=12,
                help_text=gettext("Of your app, if you set one up."),
                widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
            )

    def clean(self) -> dict[str, Any]:
        """Look at the password only while attempts are welcome."""
        assert self.request is not None
        userid = self.cleaned_data.get("username", "")
        if settings.OPENID is not None and not settings.OPENID.local_login:
            raise forms.ValidationError(self._elsewhere(), code="elsewhere")
        if not (userid and self.cleaned_data.get("password")):
            return super().clean()
        address = audit_log.address_of(self.request)
        refuse_too_many(userid, address)
        try:
            data = super().clean()
            if not second_factor.accepts(self.get_user(), self.cleaned_data.get("code", ""), address):
                raise self.get_invalid_login_error()
            if not may_use_password(self.get_user()):
                raise self.get_invalid_login_error()
            return data
        except forms.ValidationError:
            audit_log.record(self.request, "login-failed", "session", userid)
            raise

    @staticmethod
    def _refusal(asks_code: bool) -> str:
        """The same whatever is wrong, or who guesses passwords would be told that one is right."""
        said = (
            gettext("User id, password or code are wrong, or the user is disabled.")
            if asks_code
            else gettext("User id or password are wrong, or the user is disabled.")
        )
        if settings.OPENID is not None and not settings.OPENID.local_login.issuperset(
            ManagerUser.Role.values
        ):
            words = gettext("All but administrators log in with their account of %(name)s.")
            said = f"{said} {words % {'name': settings.OPENID.name}}"
        return said.replace("%", "%%")  # Django fills in the user id

    def _elsewhere(self) -> str:
        return gettext("Log in with your account of %(name)s.") % {"name": settings.OPENID.name}


class PasswordLostForm(auth_forms.PasswordResetForm):
    """The address to send a link to."""

    def get_users(self, email: str) -> Iterator[ManagerUser]:
        """Enabled users with exactly this address, who may log in with a password and have one."""
        found = ManagerUser.objects.filter(email__iexact=email, enabled=True)
        return (u for u in found if u.email and u.has_usable_password() and may_use_password(u))

    def send_mail(
        self,
        subject_template_name: str,
        email_template_name: str,
        context: dict[str, Any],
        from_email: str | None,
        to_email: str,
        html_email_template_name: str | None = None,
    ) -> None:
        """Send the link, or raise what went wrong: Django's own keeps that to itself."""
        subject = "".join(loader.render_to_string(subject_template_name, context).splitlines())
        body = loader.render_to_string(email_template_name, context)
        EmailMessage(subject, body, from_email, [to_email]).send()


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


class PasswordChangeForm(_PasswordAlone, auth_forms.PasswordChangeForm):
    """A password of one's own, with the old one, which may be tried as often as at the login."""

    def __init__(self, *arguments: Any, address: str = "", **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._address = address

    def clean_old_password(self) -> str:
        """Look at it only while attempts are welcome."""
        refuse_too_many(self.user.userid, self._address)
        old: str = super().clean_old_password()
        authentication.forget_failures(self.user.userid)
        return old

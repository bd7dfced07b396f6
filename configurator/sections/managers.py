"""The section of those who may log in here."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout, update_session_auth_hash
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from configurator import audit_log
from configurator.forms.users import ManagerUserForm
from configurator.models import ManagerUser
from configurator.publishing.differences import PASSWORD_FIELD, FieldValue
from configurator.sections.section import Column, Section
from configurator.users import roles


def describe_manager_user(user: ManagerUser) -> dict[str, FieldValue]:
    """A manager user as fields with words; the password's hash only to compare it."""
    return {
        "User id": user.userid,
        "Full name": user.full_name,
        "E-mail": user.email,
        "Role": user.role,
        "Language": user.language,
        "Enabled": "yes" if user.enabled else "no",
        PASSWORD_FIELD: user.password,
    }


class ManagerUserSection(Section):
    """Manager users; administrators see them."""

    key = "managers"
    model = ManagerUser
    title = gettext_lazy("Manager users")
    entry_name = gettext_lazy("manager user")
    icon = "manager"
    columns = (
        Column("full_name", gettext_lazy("Full name"), "full_name", lambda row: row.full_name, "strong"),
        Column("userid", gettext_lazy("User id"), "userid", lambda row: row.userid, "code"),
        Column("role", gettext_lazy("Role"), "role", lambda row: row.get_role_display(), "pill"),
        Column("email", gettext_lazy("E-mail"), "email", lambda row: row.email),
        Column("created", gettext_lazy("Created"), "created", lambda row: row.created, "moment"),
        Column("last_login", gettext_lazy("Last login"), "last_login", lambda row: row.last_login, "moment"),
        Column("enabled", gettext_lazy("Enabled"), "enabled", lambda row: row.enabled, "yes"),
    )
    search = ("full_name", "userid", "email")
    form = ManagerUserForm
    form_template = "configurator/manager_form.html"
    readers = roles.ADMINISTRATORS
    hint = gettext_lazy("Those who may log in here.")

    def form_arguments(self, request: HttpRequest, entry: Any = None) -> dict[str, Any]:
        """One's own entry asks for the present password."""
        oneself = entry is not None and entry.pk == request.user.pk
        return {"asked_from": audit_log.address_of(request) if oneself else None}

    def describe(self, entry: ManagerUser) -> dict[str, FieldValue]:
        """Everything that the form has."""
        return describe_manager_user(entry)

    def forbids_removal(self, entry: ManagerUser) -> str:
        """Somebody always has to be able to administrate."""
        return _("This is the last enabled administrator.") if entry.is_last_administrator() else ""

    def after_save(self, request: HttpRequest, saved: ManagerUser) -> None:
        """Changing one's own password must not end one's own session; disabling oneself does.

        Django ends the sessions of a user whose password changes, since each carries a hash of it.
        """
        if saved.pk != request.user.pk:
            return
        if saved.enabled:
            update_session_auth_hash(request, saved)
        else:
            logout(request)

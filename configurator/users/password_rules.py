"""Rules for passwords: one set for manager users, however a password is set, and advice for operators'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from configurator.models import ManagerUser, Operator

LONGEST = 200
STORED = ("md5:", "scrypt:")
"""What passwords begin with of which only a hash is known."""


class TypeableValidator:
    """Refuses what a form could not send again: more than it takes, or several lines."""

    def validate(self, password: str, user: object = None) -> None:
        """ValidationError says what is wrong."""
        if len(password) > LONGEST:
            raise ValidationError(_("A password has at most %(most)d characters.") % {"most": LONGEST})
        if "\n" in password or "\r" in password:
            raise ValidationError(_("A password has no line break."))

    def get_help_text(self) -> str:
        """Nothing that anybody would try."""
        return ""


def check_password(plain: str, user: ManagerUser) -> None:
    """The rules for a manager user, whose name and address are known already. ValidationError."""
    password_validation.validate_password(plain, user)


def weakness_of(plain: str, operator: Operator) -> str:
    """Why an operator's password is easily guessed, by the same rules; empty where it is not.

    It is only told: how long passwords are that people type at each shift is the installation's own.
    """
    user = ManagerUser(userid=operator.username, full_name=operator.full_name)
    try:
        password_validation.validate_password(plain, user)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def weak_operators(rows: Iterable[Mapping[str, str]]) -> list[str]:
    """The user names of a CSV file's rows whose plain passwords are easily guessed, in the file's order."""
    return [
        row["username"]
        for row in rows
        if (plain := row.get("password", ""))
        and not plain.startswith(STORED)
        and weakness_of(plain, Operator(username=row["username"], full_name=row["full-name"]))
    ]

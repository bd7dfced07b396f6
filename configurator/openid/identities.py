"""Whose account of the provider is which user here.

An account is known by issuer and subject: these two no provider gives twice (OpenID Connect Core 1.0,
section 5.7). E-mail addresses and names are given anew, changed by their owners, and not always verified:
who takes an address that was a colleague's would else be that colleague here. So a user that is there
already is taken over by nobody who does not prove its password as well.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.http import HttpRequest

from configurator import audit_log, validators
from configurator.models import ManagerUser, OpenIdIdentity
from configurator.openid.openid_settings import OpenIdSettings
from configurator.openid.refusals import SignOnError, SignOnRefusal
from configurator.publishing import differences
from configurator.publishing.differences import FieldChange
from configurator.sections.managers import describe_manager_user
from configurator.users import authentication

LONGEST_SUBJECT = 255  # characters, section 2 of the same


class Person(NamedTuple):
    """Who the provider says somebody is; survives a session as a list."""

    issuer: str
    subject: str
    userid: str
    full_name: str
    email: str
    role: str
    """Empty where no value of the claim means one."""


def claim_values(claims: Mapping[str, Any], name: str) -> list[str]:
    """The texts of a claim, one or a list; of `a.b` the member b of a, if there is no claim of that name."""
    found: Any = claims
    for part in [name] if name in claims else name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    several = found if isinstance(found, list) else [found]
    return [value for value in several if isinstance(value, str) and value]


def person_of(claims: Mapping[str, Any], chosen: OpenIdSettings) -> Person:
    """Read the claims of a verified token. SignOnError where they name nobody."""
    subject, userid = str(claims["sub"]), "".join(claim_values(claims, chosen.user_claim)[:1])
    try:
        validators.validate_word(userid)
    except ValidationError:
        raise SignOnError(SignOnRefusal.CLAIM, f"{chosen.user_claim} is {userid[:80]!r}") from None
    if len(userid) > 150 or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise SignOnError(SignOnRefusal.CLAIM, f"{chosen.user_claim} or sub is too long")
    values = frozenset(claim_values(claims, chosen.role_claim))
    role = next((role for role, meaning in chosen.roles if values & meaning), "")
    return Person(
        issuer=str(claims["iss"]),
        subject=subject,
        userid=userid,
        full_name=_acceptable(claims.get("name"), 200, validators.validate_name) or userid,
        email=_acceptable(claims.get("email"), 254, validate_email),
        role=role,
    )


def user_of(person: Person, request: HttpRequest) -> ManagerUser:
    """The user of an account, made at the first login and brought up to date at each. SignOnError."""
    try:
        with transaction.atomic("default"):  # writing from its start on: two first logins make one user
            known = OpenIdIdentity.objects.filter(issuer=person.issuer, subject=person.subject).first()
            user = known.user if known else None
            _refuse_if_needed(person, user)
            return _made(person) if user is None else _updated(user, person)
    except SignOnError as error:
        if error.refusal is SignOnRefusal.ROLE and known is not None:
            authentication.end_sessions(known.user)  # who has no role any more goes on nowhere
        if error.refusal is SignOnRefusal.TAKEN:
            request.session["openid_person"] = [time.time(), *person]  # until its password is proven, too
        changes = [FieldChange("OpenID", "", error.refusal.value)]
        audit_log.record(request, "login-failed", "session", error.userid, changes)
        raise


def user_to_connect(person: Person) -> ManagerUser | None:
    """The user who may prove by a password to be this person; None where that is not possible."""
    user = ManagerUser.objects.filter(userid=person.userid, enabled=True).first()
    if user is None or not user.has_usable_password() or user.openid_identities.exists():
        return None
    return user


def connect(user: ManagerUser, person: Person) -> ManagerUser:
    """Make an account that of a user who proved to be the same; it logs in as that user from now on.

    SignOnError: the user would be no administrator any more, and is the last one.
    """
    with transaction.atomic("default"):
        _keep_last_administrator(user, person)
        OpenIdIdentity.objects.create(issuer=person.issuer, subject=person.subject, user=user)
        audit_log.record(
            person.userid, "edit", "manageruser", user.userid, [FieldChange("OpenID", "", person.subject)]
        )
        return _updated(user, person)


def _refuse_if_needed(person: Person, user: ManagerUser | None) -> None:
    userid = user.userid if user else person.userid
    if not person.role:
        raise SignOnError(SignOnRefusal.ROLE, userid=userid)
    if user is None:
        if ManagerUser.objects.filter(userid__iexact=userid).exists():
            raise SignOnError(SignOnRefusal.TAKEN, userid=userid)
        return
    if not user.enabled:
        raise SignOnError(SignOnRefusal.DISABLED, userid=userid)
    _keep_last_administrator(user, person)


def _keep_last_administrator(user: ManagerUser, person: Person) -> None:
    administrates = user.role == ManagerUser.Role.ADMINISTRATOR
    if administrates and person.role != user.role and user.is_last_administrator():
        raise SignOnError(SignOnRefusal.LAST_ADMINISTRATOR, userid=user.userid)


def _made(person: Person) -> ManagerUser:
    user = ManagerUser(userid=person.userid, full_name=person.full_name, email=person.email, role=person.role)
    user.set_unusable_password()
    user.save()
    OpenIdIdentity.objects.create(issuer=person.issuer, subject=person.subject, user=user)
    changes = differences.field_changes({}, describe_manager_user(user))
    audit_log.record(person.userid, "add", "manageruser", user.userid, changes)
    return user


def _updated(user: ManagerUser, person: Person) -> ManagerUser:
    """The role is the provider's word each time; name and address only where nothing else has them."""
    before = dict(describe_manager_user(user))
    fields = ["role"] if user.has_usable_password() else ["role", "full_name", "email"]
    changed = [name for name in fields if getattr(user, name) != getattr(person, name)]
    if changed:
        for name in changed:
            setattr(user, name, getattr(person, name))
        user.raise_revision()
        user.save(update_fields=[*changed, "revision"])
        changes = differences.field_changes(before, describe_manager_user(user))
        audit_log.record(person.userid, "edit", "manageruser", user.userid, changes)
    return user


def _acceptable(value: Any, longest: int, check: Any) -> str:
    if not isinstance(value, str) or len(value) > longest:
        return ""
    try:
        check(value)
    except ValidationError:
        return ""
    return value

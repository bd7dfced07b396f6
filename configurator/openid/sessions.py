"""Which sessions began at the provider, and who may begin one with a password."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY
from django.http import HttpRequest

from configurator.models import ManagerUser
from configurator.openid.openid_settings import BACKEND


def is_signed_on(request: HttpRequest) -> bool:
    """Whether this request's session began at the provider."""
    return bool(request.session.get(BACKEND_SESSION_KEY) == BACKEND)


def may_use_password(user: ManagerUser) -> bool:
    """Whether this user may log in with a password, if there is one."""
    return settings.OPENID is None or user.role in settings.OPENID.local_login

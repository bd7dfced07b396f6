"""Who may do what. An administrator everything, a supervisor operators and seats, a viewer look."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from configurator.models import ManagerUser

EVERYBODY = frozenset(ManagerUser.Role.values)
ADMINISTRATORS = frozenset({str(ManagerUser.Role.ADMINISTRATOR)})
SENIORS = ADMINISTRATORS | {str(ManagerUser.Role.SUPERVISOR)}

View = Callable[..., HttpResponse]


def has_role(request: HttpRequest, roles: frozenset[str]) -> bool:
    """Tell whether the user of this request has one of these roles."""
    return getattr(request.user, "role", "") in roles


def require_role(request: HttpRequest, roles: frozenset[str]) -> None:
    """Refuse a request of anybody else, with 403."""
    if not has_role(request, roles):
        raise PermissionDenied


def allow_only(roles: frozenset[str]) -> Callable[[View], View]:
    """Decorate a view that only these roles may call."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *arguments: Any, **named: Any) -> HttpResponse:
            require_role(request, roles)
            return view(request, *arguments, **named)

        return guarded

    return decorate

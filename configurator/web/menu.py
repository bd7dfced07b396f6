"""What every page needs: the menu bar as far as this user's role reaches, and the appearance."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from configurator import sections
from configurator.users import roles
from schemas.version import VERSION


class Entry(NamedTuple):
    """One word of the menu bar."""

    title: str
    address: str
    icon: str
    here: bool


def context(request: HttpRequest) -> dict[str, Any]:
    """The menu and a few facts."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"version": VERSION, "theme": ""}
    return {
        "menu": _entries(request),
        "version": VERSION,
        "theme": user.theme,
        "is_administrator": roles.may(request, roles.ADMINISTRATORS),
    }


def _entries(request: HttpRequest) -> list[Entry]:
    found = [
        (str(module.title), reverse("list", args=[module.key]), module.icon)
        for module in sections.MODULES.values()
        if roles.may(request, module.readers)
    ]
    if roles.may(request, roles.SENIORS):
        found.append((_("Audit"), reverse("audit"), "audit"))
    found.append((_("Publish"), reverse("publish"), "publish"))
    return [Entry(title, address, icon, request.path.startswith(address)) for title, address, icon in found]

"""What every page needs: the menu bar as far as this user's role reaches, and the appearance."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from configurator.openid.sessions import is_signed_on
from configurator.sections.registry import SECTIONS
from configurator.users import roles, second_factor
from schemas.version import VERSION


class MenuItem(NamedTuple):
    """One word of the menu bar."""

    title: str
    address: str
    icon: str
    here: bool


def menu_context(request: HttpRequest) -> dict[str, Any]:
    """The menu and a few facts."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"version": VERSION, "theme": ""}
    return {
        # Parts of the menu ask for something, and would have the page loaded again and again.
        "menu": [] if second_factor.keeps_out(request) else _entries(request),
        "version": VERSION,
        "theme": user.theme,
        "signed_on": is_signed_on(request),
        "is_administrator": roles.has_role(request, roles.ADMINISTRATORS),
    }


def _entries(request: HttpRequest) -> list[MenuItem]:
    found = [(_("Overview"), reverse("overview"), "overview")]
    found += [
        (str(section.title), reverse("list", args=[section.key]), section.icon)
        for section in SECTIONS.values()
        if roles.has_role(request, section.readers)
    ]
    if roles.has_role(request, roles.SENIORS):
        found.append((_("Audit"), reverse("audit"), "audit"))
    found.append((_("Publish"), reverse("publish"), "publish"))
    return [
        MenuItem(title, address, icon, request.path.startswith(address)) for title, address, icon in found
    ]

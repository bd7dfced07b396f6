"""Every section, in the order of the menu, and which of them a request may use."""

from __future__ import annotations

from django.http import Http404, HttpRequest

from configurator.sections import configuration
from configurator.sections.managers import ManagerUserSection
from configurator.sections.section import Section
from configurator.users import roles

_ALL: tuple[Section, ...] = (
    configuration.ServiceSection(),
    configuration.VariableSection(),
    configuration.SeatSection(),
    configuration.OperatorSection(),
    configuration.PauseReasonSection(),
    ManagerUserSection(),
)
SECTIONS = {section.key: section for section in _ALL}


def readable_section(request: HttpRequest, key: str) -> Section:
    """The section of an address. Http404 if there is none, PermissionDenied if this user may not read it."""
    section = SECTIONS.get(key)
    if section is None:
        raise Http404
    roles.require_role(request, section.readers)
    return section


def editable_section(request: HttpRequest, key: str) -> Section:
    """The same for a user who may also change it."""
    section = readable_section(request, key)
    roles.require_role(request, section.editors)
    return section

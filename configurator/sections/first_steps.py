"""What leads from an empty installation to a published configuration, and what any still lacks.

Everything is counted by the lists' own filters: a number here is the length of the list that its link shows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy, ngettext

from configurator.models import Operator, Publication, Seat, Service
from configurator.sections.registry import SECTIONS
from configurator.users import roles


class FirstStep(NamedTuple):
    """One step; it is done as soon as there is something."""

    key: str
    """A section's key, or publish."""
    title: Any
    text: Any
    done: bool
    is_next: bool
    """The first that is not done: with this one somebody goes on."""
    address: str
    may_add: bool
    may_import: bool


class MissingPart(NamedTuple):
    """Entries that lack something, and the list that shows just these."""

    kind: str
    number: int
    text: str
    address: str
    may_be_meant: bool
    """It is right in some installations: told, not warned of."""


class _Lack(NamedTuple):
    """What entries of a section may lack: the filters that find them, and the words for their number."""

    section: str
    filters: tuple[str, ...]
    words: Callable[[int], str]
    may_be_meant: bool = False


_LACKS = (
    _Lack(
        "services",
        ("enabled", "no-trigger"),
        lambda n: ngettext(
            "%(count)d service has no trigger: nothing opens when it is called",
            "%(count)d services have no trigger: nothing opens when they are called",
            n,
        ),
    ),
    _Lack(
        "services",
        ("enabled", "no-operator"),
        lambda n: ngettext(
            "%(count)d service has no operator: nobody is told of its calls",
            "%(count)d services have no operator: nobody is told of their calls",
            n,
        ),
    ),
    _Lack(
        "operators",
        ("enabled", "no-service"),
        lambda n: ngettext(
            "%(count)d operator serves no service, and is told of no call",
            "%(count)d operators serve no service, and are told of no call",
            n,
        ),
    ),
    _Lack(
        "services",
        ("enabled", "inbound", "no-queue"),
        lambda n: ngettext(
            "%(count)d inbound service has no queue: the dialplan has to ring the phones itself",
            "%(count)d inbound services have no queue: the dialplan has to ring the phones itself",
            n,
        ),
        may_be_meant=True,
    ),
    _Lack(
        "operators",
        ("enabled", "no-seat"),
        lambda n: ngettext(
            "%(count)d operator has no seat, so any may be used",
            "%(count)d operators have no seat, so they may use any",
            n,
        ),
        may_be_meant=True,
    ),
)
_UNUSED_SEATS = _Lack(
    "seats",
    ("no-operator",),
    lambda n: ngettext(
        "%(count)d seat may be used by nobody: each operator has another one",
        "%(count)d seats may be used by nobody: each operator has another one",
        n,
    ),
    may_be_meant=True,
)
_STEPS = (("seats", Seat), ("operators", Operator), ("services", Service))


def first_steps_done() -> bool:
    """Tell whether each kind of entry is there and something was published. Four queries at most."""
    return all(table.objects.exists() for table in (Publication, Service, Operator, Seat))


def first_steps(request: HttpRequest) -> list[FirstStep]:
    """The steps in their order, each with what this user may do about it. Four queries."""
    found: list[FirstStep] = []
    before = True
    for key, table in _STEPS:
        section, done = SECTIONS[key], table.objects.exists()
        may_edit = roles.has_role(request, section.editors)
        found.append(
            FirstStep(
                key,
                section.title,
                section.hint,
                done,
                before and not done,
                reverse("list", args=[key]),
                may_edit,
                may_edit and key != "services",
            )
        )
        before = before and done
    done = Publication.objects.exists()
    publish = FirstStep(
        "publish",
        gettext_lazy("Publish"),
        gettext_lazy("Nothing that is entered here counts before it is published to the server."),
        done,
        before and not done,
        reverse("publish"),
        False,
        False,
    )
    return [*found, publish]


def missing_parts() -> list[MissingPart]:
    """What enabled entries lack, worst first; nothing where nothing was entered. A query for each kind of it.

    A seat of which no operator may make use is told only where none is free to choose a seat.
    """
    found = [_missing(lack) for lack in _LACKS]
    free_to_choose = found[-1].number
    if not free_to_choose and Operator.objects.exists():
        found.append(_missing(_UNUSED_SEATS))
    return [part for part in found if part.number]


def _missing(lack: _Lack) -> MissingPart:
    section = SECTIONS[lack.section]
    count = section.find("", lack.filters).count()
    query = urlencode({"filter": lack.filters}, doseq=True)
    return MissingPart(
        section.kind,
        count,
        lack.words(count) % {"count": count},
        f"{reverse('list', args=[lack.section])}?{query}",
        lack.may_be_meant,
    )

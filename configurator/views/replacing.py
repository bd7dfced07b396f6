"""Replacing the entries by others: a publication's, or those of before. Numbers first, then the deed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from configurator.checks.translation import translated_for_form
from configurator.models import Publication, Snapshot
from configurator.publishing import (
    differences,
    foreign,
    merging,
    publication,
    published,
    replacement,
    snapshots,
    state_names,
    working_copy,
)
from configurator.publishing.differences import Difference, Differences
from configurator.publishing.working_copy import WorkingCopy
from configurator.users import roles
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

KINDS = (
    ("service", gettext_lazy("Services")),
    ("seat", gettext_lazy("Seats")),
    ("operator", gettext_lazy("Operators")),
    ("pausereason", gettext_lazy("Pause reasons")),
)
OF_SUPERVISORS = frozenset({"seat", "operator"})
"""Kinds of entries that a supervisor may change, and so change back."""


def _is_of_supervisors(difference: Difference) -> bool:
    """Which operators a service has is theirs, too: an operator's form says it."""
    if difference.kind in OF_SUPERVISORS:
        return True
    return difference.what == "changed" and {change.field for change in difference.changes} == {"Operator"}


class KindCounts(NamedTuple):
    """How many entries of one kind go, change and come."""

    title: str
    removed: int
    changed: int
    added: int


def counted(found: Differences) -> list[KindCounts]:
    """The numbers of the question whether to go on; kinds of which nothing differs are left out."""
    counts = found.counts()
    rows = []
    for kind, title in KINDS:
        numbers = (counts[kind, "removed"], counts[kind, "changed"], counts[kind, "added"])
        if any(numbers):
            rows.append(KindCounts(str(title), *numbers))
    return rows


class _Replacement(NamedTuple):
    """Entries that shall take the place of those here, and the words for it."""

    wanted: Configuration
    source: str
    """A mark of where they come from."""
    question: str
    agree: str
    name: str
    """For the audit log."""
    what: str
    """For the list of snapshots."""
    back: str = "publish"
    """The page to go back to."""
    action: str = "import"


def _ask_or_replace(
    request: HttpRequest,
    asked: _Replacement,
    copy: WorkingCopy,
    replace: Callable[[], bool],
    note: Callable[[], object] = lambda: None,
) -> HttpResponse | None:
    """The question, with the numbers; or do what was agreed to, and return None.

    Only what is done keeps others waiting. `note` is called with it. More than what supervisors may change is
    changed by administrators alone.
    """
    found = differences.between(copy.configuration, asked.wanted)
    # Whoever may everything does not wait until all is put into words.
    if not roles.has_role(request, roles.ADMINISTRATORS) and not all(map(_is_of_supervisors, found)):
        roles.require_role(request, roles.ADMINISTRATORS)
    mark = working_copy.digest_of(copy.digest, asked.source)
    if request.POST.get("seen") == mark:
        with snapshots.changing_many(request, asked.what, name=asked.name) as changes:
            if working_copy.present_digest() == copy.digest:
                if replace():
                    changes.replaced(found, asked.action)
                note()
                return None
        copy = working_copy.read_working_copy()
        found = differences.between(copy.configuration, asked.wanted)
        mark = working_copy.digest_of(copy.digest, asked.source)
    context: dict[str, Any] = {
        "title": asked.question,
        "agree": asked.agree,
        "differences": found,
        "counts": counted(found),
        "seen": mark,
        "back": asked.back,
        "changed_since": request.method == "POST" and "seen" in request.POST,
    }
    return render(request, "configurator/replace.html", context)


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.ADMINISTRATORS)
def take_publication(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the entries here what a publication says."""
    old = get_object_or_404(Publication.objects.defer("content"), pk=pk)
    try:
        wanted = published.configuration_of(old)
    except ConfigurationError:
        messages.error(request, _("The configuration is not valid: nothing was imported."))
        return redirect("publish")
    said = {"file": old.file}
    asked = _Replacement(
        wanted,
        f"publication {old.pk} {old.sha256}",
        _("Replace all entries here by those of %(file)s?") % said,
        _("Take over"),
        old.file,
        state_names.TAKE_OVER_OF % said,
    )
    copy = working_copy.read_working_copy()
    if answer := _ask_or_replace(request, asked, copy, lambda: replacement.replace_all(wanted)):
        return answer
    messages.success(request, _("The entries here are those of %(file)s now.") % said)
    return redirect("publish")


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.ADMINISTRATORS)
def take_foreign(request: HttpRequest) -> HttpResponse:
    """Import or merge the file in force that somebody else put there; it counts as published from then on."""
    copy = working_copy.read_working_copy()
    file = foreign.find_foreign(copy.configuration)
    if file is None:
        return redirect("publish")
    name, merge = file.path.name, "merge" in request.GET
    try:
        wanted = merging.merged(copy.configuration, file.configuration) if merge else file.configuration
    except ConfigurationError as error:
        problem = translated_for_form(error.problems[0].message)
        text = _("%(file)s cannot be merged: %(reason)s")
        messages.error(request, text % {"file": name, "reason": problem})
        return redirect("publish")
    question = (
        _("Merge %(file)s into the entries here?")
        if merge
        else _("Replace all entries here by those of %(file)s?")
    )
    asked = _Replacement(
        wanted,
        f"file {file.sha256} {merge}",
        question % {"file": name},
        _("Merge it") if merge else _("Import it"),
        name,
        state_names.IMPORT_OF % {"file": name},
    )
    answer = _ask_or_replace(
        request,
        asked,
        copy,
        lambda: replacement.replace_all(wanted),
        lambda: publication.remember_adopted(file.path, file.sha256, file.configuration),
    )
    if answer:
        return answer
    messages.success(request, _("%(file)s was imported.") % {"file": name})
    return redirect("publish")


@require_GET
@roles.allow_only(roles.SENIORS)
def snapshots_page(request: HttpRequest) -> HttpResponse:
    """The earlier states that can be gone back to."""
    return render(
        request,
        "configurator/snapshots.html",
        {"snapshots": Snapshot.objects.defer("content"), "most": snapshots.KEPT},
    )


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.SENIORS)
def undo_to(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the entries what they were before a change of many. What they are now is kept, too."""
    earlier = get_object_or_404(Snapshot, pk=pk)
    copy, wanted = working_copy.read_working_copy(), snapshots.configuration_of(earlier)
    said = {"name": state_names.shown_state_name(earlier.name)}
    asked = _Replacement(
        wanted,
        f"snapshot {earlier.pk} {earlier.at}",
        _("Go back to before: %(name)s?") % said,
        _("Undo"),
        str(earlier),
        state_names.UNDO_OF % {"name": earlier.name},
        "snapshots",
        "undo",
    )
    if answer := _ask_or_replace(request, asked, copy, lambda: snapshots.restore(earlier)):
        return answer
    messages.success(request, _("The entries are what they were before: %(name)s.") % said)
    return redirect("snapshots")

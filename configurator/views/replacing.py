"""Replacing the entries by others: a publication's, or those of before. Numbers first, then the deed."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from configurator.checks.translation import translated_for_form
from configurator.models import Publication, Snapshot
from configurator.publishing import differences, foreign, merging, publication, snapshots, working_copy
from configurator.publishing.differences import Difference
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


class KindCounts(NamedTuple):
    """How many entries of one kind go, change and come."""

    title: str
    removed: int
    changed: int
    added: int


def counted(found: list[Difference]) -> list[KindCounts]:
    """The numbers of the question whether to go on; kinds of which nothing differs are left out."""
    rows = []
    for kind, title in KINDS:
        whats = [difference.what for difference in found if difference.kind == kind]
        if whats:
            numbers = (whats.count(what) for what in ("removed", "changed", "added"))
            rows.append(KindCounts(str(title), *numbers))
    return rows


def mark_of(present: Configuration, wanted: Configuration) -> str:
    """A mark of what somebody agreed to: these entries to be replaced by those."""
    digest = publication.configuration_digest
    return f"{digest(present)[:32]}{digest(wanted)[:32]}"


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.ADMINISTRATORS)
def take_publication(request: HttpRequest, pk: int) -> HttpResponse:
    """Make the entries here what a publication says."""
    with working_copy.writing():
        old = get_object_or_404(Publication, pk=pk)
        try:
            wanted = publication.configuration_of(old)
        except ConfigurationError:
            messages.error(request, _("The configuration is not valid: nothing was imported."))
            return redirect("publish")
        present = working_copy.configuration()
        found = differences.between(present, wanted)
        mark = mark_of(present, wanted)
        if request.POST.get("seen") != mark:
            title = _("Replace all entries here by those of %(file)s?") % {"file": old.file}
            return _ask(request, title, _("Take over"), found, mark, "publish")
        snapshot = snapshots.keep_snapshot(
            _("take-over of %(file)s") % {"file": old.file}, request.user.userid
        )
        if working_copy.replace_all(wanted):
            snapshots.note_replacement(request, old.file, snapshot, found)
        else:
            snapshots.drop(snapshot)
    messages.success(request, _("The entries here are those of %(file)s now.") % {"file": old.file})
    return redirect("publish")


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.ADMINISTRATORS)
def take_foreign(request: HttpRequest) -> HttpResponse:
    """Import or merge the file in force that somebody else put there; it counts as published from then on."""
    with working_copy.writing():
        present = working_copy.configuration()
        file = foreign.find_foreign(present)
        if file is None:
            return redirect("publish")
        name, merge = file.path.name, "merge" in request.GET
        try:
            wanted = merging.merged(present, file.configuration) if merge else file.configuration
        except ConfigurationError as error:
            problem = translated_for_form(error.problems[0].message)
            messages.error(
                request, _("%(file)s cannot be merged: %(reason)s") % {"file": name, "reason": problem}
            )
            return redirect("publish")
        found = differences.between(present, wanted)
        mark = mark_of(present, wanted)
        if request.POST.get("seen") != mark:
            title = (
                _("Merge %(file)s into the entries here?")
                if merge
                else _("Replace all entries here by those of %(file)s?")
            )
            return _ask(
                request,
                title % {"file": name},
                _("Merge it") if merge else _("Import it"),
                found,
                mark,
                "publish",
            )
        snapshot = snapshots.keep_snapshot(_("import of %(file)s") % {"file": name}, request.user.userid)
        if working_copy.replace_all(wanted):
            snapshots.note_replacement(request, name, snapshot, found)
        else:
            snapshots.drop(snapshot)
        publication.remember_adopted(file.path, file.configuration)
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
    with working_copy.writing():
        earlier = get_object_or_404(Snapshot, pk=pk)
        present, wanted = working_copy.configuration(), snapshots.configuration_of(earlier)
        found = differences.between(present, wanted)
        if {difference.kind for difference in found} - OF_SUPERVISORS:
            roles.require_role(request, roles.ADMINISTRATORS)
        mark = mark_of(present, wanted)
        if request.POST.get("seen") != mark:
            title = _("Go back to before: %(name)s?") % {"name": earlier.name}
            return _ask(request, title, _("Undo"), found, mark, "snapshots")
        kept = snapshots.keep_snapshot(_("undo of: %(name)s") % {"name": earlier.name}, request.user.userid)
        if snapshots.restore(earlier):
            snapshots.note_replacement(request, str(earlier), kept, found, "undo")
        else:
            snapshots.drop(kept)
    messages.success(request, _("The entries are what they were before: %(name)s.") % {"name": earlier.name})
    return redirect("snapshots")


def _ask(
    request: HttpRequest, title: str, agree: str, found: list[Difference], mark: str, back: str
) -> HttpResponse:
    asked_before = request.method == "POST" and "seen" in request.POST
    context: dict[str, Any] = {
        "title": title,
        "agree": agree,
        "differences": found,
        "counts": counted(found),
        "seen": mark,
        "back": back,
        "changed_since": asked_before,
    }
    return render(request, "configurator/replace.html", context)

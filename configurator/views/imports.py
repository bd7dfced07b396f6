"""Import: a configuration from XML or SQLite, seats and operators from CSV. Always looked at first."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from configurator import audit_log, options
from configurator.checks.translation import capitalized, translated_for_file, translated_for_form
from configurator.importing import csv_file, csv_import
from configurator.models import Snapshot
from configurator.publishing import differences, merging, publication, snapshots, working_copy
from configurator.users import roles
from configurator.views import replacing
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem

LARGEST_UPLOAD = 32 * 1024 * 1024  # bytes; ten thousand operators are some three million

WHOLE = ("configuration", "merge")
"""Uploads of a whole configuration: it replaces the entries, or is merged into them."""


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.SENIORS)
def import_page(request: HttpRequest) -> HttpResponse:
    """Choose a file, see what it would do, do it."""
    may_all = roles.has_role(request, roles.ADMINISTRATORS)
    context: dict[str, Any] = {"may_all": may_all, "columns": csv_file.CSV_COLUMNS}
    if request.method == "POST":
        what = request.POST.get("what", "")
        if what in WHOLE:
            roles.require_role(request, roles.ADMINISTRATORS)
        context["result"] = _import(request, what)
        if request.headers.get("HX-Request"):
            return render(request, "configurator/import_result.html", context)
    return render(request, "configurator/import.html", context)


def _import(request: HttpRequest, what: str) -> dict[str, Any]:
    upload = request.FILES.get("file")
    if upload is None:
        return {"error": _("Choose a file.")}
    if (upload.size or 0) > LARGEST_UPLOAD:
        return {"error": _("The file is too large.")}
    store = request.POST.get("store") == "yes"
    if what in csv_file.CSV_COLUMNS:
        return _csv(request, what, upload, store)
    if what in WHOLE:
        return _configuration(request, upload, merge=what == "merge")
    return {"error": _("Choose what the file contains.")}


def _csv(request: HttpRequest, what: str, upload: UploadedFile, store: bool) -> dict[str, Any]:
    file = csv_file.read_csv(what, upload.read(), store=store)
    with working_copy.writing():
        name = f"{what}: {_name(upload)}"
        snapshot = _snapshot(request, name) if store else None
        found = csv_import.import_csv(file, store=store)
        stored = store and not found.bad
        changed = sum(bool(row.changes) for row in found.good)
        if snapshot is not None and stored and changed:
            snapshots.note_import(request, name, snapshot, changed)
        elif snapshot is not None:
            snapshots.drop(snapshot)
    return {
        "snapshot": snapshot if stored and changed else None,
        "run": found,
        "stored": stored,
        "new": sum(row.new for row in found.good),
        "changed": sum(bool(row.changes) and not row.new for row in found.good),
        "same": sum(not row.changes for row in found.good),
    }


def _configuration(request: HttpRequest, upload: UploadedFile, *, merge: bool) -> dict[str, Any]:
    try:
        wanted = read_upload(upload)
    except ConfigurationError as error:
        return {
            "problems": [
                (problem.line, capitalized(translated_for_file(problem.message)))
                for problem in error.problems
            ]
        }
    with working_copy.writing():
        present = working_copy.configuration()
        if merge:
            try:
                wanted = merging.merged(present, wanted)
            except ConfigurationError as error:
                return {"problems": [(0, _of_merging(problem)) for problem in error.problems]}
        found = differences.between(present, wanted)
        seen = replacing.mark_of(present, wanted)
        stored = request.POST.get("store") == seen
        snapshot = _snapshot(request, _name(upload)) if stored else None
        if snapshot is not None and working_copy.replace_all(wanted):
            snapshots.note_import(request, _name(upload), snapshot, len(found))
        elif snapshot is not None:
            snapshots.drop(snapshot)
            snapshot = None
    return {
        "differences": found,
        "counts": replacing.counted(found),
        "stored": stored,
        "seen": "" if stored else seen,
        "changed_since": not stored and request.POST.get("store") not in ("yes", "no"),
        "snapshot": snapshot,
    }


def _of_merging(problem: Problem) -> str:
    return f"{audit_log.KIND_WORDS.get(problem.file, problem.file)}: {translated_for_form(problem.message)}"


def _snapshot(request: HttpRequest, name: str) -> Snapshot:
    return snapshots.keep_snapshot(_("import of %(file)s") % {"file": name}, request.user.userid)


def read_upload(upload: UploadedFile) -> Configuration:
    """Read an uploaded file of either form. Its name is never used for a path. ConfigurationError."""
    scratch = options.scratch_directory(options.current_options())
    with tempfile.TemporaryDirectory(prefix="upload-", dir=scratch) as directory:
        path = Path(directory) / "upload"
        with path.open("wb") as stream:
            for chunk in upload.chunks():
                stream.write(chunk)
        return publication.read_configuration_file(path).configuration


def _name(upload: UploadedFile) -> str:
    return Path(upload.name or "").name[:100]

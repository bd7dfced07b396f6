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

from configurator import audit_log
from configurator.checks.translation import capitalized, translated_for_file
from configurator.importing import csv_file, csv_import
from configurator.publishing import differences, publication, working_copy
from configurator.publishing.differences import FieldChange
from configurator.users import roles
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

LARGEST_UPLOAD = 32 * 1024 * 1024  # bytes; ten thousand operators are some three million


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.SENIORS)
def import_page(request: HttpRequest) -> HttpResponse:
    """Choose a file, see what it would do, do it."""
    may_all = roles.has_role(request, roles.ADMINISTRATORS)
    context: dict[str, Any] = {"may_all": may_all, "columns": csv_file.CSV_COLUMNS}
    if request.method == "POST":
        what = request.POST.get("what", "")
        if what == "configuration":
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
    if what == "configuration":
        return _configuration(request, upload, store)
    return {"error": _("Choose what the file contains.")}


def _csv(request: HttpRequest, what: str, upload: UploadedFile, store: bool) -> dict[str, Any]:
    file = csv_file.read_csv(what, upload.read(), store=store)
    with working_copy.writing():
        found = csv_import.import_csv(file, store=store)
        stored = store and not found.bad
        if stored:
            counted = [FieldChange("Changes", "", str(sum(bool(row.changes) for row in found.good)))]
            audit_log.record(request, "import", "configuration", f"{what}: {_name(upload)}", counted)
    return {
        "run": found,
        "stored": stored,
        "new": sum(row.new for row in found.good),
        "changed": sum(bool(row.changes) and not row.new for row in found.good),
        "same": sum(not row.changes for row in found.good),
    }


def _configuration(request: HttpRequest, upload: UploadedFile, store: bool) -> dict[str, Any]:
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
        found = differences.between(working_copy.configuration(), wanted)
        if store:
            working_copy.replace_all(wanted)
            audit_log.record(
                request,
                "import",
                "configuration",
                _name(upload),
                [FieldChange("Changes", "", str(len(found)))],
            )
    return {"differences": found, "stored": store}


def read_upload(upload: UploadedFile) -> Configuration:
    """Read an uploaded file of either form. Its name is never used for a path. ConfigurationError."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "upload"
        with path.open("wb") as stream:
            for chunk in upload.chunks():
                stream.write(chunk)
        return publication.read_configuration_file(path).configuration


def _name(upload: UploadedFile) -> str:
    return Path(upload.name or "").name[:100]

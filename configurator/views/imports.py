"""Import: a configuration from XML or SQLite, seats and operators from CSV. Always looked at first."""

from __future__ import annotations

import hashlib
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from configurator import audit_log, options
from configurator.checks.translation import capitalized, translated_for_file, translated_for_form
from configurator.importing import csv_export, csv_file, csv_import, csv_jobs, csv_text
from configurator.importing.csv_file import CsvFile
from configurator.publishing import (
    differences,
    merging,
    reading_apart,
    replacement,
    snapshots,
    state_names,
    working_copy,
)
from configurator.users import password_rules, roles
from configurator.views import replacing
from configurator.web.memory import freed_memory
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError, Problem

MOST_WAITED_FOR = 5
"""Passwords that are computed while the browser waits; more are in a thread, with their progress shown."""
MOST_ROWS_SHOWN = 500
MOST_NAMES_SHOWN = 20
LARGEST_UPLOAD = 32 * 1024 * 1024  # bytes; ten thousand operators are some three million

WHOLE = ("configuration", "merge")
"""Uploads of a whole configuration: it replaces the entries, or is merged into them."""


@require_http_methods(["GET", "POST"])
@roles.allow_only(roles.SENIORS)
def import_page(request: HttpRequest) -> HttpResponse:
    """Choose a file, see what it would do, do it."""
    context = _context(request)
    if request.method == "POST":
        what = request.POST.get("what", "")
        if what in WHOLE:
            roles.require_role(request, roles.ADMINISTRATORS)
        context["result"] = _import(request, what)
        if job := context["result"].get("job"):
            if request.headers.get("HX-Request"):
                return _job_part(request, job)
            return redirect("import_progress", job_key=job.key)
        if request.headers.get("HX-Request"):
            return _result_part(request, context["result"])
    return render(request, "configurator/import.html", context)


def _context(request: HttpRequest) -> dict[str, Any]:
    return {
        "may_all": roles.has_role(request, roles.ADMINISTRATORS),
        "columns": csv_file.CSV_COLUMNS,
        "encodings": csv_text.ENCODINGS,
        "encoding": request.POST.get("encoding", ""),
        "wanted": request.POST.get("what") or request.GET.get("what", ""),
    }


def _import(request: HttpRequest, what: str) -> dict[str, Any]:
    upload = request.FILES.get("file")
    if upload is None:
        return {"error": _("Choose a file.")}
    if (upload.size or 0) > LARGEST_UPLOAD:
        return {"error": _("The file is too large.")}
    if what in csv_file.CSV_COLUMNS:
        return _csv(request, what, upload)
    if what in WHOLE:
        return _configuration(request, upload, merge=what == "merge")
    return {"error": _("Choose what the file contains.")}


def _csv(request: HttpRequest, what: str, upload: UploadedFile) -> dict[str, Any]:
    encoding = request.POST.get("encoding", "")
    name, digest = f"{what}: {_name(upload)}", f"{_digest(upload)} {encoding}"
    upload.seek(0)
    file = csv_file.read_csv(what, upload.read(), encoding)
    store = request.POST.get("store") == _mark(working_copy.present_digest(), what, digest)
    if csv_file.slow_passwords(file, store=store) <= MOST_WAITED_FOR:
        return _import_csv(request, file, name, digest, store, lambda done, total: None)
    failed = _("The import failed: nothing was stored. The log says why.")
    run = partial(_import_csv, request, file, name, digest, store)
    return {"job": csv_jobs.JOBS.start(request.session.get("userid", ""), run, failed)}


def _mark(of: str, what: str, digest: str) -> str:
    """Of a file and of the entries that somebody saw it compared with."""
    return working_copy.digest_of(of, what, digest)


def _import_csv(
    request: HttpRequest, file: CsvFile, name: str, digest: str, store: bool, progress: csv_jobs.Progress
) -> dict[str, Any]:
    file = csv_file.with_passwords(file, store=store, progress=progress)
    weak = password_rules.weak_operators(row for _, row in file.lines) if file.kind == "operators" else []
    found, snapshot = csv_import.check_csv(file), None
    if store and not found.bad and found.changed:
        what = state_names.IMPORT_OF % {"file": name}
        with snapshots.changing_many(request, what, name=name) as changes:
            found = csv_import.still_true(found, file)
            if not found.bad and found.changed:
                csv_import.store_csv(file.kind, found)
                csv_import.audit_rows(request, file.kind, found.good)
                changes.made(len(found.changed))
        snapshot = changes.snapshot
    changed, stored = found.changed, store and not found.bad
    return {
        "snapshot": snapshot,
        "run": found,
        "bad": found.bad[:MOST_ROWS_SHOWN],
        "bad_more": max(0, len(found.bad) - MOST_ROWS_SHOWN),
        "stored": stored,
        "seen": "" if stored else _mark(found.digest, file.kind, digest),
        "changed_since": not store and _was_seen(request),
        "weak": weak[:MOST_NAMES_SHOWN],
        "weak_more": max(0, len(weak) - MOST_NAMES_SHOWN),
        "kind": file.kind.removesuffix("s"),
        "rows": changed[:MOST_ROWS_SHOWN],
        "more": len(changed) - MOST_ROWS_SHOWN,
        "new": sum(row.new for row in found.good),
        "changed": sum(not row.new for row in changed),
        "same": len(found.good) - len(changed),
    }


def _was_seen(request: HttpRequest) -> bool:
    """Whether somebody agreed to what a file would do, though of other entries, or to another file's."""
    return request.POST.get("store", "") not in ("", "yes", "no")


@require_GET
@roles.allow_only(roles.SENIORS)
def import_progress(request: HttpRequest, job_key: str) -> HttpResponse:
    """How far an import is, then what came of it. Http404 for another user's."""
    job = csv_jobs.JOBS.find(job_key, request.session.get("userid", ""))
    if job is None:
        raise Http404
    if request.headers.get("HX-Request"):
        return _job_part(request, job)
    outcome = job.outcome()  # without scripts somebody looks again and again at a whole page
    done, total = job.progress()
    state = {"result": outcome} if outcome is not None else {"job": job, "done": done, "total": total}
    return render(request, "configurator/import.html", {**_context(request), **state})


def _result_part(request: HttpRequest, result: dict[str, Any]) -> HttpResponse:
    answer = render(request, "configurator/import_result.html", {"result": result})
    if result.get("snapshot"):
        answer["HX-Trigger"] = "entriesImported"  # the menu shows how much waits for publication
    return answer


def _job_part(request: HttpRequest, job: csv_jobs.ImportJob) -> HttpResponse:
    outcome = job.outcome()
    if outcome is not None:
        return _result_part(request, outcome)
    done, total = job.progress()
    return render(request, "configurator/import_progress.html", {"job": job, "done": done, "total": total})


@require_GET
@roles.allow_only(roles.SENIORS)
def import_template(request: HttpRequest, kind: str) -> HttpResponse:
    """A CSV file to fill in. Http404 if nothing of this kind is imported."""
    if kind not in csv_file.CSV_COLUMNS:
        raise Http404
    return csv_answer(csv_export.file_to_fill_in(kind, csv_separator(request)), f"{kind}.csv")


def csv_separator(request: HttpRequest) -> str:
    """What spreadsheets of the page's language put between columns."""
    return ";" if getattr(request, "LANGUAGE_CODE", "en").startswith("it") else ","


def csv_answer(data: bytes, name: str) -> HttpResponse:
    """A file that the browser stores."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(data, content_type="text/csv; charset=utf-8", headers=headers)


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
    copy = working_copy.read_working_copy()
    if merge:
        try:
            wanted = merging.merged(copy.configuration, wanted)
        except ConfigurationError as error:
            return {"problems": [(0, _of_merging(problem)) for problem in error.problems]}
    found = differences.between(copy.configuration, wanted)
    seen = _mark(copy.digest, str(merge), _digest(upload))
    stored, snapshot = request.POST.get("store") == seen, None
    if stored and wanted != copy.configuration:
        title = state_names.IMPORT_OF % {"file": _name(upload)}
        with snapshots.changing_many(request, title, name=_name(upload)) as changes:
            stored = working_copy.present_digest() == copy.digest
            if stored and replacement.replace_all(wanted):
                changes.replaced(found)
        snapshot = changes.snapshot
    return {
        "differences": found,
        "counts": replacing.counted(found),
        "stored": stored,
        "seen": "" if stored else seen,
        "changed_since": not stored and _was_seen(request),
        "snapshot": snapshot,
    }


def _of_merging(problem: Problem) -> str:
    return f"{audit_log.KIND_WORDS.get(problem.file, problem.file)}: {translated_for_form(problem.message)}"


def read_upload(upload: UploadedFile) -> Configuration:
    """Read an uploaded file of either form. Its name is never used for a path. ConfigurationError."""
    scratch = options.scratch_directory(options.current_options())
    with tempfile.TemporaryDirectory(prefix="upload-", dir=scratch) as directory:
        path = Path(directory) / "upload"
        with path.open("wb") as stream:
            for chunk in upload.chunks():
                stream.write(chunk)
        configuration = reading_apart.read_configuration(path, reading_apart.form_of(path))
    freed_memory.give_back()  # of the document
    return configuration


def _digest(upload: UploadedFile) -> str:
    digest = hashlib.sha256()
    for chunk in upload.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _name(upload: UploadedFile) -> str:
    return Path(upload.name or "").name[:100]

"""The page for publishing: what changed, whether it is valid, what the server made of it, and going back."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from configurator import audit_log, options
from configurator.checks import entry_checks
from configurator.checks.translation import translated_for_file
from configurator.models import Publication
from configurator.publishing import (
    differences,
    foreign,
    publication,
    publication_requests,
    published,
    server_status,
    supervised,
    working_copy,
)
from configurator.publishing.differences import FieldChange
from configurator.publishing.supervised import SupervisedEntries
from configurator.publishing.unpublished import unpublished_count, unpublished_differences
from configurator.publishing.working_copy import WorkingCopy
from configurator.users import roles
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

ASKS_FOR = timedelta(seconds=30)
"""After this nobody waits any more: asking on would keep an idle session alive all day."""


class _Asks(NamedTuple):
    """What somebody has to agree to before a publication."""

    much: publication.TakenAway | None
    foreign: foreign.ForeignFile | None


_NOTHING = _Asks(None, None)


class _Offered(NamedTuple):
    """What a user may publish of the entries here."""

    copy: WorkingCopy
    part: SupervisedEntries | None
    """Only seats and operators; None if it is everything."""


def _is_of_supervisors(request: HttpRequest) -> bool:
    """Whether it is about seats and operators alone: always for supervisors, for administrators if wanted."""
    if roles.has_role(request, roles.ADMINISTRATORS):
        return (request.POST if request.method == "POST" else request.GET).get("part") == "supervised"
    return roles.has_role(request, roles.SENIORS)


def _offered(request: HttpRequest, last: Publication | None) -> _Offered | None:
    """None if only seats and operators are meant, and nothing valid is published to put them into."""
    copy = working_copy.read_working_copy()
    if not _is_of_supervisors(request):
        return _Offered(copy, None)
    try:
        before = published.configuration_of(last) if last is not None else None
    except ConfigurationError:  # valid for an older release only
        before = None
    if before is None:
        return None
    part = supervised.supervised_entries(before, copy)
    return _Offered(part.copy, part)


@require_GET
def publish_page(request: HttpRequest) -> HttpResponse:
    """Everything about publishing."""
    last = published.last_publication()
    offered = _offered(request, last)
    everything = working_copy.read_working_copy()
    copy, part = offered or _Offered(everything, None)
    errors, warnings = entry_checks.check_everything(copy)
    found = unpublished_differences(copy, last)
    status = _status(last)
    # What was published a moment ago is what stands here: that it is meant has been said.
    being_taken_up = status["asks_again"] and not found
    context = {
        "differences": found,
        "errors": errors,
        "warnings": warnings,
        "digest": copy.digest,
        "much": None if being_taken_up else publication.taken_away_by(copy.configuration),
        "foreign": foreign.find_foreign(copy.configuration),
        "last": last,
        "publications": list(_publications()),
        "keep": options.current_options().keep,
        "may_publish": offered is not None and roles.has_role(request, roles.SENIORS),
        "has_no_base": offered is None,
        "part": part,
        "left_out": differences.between(copy.configuration, everything.configuration) if part else [],
        **_requests(request),
        **status,
    }
    return render(request, "configurator/publish.html", context)


def _requests(request: HttpRequest) -> dict[str, Any]:
    if roles.has_role(request, roles.ADMINISTRATORS):
        return {"requests": publication_requests.open_requests()}
    if roles.has_role(request, roles.SENIORS):
        return {"may_ask": True, "own_request": publication_requests.latest_of(request.user.userid)}
    return {}


def _publications() -> Any:
    directory = options.current_options().publish
    for row in Publication.objects.defer("content")[:50]:
        yield row, directory is not None and (directory / row.file).is_file()


def _status(last: Publication | None) -> dict[str, Any]:
    status = server_status.read_server_status(options.current_options().status)
    state = status.of(last.sha256, last.file) if last else "unknown"
    return {
        "status": status,
        "state": state,
        "asks_again": state == "waiting" and last and timezone.now() - last.created < ASKS_FOR,
        "directory": options.current_options().publish,
        "last": last,
        "other_refused": [
            refused
            for refused in status.refused
            if last is None or state != "refused" or refused[0] != last.file
        ],
        "future": foreign.files_of_the_future(),
        "server_errors": status.errors(last.file) if last else (),
        "status_path": options.current_options().status,
    }


@require_GET
def publish_status(request: HttpRequest) -> HttpResponse:
    """The part of the page that says what the server does; asked again while it has not answered."""
    return render(request, "configurator/publish_status.html", _status(published.last_publication()))


@require_GET
def unpublished_badge(request: HttpRequest) -> HttpResponse:
    """How many changes wait for publication, for the menu bar."""
    asked = publication_requests.open_count() if roles.has_role(request, roles.ADMINISTRATORS) else 0
    return render(request, "configurator/badge.html", {"count": unpublished_count(), "asked": asked})


@require_POST
@roles.allow_only(roles.SENIORS)
def publish_entries(request: HttpRequest) -> HttpResponse:
    """Publish what was shown; if it is not what was shown any more, show it again.

    Everything, or the last publication with the seats and operators of here: what administrators have under
    way stays out of a supervisor's publication. What somebody changes while this is written waits for the
    next one, and for nothing else.
    """
    form = request.POST.get("form", "xml")
    if form not in publication.FILE_FORMS:
        raise Http404
    last = published.last_publication()
    offered = _offered(request, last)
    if offered is None:
        messages.error(request, _("Nothing was published yet: an administrator has to do that first."))
        return redirect("publish")
    copy, part = offered
    if request.POST.get("last", "") != (str(last.pk) if last else ""):
        messages.error(request, _("Somebody published in the meantime: look at what is left to publish."))
        return redirect("publish")
    if request.POST.get("digest") != copy.digest:
        messages.error(
            request, _("Somebody changed the configuration in the meantime: look at the changes again.")
        )
        return redirect("publish")
    changed = len(unpublished_differences(copy, last))
    if part is not None and not changed:
        messages.error(request, _("No seat and no operator waits to be published."))
        return redirect("publish")
    comment = request.POST.get("comment", "").strip()
    details = [FieldChange("Changes", "", str(changed))]
    if part is not None:
        details.append(FieldChange("Entries", "", "only seats and operators"))
    asks = _publish(request, lambda: copy.configuration, form, "publish", comment, details, last)
    if asks.much is not None:
        said = {"what": translated_for_file(asks.much.words), "file": asks.much.file}
        text = _("Nothing was published: it takes away %(what)s of %(file)s. Say that it is meant.")
        messages.error(request, text % said)
    elif asks.foreign is not None:
        text = _(
            "Nothing was published: %(file)s is in force and not from here. Say what shall become of it."
        )
        if not roles.has_role(request, roles.ADMINISTRATORS):
            text = _(
                "Nothing was published: %(file)s is in force and not from here. "
                "An administrator has to say what shall become of it."
            )
        messages.error(request, text % {"file": asks.foreign.path.name})
    return redirect("publish")


@require_POST
@roles.allow_only(roles.ADMINISTRATORS)
def roll_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Publish an older publication again, under a new name; the entries here stay as they are."""
    old = get_object_or_404(Publication.objects.defer("content"), pk=pk)
    comment = _("Back to %(file)s") % {"file": old.file}
    form = old.form if old.form in publication.FILE_FORMS else "xml"
    details = [FieldChange("Changes", "", "0")]
    asks = _publish(request, lambda: published.configuration_of(old), form, "roll-back", comment, details)
    if asks != _NOTHING:
        seen = request.POST.get("over", "")
        context = {"publication": old, "much": asks.much, "foreign": asks.foreign, "over": seen}
        return render(request, "configurator/takes_away.html", context)
    return redirect("publish")


def _publish(
    request: HttpRequest,
    configuration: Callable[[], Configuration],
    form: Any,
    action: str,
    comment: str,
    details: list[FieldChange],
    last: Publication | None = None,
) -> _Asks:
    """Publish, and say what came of it; or return what has to be asked before.

    A file of somebody else gives way only to administrators: services are in it, too.
    """
    is_administrator = roles.has_role(request, roles.ADMINISTRATORS)

    def note(name: str) -> None:
        audit_log.record(request, action, "configuration", name, details)
        if action == "publish":
            _answer_requests(request, name)

    try:
        done = publication.publish_configuration(
            configuration(),
            form,
            request.user.userid,
            comment,
            meant=request.POST.get("takes-away", ""),
            over=request.POST.get("over", "") if is_administrator else "",
            last=last,
            note=note,
        )
    except ConfigurationError:
        messages.error(request, _("The configuration is not valid: nothing was published."))
    except publication.TakesAwayError as error:
        return _Asks(error.much, None)
    except publication.ForeignFileError as error:
        return _Asks(None, error.found)
    except publication.PublishedMeanwhileError:
        messages.error(request, _("Somebody published in the meantime: look at what is left to publish."))
    except publication.PublishError as error:
        reason = translated_for_file(next(iter(error.args), ""))
        messages.error(request, _("Nothing was published: %(reason)s") % {"reason": reason})
    else:
        messages.success(request, _("Published as %(file)s.") % {"file": done.path.name})
    return _NOTHING


def _answer_requests(request: HttpRequest, file: str) -> None:
    """With everything all that was asked for is published; with a part, what the user says it carries out."""
    if not roles.has_role(request, roles.ADMINISTRATORS):
        return
    wanted = request.POST.get("carries-out", "")
    named = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 19 else None
    is_part = _is_of_supervisors(request)
    if is_part and named is None:
        return
    done = publication_requests.carry_out(request.user.userid, file, named if is_part else None)
    for asked in done:
        audit_log.record(request, "carry-out", "request", str(asked))


@require_GET
def compare_publications(request: HttpRequest) -> HttpResponse:
    """What differs between two publications, or between one and the entries here."""
    old, new = (_side(request.GET.get(name, "")) for name in ("old", "new"))
    found = differences.between(old[1], new[1])
    context = {"differences": found, "old": old[0], "new": new[0]}
    return render(request, "configurator/compare.html", context)


def _side(key: str) -> tuple[Publication | None, Any]:
    if key == "now":
        return None, working_copy.configuration()
    if not key.isascii() or not key.isdigit() or len(key) > 12:
        raise Http404
    chosen = get_object_or_404(Publication, pk=int(key))
    return chosen, published.configuration_or_empty(chosen)


@require_GET
@roles.allow_only(roles.ADMINISTRATORS)
def download_publication(request: HttpRequest, pk: int) -> HttpResponse:
    """A publication's content as XML."""
    chosen = get_object_or_404(Publication, pk=pk)
    audit_log.record(request, "export", "configuration", chosen.file)
    return attachment(chosen.content.encode(), f"{chosen.file.rpartition('.')[0]}.xml")


@require_GET
@roles.allow_only(roles.ADMINISTRATORS)
def export_entries(request: HttpRequest) -> HttpResponse:
    """The entries here as XML, valid or not."""
    try:
        data = xml_form.dump_xml(working_copy.configuration())
    except ValueError:
        messages.error(request, _("The configuration is not valid: it cannot be written as XML."))
        return redirect("publish")
    audit_log.record(request, "export", "configuration", "configuration.xml")
    return attachment(data, "configuration.xml")


def attachment(data: bytes, name: str, kind: str = "application/xml") -> HttpResponse:
    """A file to keep, never to show."""
    name = re.sub(r"[^A-Za-z0-9._-]", "_", name)
    return HttpResponse(
        data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )

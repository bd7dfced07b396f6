"""Requests for a publication: asked by supervisors, carried out or put away by administrators.

What changes one is called within `working_copy.writing`: of two who answer it at once, the second finds it
answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.utils import timezone

from configurator.models import PublicationRequest
from configurator.publishing.differences import Difference

MOST_NAMED = 20
"""Changes that a request names; the rest is a number."""
SHOWN_FOR = timedelta(days=7)
"""How long whoever asked sees the answer."""

_OPEN = PublicationRequest.State.OPEN


def ask(userid: str, note: str, found: Iterable[Difference]) -> tuple[PublicationRequest, bool]:
    """Store what somebody asks for, `found` being all that is not published; tells whether it is a new one.

    Each has one open request at most: who asks again changes it.
    """
    found = list(found)
    said = {
        "at": timezone.now(),
        "note": note[:500],
        "count": len(found),
        "changes": [[change.kind, change.name[:200], change.what] for change in found[:MOST_NAMED]],
    }
    return PublicationRequest.objects.update_or_create(userid=userid[:150], state=_OPEN, defaults=said)


def open_requests() -> list[PublicationRequest]:
    """Those that wait for an answer, the oldest first."""
    return list(PublicationRequest.objects.filter(state=_OPEN).order_by("at"))


def open_count() -> int:
    """How many wait for an answer."""
    return PublicationRequest.objects.filter(state=_OPEN).count()


def latest_of(userid: str) -> PublicationRequest | None:
    """What somebody asked last, as long as it waits or was answered a short time ago."""
    latest = PublicationRequest.objects.filter(userid=userid).first()
    if latest is None or latest.state == PublicationRequest.State.TAKEN_BACK:
        return None
    is_shown = latest.answered is None or timezone.now() - latest.answered < SHOWN_FOR
    return latest if is_shown else None


def carry_out(by: str, file: str, pk: int | None = None) -> list[PublicationRequest]:
    """Note that a file was published, which is what all open requests, or only this one, asked for."""
    wanted = PublicationRequest.objects.filter(state=_OPEN)
    if pk is not None:
        wanted = wanted.filter(pk=pk)
    found = list(wanted)
    for request in found:
        request.close(PublicationRequest.State.DONE, by, file)
    return found


def put_away(pk: int, by: str, why: str) -> PublicationRequest | None:
    """Close a request without a publication. None if somebody else answered it before."""
    request = PublicationRequest.objects.filter(pk=pk, state=_OPEN).first()
    if request is not None:
        request.close(PublicationRequest.State.PUT_AWAY, by, why)
    return request


def take_back(userid: str) -> PublicationRequest | None:
    """Close one's own request. None if there is none that waits."""
    request = PublicationRequest.objects.filter(userid=userid, state=_OPEN).first()
    if request is not None:
        request.close(PublicationRequest.State.TAKEN_BACK, userid, "")
    return request

"""Requests for a publication: asked by supervisors, carried out or put away by administrators.

Each change of a request's state is one statement that asks for the state before: of two who answer it at
once, one does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from configurator.models import PublicationRequest
from configurator.publishing.differences import Difference

MOST_NAMED = 20
"""Changes that a request names; the rest is a number."""
SHOWN_FOR = timedelta(days=7)
"""How long whoever asked sees the answer."""

_OPEN = str(PublicationRequest.State.OPEN)
_DONE = str(PublicationRequest.State.DONE)
_PUT_AWAY = str(PublicationRequest.State.PUT_AWAY)
_TAKEN_BACK = str(PublicationRequest.State.TAKEN_BACK)


def ask(userid: str, note: str, found: Iterable[Difference]) -> tuple[PublicationRequest, bool]:
    """Store what somebody asks for, `found` being all that is not published; tells whether it is a new one.

    Each has one open request at most: who asks again changes it. Within `writing`.
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
    if latest is None or latest.state == _TAKEN_BACK:
        return None
    is_shown = latest.answered is None or timezone.now() - latest.answered < SHOWN_FOR
    return latest if is_shown else None


def carry_out(by: str, file: str, pk: int | None = None) -> list[PublicationRequest]:
    """Note that a file was published, which is what all open requests, or only this one, asked for."""
    wanted = PublicationRequest.objects.filter(state=_OPEN)
    if pk is not None:
        wanted = wanted.filter(pk=pk)
    return [request for request in wanted if _answer(request, _DONE, by, file)]


def put_away(pk: int, by: str, why: str) -> PublicationRequest | None:
    """Close a request without a publication. None if somebody else answered it before."""
    return _close(PublicationRequest.objects.filter(pk=pk), _PUT_AWAY, by, why)


def take_back(userid: str) -> PublicationRequest | None:
    """Close one's own request. None if there is none that waits."""
    own = PublicationRequest.objects.filter(userid=userid)
    return _close(own, _TAKEN_BACK, userid, "")


def _close(
    among: QuerySet[PublicationRequest], state: str, by: str, answer: str
) -> PublicationRequest | None:
    request = among.filter(state=_OPEN).first()
    return request if request is not None and _answer(request, state, by, answer) else None


def _answer(request: PublicationRequest, state: str, by: str, answer: str) -> bool:
    waiting = PublicationRequest.objects.filter(pk=request.pk, state=_OPEN)
    said = {"answered": timezone.now(), "answered_by": by[:150], "answer": answer[:200]}
    return bool(waiting.update(state=state, **said))

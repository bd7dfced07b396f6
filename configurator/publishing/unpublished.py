"""Which entries are not as the last publication says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from configurator.database.change_marks import read_marks
from configurator.models import Publication
from configurator.publishing import differences, published, working_copy
from configurator.publishing.differences import Differences
from configurator.publishing.working_copy import WorkingCopy
from schemas.configuration.model import Configuration

_count_lock = threading.Lock()
_counted: tuple[object, int] = (None, 0)
"""Of which publication and which marks the changes were counted last, and how many they are."""


_told_lock = threading.Lock()
_told: tuple[Configuration, Configuration, Differences] = (Configuration(), Configuration(), Differences())
"""Of which two the differences were looked for last, and what was found."""


def unpublished_differences(copy: WorkingCopy, last: Publication | None) -> Differences:
    """What differs between the last publication and the entries here. Any thread."""
    global _told
    before, now = published.configuration_or_empty(last), copy.configuration
    with _told_lock:
        known_before, known_now, found = _told
    if known_before is before and known_now is now:
        return found
    found = differences.between(before, now)
    with _told_lock:
        _told = (before, now, found)
    return found


def unpublished_count() -> int:
    """How many entries differ from the last publication; counted anew only after a change. Any thread."""
    global _counted
    of = (Publication.objects.values_list("pk", flat=True).first(), read_marks())
    with _count_lock:
        known, count = _counted
    if known != of:
        last = published.last_publication()
        count = len(unpublished_differences(working_copy.read_working_copy(), last))
        if read_marks() == of[1]:  # else somebody wrote between the two
            with _count_lock:
                _counted = (of, count)
    return count


def unpublished_rows(kind: str) -> list[int]:
    """The rows of entries that were added or changed; `kind` is service, seat, operator or reason.

    An operator who was bound to a service changes the service: there a configuration keeps it.
    """
    copy = working_copy.read_working_copy()
    before = published.configuration_or_empty(published.last_publication())
    now, places = copy.configuration, copy.places
    if kind == "service":
        return _changed(before.services, now.services, places.services, differences.service_key)
    if kind == "seat":
        return _changed(before.seats, now.seats, places.seats, lambda seat: seat.mac)
    if kind == "operator":
        return _changed(before.operators, now.operators, places.operators, lambda operator: operator.username)
    return _changed(before.pause_reasons, now.pause_reasons, places.reasons, lambda reason: reason)


def _changed(
    before: Iterable[Any], now: Iterable[Any], rows: list[int], key: Callable[[Any], str]
) -> list[int]:
    old = {key(entry): entry for entry in before}
    return [
        row
        for entry, row in zip(now, rows, strict=True)
        if (was := old.get(key(entry))) is not entry and (was is None or differences.differ(was, entry))
    ]

"""What was published: the rows, and the configurations that they say."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Any

from configurator.models import Publication
from configurator.publishing import working_copy
from schemas.configuration import xml_form
from schemas.configuration.model import Configuration
from schemas.problems import ConfigurationError

MOST_KEPT = 2
"""Configurations kept in memory: two that are compared."""

_Key = tuple[int, str, str]
_lock = threading.Lock()
_kept: OrderedDict[_Key, Configuration] = OrderedDict()


def last_publication() -> Publication | None:
    """What was published last; its content is read when it is asked for."""
    return Publication.objects.defer("content").first()


def configuration_or_empty(publication: Publication | None) -> Configuration:
    """What a publication says, for comparing: nothing if there is none, or if today's checks refuse it."""
    try:
        return configuration_of(publication) if publication is not None else Configuration()
    except ConfigurationError:
        return Configuration()


def configuration_of(publication: Publication) -> Configuration:
    """What a publication says. ConfigurationError if it was valid for an older release only. Any thread.

    Its entries that are the same as here are the same objects: comparing them costs nothing.
    """
    key = _key(publication)
    with _lock:
        found = _kept.get(key)
    if found is None:
        found = xml_form.parse_xml(publication.content.encode(), publication.file).configuration
        found = sharing(found)
        keep_configuration(publication, found)
    return found


def keep_configuration(publication: Publication, configuration: Configuration) -> None:
    """Note what a publication says that was just made of this configuration: it need not be read again."""
    with _lock:
        _kept[_key(publication)] = configuration
        _kept.move_to_end(_key(publication))
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)


def _key(publication: Publication) -> _Key:
    return publication.pk, publication.file, publication.sha256


def sharing(configuration: Configuration) -> Configuration:
    """The same configuration, with the objects of the entries here where they say the same."""
    here = working_copy.configuration()
    return Configuration(
        services=_shared(configuration.services, here.services),
        seats=_shared(configuration.seats, here.seats),
        operators=_shared(configuration.operators, here.operators),
        pause_reasons=configuration.pause_reasons,
    )


def _shared(entries: tuple[Any, ...], here: tuple[Any, ...]) -> tuple[Any, ...]:
    known = {entry: entry for entry in here}
    shared = tuple(known.get(entry, entry) for entry in entries)
    return here if shared == here else shared

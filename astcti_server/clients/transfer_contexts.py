"""Where an operator may transfer calls to: what TRANSFER checks, and what TARGETS tells. Any thread."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.configuration.model import Configuration


def transfer_contexts(
    configuration: Configuration, listed: Iterable[str], username: str
) -> dict[str, list[str]]:
    """Each context with the names of the operator's own services there.

    Those of own inbound services come first, then what server.xml lists (`listed`). A context of any outbound
    service, also a disabled one, has to be listed: an outside caller who is sent outside talks at the
    company's expense, and nobody is left here to end it.
    """
    listed = tuple(listed)
    outbound = outbound_contexts(configuration)
    contexts: dict[str, list[str]] = {}
    for service in configuration.services_of(username):
        if service.context in listed or service.context not in outbound:
            contexts.setdefault(service.context, []).append(service.name)
    for context in listed:
        contexts.setdefault(context, [])
    return contexts


def outbound_contexts(configuration: Configuration) -> frozenset[str]:
    """The contexts of outbound services, anybody's, also of disabled ones."""
    return frozenset(service.context for service in configuration.services if service.type == "outbound")

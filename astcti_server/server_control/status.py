"""STATUS, the whole of it: joins the status file, sessions, queues and counters. Any thread.

Nothing here waits for the AMI thread longer than `ami_overview` says, and nothing changes its state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from astcti_server.ami_overview import AmiOverview
from astcti_server.control.ports import ControlDocument
from astcti_server.queues.overview import OperatorOverview, QueueOverview
from astcti_server.server_control.arguments import check_count
from astcti_server.server_control.parts import ServerParts
from astcti_server.status_file import failing_ami
from schemas.configuration.model import Configuration, queue_key
from schemas.server.status_age import iso_time
from schemas.wire import CommandLine

MOST_ERRORS: Final = 100  # errors of one refused file


def tell_status(parts: ServerParts, line: CommandLine) -> ControlDocument:
    """`STATUS`."""
    check_count(line, 0)
    return status_document(parts)


def status_document(parts: ServerParts) -> ControlDocument:
    """What the status file says, and everything that changes too often for a file."""
    overview = parts.overviews.current()
    document = dict(parts.published())
    document["refused"] = [_shortened(refusal) for refusal in document["refused"]]
    failure = parts.failure()
    if failure is not None:  # later than what was published
        document["ami"] = failing_ami(document["ami"], failure.reason, failure.since, failure.attempts)
    document |= {
        "clients": parts.registry.count,
        "calls": len(parts.tracker.table),
        "as_of": "" if overview is None else iso_time(overview.at),
        "talking": 0 if overview is None else overview.talking,
        "ringing": 0 if overview is None else overview.ringing,
        "kept": {} if overview is None else overview.kept._asdict(),
        "counters": {"connections": parts.connections(), "logins": parts.registry.logins},
        "queues": queues_of(overview, parts.store.current.configuration),
        "sessions": sessions_of(parts, overview),
    }
    return document


def sessions_of(parts: ServerParts, overview: AmiOverview | None) -> list[dict[str, Any]]:
    """Who is logged in, by user name."""
    operators = overview.queues.operators if overview is not None else ()
    by_session: dict[int, OperatorOverview] = {operator.session_id: operator for operator in operators}
    found = []
    for session in parts.registry.sessions():
        presence, operator = session.presence, session.operator
        pause = by_session.get(presence.session_id) if presence is not None else None
        found.append(
            {
                "username": session.username,
                "full_name": operator.full_name if operator is not None else "",
                "extension": session.extension,
                "address": session.address,
                "paused": pause is not None and pause.paused,
                "pause_reason": pause.reason if pause is not None else "",
                "paused_since": iso_time(pause.since) if pause is not None and pause.since else "",
            }
        )
    return sorted(found, key=lambda entry: entry["username"])


def _shortened(refusal: Mapping[str, Any]) -> dict[str, Any]:
    errors = refusal["errors"]
    return {**refusal, "errors": errors[:MOST_ERRORS], "more": max(0, len(errors) - MOST_ERRORS)}


def queues_of(overview: AmiOverview | None, configuration: Configuration) -> list[dict[str, Any]]:
    """Each queue that a service names, or of which somebody is a member of ours."""
    if overview is None:
        return []
    found = {queue.key: queue for queue in overview.queues.queues}
    for service in configuration.services:
        if service.enabled and service.queue:
            key = queue_key(service.queue)
            found.setdefault(key, QueueOverview(key, service.queue, 0, 0, 0, (), 0))
    return [_queue(found[key]) for key in sorted(found)]


def _queue(queue: QueueOverview) -> dict[str, Any]:
    differing = [member._asdict() for member in queue.differing]
    return {key: value for key, value in queue._asdict().items() if key != "key"} | {"differing": differing}

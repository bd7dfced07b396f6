"""What the control socket may ask of the server: joins status, sessions, queues and counters. Any thread.

Nothing here waits for the AMI thread longer than `ami_overview` says, and nothing changes its state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from astcti_server.ami.retries import ConnectionFailure
from astcti_server.ami_overview import AmiOverview, AmiOverviews
from astcti_server.calls.table import CallTable
from astcti_server.clients.registry import Registry
from astcti_server.config.store import ConfigStore
from astcti_server.config.watcher import AcceptError
from astcti_server.control.ports import StatusDocument
from astcti_server.queues.overview import OperatorOverview, QueueOverview
from astcti_server.status_file import failing_ami
from schemas.configuration.model import Configuration, queue_key
from schemas.server.status_age import iso_time

MOST_ERRORS: Final = 100  # errors of one refused file


class ServerControl:
    """Implements `astcti_server.control.ports.ControlRequests`."""

    def __init__(
        self,
        published: Callable[[], StatusDocument],
        registry: Registry,
        calls: CallTable,
        store: ConfigStore,
        overviews: AmiOverviews,
        failure: Callable[[], ConnectionFailure | None],
        connections: Callable[[], int],
        accept: Callable[[str], str],
        stop: Callable[[bool, str], None],
    ) -> None:
        """`published`: the status file's content. `failure`: of the last attempt to reach Asterisk.

        `connections`: how many clients connected so far. `accept`: `ConfigWatcher.accept`.
        `stop`: as `ControlRequests.stop`.
        """
        self._published = published
        self._registry = registry
        self._calls = calls
        self._store = store
        self._overviews = overviews
        self._failure = failure
        self._connections = connections
        self._accept = accept
        self._stop = stop

    def status(self) -> StatusDocument:
        """What the status file says, and everything that changes too often for a file."""
        overview = self._overviews.current()
        document = dict(self._published())
        document["refused"] = [_shortened(refusal) for refusal in document["refused"]]
        failure = self._failure()
        if failure is not None:  # later than what was published
            document["ami"] = failing_ami(document["ami"], failure.reason, failure.since, failure.attempts)
        document |= {
            "clients": self._registry.count,
            "calls": len(self._calls),
            "as_of": "" if overview is None else iso_time(overview.at),
            "talking": 0 if overview is None else overview.talking,
            "ringing": 0 if overview is None else overview.ringing,
            "counters": {"connections": self._connections(), "logins": self._registry.logins},
            "queues": _queues(overview, self._store.current.configuration),
            "sessions": self._sessions(overview),
        }
        return document

    def accept(self, sha256: str, who: str) -> str:
        """Hand it to the thread that watches the configuration; its answer takes 10 seconds at most."""
        try:
            self._accept(sha256)
        except AcceptError as error:
            return str(error)
        return ""

    def stop(self, keep_members: bool, who: str) -> None:
        """Hand it to the main thread."""
        self._stop(keep_members, who)

    def _sessions(self, overview: AmiOverview | None) -> list[dict[str, Any]]:
        operators = overview.queues.operators if overview is not None else ()
        by_session: dict[int, OperatorOverview] = {operator.session_id: operator for operator in operators}
        found = []
        for session in self._registry.sessions():
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
                }
            )
        return sorted(found, key=lambda entry: entry["username"])


def _shortened(refusal: Mapping[str, Any]) -> dict[str, Any]:
    errors = refusal["errors"]
    return {**refusal, "errors": errors[:MOST_ERRORS], "more": max(0, len(errors) - MOST_ERRORS)}


def _queues(overview: AmiOverview | None, configuration: Configuration) -> list[dict[str, Any]]:
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

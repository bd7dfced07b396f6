"""The parts of the server that its control socket asks. The daemon puts them together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from astcti_server.ami.privileges import Privileges
from astcti_server.ami.retries import ConnectionFailure
from astcti_server.ami_overview import AmiOverviews
from astcti_server.call_explanations import CallExplanations
from astcti_server.calls.tracker import Tracker
from astcti_server.client_requests import ClientRequests
from astcti_server.clients.registry import Registry
from astcti_server.config.store import ConfigStore
from astcti_server.control.ports import ControlDocument
from astcti_server.kept_ami.kept_bytes import KeptAmi
from astcti_server.logs import Logs
from astcti_server.queues.reconciler import QueueReconciler
from astcti_server.recent_log import RecentLog
from astcti_server.server_control.ami_reader import AmiReader


@dataclass(frozen=True, slots=True)
class ServerParts:
    """All of them may be used on any thread, but for what belongs to the AMI thread."""

    published: Callable[[], ControlDocument]
    """The status file's content."""
    registry: Registry
    store: ConfigStore
    overviews: AmiOverviews
    privileges: Privileges
    """What may be read on any thread says so."""
    events_seen: Callable[[], frozenset[str]]
    """Names of the events that came in this connection to Asterisk, wanted or not."""
    client_requests: ClientRequests
    logs: Logs
    explanations: CallExplanations
    failure: Callable[[], ConnectionFailure | None]
    """Of the last attempt to reach Asterisk."""
    connections: Callable[[], int]
    """How many clients connected so far."""
    accept: Callable[[str], str]
    """`ConfigWatcher.accept`."""
    stop: Callable[[bool], None]
    """Begin to stop in order, as SIGTERM does; True leaves queue members where they are. Returns at once."""
    reader: AmiReader
    kept_ami: KeptAmi | None
    """None where nothing is kept."""
    recent_log: RecentLog
    # What follows belongs to the AMI thread, which `reader` has read it.
    tracker: Tracker
    reconciler: QueueReconciler

"""Which lines the server says for a stream, and after which event: what the floor is told beforehand."""

from __future__ import annotations

from astcti_server.calls.notification import Notification
from astcti_server.replay import Replay
from schemas.configuration.xml_form import parse_xml
from schemas.event_xml import encode
from tests.bench.peers.same_work_floor import DueLine
from tests.bench.workload.call_centre import CallCentre
from tests.bench.workload.event_script import END, EventScript
from tests.bench.workload.traffic import Traffic


def due_lines(script: EventScript, call_centre: CallCentre, traffic: Traffic) -> list[DueLine]:
    """In the order in which they are said."""
    lines: list[DueLine] = []
    seen = [0]

    def told(notification: Notification) -> None:
        lines.append(DueLine(seen[0], notification.extension, encode(notification.event)))

    configuration = parse_xml(call_centre.configuration().encode(), CallCentre.FILE).configuration
    replay = Replay(configuration, told)
    replay.feed(script.banner)
    for block in traffic.data.split(END)[:-1]:
        seen[0] += 1
        replay.feed(block + END)
    return lines

"""The real server, but it notes how long each piece of news for a client holds the thread that sends it.

Wall time, for a send that waited would use no processor; so it also has what the machine did meanwhile.
"""

from __future__ import annotations

import heapq
import json
import sys
import time
from pathlib import Path

from astcti_server.ami import connection, link
from astcti_server.cli import program as cli
from astcti_server.clients.session import Session
from tests.bench.workload.event_script import END

REPORT_SENDING = b"Event: BenchReportSending" + END
SENDING = "sending.json"
KEPT = 20
_announce = Session.announce
_send_gathered = Session.send_gathered


class SendingTimes:
    """How often something was sent, and how long the longest ones took (ns). The AMI thread only."""

    def __init__(self) -> None:
        self._count = 0
        self._longest: list[int] = [0] * KEPT

    def announce(self, session: Session, line: bytes) -> bool:
        """In the place of the session's own."""
        begun = time.perf_counter_ns()
        sent = _announce(session, line)
        self._note(begun)
        return sent

    def send_gathered(self, session: Session) -> bool:
        """In the place of the session's own."""
        begun = time.perf_counter_ns()
        sent = _send_gathered(session)
        self._note(begun)
        return sent

    def _note(self, begun: int) -> None:
        heapq.heappushpop(self._longest, time.perf_counter_ns() - begun)
        self._count += 1

    def write(self, path: Path) -> None:
        """Leave it in a file for the bench to find."""
        content = {"count": self._count, "longest": sorted(self._longest, reverse=True)}
        path.with_suffix(".part").write_text(json.dumps(content))
        path.with_suffix(".part").rename(path)


TIMES = SendingTimes()


class ReportingConnection(connection.AmiConnection):
    """Writes the times down when the bench asks for them."""

    def read(self) -> bytes | None:
        """From the socket, but for what is the bench's own."""
        data = super().read()
        if data and REPORT_SENDING in data:
            TIMES.write(Path(sys.argv[sys.argv.index("--state") + 1]) / SENDING)
        return data


if __name__ == "__main__":
    # The parts that are not the server's own.
    vars(link)["AmiConnection"] = ReportingConnection
    Session.announce = lambda session, line: TIMES.announce(session, line)  # type: ignore[method-assign, assignment]
    Session.send_gathered = lambda session: TIMES.send_gathered(session)  # type: ignore[method-assign, assignment]
    cli.main()

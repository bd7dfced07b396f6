"""The call centre that the bench configures: seats, operators, services; and its configuration files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar
from xml.sax.saxutils import escape

from tests.bench.workload.event_script import EventScript, PlannedCall
from tests.bench.workload.traffic import CallerQueue, Traffic, make_calls, make_traffic

SECRET = "bench"
USERNAME = "bench"
_URL = "https://crm.example/ticket?id={CALLDATA}&from={CALLERID}"
_SETTINGS = """<server>
  <ami host="127.0.0.1" port="{ami}" username="{username}" secret="{secret}"/>
  <listen address="127.0.0.1" port="{listen}"/>
  <clients max="20000" max-per-address="20000" keep-alive="600" login-time="120" outbox="{outbox}"/>{more}
</server>
"""


@dataclass(frozen=True, slots=True)
class SeatLogin:
    """What the client of a seat logs in with; the operator is bound to the seat."""

    username: str
    password_md5: str
    mac: str
    extension: str


@dataclass(frozen=True, slots=True)
class CallCentre:
    """So many seats with an operator each, all in the queue of the first service."""

    FILE: ClassVar = "call-centre.xml"

    technology: str
    seats: int
    services: int = 1

    @property
    def queue(self) -> CallerQueue:
        """The queue that all traffic goes through."""
        return CallerQueue("support", "support")

    @property
    def extensions(self) -> list[str]:
        """The phones."""
        return [f"{self.technology}/{10_000 + number}" for number in range(self.seats)]

    @property
    def logins(self) -> list[SeatLogin]:
        """Everybody."""
        return [
            SeatLogin(f"agent{number}", _md5(password_of(number)), _mac(number), extension)
            for number, extension in enumerate(self.extensions)
        ]

    def traffic(self, script: EventScript, *, calls: int, concurrent: int, first: int = 1) -> Traffic:
        """Calls to all seats in one stream, numbered from `first`."""
        return make_traffic(
            script, self.extensions, self.queue, calls=calls, concurrent=concurrent, seed=first, first=first
        )

    def calls(self, count: int, *, first: int = 1) -> list[PlannedCall]:
        """Calls to all seats in turn, numbered from `first`."""
        return list(islice(make_calls(self.extensions, self.queue, first=first), count))

    def write(
        self, directory: Path, *, ami_port: int, listen_port: int, outbox: int = 1_048_576, more: str = ""
    ) -> None:
        """Write server.xml, with `more` elements in it, and the runtime configuration."""
        directory.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(
            ami=ami_port, listen=listen_port, username=USERNAME, secret=SECRET, outbox=outbox, more=more
        )
        (directory / "server.xml").write_text(settings)
        (directory / self.FILE).write_text(self.configuration())

    def configuration(self) -> str:
        """The runtime configuration as XML."""
        services = [self._service(number) for number in range(self.services)]
        seats = [f'<seat mac="{login.mac}" extension="{login.extension}"/>' for login in self.logins]
        operators = [
            f'<operator username="{login.username}" full-name="Agent {number}" seat="{login.mac}"'
            f" {self.password_attributes(number, login)}/>"
            for number, login in enumerate(self.logins)
        ]
        return "\n".join(
            [
                "<configuration><services>",
                *services,
                "</services><seats>",
                *seats,
                "</seats><operators>",
                *operators,
                "</operators></configuration>",
                "",
            ]
        )

    def password_attributes(self, number: int, login: SeatLogin) -> str:
        """How the password of the operator of this number is stored."""
        return f'password="md5:{login.password_md5}"'

    def _service(self, number: int) -> str:
        """All operators are bound to the first; five to each other one, so that an operator has several."""
        name = self.queue.name if not number else f"service{number}"
        bound = (
            range(self.seats) if not number else {(number * 5 + offset) % self.seats for offset in range(5)}
        )
        operators = "".join(f'<operator username="agent{agent}" penalty="1"/>' for agent in bound)
        return (
            f'<service name="{name}" context="{name}" type="inbound" is-queue="true" queue-name="{name}"'
            f' enabled="true"><variable name="calldata"/>'
            f'<trigger type="browser" on="answer"><url>{escape(_URL)}</url></trigger>{operators}</service>'
        )


def _mac(number: int) -> str:
    digits = f"02000000{number:04x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def password_of(number: int) -> str:
    """The password of the operator of this number."""
    return f"secret{number}"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

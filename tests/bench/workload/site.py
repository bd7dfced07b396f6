"""The call centre that the bench configures: seats, operators, services; and its configuration files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from tests.bench.workload.traffic import Place

SECRET = "bench"
USERNAME = "bench"
_URL = "https://crm.example/ticket?id={CALLDATA}&from={CALLERID}"
_SETTINGS = """<server>
  <ami host="127.0.0.1" port="{ami}" username="{username}" secret="{secret}"/>
  <listen address="127.0.0.1" port="{listen}"/>
  <clients max="20000" max-per-address="20000" keep-alive="600" login-time="120" outbox="{outbox}"/>
</server>
"""


@dataclass(frozen=True, slots=True)
class Login:
    """What a client says to sit down at a seat; its operator is bound to it."""

    username: str
    password_md5: str
    mac: str
    extension: str


@dataclass(frozen=True, slots=True)
class Site:
    """So many seats with an operator each, all in the queue of the first of so many services."""

    technology: str
    seats: int
    services: int = 1

    @property
    def place(self) -> Place:
        """The queue that all traffic goes through."""
        return Place("support", "support")

    @property
    def extensions(self) -> list[str]:
        """The phones."""
        return [f"{self.technology}/{10_000 + number}" for number in range(self.seats)]

    @property
    def logins(self) -> list[Login]:
        """Everybody."""
        return [
            Login(f"agent{number}", _md5(f"secret{number}"), _mac(number), extension)
            for number, extension in enumerate(self.extensions)
        ]

    def write(self, directory: Path, *, ami_port: int, listen_port: int, outbox: int = 1_048_576) -> None:
        """Write server.xml and the runtime configuration."""
        directory.mkdir(parents=True, exist_ok=True)
        settings = _SETTINGS.format(
            ami=ami_port, listen=listen_port, username=USERNAME, secret=SECRET, outbox=outbox
        )
        (directory / "server.xml").write_text(settings)
        (directory / "site.xml").write_text(self.configuration())

    def configuration(self) -> str:
        """The runtime configuration as XML."""
        services = [self._service(number) for number in range(self.services)]
        seats = [f'<seat mac="{one.mac}" extension="{one.extension}"/>' for one in self.logins]
        operators = [
            f'<operator username="{one.username}" full-name="Agent {number}" seat="{one.mac}"'
            f' password="md5:{one.password_md5}"/>'
            for number, one in enumerate(self.logins)
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

    def _service(self, number: int) -> str:
        """The first has everybody; the others a handful each, so that everybody has several."""
        name = self.place.queue if not number else f"service{number}"
        bound = range(self.seats) if not number else {(number * 5 + place) % self.seats for place in range(5)}
        operators = "".join(f'<operator username="agent{one}" penalty="1"/>' for one in bound)
        return (
            f'<service name="{name}" context="{name}" type="inbound" is-queue="true" queue-name="{name}"'
            f' enabled="true"><variable name="calldata"/>'
            f'<trigger type="browser" on="answer"><url>{escape(_URL)}</url></trigger>{operators}</service>'
        )


def _mac(number: int) -> str:
    digits = f"02000000{number:04x}"
    return ":".join(digits[at : at + 2] for at in range(0, 12, 2))


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

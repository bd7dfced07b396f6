"""The call centre of the endurance run: who sits where, in which teams, and what pops up."""

from __future__ import annotations

from dataclasses import dataclass, replace

from schemas.configuration.model import Binding, Configuration, Operator, Seat, Service, Trigger
from tests.fake.line_client import md5

TEAM = 5
"""Seats of a team; each also helps the next team, at a penalty of its own."""
HELPS = 5
"""The penalty of whoever helps."""
DIRECT = "direct"
"""The context whose numbers are phones."""
TEAMS = "teams"
"""The context whose numbers are queues."""
PASSWORD = "secret"
PAGE = (
    "https://crm.example/{moment}?digits={{CALLDATA}}&number={{CALLERID}}&name={{CALLERIDNAME}}"
    "&leg={{UNIQUEID}}&other={{LINKEDID}}&phone={{EXTENSION}}&operator={{OPERATOR}}&queue={{QUEUE}}"
)


@dataclass(frozen=True, slots=True)
class Office:
    """So many seats, in groups that share a client process."""

    seats: int
    groups: int

    @property
    def teams(self) -> int:
        return -(-self.seats // TEAM)

    def group_of(self, phone: str) -> int:
        """Which group a phone's seat belongs to."""
        return self.number_of(phone) % self.groups

    def group(self, number: int) -> list[str]:
        """The phones of a group: one of each team, so that no team is away as a whole."""
        return [phone for phone in self.phones if self.group_of(phone) == number]

    @property
    def phones(self) -> list[str]:
        return [f"PJSIP/{1000 + number}" for number in range(self.seats)]

    @staticmethod
    def number_of(phone: str) -> int:
        return int(phone.partition("/")[2]) - 1000

    @staticmethod
    def mac(phone: str) -> str:
        number = Office.number_of(phone)
        return f"02:00:00:00:{number // 256:02x}:{number % 256:02x}"

    @staticmethod
    def operator(phone: str) -> str:
        return f"agent{Office.number_of(phone) + 1000}"

    def queues_of(self, phone: str) -> dict[str, int]:
        """The queues that an operator who sits there has to be a member of, with the penalties."""
        number = self.number_of(phone)
        team = number // TEAM
        queues = {queue_name(team): number % 3}
        queues.setdefault(queue_name((team + 1) % self.teams), HELPS)
        return queues

    def configuration(self, note: str = "") -> Configuration:
        """All of it; `note` is where versions differ that change nothing for anybody."""
        bound: dict[str, list[Binding]] = {}
        for phone in self.phones:
            for queue, penalty in self.queues_of(phone).items():
                bound.setdefault(queue, []).append(Binding(self.operator(phone), penalty))
        triggers = tuple(
            Trigger("internal-browser", on=moment, url=PAGE.format(moment=moment))
            for moment in ("answer", "hangup")
        )
        direct = Service(
            "Direct",
            DIRECT,
            "inbound",
            variables=("calldata",),
            triggers=triggers,
            operators=tuple(Binding(self.operator(phone)) for phone in self.phones),
        )
        services = [
            replace(
                direct,
                name=f"Service of {queue}",
                context=TEAMS,
                is_queue=True,
                queue_name=queue,
                operators=tuple(bound[queue]),
            )
            for queue in sorted(bound)
        ]
        return Configuration(
            (direct, *services),
            tuple(Seat(self.mac(phone), phone, phone, description=note) for phone in self.phones),
            tuple(
                Operator(self.operator(phone), f"Agent {phone}", f"md5:{md5(PASSWORD)}", seat=self.mac(phone))
                for phone in self.phones
            ),
            ("Lunch", "Training"),
        )


def queue_name(team: int) -> str:
    """The queue of a team."""
    return f"team{team}"

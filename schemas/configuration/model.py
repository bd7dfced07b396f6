"""The runtime configuration as frozen values: what every form of it is loaded into.

Imports nothing but the standard library, so that each of the three programs can use it. Values are
immutable and may cross threads. Look-ups are computed once, when a `Configuration` is made.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal, NamedTuple

ServiceType = Literal["inbound", "outbound"]
TriggerType = Literal["application", "browser", "internal-browser"]
Moment = Literal["answer", "ring", "hangup"]
TriggerSystem = Literal["any", "linux", "windows", "macos"]
AnswerWay = Literal["none", "notify"]
"""How a seat's phone is told to answer: not at all, or by a NOTIFY with `Event: talk` inside its call."""

_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def queue_key(name: str) -> str:
    """A queue's name as Asterisk compares it: the case of ASCII letters does not matter, that of others does.

    For look-ups and comparisons only. People are shown the spelling of the configuration.
    """
    return name.translate(_FOLDED)


def same_queue(one: str, other: str) -> bool:
    """Whether two names are of one queue for Asterisk."""
    return one == other or queue_key(one) == queue_key(other)


@dataclass(frozen=True, slots=True)
class Trigger:
    """What a client does for a call of a service. Browsers have a `url`, `application` the rest.

    `again` is only of use on `ring`: each new try of a queue brings the trigger, not one a minute.
    """

    type: TriggerType
    on: Moment = "answer"
    os: TriggerSystem = "any"
    application: str = ""
    parameters: str = ""
    url: str = ""
    again: bool = False


@dataclass(frozen=True, slots=True)
class Binding:
    """An operator bound to a service; the penalty is the queue member's."""

    username: str
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class Service:
    """A dialplan context, and a queue where it has one, that the server watches.

    `may_leave` is only of use with a queue: its operators may leave it and join it again while logged in.
    """

    name: str
    context: str
    type: ServiceType
    is_queue: bool = False
    queue_name: str = ""
    enabled: bool = True
    variables: tuple[str, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    operators: tuple[Binding, ...] = ()
    may_leave: bool = False

    @property
    def queue(self) -> str:
        """The queue's name, empty for a service without one."""
        return self.queue_name if self.is_queue else ""


@dataclass(frozen=True, slots=True)
class Seat:
    """A PC known by its MAC address (lower case, colons), paired with a phone written as Asterisk's device.

    `queue_interface` and `state_interface` are always filled in: the loaders apply the defaults.
    `state_interface` is empty when the queue interface is the extension itself.
    """

    mac: str
    extension: str
    queue_interface: str = ""
    state_interface: str = ""
    address: str = ""
    description: str = ""
    answer: AnswerWay = "none"

    @property
    def is_sip(self) -> bool:
        """Whether it is a phone of chan_pjsip or chan_sip: no other can be told to answer."""
        return self.extension.partition("/")[0] in ("PJSIP", "SIP")

    @property
    def can_be_told_to_answer(self) -> bool:
        """Whether its operator may answer from the window, as far as the configuration goes."""
        return self.answer == "notify" and self.is_sip


@dataclass(frozen=True, slots=True)
class Operator:
    """A person who logs in. `seat` is a MAC address or empty; `password` is `md5:...` or `scrypt:...`.

    `scram` is `iterations:salt:StoredKey:ServerKey` (`schemas/scram.py`) of the same password, or empty.
    """

    username: str
    full_name: str
    password: str
    seat: str = ""
    begin_in_pause: bool = False
    enabled: bool = True
    scram: str = ""


class OperatorsQueue(NamedTuple):
    """A queue that an operator belongs in."""

    name: str
    """As the first service that names it spells it."""
    penalty: int
    """The lowest, where services share the queue."""
    may_leave: bool
    """Whether each of these services allows it."""
    services: tuple[str, ...]
    """Their names, in the file's order."""


@dataclass(frozen=True)
class Configuration:
    """Everything the server watches and whom it tells. Frozen; valid once a loader has returned it."""

    services: tuple[Service, ...] = ()
    seats: tuple[Seat, ...] = ()
    operators: tuple[Operator, ...] = ()
    pause_reasons: tuple[str, ...] = ()

    seat_by_mac: Mapping[str, Seat] = field(init=False, repr=False, compare=False)
    seat_by_extension: Mapping[str, Seat] = field(init=False, repr=False, compare=False)
    operator_by_username: Mapping[str, Operator] = field(init=False, repr=False, compare=False)
    services_by_operator: Mapping[str, tuple[Service, ...]] = field(init=False, repr=False, compare=False)
    """Enabled services only, in the file's order, for each user name that has any."""
    penalties_by_operator: Mapping[str, tuple[int, ...]] = field(init=False, repr=False, compare=False)
    """The operator's penalty in each of those services, in the same order."""
    variables: frozenset[str] = field(init=False, repr=False, compare=False)
    """Names that any enabled service declares."""
    contexts: frozenset[str] = field(init=False, repr=False, compare=False)
    """Contexts of the enabled services."""
    queues: frozenset[str] = field(init=False, repr=False, compare=False)
    """Queues of the enabled services, each as its `queue_key`."""

    def __post_init__(self) -> None:
        enabled = tuple(service for service in self.services if service.enabled)
        by_operator: dict[str, list[Service]] = {}
        penalties: dict[str, list[int]] = {}
        for service in enabled:
            for binding in service.operators:
                by_operator.setdefault(binding.username, []).append(service)
                penalties.setdefault(binding.username, []).append(binding.penalty)
        look_ups: dict[str, object] = {
            "seat_by_mac": MappingProxyType({seat.mac: seat for seat in self.seats}),
            "seat_by_extension": MappingProxyType({seat.extension: seat for seat in self.seats}),
            "operator_by_username": MappingProxyType(
                {operator.username: operator for operator in self.operators}
            ),
            "services_by_operator": MappingProxyType(
                {name: tuple(found) for name, found in by_operator.items()}
            ),
            "penalties_by_operator": MappingProxyType(
                {name: tuple(found) for name, found in penalties.items()}
            ),
            "variables": frozenset(name for service in enabled for name in service.variables),
            "contexts": frozenset(service.context for service in enabled),
            "queues": frozenset(queue_key(service.queue) for service in enabled if service.queue),
        }
        for name, value in look_ups.items():
            object.__setattr__(self, name, value)

    def services_of(self, username: str) -> tuple[Service, ...]:
        """The enabled services that an operator is bound to, in the file's order."""
        return self.services_by_operator.get(username, ())

    def penalties_of(self, username: str) -> tuple[int, ...]:
        """The operator's penalty in each of `services_of`."""
        return self.penalties_by_operator.get(username, ())

    def queues_of(self, username: str) -> dict[str, OperatorsQueue]:
        """The queues of an operator's enabled services, by their keys, in the file's order."""
        queues: dict[str, OperatorsQueue] = {}
        for service, penalty in zip(self.services_of(username), self.penalties_of(username), strict=True):
            if not service.queue or service.type != "inbound":
                continue
            key = queue_key(service.queue)
            known = queues.get(key) or OperatorsQueue(service.queue, penalty, True, ())
            queues[key] = OperatorsQueue(
                known.name,
                min(penalty, known.penalty),
                known.may_leave and service.may_leave,
                (*known.services, service.name),
            )
        return queues

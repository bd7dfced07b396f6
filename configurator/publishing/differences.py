"""What differs between two configurations, in words: for publications, imports and the audit log.

Field names are English keys that templates translate; values are shown as they are. A password is never
in a value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any, Literal, NamedTuple, overload

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from configurator.models import Trigger as TriggerRow
from configurator.publishing.state_names import shown_state_name
from schemas.configuration.model import Configuration, Operator, Seat, Service, Trigger

FieldValue = str | tuple[str, ...]
DifferenceKind = Literal["added", "removed", "changed"]

FIELDS = (
    gettext_noop("Name"),
    gettext_noop("Context"),
    gettext_noop("Type"),
    gettext_noop("Queue"),
    gettext_noop("Enabled"),
    gettext_noop("Variable"),
    gettext_noop("Trigger"),
    gettext_noop("Operator"),
    gettext_noop("MAC address"),
    gettext_noop("Extension"),
    gettext_noop("Queue interface"),
    gettext_noop("State interface"),
    gettext_noop("IP address"),
    gettext_noop("Description"),
    gettext_noop("User name"),
    gettext_noop("Full name"),
    gettext_noop("Password"),
    gettext_noop("Seat"),
    gettext_noop("Begin in pause"),
    gettext_noop("User id"),
    gettext_noop("E-mail"),
    gettext_noop("Role"),
    gettext_noop("Language"),
    gettext_noop("Appearance"),
    gettext_noop("Calls wait in a queue"),
    gettext_noop("Operators may leave the queue"),
    gettext_noop("Answer in the window"),
    gettext_noop("Earlier state"),
    gettext_noop("Second factor"),
    gettext_noop("Entries"),
    gettext_noop("Note"),
)
PASSWORD_FIELD = "Password"
TRIGGER_FIELD = "Trigger"
STATE_FIELD = "Earlier state"
AT_EACH_RING = gettext_noop("At each ring")
WORDS = (
    gettext_noop("yes"),
    gettext_noop("no"),
    gettext_noop("inbound"),
    gettext_noop("outbound"),
    gettext_noop("set"),
    gettext_noop("another one"),
    gettext_noop("administrator"),
    gettext_noop("supervisor"),
    gettext_noop("viewer"),
    gettext_noop("by NOTIFY"),
    gettext_noop("only seats and operators"),
)
"""Values that are translated where they are shown: in these fields, not where a context is called so."""
OF_WORDS = frozenset(
    {
        "Type",
        "Calls wait in a queue",
        "Operators may leave the queue",
        "Answer in the window",
        "Enabled",
        "Begin in pause",
        "Role",
        "Second factor",
        "Entries",
        PASSWORD_FIELD,
    }
)


class FieldChange(NamedTuple):
    """One field: before and after; one of the two is empty where an element came or went."""

    field: str
    old: str
    new: str


class Difference(NamedTuple):
    """One service, seat, operator or pause reason that is not the same on both sides."""

    kind: str
    name: str
    what: DifferenceKind
    changes: tuple[FieldChange, ...] = ()
    entry_name: str = ""
    """As the audit log calls it."""


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def trigger_words(trigger: Trigger) -> str:
    """A trigger on one line: in English, whoever changes it, as the audit log keeps it for everybody."""
    target = trigger.url or f"{trigger.application} {trigger.parameters}".strip()
    kind, moment, system = (_english_labels()[word] for word in (trigger.type, trigger.on, trigger.os))
    rings = [AT_EACH_RING] if trigger.again else []
    return f"{', '.join([kind, moment, *rings, system])}: {target}"


@lru_cache
def _english_labels() -> dict[str, str]:
    with translation.override("en"):
        choices = (*TriggerRow.Type.choices, *TriggerRow.Moment.choices, *TriggerRow.System.choices)
        return {value: str(label) for value, label in choices}


def describe_service(service: Service) -> dict[str, FieldValue]:
    """A service as fields with words."""
    return {
        "Name": service.name,
        "Context": service.context,
        "Type": service.type,
        "Calls wait in a queue": _yes(service.is_queue),
        "Queue": service.queue_name,
        "Operators may leave the queue": _yes(service.may_leave),
        "Enabled": _yes(service.enabled),
        "Variable": service.variables,
        TRIGGER_FIELD: tuple(trigger_words(trigger) for trigger in service.triggers),
        "Operator": tuple(
            f"{binding.username} ({binding.penalty})" if service.is_queue else binding.username
            for binding in service.operators
        ),
    }


def describe_seat(seat: Seat) -> dict[str, FieldValue]:
    """A seat as fields with words."""
    return {
        "MAC address": seat.mac,
        "Extension": seat.extension,
        "Queue interface": "" if seat.queue_interface == seat.extension else seat.queue_interface,
        "State interface": "" if seat.state_interface == seat.extension else seat.state_interface,
        "IP address": seat.address,
        "Description": seat.description,
        "Answer in the window": "by NOTIFY" if seat.answer == "notify" else "no",
    }


def describe_operator(operator: Operator) -> dict[str, FieldValue]:
    """An operator as fields with words; the password only to compare it."""
    return {
        "User name": operator.username,
        "Full name": operator.full_name,
        "Seat": operator.seat,
        "Begin in pause": _yes(operator.begin_in_pause),
        "Enabled": _yes(operator.enabled),
        PASSWORD_FIELD: " ".join(filter(None, (operator.password, operator.scram))),
    }


def field_changes(old: Mapping[str, FieldValue], new: Mapping[str, FieldValue]) -> tuple[FieldChange, ...]:
    """What differs between two descriptions. Either may be empty: something was added or removed."""
    found: list[FieldChange] = []
    for field in dict.fromkeys([*old, *new]):
        before, after = old.get(field, ""), new.get(field, "")
        if before == after:
            continue
        if field == PASSWORD_FIELD:
            found.append(FieldChange(field, "set" if before else "", "another one" if before else "set"))
        elif isinstance(before, tuple) or isinstance(after, tuple):
            found += _elements(field, before or (), after or ())
        else:
            found.append(FieldChange(field, before, after))
    return tuple(found)


def _elements(field: str, before: Iterable[str], after: Iterable[str]) -> list[FieldChange]:
    gone, come = list(before), []
    for element in after:
        if element in gone:
            gone.remove(element)
        else:
            come.append(element)
    return [FieldChange(field, element, "") for element in gone] + [
        FieldChange(field, "", element) for element in come
    ]


def service_key(service: Service) -> str:
    """What tells services apart: their names may be the same."""
    return f"{service.context} {service.queue.lower()}"


def differ(old: Service | Seat | Operator, new: Service | Seat | Operator) -> bool:
    """Tell whether two of one kind say something else; in which order a service says it does not count.

    Without describing them: of ten thousand entries another one, that takes as long as a page.
    """
    if isinstance(old, Service) and isinstance(new, Service):
        return old != new and _said_by_service(old) != _said_by_service(new)
    if isinstance(old, Seat) and isinstance(new, Seat):
        return old != new and _said_by_seat(old) != _said_by_seat(new)
    return old != new


def _said_by_service(service: Service) -> tuple[Service, object]:
    bound = Counter((its.username, its.penalty if service.is_queue else 0) for its in service.operators)
    parts = (Counter(service.variables), Counter(service.triggers), bound)
    return replace(service, variables=(), triggers=(), operators=()), parts


def _said_by_seat(seat: Seat) -> tuple[str, ...]:
    """Interfaces that are the phone need not be said."""
    phone, queue, state = seat.extension, seat.queue_interface, seat.state_interface
    own = ("" if queue == phone else queue, "" if state == phone else state)
    return (seat.mac, phone, *own, seat.address, seat.description, seat.answer)


def _describe(entry: Service | Seat | Operator | str) -> dict[str, FieldValue]:
    if isinstance(entry, str):
        return {}
    if isinstance(entry, Service):
        return describe_service(entry)
    if isinstance(entry, Seat):
        return describe_seat(entry)
    return describe_operator(entry)


class _Pair(NamedTuple):
    """An entry as it was and as it is; None where it came or went."""

    kind: str
    was: Any
    entry: Any

    @property
    def what(self) -> DifferenceKind:
        return "added" if self.was is None else "removed" if self.entry is None else "changed"

    def described(self) -> Difference:
        changes = field_changes(*({} if side is None else _describe(side) for side in (self.was, self.entry)))
        shown = self.was if self.entry is None else self.entry
        name, entry_name = _NAMES[self.kind](shown)
        return Difference(self.kind, name, self.what, changes, entry_name)


_NAMES: dict[str, Callable[[Any], tuple[str, str]]] = {
    "service": lambda service: (service.name, service.name),
    "seat": lambda seat: (seat.extension, f"{seat.extension} ({seat.mac})"),
    "operator": lambda operator: (operator.username, operator.username),
    "pausereason": lambda reason: (reason, reason),
}
"""How an entry is called, here and in the audit log."""


class Differences(Sequence[Difference]):
    """Everything that is not the same in two configurations.

    An entry is put into words when it is looked at, in the language of that moment: of twenty thousand that
    differ a page counts all and shows few.
    """

    def __init__(self, pairs: Iterable[_Pair] = ()) -> None:
        self._pairs = tuple(pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    @overload
    def __getitem__(self, at: int) -> Difference: ...
    @overload
    def __getitem__(self, at: slice) -> list[Difference]: ...
    def __getitem__(self, at: int | slice) -> Difference | list[Difference]:
        if isinstance(at, slice):
            return [pair.described() for pair in self._pairs[at]]
        return self._pairs[at].described()

    def counts(self) -> Counter[tuple[str, DifferenceKind]]:
        """How many there are of each kind of entry and of difference."""
        return Counter((pair.kind, pair.what) for pair in self._pairs)


def between(old: Configuration, new: Configuration) -> Differences:
    """Everything that is not the same in two configurations; their order does not count."""
    return Differences(
        chain(
            _compare("service", old.services, new.services, service_key),
            _compare("seat", old.seats, new.seats, lambda seat: seat.mac),
            _compare("operator", old.operators, new.operators, lambda operator: operator.username),
            _compare("pausereason", old.pause_reasons, new.pause_reasons, str),
        )
    )


def _compare(kind: str, old: Iterable[Any], new: Iterable[Any], key: Callable[[Any], str]) -> Iterator[_Pair]:
    if old is new:
        return
    before, after = {key(entry): entry for entry in old}, {key(entry): entry for entry in new}
    yield from (_Pair(kind, entry, None) for at, entry in before.items() if at not in after)
    for at, entry in after.items():
        was = before.get(at)
        if was is not entry and (was is None or differ(was, entry)):
            yield _Pair(kind, was, entry)


def shown_value(value: str, field: str) -> str:
    """A field's value as the page shows it."""
    if field == TRIGGER_FIELD:
        words, colon, target = value.partition(": ")
        known = {*_english_labels().values(), AT_EACH_RING}
        return ", ".join(_(word) if word in known else word for word in words.split(", ")) + colon + target
    if field == STATE_FIELD:
        day, moment, name = [*value.split(" ", 2), "", ""][:3]
        return f"{day} {moment} {shown_state_name(name)}".strip()
    return _(value) if field in OF_WORDS and value in WORDS else value

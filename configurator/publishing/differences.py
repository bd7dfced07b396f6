"""What differs between two configurations, in words: for publications, imports and the audit log.

Field names are English keys that templates translate; values are shown as they are. A password is never
in a value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple

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
    """Tell whether two of one kind differ in what `between` would list."""
    return bool(field_changes(_describe(old), _describe(new)))


def _describe(entry: Service | Seat | Operator | str) -> dict[str, FieldValue]:
    if isinstance(entry, str):
        return {}
    if isinstance(entry, Service):
        return describe_service(entry)
    if isinstance(entry, Seat):
        return describe_seat(entry)
    return describe_operator(entry)


class KnownDifferences:
    """Differences that were told before, so that the same two objects need not be described again.

    For who compares one configuration after the other of which little changed. One thread at a time.
    """

    def __init__(self) -> None:
        self._before: dict[tuple[str, str], tuple[Any, Any, Difference | None]] = {}
        self._now: dict[tuple[str, str], tuple[Any, Any, Difference | None]] = {}

    def begin(self) -> None:
        """Two others come: what is in neither is forgotten."""
        self._before, self._now = self._now, {}

    def tell(
        self, kind: str, key: str, was: Any, entry: Any, names: Callable[[Any], tuple[str, str]]
    ) -> Difference | None:
        """How an entry differs from what it was; None stands for one that came or went.

        `names` says how it is called, here and in the audit log.
        """
        known = self._before.get((kind, key))
        if known is None or known[0] is not was or known[1] is not entry:
            known = (was, entry, _difference(kind, was, entry, *names(was if entry is None else entry)))
        self._now[kind, key] = known
        return known[2]


def between(
    old: Configuration, new: Configuration, known: KnownDifferences | None = None
) -> list[Difference]:
    """Everything that is not the same in two configurations; their order does not count.

    `known` remembers from call to call, in the language of the first.
    """
    known = known or KnownDifferences()
    known.begin()
    return [
        *_compare("service", old.services, new.services, service_key, lambda service: service.name, known),
        *_compare(
            "seat",
            old.seats,
            new.seats,
            lambda seat: seat.mac,
            lambda seat: seat.extension,
            known,
            lambda seat: f"{seat.extension} ({seat.mac})",
        ),
        *_compare("operator", old.operators, new.operators, _username, _username, known),
        *_compare("pausereason", old.pause_reasons, new.pause_reasons, str, str, known),
    ]


def _difference(kind: str, was: Any, entry: Any, name: str, entry_name: str) -> Difference | None:
    changes = field_changes({} if was is None else _describe(was), {} if entry is None else _describe(entry))
    if was is not None and entry is not None and not changes:
        return None
    what: DifferenceKind = "added" if was is None else "removed" if entry is None else "changed"
    return Difference(kind, name, what, changes, entry_name)


def _username(operator: Operator) -> str:
    return operator.username


def _compare(
    kind: str,
    old: Iterable[Any],
    new: Iterable[Any],
    key: Callable[[Any], str],
    name: Callable[[Any], str],
    known: KnownDifferences,
    entry_name: Callable[[Any], str] | None = None,
) -> list[Difference]:
    """Describe only what is not equal as it is: of ten thousand entries, few are not."""
    if old is new:
        return []

    def names(entry: Any) -> tuple[str, str]:
        return name(entry), (entry_name or name)(entry)

    before, after = {key(entry): entry for entry in old}, {key(entry): entry for entry in new}
    found = [known.tell(kind, at, entry, None, names) for at, entry in before.items() if at not in after]
    for at, entry in after.items():
        was = before.get(at)
        if was is not entry and was != entry:
            found.append(known.tell(kind, at, was, entry, names))
    return [difference for difference in found if difference is not None]


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

"""What a section of the menu is: a list, the form of its entries, and its rules."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from configurator.forms.entries import EntryForm
from configurator.publishing import working_copy
from configurator.publishing.differences import FieldValue
from configurator.sections.filters import ListFilter
from configurator.users import roles

MOST_WORDS = 8
"""Words of a search that count."""

READ_AT_ONCE = 500
"""Entries read with what belongs to them by one query; SQLite refuses one that names ten thousand."""


@dataclass(frozen=True)
class Column:
    """One column of a list."""

    key: str
    label: Any
    sort: str
    """The field of the table to sort by; empty where that makes no sense."""
    value: Callable[[Any], Any]
    shape: str = "text"
    """How a cell looks: text, strong, code, yes, pill, number, moment."""


class Section(ABC):
    """A list, its form, and its rules. Without state: the one object of each serves all requests."""

    key: ClassVar[str]
    """What it is called in addresses."""
    model: ClassVar[type[Model]]
    title: ClassVar[Any]
    entry_name: ClassVar[Any]
    """What one of its entries is called."""
    icon: ClassVar[str]
    columns: ClassVar[tuple[Column, ...]]
    search: ClassVar[tuple[str, ...]]
    """The fields in which a search looks."""
    filters: ClassVar[tuple[ListFilter, ...]] = ()
    """What the list can be narrowed to."""
    form: ClassVar[type[EntryForm]]
    form_template: ClassVar[str] = "configurator/entry_form.html"
    hint: ClassVar[Any]
    """What an empty list says."""
    readers: ClassVar[frozenset[str]] = roles.EVERYBODY
    editors: ClassVar[frozenset[str]] = roles.ADMINISTRATORS

    def form_arguments(self, request: HttpRequest, entry: Any = None) -> dict[str, Any]:
        """What the form has to know of who sends it, with `entry` None for a new one."""
        return {}

    @property
    def kind(self) -> str:
        """The word that the audit log uses."""
        return str(self.model._meta.model_name)

    def rows(self) -> QuerySet[Any]:
        """Every entry, with what its columns need."""
        return self.model._default_manager.all()

    def find(self, text: str, filters: Iterable[str] = ()) -> QuerySet[Any]:
        """The rows that contain each word of a search, anywhere, and fit each of these filters' keys."""
        rows = self.rows()
        for wanted in self.filters:
            if wanted.key in filters:
                rows = wanted.narrow(rows)
        for word in text.split()[:MOST_WORDS]:
            query = Q()
            for path in self.search:
                query |= _contains(self.model, path, word)
            rows = rows.filter(query)
        return rows

    @abstractmethod
    def describe(self, entry: Any) -> Mapping[str, FieldValue]:
        """What an entry says, for the audit log. A password is there to be compared, never to be shown."""

    def dependents(self, entry: Any) -> list[str]:
        """What a removal takes along or changes, in sentences for whoever is about to remove."""
        return []

    def many_dependents(self, rows: Sequence[int]) -> list[str]:
        """The same for many entries at once, in numbers."""
        return []

    def describe_many(self, entries: Iterable[Any]) -> list[Mapping[str, FieldValue]]:
        """What each of many entries of `rows` says."""
        return [self.describe(entry) for entry in entries]

    def forbids_removal(self, entry: Any) -> str:
        """Why an entry has to stay; empty where it may go."""
        return ""

    def shown_by(self, entry: Any) -> Iterable[Model]:
        """The rows of other sections whose forms show this entry."""
        return ()

    def shown_by_many(self, entries: Iterable[Any]) -> list[Model]:
        """The same for many entries of `rows`, each row once."""
        return list({row: None for entry in entries for row in self.shown_by(entry)})

    def remove(self, entry: Any) -> None:
        """Remove an entry. Forms that show it and are open somewhere are refused from now on."""
        working_copy.raise_revisions(self.shown_by(entry))
        entry.delete()

    def after_save(self, request: HttpRequest, saved: Any) -> None:
        """Do what the change of an entry means for the session of the one who made it: mostly nothing."""
        return


def _contains(model: type[Model], path: str, word: str) -> Q:
    """Rows whose own field contains a word, or that of what they belong to or have: `seat__extension`.

    What they have is looked through once by a query of its own. A join would look at it for each of them, and
    show an entry more than once.
    """
    name, _, rest = path.partition("__")
    if not rest:
        return Q(**{f"{name}__resembles": word})
    relation: Any = model._meta.get_field(name)
    other: type[Model] = relation.related_model
    found = other._default_manager.filter(_contains(other, rest, word))
    if relation.concrete:
        return Q(**{f"{name}__in": found.values("pk")})
    return Q(pk__in=found.exclude(**{relation.field.name: None}).values(relation.field.attname))
